//! `user fix-names`.

use crate::find;
use crate::names;
use crate::schema::{self, Layout, USERS};
use latchlift_plugin_api::{
    Candidate, Change, Context, Error, Filter, Kind, Plan, Reader, Record, Request, Result, Select, Value, update,
};
use std::collections::{HashMap, HashSet};

struct Named {
    id: Value,
    name: String,
    deleted: bool,
    updated: Value,
}

/// Plans names as the login looks for them, for all accounts that are not deleted; nothing where two would collide.
///
/// # Errors
/// Two accounts would have the same name; the store's.
pub fn fix(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    let (all, mut warnings) = (read(context.reader)?, vec![]);
    let mut changes = Vec::new();
    let mut renamed = HashSet::new();
    for user in all.iter().filter(|user| !user.deleted) {
        let wanted = names::clean(&user.name);
        if wanted.is_empty() && !user.name.is_empty() {
            warnings.push(format!(
                "`{}` has nothing in it that the login would look for; it needs another name",
                user.name
            ));
        } else if wanted != user.name {
            changes.extend(change(&layout, user, &wanted, request));
            renamed.insert(wanted);
        }
    }
    collisions(context, &layout, &all, &renamed, request)?;
    warnings.extend(duplicates(&all));
    let summary = match changes.len() {
        0 => "All names are as the login looks for them".to_owned(),
        1 => "Write 1 name as the login looks for it".to_owned(),
        n => format!("Write {n} names as the login looks for them"),
    };
    let mut plan = Plan::new(summary).step(changes);
    plan.warnings = warnings;
    Ok(plan)
}

fn read(reader: &dyn Reader) -> Result<Vec<Named>> {
    let mut all = Vec::new();
    let query = Select::from(USERS, ["id", "user_name", "deleted_at", "updated_at"]).order(["id"]);
    reader.each_row(query, |row| {
        let Ok([id, name, deleted, updated]) = <[Value; 4]>::try_from(row) else { return Ok(()) };
        if id.as_int().is_some_and(|id| id > 0) {
            let deleted = deleted.as_str().and_then(latchlift_plugin_api::Time::parse).is_some();
            all.push(Named { id, name: name.to_text().unwrap_or_default(), deleted, updated });
        }
        Ok(())
    })?;
    Ok(all)
}

fn change(layout: &Layout, user: &Named, wanted: &str, request: &Request) -> Option<Change> {
    let name = ("user_name", Value::from(&user.name), Value::from(wanted));
    let touched = ("updated_at", user.updated.clone(), layout.time(request.now));
    update(USERS, Record::new().with("id", user.id.clone()), [name, touched])
}

/// Names that several accounts have already: the login only ever finds the first.
fn duplicates(all: &[Named]) -> Vec<String> {
    let mut count: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for user in all.iter().filter(|user| !user.deleted && !user.name.is_empty()) {
        *count.entry(names::clean(&user.name)).or_default() += 1;
    }
    let several = count.into_iter().filter(|(_, n)| *n > 1);
    several
        .map(|(name, n)| format!("{n} accounts are called `{name}`; the login finds only the one with the lowest id"))
        .collect()
}

/// A name that more than one account would have: whoever comes first would be found, the others never. Deleted accounts
/// count, since the login meets them, too.
fn collisions(
    context: &Context<'_>,
    layout: &Layout,
    all: &[Named],
    renamed: &HashSet<String>,
    request: &Request,
) -> Result<()> {
    let mut meant: HashMap<String, Vec<i64>> = HashMap::new();
    for user in all {
        let wanted = names::clean(&user.name);
        if renamed.contains(&wanted) {
            meant.entry(wanted).or_default().extend(user.id.as_int());
        }
    }
    meant.retain(|_, ids| ids.len() > 1);
    if meant.is_empty() {
        return Ok(());
    }
    let mut names: Vec<&str> = meant.keys().map(String::as_str).collect();
    names.sort_unstable();
    let message = format!(
        "several accounts would be called {}",
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    );
    let help = "rename or remove all but one of each first; an account is named by its id with --id";
    let ids = meant.into_values().flatten();
    let users = find::users(context.reader, layout, Filter::is_in("id", ids))?;
    let candidates: Result<Vec<Candidate>> =
        users.iter().map(|user| find::candidate(context.reader, layout, user, request.now)).collect();
    Err(Error { candidates: candidates?, ..Error::new(Kind::Conflict, message).help(help) })
}
