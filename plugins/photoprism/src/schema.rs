//! PhotoPrism's tables, and which releases write which layout.
//!
//! Migrations only ever add columns, and columns stay where they were first created, so a layout is known by looking at
//! its columns and rows are read by name. Upstream: internal/entity/auth_*.go and password.go, 221102 to 240915 and the
//! development line of 2025 and 2026.

use latchlift_plugin_api::{Error, Filter, Reader, Result, Select, StoreKind, Time, Value};

/// Accounts. Since 221102; before that they were in [`LEGACY`].
pub const USERS: &str = "auth_users";
/// Password hashes of accounts, and of share links and OAuth2 clients: told apart by the first letter of `uid`.
pub const PASSWORDS: &str = "passwords";
/// Keys and recovery codes of second factors. Since 240420.
pub const PASSCODES: &str = "passcodes";
/// Browser sign-ins, app passwords, client tokens and share-link visitors, all in one table.
pub const SESSIONS: &str = "auth_sessions";
/// Profiles, one row per account.
pub const DETAILS: &str = "auth_users_details";
/// Preferences, one row per account.
pub const SETTINGS: &str = "auth_users_settings";
/// What was shared with an account.
pub const SHARES: &str = "auth_users_shares";
/// OAuth2 clients. Since 240420.
pub const CLIENTS: &str = "auth_clients";
/// The newest sign-in and failure per address, name and way in. Only editions Plus and Pro have it.
pub const LOGINS: &str = "audit_logins";
/// The releases that ever ran on this database, with their edition. Since 230502.
pub const VERSIONS: &str = "versions";
/// Accounts before 221102. Later releases leave it in place and take the first administrator's id from it.
pub const LEGACY: &str = "users";

/// The first administrator's row. No other is made or repaired by PhotoPrism itself.
pub const ADMIN_ID: i64 = 1;
/// The uid that sessions of share-link visitors point to (row -2).
pub const VISITOR: &str = "u000000000000002";

/// The uids of accounts, bounds included: PhotoPrism's own rows have `u0`, links and clients other letters.
const ACCOUNTS: [&str; 2] = ["u1", "u~"];

/// The rows that are some account's.
pub fn accounts(field: &str) -> Filter {
    let [from, to] = ACCOUNTS.map(|bound| Some(Value::from(bound)));
    Filter::Range { field: field.to_owned(), from, to }
}

/// Whether this is the uid of an account.
pub fn is_account(uid: &str) -> bool {
    (ACCOUNTS[0]..=ACCOUNTS[1]).contains(&uid)
}

/// bcrypt's version letter. Upstream: golang.org/x/crypto/bcrypt writes `2a` and reads all.
pub const HASH_PREFIX: &str = "2a";
/// bcrypt's cost since 230923. It was 14, which takes minutes on a small device.
pub const HASH_COST: u32 = 12;

/// The columns every release since 221102 has.
const NEEDED: [(&str, &[&str]); 3] = [
    (
        USERS,
        &[
            "id",
            "user_uid",
            "auth_provider",
            "user_name",
            "user_role",
            "super_admin",
            "can_login",
            "expires_at",
            "updated_at",
            "deleted_at",
        ],
    ),
    (PASSWORDS, &["uid", "hash", "created_at", "updated_at"]),
    (
        SESSIONS,
        &["id", "user_uid", "auth_provider", "auth_method", "auth_id", "last_active", "sess_expires", "sess_timeout"],
    ),
];

/// How the database compares names with `=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Byte for byte: SQLite, and `_bin` collations.
    Exact,
    /// Regardless of case: the `_ci` collations of MariaDB and MySQL. `pads` where trailing blanks do not count.
    Folded {
        /// Whether trailing blanks do not count.
        pads: bool,
    },
    /// Some other way: case-sensitive collations that order names in their own fashion.
    Other,
}

/// What this database's tables look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Which kind of database it is.
    pub kind: StoreKind,
    /// The columns of `auth_users`.
    pub users: Vec<String>,
    /// The columns of `auth_sessions`.
    pub sessions: Vec<String>,
    /// The columns of `passcodes`; none before 240420.
    pub passcodes: Vec<String>,
    /// The columns of `auth_clients`; none before 240420.
    pub clients: Vec<String>,
    /// How names compare.
    pub names: Names,
    /// The release that ran last, as six digits, where the database says.
    pub version: Option<String>,
    /// Its edition: `ce`, `plus`, `pro`.
    pub edition: Option<String>,
}

impl Layout {
    /// Whether `auth_users` has this column.
    pub fn has(&self, column: &str) -> bool {
        self.users.iter().any(|name| name == column)
    }

    /// Whether there are second factors: since 240420.
    pub fn two_factor(&self) -> bool {
        self.has("auth_method") && !self.passcodes.is_empty()
    }

    /// Whether an OpenID Connect account may use a local password too: since 240711.
    pub fn oidc_passwords(&self) -> bool {
        self.has("auth_issuer")
    }

    /// Whether a session's id is a hash of its token (since 240420) and not the token itself.
    pub fn hashed_sessions(&self) -> bool {
        self.sessions.iter().any(|name| name == "client_uid")
    }

    /// Whether there are app passwords and access tokens: since 240420.
    pub fn tokens(&self) -> bool {
        self.hashed_sessions()
    }

    /// Whether the login looks at who checks an account's password: since 230502. Upstream: 221118,
    /// internal/entity/auth_session_login.go.
    pub fn heeds_providers(&self) -> bool {
        self.version.is_some() || self.has("auth_method")
    }

    /// Whether it is of the development line since 2025.
    pub fn newer(&self) -> bool {
        self.has("user_scope") || !self.has("download_token")
    }

    /// Whether the Community Edition ran last, which lacks the others' roles and LDAP.
    pub fn community(&self) -> bool {
        self.edition.as_deref().is_some_and(|edition| edition.eq_ignore_ascii_case("ce"))
    }

    /// A time in the form PhotoPrism itself writes, cut to seconds.
    pub fn time(&self, time: Time) -> Value {
        Value::Text(if self.kind == StoreKind::Mysql { time.sql() } else { time.sqlite_go() })
    }

    /// The releases that leave these columns.
    pub fn releases(&self) -> &'static str {
        match () {
            () if self.newer() => "newer than 240915",
            () if self.has("auth_issuer") => "240711 to 240915",
            () if self.has("auth_method") => "240420 to 240531",
            () if self.version.is_some() => "230502 to 231128",
            () => "221102 to 221118",
        }
    }

    /// For people: what the database says of itself, and the releases that write such columns.
    pub fn describe_in_full(&self) -> String {
        match &self.version {
            Some(_) => format!("{} (columns of {})", self.describe(), self.releases()),
            None => self.releases().to_owned(),
        }
    }

    /// For people: what the database says of itself, or else the releases that write such columns.
    pub fn describe(&self) -> String {
        match (&self.version, &self.edition) {
            (Some(version), Some(edition)) => format!("{version} {edition}"),
            (Some(version), None) => version.clone(),
            _ => self.releases().to_owned(),
        }
    }
}

/// Looks at the columns.
///
/// # Errors
/// [`Kind::UnknownSchema`](latchlift_plugin_api::Kind::UnknownSchema) for anything but PhotoPrism since 221102.
pub fn detect(reader: &dyn Reader) -> Result<Layout> {
    let kind = reader.kind("")?;
    let columns = reader.columns("", USERS)?.unwrap_or_default();
    if columns.is_empty() {
        return Err(no_accounts(reader)?);
    }
    let collation = columns.iter().find(|column| column.name == "user_name").and_then(|name| name.collation.clone());
    let users: Vec<String> = columns.into_iter().map(|column| column.name).collect();
    let sessions = reader.column_names(SESSIONS)?;
    require(USERS, &users)?;
    require(PASSWORDS, &reader.column_names(PASSWORDS)?)?;
    require(SESSIONS, &sessions)?;
    let passcodes = reader.column_names(PASSCODES)?;
    let clients = reader.column_names(CLIENTS)?;
    let (version, edition) = running(reader)?;
    let names = compare(kind, collation.as_deref());
    Ok(Layout { kind, users, sessions, passcodes, clients, names, version, edition })
}

fn no_accounts(reader: &dyn Reader) -> Result<Error> {
    let legacy = reader.column_names(LEGACY)?;
    Ok(match legacy.iter().any(|column| column == "role_admin" || column == "user_uid") {
        true => Error::unknown_schema(
            "this database keeps its accounts in the table `users`: PhotoPrism 220901 or older wrote it",
        )
        .help("start PhotoPrism 221102 or newer on it once; it takes the first administrator over"),
        false => {
            Error::unknown_schema("this database has no table `auth_users`: it is not PhotoPrism's, or still empty")
                .help("look which database PhotoPrism uses: DatabaseDriver in options.yml beats the environment")
        }
    })
}

fn require(table: &str, found: &[String]) -> Result<()> {
    let needed = NEEDED.iter().find(|(name, _)| *name == table).map_or(&[][..], |(_, columns)| columns);
    match needed.iter().find(|name| !found.iter().any(|column| column == *name)) {
        None => Ok(()),
        Some(_) if found.is_empty() => {
            Err(Error::unknown_schema(format!("this database has `{USERS}` but no table `{table}`")))
        }
        Some(missing) => Err(Error::unknown_schema(format!(
            "table `{table}` has no column `{missing}`; every PhotoPrism since 221102 writes it"
        ))),
    }
}

fn compare(kind: StoreKind, collation: Option<&str>) -> Names {
    match (kind, collation) {
        (StoreKind::Mysql, None) => Names::Folded { pads: true },
        (StoreKind::Mysql, Some(name)) if name.ends_with("_ci") => {
            Names::Folded { pads: !name.contains("_0900_") && !name.contains("nopad") }
        }
        (StoreKind::Mysql, Some(name)) if name != "binary" && !name.ends_with("_bin") => Names::Other,
        _ => Names::Exact,
    }
}

/// The release and edition that ran last. A downgrade leaves rows of newer releases, so the newest touch decides.
fn running(reader: &dyn Reader) -> Result<(Option<String>, Option<String>)> {
    let found = reader.column_names(VERSIONS)?;
    let wanted = ["id", "version", "edition", "updated_at"];
    if !wanted.iter().all(|name| found.iter().any(|column| column == name)) {
        return Ok((None, None));
    }
    let rows = reader.all(Select::from(VERSIONS, wanted).order(["id"]))?;
    let touched = |text: Option<String>| text.and_then(|text| Time::parse(&text));
    let newest = rows.iter().max_by_key(|row| (touched(row.text("updated_at")), row.int("id")));
    let text = |field: &str| newest.and_then(|row| row.text(field)).filter(|text| !text.is_empty());
    Ok((text("version").map(short), text("edition")))
}

/// `240915` of `240915-e1280b2fb-Linux-AMD64-Plus`.
fn short(version: String) -> String {
    version.split('-').next().map_or(version.clone(), str::to_owned)
}

/// Columns wanted of a table of which older layouts may lack some.
pub struct Columns<const N: usize> {
    present: Vec<&'static str>,
    at: [Option<usize>; N],
}

impl<const N: usize> Columns<N> {
    /// Those of `wanted` that `found` has.
    pub fn of(found: &[String], wanted: [&'static str; N]) -> Columns<N> {
        let mut present = Vec::new();
        let at = wanted.map(|name| {
            found.iter().any(|column| column == name).then(|| {
                present.push(name);
                present.len() - 1
            })
        });
        Columns { present, at }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.present.iter().copied()
    }

    /// The query for them.
    pub fn select(&self, table: &str) -> Select {
        Select::from(table, self.present.iter().copied())
    }

    /// A row's values in the order they were wanted; null where the layout has no such column.
    pub fn spread(&self, mut row: Vec<Value>) -> [Value; N] {
        self.at.map(|at| at.and_then(|at| row.get_mut(at)).map(std::mem::take).unwrap_or_default())
    }
}
