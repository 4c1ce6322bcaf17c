//! What goes wrong, said so that the reader knows what happened, what was left untouched and what to do next.

use latchlift_plugin_api as api;
use std::fmt;

/// The result of everything the host does.
pub type Result<T> = std::result::Result<T, Error>;

/// What sort of failure it is. The kind alone picks the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No other kind names it.
    Failed,
    /// The command line does not make sense.
    Usage,
    /// The configuration does not.
    Config,
    /// No such account, instance, entry.
    NotFound,
    /// Several match.
    Ambiguous,
    /// A safety rule says no.
    Refused,
    /// The person said no.
    Declined,
    /// The data moved since it was planned.
    Stale,
    /// Somebody else holds the store.
    Locked,
    /// The data contradicts the plan or itself.
    Conflict,
    /// The app or plugin has nothing this verb could act on.
    Unsupported,
    /// The store's layout is not known.
    UnknownSchema,
    /// The store cannot be reached.
    Unreachable,
    /// The store refuses access.
    Denied,
    /// The plugin was refused or broke the contract.
    Plugin,
    /// Someone must look: an unfinished entry, an unknown outcome.
    Unfinished,
    /// The answer is no.
    No,
    /// Some instances failed.
    SomeFailed,
    /// Interrupted from the keyboard.
    Interrupted,
}

impl Kind {
    /// The process's exit code.
    pub fn exit(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage | Kind::Config => 2,
            Kind::NotFound | Kind::Ambiguous => 3,
            Kind::Refused | Kind::Declined => 4,
            Kind::Stale | Kind::Locked | Kind::Conflict => 5,
            Kind::Unsupported | Kind::UnknownSchema => 6,
            Kind::Unreachable | Kind::Denied => 7,
            Kind::Plugin => 8,
            Kind::Unfinished => 9,
            Kind::No => 10,
            Kind::SomeFailed => 11,
            Kind::Interrupted => 130,
        }
    }

    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::Config => "config",
            Kind::NotFound => "not_found",
            Kind::Ambiguous => "ambiguous",
            Kind::Refused => "refused",
            Kind::Declined => "declined",
            Kind::Stale => "stale",
            Kind::Locked => "locked",
            Kind::Conflict => "conflict",
            Kind::Unsupported => "unsupported",
            Kind::UnknownSchema => "unknown_schema",
            Kind::Unreachable => "unreachable",
            Kind::Denied => "denied",
            Kind::Plugin => "plugin",
            Kind::Unfinished => "unfinished",
            Kind::No => "no",
            Kind::SomeFailed => "some_failed",
            Kind::Interrupted => "interrupted",
        }
    }
}

impl From<api::Kind> for Kind {
    fn from(kind: api::Kind) -> Kind {
        match kind {
            api::Kind::Usage => Kind::Usage,
            api::Kind::NotFound => Kind::NotFound,
            api::Kind::Ambiguous => Kind::Ambiguous,
            api::Kind::Refused => Kind::Refused,
            api::Kind::Conflict => Kind::Conflict,
            api::Kind::Unsupported => Kind::Unsupported,
            api::Kind::UnknownSchema => Kind::UnknownSchema,
            api::Kind::Unreachable => Kind::Unreachable,
            api::Kind::Denied => Kind::Denied,
            api::Kind::Contract => Kind::Plugin,
            _ => Kind::Failed,
        }
    }
}

/// One failure, with all a person needs to go on.
#[derive(Clone, Debug)]
pub struct Error {
    /// What sort it is.
    pub kind: Kind,
    /// One sentence: what happened, with the path or name.
    pub message: String,
    /// The standing of the data: what was left untouched.
    pub note: Option<String>,
    /// What to do next, best as a command to paste.
    pub help: Option<String>,
    /// More lines of help. What comes from a store is never one, or a stored name could look like our advice.
    pub more: Vec<String>,
    /// The accounts a name may mean.
    pub candidates: Vec<api::Candidate>,
}

impl Error {
    /// A failure with its one sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), note: None, help: None, more: vec![], candidates: vec![] }
    }

    /// The failure with what to do next, unless it has such advice already.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Error {
        self.help.get_or_insert(help.into());
        self
    }

    /// The failure with the standing of the data, unless it says so already.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Error {
        self.note.get_or_insert(note.into());
        self
    }

    /// The failure with more words in front: where it happened.
    #[must_use]
    pub fn context(mut self, place: impl fmt::Display) -> Error {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

impl From<api::Error> for Error {
    fn from(error: api::Error) -> Error {
        let api::Error { kind, message, help, candidates } = error;
        Error { kind: kind.into(), message, note: None, help, more: vec![], candidates }
    }
}

/// The failure as a plugin's call answers it: the reverse of the conversion above, as far as it goes.
impl From<Error> for api::Error {
    fn from(error: Error) -> api::Error {
        let kind = match error.kind {
            Kind::Usage | Kind::Config => api::Kind::Usage,
            Kind::NotFound => api::Kind::NotFound,
            Kind::Ambiguous => api::Kind::Ambiguous,
            Kind::Refused | Kind::Declined => api::Kind::Refused,
            Kind::Stale | Kind::Locked | Kind::Conflict => api::Kind::Conflict,
            Kind::Unsupported => api::Kind::Unsupported,
            Kind::UnknownSchema => api::Kind::UnknownSchema,
            Kind::Unreachable => api::Kind::Unreachable,
            Kind::Denied => api::Kind::Denied,
            Kind::Plugin => api::Kind::Contract,
            _ => api::Kind::Failed,
        };
        api::Error { kind, message: error.message, help: error.help, candidates: error.candidates }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Why a file operation failed, in words: no numbers, no type names.
pub fn io_reason(why: &std::io::Error) -> String {
    match why.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => {
            format!("permission denied; you are uid {}", rustix::process::geteuid().as_raw())
        }
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        std::io::ErrorKind::NotADirectory => "part of the path is not a directory".to_owned(),
        std::io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => {
            let text = why.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

/// A time to wait, in words.
pub fn seconds(time: std::time::Duration) -> String {
    match time.as_secs() {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}
