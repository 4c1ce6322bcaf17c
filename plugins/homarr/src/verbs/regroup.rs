//! The keys `group=`, `leave-group=` and `admin=` of `user set`.

use super::membership::{
    self, groups_named, keep_an_admin_without, leave, refuse_while_all_are_admins, tell_of_admin_groups,
    tell_of_leaving,
};
use super::{Instance, member};
use crate::groups::{self, Group};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Change, Error, Kind, Plan, Result};

/// The groups an account leaves and joins.
struct Wish<'g> {
    left: Vec<&'g Group>,
    joined: Vec<&'g Group>,
    /// What `admin=` says, if it was given.
    admin: Option<bool>,
    /// Whether the groups it will be in make it an administrator.
    administers: bool,
}

/// Adds the changes of one account's groups.
///
/// # Errors
/// The store's, there is no such group, the keys contradict each other, or nobody would be left to administer.
pub fn plan(
    homarr: &Instance<'_>,
    logins: &Logins<'_>,
    i: usize,
    mut plan: Plan,
    changes: &mut Vec<Change>,
) -> Result<Plan> {
    if ["group", "leave-group", "admin"].iter().all(|key| !homarr.request.keys.contains_key(*key)) {
        return Ok(plan);
    }
    let person = &homarr.accounts.people[i];
    let wish = wish(homarr, &person.id)?;
    let admins = homarr.admins()?;
    let ends = admins.contains(&i) && !wish.administers && wish.admin != Some(true);
    if ends && !homarr.groups.all_are_admins() {
        plan.warnings.extend(keep_an_admin_without(logins, &admins, i, homarr.request)?);
    }
    changes.extend(wish.left.iter().map(|group| leave(group, &person.id)));
    plan = tell_of_leaving(plan, &wish.left, person);
    let left = changes.len();
    changes.extend(wish.joined.iter().map(|group| member(&group.id, &person.id)));
    if wish.admin == Some(true) && !wish.administers {
        plan = membership::join_admins(homarr, &person.id, &wish.left, plan, changes)?;
    } else if wish.admin.is_none() {
        plan = tell_of_admin_groups(plan, &wish.joined);
    }
    match changes.len() > left {
        true => Ok(membership::warn_of_group_sync(plan, person)),
        false => Ok(plan),
    }
}

fn wish<'g>(homarr: &'g Instance<'_>, account: &str) -> Result<Wish<'g>> {
    let keys = &homarr.request.keys;
    let named = |key: &str| keys.get(key).map(|names| groups_named(homarr, names)).transpose();
    let (joins, mut leaves) = (named("group")?.unwrap_or_default(), named("leave-group")?.unwrap_or_default());
    let admin = membership::admin_wanted(homarr.request)?;
    let mine = groups::of_account(homarr.reader, &homarr.groups, account)?;
    if admin == Some(false) {
        refuse_while_all_are_admins(homarr)?;
        leaves.extend(homarr.groups.admins());
    }
    let is_in = |groups: &[&Group], group: &Group| groups.iter().any(|other| other.id == group.id);
    if let Some(both) = joins.iter().find(|group| is_in(&leaves, group)) {
        let message = format!("the account cannot both join and leave `{}`", both.name);
        return Err(Error::new(Kind::Usage, message));
    }
    let left: Vec<&Group> = mine.iter().copied().filter(|group| is_in(&leaves, group)).collect();
    let joined: Vec<&Group> = joins.into_iter().filter(|group| !is_in(&mine, group)).collect();
    let stays = mine.iter().filter(|group| !is_in(&left, group));
    let administers = stays.chain(&joined).any(|group| group.admin);
    Ok(Wish { left, joined, admin, administers })
}
