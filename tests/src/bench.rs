//! A test's workbench: an app with people in it, and the built program to run on it.
//!
//! What goes wrong here is the test's failure, so it panics, at the line of the test.

use crate::apps::{self, Instance, Person, Story, Target};
use crate::dump::{Difference, Dump};
use crate::{Result, workspace};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

/// A temporary directory, an app in it, and a state directory of its own.
pub struct Bench {
    /// The app.
    pub app: Box<dyn Instance>,
    /// What it is.
    pub target: Target,
    directory: tempfile::TempDir,
}

impl Bench {
    /// An app with its story.
    ///
    /// # Errors
    /// Its store cannot be had.
    pub fn new(target: &Target, story: Story) -> Result<Bench> {
        built()?;
        let directory = tempfile::Builder::new().prefix("latchlift-test-").tempdir()?;
        let app = apps::seed(target, story, directory.path())?;
        Ok(Bench { app, target: target.clone(), directory })
    }

    /// Where the test may put files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The journal's directory.
    pub fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// The program with these words, on this app: `t.latchlift("password reset john --yes")`.
    pub fn latchlift(&self, words: &str) -> Run {
        let mut run = self.bare(words);
        let location = self.app.location().unwrap_or_else(|why| panic!("{why}"));
        run.last.extend(["--app".to_owned(), location]);
        if let Some(password) = self.app.store_password() {
            let file = self.directory.path().join("store-password");
            std::fs::write(&file, format!("{password}\n")).unwrap_or_else(|why| panic!("{why}"));
            run.last.extend(["--store-password-file".to_owned(), file.display().to_string()]);
        }
        run
    }

    /// The program with these words and no `--app`: `t.bare("plugin list")`.
    pub fn bare(&self, words: &str) -> Run {
        Run::new(words, self.directory.path())
    }

    /// Somebody of the story.
    #[track_caller]
    pub fn person(&self, who: &str) -> &Person {
        self.app.person(who).unwrap_or_else(|| panic!("the story of {} has no `{who}`", self.target.id()))
    }

    /// Whether the app lets this name and password in.
    #[track_caller]
    pub fn signs_in(&self, name: &str, password: &str) -> bool {
        self.app.signs_in(name, password).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Everything as it is now.
    #[track_caller]
    pub fn snapshot(&self) -> Snapshot {
        let dump = self.app.dump().unwrap_or_else(|why| panic!("{why}"));
        Snapshot { dump, documents: self.app.documents().unwrap_or_else(|why| panic!("{why}")) }
    }

    /// What changed since.
    #[track_caller]
    pub fn changes_since(&self, before: &Snapshot) -> Vec<Difference> {
        before.dump.differences(&self.snapshot().dump, |collection| self.app.keys(collection))
    }

    /// Fails unless nothing at all changed since.
    #[track_caller]
    pub fn unchanged_since(&self, before: &Snapshot) {
        let changes = self.changes_since(before);
        assert!(changes.is_empty(), "something changed:\n{}", listed(&changes));
        let after = self.snapshot();
        let touched: Vec<&String> =
            before.documents.keys().filter(|name| before.documents.get(*name) != after.documents.get(*name)).collect();
        assert!(touched.is_empty() && before == &after, "documents were rewritten: {touched:?}");
    }
}

/// Changes, one per line.
pub fn listed(changes: &[Difference]) -> String {
    changes.iter().map(|change| format!("  {change}\n")).collect()
}

/// A store as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Its records.
    pub dump: Dump,
    /// Its documents' bytes.
    pub documents: BTreeMap<String, Vec<u8>>,
}

/// The program, about to run.
#[must_use = "`succeeds` or `fails` runs it"]
pub struct Run {
    arguments: Vec<String>,
    /// What comes after everything the test adds.
    last: Vec<String>,
    stdin: Option<String>,
    directory: PathBuf,
    variables: Vec<(String, String)>,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; 128 + n where signal n ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    command: String,
}

impl Run {
    /// The program with these words, at home in a directory.
    pub fn new(words: &str, directory: &Path) -> Run {
        let arguments = words.split_whitespace().map(str::to_owned).collect();
        Run { arguments, last: vec![], stdin: None, directory: directory.to_owned(), variables: vec![] }
    }

    /// More arguments, separated by blanks.
    pub fn words(mut self, words: &str) -> Run {
        self.arguments.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    /// One more argument, which may hold blanks.
    pub fn arg(mut self, argument: impl Into<String>) -> Run {
        self.arguments.push(argument.into());
        self
    }

    /// Two more arguments.
    pub fn option(self, name: &str, value: impl Into<String>) -> Run {
        self.arg(name).arg(value)
    }

    /// What it reads, with a newline at the end.
    pub fn stdin(mut self, text: &str) -> Run {
        self.stdin = Some(format!("{text}\n"));
        self
    }

    /// An environment variable; all others are cleared.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Run {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Runs it, whatever it comes to.
    #[track_caller]
    pub fn outcome(self) -> Outcome {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|why| panic!("latchlift cannot be run: {why}"));
        let mut stdin = child.stdin.take().unwrap_or_else(|| panic!("no standard input"));
        // It may end without reading, which breaks the pipe.
        let _ = stdin.write_all(self.stdin.unwrap_or_default().as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap_or_else(|why| panic!("{why}"));
        use std::os::unix::process::ExitStatusExt;
        Outcome {
            code: output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            command: [self.arguments, self.last].concat().join(" "),
        }
    }

    /// The process that would run, for tests that want to hold it themselves.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.args(&self.arguments).args(&self.last).current_dir(&self.directory).env_clear();
        for (name, value) in [("HOME", "home"), ("LATCHLIFT_STATE_DIR", "state"), ("LATCHLIFT_CONFIG", "config.toml")] {
            command.env(name, self.directory.join(value));
        }
        let config = self.directory.join("config.toml");
        if !config.exists() {
            std::fs::write(&config, "").unwrap_or_else(|why| panic!("{why}"));
        }
        command.env("PATH", "/usr/bin:/bin").env("LATCHLIFT_PLUGIN_DIRS", binary().parent().unwrap_or(Path::new(".")));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it; anything but exit code 0 is a failure.
    #[track_caller]
    pub fn succeeds(self) -> Outcome {
        self.exits(0)
    }

    /// Runs it; anything but this exit code is a failure, and so is an error without a word.
    #[track_caller]
    pub fn fails(self, code: i32) -> Outcome {
        let outcome = self.exits(code);
        let spoken = !outcome.stderr.is_empty() || !outcome.stdout.is_empty();
        assert!(spoken, "`latchlift {}` failed without a word", outcome.command);
        outcome
    }

    #[track_caller]
    fn exits(self, code: i32) -> Outcome {
        let outcome = self.outcome();
        assert!(outcome.code == code, "exit {} instead of {code}\n{outcome}", outcome.code);
        outcome
    }
}

impl Outcome {
    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("stdout is not JSON ({why})\n{self}"))
    }

    /// One value of the JSON: `/results/0/entry`.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> Value {
        let json = self.json();
        json.pointer(pointer).cloned().unwrap_or_else(|| panic!("no {pointer} in the answer\n{self}"))
    }

    /// The codes of the reasons at `/results/0/sign_in/reasons` or wherever.
    #[track_caller]
    pub fn codes(&self, pointer: &str) -> Vec<String> {
        let reasons = self.at(pointer);
        let reasons = reasons.as_array().cloned().unwrap_or_default();
        reasons.iter().filter_map(|reason| reason["code"].as_str()).map(str::to_owned).collect()
    }

    /// Fails unless standard error says this.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Outcome {
        assert!(self.stderr.contains(words) || self.stdout.contains(words), "nothing about `{words}`\n{self}");
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ latchlift {}\nexit {}", self.command, self.code)?;
        write!(f, "--- stdout\n{}\n--- stderr\n{}", self.stdout.trim_end(), self.stderr.trim_end())
    }
}

/// The program under test: `LATCHLIFT_BIN`, or the one beside the test in cargo's target directory.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("LATCHLIFT_BIN") {
            return path.into();
        }
        // target/<profile>/deps/behaviour-0123456789abcdef, or target/<profile>/demo
        let here = std::env::current_exe().unwrap_or_else(|why| panic!("{why}"));
        let folder = here.parent().unwrap_or(Path::new("."));
        let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
        folder.join("latchlift")
    })
}

/// Fails if the program or a plugin is missing or older than what it was built from: `cargo test` alone builds neither.
///
/// # Errors
/// So it is; says what to do.
pub fn built() -> Result<()> {
    static BUILT: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    BUILT.get_or_init(all_are_new).clone().map_err(Into::into)
}

fn all_are_new() -> std::result::Result<(), String> {
    if std::env::var_os("LATCHLIFT_BIN").is_some() {
        return Ok(());
    }
    is_new(binary())?;
    let folder = binary().parent().unwrap_or(Path::new("."));
    let plugins = apps::names_in(&workspace().join("plugins")).map_err(|why| why.to_string())?;
    plugins.iter().try_for_each(|app| is_new(&folder.join(format!("liblatchlift_{}.so", app.replace('-', "_")))))
}

/// Cargo keeps beside each product a list of the files it was made from.
fn is_new(product: &Path) -> std::result::Result<(), String> {
    let help = "help: `make test` builds what the tests need";
    let age = |path: &Path| -> std::io::Result<SystemTime> { std::fs::metadata(path)?.modified() };
    let made = age(product).map_err(|_| format!("{} is not there\n{help}", product.display()))?;
    let list = std::fs::read_to_string(product.with_extension("d")).unwrap_or_default();
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources).replace("\\ ", "\0");
    for source in sources.split_whitespace().map(|source| PathBuf::from(source.replace('\0', " "))) {
        if age(&source).is_ok_and(|changed| changed > made) {
            return Err(format!("{} is older than {}\n{help}", product.display(), source.display()));
        }
    }
    Ok(())
}
