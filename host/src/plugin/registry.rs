//! Where plugins are, and which one is meant.
//!
//! An app's library is looked for by its name in each directory in turn, never by listing them: fifty installed plugins
//! cost nothing. Listing reads sidecars and runs no code where there is one.

use super::loaded::{self, Loaded, read_sidecar};
use super::trust::Trust;
use super::{app_of, is_app_name, library_name};
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::Facts;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The directory of installed plugins.
const INSTALLED: &str = match option_env!("LATCHLIFT_PLUGINDIR") {
    Some(dir) => dir,
    None => "/usr/local/lib/latchlift",
};

/// A directory that may hold plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginDir {
    /// The directory.
    pub path: PathBuf,
    /// Whether the person named it on the command line, so that its owner is trusted too.
    pub explicit: bool,
}

/// A plugin's files, found but not yet trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The app.
    pub app: String,
    /// The library.
    pub path: PathBuf,
    /// The facts installed beside it.
    pub sidecar: Option<PathBuf>,
    /// The directory both are in.
    pub dir: PluginDir,
    /// Libraries for the same app in later directories.
    pub shadowed: Vec<PathBuf>,
}

/// A plugin for `plugin list`.
#[derive(Debug)]
pub struct Listed {
    /// The app.
    pub app: String,
    /// The library.
    pub path: PathBuf,
    /// What it states, or why it would not be loaded.
    pub facts: Result<Facts>,
    /// Its version, where no sidecar spared loading it.
    pub version: Option<String>,
    /// The directory it is in.
    pub dir: PluginDir,
    /// The library that is used instead, where an earlier directory has one for the same app.
    pub hidden_by: Option<PathBuf>,
}

/// The directories, in the order they are searched, and the rule of trust.
#[derive(Debug)]
pub struct Registry {
    dirs: Vec<PluginDir>,
    trust: Trust,
}

/// All directories, in order: `--plugin-dir`, `LATCHLIFT_PLUGIN_DIRS`, the configuration's, the cargo target this
/// executable was built in, the installed one.
pub fn search_dirs(explicit: &[PathBuf], config: &[PathBuf]) -> Vec<PluginDir> {
    let environment = std::env::var_os("LATCHLIFT_PLUGIN_DIRS").unwrap_or_default();
    let environment = std::env::split_paths(&environment).filter(|path| !path.as_os_str().is_empty());
    let built = std::env::current_exe().ok().and_then(|exe| exe.parent().and_then(cargo_target));
    let found = environment.chain(config.iter().cloned()).chain(built).chain([PathBuf::from(INSTALLED)]);
    let explicit = explicit.iter().map(|path| PluginDir { path: path.clone(), explicit: true });
    explicit.chain(found.map(|path| PluginDir { path, explicit: false })).collect()
}

/// The directory, if cargo builds into it; its plugins are what the developer is working on.
fn cargo_target(dir: &Path) -> Option<PathBuf> {
    (dir.join(".cargo-lock").is_file() || dir.join("deps").is_dir()).then(|| dir.to_owned())
}

impl Registry {
    /// The registry of these directories; a directory given twice counts where it is first.
    ///
    /// # Errors
    /// A directory named on the command line is not there, or this process cannot tell whom to trust.
    pub fn new(dirs: Vec<PluginDir>) -> Result<Registry> {
        let (mut known, mut kept) = (BTreeSet::new(), Vec::new());
        for dir in dirs {
            match fs::metadata(&dir.path) {
                Ok(metadata) if metadata.is_dir() => {
                    if known.insert((metadata.dev(), metadata.ino())) {
                        kept.push(dir);
                    }
                }
                _ if dir.explicit => {
                    let why = format!("there is no directory {} for --plugin-dir", dir.path.display());
                    return Err(Error::new(Kind::Usage, why));
                }
                _ => kept.push(dir),
            }
        }
        Ok(Registry { dirs: kept, trust: Trust::of_this_process()? })
    }

    /// The registry of [`search_dirs`].
    ///
    /// # Errors
    /// As [`Registry::new`].
    pub fn search(explicit: &[PathBuf], config: &[PathBuf]) -> Result<Registry> {
        Registry::new(search_dirs(explicit, config))
    }

    /// The directories, in the order they are searched.
    pub fn dirs(&self) -> &[PluginDir] {
        &self.dirs
    }

    /// Finds the plugin of an app. Nothing is opened.
    ///
    /// # Errors
    /// No directory has one; the help names the most similar.
    pub fn find(&self, app: &str) -> Result<Found> {
        let name = library_name(app);
        let there = |dir: &&PluginDir| is_app_name(app) && dir.path.join(&name).symlink_metadata().is_ok();
        let mut found = self.dirs.iter().filter(there);
        let Some(dir) = found.next() else {
            return Err(self.not_found(app));
        };
        let path = dir.path.join(&name);
        let shadowed = found.map(|dir| dir.path.join(&name)).collect();
        Ok(Found { app: app.to_owned(), sidecar: sidecar_of(&path), path, dir: dir.clone(), shadowed })
    }

    /// Finds and loads the plugin of an app.
    ///
    /// # Errors
    /// As [`Registry::find`]; [`Kind::Plugin`] where it is not trusted, not whole, or not what it says.
    pub fn load(&self, app: &str) -> Result<Loaded> {
        let found = self.find(app)?;
        loaded::open(&found.path, found.sidecar.as_deref(), &self.trust, also(&found.dir))
    }

    /// What the plugin of an app states; loads no code where there is a sidecar.
    ///
    /// # Errors
    /// As [`Registry::load`].
    pub fn facts(&self, app: &str) -> Result<Facts> {
        let Found { path, sidecar, dir, .. } = self.find(app)?;
        Ok(self.stated(&path, sidecar.as_deref(), &dir)?.0)
    }

    /// Loads one file with all checks, as it would be loaded from its directory.
    ///
    /// # Errors
    /// As [`Registry::load`].
    pub fn check(&self, path: &Path) -> Result<Loaded> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let same = |dir: &&PluginDir| is_same(&dir.path, parent);
        let accepted = self.dirs.iter().find(same).and_then(also);
        loaded::open(path, sidecar_of(path).as_deref(), &self.trust, accepted)
    }

    /// All plugins of all directories, by app; those that an earlier directory hides come after the one that is used.
    pub fn list(&self) -> Vec<Listed> {
        let mut first: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut listed = Vec::new();
        for dir in &self.dirs {
            for (app, path) in plugins_in(dir) {
                let hidden_by = first.get(&app).cloned();
                first.entry(app.clone()).or_insert_with(|| path.clone());
                listed.push(self.entry(app, path, dir, hidden_by));
            }
        }
        listed.sort_by(|one, other| one.app.cmp(&other.app));
        listed
    }

    fn entry(&self, app: String, path: PathBuf, dir: &PluginDir, hidden_by: Option<PathBuf>) -> Listed {
        let stated = self.stated(&path, sidecar_of(&path).as_deref(), dir);
        let (facts, version) = match stated {
            Ok((facts, version)) => (Ok(facts), version),
            Err(error) => (Err(error), None),
        };
        Listed { app, path, facts, version, dir: dir.clone(), hidden_by }
    }

    /// A plugin's facts from its sidecar, or from the library where there is none, then with its version.
    fn stated(&self, path: &Path, sidecar: Option<&Path>, dir: &PluginDir) -> Result<(Facts, Option<String>)> {
        match sidecar {
            Some(sidecar) => {
                // A library that would be refused is not listed as if it could be used.
                self.trust.open(path, also(dir))?;
                Ok((read_sidecar(sidecar, &self.trust, also(dir))?, None))
            }
            None => {
                let Loaded { facts, version, .. } = loaded::open(path, None, &self.trust, also(dir))?;
                Ok((facts, Some(version)))
            }
        }
    }

    fn not_found(&self, app: &str) -> Error {
        let looked: Vec<_> = self.dirs.iter().map(|dir| dir.path.display().to_string()).collect();
        let error = Error::new(Kind::Plugin, format!("there is no plugin `{app}` in {}", looked.join(", ")));
        let installed: BTreeSet<_> = self.dirs.iter().flat_map(plugins_in).map(|(app, _)| app).collect();
        match most_similar(app, &installed) {
            Some(similar) if similar == app => {
                error.help(format!("its facts are there without its library: install latchlift-plugin-{app} again"))
            }
            Some(similar) => error.help(format!("did you mean `{similar}`? See all with `latchlift plugin list`")),
            None if is_app_name(app) => error.help(format!("install the package latchlift-plugin-{app}")),
            None => error.help("see the plugins with `latchlift plugin list`"),
        }
    }
}

/// The owner a directory adds to those that are trusted.
fn also(dir: &PluginDir) -> Option<u32> {
    let metadata = dir.explicit.then(|| fs::metadata(&dir.path))?;
    metadata.ok().map(|metadata| metadata.uid())
}

fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    id(one).is_some_and(|found| Some(found) == id(other))
}

/// The facts installed beside a library.
fn sidecar_of(library: &Path) -> Option<PathBuf> {
    let sidecar = library.with_extension("toml");
    (app_of(library).is_some() && sidecar.symlink_metadata().is_ok()).then_some(sidecar)
}

/// The libraries of a directory by app, also those that only a sidecar speaks of. None where it cannot be listed.
fn plugins_in(dir: &PluginDir) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(&dir.path).into_iter().flatten().flatten();
    let files = entries.map(|entry| PathBuf::from(entry.file_name()));
    let ours = files.filter(|file| file.extension().is_some_and(|kind| kind == "so" || kind == "toml"));
    let apps: BTreeSet<_> = ours.filter_map(|file| app_of(&file)).collect();
    apps.into_iter().map(|app| (app.clone(), dir.path.join(library_name(&app)))).collect()
}

/// The name somebody may have meant: nearly the same letters, or the beginning of one alone.
fn most_similar<'a>(typed: &str, names: &'a BTreeSet<String>) -> Option<&'a str> {
    let typed = typed.to_lowercase().replace('_', "-");
    let distance = |name: &str| strsim::damerau_levenshtein(&typed, name);
    let close = names.iter().filter(|name| distance(name) <= (name.len() / 3).max(1));
    let mut begun = names.iter().filter(|name| typed.len() >= 2 && name.starts_with(&typed));
    let only = match (begun.next(), begun.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    };
    close.min_by_key(|name| distance(name)).or(only).map(String::as_str)
}

#[cfg(test)]
mod tests;
