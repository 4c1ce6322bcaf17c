//! `user set` and `user rename`.

use super::{copies, endings, refuse_deleted, refuse_system, typed};
use crate::edit::Edit;
use crate::find::{self, Found};
use crate::holdings::{self, Holdings};
use crate::schema::{self, ADMIN_ID, Layout};
use crate::user::{Provider, User};
use crate::verbs::mfa;
use crate::{admins, keys, names, roles, sign_in};
use latchlift_plugin_api::{Change, Context, Error, Kind, Plan, Reader, Request, Result};

/// Fields that say what an account may do or who lets it in: PhotoPrism ends its sign-ins when one of them changes.
/// Upstream: internal/entity/auth_user.go `PrivilegeLevelChange`.
const PRIVILEGES: [&str; 12] = [
    "user_role",
    "auth_provider",
    "auth_id",
    "auth_issuer",
    "super_admin",
    "can_login",
    "webdav",
    "user_attr",
    "base_path",
    "upload_path",
    "user_scope",
    "expires_at",
];

/// Plans new properties of an account.
///
/// # Errors
/// The account is not found, is deleted or PhotoPrism's own; a value is not one PhotoPrism takes; it would leave no
/// administrator who can sign in.
pub fn set(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let found = find::find(reader, &layout, request.target()?, request.now)?;
    refuse_system(&found.user)?;
    refuse_deleted(&found.user)?;
    let mut edit = Edit::of(reader, &layout, &found.user)?;
    for (field, value) in keys::wanted(reader, &layout, request, (&found.user.name, &found.user.role))? {
        edit.set(field, value);
    }
    change(reader, &layout, found, edit, request)
}

/// The plan for an edit of an account's rights and properties, with everything that follows from it.
///
/// # Errors
/// As [`set`].
pub fn change(
    reader: &dyn Reader,
    layout: &Layout,
    found: Found,
    mut edit: Edit<'_>,
    request: &Request,
) -> Result<Plan> {
    let had = holdings::of(reader, layout, &found.user, found.alone, request.now)?;
    let mut passcodes = Vec::new();
    let mut after = User::of_record(layout, &edit.row());
    if after.provider == Provider::None && edit.touches(&["auth_provider"]) && after.two_factor {
        edit.set("auth_method", "default");
        passcodes = mfa::passcodes(reader, layout, &found.user)?.iter().map(mfa::removed).collect();
        after.two_factor = false;
    }
    keys::check(reader, layout, &edit.row(), |field| edit.touches(&[field]))?;
    admins::keep_one(reader, layout, (&found.user, &had), Some((&after, &had)), request)?;
    let (others, notes) = match edit.touches(&["auth_provider", "auth_id"]) {
        true => keys::take_subject(reader, layout, &edit.row(), request.now)?,
        false => (vec![], vec![]),
    };
    let rights = edit.touches(&PRIVILEGES);
    let mut plan = Plan::new(format!("Change the account {}", found.user.label())).about(&after.uid, &after.name);
    plan.warnings = notes;
    plan.warnings.extend(consequences(layout, &found.user, &after, &had, request));
    let mut changes: Vec<Change> = edit.change(request.now).into_iter().collect();
    if changes.is_empty() && !request.options.tokens {
        return Ok(Plan::new(format!("{} is so already", found.user.label())));
    }
    changes.extend(passcodes);
    changes.extend(others);
    endings::planned(reader, layout, (&after, &had), (plan, changes), rights, request)
}

/// What follows for signing in that was not so before.
fn consequences(layout: &Layout, before: &User, after: &User, holdings: &Holdings, request: &Request) -> Vec<String> {
    let blocking = |user: &User| {
        let reasons = sign_in::judge(layout, user, holdings, request.now).reasons;
        reasons.into_iter().filter(|reason| reason.blocking)
    };
    let old: Vec<String> = blocking(before).map(|reason| reason.code).collect();
    let new = blocking(after).filter(|reason| !old.contains(&reason.code));
    let mut said: Vec<String> =
        new.map(|reason| format!("{} cannot sign in after this: {}", after.label(), reason.message)).collect();
    let touched = after.role != before.role || after.super_admin != before.super_admin;
    said.extend(roles::spared(after).filter(|_| touched));
    said
}

/// Plans another sign-in name.
///
/// # Errors
/// The name is not one PhotoPrism takes, or another account's.
pub fn rename(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let found = find::find(reader, &layout, request.target()?, request.now)?;
    refuse_system(&found.user)?;
    refuse_deleted(&found.user)?;
    let wanted = request.new_name.as_deref().unwrap_or_default();
    if let Some(fault) = names::fault(wanted) {
        return Err(Error::new(Kind::Usage, format!("`{wanted}` cannot be the name of an account: {fault}")));
    }
    let name = names::clean(wanted);
    if name != found.user.name {
        refuse_taken(reader, &layout, &name, &found.user)?;
    }
    let mut edit = Edit::of(reader, &layout, &found.user)?;
    edit.set("user_name", &name);
    let Some(change) = edit.change(request.now) else {
        return Ok(Plan::new(format!("{name} is called so already")));
    };
    let plan = Plan::new(format!("Call the account {} {name}", found.user.label())).about(&found.user.uid, &name);
    let copies =
        copies::renamed(reader, &layout, &[(found.user.uid.as_str(), name.as_str())].into(), request.now, |_| false)?;
    let plan = plan.step(std::iter::once(change).chain(copies).collect());
    Ok(match found.user.id == ADMIN_ID {
        false => plan,
        true => plan.warn(
            "PHOTOPRISM_ADMIN_USER renames the initial administrator back only when no password is stored for it",
        ),
    })
}

fn refuse_taken(reader: &dyn Reader, layout: &Layout, name: &str, user: &User) -> Result<()> {
    let Some(other) = find::taken(reader, layout, name, Some(user.id))? else { return Ok(()) };
    let (state, help) = match other.deleted_at {
        None => ("an", format!("choose another name; look at that account: {}", typed(&["user", "show", &other.name]))),
        Some(_) => {
            ("a deleted", format!("choose another name, or free this one: {}", typed(&["user", "purge", &other.name])))
        }
    };
    Err(Error::new(Kind::Conflict, format!("there is {state} account called `{}` already", other.name)).help(help))
}
