//! Values as PhotoPrism takes them: addresses, names shown, scopes, folders. Upstream: pkg/clean, pkg/list.
//!
//! PhotoPrism silently empties or cuts what it does not like; here the person is told instead.

use crate::ids;
use crate::names;
use crate::schema::Layout;
use latchlift_plugin_api::{Error, Kind, Reader, Result, StoreKind, Time, Value};

/// The most bytes of a name shown; PhotoPrism drops a longer one altogether.
const DISPLAY: usize = 160;
/// The most bytes of an e-mail address.
const EMAIL: usize = 255;
/// What a scope may name, besides `*`, `read` and `write`. Newer releases may know more.
const RESOURCES: [&str; 25] = [
    "albums",
    "calendar",
    "config",
    "default",
    "favorites",
    "feedback",
    "files",
    "folders",
    "labels",
    "logs",
    "metrics",
    "moments",
    "passcode",
    "password",
    "people",
    "photos",
    "places",
    "services",
    "sessions",
    "settings",
    "shares",
    "users",
    "videos",
    "webdav",
    "cluster",
];

fn usage(message: String) -> Error {
    Error::new(Kind::Usage, message)
}

/// An e-mail address in small letters; nothing takes it away.
///
/// # Errors
/// PhotoPrism would not take it.
pub fn email(typed: &str) -> Result<String> {
    let email = typed.trim().to_lowercase();
    let name_char = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    let part = |part: &str| !part.is_empty() && part.chars().all(name_char);
    let label = |label: &str| {
        let inner = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    let good = match email.split_once('@') {
        Some((name, host)) => name.split('.').all(part) && host.contains('.') && host.split('.').all(label),
        None => email.is_empty(),
    };
    match good && email.len() <= EMAIL {
        true => Ok(email),
        false => Err(usage(format!("`{}` is not an e-mail address that PhotoPrism takes", typed.trim()))),
    }
}

/// A name shown.
///
/// # Errors
/// PhotoPrism would cut it or drop letters of it.
pub fn display_name(typed: &str) -> Result<String> {
    let name = typed.trim();
    if let Some(bad) = name.chars().find(|c| c.is_control() || "\"$%\\*`;<>{}".contains(*c)) {
        return Err(usage(format!("PhotoPrism drops `{}` from the names it shows", bad.escape_debug())));
    }
    match name.len() {
        ..=DISPLAY if name.contains("ldap://") => {
            Err(usage("PhotoPrism drops names with `ldap://` in them".to_owned()))
        }
        ..=DISPLAY => Ok(name.to_owned()),
        long => Err(usage(format!("a name that PhotoPrism shows has at most {DISPLAY} bytes; this one has {long}"))),
    }
}

/// What a token or an account may do: resources in small letters and in order, `*` for all of them.
///
/// # Errors
/// There is something in it that is no word.
pub fn scope(typed: &str) -> Result<String> {
    let lower = typed.to_lowercase();
    let mut words: Vec<&str> = lower.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    if let Some(bad) = words.iter().find(|word| !word.chars().all(|c| c.is_ascii_alphanumeric() || "*:_-".contains(c)))
    {
        return Err(usage(format!("`{bad}` is not a scope; scopes are words such as `webdav` or `photos`, or `*`")));
    }
    words.sort_unstable_by_key(|word| (*word == "*", *word));
    words.dedup();
    match words.is_empty() {
        true => Ok("*".to_owned()),
        false => Ok(words.join(" ")),
    }
}

/// What to know about a scope: words that name nothing this plugin has heard of.
pub fn scope_note(scope: &str) -> Option<String> {
    let known = |word: &str| ["*", "read", "write"].contains(&word) || RESOURCES.contains(&word);
    let strange: Vec<&str> = scope.split(' ').filter(|word| !known(word.split(':').next().unwrap_or(word))).collect();
    let words = strange.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    (!strange.is_empty()).then(|| format!("{words} may be no scope of this PhotoPrism; then it allows nothing"))
}

/// A folder below the originals; `~` is the account's own, `users/` and its handle.
///
/// # Errors
/// It leads elsewhere.
pub fn folder(typed: &str, name: &str) -> Result<String> {
    let path = typed.trim().replace('\\', "/");
    if path == "~" {
        let handle = names::handle(name);
        return Ok(if handle.is_empty() { handle } else { format!("users/{handle}") });
    }
    let parts: Vec<&str> = path.split('/').map(str::trim).filter(|part| !part.is_empty() && *part != ".").collect();
    let bad = parts
        .iter()
        .find(|part| part.starts_with('.') || part.chars().any(|c| c.is_control() || "~*?<>|:\"".contains(c)));
    match bad {
        None => Ok(parts.join("/")),
        Some(bad) => Err(usage(format!("`{bad}` cannot be part of a folder below the originals"))),
    }
}

/// Attributes of an account, `key:value` or single words.
///
/// # Errors
/// They do not fit.
pub fn attributes(typed: &str) -> Result<String> {
    let all = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    match all.len() <= 1024 && !all.chars().any(char::is_control) {
        true => Ok(all),
        false => Err(usage("attributes are words of at most 1024 bytes together".to_owned())),
    }
}

/// A subject: the id under which another system knows an account.
///
/// # Errors
/// It has letters that PhotoPrism drops.
pub fn subject(typed: &str) -> Result<String> {
    let id = typed.trim();
    match id.len() <= 255 && !id.chars().any(|c| c.is_control() || "<>".contains(c)) {
        true => Ok(id.to_owned()),
        false => Err(usage("an auth-id has at most 255 bytes, no control characters, and neither < nor >".to_owned())),
    }
}

/// An issuer: the address of the server that gives subjects out.
///
/// # Errors
/// PhotoPrism would take it for none.
pub fn issuer(typed: &str) -> Result<String> {
    let address = typed.trim();
    let odd =
        address.contains("..") || address.chars().any(|c| c.is_control() || c.is_whitespace() || "<>".contains(c));
    match address.len() <= 255 && !odd {
        true => Ok(address.to_owned()),
        false => Err(usage("an auth-issuer is an address of at most 255 bytes, without blanks and `..`".to_owned())),
    }
}

/// A time from the host, or null for `never` and nothing.
///
/// # Errors
/// It is no time, which the host has seen to.
pub fn expiry(layout: &Layout, given: &str) -> Result<Value> {
    match given {
        "" | "never" => Ok(Value::Null),
        text => moment(text).map(|time| layout.time(time)),
    }
}

/// A time from the host.
///
/// # Errors
/// It is no time, which the host has seen to.
pub fn moment(text: &str) -> Result<Time> {
    Time::parse(text).ok_or_else(|| usage(format!("`{text}` is not a time")))
}

/// Text as a column will hold it. SQLite turns what looks like a number into one unless the column is declared as text,
/// and some numbers lose digits on the way.
///
/// # Errors
/// The column would hold something else.
pub fn kept(reader: &dyn Reader, layout: &Layout, table: &str, field: &str, text: &str) -> Result<Value> {
    if layout.kind != StoreKind::Sqlite || !ids::looks_like_number(text) || !makes_numbers(reader, table, field)? {
        return Ok(Value::from(text));
    }
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Ok(Value::Int(number)),
        _ => {
            let message = format!("PhotoPrism's SQLite database would turn `{text}` into another number in `{field}`");
            Err(Error::refused(message, None)
                .help("choose one with a letter in it; PhotoPrism with MariaDB keeps every text"))
        }
    }
}

/// Whether SQLite makes numbers of text in this column: those declared neither as text nor as nothing.
fn makes_numbers(reader: &dyn Reader, table: &str, field: &str) -> Result<bool> {
    let columns = reader.columns("", table)?.unwrap_or_default();
    let declared = columns.into_iter().find(|column| column.name == field).map(|column| column.kind.to_lowercase());
    let text = ["char", "clob", "text", "blob"];
    Ok(declared.is_some_and(|kind| !kind.is_empty() && !text.iter().any(|word| kind.contains(word))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lowered_and_bad_ones_refused() {
        assert_eq!(email(" John.Doe@Example.ORG ").unwrap(), "john.doe@example.org");
        assert_eq!(email("").unwrap(), "");
        for bad in [
            "john",
            "john@example",
            "@example.org",
            "a b@example.org",
            "a@b@c.org",
            "jö@example.org",
            ".a@example.org",
            "a..b@example.org",
            "a.@example.org",
            "a@-example.org",
            "a@example-.org",
            "a@example..org",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scopes_are_sorted_with_everything_last() {
        assert_eq!(scope("Photos, albums photos").unwrap(), "albums photos");
        assert_eq!(scope("* webdav").unwrap(), "webdav *");
        assert_eq!((scope("").unwrap().as_str(), scope("a$").is_err()), ("*", true));
        assert!(scope_note("albums photos *").is_none() && scope_note("phots").unwrap().contains("`phots`"));
    }

    #[test]
    fn folders_stay_below_the_originals() {
        assert_eq!(folder(" /holiday//2024/ ", "bob").unwrap(), "holiday/2024");
        assert_eq!(folder("~", "Bob@example.org").unwrap(), "users/bob");
        assert_eq!(folder("./", "bob").unwrap(), "");
        for bad in ["../etc", "a/../b", ".hidden", "a*"] {
            assert!(folder(bad, "bob").is_err(), "{bad}");
        }
    }

    #[test]
    fn names_shown_keep_their_letters() {
        assert_eq!(display_name(" Jürgen Müller ").unwrap(), "Jürgen Müller");
        assert!(display_name("a<b").is_err() && display_name(&"x".repeat(161)).is_err());
        // PhotoPrism counts bytes.
        assert!(display_name(&"ü".repeat(80)).is_ok() && display_name(&"ü".repeat(81)).is_err());
    }

    #[test]
    fn ids_of_other_systems_are_those_that_photoprism_looks_for() {
        assert_eq!(subject(" auth0|5f7c8ec7 ").unwrap(), "auth0|5f7c8ec7");
        assert!(subject("a<b").is_err() && subject("a\nb").is_err());
        assert_eq!(issuer(" https://id.example.org/realms/x ").unwrap(), "https://id.example.org/realms/x");
        assert!(issuer("https://id.example.org/../x").is_err() && issuer("my server").is_err());
    }
}
