//! `password reset`.

use super::{effective_at_once, hash_fields, row_of, warn_of_reasons};
use crate::accounts::{Accounts, Person, Stored};
use crate::everybody;
use crate::names;
use crate::report::total;
use crate::schema::{self, API_KEY, CREDENTIALS, HASH_COST, HASH_PREFIX, INVITE, Layout, SESSION, USER};
use crate::sign_in::{Logins, count, typed};
use latchlift_plugin_api::{
    Bcrypt, Change, Context, Error, Filter, Kind, Plan, Request, Result, StoreKind, Value, purge, reason, update,
};

/// Plans a new password for the target and signs it out everywhere.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, or one whose password is kept elsewhere.
pub fn reset(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    let mut accounts = Accounts::load(context.reader, &layout, request)?;
    let (i, renamed) = {
        let logins = Logins::of(&accounts);
        let i = logins.find(request.target()?)?;
        if !accounts.people[i].is_local() {
            may_convert(&logins, i, request)?;
        }
        (i, new_name(&logins, i, request))
    };
    let before = accounts.people[i].clone();
    let name_stays = request.options.fix_name && renamed.is_none() && names::fold(before.name()) != before.name();
    // From here on `accounts` is as the plan will leave it, so that what still keeps the person out can be told.
    if renamed.is_some() {
        accounts.people[i].name = renamed;
    }
    accounts.people[i].provider = CREDENTIALS.into();
    accounts.people[i].stored = Stored::Bcrypt(HASH_COST);
    let logins = Logins::of(&accounts);
    let mut plan = Plan::new(format!("Set a new password for `{}`", before.label()));
    plan = plan.for_sign_in(&before.id, accounts.people[i].name());
    let mut ending = vec![];
    plan = end_sign_ins(context, &layout, request, &before, plan, &mut ending)?;
    plan = everybody::warned(plan, context.reader, &layout)?;
    let mut changes = vec![new_values(context, request, &layout, &before, &accounts.people[i])?];
    changes.extend(ending);
    plan = match request.options.fix_name || logins.collides(i) {
        true => warn_of_reasons(plan.step(changes), &logins, i),
        false => offer_to_mend(plan.step(changes), &logins, i),
    };
    if name_stays {
        plan = plan.warn("the name stays as it is, because another account has the mended one");
    }
    if layout.kind == StoreKind::Postgres && logins.has_twins(i) {
        plan = plan.warn("several accounts have this name; PostgreSQL may put another one first after this");
    }
    if !before.is_local() {
        plan = plan.warn(converted(&before));
    }
    Ok(effective_at_once(plan))
}

/// As [`warn_of_reasons`], with the way to mend the name in the same plan.
fn offer_to_mend(plan: Plan, logins: &Logins<'_>, i: usize) -> Plan {
    let known = plan.warnings.len();
    let mut plan = warn_of_reasons(plan, logins, i);
    if logins.mended(i).is_none() {
        return plan;
    }
    let reasons = logins.reasons(i).into_iter().filter(|reason| reason.blocking);
    for (warning, reason) in plan.warnings[known..].iter_mut().zip(reasons) {
        if reason.code == reason::NAME_CASE {
            let label = logins.accounts.people[i].label();
            *warning = format!("`{label}` still cannot sign in: {}; add --fix-name to mend it here", reason.message);
        }
    }
    plan
}

/// Refuses an account of another provider, unless it may become one with a password of its own.
fn may_convert(logins: &Logins<'_>, i: usize, request: &Request) -> Result<()> {
    let person = &logins.accounts.people[i];
    if !request.options.convert {
        let title = person.provider_title();
        let message = format!("`{}` signs in through {title}: Homarr keeps no password for it", person.label());
        let help = match person.is_stray() {
            true => "make it an account with a password in Homarr: add --convert".to_owned(),
            false => format!("reset it at {title}, or make it an account with a password in Homarr: add --convert"),
        };
        return Err(Error::refused(message, None).help(help));
    }
    refuse_shared_name(logins, i)
}

/// Refuses to make an account with a password of one whose name such an account has.
///
/// # Errors
/// One has.
pub fn refuse_shared_name(logins: &Logins<'_>, i: usize) -> Result<()> {
    if !logins.collides(i) {
        return Ok(());
    }
    let person = &logins.accounts.people[i];
    // Both would answer to one name then, and whichever the database gives first would lock the other out.
    let others = logins.named(person.name(), Some(CREDENTIALS));
    let message = format!("`{}` cannot get a password: another account signs in with that name", person.label());
    let free = logins.free_name(person.name(), &[]);
    let help = format!(
        "reset the password of the other account, or give this one another name first: `latchlift user rename {}`",
        typed(&["--id".to_owned(), person.id.clone(), free])
    );
    Err(Error { candidates: logins.candidates(&others), ..Error::new(Kind::Conflict, message).help(help) })
}

/// The mended name, where it was asked for, differs and is free.
fn new_name(logins: &Logins<'_>, i: usize, request: &Request) -> Option<String> {
    let name = logins.accounts.people[i].name();
    let mended = names::fold(name);
    (request.options.fix_name && mended != name && !mended.is_empty() && !logins.collides(i))
        .then(|| mended.into_owned())
}

/// The hash is asked for last: the host computes it while the plan still reads.
fn new_values(
    context: &Context<'_>,
    request: &Request,
    layout: &Layout,
    before: &Person,
    after: &Person,
) -> Result<Change> {
    let columns = ["password"].into_iter().chain(layout.salt.then_some("salt")).map(str::to_owned);
    let row = row_of(context.reader, &before.id, columns.collect())?;
    let mut fields: Vec<(&str, Value, Value)> = Vec::new();
    let hash = Bcrypt::hash(context.secrets, request.password()?, HASH_PREFIX, HASH_COST)?;
    for (field, value) in hash_fields(layout, &hash) {
        fields.push((field, row.get(field).cloned().unwrap_or_default(), value));
    }
    fields.push(("name", Value::from(before.name.clone()), Value::from(after.name.clone())));
    fields.push(("provider", Value::from(&*before.provider), Value::from(&*after.provider)));
    let same = || Error::new(Kind::Contract, "the new hash is the old one");
    update(USER, schema::by_id(&before.id), fields).ok_or_else(same)
}

/// Adds the end of sessions, and of API keys where asked for; warns of what lives on.
///
/// # Errors
/// The store's.
pub fn end_sign_ins(
    context: &Context<'_>,
    layout: &Layout,
    request: &Request,
    person: &Person,
    mut plan: Plan,
    changes: &mut Vec<Change>,
) -> Result<Plan> {
    let mine = Filter::eq("user_id", &person.id);
    let sessions = total(context.reader, SESSION, "user_id", &mine)?;
    match request.options.keep_sessions {
        false => changes.extend(purge(SESSION, mine.clone(), sessions)),
        true if sessions > 0 => {
            plan = plan.warn(format!("{} kept: whoever is signed in stays so", count(sessions, "session")))
        }
        true => {}
    }
    let keys = total(context.reader, API_KEY, "user_id", &mine)?;
    match request.options.tokens {
        true => changes.extend(purge(API_KEY, mine, keys)),
        false if keys > 0 => {
            plan = plan.warn(format!("{} with all its rights kept; --tokens ends them", count(keys, "API key")))
        }
        false => {}
    }
    if request.options.tokens && layout.invites {
        let made = Filter::eq("creator_id", &person.id);
        let to = Some(schema::invite_ended_to(layout.kind, request.now));
        let ended = made.clone().and(Filter::Range { field: "expiration_date".to_owned(), from: None, to });
        let invites = total(context.reader, INVITE, "creator_id", &made)?;
        let live = invites.saturating_sub(total(context.reader, INVITE, "creator_id", &ended)?);
        if live > 0 {
            plan = plan.warn(format!(
                "{} it made kept, with which somebody can make an account: `latchlift invite list` shows them, \
                 `latchlift invite revoke --account-id {}` takes them back",
                count(live, "invitation"),
                typed(std::slice::from_ref(&person.id))
            ));
        }
    }
    Ok(plan)
}

/// What becoming an account with a password means to one of another provider.
pub fn converted(person: &Person) -> String {
    match &*person.provider {
        "oidc" => {
            "the account no longer takes its groups from OIDC; its OIDC sign-in keeps working through the stored link"
                .to_owned()
        }
        "ldap" => {
            "signing in through LDAP makes a second account from now on; this one takes only the password".to_owned()
        }
        _ => format!("the account no longer belongs to {}", person.provider_title()),
    }
}
