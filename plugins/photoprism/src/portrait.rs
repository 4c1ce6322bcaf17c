//! What `user show` says of an account beside what all apps have: every column that holds something.

use crate::find;
use crate::schema::{DETAILS, Layout, SETTINGS};
use crate::user::User;
use latchlift_plugin_api::{Filter, Reader, Record, Result, Select, Time, Value};
use std::collections::BTreeMap;

/// Columns of `auth_users` that the account itself shows already.
const SHOWN: [&str; 12] = [
    "id",
    "user_uid",
    "user_name",
    "display_name",
    "user_email",
    "user_role",
    "auth_provider",
    "login_at",
    "expires_at",
    "created_at",
    "deleted_at",
    "user_uuid",
];
/// What lets somebody in, or see pictures.
const SECRET: [&str; 5] = ["invite_token", "verify_token", "reset_token", "preview_token", "download_token"];
/// Columns said even where they hold zero.
const SWITCHES: [&str; 3] = ["super_admin", "can_login", "webdav"];

/// The account's row, profile and preferences, as far as they hold something; secrets only if `secrets`.
///
/// # Errors
/// The store's.
pub fn of(reader: &dyn Reader, layout: &Layout, user: &User, secrets: bool) -> Result<BTreeMap<String, String>> {
    let row = find::record(reader, layout, user)?;
    let mut all = BTreeMap::from([("row_id".to_owned(), user.id.to_string())]);
    let wanted = |field: &str| !SHOWN.contains(&field) && (secrets || !SECRET.contains(&field));
    for (field, value) in row.iter().filter(|(field, _)| wanted(field)) {
        if says_something(value) || SWITCHES.contains(&field) && !value.is_blank() {
            all.extend(value.to_text().map(|text| (field.to_owned(), text)));
        }
    }
    for (table, word) in [(DETAILS, "profile"), (SETTINGS, "preferences")] {
        let row = companion(reader, table, &user.uid)?.unwrap_or_default();
        let own = row.iter().filter(|(field, value)| {
            !["user_uid", "created_at", "updated_at"].contains(field) && says_something(value)
        });
        all.extend(own.filter_map(|(field, value)| Some((format!("{word}_{field}"), value.to_text()?))));
    }
    Ok(all)
}

/// Whether a value is more than the zero that PhotoPrism fills columns with.
fn says_something(value: &Value) -> bool {
    let text = value.to_text().unwrap_or_default();
    let zero_time = (text.starts_with("0000-") || text.starts_with("0001-")) && Time::parse(&text).is_none();
    !zero_time && !["", "0", "-1", "zz"].contains(&text.as_str())
}

fn companion(reader: &dyn Reader, table: &str, uid: &str) -> Result<Option<Record>> {
    let columns = reader.column_names(table)?;
    if !columns.iter().any(|column| column == "user_uid") {
        return Ok(None);
    }
    reader.first(Select::from(table, columns).filter(Filter::eq("user_uid", uid)))
}
