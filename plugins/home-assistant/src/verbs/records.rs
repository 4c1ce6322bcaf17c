//! The records that plans write, in the shapes the app itself writes.

use crate::home::Home;
use crate::names::normalise;
use crate::schema::{ADMINS, CREDENTIALS, PROVIDER, ROWS, USERS};
use latchlift_plugin_api::{Change, Filter, Key, Random, Reader, Record, Result, Select, Value, hex, insert, update};
use std::collections::{BTreeSet, HashMap};

/// A version 4 UUID without dashes, as the app makes ids.
pub fn id(random: &Random) -> String {
    let mut bytes = random.bytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    hex(&bytes)
}

/// A new user. Upstream: `_data_to_save` in homeassistant/auth/auth_store.py, in the order of its keys.
pub fn user(id: &str, name: &str, owner: bool) -> Change {
    let record = Record::new()
        .with("/id", id)
        .with("/group_ids", Value::List(vec![ADMINS.into()]))
        .with("/is_owner", owner)
        .with("/is_active", true)
        .with("/name", name)
        .with("/system_generated", false)
        .with("/local_only", false);
    insert(USERS, record)
}

/// A new credential. Upstream: as [`user`].
pub fn credential(id: &str, user: &str, username: &str) -> Change {
    let record = Record::new()
        .with("/id", id)
        .with("/user_id", user)
        .with("/auth_provider_type", PROVIDER)
        // The app's configuration allows no id for this provider.
        .with("/auth_provider_id", Value::Null)
        .with("/data/username", username);
    insert(CREDENTIALS, record)
}

/// New values for some fields of a user.
pub fn set_user(reader: &dyn Reader, id: &str, values: Vec<(&str, Value)>) -> Result<Option<Change>> {
    let fields = values.iter().map(|(field, _)| *field);
    let found = reader.first(Select::from(USERS, fields).filter(Filter::eq("/id", id)))?.unwrap_or_default();
    let before = |field: &str| found.get(field).cloned().unwrap_or_default();
    let key = Record::new().with("/id", id);
    Ok(update(USERS, key, values.into_iter().map(|(field, after)| (field, before(field), after))))
}

/// The new password for every entry the login may take for `username`, or a new entry where there is none.
pub fn set_password(reader: &dyn Reader, home: &Home, username: &str, hash: &str) -> Result<Vec<Change>> {
    let entry = home.names.get(username);
    if entry.rows == 0 {
        if let [row] = home.rows_like(username) {
            return adopt(reader, &home.rows[*row].username, username, hash);
        }
        return Ok(vec![insert(ROWS, Record::from([("/username", username), ("/password", hash)]))]);
    }
    let spellings: BTreeSet<&str> = match home.names.legacy {
        true => BTreeSet::from([username]),
        false => home.rows_like(username).iter().map(|row| &*home.rows[*row].username).collect(),
    };
    let changes = rows(reader, &spellings)?.into_iter();
    Ok(changes.filter_map(|(key, before)| update(ROWS, key, [("/password", before, hash.into())])).collect())
}

/// An entry whose name differs from its credential's in letters only, while names are compared exactly: it gets the
/// credential's name. A second entry beside it would keep the exact comparison switched on for good.
fn adopt(reader: &dyn Reader, stored: &str, username: &str, hash: &str) -> Result<Vec<Change>> {
    let found = rows(reader, &BTreeSet::from([stored]))?.into_iter();
    let changes = found.filter_map(|(key, before)| {
        let fields = [("/username", stored.into(), username.into()), ("/password", before, hash.into())];
        update(ROWS, key, fields)
    });
    Ok(changes.collect())
}

/// The password entries of these spellings: which they are, and the password each has.
pub fn rows(reader: &dyn Reader, spellings: &BTreeSet<&str>) -> Result<Vec<(Key, Value)>> {
    let query = Select::from(ROWS, ["/username", "/password"]);
    let query = query.filter(Filter::is_in("/username", spellings.iter().copied()));
    let (mut seen, mut found) = (HashMap::new(), vec![]);
    reader.each(query, |row| {
        let username = row.text("/username").unwrap_or_default();
        let count: &mut u32 = seen.entry(username.clone()).or_default();
        let fields = Record::new().with("/username", username);
        found.push((Key { fields, ordinal: *count }, row.get("/password").cloned().unwrap_or_default()));
        *count += 1;
        Ok(())
    })?;
    Ok(found)
}

/// The name a new credential gets. A password entry of that name that leads nowhere is taken over, in its own letters where
/// letters matter.
pub fn new_name(home: &Home, typed: &str) -> String {
    match home.rows_like(typed) {
        [row] if home.names.legacy => home.rows[*row].username.to_string(),
        _ => normalise(typed),
    }
}
