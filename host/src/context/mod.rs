//! What a run works with: configuration, plugins, journal, and instances opened for use.

mod opened;
mod past;
mod select;
mod stores;

use crate::cli::Global;
use crate::config::{Config, Places};
use crate::error::{Error, Kind, Result};
use crate::journal::Journal;
use crate::plugin::Registry;
use crate::ui::Ui;
use latchlift_plugin_api::{Options, Random, Request, Time};
pub use opened::Opened;
pub use past::Reopened;
pub use select::{Instance, Wanted, whole};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};
pub use stores::place;
use zeroize::Zeroizing;

/// One run of the program.
pub struct Run {
    /// How it talks.
    pub ui: Ui,
    /// The flags of every command.
    pub global: Global,
    /// The configuration.
    pub config: Config,
    /// The plugins.
    pub registry: Registry,
    state_dir: Result<PathBuf>,
    /// The databases' passwords that were read, by place: a person is asked once.
    store_passwords: RefCell<HashMap<String, Zeroizing<String>>>,
}

impl Run {
    /// Reads the configuration and finds the plugins' directories. Touches no store.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn new(global: Global) -> Result<Run> {
        let ui = Ui::new(&global);
        let config = Config::load(&Places::usual(global.config.as_deref()));
        let registry = Registry::search(&global.plugin_dir, &config.plugin_dirs)?;
        let state_dir = state_dir(&global, &config);
        config.files.iter().for_each(|file| ui.detail(format!("configuration: {}", file.display())));
        Ok(Run { ui, state_dir, global, config, registry, store_passwords: RefCell::default() })
    }

    /// The journal.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn journal(&self) -> Result<Journal> {
        self.state_dir.as_ref().map(|dir| Journal::new(dir)).map_err(Clone::clone)
    }

    /// A request of this verb, with the time of day and fresh randomness.
    pub fn request(&self, verb: &str, options: Options) -> Request {
        let mut seed = vec![0; 32];
        // Without the system's randomness there is no safe id or token; plans that need some are refused by `begin`,
        // which draws from the same source first.
        getrandom::fill(&mut seed).ok();
        Request { verb: verb.into(), options, now: self.now(), random: Random::new(seed), ..Request::default() }
    }

    /// The time of day.
    pub fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The other journal on this machine, root's or the user's, if it holds anything. Whoever chose a directory does not
    /// look for another.
    pub fn other_journal(&self) -> Option<PathBuf> {
        if chosen_here(&self.global).is_some() {
            return None;
        }
        let candidates = [Some(PathBuf::from(ROOT_STATE)), user_state()];
        let mut others = candidates.into_iter().flatten().filter(|dir| self.state_dir.as_ref().ok() != Some(dir));
        others.find(|dir| std::fs::read_dir(dir.join("journal")).is_ok_and(|mut entries| entries.next().is_some()))
    }
}

const ROOT_STATE: &str = "/var/lib/latchlift";

fn user_state() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from).or_else(home);
    state.map(|state| state.join("latchlift"))
}

/// The directory named for this run.
fn chosen_here(global: &Global) -> Option<PathBuf> {
    let environment = || std::env::var_os("LATCHLIFT_STATE_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    global.state_dir.clone().or_else(environment)
}

fn state_dir(global: &Global, config: &Config) -> Result<PathBuf> {
    let usual = || if rustix::process::geteuid().is_root() { Some(PathBuf::from(ROOT_STATE)) } else { user_state() };
    let chosen = chosen_here(global).or_else(|| config.state_dir.clone()).or_else(usual);
    chosen.ok_or_else(|| {
        Error::new(Kind::Config, "there is no place for the journal: HOME is not set")
            .help("name one with --state-dir DIR")
    })
}
