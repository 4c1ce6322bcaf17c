//! `admin recreate`.

use super::{Instance, effective_at_once, hash_fields, membership, refuse_taken, warn_of_reasons, with_groups_named};
use crate::accounts::{Accounts, Person, Stored};
use crate::everybody;
use crate::names;
use crate::schema::{self, CREDENTIALS, FINISH, HASH_COST, HASH_PREFIX, Layout, ONBOARDING, USER};
use crate::sign_in::{Logins, typed};
use latchlift_plugin_api::{
    Bcrypt, Change, Context, Error, Kind, Plan, Reader, Record, Request, Result, Select, Value, insert, update,
};

/// Plans a new administrator with a password.
///
/// # Errors
/// The store's, an unknown layout, a name Homarr would not take or another account has, or an administrator can sign in.
pub fn recreate(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let target = request.target()?;
    if target.id.is_some() {
        let message = "Homarr's new accounts get an id of their own: --id has nothing to say here";
        return Err(Error::new(Kind::Usage, message).help("an account that is there: `latchlift admin grant --id ID`"));
    }
    let name = names::accepted(&target.name)?;
    let homarr = Instance::load(context, request)?;
    let others = refuse_needless(&homarr, &name)?;
    let wizard = finish_wizard(homarr.reader, request)?;
    let plan = Plan::new(format!("Make a new administrator `{name}`"));
    let plan = everybody::warned(plan, homarr.reader, &homarr.layout)?;
    let hash = Bcrypt::hash(context.secrets, request.password()?, HASH_PREFIX, HASH_COST)?;
    let id = schema::new_id(&request.random);
    let mut plan = plan.for_sign_in(&id, &name);
    let mut changes = vec![new_user(&homarr.layout, &id, &name, Some(&hash))];
    plan = membership::own_admins(&homarr, &id, plan, &mut changes)?;
    let everyone = homarr.groups.everyone();
    changes.extend(everyone.map(|everyone| super::member(&everyone.id, &id)));
    plan = ways_in(plan, &homarr.accounts, !wizard.is_empty(), request);
    changes.extend(wizard);
    plan.warnings.extend(others);
    let plan = with_groups_named(plan.step(changes), &homarr.groups);
    let mut accounts = homarr.accounts;
    let stored = Stored::Bcrypt(HASH_COST);
    accounts.people.push(Person { id, name: Some(name), provider: CREDENTIALS.into(), stored, ..Person::default() });
    let made = accounts.people.len() - 1;
    Ok(effective_at_once(warn_of_reasons(plan, &Logins::of(&accounts), made)))
}

/// The plan with what to do where Homarr shows no place for a password.
fn ways_in(mut plan: Plan, accounts: &Accounts, wizard_ends: bool, request: &Request) -> Plan {
    if wizard_ends {
        plan = plan.then("the setup wizard counts as finished; what it would have asked is under Manage, Settings");
    }
    let elsewhere = accounts.people.iter().any(|person| !person.is_local());
    if elsewhere && request.settings.is_empty() {
        plan = plan.then("if the login page asks for no password: add `credentials` to AUTH_PROVIDERS, restart Homarr");
    }
    plan
}

/// Refuses where the name is taken or an administrator can sign in; else says which others could be let in again.
fn refuse_needless(homarr: &Instance<'_>, name: &str) -> Result<Vec<String>> {
    let logins = Logins::of(&homarr.accounts);
    refuse_taken(&logins, name, None)?;
    let admins = homarr.admins()?;
    refuse_usable_admin(&logins, &admins, homarr.request)?;
    Ok(other_admins(&logins, &admins))
}

fn refuse_usable_admin(logins: &Logins<'_>, admins: &[usize], request: &Request) -> Result<()> {
    let Some(usable) = admins.iter().find(|i| logins.gets_in(**i)) else { return Ok(()) };
    if request.options.allows("existing-admin") {
        return Ok(());
    }
    let address = typed(&logins.address(*usable));
    let message = format!("`{}` is an administrator who can sign in", logins.accounts.people[*usable].label());
    let help = format!("give it a new password: `latchlift password reset {address}`; or say --allow-existing-admin");
    Err(Error::refused(message, Some("allow-existing-admin")).help(help))
}

/// A new row of `user`; the database's defaults fill in the rest.
pub fn new_user(layout: &Layout, id: &str, name: &str, hash: Option<&str>) -> Change {
    let mut row = Record::from([("id", id), ("name", name), ("provider", CREDENTIALS)]);
    for (field, value) in hash.map(|hash| hash_fields(layout, hash)).unwrap_or_default() {
        row = row.with(field, value);
    }
    insert(USER, row)
}

/// Sets the wizard's step to the last one: before that Homarr sends everybody to the wizard. A missing row counts as the
/// first step.
fn finish_wizard(reader: &dyn Reader, request: &Request) -> Result<Vec<Change>> {
    let rows = reader.all(Select::from(ONBOARDING, ["id", "step"]))?;
    if rows.is_empty() {
        let row = Record::from([("id", schema::new_id(&request.random).as_str()), ("step", FINISH)]);
        return Ok(vec![insert(ONBOARDING, row)]);
    }
    let finished = |row: &Record| {
        let step = row.get("step").cloned().unwrap_or_default();
        update(ONBOARDING, schema::by_id(&row.text("id").unwrap_or_default()), [("step", step, Value::from(FINISH))])
    };
    Ok(rows.iter().filter_map(finished).collect())
}

/// Administrators that a command would let in again: an easier way than a new account.
fn other_admins(logins: &Logins<'_>, admins: &[usize]) -> Vec<String> {
    const MENTIONED: usize = 3;
    let mendable = admins.iter().filter_map(|i| {
        let reason = logins.mendable(*i)?;
        let (label, command) = (logins.accounts.people[*i].label(), typed(&reason.fix));
        let easier = format!("`{label}` is an administrator too and could sign in again after `latchlift {command}`");
        Some(format!("{easier}: {}", reason.message))
    });
    mendable.take(MENTIONED).collect()
}
