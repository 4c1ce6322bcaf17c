//! `user add`.

use super::membership::{self, groups_named};
use super::recreate::new_user;
use super::{Instance, effective_at_once, member, refuse_taken, warn_of_reasons, with_groups_named};
use crate::accounts::{Person, Stored};
use crate::email;
use crate::everybody;
use crate::names;
use crate::schema::{self, CREDENTIALS, HASH_COST, HASH_PREFIX};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Bcrypt, Change, Context, Plan, Request, Result, Value};

/// Plans a new account with a password, in `everyone` and in the groups asked for.
///
/// # Errors
/// The store's, an unknown layout, a name Homarr would not take or another account has, or no such group.
pub fn add(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let name = names::accepted(&request.target()?.name)?;
    let homarr = Instance::load(context, request)?;
    refuse_taken(&Logins::of(&homarr.accounts), &name, None)?;
    let mut plan = everybody::warned(Plan::new(format!("Add an account `{name}`")), homarr.reader, &homarr.layout)?;
    let hash =
        request.password.map(|handle| Bcrypt::hash(context.secrets, handle, HASH_PREFIX, HASH_COST)).transpose()?;
    let id = schema::new_id(&request.random);
    let mut changes = vec![new_user(&homarr.layout, &id, &name, hash.as_deref())];
    plan = with_email(&homarr, plan, &mut changes)?;
    plan = into_groups(&homarr, &id, plan, &mut changes)?;
    plan = match hash {
        Some(_) => plan.for_sign_in(&id, &name),
        None => plan.about(&id, &name),
    };
    let plan = with_groups_named(plan.step(changes), &homarr.groups);
    Ok(effective_at_once(foretold(homarr, plan, id, name, hash.is_some())))
}

fn with_email(homarr: &Instance<'_>, plan: Plan, changes: &mut [Change]) -> Result<Plan> {
    let Some(typed) = homarr.request.keys.get("email") else { return Ok(plan) };
    let email = email::accepted(typed)?;
    if let (Some(Change::Insert { after, .. }), Some(email)) = (changes.first_mut(), &email) {
        after.0.push(("email".to_owned(), Value::from(email.as_str())));
    }
    Ok(email::warn_of_shared(plan, &homarr.accounts, email.as_deref(), None))
}

fn into_groups(homarr: &Instance<'_>, id: &str, mut plan: Plan, changes: &mut Vec<Change>) -> Result<Plan> {
    let keys = &homarr.request.keys;
    let mut groups = keys.get("group").map(|names| groups_named(homarr, names)).transpose()?.unwrap_or_default();
    // Homarr's own sign-in adds everybody to `everyone`, but boards may be shared with it before.
    let everyone = homarr.groups.everyone();
    groups.extend(everyone.filter(|everyone| groups.iter().all(|group| group.id != everyone.id)));
    let administers = groups.iter().any(|group| group.admin);
    let asked = membership::admin_wanted(homarr.request)?;
    if asked == Some(true) && !administers {
        plan = membership::join_admins(homarr, id, &[], plan, changes)?;
    }
    if administers && asked != Some(true) {
        plan = membership::tell_of_admin_groups(plan, &groups);
    }
    let joined = |group: &str| {
        let membership = member(group, id);
        move |change: &Change| *change == membership
    };
    for group in groups {
        if !changes.iter().any(joined(&group.id)) {
            changes.push(member(&group.id, id));
        }
    }
    Ok(plan)
}

/// The plan with what would keep the new account out.
fn foretold(homarr: Instance<'_>, plan: Plan, id: String, name: String, has_password: bool) -> Plan {
    let mut accounts = homarr.accounts;
    let stored = if has_password { Stored::Bcrypt(HASH_COST) } else { Stored::Missing };
    accounts.people.push(Person { id, name: Some(name), provider: CREDENTIALS.into(), stored, ..Person::default() });
    let made = accounts.people.len() - 1;
    warn_of_reasons(plan, &Logins::of(&accounts), made)
}
