//! `user add`.

use super::{hashed, new_password, typed, warned};
use crate::find::{self, Found};
use crate::holdings::{Holdings, Password};
use crate::schema::{self, HASH_COST, Layout, USERS};
use crate::user::{Provider, User};
use crate::verbs::restore;
use crate::{fill, ids, keys, names, roles};
use latchlift_plugin_api::{Context, Error, Kind, Plan, Reader, Request, Result, Value, insert};

/// Plans a new account.
///
/// # Errors
/// The name, the role or another value is not one PhotoPrism takes, or is another account's; a password is missing.
pub fn add(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let name = free_name(reader, &layout, request)?;
    if !request.keys.contains_key("role") {
        return Err(Error::new(Kind::Usage, "a new account needs a role").help("add role=guest, or role=admin"));
    }
    let mut own = vec![("id", Value::Int(fill::next_row(reader)?))];
    own.extend(keys::wanted(reader, &layout, request, (&name, ""))?);
    let uid = ids::uid(&request.random, 'u', request.now);
    let row = fill::account(reader, &layout, request, (&uid, &name), own)?;
    let user = User::of_record(&layout, &row);
    keys::check(reader, &layout, &row, |field| field != "auth_provider" || request.keys.contains_key("provider"))?;
    refuse_no_password(&user, request)?;
    let (others, notes) = keys::take_subject(reader, &layout, &row, request.now)?;
    let mut changes = vec![insert(USERS, row)];
    changes.extend(fill::companions(reader, &layout, request.now, &uid)?);
    let mut holdings = Holdings { alone: true, ..Holdings::default() };
    if request.password.is_some() {
        changes.extend(new_password(reader, &layout, &uid, request.now, || hashed(context, request))?);
        holdings.password = Password::Bcrypt(HASH_COST);
    }
    changes.extend(others);
    let plan = Plan::new(format!("Add the account {name}"));
    let mut plan = match meant_to_sign_in(&user, request) {
        true => plan.for_sign_in(&uid, &name),
        false => plan.about(&uid, &name),
    };
    plan.warnings = notes;
    plan.warnings.extend(roles::spared(&user));
    let found = Found { user, alone: true };
    Ok(warned(plan.step(changes), &layout, &found, &holdings, request))
}

/// Whether the point is that somebody can sign in now: not where the keys say otherwise, or for later.
fn meant_to_sign_in(user: &User, request: &Request) -> bool {
    let over = user.expires_at.is_some_and(|ends| ends < request.now);
    (user.can_login || user.super_admin) && user.provider != Provider::None && !over
}

/// PhotoPrism asks for a password where it is the one to check it.
fn refuse_no_password(user: &User, request: &Request) -> Result<()> {
    let checked_here = matches!(user.provider, Provider::Default | Provider::Local);
    if request.password.is_some() || !checked_here {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, "an account whose password PhotoPrism checks needs one").help(
        "leave --no-password out, or say who else checks it: provider=oidc auth-id=ID, provider=ldap, provider=none",
    ))
}

fn free_name(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<String> {
    let wanted = &request.target()?.name;
    if let Some(fault) = names::fault(wanted) {
        return Err(Error::new(Kind::Usage, format!("`{wanted}` cannot be the name of an account: {fault}")));
    }
    let name = names::clean(wanted);
    let Some(other) = find::taken(reader, layout, &name, None)? else { return Ok(name) };
    if other.deleted_at.is_none() {
        let message = format!("there is an account called `{}` already", other.name);
        return Err(
            Error::new(Kind::Conflict, message).help(format!("look at it: {}", typed(&["user", "show", &other.name])))
        );
    }
    let back = restore::comes_back(reader, layout, &other, request)?;
    let message = format!("a deleted account is called `{}`; restoring it brings back {back}", other.name);
    Err(Error::new(Kind::Conflict, message).help(format!(
        "bring it back with {}, or free the name for good with {}",
        typed(&["user", "restore", &other.name]),
        typed(&["user", "purge", &other.name])
    )))
}
