//! `plugin.toml`: the facts about an app that do not change at run time.
//!
//! Embedded in the library and installed beside it, so that listing plugins, help and completions load no code.

use crate::error::{Error, Kind, Result};
use crate::password::Kdf;
use crate::reader::StoreKind;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// Everything in a `plugin.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The app's name on the command line: lower case, `-` between words. The library is `liblatchlift_<app>.so`, with
    /// `_` for `-`, and the sidecar has the same name with `.toml`.
    pub app: String,
    /// The app's name for people.
    pub title: String,
    /// The kinds of store the app keeps its accounts in.
    pub stores: Vec<StoreKind>,
    /// The releases this plugin was written for: `1.0 to 1.74`.
    pub versions: String,
    /// Where in a directory the store may be, most likely first. An SQLite app names files, an app of documents names
    /// files whose presence marks the directory that holds them (`configuration.yaml` marks its own directory).
    pub candidates: Vec<String>,
    /// Directories of the store's own, by name: whoever names one of them means the directory it is in.
    pub inside: Vec<String>,
    /// How the app's backups are packed, where accounts may be read from one.
    pub backup: Option<Backup>,
    /// What the app asks of passwords.
    pub password: PasswordRules,
    /// How to see that the app runs.
    pub running: Running,
    /// The collections the plugin may touch. A plan that names another is refused.
    #[serde(rename = "collection")]
    pub collections: Vec<Collection>,
    /// The documents of a documents store.
    #[serde(rename = "document")]
    pub documents: Vec<Document>,
    /// What each verb can do, by `noun.verb`. A verb left out is unsupported without a reason.
    pub verbs: BTreeMap<String, Support>,
    /// The keys of `key=value` arguments.
    #[serde(rename = "key")]
    pub keys: Vec<ArgumentKey>,
    /// The app's own commands and what to type instead.
    pub replaces: Vec<Replaces>,
}

/// A backup: a tar archive, in which another one may hold the store's directory. It is read and never written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backup {
    /// The member that tells about the backup, in JSON.
    pub about: String,
    /// The key in it that is true where the backup is encrypted.
    pub protected: String,
    /// The archives in it that may hold the directory; compressed ones end in `.gz`.
    pub inner: Vec<String>,
    /// The directory's name in there.
    pub root: String,
}

/// What an app asks of passwords.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordRules {
    /// Whether the app drops outer white space before hashing and checking.
    pub trim: bool,
    /// The fewest characters (Unicode code points) allowed when setting.
    pub min_chars: u32,
    /// The app's own settings that say another number for `min_chars`, the one that decides first. `FILE:NAME` is `NAME` in
    /// files whose name begins with `FILE`, where plain `NAME` then does not count.
    pub min_chars_settings: Vec<String>,
    /// The most UTF-8 bytes that count.
    pub max_bytes: u32,
    /// What to do above that when setting.
    pub set_too_long: TooLong,
    /// What the app does above that when checking.
    pub check_too_long: TooLong,
    /// The function that new passwords are hashed with, so that the host can begin while the plugin still looks at the
    /// store. What the plugin asks for counts. A function that this release does not know reads as none.
    #[serde(deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    pub kdf: Option<Kdf>,
}

fn if_known<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Kdf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stated {
        Known(Kdf),
        Other(IgnoredAny),
    }
    Ok(match Option::<Stated>::deserialize(from)? {
        Some(Stated::Known(kdf)) => Some(kdf),
        Some(Stated::Other(_)) | None => None,
    })
}

impl Default for PasswordRules {
    fn default() -> Self {
        PasswordRules {
            trim: false,
            min_chars: 1,
            min_chars_settings: vec![],
            max_bytes: 4096,
            set_too_long: TooLong::Refuse,
            check_too_long: TooLong::Refuse,
            kdf: None,
        }
    }
}

/// What happens to a password above the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TooLong {
    /// It is refused, or does not match.
    #[default]
    Refuse,
    /// Only the first bytes count.
    Cut,
}

/// How to see that the app runs, from its directory alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Running {
    /// Whether the app must be stopped before writing, because it would overwrite or ignore the change.
    pub must_stop: bool,
    /// A file the app holds an exclusive `flock` on while it runs, below the store's directory.
    pub lock: Option<String>,
    /// A file that exists while the app runs and may be left behind by a crash.
    pub sign: Option<String>,
    /// How to stop it, as a command to paste.
    pub stop: Option<String>,
}

/// A table, or a list or map in a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Collection {
    /// The table, or `document#/pointer`.
    pub name: String,
    /// The fields that name a record. None for a table without a key.
    pub key: Vec<String>,
    /// Fields whose values are never printed.
    pub secret: Vec<String>,
    /// Fields the app rewrites in normal use: written, never guarded, left alone by undo. Also those that a trigger of the
    /// database writes: a change of any other field that was not asked for is taken back with the rest.
    pub volatile: Vec<String>,
    /// Whether the key is itself a secret, printed as 12 hex digits of its SHA-256.
    pub secret_key: bool,
    /// How people call a record: `session`, `user`. The collection's name if empty.
    pub label: String,
}

/// A document of a documents store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// Its name in collections, before the `#`.
    pub name: String,
    /// Its path below the store's directory.
    pub path: String,
    /// `json` or `yaml`.
    pub format: String,
    /// What a new one contains, where the app may lack it; a plan that inserts into a missing document creates it.
    pub envelope: Option<String>,
    /// The permission bits of a new one, in octal: `600`.
    pub mode: Option<String>,
}

/// How far a verb is supported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Support {
    /// How far.
    pub support: Level,
    /// Why not, or what is missing: one sentence for people.
    pub reason: Option<String>,
}

/// See [`Support`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// All of it.
    Full,
    /// Some of it; the reason says what is missing.
    Partial,
    /// None of it; the reason says why.
    #[default]
    None,
}

/// A `key=value` argument.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArgumentKey {
    /// The verbs that take it.
    pub verbs: Vec<String>,
    /// Its name.
    pub name: String,
    /// What values it takes. The host refuses others, and gives the plugin the form in brackets: `text`, `yes/no` (`yes`,
    /// `no`), `number` (digits), `time` (RFC 3339 in UTC, or `never`), `duration` (seconds, or `never`), or the words
    /// allowed with `|` between. An empty value, which takes away what is there, passes as it is.
    pub kind: String,
    /// What it does, one line.
    pub help: String,
    /// Whether it must be given: the person is asked for it, or told that it is missing.
    pub required: bool,
}

/// One of the app's own commands, and what to type instead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Replaces {
    /// The app's command, without its arguments' values: `homarr reset-password --username NAME`.
    pub command: String,
    /// Ours: `latchlift password reset NAME`.
    pub instead: String,
    /// Whether ours comes in a later release.
    pub later: bool,
    /// What is different about it, one sentence.
    pub note: Option<String>,
}

impl Facts {
    /// Reads a `plugin.toml`.
    ///
    /// # Errors
    /// It is not TOML, a value is of the wrong kind, or it names no app.
    pub fn parse(text: &str) -> Result<Facts> {
        let facts: Facts = toml::from_str(text)
            .map_err(|why| Error::new(Kind::Contract, format!("plugin.toml: {}", why.message())))?;
        if facts.app.is_empty() || !facts.app.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        {
            return Err(Error::new(Kind::Contract, "plugin.toml: `app` must be lower-case letters, digits and `-`"));
        }
        Ok(facts)
    }

    /// The declared collection of that name.
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.name == name)
    }

    /// The declared document of that name.
    pub fn document(&self, name: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.name == name)
    }

    /// How far `verb` (`noun.verb`) is supported.
    pub fn support(&self, verb: &str) -> Support {
        self.verbs.get(verb).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_function_that_is_not_known_yet_reads_as_none() {
        let kdf = |text: &str| Facts::parse(&format!("app = \"a\"\n[password]\n{text}")).unwrap().password.kdf;
        assert_eq!(kdf("kdf = { bcrypt = { cost = 12 } }"), Some(Kdf::Bcrypt { cost: 12 }));
        assert_eq!(kdf("kdf = { yescrypt = { cost = 12 } }"), None);
        assert_eq!(kdf(""), None);
    }
}
