//! A row of `auth_users`, as far as signing in depends on it.

use crate::schema::{Columns, Layout};
use latchlift_plugin_api::{Record, Time, Value};

/// Who checks an account's password. Upstream: pkg/authn/providers.go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// PhotoPrism, by the default.
    Default,
    /// PhotoPrism, by choice; the first administrator's.
    Local,
    /// An OpenID Connect server.
    Oidc,
    /// A directory server.
    Ldap,
    /// Nobody: signing in is switched off.
    None,
    /// Nobody: the row of share-link visitors.
    Link,
    /// Something a user's row should not say.
    Other(String),
}

impl Provider {
    /// What a stored provider means; older layouts leave it empty.
    fn read(stored: &str, id: i64, name: &str) -> Provider {
        match stored {
            "" if id == -2 => Provider::Link,
            "" if id == 1 => Provider::Local,
            "" if !name.is_empty() && id > 0 => Provider::Default,
            "" | "none" => Provider::None,
            "default" | "password" => Provider::Default,
            "local" => Provider::Local,
            "oidc" => Provider::Oidc,
            "ldap" => Provider::Ldap,
            "link" | "token" => Provider::Link,
            other => Provider::Other(other.to_owned()),
        }
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        match self {
            Provider::Oidc => "OpenID Connect",
            Provider::Ldap => "LDAP",
            other => other.word(),
        }
    }

    /// PhotoPrism's word for it.
    pub fn word(&self) -> &str {
        match self {
            Provider::Default => "default",
            Provider::Local => "local",
            Provider::Oidc => "oidc",
            Provider::Ldap => "ldap",
            Provider::None => "none",
            Provider::Link => "link",
            Provider::Other(word) => word,
        }
    }
}

/// A row of `auth_users`, as far as signing in depends on it.
#[derive(Clone, Debug)]
pub struct User {
    /// The row's number; system rows are below 1.
    pub id: i64,
    /// The id that all other tables use.
    pub uid: String,
    /// The sign-in name as stored.
    pub name: String,
    /// The name shown.
    pub display: String,
    /// The e-mail address.
    pub email: String,
    /// The role as stored.
    pub role: String,
    /// Who checks the password.
    pub provider: Provider,
    /// Whether a second factor is asked for.
    pub two_factor: bool,
    /// Whether the account may do everything, whatever its role.
    pub super_admin: bool,
    /// Whether signing in is switched on.
    pub can_login: bool,
    /// The newest sign-in.
    pub login_at: Option<Time>,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// When it was deleted.
    pub deleted_at: Option<Time>,
    /// When it was made.
    pub created_at: Option<Time>,
}

const COLUMNS: [&str; 14] = [
    "id",
    "user_uid",
    "user_name",
    "display_name",
    "user_email",
    "user_role",
    "auth_provider",
    "auth_method",
    "super_admin",
    "can_login",
    "login_at",
    "expires_at",
    "deleted_at",
    "created_at",
];

impl User {
    /// The columns it is read from.
    pub fn columns(layout: &Layout) -> Columns<14> {
        Columns::of(&layout.users, COLUMNS)
    }

    /// A row of those columns.
    pub fn read(columns: &Columns<14>, row: Vec<Value>) -> User {
        let [
            id,
            uid,
            name,
            display,
            email,
            role,
            provider,
            method,
            super_admin,
            can_login,
            login,
            expires,
            deleted,
            made,
        ] = columns.spread(row);
        let id = id.as_int().unwrap_or_default();
        let name = into_text(name);
        User {
            id,
            uid: into_text(uid),
            display: into_text(display),
            email: into_text(email),
            role: into_text(role),
            provider: Provider::read(&into_text(provider), id, &name),
            name,
            two_factor: into_text(method).eq_ignore_ascii_case("2fa"),
            super_admin: super_admin.as_bool() == Some(true),
            can_login: can_login.as_bool() == Some(true),
            login_at: time(&login),
            expires_at: time(&expires).or_else(|| zero(&expires)),
            deleted_at: time(&deleted),
            created_at: time(&made),
        }
    }

    /// The account that a row of `auth_users` makes.
    pub fn of_record(layout: &Layout, row: &Record) -> User {
        let columns = User::columns(layout);
        let values = columns.names().map(|name| row.get(name).cloned().unwrap_or_default()).collect();
        User::read(&columns, values)
    }

    /// Whether this is one of PhotoPrism's own rows.
    pub fn is_system(&self) -> bool {
        self.id <= 0
    }

    /// Whether the account may administer PhotoPrism.
    pub fn is_admin(&self) -> bool {
        let role = self.role.trim();
        self.super_admin || role.eq_ignore_ascii_case("admin") || role.eq_ignore_ascii_case("cluster_admin")
    }

    /// What people call it: its name, or its id where it has none.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.uid } else { &self.name }
    }
}

/// Text without copying it; numbers as their digits, null as nothing.
pub fn into_text(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        other => other.to_text().unwrap_or_default(),
    }
}

/// The zero time is no time to PhotoPrism but in `expires_at`, where it lies in the past.
fn zero(value: &Value) -> Option<Time> {
    let zero = value.as_str().is_some_and(|text| text.starts_with("0000-00-00") || text.starts_with("0001-01-01"));
    zero.then_some(ZERO)
}

/// Year 1, in milliseconds.
const ZERO: Time = Time(-62_135_596_800_000);

fn time(value: &Value) -> Option<Time> {
    value.as_str().and_then(Time::parse)
}
