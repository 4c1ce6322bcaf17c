//! `user fix-names`.

use super::copies;
use crate::find;
use crate::names;
use crate::schema::{self, Layout, USERS};
use latchlift_plugin_api::{
    Candidate, Change, Context, Error, Filter, Kind, Plan, Reader, Record, Request, Result, Select, Value, update,
};
use std::collections::{BTreeMap, HashMap, HashSet};

struct Named {
    id: Value,
    uid: String,
    name: String,
    deleted: bool,
    updated: Value,
}

/// Plans names as the login looks for them, for all accounts that are not deleted or for one; nothing where two would
/// collide, unless it is said which of them keeps the name.
///
/// # Errors
/// Two accounts would have the same name; an account is not found; the store's.
pub fn fix(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    let only = meant(context, &layout, request)?;
    let (all, mut warnings) = (read(context.reader)?, vec![]);
    let mut goals = stepping_aside(&all, request)?;
    for (at, user) in all.iter().enumerate() {
        let wanted = names::clean(&user.name);
        if user.deleted
            || goals.contains_key(&at)
            || only.as_ref().is_some_and(|ids| !user.id.as_int().is_some_and(|id| ids.contains(&id)))
        {
            continue;
        }
        if wanted.is_empty() && !user.name.is_empty() {
            warnings.push(format!(
                "`{}` has nothing in it that the login would look for; it needs another name",
                user.name
            ));
        } else if wanted != user.name {
            goals.insert(at, wanted);
        }
    }
    collisions(context, &layout, &all, &goals, request)?;
    let mut changes: Vec<Change> =
        goals.iter().filter_map(|(at, name)| change(&layout, &all[*at], name, request)).collect();
    let names: copies::Names<'_> = goals.iter().map(|(at, name)| (all[*at].uid.as_str(), name.as_str())).collect();
    let copies = copies::renamed(context.reader, &layout, &names, request.now, |_| false)?;
    warnings.extend(duplicates(&all, &goals));
    let summary = match changes.len() {
        0 => "All names are as the login looks for them".to_owned(),
        1 => "Write 1 name as the login looks for it".to_owned(),
        n => format!("Write {n} names as the login looks for them"),
    };
    changes.extend(copies);
    let mut plan = Plan::new(summary).step(changes);
    plan.warnings = warnings;
    for (at, name) in goals {
        plan = plan.about(&all[at].uid, name);
    }
    Ok(plan)
}

/// The rows that are meant, where not all are. A name may mean several once it is said which of them keeps it.
fn meant(context: &Context<'_>, layout: &Layout, request: &Request) -> Result<Option<Vec<i64>>> {
    let Some(target) = &request.target else { return Ok(None) };
    if request.options.keep.is_some() {
        let all = find::matching(context.reader, layout, target)?;
        if all.len() > 1 {
            return Ok(Some(all.iter().map(|user| user.id).collect()));
        }
    }
    Ok(Some(vec![find::find(context.reader, layout, target, request.now)?.user.id]))
}

/// New names by place in the list of accounts.
type Goals = BTreeMap<usize, String>;

/// Free names for the accounts that would share one with the account that keeps it; deleted ones too, since the login
/// meets them as well.
fn stepping_aside(all: &[Named], request: &Request) -> Result<Goals> {
    let Some(id) = &request.options.keep else { return Ok(Goals::new()) };
    let keeper = all.iter().position(|user| user.uid == *id).ok_or_else(|| Error::no_account(id))?;
    let wanted = names::clean(&all[keeper].name);
    let mut taken: HashSet<String> = all.iter().map(|user| names::clean(&user.name)).collect();
    let mut goals = Goals::new();
    for (at, user) in all.iter().enumerate() {
        if at != keeper && names::clean(&user.name) == wanted {
            let free =
                (2..).map(|n| names::numbered(&wanted, n)).find(|name| !taken.contains(name)).unwrap_or_default();
            taken.insert(free.clone());
            goals.insert(at, free);
        }
    }
    Ok(goals)
}

fn read(reader: &dyn Reader) -> Result<Vec<Named>> {
    let mut all = Vec::new();
    let query = Select::from(USERS, ["id", "user_uid", "user_name", "deleted_at", "updated_at"]).order(["id"]);
    reader.each_row(query, |row| {
        let Ok([id, uid, name, deleted, updated]) = <[Value; 5]>::try_from(row) else { return Ok(()) };
        if id.as_int().is_some_and(|id| id > 0) {
            let deleted = deleted.as_str().and_then(latchlift_plugin_api::Time::parse).is_some();
            let [uid, name] = [uid, name].map(|value| value.to_text().unwrap_or_default());
            all.push(Named { id, uid, name, deleted, updated });
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

/// Names that several accounts have already and go on to have: the login only ever finds the first.
fn duplicates(all: &[Named], goals: &Goals) -> Vec<String> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for (at, user) in all.iter().enumerate().filter(|(_, user)| !user.deleted && !user.name.is_empty()) {
        *count.entry(goals.get(&at).cloned().unwrap_or_else(|| names::clean(&user.name))).or_default() += 1;
    }
    let several = count.into_iter().filter(|(_, n)| *n > 1);
    several
        .map(|(name, n)| format!("{n} accounts are called `{name}`; the login finds only the one with the lowest id"))
        .collect()
}

/// A name that more than one account would have: whoever comes first would be found, the others never. Deleted accounts
/// count, since the login meets them, too.
fn collisions(context: &Context<'_>, layout: &Layout, all: &[Named], goals: &Goals, request: &Request) -> Result<()> {
    let renamed: HashSet<&String> = goals.values().collect();
    let mut meant: HashMap<String, Vec<i64>> = HashMap::new();
    for (at, user) in all.iter().enumerate() {
        let wanted = goals.get(&at).cloned().unwrap_or_else(|| names::clean(&user.name));
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
    let help = "say which one keeps the name with `latchlift user fix-names --keep ID`; the others get a free one";
    let ids = meant.into_values().flatten();
    let users = find::users(context.reader, layout, Filter::is_in("id", ids))?;
    let candidates: Result<Vec<Candidate>> =
        users.iter().map(|user| find::candidate(context.reader, layout, user, request.now)).collect();
    Err(Error { candidates: candidates?, ..Error::new(Kind::Conflict, message).help(help) })
}
