//! The app's own settings files, and the paths they name as seen from this machine.
//!
//! Plugins decide what the settings mean and which of several wins; here they are only read.

mod env;
mod yaml;

use crate::error::{Error, Kind, Result};
use latchlift_plugin_api as api;
use latchlift_plugin_api::facts::PasswordRules;
use latchlift_plugin_api::{Files, Location, Settings, SettingsFile};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// The largest settings file; more is a wrong file.
const MAX_BYTES: u64 = 4 << 20;

/// Reads a settings file: `NAME=value` lines or a YAML mapping.
///
/// # Errors
/// [`Kind::Config`] where it is missing or cannot be understood, [`Kind::Usage`] where it is a compose file,
/// [`Kind::Denied`] where it may not be read.
pub fn read(path: &Path) -> Result<SettingsFile> {
    let shown = path.display().to_string();
    let text = text(path)?.ok_or_else(|| Error::new(Kind::Config, format!("there is no settings file {shown}")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (format, values) = match format(path, text) {
        Format::Env => ("env", env::parse(text).map_err(|problem| problem.at(&shown))?),
        Format::Yaml => ("yaml", yaml::parse(text).map_err(|problem| problem.at(&shown))?),
        Format::Unknown => return Err(not_settings(&shown)),
    };
    if format == "yaml" && values.keys().any(|name| name == "services" || name.starts_with("services.")) {
        return Err(compose_file(&shown));
    }
    Ok(SettingsFile { path: shown, format: format.to_owned(), values })
}

/// The fewest characters of a password that the app's own settings ask for, where they say so.
pub fn min_chars(rules: &PasswordRules, settings: &Settings) -> Option<u32> {
    let names = &rules.min_chars_settings;
    let number = names.iter().find_map(|name| stated(name, names, settings))?;
    number.trim().parse().ok().filter(|chars| *chars > 0).map(|chars: u32| chars.min(rules.max_bytes))
}

/// What the last file that counts says under a name. `FILE:NAME` counts in files whose name begins with `FILE`, and then
/// no longer as plain `NAME`: so an app's defaults can come after its environment, and its options before.
fn stated<'s>(name: &str, names: &[String], settings: &'s Settings) -> Option<&'s String> {
    let (file, key) = name.split_once(':').map_or((None, name), |(file, key)| (Some(file), key));
    let begins = |path: &str, start: &str| path.rsplit('/').next().is_some_and(|name| name.starts_with(start));
    let apart = || names.iter().filter_map(|name| name.split_once(':')).filter(|(_, name)| *name == key);
    let counts = |path: &str| match file {
        Some(start) => begins(path, start),
        None => !apart().any(|(start, _)| begins(path, start)),
    };
    settings.0.iter().rev().filter(|file| counts(&file.path)).find_map(|file| file.values.get(key))
}

#[derive(Debug, PartialEq, Eq)]
enum Format {
    Env,
    Yaml,
    Unknown,
}

/// The name decides where it can; otherwise the first line that says something.
fn format(path: &Path, text: &str) -> Format {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if name.ends_with(".yml") || name.ends_with(".yaml") {
        return Format::Yaml;
    }
    let says = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let first = text.lines().map(str::trim).find(says);
    let assigns = first.is_some_and(env::is_assignment);
    match name.starts_with(".env") || name.ends_with(".env") || assigns {
        true => Format::Env,
        false => Format::Unknown,
    }
}

fn not_settings(shown: &str) -> Error {
    Error::new(Kind::Config, format!("{shown} is neither a file of NAME=value lines nor named *.yml or *.yaml"))
        .help("give the app's own .env or options file")
}

fn compose_file(shown: &str) -> Error {
    Error::new(Kind::Usage, format!("{shown} is a compose file; reading those comes with a later release"))
        .help("give the .env file beside it, or the app's own options file, with --settings")
}

/// What is wrong with a settings file. The line's content is not repeated: it may hold a secret.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    line: usize,
    what: String,
}

impl Problem {
    fn new(line: usize, what: impl Into<String>) -> Problem {
        Problem { line, what: what.into() }
    }

    fn at(&self, path: &str) -> Error {
        let Problem { line, what } = self;
        let message = if *line == 0 { format!("{path}: {what}") } else { format!("{path}, line {line}: {what}") };
        Error::new(Kind::Config, message)
    }
}

/// A file's text; `None` where it does not exist.
fn text(path: &Path) -> Result<Option<String>> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    if let Err(why) = read {
        return match why.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Ok(None),
            std::io::ErrorKind::PermissionDenied => {
                Err(Error::new(Kind::Denied, format!("cannot read {shown}: permission denied"))
                    .help("run as the file's owner or as root"))
            }
            std::io::ErrorKind::IsADirectory => {
                Err(Error::new(Kind::Config, format!("{shown} is a directory")).help("name a file"))
            }
            _ => Err(Error::new(Kind::Failed, format!("cannot read {shown}: {why}"))),
        };
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::new(Kind::Config, format!("{shown} is too large for a settings file")));
    }
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| Error::new(Kind::Config, format!("{shown} is not UTF-8 text")))
}

/// Where paths of the app's container are on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedFiles {
    /// Container path and host path; the longest that fits wins.
    pub paths: Vec<(String, PathBuf)>,
}

impl MappedFiles {
    /// The host's path of a path that the app names. One that no mapping covers is taken as it is.
    pub fn map(&self, path: &str) -> PathBuf {
        let inside = normal(Path::new(path));
        let fits = self.paths.iter().filter_map(|(container, host)| {
            let container = normal(Path::new(container));
            let rest = inside.strip_prefix(&container).ok()?;
            Some((container.components().count(), rest, host))
        });
        match fits.max_by_key(|(length, ..)| *length) {
            None => PathBuf::from(path),
            Some((_, rest, host)) if rest.as_os_str().is_empty() => host.clone(),
            Some((_, rest, host)) => host.join(rest),
        }
    }

    /// The location with its paths as the host sees them.
    pub fn map_location(&self, location: Location) -> Location {
        let mapped = |path: String| self.map(&path).to_string_lossy().into_owned();
        match location {
            Location::Sqlite { path } => Location::Sqlite { path: mapped(path) },
            Location::Dir { path } => Location::Dir { path: mapped(path) },
            Location::Mysql(mut server) => {
                server.socket = server.socket.map(mapped);
                Location::Mysql(server)
            }
            Location::Postgres(mut server) => {
                server.socket = server.socket.map(mapped);
                Location::Postgres(server)
            }
            other => other,
        }
    }
}

impl Files for MappedFiles {
    fn text(&self, path: &str) -> api::Result<Option<String>> {
        text(&self.map(path)).map_err(Into::into)
    }
}

/// The path without `.` and `..`, so that `/storage/../secret` is not taken for something below `/storage`.
fn normal(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.parent().is_some() => {
                clean.pop();
            }
            Component::ParentDir if clean.has_root() => {}
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchlift_plugin_api::Server;
    use std::fs::write;

    fn read_as(name: &str, text: &str) -> Result<SettingsFile> {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path().join(name), text).unwrap();
        read(&dir.path().join(name))
    }

    #[test]
    fn the_name_or_else_the_first_line_tells_the_format() {
        for name in [".env", ".env.local", "homarr.env", "HOMARR.ENV", "photoprism"] {
            let file = read_as(name, "\u{feff}# comment\n\nDB_DRIVER=mysql2\n").unwrap();
            assert_eq!((file.format.as_str(), file.values["DB_DRIVER"].as_str()), ("env", "mysql2"), "{name}");
        }
        for name in ["options.yml", "defaults.YAML"] {
            let file = read_as(name, "DatabaseDriver: mysql\n").unwrap();
            assert_eq!((file.format.as_str(), file.values["DatabaseDriver"].as_str()), ("yaml", "mysql"), "{name}");
        }
        assert_eq!(read_as("notes.txt", "call Maria\n").unwrap_err().kind, Kind::Config);
        assert!(
            read_as(".env", "").unwrap().values.is_empty() && read_as("a.yml", "# none\n").unwrap().values.is_empty()
        );
    }

    #[test]
    fn a_compose_file_is_told_from_settings() {
        for text in ["services:\n  homarr:\n    image: homarr\n", "version: '3'\nservices: {}\n", "services:\n"] {
            let error = read_as("docker-compose.yml", text).unwrap_err();
            assert_eq!(error.kind, Kind::Usage);
            assert!(error.message.contains("compose file") && error.help.unwrap().contains(".env"), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_its_content_is_not() {
        let missing = read(Path::new("/nonexistent/options.yml")).unwrap_err();
        assert_eq!(
            (missing.kind, missing.message.as_str()),
            (Kind::Config, "there is no settings file /nonexistent/options.yml")
        );
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap_err().message.ends_with("is a directory"));
        let error = read_as(".env", "A=1\nhunter2\nB='unfinished\n").unwrap_err();
        assert!(error.message.ends_with(".env, line 3: the quoted value of `B` has no end"), "{error}");
        let error = read_as(".env", "DB_PASSWORD: hunter2\n").unwrap_err();
        assert!(error.message.contains("line 1") && !error.message.contains("hunter2"), "{error}");
        let error = read_as("a.yml", "a: 1\nPassword: [hunter2\n").unwrap_err();
        assert!(error.message.contains("line") && !error.message.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_fewest_characters_of_a_password_follow_the_apps_precedence() {
        let names = ["Length", "APP_LENGTH", "defaults:Length"].map(str::to_owned).to_vec();
        let rules = PasswordRules { min_chars_settings: names, max_bytes: 72, ..PasswordRules::default() };
        let file = |path: &str, name: &str, value: &str| SettingsFile {
            path: path.to_owned(),
            values: [(name.to_owned(), value.to_owned())].into(),
            ..SettingsFile::default()
        };
        let defaults = || file("/etc/app/defaults.yml", "Length", "4");
        let environment = || file("/srv/defaults/.env", "APP_LENGTH", "10");
        let options = |value: &str| file("options.yml", "Length", value);
        let fewest = |files: Vec<SettingsFile>| min_chars(&rules, &Settings(files));
        assert_eq!(fewest(vec![]), None);
        assert_eq!(fewest(vec![defaults()]), Some(4));
        assert_eq!(fewest(vec![environment(), defaults()]), Some(10));
        assert_eq!(fewest(vec![options("12"), environment(), defaults()]), Some(12));
        assert_eq!(fewest(vec![options("0"), environment()]), None, "nothing is the app's own default");
        assert_eq!(fewest(vec![options("1000")]), Some(72), "no more than fit");
    }

    fn mapped() -> MappedFiles {
        let pairs = [("/photoprism", "/srv/p"), ("/photoprism/storage/", "/mnt/s"), ("/run/db", "/run/x")];
        MappedFiles { paths: pairs.map(|(inside, host)| (inside.to_owned(), PathBuf::from(host))).into() }
    }

    #[test]
    fn the_longest_mapping_wins_on_whole_names() {
        let map = |path: &str| mapped().map(path).display().to_string();
        assert_eq!(map("/photoprism/storage/index.db"), "/mnt/s/index.db");
        assert_eq!(map("/photoprism/storage"), "/mnt/s");
        assert_eq!(map("/photoprism/storage2/index.db"), "/srv/p/storage2/index.db");
        assert_eq!(map("/photoprism/originals"), "/srv/p/originals");
        assert_eq!(map("/photoprism2"), "/photoprism2");
        assert_eq!(map("./db.sqlite"), "./db.sqlite");
        assert_eq!(map("/photoprism/./storage/../originals//x"), "/srv/p/originals/x");
        assert_eq!(map("/photoprism/../../etc/passwd"), "/photoprism/../../etc/passwd");
    }

    #[test]
    fn a_mapping_of_the_root_covers_everything() {
        let files = MappedFiles { paths: vec![("/".into(), "/var/lib/machines/app".into())] };
        assert_eq!(files.map("/data/x"), Path::new("/var/lib/machines/app/data/x"));
        assert_eq!(files.map("/../data"), Path::new("/var/lib/machines/app/data"));
    }

    #[test]
    fn locations_are_mapped_with_their_sockets() {
        let files = mapped();
        let sqlite = Location::Sqlite { path: "/photoprism/storage/index.db".into() };
        assert_eq!(files.map_location(sqlite), Location::Sqlite { path: "/mnt/s/index.db".into() });
        let server = Server { socket: Some("/run/db/mysqld.sock".into()), ..Server::default() };
        let Location::Mysql(server) = files.map_location(Location::Mysql(server)) else { unreachable!() };
        assert_eq!(server.socket.as_deref(), Some("/run/x/mysqld.sock"));
    }

    #[test]
    fn a_secret_file_is_read_through_the_mapping() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path().join("db"), "secret\n").unwrap();
        let files = MappedFiles { paths: vec![("/run/secrets".into(), dir.path().to_owned())] };
        assert_eq!(Files::text(&files, "/run/secrets/db").unwrap().as_deref(), Some("secret\n"));
        assert_eq!(Files::text(&files, "/run/secrets/none").unwrap(), None);
        assert!(Files::text(&files, "/run/secrets").is_err());
    }
}
