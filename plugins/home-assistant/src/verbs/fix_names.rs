//! `user fix-names`.

use super::START;
use super::records;
use crate::accounts::candidate;
use crate::home::Home;
use crate::names::{is_legacy, is_normal, normalise};
use crate::schema::{CREDENTIALS, PROVIDER, ROWS};
use crate::sign_in::title;
use latchlift_plugin_api::{
    Candidate, Change, Context, Error, Key, Kind, Plan, Record, Request, Result, Value, delete, update,
};
use std::collections::{BTreeSet, HashMap};

/// Plans to write every name as it is compared, in the password entries first: that ends the exact comparison, after which
/// the credentials are found in either spelling. Of entries that are equal already only the last stays, which is the one
/// the login asks; the others alone would keep the exact comparison alive.
///
/// # Errors
/// Two names would become one.
pub fn fix_names(context: &Context<'_>, _: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let clashes = clashes(&home);
    if !clashes.is_empty() {
        let message = "some names differ only in letter case or outer white space and would become one";
        let help = "settle which of them stays: latchlift user show NAME, then password reset or remove the other";
        return Err(Error { candidates: clashes, ..Error::new(Kind::Conflict, message).help(help) });
    }
    let rows = row_changes(context, &home)?;
    let own = (0..home.credentials.len()).filter(|credential| *home.credentials[*credential].provider == *PROVIDER);
    let unusual: Vec<usize> = own.filter(|own| !is_normal(&home.credentials[*own].username)).collect();
    let credentials: Vec<Change> = unusual.iter().filter_map(|credential| rename(&home, *credential)).collect();
    if rows.is_empty() && credentials.is_empty() {
        return Ok(Plan::new("All names are stored as they are compared"));
    }
    let mut plan = Plan::new(summary(&home));
    for credential in unusual {
        let known = &home.credentials[credential];
        plan = plan.about(&*home.users[known.user].id, normalise(&known.username));
    }
    Ok(plan.step(rows).step(credentials).then(START))
}

fn summary(home: &Home) -> String {
    let rows = home.rows.iter().map(|row| &*row.username);
    let own = home.credentials.iter().filter(|known| *known.provider == *PROVIDER);
    let names: BTreeSet<&str> = rows.chain(own.map(|known| &*known.username)).filter(|name| !is_normal(name)).collect();
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{name}` to `{}`", normalise(name))).collect();
    match (names.len(), names.len().saturating_sub(shown.len())) {
        (0, _) => "Remove password entries that are there twice".to_owned(),
        (_, 0) => format!("Rewrite names: {}", shown.join(", ")),
        (_, more) => format!("Rewrite names: {} and {more} more", shown.join(", ")),
    }
}

/// The users and password entries that would get the same name as another.
fn clashes(home: &Home) -> Vec<Candidate> {
    let mut spellings: HashMap<String, BTreeSet<&str>> = HashMap::new();
    for row in &home.rows {
        spellings.entry(normalise(&row.username)).or_default().insert(&row.username);
    }
    let own = home.credentials.iter().filter(|known| *known.provider == *PROVIDER);
    let mut users: HashMap<String, BTreeSet<usize>> = HashMap::new();
    own.for_each(|known| _ = users.entry(normalise(&known.username)).or_default().insert(known.user));

    let mut clashes = vec![];
    let mut names: Vec<&String> = spellings.keys().chain(users.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let rows = spellings.get(name).cloned().unwrap_or_default();
        let users = users.get(name).cloned().unwrap_or_default();
        if rows.len() < 2 && users.len() < 2 {
            continue;
        }
        clashes.extend(users.iter().map(|user| candidate(home, *user)));
        let claimed = |row: &str| users.iter().any(|user| has_name(home, *user, row));
        clashes.extend(rows.iter().filter(|row| !claimed(row)).map(|row| Candidate {
            name: (*row).to_owned(),
            provider: PROVIDER.to_owned(),
            note: "a password entry that is no user's letter by letter".to_owned(),
            ..Candidate::default()
        }));
    }
    clashes
}

fn has_name(home: &Home, user: usize, name: &str) -> bool {
    home.password_credentials(user).any(|credential| *home.credentials[credential].username == *name)
}

fn row_changes(context: &Context<'_>, home: &Home) -> Result<Vec<Change>> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    home.rows.iter().for_each(|row| *counts.entry(&row.username).or_default() += 1);
    let changing = counts.iter().filter(|(name, count)| **count > 1 || !is_normal(name)).map(|(name, _)| *name);
    let changing: BTreeSet<&str> = changing.collect();
    if changing.is_empty() {
        return Ok(vec![]);
    }
    let found = records::rows(context.reader, &changing)?.into_iter();
    Ok(found
        .filter_map(|(key, password)| {
            let name = key.fields.text("/username").unwrap_or_default();
            let last = counts.get(name.as_str()).is_none_or(|count| key.ordinal + 1 == *count);
            match last {
                true => update(ROWS, key, [("/username", name.as_str().into(), normalise(&name).into())]),
                false => {
                    let before = Record::new().with("/username", name).with("/password", password);
                    Some(delete(ROWS, key, before))
                }
            }
        })
        .collect())
}

fn rename(home: &Home, credential: usize) -> Option<Change> {
    let known = &home.credentials[credential];
    let key = Record::new().with("/id", &*known.id);
    let fixed = normalise(&known.username);
    update(CREDENTIALS, key, [("/data/username", Value::from(&*known.username), fixed.into())])
}

/// Adds the rewriting of one name to a plan's changes of its password entries, and gives the change of its credential,
/// which comes in a later step.
pub fn mend(home: &Home, credential: usize, rows: &mut [Change]) -> std::result::Result<Option<Change>, String> {
    let known = &home.credentials[credential];
    let fixed = normalise(&known.username);
    if let Some(other) = home.users_like(&fixed).iter().find(|user| **user != known.user) {
        return Err(format!("{} has the same name in other letters", title(home, *other)));
    }
    let stored = |row: &usize| &home.rows[*row].username;
    if home.names.legacy && home.rows_like(&fixed).iter().any(|row| *stored(row) != known.username) {
        return Err("another password entry has the same name in other letters".to_owned());
    }
    // Between the two files the credential is found in its old spelling only if names are not compared exactly.
    let renamed =
        home.rows.iter().map(|row| if row.username == known.username { fixed.as_str() } else { &row.username });
    if home.names.legacy && is_legacy(renamed) {
        return Err("other names still have to be typed exactly; latchlift user fix-names rewrites all".to_owned());
    }
    rows.iter_mut().for_each(|change| rewrite(change, &fixed));
    Ok(rename(home, credential))
}

fn rewrite(change: &mut Change, fixed: &str) {
    match change {
        Change::Update { key: Key { fields, .. }, before, after, .. } => {
            let stored = fields.text("/username").unwrap_or_default();
            after.0.retain(|(field, _)| field != "/username");
            before.0.retain(|(field, _)| field != "/username");
            if stored != fixed {
                before.0.insert(0, ("/username".to_owned(), stored.into()));
                after.0.insert(0, ("/username".to_owned(), fixed.into()));
            }
        }
        Change::Insert { after, .. } => {
            after.0.iter_mut().filter(|(field, _)| field == "/username").for_each(|(_, value)| *value = fixed.into());
        }
        _ => {}
    }
}
