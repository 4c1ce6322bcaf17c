//! `admin recreate`, `admin grant` and `admin revoke`.

use super::START;
use super::add::refuse_without_groups;
use super::last_admin::refuse_if_last;
use super::records::{self, NewUser};
use super::reset::{meant, of_the_app};
use super::set;
use crate::heirs::{self, Heir};
use crate::home::Home;
use crate::names::strip;
use crate::schema::{ADMINS, ORDINARY, PROVIDER};
use crate::sign_in::{self, Path, quoted, title};
use crate::{accounts, mfa, sessions};
use latchlift_plugin_api::{Candidate, Context, Error, Kind, Known, Plan, Request, Result, Value};

/// Plans an administrator of this name who can sign in: a new one, or a user who is there already.
///
/// # Errors
/// Somebody can administer already, or the name means several users.
pub fn recreate(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    refuse_if_usable(&home, request)?;
    let target = request.target()?;
    let plan = match accounts::matching(&home, target)?[..] {
        [] => {
            refuse_if_bereft(&home, &target.name)?;
            create(context, request, &home)?
        }
        [user] => promote(context, request, &home, user)?,
        ref several => {
            let several: Vec<Candidate> = several.iter().map(|user| accounts::candidate(&home, *user)).collect();
            return Err(Error::ambiguous(&target.name, several));
        }
    };
    Ok(warn(plan, &home))
}

fn refuse_if_usable(home: &Home, request: &Request) -> Result<()> {
    // Where an owner is wanted, an administrator who is none does not do: nothing in the app makes one an owner.
    let (wanted, rank) = match request.options.owner {
        true => (home.users.iter().map(|user| user.owner).collect::<Vec<_>>(), "an owner"),
        false => (home.users.iter().map(|user| home.is_admin(user)).collect(), "an administrator"),
    };
    let usable = |user: &usize| wanted[*user] && sign_in::own_standing(home, *user).can == Known::Is(true);
    match (0..home.users.len()).find(usable) {
        Some(user) if !request.options.allows("existing-admin") => {
            let name = accounts::name(home, user).unwrap_or_default();
            let command = sign_in::command_text(home, &["password", "reset"], user);
            let message = format!("`{name}` is {rank} who can sign in; for a new password: `latchlift {command}`");
            Err(Error::refused(message, Some("allow-existing-admin")))
        }
        _ => Ok(()),
    }
}

/// Refuses to make another user of a password entry's name while an owner or administrator has lost the credential: the
/// entry may be theirs, and a second user would get neither the rights of the first nor what belongs to it.
fn refuse_if_bereft(home: &Home, name: &str) -> Result<()> {
    let [row, ..] = home.rows_like(name) else { return Ok(()) };
    let (entry, heirs) = (&home.rows[*row].username, home.heirs());
    let users = match heirs.of(entry) {
        Heir::None => vec![],
        Heir::One(user) => vec![user],
        Heir::Several(users) => users.to_vec(),
    };
    let administers = |user: &usize| {
        let known = &home.users[*user];
        known.credentials.is_empty() && (known.owner || home.in_admins(known))
    };
    let lost: Vec<usize> = users.into_iter().filter(administers).collect();
    let (id, whose) = match lost[..] {
        [] => return Ok(()),
        [user] => (&*home.users[user].id, title(home, user)),
        ref several => ("ID", format!("one of {}", heirs::named(home, several))),
    };
    let message = format!(
        "there is a password entry `{entry}` that leads to no user and may be that of {whose}, an administrator without a credential; another user of the name would not be that one"
    );
    let (entry, reset) = (quoted(entry), format!("latchlift password reset {} --id {id}", quoted(entry)));
    Err(Error::new(Kind::Conflict, message).help(format!(
        "to give it to that user: `{reset}`; if it is nobody's, take it away first: `latchlift user remove {entry}`"
    )))
}

/// The first user made in the app becomes its owner, and nothing in the app makes one later.
fn becomes_owner(home: &Home, request: &Request) -> bool {
    request.options.owner || !home.users.iter().any(|user| user.owner && user.active && !user.system)
}

fn create(context: &Context<'_>, request: &Request, home: &Home) -> Result<Plan> {
    let shown = strip(&request.target()?.name);
    if shown.is_empty() {
        return Err(Error::new(Kind::Usage, "this needs a sign-in name for the new administrator"));
    }
    let name = records::new_name(home, shown);
    let (user, credential) = (records::id(&request.random), records::id(&request.random));
    let owner = becomes_owner(home, request);
    let rank = if owner { "owner" } else { "administrator" };
    let new = NewUser { id: &user, shown, group: ADMINS, owner, local_only: false };
    let auth = vec![records::user(&new), records::credential(&credential, &user, &name)];
    let rows = records::set_password(context, request, home, &name)?;
    let plan = Plan::new(format!("Make the {rank} `{name}`")).for_sign_in(user, name);
    Ok(plan.step(auth).step(rows).then(START).then("link the new user to a person in the settings, if you want one"))
}

fn promote(context: &Context<'_>, request: &Request, home: &Home, user: usize) -> Result<Plan> {
    let known = &home.users[user];
    if known.system {
        return Err(of_the_app(home, user));
    }
    let (credential, name) = way_in(home, user, &request.target()?.name)?;
    let owner = known.owner || becomes_owner(home, request);
    let rank = if owner { "owner" } else { "administrator" };
    let values = [
        ("/is_active", Value::from(true)),
        ("/local_only", Value::from(false)),
        ("/is_owner", Value::from(owner)),
        ("/group_ids", records::group_ids(ADMINS)),
    ];
    // Older releases do not write these two, and without them the user is as wanted.
    let good = |field: &str| match field {
        "/local_only" => !known.local_only,
        "/group_ids" => home.in_admins(known),
        _ => false,
    };
    let values = values.into_iter().filter(|(field, _)| !good(field)).collect();
    let mut auth: Vec<_> = sessions::end_all(context.reader, &known.id, &request.options)?.into_iter().collect();
    auth.extend(records::set_user(context.reader, &known.id, values)?);
    if credential.is_none() {
        auth.push(records::credential(&records::id(&request.random), &known.id, &name));
    }
    let rows = records::set_password(context, request, home, &name)?;
    let mut plan = Plan::new(format!("Make {} the {rank} `{name}`", title(home, user)));
    plan.warnings.extend(mfa::warning(home, user));
    Ok(plan.for_sign_in(&*known.id, name).step(auth).step(rows).then(START))
}

/// The credential a promoted user signs in with, and its name; a user without one gets the name asked for.
fn way_in(home: &Home, user: usize, typed: &str) -> Result<(Option<usize>, String)> {
    let like = accounts::credential_like(home, user, typed);
    let like = like.filter(|credential| home.password_credentials(user).any(|own| own == *credential));
    if let Some(credential) = like.or(sign_in::own_standing(home, user).credential) {
        return match sign_in::path(home, credential) {
            Path::Shadowed(first) => Err(sign_in::refuse_shadowed(home, credential, first)),
            _ => Ok((Some(credential), home.credentials[credential].username.to_string())),
        };
    }
    let typed = strip(typed);
    let typed = if typed.is_empty() { accounts::name(home, user).unwrap_or_default() } else { typed };
    if typed.is_empty() {
        let message = format!("{} has no sign-in name yet; say which it gets", title(home, user));
        let help = format!("say `latchlift admin recreate NAME --id {}`", home.users[user].id);
        return Err(Error::new(Kind::Usage, message).help(help));
    }
    match home.users_like(typed).iter().find(|other| **other != user) {
        Some(other) => {
            let message = format!("the sign-in name `{typed}` is {}'s already", title(home, *other));
            Err(Error::new(Kind::Conflict, message).help("choose another name"))
        }
        None => Ok((None, records::new_name(home, typed))),
    }
}

/// The plan with what else is wrong in a home that needs a new administrator.
fn warn(mut plan: Plan, home: &Home) -> Plan {
    if home.settings.has_provider(PROVIDER) == Some(false) {
        plan = plan
            .warn("`auth_providers` in configuration.yaml does not list `homeassistant`, so no password is accepted");
    }
    for why in &home.house.barred {
        plan = plan.warn(format!("nobody gets in yet: {}", why.message));
    }
    if !home.layout.auth {
        plan = plan.warn("`.storage/auth` is missing and will be made anew; look for `.storage/auth.corrupt.*` first, which may be all your users");
    }
    let planned: Vec<String> = plan.accounts.iter().map(|account| account.name.clone()).collect();
    let open: Vec<&str> = home.orphan_names().filter(|name| !planned.iter().any(|own| own == name)).collect();
    match open[..] {
        [] => plan,
        [name, ..] => {
            let count = open.len();
            let noun = if count == 1 { "entry leads" } else { "entries lead" };
            plan.warn(format!(
                "{count} password {noun} to no user (`{name}`); whoever signs in with one becomes an administrator too"
            ))
        }
    }
}

/// Plans an existing user into the group of administrators, or as owner.
///
/// # Errors
/// No account or several answer to the name, or it is the app's own.
pub fn grant(context: &Context<'_>, request: &Request) -> Result<Plan> {
    if request.options.group.is_some() {
        let why = "administrators of Home Assistant are the users in its group `system-admin`; no other group can be made one";
        return Err(Error::unsupported(why).help("name the user instead: `latchlift admin grant NAME`"));
    }
    let home = Home::read(context.reader)?;
    let (user, name) = meant(&home, request)?;
    let known = &home.users[user];
    let mut values = vec![];
    if !home.in_admins(known) {
        values.push(("/group_ids", records::group_ids(ADMINS)));
    }
    if request.options.owner && !known.owner {
        values.push(("/is_owner", Value::from(true)));
    }
    let rank = if request.options.owner { "an owner" } else { "an administrator" };
    if values.is_empty() {
        return Ok(Plan::new(format!("`{name}` is {rank} already")));
    }
    let change = records::set_user(context.reader, &known.id, values)?;
    let plan = Plan::new(format!("Make `{name}` {rank}")).about(&*known.id, name);
    let plan = plan.step(change.into_iter().collect()).then(START);
    Ok(match known.active {
        true => plan,
        false => plan.warn("the user is not active, so this has no effect until it is"),
    })
}

/// Plans a user out of the group of administrators, and no owner either.
///
/// # Errors
/// No account or several answer to the name, it is the app's own, the only owner or the last administrator.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let (user, name) = meant(&home, request)?;
    let known = &home.users[user];
    let mut values = vec![];
    if home.in_admins(known) {
        refuse_without_groups(&home, ORDINARY)?;
        values.push(("/group_ids", set::list(set::groups_with(&home, known, ORDINARY))));
    }
    if known.owner {
        values.push(("/is_owner", Value::from(false)));
    }
    if values.is_empty() {
        return Ok(Plan::new(format!("`{name}` is no administrator")));
    }
    refuse_if_last(&home, user, &request.options)?;
    let change = records::set_user(context.reader, &known.id, values)?;
    let plan = Plan::new(format!("Take the administrator's rights of `{name}`")).about(&*known.id, name);
    Ok(plan.step(change.into_iter().collect()).then(START))
}
