//! Copies of an account's name, in its sign-ins and in the clients that act for it: they follow a new name, since
//! PhotoPrism lists and finds both by them, and writes those of clients anew only with another account.

use crate::schema::{CLIENTS, Layout, SESSIONS};
use crate::sessions::{self, Sort};
use latchlift_plugin_api::{Change, Filter, Options, Reader, Record, Result, Select, Time, Value, update};
use std::collections::BTreeMap;

/// New names by the accounts' uids.
pub type Names<'n> = BTreeMap<&'n str, &'n str>;

/// The new name in each copy of it, but for sign-ins that `end` in the same plan.
///
/// # Errors
/// The store's.
pub fn renamed(
    reader: &dyn Reader,
    layout: &Layout,
    names: &Names<'_>,
    now: Time,
    end: impl Fn(Sort) -> bool,
) -> Result<Vec<Change>> {
    let mut changes = of_sign_ins(reader, layout, names, end)?;
    changes.extend(of_clients(reader, layout, names, now)?);
    Ok(changes)
}

/// The most accounts whose rows are asked for; for more, each table is read once.
const FEW: usize = 20;

fn whose(names: &Names<'_>) -> Filter {
    match names.len() {
        ..=FEW => Filter::is_in("user_uid", names.keys().copied()),
        _ => Filter::All,
    }
}

/// The sign-ins that a new password ends with these options.
pub fn ended_by_password(options: &Options) -> impl Fn(Sort) -> bool {
    let (browser, tokens) = (!options.keep_sessions, options.tokens);
    move |sort| match sort {
        Sort::Browser => browser,
        Sort::AppPassword | Sort::Child => tokens,
        Sort::Client | Sort::Access | Sort::Visitor => false,
    }
}

fn of_sign_ins(
    reader: &dyn Reader,
    layout: &Layout,
    names: &Names<'_>,
    end: impl Fn(Sort) -> bool,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    if layout.sessions.iter().any(|column| column == "user_name") {
        let columns = ["id", "user_uid", "user_name", "auth_provider", "auth_method"];
        reader.each(Select::from(SESSIONS, columns).filter(whose(names)), |row| {
            if !end(sessions::sort(&row)) {
                changes.extend(follows(&row, (SESSIONS, "id"), names, vec![]));
            }
            Ok(())
        })?;
    }
    Ok(changes)
}

fn of_clients(reader: &dyn Reader, layout: &Layout, names: &Names<'_>, now: Time) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let columns = ["client_uid", "user_uid", "user_name", "updated_at"];
    if columns.iter().all(|name| layout.clients.iter().any(|column| column == name)) {
        reader.each(Select::from(CLIENTS, columns).filter(whose(names)), |row| {
            let updated = row.get("updated_at").cloned().unwrap_or_default();
            let touched = ("updated_at", updated, layout.time(now));
            changes.extend(follows(&row, (CLIENTS, "client_uid"), names, vec![touched]));
            Ok(())
        })?;
    }
    Ok(changes)
}

fn follows(
    row: &Record,
    (table, key): (&str, &str),
    names: &Names<'_>,
    mut fields: Vec<(&str, Value, Value)>,
) -> Option<Change> {
    let field = |name: &str| row.get(name).cloned().unwrap_or_default();
    let name = names.get(row.text("user_uid")?.as_str())?;
    if row.text("user_name").as_deref() == Some(name) {
        return None;
    }
    fields.insert(0, ("user_name", field("user_name"), Value::from(*name)));
    update(table, Record::new().with(key, field(key)), fields)
}
