//! New rows, filled as PhotoPrism fills them.

use crate::ids;
use crate::names;
use crate::schema::{ADMIN_ID, DETAILS, Layout, SETTINGS, USERS};
use latchlift_plugin_api::{Cell, Change, Error, Filter, Reader, Record, Request, Result, Select, Time, Value, insert};

/// Text columns of `auth_users` that PhotoPrism fills with its zero value, and not with null.
const EMPTY: [&str; 15] = [
    "user_uuid",
    "auth_method",
    "auth_issuer",
    "auth_id",
    "user_email",
    "backup_email",
    "user_attr",
    "base_path",
    "upload_path",
    "invite_token",
    "invited_by",
    "verify_token",
    "reset_token",
    "thumb",
    "thumb_src",
];

/// Text columns of profiles and preferences of which the same holds. Upstream: internal/entity/auth_user_details.go and
/// auth_user_settings.go.
const COMPANIONS: [(&str, &[&str]); 2] = [
    (
        DETAILS,
        &[
            "subj_uid",
            "place_src",
            "name_title",
            "given_name",
            "middle_name",
            "family_name",
            "name_suffix",
            "nick_name",
            "name_src",
            "user_gender",
            "user_about",
            "user_bio",
            "user_location",
            "user_phone",
            "site_url",
            "profile_url",
            "feed_url",
            "avatar_url",
            "org_title",
            "org_name",
            "org_email",
            "org_phone",
            "org_url",
            "id_url",
        ],
    ),
    (
        SETTINGS,
        &[
            "ui_theme",
            "ui_language",
            "ui_time_zone",
            "maps_style",
            "index_path",
            "import_path",
            "upload_path",
            "default_page",
        ],
    ),
];
/// Columns of profiles that are zero up to 240915, and have defaults of their own in newer releases.
const UNKNOWN: [(&str, Value); 4] = [
    ("birth_year", Value::Int(0)),
    ("birth_month", Value::Int(0)),
    ("birth_day", Value::Int(0)),
    ("user_country", Value::Text(String::new())),
];

/// Row 1 as PhotoPrism makes it. Upstream: internal/entity/auth_user_default.go.
///
/// # Errors
/// As [`fitted`].
pub fn initial_admin(reader: &dyn Reader, layout: &Layout, request: &Request, uid: &str, name: &str) -> Result<Record> {
    let own = vec![
        ("id", Value::Int(ADMIN_ID)),
        ("auth_provider", "local".into()),
        ("display_name", "Admin".into()),
        ("user_role", "admin".into()),
        ("super_admin", Value::Int(1)),
        ("webdav", Value::Int(1)),
        ("can_invite", Value::Int(1)),
        ("invite_token", Value::Text(ids::token(&request.random))),
    ];
    account(reader, layout, request, (uid, name), own)
}

/// An account that may sign in with a password, with its `own` values before the usual ones. Upstream:
/// internal/entity/auth_user.go `NewUser` and `Create`.
///
/// # Errors
/// As [`fitted`].
pub fn account(
    reader: &dyn Reader,
    layout: &Layout,
    request: &Request,
    (uid, name): (&str, &str),
    own: Vec<(&str, Value)>,
) -> Result<Record> {
    let now = layout.time(request.now);
    let token = || Value::Text(ids::token(&request.random));
    let mut row = own;
    let usual = [
        ("user_uid", uid.into()),
        ("user_name", name.into()),
        ("display_name", Value::Text(names::display(name))),
        ("auth_provider", "default".into()),
        ("super_admin", Value::Int(0)),
        ("can_login", Value::Int(1)),
        ("webdav", Value::Int(0)),
        ("can_invite", Value::Int(0)),
        ("preview_token", token()),
        ("download_token", token()),
        ("user_scope", "*".into()),
        ("ref_id", Value::Text(ids::ref_id(&request.random, "user"))),
        ("created_at", now.clone()),
        ("updated_at", now),
    ];
    for (field, value) in usual.into_iter().chain(EMPTY.map(|field| (field, Value::from("")))) {
        if !row.iter().any(|(name, _)| *name == field) {
            row.push((field, value));
        }
    }
    fitted(reader, USERS, row)
}

/// A number for a new account's row: the next above all there are. Row 1 is the initial administrator's alone.
///
/// # Errors
/// The store's.
pub fn next_row(reader: &dyn Reader) -> Result<i64> {
    let mut highest = ADMIN_ID;
    reader.each_cells(Select::from(USERS, ["id"]), |row| {
        highest = highest.max(row.first().and_then(Cell::as_int).unwrap_or_default());
        Ok(())
    })?;
    Ok(highest + 1)
}

/// The rows for profile and preferences that go with an account, as far as they are not there already.
///
/// # Errors
/// As [`fitted`].
pub fn companions(reader: &dyn Reader, layout: &Layout, now: Time, uid: &str) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for (table, empty) in COMPANIONS {
        let there = || reader.first(Select::from(table, ["user_uid"]).filter(Filter::eq("user_uid", uid)));
        if !reader.column_names(table)?.is_empty() && there()?.is_none() {
            let now = layout.time(now);
            let mut row = vec![("user_uid", uid.into()), ("created_at", now.clone()), ("updated_at", now)];
            row.extend(empty.iter().map(|field| (*field, Value::from(""))));
            row.extend((!layout.newer()).then_some(UNKNOWN).into_iter().flatten());
            changes.push(insert(table, fitted(reader, table, row)?));
        }
    }
    Ok(changes)
}

/// The fields that the table has.
///
/// # Errors
/// The table wants a value for a column this plugin does not know.
pub fn fitted(reader: &dyn Reader, table: &str, row: Vec<(&str, Value)>) -> Result<Record> {
    let columns = reader.columns("", table)?.unwrap_or_default();
    let given = |name: &str| row.iter().any(|(field, _)| *field == name);
    let wanting = columns.iter().find(|column| !column.nullable && !column.has_default && !given(&column.name));
    if let Some(column) = wanting {
        let message = format!("table `{table}` wants a value for `{}`, which this plugin does not know", column.name);
        return Err(Error::unknown_schema(message).help("look for a newer plugin"));
    }
    let fits = row.into_iter().filter(|(field, _)| columns.iter().any(|column| column.name == *field));
    Ok(Record(fits.map(|(field, value)| (field.to_owned(), value)).collect()))
}
