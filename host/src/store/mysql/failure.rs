//! What MariaDB and MySQL say when something fails, in words a person can act on.
//!
//! The server's own words are repeated only where they hold no values of the database: those may be secret.

use crate::error::{Error, Kind};
use crate::store::server::{Encryption, Target};
use mysql::{DriverError, Error as Failure, MySqlError};
use std::error::Error as _;
use std::io::ErrorKind;

/// A failure on the way in.
pub fn connecting(target: &Target, why: &Failure) -> Error {
    match why {
        Failure::MySqlError(said) => explain(target, said),
        Failure::TlsError(why) => target.not_encrypted(&why.to_string()),
        // The handshake takes place with the first packet, and its failures come as those of reading one.
        Failure::DriverError(DriverError::TlsNotSupported) => {
            let error = target.unreachable("the server does not offer encryption");
            Error { help: Some("set `tls` to prefer or disable where the network can be trusted".into()), ..error }
        }
        Failure::DriverError(DriverError::UnknownAuthPlugin(name)) => {
            target.refused_user(&format!("the server asks for `{name}`, which latchlift does not speak"))
        }
        other => match input_or_output(other) {
            // The handshake takes place with the first packet, and its failures come as those of reading one.
            Some(why) if why.kind() == ErrorKind::InvalidData => target.not_encrypted(&why.to_string()),
            _ => target.unreachable(&transport(other)),
        },
    }
}

/// Whether a failed attempt might go well encrypted the other way.
pub fn about_encryption(why: &Failure, tried: Encryption) -> bool {
    match (why, tried) {
        // Accounts may require encryption; the server then says that the password is wrong.
        (Failure::MySqlError(said), Encryption::Plain) => {
            matches!(said.code, 1045 | 3159) || said.message.contains("insecure transport")
        }
        (Failure::TlsError(_) | Failure::DriverError(DriverError::TlsNotSupported), _) => true,
        (Failure::CodecError(_), Encryption::Unverified) => true,
        _ => false,
    }
}

/// A failure of a statement: nothing was changed.
pub fn running(target: &Target, why: &Failure) -> Error {
    match why {
        Failure::MySqlError(said) => explain(target, said),
        other => target.lost(&transport(other)),
    }
}

/// A failure of the commit. Where the server answered, it rolled back; where it did not, or was ending, nobody knows.
pub fn committing(target: &Target, why: &Failure) -> Error {
    match why {
        Failure::MySqlError(said) if !matches!(said.code, 1053 | 1077 | 1079 | 1317 | 1927 | 3169) => {
            explain(target, said)
        }
        Failure::MySqlError(said) => target.unfinished(&said.message),
        other => target.unfinished(&transport(other)),
    }
}

/// What went wrong on the wire, whoever reports it.
fn input_or_output(why: &Failure) -> Option<&std::io::Error> {
    match why {
        Failure::IoError(why) => Some(why),
        Failure::CodecError(why) => why.source()?.downcast_ref(),
        _ => None,
    }
}

fn transport(why: &Failure) -> String {
    if let Some(why) = input_or_output(why) {
        return match why.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "it did not answer in time".to_owned(),
            _ => crate::error::io_reason(why),
        };
    }
    match why {
        Failure::DriverError(DriverError::CouldNotConnect(Some((_, description, _)))) => {
            description.split(" (os error").next().unwrap_or(description).to_lowercase()
        }
        Failure::DriverError(DriverError::ConnectTimeout | DriverError::CouldNotConnect(None)) => {
            "nothing answers there".to_owned()
        }
        Failure::DriverError(why) => why.to_string(),
        _ => "it does not speak as MariaDB or MySQL do".to_owned(),
    }
}

fn explain(target: &Target, said: &MySqlError) -> Error {
    let MySqlError { code, message, .. } = said;
    let database = &target.server.database;
    match code {
        1045 | 1130 | 1698 => target.refused_user(message),
        1044 | 1142 | 1143 | 1227 | 1370 => target.not_allowed(message),
        1049 => Error::new(Kind::Unreachable, format!("the server has no database `{database}`: {}", target.place()))
            .help("see the name in the app's own settings"),
        1040 | 1129 | 1203 | 1226 => target.unreachable(message),
        1053 | 1077 | 1079 | 1317 | 1927 | 3169 => target.lost(message),
        1290 | 1792 | 1836 => target.read_only(),
        1205 | 3572 => target.held(),
        1213 => target.locked("somebody else was changing the same records"),
        1020 => Error::new(Kind::Stale, format!("somebody else changed a record just now: {}", target.place()))
            .help("run the command again: it will plan on the data as it is now"),
        1062 | 1169 | 1586 => target.conflict(&format!("there is such a record already{}", key_of(message))),
        1216 | 1217 | 1451 | 1452 => {
            target.conflict("another record refers to one that would go, or to one that is not there")
        }
        1048 | 1264 | 1265 | 1292 | 1366 | 1406 | 1411 | 1441 | 1525 | 3140 | 3819 | 3854 | 4025 => {
            target.conflict("a value does not fit its column")
        }
        1644 => target.conflict("a trigger of the database forbids it"),
        1054 | 1146 => Error::new(Kind::UnknownSchema, format!("{}: {message}", target.place())),
        _ => Error::new(Kind::Failed, format!("{}: {message} (error {code})", target.place())),
    }
}

/// The key of `Duplicate entry 'secret' for key 'name'`, without the entry.
fn key_of(message: &str) -> String {
    let name = message.rsplit_once(" for key ").map(|(_, name)| name.trim_matches('\''));
    name.map(|name| format!(" (key `{name}`)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_is_named_by_its_key_and_never_by_its_value() {
        assert_eq!(key_of("Duplicate entry 'tok for key x' for key 'PRIMARY'"), " (key `PRIMARY`)");
        assert_eq!(key_of("something else"), "");
    }

    fn said(code: u16) -> Failure {
        Failure::MySqlError(MySqlError { state: "HY000".into(), message: "in the server's words".into(), code })
    }

    #[test]
    fn the_servers_number_picks_the_kind() {
        let server =
            latchlift_plugin_api::Server { user: "app".into(), database: "photos".into(), ..Default::default() };
        let target = Target { scheme: "mysql", server, password: None, patience: std::time::Duration::from_secs(5) };
        for (code, kind) in [
            (1045, Kind::Denied),
            (1142, Kind::Denied),
            (1290, Kind::Denied),
            (1049, Kind::Unreachable),
            (1040, Kind::Unreachable),
            (1205, Kind::Locked),
            (1213, Kind::Locked),
            (1020, Kind::Stale),
            (1062, Kind::Conflict),
            (1406, Kind::Conflict),
            (1146, Kind::UnknownSchema),
            (1317, Kind::Unreachable),
            (9999, Kind::Failed),
        ] {
            assert_eq!(running(&target, &said(code)).kind, kind, "{code}");
        }
        assert!(running(&target, &said(1290)).message.contains("read-only"));
    }

    #[test]
    fn a_commit_fails_for_sure_only_where_the_server_says_so() {
        let target = Target {
            scheme: "mysql",
            server: Default::default(),
            password: None,
            patience: std::time::Duration::from_secs(5),
        };
        assert_eq!(committing(&target, &said(1213)).kind, Kind::Locked);
        assert_eq!(committing(&target, &said(1317)).kind, Kind::Unfinished);
        let lost = Failure::IoError(ErrorKind::BrokenPipe.into());
        assert_eq!(committing(&target, &lost).kind, Kind::Unfinished);
        assert_eq!(running(&target, &lost).kind, Kind::Unreachable);
    }
}
