//! `user add`.

use super::START;
use super::people;
use super::records::{self, NewUser};
use crate::groups::role_group;
use crate::home::Home;
use crate::names::strip;
use crate::schema::{ADMINS, PROVIDER};
use crate::sign_in::{quoted, title};
use latchlift_plugin_api::{Context, Error, Kind, Plan, Request, Result};

/// Plans a new user with a credential and a password entry, and a person if one is wanted. The password entry comes after
/// the user: alone it would make whoever signs in with it an administrator.
///
/// # Errors
/// The name is taken or empty, or the store cannot hold a user of that role.
pub fn add(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let typed = strip(&request.target()?.name);
    refuse_name(&home, typed, request)?;
    let role = request.keys.get("role").map_or("user", String::as_str);
    let group = role_group(role)?;
    refuse_without_groups(&home, group)?;
    let name = records::new_name(&home, typed);
    let shown = request.keys.get("display-name").map(|shown| strip(shown)).filter(|shown| !shown.is_empty());
    let shown = shown.unwrap_or(typed);
    let yes = |key: &str| request.keys.get(key).is_some_and(|value| value == "yes");

    let (user, credential) = (records::id(&request.random), records::id(&request.random));
    let new = NewUser { id: &user, shown, group, owner: false, local_only: yes("local-only") };
    let auth = vec![records::user(&new), records::credential(&credential, &user, &name)];
    let rows = match request.password {
        Some(_) => records::set_password(context, request, &home, &name)?,
        None => vec![],
    };
    let person = match yes("person") {
        true => vec![people::new(context.reader, &home, &user, shown)?],
        false => vec![],
    };
    let plan = Plan::new(format!("Add the {} `{name}`", if group == ADMINS { "administrator" } else { "user" }));
    let plan = match request.password {
        Some(_) => plan.for_sign_in(&*user, &*name),
        None => plan.about(&*user, &*name).warn(format!(
            "`{name}` has no password yet, and signs in once it has one: `latchlift password reset {}`",
            quoted(&name)
        )),
    };
    Ok(warn(plan.step(auth).step(rows).step(person).then(START), &home, typed, &name))
}

fn refuse_name(home: &Home, typed: &str, request: &Request) -> Result<()> {
    if typed.is_empty() {
        return Err(Error::new(Kind::Usage, "this needs a sign-in name for the new user"));
    }
    if !home.layout.auth {
        let message = "`.storage/auth` is missing, and with it every user";
        let help = "look for `.storage/auth.corrupt.*` first; a new administrator: `latchlift admin recreate NAME`";
        return Err(Error::new(Kind::Conflict, message).help(help));
    }
    if let [other, ..] = home.users_like(typed) {
        let message = format!("the sign-in name `{typed}` is {}'s already", title(home, *other));
        return Err(Error::new(Kind::Conflict, message).help("choose another name"));
    }
    match (home.rows_like(typed), request.password) {
        ([row, ..], None) => {
            let row = &home.rows[*row].username;
            let message = format!(
                "there is a password entry `{row}` that leads to no user; its password would be the new user's"
            );
            Err(Error::new(Kind::Conflict, message).help("set a new password with the user"))
        }
        _ => Ok(()),
    }
}

/// Without groups in the store every user is made an administrator when the app starts.
///
/// # Errors
/// It has none, and the user is not to be an administrator.
pub fn refuse_without_groups(home: &Home, group: &str) -> Result<()> {
    if !home.groups.everyone_admin || group == ADMINS {
        return Ok(());
    }
    let message =
        "the store is from before there were groups: Home Assistant makes every user an administrator when it starts";
    Err(Error::refused(message, None).help("start and stop Home Assistant once, which adds the groups; then try again"))
}

fn warn(mut plan: Plan, home: &Home, typed: &str, name: &str) -> Plan {
    if name != typed {
        plan = plan.warn(format!("the sign-in name is kept as `{name}`: Home Assistant compares names like that"));
    }
    if let [row, ..] = home.rows_like(typed) {
        let row = &home.rows[*row].username;
        plan = plan.warn(format!("the password entry `{row}`, which led to no user, becomes the new user's"));
    }
    if home.settings.has_provider(PROVIDER) == Some(false) {
        plan = plan
            .warn("`auth_providers` in configuration.yaml does not list `homeassistant`, so no password is accepted");
    }
    plan
}
