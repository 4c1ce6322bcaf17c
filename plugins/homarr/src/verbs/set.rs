//! `user set`: e-mail, groups, administrator rights, and the way of signing in.

use super::membership::{
    self, groups_named, keep_an_admin_without, leave, refuse_while_all_are_admins, tell_of_admin_groups,
    tell_of_leaving,
};
use super::reset::{converted, refuse_shared_name};
use super::{Instance, effective_at_once, member, row_of};
use crate::email;
use crate::groups::{self, Group};
use crate::last_admin::{self, Moment};
use crate::report::total;
use crate::schema::{self, API_KEY, CREDENTIALS, USER};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Change, Context, Error, Filter, Kind, Plan, Request, Result, Value, purge, update};

/// Plans the changes that the keys ask for.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, a value Homarr would not take, or nobody would be left to
/// administer.
pub fn set(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let homarr = Instance::load(context, request)?;
    let logins = Logins::of(&homarr.accounts);
    let i = logins.find(request.target()?)?;
    let person = &homarr.accounts.people[i];
    let mut plan = Plan::new(format!("Change `{}`", person.label())).about(&person.id, person.name());
    let mut changes = Vec::new();
    let mut fields = Vec::new();
    plan = new_email(&homarr, i, plan, &mut fields)?;
    plan = new_provider(&homarr, &logins, i, plan, &mut fields)?;
    changes.extend(update(USER, schema::by_id(&person.id), fields));
    plan = new_groups(&homarr, &logins, i, plan, &mut changes)?;
    if request.options.tokens {
        let mine = Filter::eq("user_id", &person.id);
        let keys = total(homarr.reader, API_KEY, "user_id", &mine)?;
        changes.extend(purge(API_KEY, mine, keys));
    }
    if changes.is_empty() {
        plan.summary = format!("`{}` is so already", person.label());
        return Ok(plan);
    }
    Ok(effective_at_once(plan.step(changes)))
}

type Fields = Vec<(&'static str, Value, Value)>;

fn new_email(homarr: &Instance<'_>, i: usize, mut plan: Plan, fields: &mut Fields) -> Result<Plan> {
    let Some(typed) = homarr.request.keys.get("email") else { return Ok(plan) };
    let person = &homarr.accounts.people[i];
    let email = email::accepted(typed)?;
    if email == person.email {
        return Ok(plan);
    }
    fields.push(("email", Value::from(person.email.clone()), Value::from(email.clone())));
    if homarr.layout.verifies_email {
        // As in Homarr itself: a new address is not a verified one.
        let row = row_of(homarr.reader, &person.id, vec!["email_verified".to_owned()])?;
        fields.push(("email_verified", row.get("email_verified").cloned().unwrap_or_default(), Value::Null));
    }
    if person.provider == "ldap" {
        plan = plan.warn(
            "Homarr knows LDAP accounts by their e-mail address: unless LDAP has the new one, the next sign-in makes a \
             second account",
        );
    }
    Ok(email::warn_of_shared(plan, &homarr.accounts, email.as_deref(), Some(i)))
}

/// Turns an account of OIDC or LDAP into one that may have a password.
fn new_provider(
    homarr: &Instance<'_>,
    logins: &Logins<'_>,
    i: usize,
    mut plan: Plan,
    fields: &mut Fields,
) -> Result<Plan> {
    let person = &homarr.accounts.people[i];
    match homarr.request.keys.get("provider").map(String::as_str) {
        None => return Ok(plan),
        Some(CREDENTIALS) if person.is_local() => return Ok(plan),
        Some(CREDENTIALS) => {}
        Some(_) => {
            let message = "an account can only be turned into one with a password: provider=credentials";
            let help = "OIDC and LDAP accounts are made by their first sign-in";
            return Err(Error::new(Kind::Usage, message).help(help));
        }
    }
    refuse_shared_name(logins, i)?;
    fields.push(("provider", Value::from(&*person.provider), Value::from(CREDENTIALS)));
    let mut after = homarr.accounts.clone();
    after.people[i].provider = CREDENTIALS.into();
    let after = Logins::of(&after);
    let admins = homarr.admins()?;
    let (was, is) = (Moment { logins, admins: &admins }, Moment { logins: &after, admins: &admins });
    plan.warnings.extend(last_admin::keep(&was, &is, i, homarr.request)?);
    plan = plan.warn(converted(person));
    Ok(super::warn_of_reasons(plan, &after, i))
}

fn new_groups(
    homarr: &Instance<'_>,
    logins: &Logins<'_>,
    i: usize,
    mut plan: Plan,
    changes: &mut Vec<Change>,
) -> Result<Plan> {
    let person = &homarr.accounts.people[i];
    let keys = &homarr.request.keys;
    let named = |key: &str| keys.get(key).map(|names| groups_named(homarr, names)).transpose();
    let (joins, mut leaves) = (named("group")?.unwrap_or_default(), named("leave-group")?.unwrap_or_default());
    let asked = keys.get("admin").map(String::as_str);
    if joins.is_empty() && leaves.is_empty() && asked.is_none() {
        return Ok(plan);
    }
    let mine = groups::of_account(homarr.reader, &homarr.groups, &person.id)?;
    let is_in = |groups: &[&Group], group: &Group| groups.iter().any(|other| other.id == group.id);
    if asked == Some("no") {
        refuse_while_all_are_admins(homarr)?;
        leaves.extend(mine.iter().copied().filter(|group| group.admin));
    }
    if let Some(both) = joins.iter().find(|group| is_in(&leaves, group)) {
        return Err(Error::new(Kind::Usage, format!("the account cannot both join and leave `{}`", both.name)));
    }
    let left: Vec<&Group> = mine.iter().copied().filter(|group| is_in(&leaves, group)).collect();
    let joined: Vec<&Group> = joins.into_iter().filter(|group| !is_in(&mine, group)).collect();
    let stays_admin = mine.iter().filter(|group| !is_in(&left, group)).chain(&joined).any(|group| group.admin);
    let admins = homarr.admins()?;
    if admins.contains(&i) && !stays_admin && asked != Some("yes") && !homarr.groups.all_are_admins() {
        plan.warnings.extend(keep_an_admin_without(logins, &admins, i, homarr.request)?);
    }
    changes.extend(left.iter().map(|group| leave(group, &person.id)));
    changes.extend(joined.iter().map(|group| member(&group.id, &person.id)));
    plan = tell_of_leaving(plan, &left, person);
    if asked == Some("yes") && !stays_admin {
        plan = membership::join_admins(homarr, &person.id, &left, plan, changes)?;
    } else if asked != Some("yes") {
        plan = tell_of_admin_groups(plan, &joined);
    }
    match joined.is_empty() && asked != Some("yes") {
        true => Ok(plan),
        false => Ok(membership::warn_of_group_sync(plan, person)),
    }
}
