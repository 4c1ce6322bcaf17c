//! What PostgreSQL says when something fails, in words a person can act on.
//!
//! Only the server's main message is ever repeated: the detail holds values of the database, which may be secret.

use crate::error::{Error, Kind};
use crate::store::server::{Encryption, Target};
use postgres::Error as Failure;
use postgres::error::DbError;
use std::error::Error as _;

/// A failure on the way in.
pub fn connecting(target: &Target, why: &Failure) -> Error {
    match why.as_db_error() {
        Some(said) => explain(target, said),
        None if is_about_certificates(why) => target.not_encrypted(&transport(why)),
        None if target.password.is_none() && transport(why).contains("password missing") => {
            target.refused_user("it asks for a password")
        }
        None => target.unreachable(&transport(why)),
    }
}

fn is_about_certificates(why: &Failure) -> bool {
    let source = why.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    source.is_some_and(|why| why.kind() == std::io::ErrorKind::InvalidData)
}

/// Whether a failed attempt might go well encrypted the other way.
pub fn about_encryption(why: &Failure, tried: Encryption) -> bool {
    match (why.as_db_error(), tried) {
        // "no pg_hba.conf entry for host, no encryption"
        (Some(said), _) => said.code().code() == "28000",
        (None, Encryption::Plain) => false,
        // The server does not offer it, or not in a form that is still safe.
        (None, _) => why.to_string().contains("TLS"),
    }
}

/// A failure of a statement: nothing was changed.
pub fn running(target: &Target, why: &Failure) -> Error {
    match why.as_db_error() {
        Some(said) => explain(target, said),
        None => target.lost(&transport(why)),
    }
}

/// A failure of the commit. Where the server answered, it rolled back; where it did not, or was ending, nobody knows.
pub fn committing(target: &Target, why: &Failure) -> Error {
    match why.as_db_error() {
        Some(said) if said.code().code().starts_with("57P") => target.unfinished(said.message()),
        Some(said) => explain(target, said),
        None => target.unfinished(&transport(why)),
    }
}

fn transport(why: &Failure) -> String {
    let source = why.source();
    match source.and_then(|source| source.downcast_ref::<std::io::Error>()) {
        Some(why) => crate::error::io_reason(why),
        None => source.map_or_else(|| why.to_string(), |source| format!("{why}: {source}")),
    }
}

fn explain(target: &Target, said: &DbError) -> Error {
    let (code, message) = (said.code().code(), said.message());
    let database = &target.server.database;
    match code {
        "28P01" | "28000" => target.refused_user(message),
        "42501" => target.not_allowed(message),
        "3D000" => {
            Error::new(Kind::Unreachable, format!("the server has no database `{database}`: {}", target.place()))
                .help("see the name in the app's own settings")
        }
        "53300" | "57P03" => target.unreachable(message),
        "25006" => target.read_only(),
        "55P03" => target.held(),
        "57014" => target.locked("the database took too long to answer"),
        "40P01" => target.locked("somebody else was changing the same records"),
        "40001" => Error::new(Kind::Stale, format!("somebody else changed a record just now: {}", target.place()))
            .help("run the command again: it will plan on the data as it is now"),
        "23505" => target.conflict(&format!("there is such a record already{}", constraint(said))),
        "23503" => target.conflict("another record refers to one that would go, or to one that is not there"),
        "P0001" => target.conflict("a trigger of the database forbids it"),
        "42P01" | "42703" | "3F000" => Error::new(Kind::UnknownSchema, format!("{}: {message}", target.place())),
        _ if code.starts_with("22") || code.starts_with("23") => target.conflict("a value does not fit its column"),
        _ if code.starts_with("08") || code.starts_with("57P") => target.lost(message),
        _ => Error::new(Kind::Failed, format!("{}: {message} (error {code})", target.place())),
    }
}

fn constraint(said: &DbError) -> String {
    said.constraint().map(|name| format!(" (key `{name}`)")).unwrap_or_default()
}
