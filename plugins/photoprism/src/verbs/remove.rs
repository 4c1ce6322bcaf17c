//! `user remove` and `user purge`.

use super::{RESTART, refuse_system, typed};
use crate::edit::Edit;
use crate::find;
use crate::holdings;
use crate::schema::{
    self, ADMIN_ID, CLIENTS, DETAILS, LEGACY, Layout, PASSCODES, PASSWORDS, SESSIONS, SETTINGS, SHARES, USERS,
};
use crate::user::User;
use crate::{admins, sessions};
use latchlift_plugin_api::{Change, Context, Filter, Plan, Reader, Record, Request, Result, Select, delete, purge};

/// Plans the removal of an account as PhotoPrism does it: marked as deleted, signed out everywhere.
///
/// # Errors
/// The account is not found, or PhotoPrism's own, or the last administrator who can sign in.
pub fn remove(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let user = one(reader, &layout, request)?;
    if user.deleted_at.is_some() {
        return Ok(Plan::new(format!("{} is deleted already", user.label())));
    }
    let mut edit = Edit::of(reader, &layout, &user)?;
    edit.set("deleted_at", layout.time(request.now));
    let mut changes: Vec<Change> = edit.change(request.now).into_iter().collect();
    let ended = signed_in(reader, &layout, &Filter::eq("user_uid", &user.uid), request)?;
    changes.extend(ended);
    let plan = Plan::new(format!("Remove the account {}", user.label())).about(&user.uid, &user.name);
    let mut plan = plan.step(changes).then(RESTART);
    plan = plan.warn(format!(
        "the name {} stays taken, and password, role and second factor are kept; bring it all back with {}, or make the \
         name free for good with {}",
        user.label(),
        typed(&["user", "restore", "--id", &user.uid]),
        typed(&["user", "purge", "--id", &user.uid])
    ));
    let clients = clients(reader, &layout, &user)?;
    if !clients.is_empty() {
        plan = plan.warn(format!(
            "{} not removed, though acting for it: see `latchlift client list`",
            counted(clients.len(), "client")
        ));
    }
    if user.id == ADMIN_ID {
        plan = plan.warn("this is the initial administrator; PhotoPrism makes no other while its row is there");
    }
    Ok(plan)
}

/// Plans the end of everything PhotoPrism keeps about an account but its pictures.
///
/// # Errors
/// As [`remove`].
pub fn purge_account(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let user = one(reader, &layout, request)?;
    // Sign-ins first: whoever is signed in must not outlive the account.
    let mut changes = signed_in(reader, &layout, &Filter::eq("user_uid", &user.uid), request)?;
    let clients = clients(reader, &layout, &user)?;
    for client in &clients {
        changes.extend(client_rows(reader, &layout, client, Some(&user.uid), request)?);
    }
    for (table, owner, key) in [
        (PASSCODES, "uid", &["uid", "key_type"][..]),
        (PASSWORDS, "uid", &["uid"]),
        (SHARES, "user_uid", &["user_uid", "share_uid"]),
        (SETTINGS, "user_uid", &["user_uid"]),
        (DETAILS, "user_uid", &["user_uid"]),
    ] {
        changes.extend(rows_of(reader, table, owner, key, &user.uid)?);
    }
    let row = find::record(reader, &layout, &user)?;
    changes.push(delete(USERS, key_of(&row, &["id"]), row));
    let plan = Plan::new(format!("Remove everything about the account {} but its pictures", user.label()));
    let mut plan = plan.about(&user.uid, &user.name).step(changes).then(RESTART);
    if !clients.is_empty() {
        plan = plan.warn(format!("{} removed with it, since acting for it", counted(clients.len(), "client")));
    }
    if user.id == ADMIN_ID {
        plan = plan.warn(initial(reader)?);
    }
    Ok(plan)
}

/// What PhotoPrism does at its next start when row 1 is gone.
fn initial(reader: &dyn Reader) -> Result<String> {
    let legacy = reader.column_names(LEGACY)?.iter().any(|column| column == "user_uid");
    let from = if legacy { ", under the id and name that the old table `users` has" } else { "" };
    Ok(format!(
        "this is the initial administrator: PhotoPrism makes a new one when it starts{from}, with the password of \
         PHOTOPRISM_ADMIN_PASSWORD, or with none"
    ))
}

fn one(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<User> {
    let found = find::find(reader, layout, request.target()?, request.now)?;
    refuse_system(&found.user)?;
    let had = holdings::of(reader, layout, &found.user, found.alone, request.now)?;
    admins::keep_one(reader, layout, (&found.user, &had), None, request)?;
    Ok(found.user)
}

/// The end of all sign-ins that match, app passwords and client tokens among them.
pub fn signed_in(reader: &dyn Reader, layout: &Layout, filter: &Filter, request: &Request) -> Result<Vec<Change>> {
    let rows = sessions::rows(reader, layout, filter.clone(), request.now)?;
    Ok(purge(SESSIONS, filter.clone(), rows.len() as u64).into_iter().collect())
}

/// The whole rows of the clients that act for an account.
pub fn clients(reader: &dyn Reader, layout: &Layout, user: &User) -> Result<Vec<Record>> {
    if layout.clients.is_empty() {
        return Ok(vec![]);
    }
    let query = Select::from(CLIENTS, layout.clients.iter()).filter(Filter::eq("user_uid", &user.uid));
    reader.all(query.order(["client_uid"]))
}

/// The end of a client with its secret and its tokens; those of the account `gone` have ended before.
pub fn client_rows(
    reader: &dyn Reader,
    layout: &Layout,
    client: &Record,
    gone: Option<&str>,
    request: &Request,
) -> Result<Vec<Change>> {
    let uid = client.text("client_uid").unwrap_or_default();
    let mine = Filter::eq("client_uid", &uid);
    let rows = sessions::rows(reader, layout, mine.clone(), request.now)?;
    let rest = rows.iter().filter(|row| gone != Some(row.uid.as_str())).count();
    let mut changes: Vec<Change> = purge(SESSIONS, mine, rest as u64).into_iter().collect();
    changes.extend(rows_of(reader, PASSWORDS, "uid", &["uid"], &uid)?);
    changes.push(delete(CLIENTS, key_of(client, &["client_uid"]), client.clone()));
    Ok(changes)
}

fn rows_of(reader: &dyn Reader, table: &str, owner: &str, key: &[&str], uid: &str) -> Result<Vec<Change>> {
    let columns = reader.column_names(table)?;
    if !key.iter().all(|field| columns.iter().any(|column| column == field)) {
        return Ok(vec![]);
    }
    let rows = reader.all(Select::from(table, columns).filter(Filter::eq(owner, uid)).order(key.iter().copied()))?;
    Ok(rows.into_iter().map(|row| delete(table, key_of(&row, key), row)).collect())
}

fn key_of(row: &Record, fields: &[&str]) -> Record {
    fields.iter().fold(Record::new(), |key, field| key.with(*field, row.get(field).cloned().unwrap_or_default()))
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what} is") } else { format!("{n} {what}s are") }
}
