//! The configuration: which instances there are.
//!
//! ```text
//! /etc/latchlift/config.toml
//! /etc/latchlift/config.d/*.toml       in order of their names
//! ~/.config/latchlift/config.toml      each adds instances, or replaces one as a whole
//! ```
//!
//! `LATCHLIFT_CONFIG` or `--config` replaces them all. What is wrong in one instance fails that instance alone, and what
//! is wrong in one file that file alone, so that a typo does not keep anybody out of the other apps.

mod stanza;

use crate::error::{Error, Kind, Result};
use crate::instance::{Instance, similar};
use stanza::Source;
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Where configuration files may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The one file to read instead of all others.
    pub only: Option<PathBuf>,
    /// The system's directory.
    pub system: PathBuf,
    /// The person's own file.
    pub user: Option<PathBuf>,
}

impl Places {
    /// The usual places, unless `--config` or `LATCHLIFT_CONFIG` names a file.
    pub fn usual(flag: Option<&Path>) -> Places {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let config = variable("XDG_CONFIG_HOME").filter(|dir| dir.is_absolute());
        let config = config.or_else(|| Some(variable("HOME")?.join(".config")));
        Places {
            only: flag.map(Path::to_owned).or_else(|| variable("LATCHLIFT_CONFIG")),
            system: PathBuf::from("/etc/latchlift"),
            user: config.map(|dir| dir.join("latchlift/config.toml")),
        }
    }
}

/// All configuration files together.
#[derive(Debug, Default)]
pub struct Config {
    /// The instances by name; an error where its stanza is wrong.
    pub instances: BTreeMap<String, Result<Instance>>,
    /// Where to look for plugins, the person's own directories first.
    pub plugin_dirs: Vec<PathBuf>,
    /// Where the journal is.
    pub state_dir: Option<PathBuf>,
    /// The files read.
    pub files: Vec<PathBuf>,
    /// What is wrong with whole files. An instance given as `PLUGIN:LOCATION` may go ahead all the same.
    pub problems: Vec<Error>,
}

impl Config {
    /// Reads the configuration.
    pub fn load(places: &Places) -> Config {
        let mut config = Config::default();
        if let Some(only) = &places.only {
            config.add(only, true);
            return config;
        }
        config.add(&places.system.join("config.toml"), false);
        let more = fragments(&places.system.join("config.d"));
        more.unwrap_or_else(|problem| {
            config.problems.push(problem);
            vec![]
        })
        .iter()
        .for_each(|file| config.add(file, false));
        if let Some(user) = &places.user {
            config.add(user, false);
        }
        config
    }

    /// The instance of that name, or what is wrong with it: that is its own failure, and spares the others.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where there is none, with a similar one or all of them.
    pub fn stanza(&self, name: &str) -> Result<&Result<Instance>> {
        match self.instances.get(name) {
            Some(found) => Ok(found),
            // It may be in the file that could not be read.
            None => match self.problems.first() {
                Some(problem) => Err(problem.clone()),
                None => Err(self.unknown(name)),
            },
        }
    }

    #[cfg(test)]
    fn instance(&self, name: &str) -> Result<&Instance> {
        self.stanza(name)?.as_ref().map_err(Clone::clone)
    }

    /// The configuration, unless a whole file is wrong: for verbs that need all instances.
    ///
    /// # Errors
    /// The first problem.
    pub fn sound(&self) -> Result<&Config> {
        self.problems.first().map_or(Ok(self), |problem| Err(problem.clone()))
    }

    fn unknown(&self, name: &str) -> Error {
        let names: Vec<&str> = self.instances.keys().map(String::as_str).collect();
        let message = format!("no instance named `{name}` is configured");
        let error = Error::new(Kind::NotFound, message);
        match (names.is_empty(), similar(name, names.iter().copied())) {
            (true, _) => {
                error.help(format!("say where it is: --app {name}:/path/to/its/data, or add it to config.toml"))
            }
            (_, Some(close)) => error.help(format!("did you mean `{close}`? Configured: {}", names.join(", "))),
            (_, None) => error.help(format!("configured: {}", names.join(", "))),
        }
    }

    fn add(&mut self, file: &Path, must_exist: bool) {
        // Paths in the file are relative to the file, wherever it was named from.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        match text(&file) {
            Ok(None) if must_exist => self.problems.push(missing(&file)),
            Ok(None) => {}
            Ok(Some(text)) => {
                self.files.push(file.clone());
                match toml::from_str::<Table>(&text) {
                    Ok(table) => self.merge(table, &Source::new(&file)),
                    Err(why) => self.problems.push(malformed(&file, &text, &why)),
                }
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn merge(&mut self, table: Table, source: &Source) {
        for (key, value) in table {
            let merged = match key.as_str() {
                "app" => self.merge_apps(value, source),
                "plugin_dirs" => source.paths(&key, &value).map(|mut dirs| {
                    dirs.append(&mut self.plugin_dirs);
                    self.plugin_dirs = dirs;
                }),
                "state_dir" => source.path(&key, &value).map(|dir| self.state_dir = Some(dir)),
                _ => Err(source.unknown_key(&key, &["app", "plugin_dirs", "state_dir"])),
            };
            self.problems.extend(merged.err());
        }
    }

    fn merge_apps(&mut self, apps: Value, source: &Source) -> Result<()> {
        let Value::Table(apps) = apps else { return Err(source.wrong("`app` must be a table: write [app.NAME]")) };
        for (name, stanza) in apps {
            let source = source.stanza(&name);
            self.instances.insert(name.clone(), source.instance(&name, stanza));
        }
        Ok(())
    }
}

/// The files of `config.d`, in order.
fn fragments(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why) if matches!(why.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(vec![]);
        }
        Err(why) => return Err(unreadable(dir, &why)),
    };
    let files = entries.flatten().map(|entry| entry.path());
    let hidden = |file: &Path| file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|kind| kind == "toml")).collect();
    files.retain(|file| !hidden(file));
    files.sort();
    Ok(files)
}

/// A file's text, if it exists and only those may write it who may already do what it makes latchlift do.
fn text(path: &Path) -> Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(why) if matches!(why.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(why) => return Err(unreadable(path, &why)),
    };
    let facts = file.metadata().map_err(|why| unreadable(path, &why))?;
    // What is no regular file, such as /dev/null or a pipe of the shell's, cannot be altered between two runs.
    if facts.is_file() {
        trusted(path, &facts, rustix::process::geteuid().as_raw())?;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|why| unreadable(path, &why))?;
    Ok(Some(text))
}

/// Whoever can write the configuration decides what root opens, and with which plugins: its owner must be root or the
/// caller, and nobody else may write it or put another file in its place.
fn trusted(path: &Path, facts: &Metadata, caller: u32) -> Result<()> {
    refuse_writers(path, path, facts.mode(), facts.gid(), facts.uid())?;
    refuse_owner(path, path, facts.uid(), caller)?;
    // Where a link leads to, and where it lies.
    for place in [path.canonicalize(), std::path::absolute(path)].into_iter().flatten() {
        trusted_directory(path, place.parent().unwrap_or(Path::new("/")), caller)?;
    }
    Ok(())
}

fn trusted_directory(path: &Path, dir: &Path, caller: u32) -> Result<()> {
    let facts = fs::metadata(dir).map_err(|why| unreadable(path, &why))?;
    // Whatever its mode says, nobody writes what is mounted read-only, as orchestrators mount configuration.
    let read_only = rustix::fs::statvfs(dir).is_ok_and(|fs| fs.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    if read_only {
        return Ok(());
    }
    if facts.mode() & STICKY == 0 {
        refuse_writers(path, dir, facts.mode(), facts.gid(), facts.uid())?;
    }
    refuse_owner(path, dir, facts.uid(), caller)
}

/// In such a directory only its owner may replace a file.
const STICKY: u32 = 0o1000;

fn refuse_writers(path: &Path, place: &Path, mode: u32, group: u32, owner: u32) -> Result<()> {
    // A group that is its owner's alone bears the owner's number.
    let (everybody, shared) = (mode & 0o002 != 0, mode & 0o020 != 0 && group != 0 && group != owner);
    if !everybody && !shared {
        return Ok(());
    }
    let who = if everybody { "everybody on this machine".to_owned() } else { format!("group {group}") };
    let what = if path == place { "it".to_owned() } else { format!("its directory {}", place.display()) };
    let help = format!("chmod {}-w {}", if everybody { "o" } else { "g" }, place.display());
    Err(Error::new(Kind::Config, format!("{} is refused: {who} can write {what}", path.display())).help(help))
}

fn refuse_owner(path: &Path, place: &Path, owner: u32, caller: u32) -> Result<()> {
    if owner != 0 && owner != caller {
        let what = if path == place { "it".to_owned() } else { format!("its directory {}", place.display()) };
        let message = format!(
            "{} is refused: {what} belongs to uid {owner}, neither to root nor to you (uid {caller})",
            path.display()
        );
        let help = format!("chown {caller} {0}; chmod go-w {0}", place.display());
        return Err(Error::new(Kind::Config, message).help(help));
    }
    Ok(())
}

fn missing(path: &Path) -> Error {
    Error::new(Kind::Config, format!("there is no configuration file {}", path.display()))
}

fn unreadable(path: &Path, why: &std::io::Error) -> Error {
    let shown = path.display();
    match why.kind() {
        std::io::ErrorKind::PermissionDenied => {
            Error::new(Kind::Denied, format!("cannot read the configuration {shown}: permission denied"))
                .help("run as root, or name another file with --config")
        }
        std::io::ErrorKind::InvalidData => Error::new(Kind::Config, format!("{shown} is not UTF-8 text")),
        std::io::ErrorKind::IsADirectory => Error::new(Kind::Config, format!("{shown} is a directory, not a file")),
        _ => Error::new(Kind::Config, format!("cannot read the configuration {shown}: {why}")),
    }
}

fn malformed(path: &Path, text: &str, why: &toml::de::Error) -> Error {
    let start = why.span().map_or(0, |span| span.start.min(text.len()));
    let line = 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
    // One line: what the parser has to say may be several.
    let what = why.message().lines().next().unwrap_or("not TOML").to_owned();
    Error::new(Kind::Config, format!("{}, line {line}: {what}", path.display()))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
