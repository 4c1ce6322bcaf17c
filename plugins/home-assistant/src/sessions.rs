//! Sessions: the refresh tokens, which stand for every browser, app and program that is signed in.

use crate::accounts;
use crate::home::Home;
use crate::schema::TOKENS;
use latchlift_plugin_api::{
    Batches, Change, Context, Error, Filter, Kind, Known, Options, Output, Plan, Reader, Record, Request, Result,
    Select, Session, Time, Value, purge,
};
use std::collections::HashSet;

/// What decides about a token.
const DECIDING: [&str; 7] =
    ["/id", "/user_id", "/token_type", "/client_id", "/expire_at", "/created_at", "/access_token_expiration"];

/// What a refresh token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A browser or app where somebody signed in.
    Normal,
    /// A long-lived access token, made for a program.
    LongLived,
    /// One of the app's own. Never ended: the app would lose its Supervisor.
    System,
}

/// The kind of a token; a row without a type is the app's own if it has no client.
pub fn token_kind(kind: &Value, client: &Value) -> TokenKind {
    match (kind.as_str(), client) {
        (Some("normal"), _) => TokenKind::Normal,
        (Some("long_lived_access_token"), _) => TokenKind::LongLived,
        (Some(_), _) | (None, Value::Null) => TokenKind::System,
        (None, _) => TokenKind::Normal,
    }
}

/// Answers `session list`.
///
/// # Errors
/// No account answers to the name, or the store fails.
pub fn list(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(reader)?;
    let mut sessions = Batches::sessions(output);
    let columns = DECIDING.into_iter().chain(["/client_name", "/last_used_at", "/last_used_ip"]);
    let query = Select::from(TOKENS, columns).filter(owner_filter(&home, request)?);
    if home.layout.auth {
        reader.each(query, |row| {
            let session = session(&home, &row, request.now);
            let wanted =
                (session.kind != "system" || request.options.system) && (session.expired || !request.options.expired);
            if wanted { sessions.push(session) } else { Ok(()) }
        })?;
    }
    sessions.finish()
}

fn owner_filter(home: &Home, request: &Request) -> Result<Filter> {
    match &request.target {
        Some(target) => Ok(Filter::eq("/user_id", &*home.users[accounts::find(home, target)?].id)),
        None => Ok(Filter::All),
    }
}

fn session(home: &Home, row: &Record, now: Time) -> Session {
    let kind = kind(row);
    let user = row.str("/user_id").and_then(|id| home.index(id));
    let expires_at = expires_at(row, kind);
    Session {
        id: row.text("/id").unwrap_or_default(),
        account: user.and_then(|user| accounts::name(home, user)).map(str::to_owned).into(),
        account_id: row.text("/user_id").into(),
        kind: match kind {
            TokenKind::Normal => "browser",
            TokenKind::LongLived => "long_lived",
            TokenKind::System => "system",
        }
        .to_owned(),
        client: row.text("/client_name").or_else(|| row.text("/client_id")).into(),
        ip: row.text("/last_used_ip").into(),
        created_at: row.str("/created_at").and_then(Time::parse).into(),
        last_seen: row.str("/last_used_at").and_then(Time::parse).into(),
        expired: expires_at.is_some_and(|end| end <= now),
        expires_at: Known::from(expires_at),
    }
}

fn kind(row: &Record) -> TokenKind {
    let field = |name| row.get(name).unwrap_or(&Value::Null);
    token_kind(field("/token_type"), field("/client_id"))
}

/// When a token ends: sessions 90 days after their last use, long-lived tokens with the one access token made from them.
fn expires_at(row: &Record, kind: TokenKind) -> Option<Time> {
    match kind {
        TokenKind::Normal => milliseconds(row.get("/expire_at")?).map(Time),
        TokenKind::LongLived => {
            let created = row.str("/created_at").and_then(Time::parse)?;
            Some(Time(created.0.saturating_add(milliseconds(row.get("/access_token_expiration")?)?)))
        }
        TokenKind::System => None,
    }
}

/// Seconds with a fraction, as Python writes them, in milliseconds.
pub fn milliseconds(seconds: &Value) -> Option<i64> {
    let seconds: f64 = match seconds {
        Value::Float(seconds) => *seconds,
        other => other.to_text()?.parse().ok()?,
    };
    seconds.is_finite().then_some((seconds * 1000.0) as i64)
}

/// Plans `session revoke`.
///
/// # Errors
/// No account or session answers, a session is the app's own, or the store fails.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    if !home.layout.auth {
        return Ok(Plan::new("No sessions to end"));
    }
    let owner = owner_filter(&home, request)?;
    let Options { all, expired, .. } = request.options;
    if request.ids.is_empty() && request.target.is_none() && !all && !expired {
        return Err(Error::new(Kind::Usage, "say whose sessions end: an account, `--id`, `--expired` or `--all`"));
    }
    let ending = ending(context.reader, request, owner)?;
    let plan = Plan::new(match ending.len() {
        0 => "No sessions to end".to_owned(),
        1 => "End 1 session".to_owned(),
        n => format!("End {n} sessions"),
    });
    let found: HashSet<&String> = ending.iter().collect();
    let missing: Vec<&str> = request.ids.iter().filter(|id| !found.contains(id)).map(String::as_str).collect();
    let plan = match missing[..] {
        [] => plan,
        _ => plan.warn(format!("no session has the id {}", missing.join(", "))),
    };
    let plan = match ending.is_empty() {
        true => plan,
        false => plan.then("start Home Assistant again; browsers and apps with these sessions then ask for a password"),
    };
    let plan = match &request.target {
        Some(target) => {
            let user = accounts::find(&home, target)?;
            plan.about(&*home.users[user].id, accounts::name(&home, user).unwrap_or_default())
        }
        None => plan,
    };
    Ok(plan.step(purge(TOKENS, filter(ending.iter()), ending.len() as u64).into_iter().collect()))
}

/// The ids of the tokens that a request ends.
fn ending(reader: &dyn Reader, request: &Request, owner: Filter) -> Result<Vec<String>> {
    let named: HashSet<&str> = request.ids.iter().map(String::as_str).collect();
    let mut ending = vec![];
    reader.each(Select::from(TOKENS, DECIDING).filter(owner), |row| {
        let (kind, Some(id)) = (kind(&row), row.str("/id")) else { return Ok(()) };
        if !named.is_empty() {
            match (named.contains(id), kind) {
                (true, TokenKind::System) => return Err(of_the_app(id)),
                (true, _) => ending.push(id.to_owned()),
                (false, _) => {}
            }
            return Ok(());
        }
        let ended = expires_at(&row, kind).is_some_and(|end| end <= request.now);
        let meant = kind == TokenKind::Normal || (kind == TokenKind::LongLived && request.options.tokens);
        if meant && (ended || !request.options.expired) {
            ending.push(id.to_owned());
        }
        Ok(())
    })?;
    Ok(ending)
}

fn of_the_app(id: &str) -> Error {
    Error::refused(format!("session {id} is Home Assistant's own; without it parts of the app stop working"), None)
}

fn filter<'a>(ids: impl Iterator<Item = &'a String>) -> Filter {
    Filter::is_in("/id", ids)
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
    let ending = ending(reader, &request, Filter::eq("/user_id", user))?;
    Ok(purge(TOKENS, filter(ending.iter()), ending.len() as u64))
}
