//! Copies of an account's name, in its sign-ins and in the clients that act for it: they follow a new name, since
//! PhotoPrism lists and finds both by them, and writes those of clients anew only with another account.

use crate::schema::{CLIENTS, Layout, SESSIONS};
use crate::sessions::CHUNK;
use latchlift_plugin_api::{Change, Filter, Reader, Record, Result, Select, Time, Value, update};
use std::collections::HashMap;

/// The new name in each copy of it. `names` are new names by the accounts' uids.
///
/// # Errors
/// The store's.
pub fn renamed(reader: &dyn Reader, layout: &Layout, names: &[(&str, &str)], now: Time) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for some in names.chunks(CHUNK) {
        changes.extend(in_table(reader, (SESSIONS, "id", &layout.sessions), some, None)?);
        // Sign-ins say when they were used, clients when they were changed.
        changes.extend(in_table(reader, (CLIENTS, "client_uid", &layout.clients), some, Some(layout.time(now)))?);
    }
    Ok(changes)
}

fn in_table(
    reader: &dyn Reader,
    (table, key, columns): (&str, &str, &[String]),
    names: &[(&str, &str)],
    touched: Option<Value>,
) -> Result<Vec<Change>> {
    let wanted = [key, "user_uid", "user_name", "updated_at"];
    if !wanted.iter().all(|name| columns.iter().any(|column| column == name)) {
        return Ok(vec![]);
    }
    let new: HashMap<&str, &str> = names.iter().copied().collect();
    let whose = Filter::is_in("user_uid", names.iter().map(|(uid, _)| *uid));
    let mut changes = Vec::new();
    reader.each(Select::from(table, wanted).filter(whose).order([key]), |row| {
        changes.extend(follows(&row, (table, key), &new, touched.as_ref()));
        Ok(())
    })?;
    Ok(changes)
}

fn follows(
    row: &Record,
    (table, key): (&str, &str),
    new: &HashMap<&str, &str>,
    touched: Option<&Value>,
) -> Option<Change> {
    let uid = row.text("user_uid")?;
    let name = new.get(uid.as_str())?;
    let field = |name: &str| row.get(name).cloned().unwrap_or_default();
    if row.text("user_name").as_deref() == Some(name) {
        return None;
    }
    let mut fields = vec![("user_name", field("user_name"), Value::from(*name))];
    fields.extend(touched.map(|now| ("updated_at", field("updated_at"), now.clone())));
    update(table, Record::new().with(key, field(key)), fields)
}
