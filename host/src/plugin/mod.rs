//! Plugins: finding them, deciding whether to trust them, loading them and talking to them.
//!
//! ```text
//! registry ── which file ──> trust ── who wrote it ──> elf ── is it whole ──> load ── dlopen
//!                                                                                 │
//! commands ── read, plan ──> Loaded ── calls ──> the plugin ── asks ──> Services <┘
//! ```
//!
//! Start at [`Registry::search`], then [`Registry::load`]. Every refusal has [`Kind::Plugin`] and is said before the
//! library's code runs, as far as that can be known before.

mod elf;
mod load;
mod loaded;
mod registry;
mod services;
mod trust;

pub use loaded::Loaded;
pub use registry::{Found, Listed, PluginDir, Registry, search_dirs};
pub use services::{Services, Sink};
pub use trust::{Caller, Stat, Trust};

use crate::error::{Error, Kind};
use latchlift_plugin_api::abi::PROTOCOL;
use std::fmt;
use std::path::Path;

/// The lowest version of the messages this host understands.
const OLDEST_PROTOCOL: u32 = 1;

/// What a plugin must fit, for packagers: `latchlift plugin abi`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abi {
    /// The series of `latchlift-plugin-api`: `0.1`.
    pub series: String,
    /// The lowest version of the messages.
    pub protocol_min: u32,
    /// The highest.
    pub protocol_max: u32,
}

/// What plugins must fit to be loaded by this host.
pub fn abi() -> Abi {
    Abi { series: load::api_version().series(), protocol_min: OLDEST_PROTOCOL, protocol_max: PROTOCOL }
}

/// The file name of an app's library.
fn library_name(app: &str) -> String {
    format!("liblatchlift_{}.so", app.replace('-', "_"))
}

/// The app whose library or sidecar has this file name.
fn app_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?.strip_prefix("liblatchlift_")?;
    let app = stem.replace('_', "-");
    is_app_name(&app).then_some(app)
}

/// Whether `app` is well formed; anything else could lead out of a plugin directory.
fn is_app_name(app: &str) -> bool {
    !app.is_empty() && app.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// A failure with a plugin's file in front.
fn refused(path: &Path, why: impl fmt::Display) -> Error {
    Error::new(Kind::Plugin, format!("plugin {} {why}", path.display()))
}

/// A path as one word of a shell command.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    match text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c)) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_and_the_app_are_the_same_thing() {
        assert_eq!(library_name("home-assistant"), "liblatchlift_home_assistant.so");
        assert_eq!(app_of(Path::new("/x/liblatchlift_home_assistant.so")).unwrap(), "home-assistant");
        assert_eq!(app_of(Path::new("/x/liblatchlift_home_assistant.toml")).unwrap(), "home-assistant");
        assert_eq!(app_of(Path::new("/x/libm.so")), None);
        assert_eq!(app_of(Path::new("/x/liblatchlift_.so")), None);
    }

    #[test]
    fn a_path_with_blanks_and_quotes_is_one_word_of_the_help() {
        assert_eq!(word(Path::new("/usr/lib/x.so")), "/usr/lib/x.so");
        assert_eq!(word(Path::new("/it's mine/x.so")), r"'/it'\''s mine/x.so'");
    }

    #[test]
    fn the_series_is_that_of_the_plugin_api() {
        let Abi { series, protocol_min, protocol_max } = abi();
        assert_eq!(series.split('.').count(), 2);
        assert!(env!("CARGO_PKG_VERSION").starts_with(&series), "host and plugin-api are released together");
        assert!(protocol_min <= protocol_max);
    }
}
