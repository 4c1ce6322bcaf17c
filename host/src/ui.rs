//! Talking to people: stdout is the answer, stderr the conversation.

use crate::cli::{Color, Format, Global};
use crate::error::{Error, Kind};
use anstream::{ColorChoice, eprintln};
use latchlift_plugin_api::{Change, Facts, Plan};
use serde_json::json;
use std::io::{IsTerminal, Write};

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
            eprintln!("{}", line.as_ref());
        }
    }

    /// A status line for those who asked for more.
    pub fn detail(&self, line: impl AsRef<str>) {
        if self.verbose {
            eprintln!("{}", line.as_ref());
        }
    }

    /// Something the person should know, whether or not they asked for quiet.
    pub fn warn(&self, line: impl AsRef<str>) {
        eprintln!("{YELLOW}warning:{RESET} {}", escaped(line.as_ref()));
    }

    /// Whether the answer is JSON.
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// The plan as people read it.
    pub fn plan(&self, heading: &str, plan: &Plan, facts: &Facts) {
        let mut text = format!("{BOLD}{}{RESET}\n  {}\n", escaped(heading), escaped(&plan.summary));
        for step in &plan.steps {
            for change in &step.changes {
                plan_lines(&mut text, change, plan, facts);
            }
        }
        eprintln!("{}", text.trim_end());
        plan.warnings.iter().for_each(|warning| self.warn(warning));
    }
}

/// The most changes of a plan that are spelled out.
const MOST_LINES: usize = 200;

fn plan_lines(text: &mut String, change: &Change, plan: &Plan, facts: &Facts) {
    if text.lines().count() > MOST_LINES {
        return;
    }
    for line in crate::plan::lines(change, facts, &plan.accounts) {
        text.push_str("    ");
        text.push_str(&line);
        text.push('\n');
    }
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const CYAN: &str = "\x1b[1;36m";
const RESET: &str = "\x1b[0m";

/// Prints a failure: what happened, the standing of the data, what to do. As JSON on stdout where that was asked for.
pub fn error(error: &Error, as_json: bool) {
    if as_json {
        answer(&json!({ "latchlift": 1, "ok": false, "error": error_json(error) }).to_string());
        return;
    }
    eprintln!("{RED}error:{RESET} {}", escaped(&error.message));
    for candidate in &error.candidates {
        let provider = if candidate.provider.is_empty() { String::new() } else { format!("  {}", candidate.provider) };
        let note = if candidate.note.is_empty() { String::new() } else { format!("  ({})", candidate.note) };
        eprintln!("  {}{provider}  --id {}{}", escaped(&candidate.name), escaped(&candidate.id), escaped(&note));
    }
    if let Some(note) = &error.note {
        eprintln!("{CYAN}note:{RESET} {}", escaped(note));
    }
    if let Some(help) = &error.help {
        eprintln!("{CYAN}help:{RESET} {}", escaped(help));
    }
}

/// A failure as the JSON of `error`.
pub fn error_json(error: &Error) -> serde_json::Value {
    let mut out = json!({
        "kind": error.kind.word(), "exit": error.kind.exit(), "message": error.message,
        "note": error.note, "help": error.help,
    });
    if error.kind == Kind::Ambiguous || !error.candidates.is_empty() {
        out["candidates"] = json!(error.candidates);
    }
    out
}

/// Prints the answer and flushes it. A closed pipe ends the program quietly, as it would any filter.
pub fn answer(text: &str) {
    if let Err(why) = try_answer(text)
        && why.kind() == std::io::ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

/// Prints the answer and flushes it.
///
/// # Errors
/// The pipe is closed, the disk is full: for answers that must not be lost.
pub fn try_answer(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Whether what is printed on stdout is lost: it is `/dev/null`, which is also what a closed one becomes at start.
pub fn stdout_is_discarded() -> bool {
    const DEV_NULL: (u32, u32) = (1, 3);
    rustix::fs::fstat(std::io::stdout()).is_ok_and(|found| {
        let device = (rustix::fs::major(found.st_rdev), rustix::fs::minor(found.st_rdev));
        rustix::fs::FileType::from_raw_mode(found.st_mode) == rustix::fs::FileType::CharacterDevice && device == DEV_NULL
    })
}

/// Text from a store with its control characters made visible, so that a stored name cannot drive the terminal.
pub fn escaped(text: &str) -> String {
    if !text.chars().any(dangerous) {
        return text.to_owned();
    }
    text.chars().map(|c| if dangerous(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

fn dangerous(c: char) -> bool {
    // Line ends and tabs would break a table; the others can hide or reorder what follows.
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_stored_name_cannot_drive_the_terminal() {
        assert_eq!(escaped("jürgen"), "jürgen");
        assert_eq!(escaped("a\x1b[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
    }
}
