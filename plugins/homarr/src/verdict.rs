//! `password check`: what Homarr's own login would say.

use crate::accounts::{self, Accounts, Stored};
use crate::names;
use crate::report::Details;
use crate::schema::{self, CREDENTIALS, HASH_COST, USER};
use crate::sign_in::{Logins, typed};
use latchlift_plugin_api::{
    Batch, Bcrypt, Context, Error, Filter, Known, Output, Reason, Request, Result, Select, Target, Verdict, reason,
};

/// Reports whether name and password get in.
///
/// # Errors
/// The store's, an unknown layout, or no account answers to the name in any spelling.
pub fn check(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let logins = Logins::of(&accounts);
    let target = request.target()?;
    let verdict = match picked(&logins, target)? {
        Some(i) => {
            let details = Details::load(context.reader, &layout, &accounts, Some(&[i]), request)?;
            let account = details.account(&logins, i);
            let matches = matches(context, request, &account.id).map_err(|why| too_slow(&logins, i, why))?;
            let mut reasons = account.reasons.clone();
            reasons.extend(unreached(&logins, target, i));
            let can_sign_in = match account.can_sign_in {
                Known::Is(can) => Known::Is(can && matches),
                unknown => unknown,
            };
            Verdict { account: Some(Box::new(account)), matches, can_sign_in, reasons }
        }
        None => nobody(&logins, target)?,
    };
    output.emit(Batch::Verdict(verdict))
}

/// The account asked about: the one of an id or of another provider, else the one that the login picks.
fn picked(logins: &Logins<'_>, target: &Target) -> Result<Option<usize>> {
    let elsewhere = target.provider.as_deref().is_some_and(|provider| !provider.eq_ignore_ascii_case(CREDENTIALS));
    match target.id.is_some() || elsewhere {
        true => logins.find(target).map(Some),
        false => Ok(logins.pick(&target.name)),
    }
}

fn matches(context: &Context<'_>, request: &Request, id: &str) -> Result<bool> {
    let query = Select::from(USER, ["password"]).filter(Filter::eq("id", id));
    let row = context.reader.first(query)?;
    match row.as_ref().and_then(|row| row.str("password")).and_then(accounts::readable) {
        Some(hash) => hash.verify(context.secrets, request.password()?),
        None => Ok(false),
    }
}

/// The failure to check a password, with the way out where the hash takes too long to compute.
fn too_slow(logins: &Logins<'_>, i: usize, why: Error) -> Error {
    match logins.accounts.people[i].stored {
        Stored::Bcrypt(cost) if cost > Bcrypt::MAX_COST => {
            let address = typed(&logins.address(i));
            why.help(format!(
                "a new password gets a hash of the usual cost, {HASH_COST}: `latchlift password reset {address}`"
            ))
        }
        _ => why,
    }
}

/// The account whose name is exactly what was typed, where the login picks another one: it is easily taken for it.
fn unreached(logins: &Logins<'_>, target: &Target, picked: usize) -> Option<Reason> {
    let people = &logins.accounts.people;
    let exact = |i: &usize| people[*i].name() == target.name && people[*i].is_local();
    let other = logins.named(&target.name, None).into_iter().find(exact)?;
    if target.id.is_some() || other == picked || people[picked].name() == target.name {
        return None;
    }
    let message = format!(
        "the login picks `{}` for this name, not the account stored as `{}` (id {})",
        people[picked].name(),
        target.name,
        people[other].id
    );
    Some(Reason::note(reason::DUPLICATE, message))
}

/// The verdict where the login finds no account, though people might think that it does.
fn nobody(logins: &Logins<'_>, target: &Target) -> Result<Verdict> {
    let similar = logins.named(&target.name, target.provider.as_deref());
    if similar.is_empty() {
        return Err(Error::no_account(&target.name));
    }
    let mut reasons: Vec<Reason> = similar.iter().flat_map(|i| misses(logins, *i)).collect();
    let answered = logins.pick(names::trim(&target.name));
    if let (Some(i), true) = (answered, names::trim(&target.name) != target.name) {
        let message =
            format!("the login does not drop blanks around a name: type `{}`", logins.accounts.people[i].name());
        reasons.push(Reason::blocking(reason::NAME_INVALID, message));
    }
    Ok(Verdict { account: None, matches: false, can_sign_in: Known::Is(false), reasons })
}

/// Why an account of a similar name is not the one that the login finds.
fn misses(logins: &Logins<'_>, i: usize) -> Vec<Reason> {
    let person = &logins.accounts.people[i];
    let mut reasons = logins.reasons(i);
    for reason in reasons.iter_mut().filter(|reason| reason.code == reason::PROVIDER) {
        reason.message =
            format!("`{}` signs in through {}, not with a password here", person.name(), person.provider_title());
    }
    reasons
}
