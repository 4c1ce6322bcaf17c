//! `user remove`.

use super::{Instance, effective_at_once, row_of, with_groups_named};
use crate::accounts::{Accounts, Person};
use crate::holdings::HOLDINGS;
use crate::last_admin::{self, Moment};
use crate::schema::{self, USER};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Change, Context, Plan, Request, Result, StoreKind, delete};

/// Plans to remove an account and what belongs to it alone. What others use too stays and forgets who made it.
///
/// Homarr leaves this to its database, which follows the foreign keys. Here each record is a change of its own, before
/// the account's, so that the plan shows all of it and undo brings all back but sessions and API keys.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, or nobody would be left to administer.
pub fn remove(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let homarr = Instance::load(context, request)?;
    let logins = Logins::of(&homarr.accounts);
    let i = logins.find(request.target()?)?;
    let person = &homarr.accounts.people[i];
    let mut plan = Plan::new(format!("Remove the account `{}`", person.label())).about(&person.id, person.name());
    plan.warnings.extend(keep_an_admin(&homarr, &logins, i)?);
    let mut changes = Vec::new();
    for holding in &HOLDINGS {
        changes.extend(holding.release(homarr.reader, &person.id, &mut plan.names)?);
    }
    let row = row_of(homarr.reader, &person.id, homarr.reader.column_names(USER)?)?;
    plan = tell_of_ends(plan, &changes);
    let first = person.is_local() && logins.has_twins(i) && logins.pick(person.name()) == Some(i);
    if first && homarr.layout.kind != StoreKind::Mysql {
        plan = plan.warn("another account has this name: if undo brings this one back, the other one comes first");
    }
    changes.push(delete(USER, schema::by_id(&person.id), row));
    plan = tell_of_the_way_back(plan.step(changes), person);
    Ok(effective_at_once(with_groups_named(plan, &homarr.groups)))
}

fn keep_an_admin(homarr: &Instance<'_>, logins: &Logins<'_>, i: usize) -> Result<Option<String>> {
    let admins = homarr.admins()?;
    if !admins.contains(&i) {
        return Ok(None);
    }
    let left: Vec<usize> = admins.iter().copied().filter(|other| *other != i).collect();
    let after = without(&homarr.accounts, i);
    let after = Logins::of(&after);
    let (was, is) = (Moment { logins, admins: &admins }, Moment { logins: &after, admins: &left });
    last_admin::keep(&was, &is, i, homarr.request)
}

/// The accounts as they will be, each at its old place: who goes can no longer be found.
fn without(accounts: &Accounts, i: usize) -> Accounts {
    let mut after = accounts.clone();
    after.people[i] = Person::default();
    after
}

fn tell_of_ends(plan: Plan, changes: &[Change]) -> Plan {
    match changes.iter().any(|change| matches!(change, Change::Purge { .. })) {
        true => plan.warn("its sessions and API keys end for good: undo brings the account back without them"),
        false => plan,
    }
}

fn tell_of_the_way_back(plan: Plan, person: &Person) -> Plan {
    if person.is_local() || person.is_stray() {
        return plan;
    }
    let title = person.provider_title();
    plan.warn(format!(
        "who signs in through {title} with it again gets a new, empty account: remove the person there too"
    ))
}
