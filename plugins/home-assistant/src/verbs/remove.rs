//! `user remove` and `password remove`: what withdraws goes through the password entries first, since an entry without a
//! credential makes whoever signs in with it an administrator.

use super::last_admin::refuse_if_last;
use super::reset::{meant, of_the_app};
use super::{START, people, records};
use crate::home::Home;
use crate::names::is_legacy;
use crate::schema::{CREDENTIALS, FACTOR_FILES, PROVIDER, TOKENS, USERS};
use crate::sign_in::{quoted, title};
use crate::{accounts, mfa, sessions};
use latchlift_plugin_api::{
    Change, Context, Filter, Plan, Record, Request, Result, Select, Value, delete, purge, update,
};

/// Plans the end of a user: password entries, then user, credentials and tokens, then second factors, then persons.
///
/// # Errors
/// No account or several answer to the name, it is the app's own, the only owner or the last administrator.
pub fn remove(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    if let Some(plan) = remains(context, request, &home)? {
        return Ok(plan);
    }
    let user = accounts::find(&home, request.target()?)?;
    let known = &home.users[user];
    if known.system {
        return Err(of_the_app(&home, user));
    }
    refuse_if_last(&home, user, &request.options)?;
    let name = accounts::name(&home, user).map_or_else(|| title(&home, user), str::to_owned);
    let own: Vec<usize> = home.password_credentials(user).collect();
    let rows = records::remove_rows(context.reader, &home, &own)?;
    let bar = bar(&home, user, &rows);

    let mut auth = removed_credentials(context, &home, &known.credentials)?;
    auth.extend(records::remove(context.reader, USERS, &known.id)?.map(|gone| match &bar {
        Some(_) => inactive_when_gone(gone),
        None => gone,
    }));
    let tokens = Filter::eq("/user_id", &*known.id);
    let count = reader_count(context, &tokens)?;
    auth.extend(purge(TOKENS, tokens, count));
    let [totp, notify] = mfa::removals(context.reader, &home, user)?;
    let persons = people::unlink(context.reader, &home, &known.id)?;

    let plan = Plan::new(format!("Remove `{name}`")).about(&*known.id, name);
    let plan = plan.step(bar.into_iter().collect()).step(rows).step(auth).step(totp).step(notify).step(persons);
    Ok(warn(plan, context, &home, user)?.then(START))
}

/// What is left of somebody who is no user any more: password entries that lead nowhere, or by its id credentials, tokens and
/// persons. `None` where there is a user, or nothing.
fn remains(context: &Context<'_>, request: &Request, home: &Home) -> Result<Option<Plan>> {
    let target = request.target()?;
    let plan = match &target.id {
        Some(id) if home.index(id).is_none() => {
            let own = Filter::eq("/user_id", id.as_str());
            let credentials = context.reader.all(Select::from(CREDENTIALS, ["/id", ""]).filter(own.clone()))?;
            let mut auth: Vec<Change> = credentials.into_iter().map(removed_credential).collect();
            auth.extend(purge(TOKENS, own.clone(), reader_count(context, &own)?));
            let persons = people::unlink(context.reader, home, id)?;
            Plan::new(format!("Remove what is left of the user {id}")).about(id, "").step(auth).step(persons)
        }
        // Without `auth` every entry leads nowhere, and all of them are wanted back.
        None if home.layout.auth && home.users_like(&target.name).is_empty() => {
            let name = &target.name;
            let spellings = home.rows_like(name).iter().map(|row| &*home.rows[*row].username).collect();
            let rows = records::rows(context.reader, &spellings)?.into_iter().map(records::removed_row).collect();
            Plan::new(format!("Remove the password entry `{name}`, which leads to no user")).step(rows)
        }
        _ => return Ok(None),
    };
    Ok((!plan.is_empty()).then(|| plan.then(START)))
}

/// Plans the end of a user's passwords: the entries, then the credentials with their tokens and sign-ins. The user stays.
///
/// # Errors
/// As [`remove`].
pub fn remove_password(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let (user, name) = meant(&home, request)?;
    let known = &home.users[user];
    let own: Vec<usize> = home.password_credentials(user).collect();
    if own.is_empty() {
        return Ok(Plan::new(format!("`{name}` has no password")));
    }
    refuse_if_last(&home, user, &request.options)?;
    let rows = records::remove_rows(context.reader, &home, &own)?;
    let bar = bar(&home, user, &rows);
    let mut auth = removed_credentials(context, &home, &own)?;
    let ids: Vec<&str> = own.iter().map(|credential| &*home.credentials[*credential].id).collect();
    auth.extend(sessions::end_with(context.reader, &known.id, &ids, &request.options)?);
    if bar.is_some() {
        let lifted = update(USERS, Record::new().with("/id", &*known.id), [("/is_active", false.into(), true.into())]);
        auth.extend(lifted);
    }
    let plan = Plan::new(format!("Remove the password of `{name}`")).about(&*known.id, &*name);
    let plan = plan.step(bar.into_iter().collect()).step(rows).step(auth);
    let back = format!("to give a password again: `latchlift password reset {} --id {}`", quoted(&name), known.id);
    Ok(plan.warn("the credential goes too, since without a password entry it leads nowhere").then(START).then(back))
}

/// Keeps the user out until the plan is through, where the end of an entry ends the exact comparison of names: in between,
/// somebody with the same name in other letters might get in as this user.
fn bar(home: &Home, user: usize, rows: &[Change]) -> Option<Change> {
    let known = &home.users[user];
    let shares = |own: usize| home.users_like(&home.credentials[own].username).len() > 1;
    if !home.names.legacy || rows.is_empty() || !known.active || !home.password_credentials(user).any(shares) {
        return None;
    }
    let gone: Vec<String> = rows
        .iter()
        .filter_map(|row| match row {
            Change::Delete { key, .. } => key.fields.text("/username"),
            _ => None,
        })
        .collect();
    let left = home.rows.iter().map(|row| &*row.username).filter(|name| !gone.iter().any(|gone| gone == name));
    match is_legacy(left) {
        true => None,
        false => update(USERS, Record::new().with("/id", &*known.id), [("/is_active", true.into(), false.into())]),
    }
}

/// The end of a user who was barred a step before.
fn inactive_when_gone(change: Change) -> Change {
    let Change::Delete { collection, key, mut before } = change else { return change };
    for (_, value) in &mut before.0 {
        let Value::Map(members) = value else { continue };
        members.iter_mut().filter(|(name, _)| name == "is_active").for_each(|(_, active)| *active = false.into());
    }
    Change::Delete { collection, key, before }
}

fn removed_credentials(context: &Context<'_>, home: &Home, credentials: &[usize]) -> Result<Vec<Change>> {
    let ids = Filter::is_in("/id", credentials.iter().map(|credential| &*home.credentials[*credential].id));
    let found = context.reader.all(Select::from(CREDENTIALS, ["/id", ""]).filter(ids))?;
    Ok(found.into_iter().map(removed_credential).collect())
}

fn removed_credential(credential: Record) -> Change {
    let [id, whole] = ["/id", ""].map(|field| credential.get(field).cloned().unwrap_or_default());
    delete(CREDENTIALS, Record::new().with("/id", id), Record::new().with("", whole))
}

fn reader_count(context: &Context<'_>, filter: &Filter) -> Result<u64> {
    let mut count = 0;
    context.reader.each_row(Select::from(TOKENS, ["/id"]).filter(filter.clone()), |_| {
        count += 1;
        Ok(())
    })?;
    Ok(count)
}

/// The plan with what stays behind, and who may come back.
fn warn(mut plan: Plan, context: &Context<'_>, home: &Home, user: usize) -> Result<Plan> {
    let known = &home.users[user];
    let elsewhere = known.credentials.iter().map(|credential| &*home.credentials[*credential].provider);
    let comes_back: Vec<&str> = elsewhere.filter(|kind| *kind != PROVIDER && *kind != "trusted_networks").collect();
    if let [provider, ..] = comes_back[..] {
        plan = plan.warn(format!(
            "the user signs in through `{provider}`: whoever still can becomes a new user, and perhaps an administrator"
        ));
    }
    plan.warnings.extend(people::unread(home));
    if home.layout.needs(&FACTOR_FILES).is_err() {
        plan = plan.warn(
            "the files of second factors cannot be read, so an entry of the user may stay there; it does no harm",
        );
    }
    let settings = format!(".storage/frontend.user_data_{}", known.id);
    if !context.reader.files("", &settings)?.is_empty() {
        plan =
            plan.then(format!("the user's settings stay in {settings}, which nothing reads any more: rm {settings}"));
    }
    Ok(plan.then("phones of the user stay listed under the integration `mobile_app`; remove them in the settings"))
}
