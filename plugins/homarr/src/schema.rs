//! Homarr's tables, and which releases write which layout.

use crate::releases;
use latchlift_plugin_api::{Column, Error, Random, Reader, Record, Result, StoreKind, Time, Value};

/// Sign-in names and password hashes. Upstream: packages/db/schema/{sqlite,mysql,postgresql}.ts, 1.0.0 to 1.74.0.
pub const USER: &str = "user";
/// Browser sign-ins, by their token.
pub const SESSION: &str = "session";
/// API keys, which carry all rights of their owner.
pub const API_KEY: &str = "apiKey";
/// Groups of accounts.
pub const GROUP: &str = "group";
/// Which account is in which group.
pub const MEMBER: &str = "groupMember";
/// What a group may do. It has no key.
pub const PERMISSION: &str = "groupPermission";
/// How far the public setup wizard is.
pub const ONBOARDING: &str = "onboarding";
/// Open invitations.
pub const INVITE: &str = "invite";
/// Links from an account to a person at the OIDC provider.
pub const LINK: &str = "account";
/// Boards, which remember who made them.
pub const BOARD: &str = "board";

/// The permission that makes a group's members administrators. Upstream: packages/definitions/src/permissions.ts.
pub const ADMIN: &str = "admin";
/// The group that the setup wizard makes for the first administrator; its name has no meaning to Homarr.
pub const ADMIN_GROUP: &str = "credentials-admin";
/// The reserved group that each sign-in adds the account to.
pub const EVERYONE: &str = "everyone";
/// The provider of accounts with a password in the database.
pub const CREDENTIALS: &str = "credentials";
/// The last step of the setup wizard; at any other it is shown to everybody.
pub const FINISH: &str = "finish";

/// bcrypt's version letter. Homarr's `bcrypt` package for Node refuses `$2y$` and `$2x$`.
pub const HASH_PREFIX: &str = "2b";
/// bcrypt's cost. Upstream: packages/auth/security.ts, all of 1.x.
pub const HASH_COST: u32 = 10;
/// Where the salt is stored beside the hash (before 1.59.0), it is this much of the hash.
pub const SALT_LENGTH: usize = 29;

/// The columns every 1.x release has.
const NEEDED: [(&str, &[&str]); 7] = [
    (USER, &["id", "name", "email", "password", "provider"]),
    (SESSION, &["session_token", "user_id", "expires"]),
    (API_KEY, &["id", "user_id"]),
    (GROUP, &["id", "name", "owner_id"]),
    (MEMBER, &["group_id", "user_id"]),
    (PERMISSION, &["group_id", "permission"]),
    (ONBOARDING, &["id", "step"]),
];

/// Columns of `user` that only the betas before 1.0 and the older program of the same name (0.x) have.
const FOREIGN: [&str; 4] = ["emailVerified", "homeBoardId", "is_admin", "is_owner"];

/// What this database's tables look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Which kind of database it is.
    pub kind: StoreKind,
    /// `user.salt` exists (before 1.59.0) and must follow the hash.
    pub salt: bool,
    /// `group.position` exists (since 1.7.0) and must be given.
    pub position: bool,
    /// The table of invitations is there.
    pub invites: bool,
    /// The table of OIDC links is there.
    pub links: bool,
    /// The table of boards is there, with who made them.
    pub boards: bool,
    /// `user.email_verified` exists.
    pub verifies_email: bool,
    /// Whether the database's own comparison of names ignores the case of letters.
    pub folds_case: bool,
    /// The collation of names, where the database tells.
    pub collation: Option<String>,
    /// The releases that leave this layout.
    pub version: &'static str,
}

/// Looks at the columns.
///
/// # Errors
/// [`Kind::UnknownSchema`](latchlift_plugin_api::Kind::UnknownSchema) for anything but Homarr 1.x.
pub fn detect(reader: &dyn Reader) -> Result<Layout> {
    let kind = reader.kind("")?;
    let user = reader.columns("", USER)?.unwrap_or_default();
    let group = reader.column_names(GROUP)?;
    check(reader, &user, &group)?;
    let has = |name: &str| user.iter().any(|column| column.name == name);
    let collation = user.iter().find(|column| column.name == "name").and_then(|column| column.collation.clone());
    let position = group.iter().any(|column| column == "position");
    Ok(Layout {
        kind,
        salt: has("salt"),
        position,
        invites: has_columns(reader, INVITE, &["id", "token", "expiration_date", "creator_id"])?,
        links: has_columns(reader, LINK, &["user_id", "provider", "provider_account_id"])?,
        boards: has_columns(reader, BOARD, &["id", "name", "creator_id"])?,
        verifies_email: has("email_verified"),
        folds_case: kind == StoreKind::Mysql && collation.as_deref().is_none_or(folds_case),
        collation,
        version: version(kind, has, position),
    })
}

fn check(reader: &dyn Reader, user: &[Column], group: &[String]) -> Result<()> {
    if user.is_empty() {
        return Err(Error::unknown_schema("this database has no table `user`: it is not Homarr's, or not yet set up")
            .help("start Homarr once so that it makes its tables, or name the right database"));
    }
    if let Some(foreign) = FOREIGN.iter().find(|name| user.iter().any(|column| column.name == **name)) {
        let message = format!("table `user` has a column `{foreign}`: this database is of Homarr 0.x or a beta of 1.0");
        return Err(
            Error::unknown_schema(message).help("move to Homarr 1.0 or newer first; its importer takes accounts over")
        );
    }
    for (table, columns) in NEEDED {
        let known = match table {
            USER => user.iter().map(|column| column.name.clone()).collect(),
            GROUP => group.to_vec(),
            other => reader.column_names(other)?,
        };
        if let Some(missing) = columns.iter().find(|name| !known.iter().any(|column| column == *name)) {
            let message = match known.is_empty() {
                true => format!(
                    "this database has no table `{table}`: it is of no Homarr from 1.0 to {}",
                    releases::NEWEST.1
                ),
                false => {
                    format!(
                        "table `{table}` has no column `{missing}`: no Homarr from 1.0 to {} writes this",
                        releases::NEWEST.1
                    )
                }
            };
            return Err(Error::unknown_schema(message));
        }
    }
    Ok(())
}

/// Whether the table is there with these columns.
///
/// # Errors
/// The store's.
pub fn has_columns(reader: &dyn Reader, table: &str, columns: &[&str]) -> Result<bool> {
    let known = reader.column_names(table)?;
    Ok(columns.iter().all(|name| known.iter().any(|column| column == name)))
}

/// `utf8mb4_general_ci`, `utf8mb4_0900_ai_ci` fold letters; `utf8mb4_bin`, `utf8mb4_0900_as_cs` do not.
fn folds_case(collation: &str) -> bool {
    collation.contains("_ci")
}

/// The releases that leave these columns; newer ones with columns not known here read as the newest.
fn version(kind: StoreKind, has: impl Fn(&str) -> bool, position: bool) -> &'static str {
    match () {
        () if has("enable_right_click_on_widgets") => "1.71.0 or newer",
        () if has("completed_manage_tour") => "1.64.0 to 1.70.x",
        () if has("ddg_bangs") => "1.61.0 to 1.63.x",
        () if !has("salt") => "1.59.0 to 1.60.x",
        // PostgreSQL came with 1.35.0.
        () if kind == StoreKind::Postgres => "1.35.0 to 1.58.x",
        () if position => "1.7.0 to 1.58.x",
        () if has("open_search_in_new_tab") => "1.3.0 to 1.6.x",
        () => "1.0.0 to 1.2.x",
    }
}

/// When a session ends, from what the database holds: milliseconds in SQLite, UTC text elsewhere.
pub fn expiry(value: &Value) -> Option<Time> {
    match value {
        Value::Int(milliseconds) => Some(Time(*milliseconds)),
        other => other.as_str().and_then(Time::parse),
    }
}

/// When an invitation ends: seconds in SQLite, UTC text elsewhere.
pub fn invite_expiry(value: &Value) -> Option<Time> {
    match value {
        Value::Int(seconds) => Some(Time::from_seconds(*seconds)),
        other => expiry(other),
    }
}

/// The latest `expiration_date` of an invitation that has ended at `now`, in the store's form.
pub fn invite_ended_to(kind: StoreKind, now: Time) -> Value {
    match kind {
        StoreKind::Sqlite => Value::Int(Time(now.0.saturating_sub(1)).seconds()),
        _ => ended_to(kind, now),
    }
}

/// The earliest `expires` of a session that lives at `now`, in the store's form.
pub fn live_from(kind: StoreKind, now: Time) -> Value {
    match kind {
        // MySQL keeps whole seconds: the next one, unless it is now.
        StoreKind::Mysql => Value::Text(Time(now.0.saturating_add(999)).sql()),
        _ => moment(kind, now),
    }
}

/// The latest `expires` of a session that has ended at `now`, in the store's form.
pub fn ended_to(kind: StoreKind, now: Time) -> Value {
    moment(kind, Time(now.0.saturating_sub(1)))
}

fn moment(kind: StoreKind, time: Time) -> Value {
    match kind {
        StoreKind::Sqlite => Value::Int(time.0),
        StoreKind::Mysql => Value::Text(time.sql()),
        _ => Value::Text(format!("{}.{:03}", time.sql(), time.0.rem_euclid(1000))),
    }
}

/// A new id as Homarr makes them (cuid2): a letter and 23 letters or digits.
pub fn new_id(random: &Random) -> String {
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
    const CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    random.text(1, LETTERS) + &random.text(23, CHARACTERS)
}

/// The key of a record named by its id.
pub fn by_id(id: &str) -> Record {
    Record::from([("id", id)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Store, homarr};
    use latchlift_plugin_api::Kind;

    #[test]
    fn every_layout_is_told_by_its_columns() {
        let layout = |store: &Store| detect(store).unwrap();
        let mut store = homarr(StoreKind::Sqlite);
        assert_eq!((layout(&store).version, layout(&store).salt), ("1.71.0 or newer", false));
        store.drop_column(USER, "enable_right_click_on_widgets");
        assert_eq!(layout(&store).version, "1.64.0 to 1.70.x");
        store.drop_column(USER, "completed_manage_tour");
        assert_eq!(layout(&store).version, "1.61.0 to 1.63.x");
        store.drop_column(USER, "ddg_bangs");
        assert_eq!(layout(&store).version, "1.59.0 to 1.60.x");
        store.add_column(USER, "salt");
        assert_eq!((layout(&store).version, layout(&store).salt), ("1.7.0 to 1.58.x", true));
        store.drop_column(GROUP, "position");
        assert_eq!((layout(&store).version, layout(&store).position), ("1.3.0 to 1.6.x", false));
        store.drop_column(USER, "open_search_in_new_tab");
        assert_eq!(layout(&store).version, "1.0.0 to 1.2.x");
    }

    #[test]
    fn a_layout_with_new_columns_and_tables_works() {
        let mut store = homarr(StoreKind::Postgres);
        store.add_column(USER, "passkey_hint");
        assert_eq!(detect(&store).unwrap().version, "1.71.0 or newer");
    }

    #[test]
    fn other_programs_databases_are_refused() {
        let mut older = homarr(StoreKind::Sqlite);
        older.add_column(USER, "emailVerified");
        let mut renamed = homarr(StoreKind::Sqlite);
        renamed.drop_column(SESSION, "session_token");
        let mut poorer = homarr(StoreKind::Sqlite);
        poorer.drop_table(API_KEY);
        for store in [older, renamed, poorer, Store::new(StoreKind::Sqlite)] {
            assert_eq!(detect(&store).unwrap_err().kind, Kind::UnknownSchema);
        }
    }

    #[test]
    fn a_binary_collation_does_not_fold_letters() {
        for (collation, folds) in [
            ("utf8mb4_general_ci", true),
            ("utf8mb4_0900_ai_ci", true),
            ("utf8mb4_bin", false),
            ("utf8mb4_0900_as_cs", false),
        ] {
            let mut store = homarr(StoreKind::Mysql);
            store.collate(collation);
            assert_eq!(detect(&store).unwrap().folds_case, folds, "{collation}");
        }
        assert!(!detect(&homarr(StoreKind::Sqlite)).unwrap().folds_case);
    }

    #[test]
    fn session_ends_are_compared_in_the_stores_own_form() {
        let now = Time(1_795_232_820_123);
        assert_eq!(live_from(StoreKind::Sqlite, now), Value::Int(1_795_232_820_123));
        assert_eq!(live_from(StoreKind::Mysql, now), Value::from("2026-11-21 03:47:01"));
        assert_eq!(live_from(StoreKind::Postgres, now), Value::from("2026-11-21 03:47:00.123"));
        assert_eq!(ended_to(StoreKind::Mysql, now), Value::from("2026-11-21 03:47:00"));
        assert_eq!(ended_to(StoreKind::Mysql, Time(1_795_232_820_000)), Value::from("2026-11-21 03:46:59"));
    }
}
