//! Talking to people: stdout is the answer, stderr the conversation.

use crate::cli::{Color, Format, Global};
use crate::error::{Error, Kind, io_reason};
use anstream::ColorChoice;
use latchlift_plugin_api::{Facts, Plan};
use serde_json::json;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How this run talks.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// The form of the answer.
    pub format: Format,
    /// Whether to leave out what was not asked for.
    pub quiet: bool,
    /// Whether to say more.
    pub verbose: bool,
    /// Whether questions may be asked.
    pub can_ask: bool,
}

impl Ui {
    /// From the flags and what stdin and stderr are.
    pub fn new(global: &Global) -> Ui {
        match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Ui {
            format: global.format(),
            quiet: global.quiet,
            verbose: global.verbose,
            can_ask: terminal && !global.no_input,
        }
    }

    /// A status line: a sentence on stderr, unless quiet.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.quiet {
            tell(line.as_ref());
        }
    }

    /// A status line for those who asked for more.
    pub fn detail(&self, line: impl AsRef<str>) {
        if self.verbose {
            tell(line.as_ref());
        }
    }

    /// Something the person should know, whether or not they asked for quiet.
    pub fn warn(&self, line: impl AsRef<str>) {
        tell(format!("{YELLOW}warning:{RESET} {}", escaped(line.as_ref())));
    }

    /// Whether the answer is JSON.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// The plan as people read it.
    pub fn plan(&self, heading: &str, plan: &Plan, facts: &Facts) {
        let changes = plan.steps.iter().flat_map(|step| &step.changes);
        let lines = plan_lines(changes.map(|change| crate::plan::lines(change, facts, plan)));
        tell(format!("{BOLD}{}{RESET}\n  {}", escaped(heading), escaped(&plan.summary)));
        lines.iter().for_each(|line| tell(format!("    {}", escaped(line))));
        plan.warnings.iter().for_each(|warning| self.warn(warning));
    }
}

/// The most lines of a plan that are spelled out.
const MOST_LINES: usize = 200;

/// The lines of a plan's changes: of whole changes only, and how many more there are.
fn plan_lines(mut changes: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let mut shown = Vec::new();
    while let Some(lines) = changes.next() {
        if !shown.is_empty() && shown.len() + lines.len() > MOST_LINES {
            let more = 1 + changes.count();
            shown.push(format!("... and {more} more change{}", if more == 1 { "" } else { "s" }));
            break;
        }
        shown.extend(lines);
    }
    shown
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const CYAN: &str = "\x1b[1;36m";
const RESET: &str = "\x1b[0m";

/// A line of the conversation, on stderr. Whether anybody reads it changes nothing about the work.
pub fn tell(line: impl AsRef<str>) {
    // A closed or full stderr leaves nowhere to complain.
    let _ = writeln!(anstream::stderr(), "{}", line.as_ref());
}

/// Prints a failure: what happened, the standing of the data, what to do. As JSON on stdout where that was asked for.
pub fn error(error: &Error, as_json: bool) {
    if as_json {
        let json = json!({ "latchlift": 1, "ok": false, "error": error_json(error) });
        // Where nobody takes it, it is still said.
        if try_answer(&json.to_string()).is_ok() {
            return;
        }
    }
    tell(format!("{RED}error:{RESET} {}", escaped(&error.message)));
    for candidate in &error.candidates {
        let provider = if candidate.provider.is_empty() { String::new() } else { format!("  {}", candidate.provider) };
        let note = if candidate.note.is_empty() { String::new() } else { format!("  ({})", candidate.note) };
        let (name, id) = (escaped(&candidate.name), escaped(&candidate.id));
        tell(format!("  {name}{}  --id {id}{}", escaped(&provider), escaped(&note)));
    }
    if let Some(note) = &error.note {
        tell(format!("{CYAN}note:{RESET} {}", escaped(note)));
    }
    if let Some(help) = &error.help {
        tell(format!("{CYAN}help:{RESET} {}", escaped(help)));
        error.more.iter().for_each(|line| tell(format!("      {}", escaped(line))));
    }
}

/// A failure as the JSON of `error`.
pub fn error_json(error: &Error) -> serde_json::Value {
    let mut out = json!({
        "kind": error.kind.word(), "exit": error.kind.exit(), "message": error.message,
        "note": error.note, "help": error.help,
    });
    if let (Some(help), false) = (&error.help, error.more.is_empty()) {
        out["help"] = json!(format!("{help}\n{}", error.more.join("\n")));
    }
    if error.kind == Kind::Ambiguous || !error.candidates.is_empty() {
        out["candidates"] = json!(error.candidates);
    }
    out
}

/// Prints the answer and flushes it. That it could not be is remembered until the program ends: see [`lost_answer`].
pub fn answer(text: &str) {
    if let Err(why) = try_answer(text) {
        lost(&why);
    }
}

static LOST: OnceLock<String> = OnceLock::new();

/// Remembers that an answer could not be written. A closed pipe is no loss: its reader wanted no more.
pub fn lost(why: &std::io::Error) {
    if why.kind() != ErrorKind::BrokenPipe {
        LOST.get_or_init(|| io_reason(why));
    }
}

/// Why an answer could not be written, if one could not.
pub fn lost_answer() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Prints the answer and flushes it.
///
/// # Errors
/// The pipe is closed, the disk is full: for answers that must not be lost.
pub fn try_answer(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let begun = BEGUN.load(Ordering::Relaxed);
    let rest = text.strip_prefix(JSON_HEAD).filter(|_| begun).unwrap_or(text);
    out.write_all(rest.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// How every answer in JSON begins.
const JSON_HEAD: &str = "{\"latchlift\":1,";

/// Whether that was printed already.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Prints and flushes how every answer in JSON begins; the answer goes on behind it.
///
/// # Errors
/// The pipe is closed, the disk is full: it shows before anything is changed.
pub fn begin_json() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(JSON_HEAD.as_bytes())?;
    BEGUN.store(true, Ordering::Relaxed);
    out.flush()
}

/// A command as a person pastes it.
pub fn pasted(command: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%".contains(c);
    let words = command.iter().map(|word| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether what is printed on stdout is lost: it is `/dev/null`, which is also what a closed one becomes at start.
pub fn stdout_is_discarded() -> bool {
    const DEV_NULL: (u32, u32) = (1, 3);
    rustix::fs::fstat(std::io::stdout()).is_ok_and(|found| {
        let device = (rustix::fs::major(found.st_rdev), rustix::fs::minor(found.st_rdev));
        rustix::fs::FileType::from_raw_mode(found.st_mode) == rustix::fs::FileType::CharacterDevice
            && device == DEV_NULL
    })
}

/// Text from a store with its control characters made visible, so that a stored name can neither drive the terminal nor
/// look like a line of ours.
pub fn escaped(text: &str) -> String {
    if !text.chars().any(dangerous) {
        return text.to_owned();
    }
    text.chars().map(|c| if dangerous(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

fn dangerous(c: char) -> bool {
    // Line ends would forge lines, tabs break a table; the others can hide or reorder what follows.
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::{MOST_LINES, escaped, plan_lines};

    #[test]
    fn a_long_plan_says_how_many_changes_it_leaves_out() {
        let changes = |count: usize| plan_lines((0..count).map(|i| vec![i.to_string(); 3]));
        let shown = MOST_LINES / 3;
        assert_eq!(changes(shown).len(), shown * 3);
        assert_eq!(changes(shown + 1).last().unwrap(), "... and 1 more change");
        assert_eq!(changes(100_000).last().unwrap(), &format!("... and {} more changes", 100_000 - shown));
        assert_eq!(changes(100_000).len(), shown * 3 + 1);
        assert_eq!(plan_lines(std::iter::once(vec![String::new(); 999])).len(), 999);
    }

    #[test]
    fn a_stored_name_cannot_drive_the_terminal() {
        assert_eq!(escaped("jürgen"), "jürgen");
        assert_eq!(escaped("a\x1b[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
        assert_eq!(escaped("joe\nhelp: sudo sh"), "joe\\nhelp: sudo sh");
    }
}
