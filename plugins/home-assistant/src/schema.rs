//! Facts about Home Assistant's files, and whether the ones at hand are of the kind this plugin knows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchlift_plugin_api::{Bcrypt, Error, Reader, Result, Select, Value};

/// Users. Upstream: homeassistant/auth/auth_store.py, the same since 0.84; `local_only` since 2021.12.
pub const USERS: &str = "auth#/data/users";
/// Groups, of which three are fixed. Upstream: homeassistant/auth/auth_store.py.
pub const GROUPS: &str = "auth#/data/groups";
/// What leads from a provider's sign-in to a user. Upstream: homeassistant/auth/auth_store.py.
pub const CREDENTIALS: &str = "auth#/data/credentials";
/// Refresh tokens: one per browser, app, long-lived token and internal user. Upstream: homeassistant/auth/auth_store.py.
pub const TOKENS: &str = "auth#/data/refresh_tokens";
/// Names and password hashes. Upstream: homeassistant/auth/providers/homeassistant.py.
pub const ROWS: &str = "auth_provider.homeassistant#/data/users";
/// Secrets of authenticator apps by user. Upstream: homeassistant/auth/mfa_modules/totp.py.
pub const TOTP: &str = "auth_module.totp#/data/users";
/// Who gets codes by message. Upstream: homeassistant/auth/mfa_modules/notify.py.
pub const NOTIFY: &str = "auth_module.notify#/data/users";
/// Persons. Upstream: homeassistant/components/person/__init__.py.
pub const PEOPLE: &str = "person#/data/items";
/// The finished steps of the first start. Upstream: homeassistant/components/onboarding/__init__.py.
pub const ONBOARDED: &str = "onboarding#/data/done";

/// The group of administrators. Upstream: homeassistant/auth/const.py.
pub const ADMINS: &str = "system-admin";
/// Every fixed group; the app adds what is missing. Upstream: homeassistant/auth/const.py.
pub const FIXED_GROUPS: [&str; 3] = [ADMINS, "system-users", "system-read-only"];
/// The provider that keeps passwords of its own.
pub const PROVIDER: &str = "homeassistant";

/// `bcrypt.gensalt(rounds=12)`. Upstream: homeassistant/auth/providers/homeassistant.py.
const COST: u32 = 12;
/// What the `bcrypt` package of Python writes.
const PREFIX: &str = "2b";

/// The first release without the legacy mode of names. Upstream: pull request 175613.
const WITHOUT_LEGACY: (u32, u32) = (2026, 10);

/// What the directory holds.
#[derive(Debug, Default)]
pub struct Layout {
    /// The release that started here last, as `.HA_VERSION` says.
    pub version: Option<String>,
    /// Whether there is an `auth`.
    pub auth: bool,
    /// Whether there is an `auth_provider.homeassistant`.
    pub rows: bool,
    /// Whether there is an `auth_module.totp`.
    pub totp: bool,
    /// Whether there is an `auth_module.notify`.
    pub notify: bool,
    /// Whether there is a `person` of the version this plugin reads.
    pub people: bool,
    /// Whether there is an `onboarding` of the version this plugin reads.
    pub onboarding: bool,
    /// Whether this release compares names exactly once they are ambiguous.
    pub has_legacy_mode: bool,
}

/// Looks at the envelopes of all account files.
///
/// # Errors
/// One is not of version 1, or there is nothing of Home Assistant's.
pub fn detect(reader: &dyn Reader) -> Result<Layout> {
    let version =
        reader.document("", ".HA_VERSION")?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let layout = Layout {
        auth: known(reader, "auth", &[USERS, CREDENTIALS, TOKENS])?,
        rows: known(reader, "auth_provider.homeassistant", &[ROWS])?,
        totp: known(reader, "auth_module.totp", &[TOTP])?,
        notify: known(reader, "auth_module.notify", &[NOTIFY])?,
        // These two are only looked at: one that cannot be read is as good as absent, which is how the app takes it.
        people: matches!(envelope(reader, "person"), Ok(Some((Some(2), Some(1))))),
        onboarding: matches!(envelope(reader, "onboarding"), Ok(Some((Some(4), _)))),
        has_legacy_mode: version.as_deref().and_then(release).is_none_or(|release| release < WITHOUT_LEGACY),
        version,
    };
    match layout.auth || layout.rows || layout.version.is_some() {
        true => Ok(layout),
        false => Err(Error::unknown_schema(
            "there is neither `.HA_VERSION` nor `.storage/auth`; this is not a config directory of Home Assistant",
        )),
    }
}

/// Whether `document` is there; it must then be one this plugin may edit.
fn known(reader: &dyn Reader, document: &str, collections: &[&str]) -> Result<bool> {
    let Some((version, minor)) = envelope(reader, document)? else { return Ok(false) };
    if (version, minor) != (Some(1), Some(1)) {
        let number = |part: Option<i64>| part.map_or("none".to_owned(), |part| part.to_string());
        let found = format!("version {}, minor version {}", number(version), number(minor));
        return Err(Error::unknown_schema(format!(
            "`.storage/{document}` has {found}; this plugin knows version 1, minor version 1"
        )));
    }
    for collection in collections {
        if reader.columns("", collection)?.is_none() {
            let pointer = collection.split_once('#').map_or("", |(_, pointer)| pointer);
            return Err(Error::unknown_schema(format!("`.storage/{document}` has no `{pointer}`")));
        }
    }
    Ok(true)
}

/// Version and minor version of a document; `None` where it does not exist. Files from before 2022 have no minor version,
/// which means 1.
fn envelope(reader: &dyn Reader, document: &str) -> Result<Option<(Option<i64>, Option<i64>)>> {
    let whole = format!("{document}#");
    if reader.columns("", &whole)?.is_none() {
        return Ok(None);
    }
    let found = reader.first(Select::from(whole, ["/version", "/minor_version"]))?.unwrap_or_default();
    let minor = match found.get("/minor_version") {
        None | Some(Value::Null) => Some(1),
        Some(minor) => whole_number(minor),
    };
    Ok(Some((found.get("/version").and_then(whole_number), minor)))
}

/// A JSON integer; text that looks like one is not what the app writes.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        _ => None,
    }
}

/// `2026.10.0b3` as year and month.
pub fn release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The bcrypt string within a stored password, which is Base64 of it.
pub fn decode(stored: &str) -> Option<Bcrypt> {
    // Python's decoder, which the app uses, skips whatever is not Base64.
    let bytes = STANDARD.decode(stored).or_else(|_| {
        let known = |c: &char| c.is_ascii_alphanumeric() || "+/=".contains(*c);
        STANDARD.decode(stored.chars().filter(known).collect::<String>())
    });
    Bcrypt::parse(std::str::from_utf8(&bytes.ok()?).ok()?)
}

/// A new password as the app stores it.
///
/// # Errors
/// As [`Bcrypt::hash`].
pub fn hash(context: &latchlift_plugin_api::Context<'_>, request: &latchlift_plugin_api::Request) -> Result<String> {
    Ok(STANDARD.encode(Bcrypt::hash(context.secrets, request.password()?, PREFIX, COST)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_as_numbers() {
        assert!(release("2026.9.3") < Some(WITHOUT_LEGACY));
        assert!(release("2026.10.0b3") >= Some(WITHOUT_LEGACY));
        assert_eq!(release("unknown"), None);
    }

    #[test]
    fn a_hash_is_read_as_python_reads_it() {
        let stored = STANDARD.encode("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        let broken = format!("{}\n {}", &stored[..40], &stored[40..]);
        assert_eq!(decode(&stored).map(|hash| hash.cost), Some(5));
        assert_eq!(decode(&broken), decode(&stored));
        assert_eq!(decode("$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), None);
        assert_eq!(decode(""), None);
    }
}
