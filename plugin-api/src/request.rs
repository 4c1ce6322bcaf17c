//! What the person asked for.

use crate::password::Handle;
use crate::random::Random;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A verb as `noun.verb`, the same words as on the command line: `user.list`, `password.reset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Verb(pub String);

impl Verb {
    /// The verb as text, to match on.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Verb {
    fn from(text: &str) -> Verb {
        Verb(text.to_owned())
    }
}

/// Which account is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// The name as typed; empty where only an id was given.
    pub name: String,
    /// The app's own id, from `--id`: it decides alone.
    pub id: Option<String>,
    /// The provider, from `--provider`.
    pub provider: Option<String>,
}

/// The switches that change what a verb includes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// `--tokens`: end API keys, app passwords and long-lived tokens too.
    pub tokens: bool,
    /// `--keep-sessions`: leave sign-ins alone.
    pub keep_sessions: bool,
    /// `--convert`: turn an account of another provider into one with a local password.
    pub convert: bool,
    /// `--fix-name`: mend the account's name in the same plan.
    pub fix_name: bool,
    /// `--owner`: make the account the owner too, where the app has one.
    pub owner: bool,
    /// `--deleted`: include deleted accounts.
    pub deleted: bool,
    /// `--system`: include the app's own accounts.
    pub system: bool,
    /// `--show-secrets`: report secrets that would let a person in.
    pub show_secrets: bool,
    /// `--all`: everything of the kind, not one account's.
    pub all: bool,
    /// `--expired`: only what has ended already.
    pub expired: bool,
    /// `--legacy`: the accounts of an older layout that the app no longer signs in.
    pub legacy: bool,
    /// `--unused-for`: only what was last used, or made if never used, at least so many seconds ago.
    pub unused_for: Option<u64>,
    /// `--group`: the group to give a permission to, in the app's word.
    pub group: Option<String>,
    /// `--keep`: the id of the account that keeps a name that several would have.
    pub keep: Option<String>,
    /// The safety rules the person waived, without `--allow-`: `last-admin`, `running`, `existing-admin`.
    pub allow: Vec<String>,
}

impl Options {
    /// Whether the person waived this safety rule: `last-admin` for `--allow-last-admin`.
    pub fn allows(&self, rule: &str) -> bool {
        self.allow.iter().any(|allowed| allowed == rule)
    }
}

/// One of the app's own settings files, as the host read it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsFile {
    /// The path as given.
    pub path: String,
    /// `env` for `NAME=value` lines, `yaml` for a mapping.
    pub format: String,
    /// Its values: scalars as text, sequences joined with commas, nested mappings with `.` between the names.
    pub values: BTreeMap<String, String>,
}

/// All settings files given, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub Vec<SettingsFile>);

impl Settings {
    /// Whether none were given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last value of `name` in files of `format`.
    pub fn get(&self, format: &str, name: &str) -> Option<&str> {
        let files = self.0.iter().rev().filter(|file| file.format == format);
        files.filter_map(|file| file.values.get(name)).map(String::as_str).next()
    }

    /// The last value of the environment variable `name`.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.get("env", name)
    }
}

/// One call of a verb.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// What to do.
    pub verb: Verb,
    /// Which account, where the verb takes one.
    pub target: Option<Target>,
    /// The new name of `user rename`.
    pub new_name: Option<String>,
    /// Rows by their ids: `session show ID`, `token revoke --id ID`, `client set ID`, the addresses of `ban clear`. One may
    /// be the secret itself rather than an id, where the person gave it on standard input: never repeat it in a message.
    /// `user list SEARCH` gives what is searched for: an account that this is another id of says so in its extra `row_id`.
    pub ids: Vec<String>,
    /// `key=value` arguments, declared in plugin.toml and checked against the kind declared there. An empty value takes
    /// away what is there.
    pub keys: BTreeMap<String, String>,
    /// Switches.
    pub options: Options,
    /// The password the host holds, where the verb sets or checks one.
    pub password: Option<Handle>,
    /// The app's own settings, as far as given.
    pub settings: Settings,
    /// The time of day.
    pub now: Time,
    /// Randomness for ids and tokens.
    pub random: Random,
}

impl Request {
    /// The account meant.
    ///
    /// # Errors
    /// The verb was called without one.
    pub fn target(&self) -> crate::Result<&Target> {
        let missing = || crate::Error::new(crate::Kind::Usage, "this needs the name of an account");
        self.target.as_ref().ok_or_else(missing)
    }

    /// The password's handle.
    ///
    /// # Errors
    /// The verb was called without one.
    pub fn password(&self) -> crate::Result<Handle> {
        self.password.ok_or_else(|| crate::Error::new(crate::Kind::Usage, "this needs a password"))
    }
}
