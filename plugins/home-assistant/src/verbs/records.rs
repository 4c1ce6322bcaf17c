//! The records that plans write, in the shapes the app itself writes.

use crate::home::Home;
use crate::names::normalise;
use crate::schema::{self, CREDENTIALS, PROVIDER, ROWS, USERS};
use crate::sign_in;
use latchlift_plugin_api::{
    Change, Context, Filter, Key, Random, Reader, Record, Request, Result, Select, Value, delete, hex, insert, update,
};
use std::collections::{BTreeSet, HashMap};

/// A version 4 UUID without dashes, as the app makes ids.
pub fn id(random: &Random) -> String {
    let mut bytes = random.bytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    hex(&bytes)
}

/// What is particular about a new user.
pub struct NewUser<'a> {
    /// Its id.
    pub id: &'a str,
    /// The name shown.
    pub shown: &'a str,
    /// The group it is in.
    pub group: &'a str,
    pub owner: bool,
    pub local_only: bool,
}

/// A new user. Upstream: `_data_to_save` in homeassistant/auth/auth_store.py, in the order of its keys.
pub fn user(new: &NewUser<'_>) -> Change {
    let record = Record::new()
        .with("/id", new.id)
        .with("/group_ids", group_ids(new.group))
        .with("/is_owner", new.owner)
        .with("/is_active", true)
        .with("/name", new.shown)
        .with("/system_generated", false)
        .with("/local_only", new.local_only);
    insert(USERS, record)
}

/// The groups of a user who is in one.
pub fn group_ids(group: &str) -> Value {
    Value::List(vec![group.into()])
}

/// A new credential. Upstream: as [`user`].
pub fn credential(id: &str, user: &str, username: &str) -> Change {
    insert(CREDENTIALS, credential_record(id, user, username))
}

/// A new credential as a record.
pub fn credential_record(id: &str, user: &str, username: &str) -> Record {
    Record::new()
        .with("/id", id)
        .with("/user_id", user)
        .with("/auth_provider_type", PROVIDER)
        // The app's configuration allows no id for this provider.
        .with("/auth_provider_id", Value::Null)
        .with("/data/username", username)
}

/// New values for some fields of a user.
pub fn set_user(reader: &dyn Reader, id: &str, values: Vec<(&str, Value)>) -> Result<Option<Change>> {
    let fields = values.iter().map(|(field, _)| *field);
    let found = reader.first(Select::from(USERS, fields).filter(Filter::eq("/id", id)))?.unwrap_or_default();
    let before = |field: &str| found.get(field).cloned().unwrap_or_default();
    let key = Record::new().with("/id", id);
    Ok(update(USERS, key, values.into_iter().map(|(field, after)| (field, before(field), after))))
}

/// The password asked for, in every entry the login may take for `username`, or in a new entry where there is none. The hash
/// is asked for last: the host computes it while a plan still reads.
///
/// # Errors
/// The store's, or as [`schema::hash`].
pub fn set_password(context: &Context<'_>, request: &Request, home: &Home, username: &str) -> Result<Vec<Change>> {
    if home.names.get(username).rows == 0 {
        if let [row] = home.rows_like(username) {
            return adopt(context, request, &home.rows[*row].username, username);
        }
        let hash = schema::hash(context, request)?;
        return Ok(vec![insert(ROWS, Record::from([("/username", username), ("/password", &hash)]))]);
    }
    let found = rows(context.reader, &spellings(home, username))?;
    let hash = schema::hash(context, request)?;
    let changed = |(key, before)| update(ROWS, key, [("/password", before, hash.as_str().into())]);
    Ok(found.into_iter().filter_map(changed).collect())
}

/// How the password entries are spelled that the login may take for `username`.
pub fn spellings<'a>(home: &'a Home, username: &'a str) -> BTreeSet<&'a str> {
    match home.names.legacy {
        true => BTreeSet::from([username]),
        false => home.rows_like(username).iter().map(|row| &*home.rows[*row].username).collect(),
    }
}

/// The end of every password entry that leads to a user through one of these credentials. An entry that leads to somebody
/// else of the same name stays theirs.
pub fn remove_rows(reader: &dyn Reader, home: &Home, credentials: &[usize]) -> Result<Vec<Change>> {
    let own = credentials.iter().filter(|own| !matches!(sign_in::path(home, **own), sign_in::Path::Shadowed(_)));
    let names = own.flat_map(|own| spellings(home, &home.credentials[*own].username)).collect();
    Ok(rows(reader, &names)?.into_iter().map(removed_row).collect())
}

/// The end of one password entry.
pub fn removed_row((key, password): (Key, Value)) -> Change {
    let before = Record::new().with("/username", key.fields.text("/username")).with("/password", password);
    delete(ROWS, key, before)
}

/// A whole record of a list, as it is.
pub fn whole(reader: &dyn Reader, collection: &str, id: &str) -> Result<Option<Record>> {
    reader.first(Select::from(collection, [""]).filter(Filter::eq("/id", id)))
}

/// The end of a record that is named by its id.
pub fn remove(reader: &dyn Reader, collection: &str, id: &str) -> Result<Option<Change>> {
    let before = whole(reader, collection, id)?;
    Ok(before.map(|before| delete(collection, Record::new().with("/id", id), before)))
}

/// An entry whose name differs from its credential's in letters only, while names are compared exactly: it gets the
/// credential's name. A second entry beside it would keep the exact comparison switched on for good.
fn adopt(context: &Context<'_>, request: &Request, stored: &str, username: &str) -> Result<Vec<Change>> {
    let found = rows(context.reader, &BTreeSet::from([stored]))?;
    let hash = schema::hash(context, request)?;
    let changed = |(key, before)| {
        let fields = [("/username", stored.into(), username.into()), ("/password", before, hash.as_str().into())];
        update(ROWS, key, fields)
    };
    Ok(found.into_iter().filter_map(changed).collect())
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
