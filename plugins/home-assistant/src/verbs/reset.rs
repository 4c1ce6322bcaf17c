//! `password reset`.

use super::START;
use super::fix_names;
use super::records;
use crate::home::Home;
use crate::names::{normalise, strip};
use crate::schema::PROVIDER;
use crate::sign_in::{self, Path, title};
use crate::{accounts, mfa, sessions};
use latchlift_plugin_api::{Context, Error, Kind, Plan, Request, Result, reason};

/// Plans a new password in every entry the login may ask, after the account's sessions have ended.
///
/// # Errors
/// The account cannot be told from others, or has no name that leads to it.
pub fn reset(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let user = accounts::find(&home, request.target()?)?;
    let id = home.users[user].id.to_string();
    let (credential, name) = way_in(&home, user, request)?;

    let mut auth: Vec<_> = sessions::end_all(context.reader, &id, &request.options)?.into_iter().collect();
    if credential.is_none() {
        auth.push(records::credential(&records::id(&request.random), &id, &name));
    }
    let mut rows = records::set_password(context, request, &home, &name)?;
    let mut plan = Plan::new(format!("Set a new password for `{name}`"));
    let (mut names, mut final_name) = (vec![], name.clone());
    if let (true, Some(credential)) = (request.options.fix_name, credential) {
        match fix_names::mend(&home, credential, &mut rows) {
            Ok(change) => (names, final_name) = (change.into_iter().collect(), normalise(&name)),
            Err(why) => plan = plan.warn(format!("the name stays `{name}`: {why}")),
        }
    }
    plan = plan.for_sign_in(id, final_name).step(auth).step(rows).step(names).then(START);
    Ok(warn(plan, &home, user, request))
}

/// The credential that the new password is for, and its name. A user without any gets one of the name typed beside its id;
/// one of another provider with `--convert`.
fn way_in(home: &Home, user: usize, request: &Request) -> Result<(Option<usize>, String)> {
    let known = &home.users[user];
    if known.system {
        return Err(of_the_app(home, user));
    }
    let typed = request.target()?.name.as_str();
    let like = accounts::credential_like(home, user, typed);
    let own = like.filter(|credential| *home.credentials[*credential].provider == *PROVIDER);
    if let Some(credential) = own.or(sign_in::own_standing(home, user).credential) {
        return match sign_in::path(home, credential) {
            Path::Shadowed(first) => Err(sign_in::refuse_shadowed(home, credential, first)),
            _ => Ok((Some(credential), home.credentials[credential].username.to_string())),
        };
    }
    match (accounts::name(home, user), request.options.convert) {
        (None, _) if !strip(typed).is_empty() => Ok((None, free_name(home, strip(typed))?)),
        (None, _) => Err(without_name(home, user)),
        (Some(name), false) => Err(elsewhere(home, user, name)),
        (Some(name), true) => converted(home, user, name),
    }
}

/// The name for a password of a user whose other provider has one. A password entry of somebody else's is not the user's to
/// change, and a sign-in would end at whoever comes first.
fn converted(home: &Home, user: usize, name: &str) -> Result<(Option<usize>, String)> {
    let keeps_password = |other: &&usize| **other != user && home.password_credentials(**other).next().is_some();
    let Some(other) = home.users_like(name).iter().find(keeps_password) else {
        return Ok((None, records::new_name(home, name)));
    };
    let message = format!("the sign-in name `{name}` is {}'s, who has a password here", title(home, *other));
    let command = sign_in::command_text(home, &["user", "rename"], *other);
    Err(Error::new(Kind::Conflict, message).help(format!("rename that user first: `latchlift {command} NEW`")))
}

/// The user that a request means, where people sign in as it, and what to call it.
///
/// # Errors
/// No account or several answer to the name, or it is the app's own.
pub fn meant(home: &Home, request: &Request) -> Result<(usize, String)> {
    let user = accounts::find(home, request.target()?)?;
    if home.users[user].system {
        return Err(of_the_app(home, user));
    }
    Ok((user, accounts::name(home, user).map_or_else(|| title(home, user), str::to_owned)))
}

/// The refusal to touch one of the app's own users.
pub fn of_the_app(home: &Home, user: usize) -> Error {
    Error::refused(format!("{} is an account of Home Assistant's own; nobody signs in to it", title(home, user)), None)
}

fn without_name(home: &Home, user: usize) -> Error {
    let message = format!("{} has no sign-in name, so a password would lead nowhere", title(home, user));
    let id = &home.users[user].id;
    Error::refused(message, None).help(format!("to give it one: `latchlift password reset NAME --id {id}`"))
}

/// The name that a user without one gets, if it is nobody else's.
fn free_name(home: &Home, typed: &str) -> Result<String> {
    match home.users_like(typed) {
        [other, ..] => {
            let message = format!("the sign-in name `{typed}` is {}'s already", title(home, *other));
            Err(Error::new(Kind::Conflict, message).help("choose another name"))
        }
        [] => Ok(records::new_name(home, typed)),
    }
}

fn elsewhere(home: &Home, user: usize, name: &str) -> Error {
    let kinds: Vec<&str> = home.users[user].credentials.iter().map(|c| &*home.credentials[*c].provider).collect();
    let message =
        format!("`{name}` signs in through `{}`; Home Assistant keeps no password for it", kinds.join("`, `"));
    let command = sign_in::command_text(home, &["password", "reset"], user);
    Error::refused(message, None).help(format!("to give it a password here: `latchlift {command} --convert`"))
}

/// The plan with what keeps the person out all the same, or is else to know.
fn warn(mut plan: Plan, home: &Home, user: usize, request: &Request) -> Plan {
    let mended =
        [reason::PASSWORD_ENTRY_MISSING, reason::HASH_UNREADABLE, reason::NAME_CASE, reason::CREDENTIAL_MISSING];
    for why in sign_in::standing(home, user).reasons {
        if why.blocking && !mended.contains(&why.code.as_str()) {
            plan = plan.warn(format!("the new password does not let {} in yet: {}", title(home, user), why.message));
        }
    }
    if request.options.keep_sessions {
        plan = plan.warn("whoever is signed in stays so: a new password alone ends no session and no token");
    }
    plan.warnings.extend(mfa::warning(home, user));
    plan
}
