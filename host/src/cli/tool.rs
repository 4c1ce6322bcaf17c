//! The nouns about latchlift's own work: apps, the journal, plugins.

use super::args::{Listing, Write};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `app`
#[derive(Args, Debug)]
pub struct App {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<AppVerb>,
}

/// What to do with apps.
#[derive(Debug, Subcommand)]
pub enum AppVerb {
    /// List the instances and what they hold
    #[command(alias = "ls")]
    List,
    /// Look for what is wrong
    #[command(alias = "doctor")]
    Check,
}

/// `history`
#[derive(Args, Debug)]
pub struct History {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<HistoryVerb>,
}

/// What to do with the journal.
#[derive(Debug, Subcommand)]
pub enum HistoryVerb {
    /// List what was done, newest first
    #[command(alias = "ls")]
    List {
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one entry
    Show {
        /// The entry, or the first digits of it
        entry: String,
    },
}

/// `undo`
#[derive(Args, Clone, Debug, Default)]
pub struct Undo {
    /// The entry, or the first digits of it; the newest that can be taken back if none
    pub entry: Option<String>,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `resume`
#[derive(Args, Clone, Debug, Default)]
pub struct Resume {
    /// The entry, or the first digits of it; the newest unfinished one if none
    pub entry: Option<String>,
    /// Close the entry instead; what is written of it stays
    #[arg(long)]
    pub abandon: bool,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `plugin`
#[derive(Args, Debug)]
pub struct Plugin {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<PluginVerb>,
}

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub enum PluginVerb {
    /// List installed plugins
    #[command(alias = "ls")]
    List,
    /// Show what a plugin can do
    Show {
        /// The plugin
        plugin: String,
    },
    /// Say whether a plugin file would be loaded
    Check {
        /// The library
        file: PathBuf,
    },
    /// Print the version of the plugin contract, for packagers
    Abi,
}
