//! `password reset`.

use super::{RESTART, new_password, refuse_system, warned};
use crate::edit::Edit;
use crate::find::{self, Found};
use crate::names;
use crate::schema::{self, ADMIN_ID, HASH_COST, HASH_PREFIX, Layout};
use crate::user::Provider;
use crate::{holdings, sessions};
use latchlift_plugin_api::{Bcrypt, Context, Error, Filter, Plan, Reader, Request, Result};

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
    let hash = Bcrypt::hash(context.secrets, request.password()?, HASH_PREFIX, HASH_COST)?;
    let mut changes: Vec<_> = edit.change(request.now).into_iter().collect();
    changes.extend(new_password(reader, &layout, &found.user.uid, hash, request.now)?);
    let mut plan = Plan::new(format!("Set a new password for {}", found.user.label()));
    plan.warnings = notes;
    if !options.keep_sessions || options.tokens {
        let rows = sessions::rows(reader, &layout, Filter::eq("user_uid", &found.user.uid), request.now)?;
        let ending = match options.keep_sessions {
            false => sessions::ending(&rows, options.tokens),
            true => sessions::ending_tokens(&rows),
        };
        if !ending.is_empty() {
            plan = plan.then(RESTART);
        }
        changes.extend(ending);
    }
    let plan = plan.for_sign_in(&found.user.uid, &found.user.name).step(changes);
    Ok(warned(plan, &layout, &found, &holdings.with_new_password(), request))
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
