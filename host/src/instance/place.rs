//! Where a store is: what was typed or configured, and what of it is there.

use super::url;
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::{Facts, Location, StoreKind};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a store was said to be.
#[derive(Clone, Debug, PartialEq)]
pub enum StoreSpec {
    /// A file or directory: the plugin's facts say what it is.
    Path(PathBuf),
    /// A kind of store was named.
    At(Location),
}

impl StoreSpec {
    /// Reads a location: a path, `sqlite:PATH`, `dir:PATH` or a server's URL. Relative paths are below `base`.
    ///
    /// # Errors
    /// [`Kind::Usage`] where it is none of them, or holds a password.
    pub fn parse(text: &str, base: &Path) -> Result<StoreSpec> {
        if text.is_empty() {
            return Err(Error::new(Kind::Usage, "the location is empty").help(LOCATIONS));
        }
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => Ok(StoreSpec::At(Location::Mysql(url::server("mysql", rest)?))),
            "postgres" | "postgresql" => Ok(StoreSpec::At(Location::Postgres(url::server("postgres", rest)?))),
            "sqlite" => Ok(StoreSpec::At(Location::Sqlite { path: path_text(&path(rest, base)?)? })),
            "dir" => Ok(StoreSpec::At(Location::Dir { path: path_text(&path(rest, base)?)? })),
            "compose" | "docker" => {
                Err(Error::new(Kind::Usage, format!("`{scheme}:` is reserved for a later release"))
                    .help("name the file, directory or server: homarr:/srv/homarr"))
            }
            _ if rest.starts_with("//") && !scheme.is_empty() => {
                Err(Error::new(Kind::Usage, "the location is a URL of a kind that latchlift does not know")
                    .help(LOCATIONS))
            }
            _ => Ok(StoreSpec::Path(path(text, base)?)),
        }
    }

    /// The store's location, for an app with these facts.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] where there is nothing, [`Kind::Denied`] where one may not look, [`Kind::Usage`] where what is
    /// there is not where this app keeps its accounts.
    pub fn resolve(&self, facts: &Facts) -> Result<Location> {
        let location = match self {
            StoreSpec::Path(path) => resolve_path(path, facts)?,
            StoreSpec::At(Location::Sqlite { path }) => resolve_path(Path::new(path), facts)?,
            // Said outright to be the directory: an app's marker may be missing from what remains of an installation.
            StoreSpec::At(Location::Dir { path }) if facts.stores.contains(&StoreKind::Documents) => {
                documents_in(Path::new(path), facts)?
            }
            StoreSpec::At(Location::Dir { path }) => resolve_path(Path::new(path), facts)?,
            StoreSpec::At(other) => other.clone(),
        };
        match kind_of(&location).is_none_or(|kind| facts.stores.contains(&kind)) {
            true => Ok(location),
            false => Err(other_kind(facts)),
        }
    }
}

const LOCATIONS: &str = "a location is a file, a directory, sqlite:FILE, dir:DIRECTORY, mysql://USER@HOST/DATABASE or \
                         postgres://USER@HOST/DATABASE";

fn kind_of(location: &Location) -> Option<StoreKind> {
    match location {
        Location::Sqlite { .. } => Some(StoreKind::Sqlite),
        Location::Mysql(_) => Some(StoreKind::Mysql),
        Location::Postgres(_) => Some(StoreKind::Postgres),
        Location::Dir { .. } => Some(StoreKind::Documents),
        _ => None,
    }
}

fn other_kind(facts: &Facts) -> Error {
    let kinds = facts.stores.iter().map(|kind| match kind {
        StoreKind::Sqlite => "an SQLite file",
        StoreKind::Mysql => "a MariaDB or MySQL server",
        StoreKind::Postgres => "a PostgreSQL server",
        StoreKind::Documents => "a directory of documents",
        _ => "a store that this latchlift does not know",
    });
    let kinds = kinds.collect::<Vec<_>>().join(" or ");
    Error::new(Kind::Usage, format!("{} keeps its accounts in {kinds}, not in a store of this kind", facts.title))
        .help(LOCATIONS)
}

/// The path, absolute, with `~/` for the home directory: shells leave that alone after a colon.
pub fn path(text: &str, base: &Path) -> Result<PathBuf> {
    let bare = match text.strip_prefix("//") {
        // `sqlite:///srv/x` is how other programs write `sqlite:/srv/x`.
        Some(rest) if rest.starts_with('/') => rest,
        _ => text,
    };
    let home = bare.strip_prefix("~/").and_then(|rest| Some(PathBuf::from(std::env::var_os("HOME")?).join(rest)));
    match bare.is_empty() || bare.contains('\0') {
        true => Err(Error::new(Kind::Usage, "a path is missing").help(LOCATIONS)),
        false => Ok(tidy(&base.join(home.unwrap_or_else(|| PathBuf::from(bare))))),
    }
}

/// Absolute and without `.`; `..` stays, since what it means depends on symbolic links.
fn tidy(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
}

fn path_text(path: &Path) -> Result<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::new(Kind::Usage, format!("the path {} is not UTF-8 text", path.display())))
}

fn resolve_path(path: &Path, facts: &Facts) -> Result<Location> {
    let found = look(path)?.ok_or_else(|| nothing_at(path))?;
    if found.is_dir() {
        return resolve_directory(path, facts);
    }
    if is_backup(path, facts) {
        return Ok(Location::Dir { path: path_text(path)? });
    }
    if !found.is_file() {
        let message = format!("{} is neither a file nor a directory", path.display());
        return Err(Error::new(Kind::Usage, message).help(LOCATIONS));
    }
    match facts.stores.contains(&StoreKind::Sqlite) {
        true => Ok(Location::Sqlite { path: path_text(path)? }),
        false => Err(not_a_file(path, facts)),
    }
}

fn documents_in(path: &Path, facts: &Facts) -> Result<Location> {
    match look(path)?.ok_or_else(|| nothing_at(path))?.is_dir() || is_backup(path, facts) {
        true => Ok(Location::Dir { path: path_text(whole(path, facts))? }),
        false => Err(Error::new(Kind::Usage, format!("{} is not a directory", path.display()))),
    }
}

/// The directory that is meant by one of the store's own below it.
fn whole<'a>(path: &'a Path, facts: &Facts) -> &'a Path {
    let own = facts.inside.iter().any(|name| path.file_name().is_some_and(|last| last == name.as_str()));
    path.parent().filter(|_| own).unwrap_or(path)
}

/// Whether a file is an archive of the kind that the app's backups are.
fn is_backup(path: &Path, facts: &Facts) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    let packed = [".tar", ".tar.gz", ".tgz"].iter().any(|end| name.ends_with(end));
    packed && facts.backup.is_some() && path.is_file()
}

/// The store in a directory: the first of the places where the app may keep it.
///
/// # Errors
/// As [`StoreSpec::resolve`].
pub fn resolve_directory(dir: &Path, facts: &Facts) -> Result<Location> {
    let embedded = |kind: &StoreKind| matches!(kind, StoreKind::Sqlite | StoreKind::Documents);
    if !facts.stores.iter().any(embedded) {
        return Err(other_kind(facts));
    }
    let dir = whole(dir, facts);
    for candidate in &facts.candidates {
        let place = dir.join(candidate);
        if look(&place)?.is_some_and(|found| found.is_file()) {
            return found_at(&place, facts);
        }
    }
    Err(not_in(dir, facts))
}

/// What a candidate that exists means: the database itself, or its directory is the store.
fn found_at(place: &Path, facts: &Facts) -> Result<Location> {
    let documents = facts.stores.contains(&StoreKind::Documents);
    let marker = match documents && facts.stores.contains(&StoreKind::Sqlite) {
        // An app that has both kinds of store: the marker of documents is itself one.
        true => place.extension().is_some_and(|kind| ["yaml", "yml", "json"].iter().any(|known| kind == *known)),
        false => documents,
    };
    let dir = place.parent().unwrap_or(place);
    Ok(match marker {
        true => Location::Dir { path: path_text(whole(dir, facts))? },
        false => Location::Sqlite { path: path_text(place)? },
    })
}

/// What is there; `None` where nothing is.
fn look(path: &Path) -> Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(why) if matches!(why.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => Ok(None),
        Err(why) if why.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(Error::new(Kind::Denied, format!("cannot look at {}: permission denied", path.display()))
                .help("run as root, or as the user the app runs as"))
        }
        Err(why) => Err(Error::new(Kind::Failed, format!("cannot look at {}: {why}", path.display()))),
    }
}

fn nothing_at(path: &Path) -> Error {
    Error::new(Kind::Unreachable, format!("there is nothing at {}", path.display()))
        .help("check the path; with containers, give the host's path rather than the container's")
}

fn not_in(dir: &Path, facts: &Facts) -> Error {
    let looked = facts.candidates.iter().map(|place| format!("`{place}`")).collect::<Vec<_>>().join(", ");
    let (dir, title) = (dir.display(), &facts.title);
    let looked = if looked.is_empty() { String::new() } else { format!(": looked for {looked}") };
    let what = if facts.stores.contains(&StoreKind::Sqlite) { "file" } else { "directory" };
    Error::new(Kind::Unreachable, format!("{title} keeps no accounts in {dir}{looked}"))
        .help(format!("name the {what} itself: --app {}:/path/to/{what}", facts.app))
}

fn not_a_file(path: &Path, facts: &Facts) -> Error {
    let (shown, title) = (path.display(), &facts.title);
    if !facts.stores.contains(&StoreKind::Documents) {
        return other_kind(facts);
    }
    let marked = facts.candidates.iter().find(|candidate| path.ends_with(candidate));
    let dir =
        marked.and(path.parent()).map_or_else(|| "/path/to/directory".to_owned(), |dir| dir.display().to_string());
    Error::new(Kind::Usage, format!("{shown} is a file; {title} keeps its accounts in a directory"))
        .help(format!("name the directory: --app {}:{dir}", facts.app))
}
