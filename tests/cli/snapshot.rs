//! Sessions of commands, as text that is the same on every machine, and their comparison with a file.

use latchlift_tests::apps::{Story, Target};
use latchlift_tests::bench::{Bench, Outcome, Run, Snapshot, binary};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A Homarr with people whose ids are always the same, configured as `homarr`, and what was typed and answered.
pub struct Session {
    pub bench: Bench,
    before: Snapshot,
    text: String,
    hidden: Vec<String>,
}

impl Session {
    pub fn new() -> Session {
        Session::of("1.74.0", Story::Usual)
    }

    pub fn of(version: &str, story: Story) -> Session {
        let session = Session::unconfigured(version, story);
        session.configure(&["homarr"]);
        session
    }

    /// The same without a configuration.
    pub fn unconfigured(version: &str, story: Story) -> Session {
        let target = Target {
            app: "homarr",
            version: version.to_owned(),
            store: "sqlite",
            variant: String::new(),
            known: version != "0.15.0",
            genuine: None,
        };
        let bench = Bench::new(&target, story).unwrap();
        Session { before: bench.snapshot(), bench, text: String::new(), hidden: vec![] }
    }

    /// Configures the Homarr under these names.
    pub fn configure(&self, names: &[&str]) {
        let stanza =
            |name: &&str| format!("[app.{name}]\nplugin = \"homarr\"\nstore = \"sqlite:{}\"\n", self.store().display());
        fs::write(self.path("config.toml"), names.iter().map(stanza).collect::<String>()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.bench.directory().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("homarr/db/db.sqlite")
    }

    /// The program with these words, which are the configured instance's if they name no other.
    pub fn command(&self, words: &str) -> Run {
        self.bench.bare(words).variable("NO_COLOR", "1").variable("COLUMNS", "100").variable("TZ", "UTC")
    }

    /// Runs the words and notes what they came to.
    pub fn run(&mut self, words: &str) -> Outcome {
        let run = self.command(words);
        self.note(words, run)
    }

    /// Runs the words with a line on standard input.
    pub fn run_with(&mut self, words: &str, line: &str) -> Outcome {
        let run = self.command(words).stdin(line);
        self.note(words, run)
    }

    /// Runs a prepared command and notes it under these words.
    pub fn note(&mut self, words: &str, run: Run) -> Outcome {
        let outcome = run.outcome();
        self.transcript(words, outcome.code, &[("stdout", &outcome.stdout), ("stderr", &outcome.stderr)]);
        outcome
    }

    /// Notes what came of words that were run some other way.
    pub fn transcript(&mut self, words: &str, code: i32, streams: &[(&str, &str)]) {
        let _ = writeln!(self.text, "$ latchlift {words}");
        for (name, said) in streams.iter().filter(|(_, said)| !said.is_empty()) {
            let _ = writeln!(self.text, "--- {name}\n{}", said.trim_end_matches('\n'));
        }
        let _ = writeln!(self.text, "--- exit {code}\n");
    }

    /// Shows a text as `[..]`.
    pub fn hide(&mut self, text: &str) {
        self.hidden.push(text.to_owned());
    }

    /// Fails if anything in the store is not as it was.
    #[track_caller]
    pub fn unchanged(&self) {
        self.bench.unchanged_since(&self.before);
    }

    /// Compares what was noted with the snapshot of this name.
    #[track_caller]
    pub fn matches(self, name: &str) {
        let mut text = self.text;
        for (path, shown) in [(self.bench.directory(), "[DIR]"), (binary().parent().unwrap(), "[BIN]")] {
            text = text.replace(&path.display().to_string(), shown);
        }
        for hidden in &self.hidden {
            text = text.replace(hidden, "[..]");
        }
        compare(name, &unaligned(&redacted(&text)));
    }
}

#[track_caller]
pub fn compare(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/snapshots").join(format!("{name}.txt"));
    if std::env::var_os("LATCHLIFT_ACCEPT").is_some_and(|accept| accept == "1") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        return fs::write(&file, text).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    if known != text {
        let (line, (old, new)) = first_difference(&known, text);
        panic!(
            "cli/snapshots/{name}.txt differs from line {line} on:\n- {old}\n+ {new}\n\nit is now:\n{text}\n\
             help: if that is meant, LATCHLIFT_ACCEPT=1 cargo test -p latchlift-tests --test cli"
        );
    }
}

fn first_difference<'a>(old: &'a str, new: &'a str) -> (usize, (&'a str, &'a str)) {
    let (mut old, mut new) = (old.lines(), new.lines());
    for line in 1.. {
        match (old.next(), new.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return (line, ("its line ends", "its line ends")),
            (a, b) => return (line, (a.unwrap_or("(end)"), b.unwrap_or("(end)"))),
        }
    }
    unreachable!("a text has an end")
}

/// Tables that hold a path, which is of another length on each machine, with two blanks between their columns.
fn unaligned(text: &str) -> String {
    let commands =
        text.split_inclusive("\n\n").map(|command| match command.contains("[DIR]") || command.contains("[BIN]") {
            true => command.split_inclusive('\n').map(narrowed).collect(),
            false => command.to_owned(),
        });
    commands.collect()
}

fn narrowed(line: &str) -> String {
    let start = line.len() - line.trim_start_matches(' ').len();
    let mut rest = line[start..].to_owned();
    while rest.contains("   ") {
        rest = rest.replace("   ", "  ");
    }
    format!("{}{rest}", &line[..start])
}

/// Entry ids and times of day become `[..]`.
pub fn redacted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = changing(rest).filter(|_| !out.ends_with(is_word));
        let taken = length.unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
        match length {
            Some(_) => out.push_str("[..]"),
            None => out.push_str(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// How much at the beginning of the text is another with each run.
fn changing(text: &str) -> Option<usize> {
    time(text).or_else(|| {
        let word = text.find(|c| !is_word(c)).unwrap_or(text.len());
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        (word == 8 && text[..8].chars().all(hex)).then_some(8)
    })
}

/// A time of day that is not one of the story's: `2026-11-21 05:12` or `2026-11-21T05:12:48.123Z`.
fn time(text: &str) -> Option<usize> {
    let shape = |shape: &str| {
        let fits = |(c, form): (char, char)| if form == '0' { c.is_ascii_digit() } else { c == form };
        text.len() >= shape.len() && text.chars().zip(shape.chars()).all(fits)
    };
    let of_the_story = ["2020-", "2037-"].iter().any(|year| text.starts_with(year));
    if of_the_story || !(shape("0000-00-00T00:00") || shape("0000-00-00 00:00")) {
        return None;
    }
    let tail = text[16..].find(|c: char| !(c.is_ascii_digit() || ":.Z".contains(c))).unwrap_or(text.len() - 16);
    Some(16 + tail)
}

#[test]
fn what_changes_with_each_run_is_hidden_and_nothing_else() {
    let same = "user c0ffee0123456789c0ffee01, 2037-06-01T00:00:00Z, 12345678901, deadbeefs";
    assert_eq!(redacted(same), same);
    assert_eq!(redacted("entry 1a2b3c4d at 2026-11-21T05:12:48.123Z."), "entry [..] at [..]");
    assert_eq!(redacted("1a2b3c4d  2026-11-21 05:12  homarr"), "[..]  [..]  homarr");
}
