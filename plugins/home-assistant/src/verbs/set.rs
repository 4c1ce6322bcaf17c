//! `user set`.

use super::START;
use super::add::refuse_without_groups;
use super::last_admin::refuse_if_last;
use super::reset::of_the_app;
use super::{people, records};
use crate::accounts;
use crate::groups::role_group;
use crate::home::{Home, User};
use crate::names::strip;
use crate::schema::{ADMINS, FIXED_GROUPS};
use crate::sessions;
use crate::sign_in::{command_text, title};
use latchlift_plugin_api::{Change, Context, Error, Plan, Request, Result, Value};

/// Plans other properties for a user: the name shown, the role, whether it may sign in, and from where.
///
/// # Errors
/// No account or several answer to the name, it is the app's own, or the last administrator would lose the rights.
pub fn set(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?.with_people(context.reader)?;
    let user = accounts::find(&home, request.target()?)?;
    let known = &home.users[user];
    if known.system {
        return Err(of_the_app(&home, user));
    }
    let switched_off = request.keys.get("active").is_some_and(|value| value == "no") && known.active;
    let values = values(&home, user, request)?;
    let loses_rights = values.iter().any(|(field, _)| *field == "/group_ids") && !stays_admin(request);
    if switched_off || (loses_rights && home.in_admins(known)) {
        refuse_if_last(&home, user, &request.options)?;
    }
    let mut auth = vec![];
    if switched_off {
        auth.extend(sessions::end_all(context.reader, &known.id, &request.options)?);
    }
    auth.extend(records::set_user(context.reader, &known.id, values)?);
    let person = person(context, request, &home, user)?;
    let name = accounts::name(&home, user).map_or_else(|| title(&home, user), str::to_owned);
    if auth.is_empty() && person.is_empty() {
        return Ok(Plan::new(format!("`{name}` is so already")));
    }
    let plan = Plan::new(format!("Change `{name}`")).about(&*known.id, name);
    Ok(warn(plan.step(auth).step(person).then(START), &home, user, request))
}

fn stays_admin(request: &Request) -> bool {
    request.keys.get("role").is_none_or(|role| role == "admin")
}

/// The fields that differ. Older releases do not write all of them, so what is as wanted is left out.
fn values<'a>(home: &Home, user: usize, request: &Request) -> Result<Vec<(&'a str, Value)>> {
    let known = &home.users[user];
    let mut values = vec![];
    if let Some(shown) = request.keys.get("display-name") {
        let shown = Some(strip(shown)).filter(|shown| !shown.is_empty());
        if shown != known.display.as_deref() {
            values.push(("/name", shown.into()));
        }
    }
    if let Some(role) = request.keys.get("role") {
        let group = role_group(role)?;
        refuse_without_groups(home, group)?;
        if known.owner && group != ADMINS {
            let message = format!("{} is an owner, whose rights no role limits", title(home, user));
            let command = command_text(home, &["admin", "revoke"], user);
            return Err(Error::refused(message, None).help(format!("to take them: `latchlift {command}`")));
        }
        let wanted = groups_with(home, known, group);
        let all_known = home.group_ids(known).iter().all(|id| home.groups.knows(id));
        if !(group == ADMINS && home.in_admins(known) && all_known) && wanted != home.group_ids(known) {
            values.push(("/group_ids", list(wanted)));
        }
    }
    for (key, field, is) in [("active", "/is_active", known.active), ("local-only", "/local_only", known.local_only)] {
        if let Some(wanted) = request.keys.get(key).map(|value| value == "yes").filter(|wanted| *wanted != is) {
            values.push((field, wanted.into()));
        }
    }
    Ok(values)
}

/// The user's groups with another of the fixed ones; groups of one's own stay, but for those that do not exist.
pub fn groups_with(home: &Home, known: &User, group: &str) -> Vec<String> {
    let fixed = |id: &&String| FIXED_GROUPS.contains(&id.as_str()) || home.groups.is_admins(id);
    let own = home.group_ids(known).iter().filter(|id| !fixed(id) && home.groups.knows(id)).cloned();
    std::iter::once(group.to_owned()).chain(own).collect()
}

/// Groups as the store keeps them.
pub fn list(groups: Vec<String>) -> Value {
    Value::List(groups.into_iter().map(Value::from).collect())
}

fn person(context: &Context<'_>, request: &Request, home: &Home, user: usize) -> Result<Vec<Change>> {
    let known = &home.users[user];
    match request.keys.get("person").map(String::as_str) {
        Some("yes") if known.person.is_none() => {
            let shown = request.keys.get("display-name").map(|shown| strip(shown)).filter(|shown| !shown.is_empty());
            let shown = shown.or(known.display.as_deref()).or_else(|| accounts::name(home, user)).unwrap_or("Person");
            Ok(vec![people::new(context.reader, home, &known.id, shown)?])
        }
        Some("no") => people::unlink(context.reader, home, &known.id),
        _ => Ok(vec![]),
    }
}

fn warn(mut plan: Plan, home: &Home, user: usize, request: &Request) -> Plan {
    let known = &home.users[user];
    let is = |key: &str, wanted: &str| request.keys.get(key).is_some_and(|value| value == wanted);
    if is("active", "no") && known.active && request.options.keep_sessions {
        plan = plan.warn("who is signed in is kept out as long as the user is not active, and is back in afterwards");
    }
    if is("local-only", "yes") && home.is_admin(known) {
        plan =
            plan.warn("an administrator who is only accepted from the local network is easily locked out by a proxy");
    }
    if is("role", "admin") && !known.active && !is("active", "yes") {
        plan = plan.warn("the user is not active, so the role has no effect until it is");
    }
    plan
}
