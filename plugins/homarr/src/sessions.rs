//! `session list` and `session revoke`. A session's key is the cookie's value, so it is only ever named by fingerprint.

use crate::accounts::{Accounts, Person};
use crate::groups::Index;
use crate::report::total;
use crate::schema::{self, API_KEY, Layout, SESSION};
use crate::sign_in::{Logins, count};
use latchlift_plugin_api::{
    Batches, Change, Context, Error, Filter, Kind, Known, Output, Plan, Reader, Request, Result, Select, Session, Time,
    Value, fingerprint, purge,
};

/// How long a session's fingerprint is.
const FINGERPRINT: usize = 12;

/// Reports the sessions of the target, or of everybody.
///
/// # Errors
/// The store's, an unknown layout, or no such account.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    refuse_unused(request, "session")?;
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let index = Index::of_all(&accounts);
    let mut batches = Batches::sessions(output);
    let filter = scope(&layout, whose(&accounts, request)?, request);
    each(context.reader, filter, |token, user, expires| {
        let person = index.of(user).map(|i| &accounts.people[i as usize]);
        batches.push(reported(token, user, person, expires, request.now))
    })?;
    batches.finish()
}

fn reported(token: &str, user: &str, person: Option<&Person>, expires: Option<Time>, now: Time) -> Session {
    Session {
        id: fingerprint(token),
        account: Known::from(person.and_then(|person| person.name.clone())),
        account_id: Known::Is(user.to_owned()),
        kind: "browser".to_owned(),
        expires_at: Known::from(expires),
        expired: expires.is_some_and(|expires| expires < now),
        ..Session::default()
    }
}

/// The fingerprint that something typed for an id means: its own, if it is longer than one.
fn shown(id: &str) -> String {
    let id = id.trim();
    match id.len() > FINGERPRINT {
        true => fingerprint(id),
        false => id.to_ascii_lowercase(),
    }
}

/// Homarr records neither when a session or key was made nor when it was used.
///
/// # Errors
/// It was asked for.
pub fn refuse_unused(request: &Request, what: &str) -> Result<()> {
    match request.options.unused_for {
        Some(_) => Err(Error::unsupported(format!("Homarr does not record when a {what} was last used"))),
        None => Ok(()),
    }
}

/// Plans to end sessions: those named by fingerprint, the target's, the ended ones, or all.
///
/// # Errors
/// The store's, an unknown layout, no such account, or nothing was said about which.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    refuse_unused(request, "session")?;
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    if request.target.is_none() && request.ids.is_empty() && !request.options.all && !request.options.expired {
        let message = "say whose sessions end: an account, --id, --all or --expired";
        return Err(Error::new(Kind::Usage, message));
    }
    let person = whose(&accounts, request)?;
    let (filter, missing) = named(context.reader, scope(&layout, person, request), &request.ids)?;
    let n = match filter {
        Filter::In(_, ref tokens) if tokens.is_empty() => 0,
        ref filter => total(context.reader, SESSION, "user_id", filter)?,
    };
    let mut plan = Plan::new(summary(person, request, n));
    for id in missing {
        plan = plan.warn(format!("no session has the id `{id}`"));
    }
    let keys = keys(context.reader, person, request)?;
    if let (Some(person), true) = (person, n > 0 || keys.is_some()) {
        plan = about(plan, context.reader, person, request)?;
    }
    if n > 0 && !request.options.expired {
        plan = plan.then("nothing to restart: the next request of each ended session has to sign in again");
        plan = plan.then("a page that is open now receives live updates until it is reloaded or closed");
    }
    Ok(plan.step(purge(SESSION, filter, n).into_iter().chain(keys).collect()))
}

/// The API keys that end too: with `--tokens` the account's, or everybody's with `--all`. They have no end of their own.
fn keys(reader: &dyn Reader, whose: Option<&Person>, request: &Request) -> Result<Option<Change>> {
    let mine = match whose {
        Some(person) => Filter::eq("user_id", &person.id),
        None if request.options.all => Filter::All,
        None => return Ok(None),
    };
    if !request.options.tokens || request.options.expired || !request.ids.is_empty() {
        return Ok(None);
    }
    let keys = total(reader, API_KEY, "user_id", &mine)?;
    Ok(purge(API_KEY, mine, keys))
}

/// The account that the target means, if there is a target.
///
/// # Errors
/// There is none, or there are several.
pub fn whose<'a>(accounts: &'a Accounts, request: &Request) -> Result<Option<&'a Person>> {
    let find = |target| Logins::of(accounts).find(target).map(|i| &accounts.people[i]);
    request.target.as_ref().map(find).transpose()
}

/// The sessions that the target and the switches mean.
fn scope(layout: &Layout, whose: Option<&Person>, request: &Request) -> Filter {
    let mut filter = Filter::All;
    if let Some(person) = whose {
        filter = filter.and(Filter::eq("user_id", &person.id));
    }
    if request.options.expired {
        let to = Some(schema::ended_to(layout.kind, request.now));
        filter = filter.and(Filter::Range { field: "expires".to_owned(), from: None, to });
    }
    filter
}

/// The scope, narrowed to the sessions of these fingerprints, and the fingerprints that none has.
fn named(reader: &dyn Reader, scope: Filter, ids: &[String]) -> Result<(Filter, Vec<String>)> {
    if ids.is_empty() {
        return Ok((scope, vec![]));
    }
    let wanted: Vec<String> = ids.iter().map(|id| shown(id)).collect();
    let mut found = vec![false; ids.len()];
    let mut tokens = Vec::new();
    each(reader, scope, |token, _, _| {
        let fingerprint = fingerprint(token);
        if let Some(i) = wanted.iter().position(|id| *id == fingerprint) {
            found[i] = true;
            tokens.push(token.to_owned());
        }
        Ok(())
    })?;
    let missing = wanted.into_iter().zip(found).filter(|(_, found)| !found).map(|(id, _)| id).collect();
    Ok((Filter::is_in("session_token", tokens), missing))
}

fn summary(whose: Option<&Person>, request: &Request, n: u64) -> String {
    let what = if request.options.expired { "ended session" } else { "session" };
    let whose = whose.map(|person| format!(" of `{}`", person.label())).unwrap_or_default();
    match n {
        0 => format!("there is no such {what}{whose}"),
        n if request.options.expired => format!("Remove {}{whose}", count(n, what)),
        n => format!("End {}{whose}", count(n, what)),
    }
}

fn about(plan: Plan, reader: &dyn Reader, person: &Person, request: &Request) -> Result<Plan> {
    let plan = plan.about(&person.id, person.name());
    let keys = total(reader, API_KEY, "user_id", &Filter::eq("user_id", &person.id))?;
    if keys == 0 || request.options.expired || request.options.tokens {
        return Ok(plan);
    }
    let keys = count(keys, "API key");
    Ok(plan.warn(format!("`{}` still has {keys} with all its rights; --tokens ends them", person.label())))
}

/// Calls `each` with token, account id and end of every session that matches.
fn each(
    reader: &dyn Reader,
    filter: Filter,
    mut each: impl FnMut(&str, &str, Option<Time>) -> Result<()>,
) -> Result<()> {
    let query = Select::from(SESSION, ["session_token", "user_id", "expires"]).filter(filter);
    reader.each_row(query, |row| {
        let text = |cell: usize| row.get(cell).and_then(Value::to_text).unwrap_or_default();
        each(&text(0), &text(1), row.get(2).and_then(schema::expiry))
    })
}
