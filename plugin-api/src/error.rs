//! What a plugin answers when it cannot do what was asked.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The result of everything a plugin does.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done. The kind alone decides the exit code; the host owns that table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// What was asked does not make sense: a bad name, an unknown key, a missing value.
    Usage,
    /// No such account, session, group.
    NotFound,
    /// Several accounts match; [`Error::candidates`] lists them.
    Ambiguous,
    /// A safety rule says no.
    Refused,
    /// The data moved, or contradicts itself.
    Conflict,
    /// The app, or this version of it, has nothing this verb could act on.
    Unsupported,
    /// The store's layout is one this plugin does not know.
    UnknownSchema,
    /// The store cannot be reached.
    Unreachable,
    /// The store refused access.
    Denied,
    /// The plugin broke the contract.
    Contract,
    /// Something went wrong that no other kind names.
    #[default]
    #[serde(other)]
    Failed,
}

/// One of several accounts that a name may mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Candidate {
    /// The app's own id of the account, for `--id`.
    pub id: String,
    /// The sign-in name as stored.
    pub name: String,
    /// Who checks the password, for `--provider`; empty where the app has no such thing.
    pub provider: String,
    /// What tells this one from the others, for people: "can sign in", "deleted".
    pub note: String,
}

/// A plugin's refusal or failure: what happened and what to do next. Whether data moved is the host's to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: Kind,
    /// One sentence: what happened and where.
    pub message: String,
    /// What to do next, if there is something.
    pub help: Option<String>,
    /// The accounts a name may mean, with [`Kind::Ambiguous`].
    pub candidates: Vec<Candidate>,
}

impl Error {
    /// An error of `kind` with its one sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), ..Error::default() }
    }

    /// The error with advice on what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Error {
        self.help = Some(help.into());
        self
    }

    /// No account of that name. The host adds how many there are and which are similar.
    pub fn no_account(name: &str) -> Error {
        Error::new(Kind::NotFound, format!("no account named `{name}`"))
    }

    /// Several accounts answer to `name`.
    pub fn ambiguous(name: &str, candidates: Vec<Candidate>) -> Error {
        let message = format!("`{name}` means {} accounts", candidates.len());
        Error { kind: Kind::Ambiguous, message, help: None, candidates }
    }

    /// The app has nothing this verb could act on, and why.
    pub fn unsupported(reason: impl Into<String>) -> Error {
        Error::new(Kind::Unsupported, reason)
    }

    /// The store's layout is not one this plugin knows.
    pub fn unknown_schema(message: impl Into<String>) -> Error {
        Error::new(Kind::UnknownSchema, message)
    }

    /// A safety rule says no; `allow` is the flag that says otherwise, without dashes.
    pub fn refused(message: impl Into<String>, allow: Option<&str>) -> Error {
        let error = Error::new(Kind::Refused, message);
        match allow {
            Some(flag) => error.help(format!("if you mean it, say --{flag}")),
            None => error,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
