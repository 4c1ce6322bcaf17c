//! `admin recreate`, `admin grant` and `admin revoke`.

use super::{RESTART, copies, endings, hashed, new_password, refuse_deleted, refuse_system, set, typed, warned};
use crate::edit::Edit;
use crate::find::{self, Found};
use crate::holdings;
use crate::schema::{self, ADMIN_ID, LEGACY, Layout, USERS};
use crate::user::{Provider, User};
use crate::{admins, fill, ids, names, roles, sessions};
use latchlift_plugin_api::{
    Change, Context, Error, Filter, Kind, Plan, Reader, Request, Result, Select, Value, insert,
};

/// Plans an administrator who can sign in: row 1 repaired, or made anew.
///
/// # Errors
/// One can sign in already; the name is not usable, or another's; the store's.
pub fn recreate(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let wanted = &request.target()?.name;
    if let Some(fault) = names::fault(wanted) {
        return Err(Error::new(Kind::Usage, format!("`{wanted}` cannot be the administrator's name: {fault}")));
    }
    let name = names::clean(wanted);
    if !request.options.allows("existing-admin") {
        refuse_existing(reader, &layout, request)?;
    }
    match find::users(reader, &layout, Filter::eq("id", ADMIN_ID))?.pop() {
        Some(user) => repair(context, request, &layout, user, &name),
        None => create(context, request, &layout, &name),
    }
}

fn refuse_existing(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<()> {
    let Some(user) = admins::usable(reader, layout, None, request)? else { return Ok(()) };
    let message = format!("the administrator `{}` can sign in", user.name);
    let help = format!(
        "if only the password is lost: {}; if you mean it, say --allow-existing-admin",
        typed(&["password", "reset", &user.name])
    );
    Err(Error::refused(message, None).help(help))
}

fn repair(context: &Context<'_>, request: &Request, layout: &Layout, mut user: User, name: &str) -> Result<Plan> {
    let reader = context.reader;
    if !user.name.is_empty() && names::clean(&user.name) != name {
        let message = format!("the initial administrator is called `{}`, not `{name}`", user.name);
        return Err(Error::refused(message, None).help(typed(&["admin", "recreate", &user.name])));
    }
    if user.name != name {
        refuse_taken(reader, layout, name)?;
    }
    let was = user.name.clone();
    let mut edit = Edit::of(reader, layout, &user)?;
    edit.set("user_name", name);
    edit.set("user_role", "admin");
    edit.set("super_admin", 1);
    edit.set("can_login", 1);
    edit.set("auth_provider", "local");
    edit.set("expires_at", Value::Null);
    edit.set("deleted_at", Value::Null);
    edit.renew_tokens(request);
    user = User { name: name.to_owned(), role: "admin".to_owned(), provider: Provider::Local, ..user };
    user = User { super_admin: true, can_login: true, expires_at: None, deleted_at: None, ..user };
    let found = Found { alone: find::named(reader, layout, &was)?.len() <= 1, user };
    let holdings = holdings::of(reader, layout, &found.user, found.alone, request.now)?;
    let mut changes: Vec<Change> = edit.change(request.now).into_iter().collect();
    if was != name {
        let (names, end) = ([(found.user.uid.as_str(), name)].into(), copies::ended_by_password(&request.options));
        changes.extend(copies::renamed(reader, layout, &names, request.now, end)?);
    }
    let mut ending = vec![];
    if !request.options.keep_sessions {
        let rows = sessions::rows(reader, layout, Filter::eq("user_uid", &found.user.uid), request.now)?;
        ending = sessions::ending(&rows, request.options.tokens);
    }
    changes.extend(new_password(reader, layout, &found.user.uid, request.now, || hashed(context, request))?);
    changes.extend(ending);
    let plan = Plan::new(format!("Repair the initial administrator {name} and set a new password"));
    let plan = plan.for_sign_in(&found.user.uid, name).step(changes).then(RESTART);
    Ok(warned(plan, layout, &found, &holdings.with_new_password(), request))
}

/// Row 1 comes first, so that any other account of its name would never be found again.
fn refuse_taken(reader: &dyn Reader, layout: &Layout, name: &str) -> Result<()> {
    match find::taken(reader, layout, name, Some(ADMIN_ID))? {
        None => Ok(()),
        Some(other) => Err(Error::new(Kind::Conflict, format!("another account is called `{}` already", other.name))
            .help(format!(
                "make that one an administrator: {}; or choose another name",
                typed(&["admin", "grant", &other.name])
            ))),
    }
}

fn create(context: &Context<'_>, request: &Request, layout: &Layout, name: &str) -> Result<Plan> {
    let reader = context.reader;
    refuse_taken(reader, layout, name)?;
    let uid = former_uid(reader, layout, request)?.unwrap_or_else(|| ids::uid(&request.random, 'u', request.now));
    let mut changes = vec![insert(USERS, fill::initial_admin(reader, layout, request, &uid, name)?)];
    changes.extend(fill::companions(reader, layout, request.now, &uid)?);
    changes.extend(new_password(reader, layout, &uid, request.now, || hashed(context, request))?);
    let plan = Plan::new(format!("Make the initial administrator {name} anew"));
    Ok(plan.for_sign_in(uid, name).step(changes))
}

/// The uid that PhotoPrism itself would take over: that of row 1 of the table before 221102.
fn former_uid(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<Option<String>> {
    let columns = reader.column_names(LEGACY)?;
    if !["id", "user_uid"].iter().all(|name| columns.iter().any(|column| column == name)) {
        return Ok(None);
    }
    let row = reader.first(Select::from(LEGACY, ["user_uid"]).filter(Filter::eq("id", ADMIN_ID)))?;
    let uid = row.and_then(|row| row.text("user_uid")).filter(|uid| ids::is_user_uid(uid, request.now));
    match uid {
        Some(uid) if find::users(reader, layout, Filter::eq("user_uid", &uid))?.is_empty() => Ok(Some(uid)),
        _ => Ok(None),
    }
}

/// Plans super administrator's rights for an account, and the end of its sign-ins, as with every change of rights.
///
/// # Errors
/// The account is not found, or PhotoPrism's own; the store's.
pub fn grant(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    if request.options.group.is_some() {
        return Err(Error::unsupported("PhotoPrism has no groups; each account has its own rights"));
    }
    let layout = schema::detect(reader)?;
    let mut found = find::find(reader, &layout, request.target()?, request.now)?;
    refuse_system(&found.user)?;
    let holdings = holdings::of(reader, &layout, &found.user, found.alone, request.now)?;
    let mut edit = Edit::of(reader, &layout, &found.user)?;
    edit.set("super_admin", 1);
    edit.set("user_role", "admin");
    edit.set("can_login", 1);
    let Some(change) = edit.change(request.now) else {
        return Ok(Plan::new(format!("{} is a super administrator already", found.user.label())));
    };
    let user = &mut found.user;
    user.role = "admin".to_owned();
    (user.super_admin, user.can_login) = (true, true);
    let plan = Plan::new(format!("Make {} a super administrator", user.label()));
    let plan = plan.about(&user.uid, &user.name);
    let plan = endings::planned(reader, &layout, (user, &holdings), (plan, vec![change]), true, request)?;
    Ok(warned(plan, &layout, &found, &holdings, request))
}

/// Plans the end of an account's rights to administer PhotoPrism, and of its sign-ins, which carry them.
///
/// # Errors
/// The account is not found, is PhotoPrism's own, or is the last administrator who can sign in.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let found = find::find(reader, &layout, request.target()?, request.now)?;
    refuse_system(&found.user)?;
    refuse_deleted(&found.user)?;
    if !found.user.is_admin() {
        return Ok(Plan::new(format!("{} is no administrator", found.user.label())));
    }
    let mut edit = Edit::of(reader, &layout, &found.user)?;
    edit.set("super_admin", 0);
    let left = User { super_admin: false, ..found.user.clone() };
    if left.is_admin() {
        edit.set("user_role", roles::ordinary(&layout));
    }
    let summary = format!("Take {}'s rights to administer away", found.user.label());
    let plan = set::change(reader, &layout, found, edit, request)?;
    Ok(Plan { summary, ..plan })
}
