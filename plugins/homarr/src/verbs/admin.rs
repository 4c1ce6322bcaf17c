//! `admin recreate` and `admin grant`.

use super::{admin_permission, effective_at_once, hash_fields, membership, new_group, warn_of_reasons};
use crate::accounts::{Accounts, Person, Stored};
use crate::groups::{self, Group, Groups};
use crate::names;
use crate::schema::{self, ADMIN_GROUP, CREDENTIALS, FINISH, GROUP, HASH_COST, HASH_PREFIX, Layout, ONBOARDING, USER};
use crate::sign_in::{Logins, count};
use latchlift_plugin_api::{
    Bcrypt, Change, Context, Error, Plan, Reader, Record, Request, Result, Select, Value, insert, update,
};

/// Plans a new administrator with a password.
///
/// # Errors
/// The store's, an unknown layout, a name Homarr would not take or another account has, or an administrator can sign in.
pub fn recreate(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    let name = names::accepted(&request.target()?.name)?;
    let mut accounts = Accounts::load(context.reader, &layout, request)?;
    let groups = Groups::load(context.reader, &layout)?;
    let others = refuse_needless(&Logins::of(&accounts), context.reader, &groups, &name, request)?;
    let hash = Bcrypt::hash(context.secrets, request.password()?, HASH_PREFIX, HASH_COST)?;
    let id = schema::new_id(&request.random);
    let mut plan = Plan::new(format!("Make a new administrator `{name}`")).for_sign_in(&id, &name);
    let mut changes = vec![new_user(&layout, &id, &name, &hash)];
    plan = join_admins(context.reader, &layout, &accounts, &groups, (&id, request), plan, &mut changes)?;
    changes.extend(groups.everyone().map(|everyone| membership(&everyone.id, &id)));
    let wizard = finish_wizard(context.reader, request)?;
    plan = ways_in(plan, &accounts, !wizard.is_empty(), request);
    changes.extend(wizard);
    plan.warnings.extend(others);
    let stored = Stored::Bcrypt(HASH_COST);
    accounts.people.push(Person { id, name: Some(name), provider: CREDENTIALS.into(), stored, ..Person::default() });
    let made = accounts.people.len() - 1;
    Ok(effective_at_once(warn_of_reasons(plan.step(changes), &Logins::of(&accounts), made)))
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
fn refuse_needless(
    logins: &Logins<'_>,
    reader: &dyn Reader,
    groups: &Groups,
    name: &str,
    request: &Request,
) -> Result<Vec<String>> {
    refuse_taken(logins, name)?;
    let admins = groups::admins(reader, logins.accounts, groups)?;
    refuse_usable_admin(logins, &admins, request)?;
    Ok(other_admins(logins, &admins))
}

/// Homarr keeps only the names of accounts with a password apart, and only exactly; here no account at all may have the
/// name in any spelling, or a later mending of names would make two of one.
fn refuse_taken(logins: &Logins<'_>, name: &str) -> Result<()> {
    let taken = logins.named(name, None);
    let Some(first) = taken.first() else { return Ok(()) };
    let person = &logins.accounts.people[*first];
    let address = logins.address(*first).join(" ");
    let message = format!("an account has the name already: `{}`, provider {}", person.name(), person.provider);
    let help = match person.is_local() {
        true => format!(
            "make it an administrator: latchlift admin grant {address}; give it a password: latchlift password reset {address}"
        ),
        false => format!("make it an administrator: latchlift admin grant {address}; or choose another name"),
    };
    Err(Error { candidates: logins.candidates(&taken), ..Error::refused(message, None).help(help) })
}

fn refuse_usable_admin(logins: &Logins<'_>, admins: &[usize], request: &Request) -> Result<()> {
    let Some(usable) = admins.iter().find(|i| logins.gets_in(**i)) else { return Ok(()) };
    if request.options.allows("existing-admin") {
        return Ok(());
    }
    let address = logins.address(*usable).join(" ");
    let message = format!("`{}` is an administrator who can sign in", logins.accounts.people[*usable].label());
    let help = format!("give it a new password: latchlift password reset {address}; or say --allow-existing-admin");
    Err(Error::refused(message, Some("allow-existing-admin")).help(help))
}

fn new_user(layout: &Layout, id: &str, name: &str, hash: &str) -> Change {
    let mut row = Record::from([("id", id), ("name", name), ("provider", CREDENTIALS)]);
    for (field, value) in hash_fields(layout, hash) {
        row = row.with(field, value);
    }
    insert(USER, row)
}

/// Adds what puts the new account into `credentials-admin`, as its owner, making that group where it is missing.
fn join_admins(
    reader: &dyn Reader,
    layout: &Layout,
    accounts: &Accounts,
    groups: &Groups,
    (user, request): (&str, &Request),
    plan: Plan,
    changes: &mut Vec<Change>,
) -> Result<Plan> {
    let Some(group) = groups.of_the_wizard() else {
        changes.extend(own_admin_group(layout, groups, user, request));
        return Ok(plan);
    };
    let owner = [("owner_id", Value::from(group.owner.clone()), Value::from(user))];
    changes.extend(update(GROUP, schema::by_id(&group.id), owner));
    let plan = permit(reader, accounts, group, plan, changes)?;
    changes.push(membership(&group.id, user));
    Ok(plan)
}

/// A new group `credentials-admin` of this account.
fn own_admin_group(layout: &Layout, groups: &Groups, user: &str, request: &Request) -> Vec<Change> {
    let group = Group {
        id: schema::new_id(&request.random),
        name: ADMIN_GROUP.to_owned(),
        owner: Some(user.to_owned()),
        position: Some(groups.next_position()),
        admin: true,
    };
    vec![new_group(layout, &group), admin_permission(&group.id), membership(&group.id, user)]
}

/// Gives the group its lost permission back, and says whom else that makes an administrator.
fn permit(
    reader: &dyn Reader,
    accounts: &Accounts,
    group: &Group,
    plan: Plan,
    changes: &mut Vec<Change>,
) -> Result<Plan> {
    if group.admin {
        return Ok(plan);
    }
    changes.push(admin_permission(&group.id));
    let members = groups::members(reader, accounts, &[&group.id])?;
    if members.is_empty() {
        return Ok(plan);
    }
    let names: Vec<&str> = members.iter().take(10).map(|i| accounts.people[*i].label()).collect();
    let members = count(members.len() as u64, "member");
    Ok(plan.warn(format!("{members} of `{}` become administrators again: {}", group.name, names.join(", "))))
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
        let reason = logins.reasons(*i).into_iter().find(|reason| reason.blocking && !reason.fix.is_empty())?;
        let (label, command) = (logins.accounts.people[*i].label(), reason.fix.join(" "));
        let easier = format!("`{label}` is an administrator too and could sign in again after `latchlift {command}`");
        Some(format!("{easier}: {}", reason.message))
    });
    mendable.take(MENTIONED).collect()
}

/// Plans to make an existing account an administrator.
///
/// # Errors
/// The store's, an unknown layout, no such account or several.
pub fn grant(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let logins = Logins::of(&accounts);
    let i = logins.find(request.target()?)?;
    let person = &accounts.people[i];
    let groups = Groups::load(context.reader, &layout)?;
    let mut plan = Plan::new(format!("Make `{}` an administrator", person.label())).about(&person.id, person.name());
    if groups::admins(context.reader, &accounts, &groups)?.contains(&i) {
        plan.summary = format!("`{}` is an administrator already", person.label());
        return Ok(warn_of_reasons(plan, &logins, i));
    }
    let mut changes = Vec::new();
    match group_to_join(&groups) {
        Some(group) => {
            plan = permit(context.reader, &accounts, group, plan, &mut changes)?;
            if !groups::members(context.reader, &accounts, &[&group.id])?.contains(&i) {
                changes.push(membership(&group.id, &person.id));
            }
        }
        None => changes.extend(own_admin_group(&layout, &groups, &person.id, request)),
    }
    plan = warn_of_reasons(plan.step(changes), &logins, i);
    if !person.is_local() {
        plan = warn_of_group_sync(plan, person);
    }
    Ok(effective_at_once(plan))
}

/// `credentials-admin` where it is a group of administrators, else another such group, else `credentials-admin` as it is.
fn group_to_join(groups: &Groups) -> Option<&Group> {
    let wizards = groups.of_the_wizard();
    wizards.filter(|group| group.admin).or_else(|| groups.admins().next()).or(wizards)
}

fn warn_of_group_sync(plan: Plan, person: &Person) -> Plan {
    let title = person.provider_title();
    let plan = plan.warn(format!(
        "`{}` gets its groups from {title}: its next sign-in takes this one away, unless {title} sends no groups",
        person.label()
    ));
    let lasting =
        format!("to make it last, give the permission `admin` in Homarr to a group named as {title} sends it");
    match &*person.provider {
        "oidc" => plan.then(format!("{lasting}, or set AUTH_OIDC_GROUPS_LOCAL_MANAGEMENT=true (1.66.1 or newer)")),
        _ => plan.then(lasting),
    }
}
