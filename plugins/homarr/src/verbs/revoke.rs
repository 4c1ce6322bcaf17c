//! `admin revoke`.

use super::membership::{self, keep_an_admin_without, leave, tell_of_leaving};
use super::{Instance, effective_at_once, with_groups_named};
use crate::groups::{self, Group};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Context, Plan, Request, Result};

/// Plans to take an account out of every group of administrators.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, nobody would be left to administer, or all administer.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let homarr = Instance::load(context, request)?;
    let logins = Logins::of(&homarr.accounts);
    let i = logins.find(request.target()?)?;
    let person = &homarr.accounts.people[i];
    let mut plan =
        Plan::new(format!("Take `{}`'s administrator rights", person.label())).about(&person.id, person.name());
    let admins = homarr.admins()?;
    if !admins.contains(&i) {
        plan.summary = format!("`{}` is no administrator", person.label());
        return Ok(plan);
    }
    membership::refuse_while_all_are_admins(&homarr)?;
    plan.warnings.extend(keep_an_admin_without(&logins, &admins, i, request)?);
    let mine = groups::of_account(homarr.reader, &homarr.groups, &person.id)?;
    let left: Vec<&Group> = mine.into_iter().filter(|group| group.admin).collect();
    plan = tell_of_leaving(plan, &left, person);
    let changes = left.iter().map(|group| leave(group, &person.id)).collect();
    Ok(effective_at_once(with_groups_named(plan.step(changes), &homarr.groups)))
}
