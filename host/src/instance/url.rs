//! URLs of database servers: `mysql://USER@HOST:PORT/DATABASE?OPTION=VALUE`.
//!
//! No message repeats what was typed: it may hold a password, even where none belongs.

use super::similar;
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::Server;

/// Reads what follows `mysql:` or `postgres:`.
///
/// # Errors
/// [`Kind::Usage`] where something is missing or not understood, or a password is in it.
pub(super) fn server(scheme: &str, text: &str) -> Result<Server> {
    let wrong = |what: &str| usage(scheme, format!("the {scheme} URL {what}"));
    // Tested on the whole text, before it is taken apart: a password may contain any of the signs that separate parts.
    if text.rsplit_once('@').is_some_and(|(before, _)| before.contains(':')) {
        return Err(with_password(scheme));
    }
    let text = text.strip_prefix("//").ok_or_else(|| wrong("has no `//` after the colon"))?;
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, database) = address.split_once('/').unwrap_or((address, ""));
    let (user, host) = authority.split_once('@').ok_or_else(|| wrong("names no user"))?;
    let (host, port) = host_and_port(host).ok_or_else(|| wrong("has a host or port that cannot be understood"))?;
    let unreadable = || wrong("has a malformed % sequence or a control character");
    let mut server = Server {
        host: decoded(host).ok_or_else(unreadable)?,
        port,
        user: decoded(user).ok_or_else(unreadable)?,
        database: decoded(database).ok_or_else(unreadable)?,
        ..Server::default()
    };
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        set(&mut server, scheme, name, &decoded(value).ok_or_else(unreadable)?)?;
    }
    match &server {
        Server { user, .. } if user.is_empty() => Err(wrong("names no user")),
        Server { database, .. } if database.is_empty() || database.contains('/') => Err(wrong("names no database")),
        Server { host, socket: None, .. } if host.is_empty() => Err(wrong("names neither a host nor a socket")),
        _ => Ok(server),
    }
}

fn set(server: &mut Server, scheme: &str, name: &str, value: &str) -> Result<()> {
    match (scheme, name) {
        (_, "password" | "passwd" | "pass" | "pwd") => return Err(with_password(scheme)),
        (_, "socket") | ("postgres", "host") if value.starts_with('/') => {
            server.socket = Some(value.to_owned());
            // The port stays: it is part of a PostgreSQL socket's name.
            server.host.clear();
        }
        (_, "socket") => return Err(usage(scheme, "`socket=` takes an absolute path".to_owned())),
        ("postgres", "host") => server.host = value.to_owned(),
        (_, "tls" | "sslmode" | "ssl-mode") => server.tls = Some(tls(value)?),
        _ => return Err(unknown_option(scheme, name)),
    }
    Ok(())
}

fn unknown_option(scheme: &str, name: &str) -> Error {
    let known: &[&str] = if scheme == "mysql" { &["socket", "tls"] } else { &["host", "socket", "sslmode", "tls"] };
    let close = similar(name, known.iter().copied());
    let help = match close {
        Some(close) => format!("did you mean `{close}=`?"),
        None => format!("it may have {}", known.iter().map(|name| format!("`{name}=`")).collect::<Vec<_>>().join(", ")),
    };
    Error::new(Kind::Usage, format!("the {scheme} URL has an option that latchlift does not know")).help(help)
}

/// How to encrypt, in the words of [`Server::tls`], from the words that MariaDB's and PostgreSQL's clients use.
///
/// # Errors
/// [`Kind::Usage`] where it is none of them.
pub fn tls(word: &str) -> Result<String> {
    let plain = match word.to_ascii_lowercase().replace('_', "-").as_str() {
        "disable" | "disabled" => "disable",
        "prefer" | "preferred" | "allow" => "prefer",
        "require" | "required" => "require",
        "verify" | "verify-ca" | "verify-full" | "verify-identity" => "verify",
        _ => {
            return Err(Error::new(Kind::Usage, "the word for encryption is not one that latchlift knows")
                .help("it is `disable`, `prefer`, `require` or `verify`"));
        }
    };
    Ok(plain.to_owned())
}

fn host_and_port(text: &str) -> Option<(&str, u16)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            None if port.is_empty() => Some((host, 0)),
            None => None,
            Some(port) => Some((host, port.parse().ok()?)),
        };
    }
    match text.split_once(':') {
        None => Some((text, 0)),
        Some((host, port)) => Some((host, port.parse().ok()?)),
    }
}

/// The text with its `%` sequences resolved; `None` where one is malformed or the result is not plain text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = after.get(..2)?;
        let value = |digit: u8| char::from(digit).to_digit(16);
        bytes.push(u8::try_from(value(digits[0])? * 16 + value(digits[1])?).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

fn with_password(scheme: &str) -> Error {
    Error::new(Kind::Usage, format!("the {scheme} URL contains a password"))
        .note("typed on a command line, it may now be in the shell's history and the process list")
        .help("leave it out: name a file with it by --store-password-file or `password_file`, or let latchlift ask")
}

fn usage(scheme: &str, message: String) -> Error {
    Error::new(Kind::Usage, message).help(format!("write it as {scheme}://USER@HOST/DATABASE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(scheme: &str, text: &str) -> String {
        let error = server(scheme, text).unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        format!("{} {}", error.message, error.help.unwrap_or_default())
    }

    #[test]
    fn a_url_is_taken_apart() {
        let found = server("mysql", "//photo%70rism@db.example:3307/photo%20prism?tls=VERIFY_CA").unwrap();
        assert_eq!((found.user.as_str(), found.host.as_str(), found.port), ("photoprism", "db.example", 3307));
        assert_eq!((found.database.as_str(), found.tls.as_deref()), ("photo prism", Some("verify")));
        let found = server("postgres", "//homarr@[::1]/homarr?sslmode=require").unwrap();
        assert_eq!((found.host.as_str(), found.port, found.tls.as_deref()), ("::1", 0, Some("require")));
        assert_eq!(server("postgres", "//homarr@[fe80::1%25eth0]:5433/homarr").unwrap().host, "fe80::1%eth0");
    }

    #[test]
    fn a_socket_takes_the_hosts_place() {
        let found = server("mysql", "//root@localhost/app?socket=/run/mysqld/mysqld.sock").unwrap();
        assert_eq!((found.host.as_str(), found.socket.as_deref()), ("", Some("/run/mysqld/mysqld.sock")));
        let found = server("postgres", "//app@/app?host=/var/run/postgresql").unwrap();
        assert_eq!((found.host.as_str(), found.socket.as_deref()), ("", Some("/var/run/postgresql")));
        let found = server("postgres", "//app@:5433/app?socket=%2Ftmp").unwrap();
        assert_eq!((found.port, found.socket.as_deref()), (5433, Some("/tmp")));
        assert_eq!(server("postgres", "//app@/app?host=db").unwrap().host, "db");
        assert!(refusal("mysql", "//root@h/app?socket=mysqld.sock").contains("absolute path"));
    }

    #[test]
    fn a_password_is_refused_and_never_repeated() {
        for text in [
            "//u:hunter2@host/db",
            "//u:hunter2@ho@st/db",
            "//u:hun/ter2@host/db",
            "//u:hun?ter2@host/db",
            "//u:hunter2@host/db?tls=verify",
            "//u@host/db?password=hunter2",
            "//u@host/db?pwd=hunter2",
            "u:hunter2@host/db",
        ] {
            let message = refusal("mysql", text);
            assert!(message.contains("contains a password") && message.contains("--store-password-file"), "{text}");
            assert!(!message.contains("hunter2") && !message.contains("ter2"), "{message}");
        }
        // Not recognisable as a password, and still not repeated.
        for text in ["//u:hunter2/db", "//u@h:hunter2/db", "//u@h/db?hunter2", "//hunter2", "//u@h/d?tls=hunter2"] {
            assert!(!refusal("mysql", text).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        for (text, what) in [
            ("host/db", "no `//`"),
            ("//host/db", "names no user"),
            ("//@host/db", "names no user"),
            ("//u@host", "names no database"),
            ("//u@host/", "names no database"),
            ("//u@host/a/b", "names no database"),
            ("//u@/db", "neither a host nor a socket"),
            ("//u@host:70000/db", "port"),
            ("//u@[::1/db", "host or port"),
            ("//u@[::1]x/db", "host or port"),
            ("//u%4@host/db", "malformed %"),
            ("//u%ff@host/db", "malformed %"),
            ("//u%0a@host/db", "control character"),
            ("//u@host/db?sokcet=/x", "did you mean `socket=`?"),
            ("//u@host/db?charset=utf8", "`socket=`, `tls=`"),
            ("//u@host/db?tls=maybe", "`verify`"),
        ] {
            let message = refusal("mysql", text);
            assert!(message.contains(what), "{text}: {message}");
        }
    }
}
