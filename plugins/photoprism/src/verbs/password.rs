//! `password reset` and `password remove`.

use super::{RESTART, copies, hashed, new_password, refuse_system, typed, warned};
use crate::edit::Edit;
use crate::find::{self, Found};
use crate::holdings::{self, Holdings, Password};
use crate::schema::{self, ADMIN_ID, Layout, PASSWORDS};
use crate::user::Provider;
use crate::{admins, locate, names, sessions};
use latchlift_plugin_api::{
    Change, Context, Error, Filter, Plan, Reader, Record, Request, Result, Select, Settings, delete,
};

/// Plans a new password, which ends the account's browser sign-ins and, where asked, its app passwords.
///
/// # Errors
/// The account is not found, is PhotoPrism's own, or another system checks its password.
pub fn reset(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let (reader, options) = (context.reader, &request.options);
    let layout = schema::detect(reader)?;
    let mut found = find::find(reader, &layout, request.target()?, request.now)?;
    refuse_system(&found.user)?;
    let holdings = holdings::of(reader, &layout, &found.user, found.alone, request.now)?;
    let mut edit = Edit::of(reader, &layout, &found.user)?;
    edit.renew_tokens(request);
    let mut notes = take_over(&layout, &mut found, &mut edit, options.convert)?;
    if options.fix_name {
        notes.extend(fix_name(reader, &layout, &mut found, &mut edit)?);
    }
    let renamed = edit.touches(&["user_name"]);
    let mut changes: Vec<_> = edit.change(request.now).into_iter().collect();
    if renamed {
        let names = [(found.user.uid.as_str(), found.user.name.as_str())].into();
        let end = copies::ended_by_password(options);
        changes.extend(copies::renamed(reader, &layout, &names, request.now, end)?);
    }
    let ending = ending(reader, &layout, &found.user.uid, request)?;
    let hash = || hashed(context, request);
    changes.extend(new_password(reader, &layout, &found.user.uid, request.now, hash)?);
    let mut plan = Plan::new(format!("Set a new password for {}", found.user.label()));
    plan.warnings = notes;
    if !ending.is_empty() {
        plan = plan.then(RESTART);
    }
    changes.extend(ending);
    let plan = plan.for_sign_in(&found.user.uid, &found.user.name).step(changes);
    Ok(warned(plan, &layout, &found, &holdings.with_new_password(), request))
}

/// The end of the account's browser sign-ins, unless they are kept; of its app passwords, where asked for.
fn ending(reader: &dyn Reader, layout: &Layout, uid: &str, request: &Request) -> Result<Vec<Change>> {
    let options = &request.options;
    if options.keep_sessions && !options.tokens {
        return Ok(vec![]);
    }
    let rows = sessions::rows(reader, layout, Filter::eq("user_uid", uid), request.now)?;
    Ok(match options.keep_sessions {
        false => sessions::ending(&rows, options.tokens),
        true => sessions::ending_tokens(&rows),
    })
}

/// Sees to it that PhotoPrism itself checks the password; gives what to know about that.
fn take_over(layout: &Layout, found: &mut Found, edit: &mut Edit<'_>, convert: bool) -> Result<Vec<String>> {
    let user = &mut found.user;
    let before = user.provider.title().to_owned();
    match &user.provider {
        Provider::Default | Provider::Local => return Ok(vec![]),
        _ if convert => {}
        Provider::Oidc if layout.oidc_passwords() => {
            return Ok(vec![format!("{} keeps signing in through OpenID Connect as well", user.label())]);
        }
        // Switched off rather than elsewhere: the password is set, and the warning says how to switch it on.
        Provider::None => return Ok(vec![]),
        _ => {
            let message = format!("`{}` signs in through {before}; a password here would not let it in", user.label());
            let help = "if it should sign in with a password from now on, say --convert";
            return Err(Error::refused(message, None).help(help));
        }
    }
    user.provider = if user.id == ADMIN_ID { Provider::Local } else { Provider::Default };
    edit.set("auth_provider", user.provider.word());
    Ok(match before.as_str() {
        "none" => vec![],
        _ => vec![format!("{} signs in with a password from now on, and no longer through {before}", user.label())],
    })
}

/// Writes the name as the login looks for it, unless another account has that name.
fn fix_name(reader: &dyn Reader, layout: &Layout, found: &mut Found, edit: &mut Edit<'_>) -> Result<Option<String>> {
    let wanted = names::clean(&found.user.name);
    if wanted.is_empty() || wanted == found.user.name {
        return Ok(None);
    }
    let taken = find::picked(reader, layout, &wanted)?.filter(|other| other.id != found.user.id);
    if let Some(other) = taken {
        let why = format!("the name stays `{}`: row {} is called `{}` already", found.user.name, other.id, other.name);
        return Ok(Some(why));
    }
    edit.set("user_name", &wanted);
    found.user.name = wanted;
    Ok(None)
}

/// Plans the end of an account's password, and of its browser sign-ins, which it opened.
///
/// # Errors
/// The account is not found, is PhotoPrism's own, or the last administrator who can sign in.
pub fn remove(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let (reader, options) = (context.reader, &request.options);
    let layout = schema::detect(reader)?;
    let found = find::find(reader, &layout, request.target()?, request.now)?;
    refuse_system(&found.user)?;
    let columns = reader.column_names(PASSWORDS)?;
    let row = reader.first(Select::from(PASSWORDS, columns).filter(Filter::eq("uid", &found.user.uid)))?;
    let Some(row) = row else {
        return Ok(Plan::new(format!("{} has no password", found.user.label())));
    };
    let had = holdings::of(reader, &layout, &found.user, found.alone, request.now)?;
    let without = Holdings { password: Password::Absent, ..had.clone() };
    admins::keep_one(reader, &layout, (&found.user, &had), Some((&found.user, &without)), request)?;
    let key = Record::new().with("uid", row.get("uid").cloned().unwrap_or_default());
    let mut changes = vec![delete(PASSWORDS, key, row)];
    let mut plan = Plan::new(format!("Remove the password of {}", found.user.label()));
    plan = plan.about(&found.user.uid, &found.user.name);
    let ending = ending(reader, &layout, &found.user.uid, request)?;
    if !ending.is_empty() {
        plan = plan.then(RESTART);
    }
    changes.extend(ending);
    if had.tokens > 0 && !options.tokens {
        let count = had.tokens;
        let stay = if count == 1 { "1 app password stays".to_owned() } else { format!("{count} app passwords stay") };
        plan = plan.warn(format!("{stay} and can be typed in place of it; end app passwords too with --tokens"));
    }
    if found.user.id == ADMIN_ID {
        plan = plan.warn(set_again(found.user.label(), &request.settings));
    }
    Ok(plan.step(changes))
}

/// What PhotoPrism does about an initial administrator without password.
fn set_again(name: &str, settings: &Settings) -> String {
    let start = match locate::has_initial_password(settings) {
        Some(true) => "PHOTOPRISM_ADMIN_PASSWORD is set: PhotoPrism gives it that password when it starts next",
        Some(false) => "if PHOTOPRISM_ADMIN_PASSWORD is ever set, PhotoPrism gives it that password when it starts",
        None => "while PHOTOPRISM_ADMIN_PASSWORD is set, PhotoPrism gives it that password again when it starts",
    };
    let reset = typed(&["password", "reset", name, "--generate"]);
    format!("{start}; to keep it shut, give it one that nobody knows instead: {reset}")
}
