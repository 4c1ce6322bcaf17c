//! Facts about Home Assistant's files, and whether the ones at hand are of the kind this plugin knows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchlift_plugin_api::{Bcrypt, Error, Kind, Reader, Result, Select, Value};

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
/// Addresses that are refused. Upstream: homeassistant/components/http/ban.py.
pub const BANS: &str = "ip_bans#";
/// The finished steps of the first start. Upstream: homeassistant/components/onboarding/__init__.py.
pub const ONBOARDED: &str = "onboarding#/data/done";

/// The group of administrators. Upstream: homeassistant/auth/const.py.
pub const ADMINS: &str = "system-admin";
/// The group of everybody else. Upstream: homeassistant/auth/const.py.
pub const ORDINARY: &str = "system-users";
/// The group of those who may only look. Upstream: homeassistant/auth/const.py.
pub const READERS: &str = "system-read-only";
/// Every fixed group; the app adds what is missing. Upstream: homeassistant/auth/const.py.
pub const FIXED_GROUPS: [&str; 3] = [ADMINS, ORDINARY, READERS];
/// The provider that keeps passwords of its own.
pub const PROVIDER: &str = "homeassistant";

/// `bcrypt.gensalt(rounds=12)`. Upstream: homeassistant/auth/providers/homeassistant.py.
pub const COST: u32 = 12;
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
    /// Files that are there and cannot be used, each with what is wrong.
    pub broken: Vec<(&'static str, Error)>,
}

impl Layout {
    /// Looks at the envelopes of all account files, whatever they say.
    ///
    /// # Errors
    /// There is nothing of Home Assistant's, or a file may not be read.
    pub fn look(reader: &dyn Reader) -> Result<Layout> {
        let version = version(reader)?;
        let has_legacy_mode = version.as_deref().and_then(release).is_none_or(|release| release < WITHOUT_LEGACY);
        let mut layout = Layout { version, has_legacy_mode, ..Layout::default() };
        layout.auth = layout.note("auth", known(reader, "auth", (1, Some(1)), &[USERS, CREDENTIALS, TOKENS]))?;
        layout.rows = layout
            .note("auth_provider.homeassistant", known(reader, "auth_provider.homeassistant", (1, Some(1)), &[ROWS]))?;
        layout.totp = layout.note("auth_module.totp", known(reader, "auth_module.totp", (1, Some(1)), &[TOTP]))?;
        layout.notify =
            layout.note("auth_module.notify", known(reader, "auth_module.notify", (1, Some(1)), &[NOTIFY]))?;
        layout.people = layout.note("person", known(reader, "person", (2, Some(1)), &[]))?;
        layout.onboarding = layout.note("onboarding", known(reader, "onboarding", (4, None), &[]))?;
        match layout.auth || layout.rows || layout.version.is_some() || !layout.broken.is_empty() {
            true => Ok(layout),
            false => Err(Error::unknown_schema(
                "there is neither `.HA_VERSION` nor `.storage/auth`; this is not a config directory of Home Assistant",
            )),
        }
    }

    fn note(&mut self, document: &'static str, found: Result<bool>) -> Result<bool> {
        match found {
            Err(error) if matches!(error.kind, Kind::Conflict | Kind::UnknownSchema) => {
                self.broken.push((document, error));
                Ok(false)
            }
            other => other,
        }
    }

    /// Refuses files of a future release; what is merely damaged passes.
    ///
    /// # Errors
    /// An account file is of a version not known here.
    pub fn refuse_unknown(&self) -> Result<()> {
        let unknown =
            |(document, error): &&(&str, Error)| ACCOUNT_FILES.contains(document) && error.kind == Kind::UnknownSchema;
        self.broken.iter().find(unknown).map_or(Ok(()), |(_, error)| Err(error.clone()))
    }

    /// Refuses to go on where one of these files cannot be used.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn needs(&self, documents: &[&str]) -> Result<()> {
        match self.broken.iter().find(|(document, _)| documents.contains(document)) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

/// The account files that nearly every verb stands on.
pub const ACCOUNT_FILES: [&str; 2] = ["auth", "auth_provider.homeassistant"];

/// The files of second factors.
pub const FACTOR_FILES: [&str; 2] = ["auth_module.totp", "auth_module.notify"];

/// The release that started here last.
///
/// # Errors
/// The file cannot be read.
pub fn version(reader: &dyn Reader) -> Result<Option<String>> {
    let text = reader.document("", ".HA_VERSION")?.map(|text| text.trim().to_owned());
    Ok(text.filter(|text| !text.is_empty()))
}

/// Whether `document` is there; it must then be of the version this plugin knows, and of the minor version if one is named.
fn known(
    reader: &dyn Reader,
    document: &str,
    (wanted, minor_wanted): (i64, Option<i64>),
    collections: &[&str],
) -> Result<bool> {
    let Some((version, minor)) = envelope(reader, document)? else { return Ok(false) };
    if version != Some(wanted) || minor_wanted.is_some_and(|wanted| minor != Some(wanted)) {
        let number = |part: Option<i64>| part.map_or("none".to_owned(), |part| part.to_string());
        let found = format!("version {}, minor version {}", number(version), number(minor));
        let knows = minor_wanted.map_or_else(String::new, |minor| format!(", minor version {minor}"));
        return Err(Error::unknown_schema(format!(
            "`.storage/{document}` has {found}; this plugin knows version {wanted}{knows}"
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
