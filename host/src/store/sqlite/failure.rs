//! What SQLite says when something fails, in words a person can act on.

use crate::atomic;
use crate::error::{Error, Kind};
use rusqlite::{ErrorCode, ffi};
use std::path::Path;
use std::time::Duration;

/// The file cannot be looked at.
pub fn unreachable(path: &Path, why: &std::io::Error) -> Error {
    let kind = match why.kind() {
        std::io::ErrorKind::PermissionDenied => Kind::Denied,
        _ => Kind::Unreachable,
    };
    Error::new(kind, format!("cannot open {}: {}", path.display(), crate::error::io_reason(why)))
        .help("check the path; the app's container may call it otherwise (see `paths` in config.toml)")
}

/// A failure of SQLite; `patience` is how long a lock was waited for.
pub fn explain(path: &Path, patience: Duration, why: &rusqlite::Error) -> Error {
    let place = path.display();
    match why.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let held = crate::error::seconds(patience);
            Error::new(Kind::Locked, format!("the database was held locked for {held}: {place}"))
                .help("stop the app first, or wait longer with --lock-timeout 60")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => denied(path, "write"),
        // The file itself may be fine, and SQLite's own files beside it be what cannot be made.
        Some(ErrorCode::CannotOpen) => {
            let readable = rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok();
            denied(path, if readable { "make SQLite's files beside" } else { "open" })
        }
        Some(ErrorCode::NotADatabase) => {
            Error::new(Kind::UnknownSchema, format!("{place} is not an SQLite database, or it is encrypted"))
        }
        Some(ErrorCode::DatabaseCorrupt) => Error::new(Kind::Failed, format!("{place} is damaged: {why}"))
            .help("restore it from a backup of the app first; latchlift does not write to a damaged database"),
        Some(ErrorCode::ConstraintViolation) => broken_rule(path, why),
        _ => Error::new(Kind::Failed, format!("{place}: {why}")),
    }
}

/// The system does not allow `doing` to the file.
pub fn denied(path: &Path, doing: &str) -> Error {
    atomic::explain(&std::io::ErrorKind::PermissionDenied.into(), path, doing)
}

/// A rule of the database's own that a change would break. The same words as for the servers.
fn broken_rule(path: &Path, why: &rusqlite::Error) -> Error {
    let what = match why.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
            "another record refers to one that would go, or to one that is not there"
        }
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => "there is such a record already",
        Some(ffi::SQLITE_CONSTRAINT_TRIGGER) => "a trigger of the database forbids it",
        _ => "a value does not fit its column",
    };
    Error::new(Kind::Conflict, format!("{} refused the change: {what}", path.display()))
}

/// Whether SQLite must first roll back what a crashed app left, which a read-only connection may not.
pub fn needs_recovery(why: &rusqlite::Error) -> bool {
    let code = why.sqlite_error().map(|error| error.extended_code);
    let codes = [ffi::SQLITE_READONLY_ROLLBACK, ffi::SQLITE_READONLY_RECOVERY, ffi::SQLITE_READONLY_CANTINIT];
    code.is_some_and(|code| codes.contains(&code))
}
