//! A program with plugin directories of its own, and the sample plugins' app: one table in one SQLite file.

use latchlift_tests::bench::{binary, built};
use latchlift_tests::crypt;
use latchlift_tests::db::Database;
use latchlift_tests::dump::Dump;
use serde_json::Value;
use std::fmt;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A password the sample plugins accept.
pub const NEW: &str = "New-horse#2026";
const OLD: &str = "Old-horse#2025";

/// A directory with a guestbook and a plugin directory.
pub struct Place {
    directory: tempfile::TempDir,
    program: PathBuf,
}

impl Place {
    /// A guestbook with Ann and Bob, and no plugins.
    pub fn new() -> Place {
        let directory = tempfile::Builder::new().prefix("latchlift-contract-").tempdir().unwrap();
        let place = Place { directory, program: program().to_owned() };
        fs::create_dir(place.plugins()).unwrap();
        set_mode(&place.plugins(), 0o755);
        let hash = crypt::hash(OLD, "2b").unwrap();
        let people = format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT);
             INSERT INTO people VALUES (1, 'ann', '{hash}'), (2, 'bob', '{hash}');
             CREATE TABLE visits (id INTEGER PRIMARY KEY);
             INSERT INTO visits VALUES (1), (2);"
        );
        place.database().script(&people).unwrap();
        place
    }

    /// A guestbook with these sample plugins installed.
    pub fn with(samples: &[&str]) -> Place {
        let place = Place::new();
        samples.iter().for_each(|sample| drop(place.install(sample)));
        place
    }

    /// The same with another program.
    pub fn program(self, program: &Path) -> Place {
        Place { program: program.to_owned(), ..self }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The first plugin directory.
    pub fn plugins(&self) -> PathBuf {
        self.path("plugins")
    }

    /// Where the plugin of an app belongs.
    pub fn library(&self, app: &str) -> PathBuf {
        self.plugins().join(library_name(app))
    }

    /// Copies a built plugin to where it belongs.
    pub fn install(&self, app: &str) -> PathBuf {
        let to = self.library(app);
        copy_plugin(app, &to);
        to
    }

    /// Installs the facts of a sample plugin beside its library.
    pub fn install_sidecar(&self, app: &str) -> PathBuf {
        let to = self.library(app).with_extension("toml");
        fs::copy(sources(app).join("plugin.toml"), &to).unwrap();
        set_mode(&to, 0o644);
        to
    }

    pub fn database(&self) -> Database {
        Database::sqlite(self.path("guestbook.db"))
    }

    pub fn dump(&self) -> Dump {
        self.database().dump().unwrap()
    }

    /// The password hash of a person.
    pub fn hash(&self, name: &str) -> String {
        self.database().value(&format!("SELECT hash FROM people WHERE name = '{name}'")).unwrap().unwrap()
    }

    /// How many journal entries there are.
    pub fn entries(&self) -> usize {
        fs::read_dir(self.path("state/journal")).map_or(0, |entries| entries.count())
    }

    /// Runs the program with these words and no plugin directory.
    #[must_use = "`succeeds`, `exits` and `refused` look at it"]
    pub fn bare(&self, words: &str) -> Said {
        self.run(words, "")
    }

    /// Runs the program with these words, of which the first two are noun and verb, on the plugin directory.
    #[must_use = "`succeeds`, `exits` and `refused` look at it"]
    pub fn latchlift(&self, words: &str) -> Said {
        let words: Vec<&str> = words.splitn(3, ' ').collect();
        let (verb, rest) = words.split_at(2);
        self.run(&format!("{} --plugin-dir {} {}", verb.join(" "), self.plugins().display(), rest.join(" ")), "")
    }

    /// Runs a verb on the guestbook as the app of one of the sample plugins.
    #[must_use = "`succeeds`, `exits` and `refused` look at it"]
    pub fn on(&self, app: &str, words: &str) -> Said {
        self.latchlift(&format!("{words} --app {app}:{}", self.path("guestbook.db").display()))
    }

    /// Sets Ann's password as the app of one of the sample plugins.
    #[must_use = "`succeeds`, `exits` and `refused` look at it"]
    pub fn reset(&self, app: &str) -> Said {
        let (plugins, store) = (self.plugins(), self.path("guestbook.db"));
        let words = format!("password reset ann --password-stdin --yes --json --plugin-dir {}", plugins.display());
        self.run(&format!("{words} --app {app}:{}", store.display()), NEW)
    }

    fn run(&self, words: &str, stdin: &str) -> Said {
        said(self.command().args(words.split_whitespace()), stdin)
    }

    /// The program, about to run at home in this directory.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.path("home"));
        command.env("LATCHLIFT_STATE_DIR", self.path("state")).env("LATCHLIFT_CONFIG", "/dev/null");
        command.current_dir(self.directory.path());
        command
    }
}

/// The program outside cargo's target directory, where it finds no plugins beside itself.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        built().unwrap();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("contract");
        fs::create_dir_all(&directory).unwrap();
        set_mode(&directory, 0o755);
        let path = directory.join("latchlift");
        let _ = fs::remove_file(&path);
        if fs::hard_link(binary(), &path).is_err() {
            fs::copy(binary(), &path).unwrap();
        }
        path
    })
}

pub fn library_name(app: &str) -> String {
    format!("liblatchlift_{}.so", app.replace('-', "_"))
}

/// Where a plugin's source is.
pub fn sources(app: &str) -> PathBuf {
    let root = latchlift_tests::workspace();
    let sample = root.join("tests/plugins").join(app);
    if sample.is_dir() { sample } else { root.join("plugins").join(app) }
}

/// Copies the plugin that cargo built.
pub fn copy_plugin(app: &str, to: &Path) {
    let from = binary().with_file_name(library_name(app));
    assert!(from.is_file(), "{} is not there\nhelp: `make test` builds what the tests need", from.display());
    fs::copy(&from, to).unwrap();
    set_mode(to, 0o755);
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a command with this on standard input.
pub fn said(command: &mut Command, stdin: &str) -> Said {
    let shown = format!("{command:?}").split("latchlift\" ").last().unwrap_or_default().replace('"', "");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|why| panic!("{shown}: {why}"));
    // It may end without reading, which breaks the pipe.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        shown,
    }
}

/// What a run came to.
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    shown: String,
}

impl Said {
    #[track_caller]
    pub fn exits(self, code: i32) -> Said {
        assert!(self.code == code, "exit {} instead of {code}\n{self}", self.code);
        self
    }

    #[track_caller]
    pub fn succeeds(self) -> Said {
        self.exits(0)
    }

    /// Fails unless the plugin was refused or its fault was noticed, in a few lines.
    #[track_caller]
    pub fn refused(self) -> Said {
        let said = self.exits(8);
        let length = said.stderr.len() + said.stdout.len();
        assert!(length > 0 && length < 2000, "{length} bytes of reasons\n{said}");
        said
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Said {
        assert!(self.stdout.contains(words) || self.stderr.contains(words), "nothing about `{words}`\n{self}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("stdout is not JSON ({why})\n{self}"))
    }

    /// The values of a field in a list of the answer.
    #[track_caller]
    pub fn each(&self, list: &str, field: &str) -> Vec<String> {
        let json = self.json();
        let rows = json[list].as_array().unwrap_or_else(|| panic!("no list `{list}`\n{self}"));
        rows.iter().map(|row| row[field].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ latchlift {}\nexit {}", self.shown, self.code)?;
        write!(f, "--- stdout\n{}\n--- stderr\n{}", self.stdout.trim_end(), self.stderr.trim_end())
    }
}
