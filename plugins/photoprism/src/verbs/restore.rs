//! `user restore`.

use super::{refuse_system, typed, warned};
use crate::edit::Edit;
use crate::find::{self, Found};
use crate::holdings::{self, Holdings, Password};
use crate::schema::{self, Layout};
use crate::user::User;
use latchlift_plugin_api::{Context, Error, Filter, Kind, Plan, Reader, Request, Result, Value};

/// Plans the return of a deleted account, as it was.
///
/// # Errors
/// The account is not found; another has its name by now.
pub fn restore(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let target = request.target()?;
    let mut all = find::matching(reader, &layout, target)?;
    // Of several of one name the deleted one is meant.
    if target.id.is_none() && all.iter().filter(|user| user.deleted_at.is_some()).count() == 1 {
        all.retain(|user| user.deleted_at.is_some());
    }
    let user = match all.len() {
        1 => all.remove(0),
        _ => find::find(reader, &layout, target, request.now)?.user,
    };
    refuse_system(&user)?;
    if user.deleted_at.is_none() {
        return Ok(Plan::new(format!("{} is not deleted", user.label())));
    }
    refuse_taken(reader, &layout, &user)?;
    let back = comes_back(reader, &layout, &user, request)?;
    let mut edit = Edit::of(reader, &layout, &user)?;
    edit.set("deleted_at", Value::Null);
    let found = Found { user: User { deleted_at: None, ..user }, alone: true };
    let holdings = holdings::of(reader, &layout, &found.user, found.alone, request.now)?;
    let plan = Plan::new(format!("Restore the account {}", found.user.label()));
    let mut plan =
        plan.for_sign_in(&found.user.uid, &found.user.name).step(edit.change(request.now).into_iter().collect());
    plan = plan.warn(format!("with the account comes back {back}"));
    if let Some(other) = same_email(reader, &layout, &found.user)? {
        let email = &found.user.email;
        plan = plan
            .warn(format!("{} has the e-mail address {email} too, so PhotoPrism will not save either", other.label()));
    }
    Ok(warned(plan, &layout, &found, &holdings, request))
}

fn refuse_taken(reader: &dyn Reader, layout: &Layout, user: &User) -> Result<()> {
    let all = find::named(reader, layout, &user.name)?;
    match all.into_iter().find(|other| other.id != user.id && other.deleted_at.is_none()) {
        None => Ok(()),
        Some(other) => {
            let message = format!("another account is called `{}` by now (id {})", other.name, other.uid);
            Err(Error::new(Kind::Conflict, message).help(format!(
                "give that one another name first: {}",
                typed(&["user", "rename", "--id", &other.uid, "NEW-NAME"])
            )))
        }
    }
}

fn same_email(reader: &dyn Reader, layout: &Layout, user: &User) -> Result<Option<User>> {
    if user.email.is_empty() {
        return Ok(None);
    }
    let others = find::users(reader, layout, Filter::eq("user_email", &user.email))?;
    Ok(others.into_iter().find(|other| other.id != user.id && !other.is_system() && other.deleted_at.is_none()))
}

/// What a deleted account still has, in words.
///
/// # Errors
/// The store's.
pub fn comes_back(reader: &dyn Reader, layout: &Layout, user: &User, request: &Request) -> Result<String> {
    let holdings = holdings::of(reader, layout, user, true, request.now)?;
    let mut parts = vec![rights(user)];
    parts.extend(matches!(holdings.password, Password::Bcrypt(_)).then(|| "its old password".to_owned()));
    parts.extend((user.two_factor).then(|| "its second factor".to_owned()));
    parts.extend(signed_in(&holdings));
    let last = parts.pop().unwrap_or_default();
    Ok(if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) })
}

fn rights(user: &User) -> String {
    match (user.super_admin, user.role.as_str()) {
        (true, _) => "its rights as super administrator".to_owned(),
        (false, "") => "an account without role".to_owned(),
        (false, role) => format!("its role `{role}`"),
    }
}

/// Up to 221118 a deleted account kept its sign-ins.
fn signed_in(holdings: &Holdings) -> Option<String> {
    let count = holdings.browser + holdings.tokens;
    (count > 0).then(|| format!("{count} sign-ins and app passwords that were never ended"))
}
