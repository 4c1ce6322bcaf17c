//! `admin grant`: an account, or a group that another system sends, administers.

use super::membership::{self, fresh_group, permit};
use super::{Instance, admin_permission, effective_at_once, new_group, warn_of_reasons, with_groups_named};
use crate::groups::{self, NAME_LENGTH};
use crate::schema::EVERYONE;
use crate::sign_in::Logins;
use latchlift_plugin_api::{Context, Error, Kind, Plan, Request, Result, StoreKind};

/// Plans to make an existing account an administrator, or the members of a group, or both.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, a name that no group may have.
pub fn grant(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let homarr = Instance::load(context, request)?;
    let logins = Logins::of(&homarr.accounts);
    let i = request.target.as_ref().map(|target| logins.find(target)).transpose()?;
    match (&request.options.group, i) {
        (Some(group), i) => to_group(&homarr, &logins, group, i),
        (None, Some(i)) => to_account(&homarr, &logins, i),
        (None, None) => Err(Error::new(Kind::Usage, "this needs the name of an account, or --group NAME")),
    }
}

fn to_account(homarr: &Instance<'_>, logins: &Logins<'_>, i: usize) -> Result<Plan> {
    let person = &homarr.accounts.people[i];
    let mut plan = Plan::new(format!("Make `{}` an administrator", person.label())).about(&person.id, person.name());
    if homarr.admins()?.contains(&i) {
        plan.summary = format!("`{}` is an administrator already", person.label());
        return Ok(warn_of_reasons(plan, logins, i));
    }
    let mut changes = Vec::new();
    plan = membership::join_admins(homarr, &person.id, &[], plan, &mut changes)?;
    plan = warn_of_reasons(with_groups_named(plan.step(changes), &homarr.groups), logins, i);
    Ok(effective_at_once(membership::warn_of_group_sync(plan, person)))
}

/// The lasting way for accounts whose groups another system sends: a group of that name may administer.
fn to_group(homarr: &Instance<'_>, logins: &Logins<'_>, name: &str, member: Option<usize>) -> Result<Plan> {
    let name = accepted(name)?;
    let mut plan = Plan::new(format!("Give the group `{name}` the permission `admin`"));
    let mut changes = Vec::new();
    let group = match homarr.groups.named(name) {
        Some(group) => {
            plan = permit(homarr, group, plan, &mut changes)?;
            group.clone()
        }
        None => {
            let group = fresh_group(homarr, name, None);
            changes.extend([new_group(&homarr.layout, &group), admin_permission(&group.id)]);
            plan = new_one(homarr, plan, name);
            group
        }
    };
    if let Some(i) = member {
        let person = &homarr.accounts.people[i];
        plan.summary += &format!(", and put `{}` into it", person.label());
        plan = plan.about(&person.id, person.name());
        if !groups::members(homarr.reader, &homarr.accounts, &[&group.id])?.contains(&i) {
            changes.push(super::member(&group.id, &person.id));
        }
        plan = warn_of_reasons(plan, logins, i);
    }
    if changes.is_empty() {
        plan.summary = format!("the group `{}` has the permission `admin` already", group.name);
        return Ok(plan);
    }
    plan = with_groups_named(plan.step(changes), &homarr.groups).then(
        "OIDC and LDAP accounts are in it after their next sign-in, if the provider sends exactly this name; \
         OIDC has to send its groups as a list, in the claim that AUTH_OIDC_GROUPS_ATTRIBUTE names (`groups`)",
    );
    Ok(effective_at_once(plan))
}

fn new_one(homarr: &Instance<'_>, plan: Plan, name: &str) -> Plan {
    match homarr.groups.alike(name).filter(|_| homarr.layout.kind != StoreKind::Mysql) {
        Some(other) => plan.warn(format!(
            "there is a group `{}` too, which is another one: what the provider sends has to be equal letter for letter",
            other.name
        )),
        None => plan,
    }
}

/// The name of a group as Homarr takes it.
fn accepted(name: &str) -> Result<&str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH {
        let message = format!("Homarr wants names of groups of 1 to {NAME_LENGTH} characters");
        return Err(Error::new(Kind::Usage, message));
    }
    match name.to_lowercase() == EVERYONE {
        true => Err(Error::refused("every account is in `everyone`: all would be administrators", None)
            .help("name the group that the identity provider sends for administrators")),
        false => Ok(name),
    }
}
