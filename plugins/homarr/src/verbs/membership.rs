//! Who is in which group, as it will be: joining, leaving, and what follows from it.

use super::{Instance, admin_permission, member, new_group};
use crate::accounts::Person;
use crate::groups::{self, Group};
use crate::last_admin::{self, Moment};
use crate::schema::{self, ADMIN_GROUP, EVERYONE, GROUP, MEMBER};
use crate::sign_in::{Logins, count};
use latchlift_plugin_api::{Change, Error, Kind, Plan, Record, Request, Result, Value, delete, update};

/// `credentials-admin` where it is a group of administrators, else another such group, else `credentials-admin` as it is.
/// Never `everyone`: its members are all there are.
fn group_to_join<'g>(homarr: &'g Instance<'_>, but: &[&Group]) -> Option<&'g Group> {
    let fit = |group: &&Group| group.name != EVERYONE && but.iter().all(|other| other.id != group.id);
    let wizards = homarr.groups.of_the_wizard().filter(fit);
    wizards.filter(|group| group.admin).or_else(|| homarr.groups.admins().find(fit)).or(wizards)
}

/// Puts an account into a group of administrators other than those it leaves, making `credentials-admin` where there is
/// none.
///
/// # Errors
/// The store's, or it leaves `credentials-admin` and there is no other.
pub fn join_admins(
    homarr: &Instance<'_>,
    user: &str,
    leaves: &[&Group],
    plan: Plan,
    changes: &mut Vec<Change>,
) -> Result<Plan> {
    let Some(group) = group_to_join(homarr, leaves) else {
        if homarr.groups.of_the_wizard().is_some() {
            let message = format!("there is no other group of administrators than `{ADMIN_GROUP}`, which it leaves");
            return Err(Error::new(Kind::Usage, message));
        }
        changes.extend(own_admin_group(homarr, user));
        return Ok(plan);
    };
    let plan = permit(homarr, group, plan, changes)?;
    let inside = groups::of_account(homarr.reader, &homarr.groups, user)?.iter().any(|mine| mine.id == group.id);
    changes.extend((!inside).then(|| member(&group.id, user)));
    Ok(plan)
}

/// Puts a new account into `credentials-admin`, as its owner, making that group where it is missing.
///
/// # Errors
/// The store's.
pub fn own_admins(homarr: &Instance<'_>, user: &str, plan: Plan, changes: &mut Vec<Change>) -> Result<Plan> {
    let Some(group) = homarr.groups.of_the_wizard() else {
        changes.extend(own_admin_group(homarr, user));
        return Ok(plan);
    };
    let owner = group.owner.as_deref().map(|owner| homarr.accounts.position(owner));
    let plan = match owner.flatten() {
        Some(i) => {
            let (former, group) = (homarr.accounts.people[i].label(), &group.name);
            plan.warn(format!(
                "`{former}` no longer owns the group `{group}`, the new account does; that takes no rights from `{former}`"
            ))
        }
        None => plan,
    };
    // An owner that is gone cannot be written back, so undo would fail; owning a group gives no rights.
    if owner != Some(None) {
        let owner = [("owner_id", Value::from(group.owner.clone()), Value::from(user))];
        changes.extend(update(GROUP, schema::by_id(&group.id), owner));
    }
    let plan = permit(homarr, group, plan, changes)?;
    changes.push(member(&group.id, user));
    Ok(plan)
}

/// A new group `credentials-admin` of this account.
fn own_admin_group(homarr: &Instance<'_>, user: &str) -> Vec<Change> {
    let group = fresh_group(homarr, ADMIN_GROUP, Some(user));
    vec![new_group(&homarr.layout, &group), admin_permission(&group.id), member(&group.id, user)]
}

/// A group that does not exist yet.
pub fn fresh_group(homarr: &Instance<'_>, name: &str, owner: Option<&str>) -> Group {
    Group {
        id: schema::new_id(&homarr.request.random),
        name: name.to_owned(),
        owner: owner.map(str::to_owned),
        position: Some(homarr.groups.next_position()),
        admin: true,
        permissions: vec![],
    }
}

/// Gives the group the permission `admin` where it lacks it, and says whom else that makes an administrator.
///
/// # Errors
/// The store's.
pub fn permit(homarr: &Instance<'_>, group: &Group, plan: Plan, changes: &mut Vec<Change>) -> Result<Plan> {
    if group.admin {
        return Ok(plan);
    }
    changes.push(admin_permission(&group.id));
    let members = groups::members(homarr.reader, &homarr.accounts, &[&group.id])?;
    if members.is_empty() {
        return Ok(plan);
    }
    let names: Vec<&str> = members.iter().take(10).map(|i| homarr.accounts.people[*i].label()).collect();
    let more = if members.len() > names.len() { ", ..." } else { "" };
    let members = count(members.len() as u64, "member");
    Ok(plan.warn(format!("{members} of `{}` become administrators: {}{more}", group.name, names.join(", "))))
}

/// Takes an account out of a group.
pub fn leave(group: &Group, user: &str) -> Change {
    let row = Record::from([("group_id", group.id.as_str()), ("user_id", user)]);
    delete(MEMBER, row.clone(), row)
}

/// What an account loses with its administrators' groups, and for how long.
pub fn tell_of_leaving(mut plan: Plan, left: &[&Group], person: &Person) -> Plan {
    for group in left {
        let label = person.label();
        plan = plan.warn(match group.permissions.as_slice() {
            [] => format!("`{label}` leaves `{}`, and loses the boards and integrations shared with it", group.name),
            more => {
                format!("`{label}` leaves `{}`, and loses its other permissions too: {}", group.name, more.join(", "))
            }
        });
    }
    if left.iter().any(|group| group.name == EVERYONE) {
        plan = plan.warn(format!("every sign-in puts `{}` back into `{EVERYONE}`", person.label()));
    }
    if person.is_local() || person.is_stray() || left.is_empty() {
        return plan;
    }
    let title = person.provider_title();
    plan.warn(format!("if {title} sends one of these groups, the next sign-in puts `{}` back into it", person.label()))
}

/// The plan with a warning for each group that makes its new member an administrator.
pub fn tell_of_admin_groups(mut plan: Plan, joined: &[&Group]) -> Plan {
    for group in joined.iter().filter(|group| group.admin) {
        plan = plan.warn(format!("the members of `{}` are administrators", group.name));
    }
    plan
}

/// What a membership given by hand is worth to an account whose groups another system sends.
pub fn warn_of_group_sync(plan: Plan, person: &Person) -> Plan {
    if person.is_local() || person.is_stray() {
        return plan;
    }
    let title = person.provider_title();
    let plan = plan.warn(format!(
        "`{}` gets its groups from {title}: its next sign-in takes this one away, unless {title} sends no groups",
        person.label()
    ));
    let lasting = format!(
        "to make it last, give the permission to a group named as {title} sends it: `latchlift admin grant --group NAME`"
    );
    match &*person.provider {
        "oidc" => plan.then(format!("{lasting}; or set AUTH_OIDC_GROUPS_LOCAL_MANAGEMENT=true (1.66.1 or newer)")),
        _ => plan.then(lasting),
    }
}

/// What `admin=` says, where it is given.
///
/// # Errors
/// It says neither yes nor no: nothing is no answer, least of all one that takes rights away.
pub fn admin_wanted(request: &Request) -> Result<Option<bool>> {
    match request.keys.get("admin").map(String::as_str) {
        None => Ok(None),
        Some("yes") => Ok(Some(true)),
        Some("no") => Ok(Some(false)),
        Some(_) => Err(Error::new(Kind::Usage, "`admin=` takes yes or no")),
    }
}

/// The groups of a `group=` or `leave-group=`: one name, or several with commas between.
///
/// # Errors
/// There is no such group, or no name was given.
pub fn groups_named<'g>(homarr: &'g Instance<'_>, names: &str) -> Result<Vec<&'g Group>> {
    if let Some(group) = homarr.groups.named(names.trim()) {
        return Ok(vec![group]);
    }
    let mut found: Vec<&Group> = Vec::new();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let group = homarr.groups.named(name).ok_or_else(|| no_group(homarr, name))?;
        if !found.iter().any(|other| other.id == group.id) {
            found.push(group);
        }
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(Error::new(Kind::Usage, "no group is named").help(groups_there_are(homarr))),
    }
}

fn no_group(homarr: &Instance<'_>, name: &str) -> Error {
    Error::new(Kind::Usage, format!("Homarr has no group `{name}`")).help(groups_there_are(homarr))
}

fn groups_there_are(homarr: &Instance<'_>) -> String {
    let names: Vec<String> = homarr.groups.all.iter().take(20).map(|group| format!("`{}`", group.name)).collect();
    format!("the groups there are: {}", names.join(", "))
}

/// Refuses to take administrator rights while `everyone` gives them to all.
///
/// # Errors
/// It does.
pub fn refuse_while_all_are_admins(homarr: &Instance<'_>) -> Result<()> {
    if !homarr.groups.all_are_admins() {
        return Ok(());
    }
    let message = "every account is an administrator, because the group `everyone` has the permission `admin`";
    let help = "take that permission from the group in Homarr first: Manage, Users, Groups, everyone, Permissions";
    Err(Error::refused(message, None).help(help))
}

/// The last-administrator rule where only rights change: account `i` is no administrator any more.
///
/// # Errors
/// As [`last_admin::keep`], and the store's.
pub fn keep_an_admin_without(
    logins: &Logins<'_>,
    admins: &[usize],
    i: usize,
    request: &Request,
) -> Result<Option<String>> {
    let others: Vec<usize> = admins.iter().copied().filter(|other| *other != i).collect();
    last_admin::keep(&Moment { logins, admins }, &Moment { logins, admins: &others }, i, request)
}
