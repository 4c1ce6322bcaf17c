//! The end of sessions and tokens.

use super::{DECIDING, Named, TokenKind, expires_at, is_id, kind, owner_filter, unused};
use crate::accounts;
use crate::home::Home;
use crate::schema::TOKENS;
use latchlift_plugin_api::{
    Change, Context, Error, Filter, Kind, Options, Plan, Reader, Request, Result, Select, purge,
};
use std::collections::HashSet;

/// Plans `session revoke`.
///
/// # Errors
/// No account or session answers, a session is the app's own, or the store fails.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    end(context, request, TokenKind::Normal)
}

/// Plans the end of sessions, or of long-lived tokens.
///
/// # Errors
/// No account or row answers, one is the app's own, or the store fails.
pub fn end(context: &Context<'_>, request: &Request, what: TokenKind) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let noun = if what == TokenKind::LongLived { "token" } else { "session" };
    if !home.layout.auth {
        return Ok(Plan::new(format!("No {noun}s to end")));
    }
    let owner = owner_filter(&home, request)?;
    let Options { all, expired, unused_for, .. } = request.options;
    if request.ids.is_empty() && request.target.is_none() && !all && !expired && unused_for.is_none() {
        let message = format!("say whose {noun}s end: an account, `--id`, `--expired`, `--unused-for` or `--all`");
        return Err(Error::new(Kind::Usage, message));
    }
    let ending = ending(context.reader, request, owner, what)?;
    let mut plan = Plan::new(match ending.len() {
        0 => format!("No {noun}s to end"),
        1 => format!("End 1 {noun}"),
        n => format!("End {n} {noun}s"),
    });
    if !request.ids.is_empty() && ending.len() < request.ids.len() {
        let found: HashSet<&String> = ending.iter().collect();
        let missing = request.ids.iter().filter(|id| is_id(id) && !found.contains(id));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        plan = match missing.is_empty() {
            true => plan.warn(format!("not every id given is that of a {noun}")),
            false => plan.warn(format!("no {noun} has the id {}", missing.join(", "))),
        };
    }
    if !ending.is_empty() {
        plan = plan.then(match what {
            TokenKind::LongLived => "start Home Assistant, or restart it where it runs; programs with these tokens are then refused",
            _ => "start Home Assistant, or restart it where it runs; browsers and apps with these sessions then ask for a password",
        });
    }
    if let Some(target) = &request.target {
        let user = accounts::find(&home, target)?;
        plan = plan.about(&*home.users[user].id, accounts::name(&home, user).unwrap_or_default());
    }
    Ok(plan.step(purge(TOKENS, filter(ending.iter()), ending.len() as u64).into_iter().collect()))
}

/// The ids of the rows that a request ends.
fn ending(reader: &dyn Reader, request: &Request, owner: Filter, what: TokenKind) -> Result<Vec<String>> {
    let named = Named::new(&request.ids);
    let (tokens, mut ending) = (what == TokenKind::LongLived, vec![]);
    let columns = DECIDING.into_iter().chain((!named.tokens.is_empty()).then_some("/token"));
    reader.each(Select::from(TOKENS, columns).filter(owner), |row| {
        let (kind, Some(id)) = (kind(&row), row.str("/id")) else { return Ok(()) };
        if !named.is_empty() {
            match (named.has(&row), kind) {
                (true, TokenKind::System) => return Err(of_the_app(id)),
                (true, TokenKind::Normal) if tokens => return Err(no_token(id)),
                (true, _) => ending.push(id.to_owned()),
                (false, _) => {}
            }
            return Ok(());
        }
        let ended = expires_at(&row, kind).is_some_and(|end| end <= request.now);
        let meant = match kind {
            TokenKind::Normal => !tokens,
            TokenKind::LongLived => tokens || request.options.tokens,
            TokenKind::System => false,
        };
        if meant && (ended || !request.options.expired) && unused(&row, request) {
            ending.push(id.to_owned());
        }
        Ok(())
    })?;
    Ok(ending)
}

fn no_token(id: &str) -> Error {
    let message = format!("{id} is where somebody is signed in, not a long-lived token");
    Error::refused(message, None).help(format!("to end it: `latchlift session revoke --id {id}`"))
}

fn of_the_app(id: &str) -> Error {
    Error::refused(format!("session {id} is Home Assistant's own; without it parts of the app stop working"), None)
}

fn filter<'a>(ids: impl Iterator<Item = &'a String>) -> Filter {
    Filter::is_in("/id", ids)
}

/// What ends an account's sessions and whatever was opened with these credentials, with the long-lived tokens where asked
/// for.
///
/// # Errors
/// The store fails.
pub fn end_with(reader: &dyn Reader, user: &str, credentials: &[&str], options: &Options) -> Result<Option<Change>> {
    let mut doomed = vec![];
    let columns = DECIDING.into_iter().chain(["/credential_id"]);
    reader.each(Select::from(TOKENS, columns).filter(Filter::eq("/user_id", user)), |row| {
        let opened = row.str("/credential_id").is_some_and(|id| credentials.contains(&id));
        let ends = match kind(&row) {
            TokenKind::Normal => true,
            TokenKind::LongLived => opened || options.tokens,
            TokenKind::System => false,
        };
        doomed.extend(row.text("/id").filter(|_| ends));
        Ok(())
    })?;
    Ok(purge(TOKENS, filter(doomed.iter()), doomed.len() as u64))
}

/// What ends an account's sessions, with the long-lived tokens where asked for.
///
/// # Errors
/// The store fails.
pub fn end_all(reader: &dyn Reader, user: &str, options: &Options) -> Result<Option<Change>> {
    if options.keep_sessions {
        return Ok(None);
    }
    let request = Request { options: Options { tokens: options.tokens, ..Options::default() }, ..Request::default() };
    let ending = ending(reader, &request, Filter::eq("/user_id", user), TokenKind::Normal)?;
    Ok(purge(TOKENS, filter(ending.iter()), ending.len() as u64))
}
