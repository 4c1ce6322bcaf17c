//! Instances: *this* Homarr, at this place.
//!
//! One is configured by name, or given on the command line as `PLUGIN:LOCATION`. The location is written the same way in
//! both: a file, a directory in which the plugin's facts say where to look, or the URL of a server.

mod place;
mod url;

use crate::error::{Error, Kind, Result};
use crate::settings::MappedFiles;
use latchlift_plugin_api::{Facts, Location};
pub use place::{StoreSpec, path, resolve_directory};
use std::path::{Path, PathBuf};
pub use url::tls;

/// One app at one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instance {
    /// Its name: the configured one, or the plugin's.
    pub name: String,
    /// What to type after `--app` to mean it.
    pub argument: String,
    /// The plugin that knows the app.
    pub plugin: String,
    /// Where its store is, if that was said; otherwise its settings say.
    pub store: Option<StoreSpec>,
    /// The app's own settings files, in order.
    pub settings: Vec<PathBuf>,
    /// Container paths and the host's paths for them.
    pub paths: Vec<(String, PathBuf)>,
    /// The file that holds the database's password.
    pub password_file: Option<PathBuf>,
    /// How to encrypt the way to a server, where its URL does not say.
    pub tls: Option<String>,
}

impl Instance {
    /// The app's files as seen from this machine.
    pub fn files(&self) -> MappedFiles {
        MappedFiles { paths: self.paths.clone() }
    }

    /// Where the store is; `None` where only the settings tell.
    ///
    /// # Errors
    /// As [`StoreSpec::resolve`].
    pub fn location(&self, facts: &Facts) -> Result<Option<Location>> {
        let Some(store) = &self.store else { return Ok(None) };
        Ok(Some(self.encrypted(store.resolve(facts)?)))
    }

    /// A location that the app's settings name, as seen from this machine.
    pub fn adjusted(&self, location: Location) -> Location {
        self.encrypted(self.files().map_location(location))
    }

    fn encrypted(&self, location: Location) -> Location {
        match location {
            Location::Mysql(mut server) => {
                server.tls = server.tls.or_else(|| self.tls.clone());
                Location::Mysql(server)
            }
            Location::Postgres(mut server) => {
                server.tls = server.tls.or_else(|| self.tls.clone());
                Location::Postgres(server)
            }
            other => other,
        }
    }
}

/// A value of `--app`.
#[derive(Clone, Debug, PartialEq)]
pub enum App {
    /// `all`: every configured instance.
    All,
    /// A configured instance.
    Named(String),
    /// One that needs no configuration.
    AdHoc(Box<Instance>),
}

impl App {
    /// Reads a value of `--app`. Relative paths are below `base`.
    ///
    /// # Errors
    /// [`Kind::Usage`] where it is neither a name nor `PLUGIN:LOCATION`.
    pub fn parse(value: &str, base: &Path) -> Result<App> {
        match value.split_once(':') {
            None if value == ALL => Ok(App::All),
            None if is_name(value) => Ok(App::Named(value.to_owned())),
            Some((plugin, location)) if is_plugin(plugin) && !location.starts_with("//") => {
                App::ad_hoc(value, plugin, location, base)
            }
            Some((plugin, location)) if is_plugin(&as_plugin(plugin)) && !location.starts_with("//") => {
                let message = "--app names no plugin before its location";
                let help = format!("plugins are written in small letters: {}:...", as_plugin(plugin));
                Err(Error::new(Kind::Usage, message).help(help))
            }
            // Not shown: it may be a URL with a password.
            Some(_) => Err(which_app("--app names no plugin before its location")),
            None if value.contains('/') => Err(which_app(&format!("`{value}` does not say which app is there"))),
            None => Err(which_app(&format!("`{value}` cannot be an instance's name"))),
        }
    }

    fn ad_hoc(value: &str, plugin: &str, location: &str, base: &Path) -> Result<App> {
        let store = StoreSpec::parse(location, base).map_err(|error| error.context(format!("--app {plugin}:...")))?;
        Ok(App::AdHoc(Box::new(Instance {
            name: plugin.to_owned(),
            argument: value.to_owned(),
            plugin: plugin.to_owned(),
            store: Some(store),
            ..Instance::default()
        })))
    }
}

/// What means every configured instance; so none may be named this.
pub const ALL: &str = "all";

/// Whether an instance may have this name: lower-case letters, digits, `-` and `_`, not starting with a sign.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.starts_with(plain) && name.chars().all(|c| plain(c) || c == '-' || c == '_')
}

/// Whether a plugin may have this name, which becomes part of a file's.
pub fn is_plugin(name: &str) -> bool {
    is_name(name) && !name.contains('_')
}

fn as_plugin(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

fn which_app(message: &str) -> Error {
    Error::new(Kind::Usage, message)
        .help("say --app NAME for a configured instance, or --app PLUGIN:LOCATION: homarr:/srv/homarr")
}

/// The known word that a typed one may stand for: nearly the same letters, or the beginning of it alone.
pub fn similar<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let typed = typed.to_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&typed, &word.to_lowercase());
    let close = known.iter().copied().filter(|word| distance(word) <= (word.len() / 3).max(1));
    let begun: Vec<&str> = known.iter().copied().filter(|word| typed.len() > 1 && word.starts_with(&typed)).collect();
    let only = if let [only] = begun[..] { Some(only) } else { None };
    close.min_by_key(|word| distance(word)).or(only)
}

#[cfg(test)]
#[path = "instance_tests.rs"]
mod tests;
