//! `password check`: the login form's own steps, with the name exactly as typed.

use crate::accounts;
use crate::find;
use crate::holdings::{self, Holdings, Password};
use crate::names::{self, FORM_BYTES};
use crate::schema::{self, HASH_COST, Layout, PASSWORDS};
use crate::sign_in::command;
use crate::user::{Provider, User};
use crate::verbs;
use latchlift_plugin_api::{
    Batch, Bcrypt, Context, Error, Filter, Known, Output, Reason, Request, Result, Select, Target, Verdict, reason,
};

/// Answers `password check`.
///
/// # Errors
/// No account answers to the name under any spelling, and the store's.
pub fn check(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = schema::detect(context.reader)?;
    let target = request.target()?;
    let user = match target.id {
        Some(_) => Some(find::find(context.reader, &layout, target, request.now)?.user),
        None => typed(context, &layout, target)?,
    };
    let verdict = match user {
        Some(user) => of_account(context, request, &layout, &user)?,
        None => nobody(context, request, &layout, target)?,
    };
    output.emit(Batch::Verdict(verdict))
}

/// The account the login picks for what is typed.
fn typed(context: &Context<'_>, layout: &Layout, target: &Target) -> Result<Option<User>> {
    let wanted = names::clean(&target.name);
    if target.name.trim().len() > FORM_BYTES {
        return Ok(None);
    }
    let user = find::picked(context.reader, layout, &wanted)?;
    let asked = target.provider.as_deref();
    Ok(user.filter(|user| asked.is_none_or(|asked| user.provider.word().eq_ignore_ascii_case(asked.trim()))))
}

fn of_account(context: &Context<'_>, request: &Request, layout: &Layout, user: &User) -> Result<Verdict> {
    let alone = find::named(context.reader, layout, &user.name)?.len() <= 1;
    let holdings = holdings::of(context.reader, layout, user, alone, request.now)?;
    let account = accounts::account(layout, user, &holdings, request.now);
    let matches = verify(context, request, user).map_err(|why| too_slow(user, &holdings, why))?;
    let can_sign_in = match (&account.can_sign_in, matches) {
        (Known::Is(can), _) => Known::Is(*can && matches),
        // A directory server may know the very password that PhotoPrism does not.
        _ if user.provider == Provider::Ldap => Known::Nothing,
        _ => Known::Is(false),
    };
    let reasons = account.reasons.clone();
    Ok(Verdict { account: Some(Box::new(account)), matches, can_sign_in, reasons })
}

/// The failure to check a password, with the way out where the hash takes too long to compute.
fn too_slow(user: &User, holdings: &Holdings, why: Error) -> Error {
    match holdings.password {
        Password::Bcrypt(cost) if cost > Bcrypt::MAX_COST => {
            let reset = verbs::typed(&command(&["password", "reset"], user, holdings, None));
            why.help(format!("a new password gets a hash of the usual cost, {HASH_COST}: {reset}"))
        }
        _ => why,
    }
}

fn verify(context: &Context<'_>, request: &Request, user: &User) -> Result<bool> {
    let query = Select::from(PASSWORDS, ["hash"]).filter(Filter::eq("uid", &user.uid));
    let row = context.reader.first(query)?;
    match row.as_ref().and_then(|row| row.str("hash")).and_then(Bcrypt::parse) {
        Some(hash) => hash.verify(context.secrets, request.password()?),
        None => Ok(false),
    }
}

/// The login finds nobody; says why, where an account of a similar spelling is there.
fn nobody(context: &Context<'_>, request: &Request, layout: &Layout, target: &Target) -> Result<Verdict> {
    let similar = find::matching(context.reader, layout, target)?;
    let looked_for = names::clean(&target.name);
    let mut reasons = Vec::new();
    for user in &similar {
        let holdings = holdings::of(context.reader, layout, user, similar.len() == 1, request.now)?;
        let judged = crate::sign_in::judge(layout, user, &holdings, request.now);
        reasons.extend(
            judged
                .reasons
                .into_iter()
                .filter(|why| [reason::NAME_CASE, reason::NAME_INVALID, reason::SHADOWED].contains(&why.code.as_str())),
        );
    }
    if similar.is_empty() {
        return Err(Error::no_account(&target.name));
    }
    if reasons.is_empty() {
        let why = format!("the login looks for `{looked_for}` and finds nobody");
        reasons.push(Reason::blocking(reason::NAME_INVALID, why));
    }
    Ok(Verdict { account: None, matches: false, can_sign_in: Known::Is(false), reasons })
}
