//! Sessions: the refresh tokens, which stand for every browser, app and program that is signed in.

use crate::accounts;
use crate::codes;
use crate::home::Home;
use crate::schema::TOKENS;
use latchlift_plugin_api::{
    Batch, Change, Context, Error, Filter, Kind, Known, Options, Output, Plan, Reader, Record, Request, Result, Select,
    Session, Time, Value, purge,
};
use std::collections::HashSet;

/// What decides about a token.
const DECIDING: [&str; 8] = [
    "/id",
    "/user_id",
    "/token_type",
    "/client_id",
    "/expire_at",
    "/created_at",
    "/access_token_expiration",
    "/last_used_at",
];

/// What decides about a token and shows whether it is in use.
const SHOWN: [&str; 10] = [
    "/id",
    "/user_id",
    "/token_type",
    "/client_id",
    "/expire_at",
    "/created_at",
    "/access_token_expiration",
    "/client_name",
    "/last_used_at",
    "/last_used_ip",
];

/// Rows per batch of an answer.
const BATCH: usize = 100;

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
    rows(reader, request, TokenKind::Normal, output)
}

/// Lists sessions, with the long-lived tokens beside them; or these tokens alone.
///
/// # Errors
/// No account answers to the name, or the store fails.
pub fn rows(reader: &dyn Reader, request: &Request, what: TokenKind, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(reader)?;
    let wrap = if what == TokenKind::LongLived { Batch::Tokens } else { Batch::Sessions };
    let query = Select::from(TOKENS, SHOWN).filter(owner_filter(&home, request)?);
    let mut found = vec![];
    if home.layout.auth {
        reader.each(query, |row| {
            let shown = match kind(&row) {
                TokenKind::LongLived => true,
                TokenKind::Normal => what == TokenKind::Normal,
                TokenKind::System => what == TokenKind::Normal && request.options.system,
            };
            if !shown || !unused(&row, request) {
                return Ok(());
            }
            let session = session(&home, &row, request.now);
            if session.expired || !request.options.expired {
                found.push(session);
            }
            match found.len() < BATCH {
                true => Ok(()),
                false => output.emit(wrap(std::mem::take(&mut found))),
            }
        })?;
    }
    output.emit(wrap(found))
}

/// Answers `session show`: the one of that id, or the one that a token given instead of an id belongs to.
///
/// # Errors
/// There is none, or the store fails.
pub fn show(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(reader)?;
    let (named, mut found) = (Named::new(&request.ids), vec![]);
    if home.layout.auth {
        let query = Select::from(TOKENS, SHOWN.into_iter().chain(["/token"]));
        reader.each(query, |row| {
            if named.has(&row) {
                found.push(session(&home, &row, request.now));
            }
            Ok(())
        })?;
    }
    match found.is_empty() {
        false => output.emit(Batch::Sessions(found)),
        // What was typed may be a token, and is not repeated.
        true => Err(Error::new(Kind::NotFound, "there is no session of that id").help("latchlift session list")),
    }
}

/// Rows named by their ids, or by the tokens themselves: a refresh token, or an access token made from it.
struct Named {
    ids: HashSet<String>,
    tokens: HashSet<String>,
}

impl Named {
    fn new(typed: &[String]) -> Named {
        let (mut ids, mut tokens) = (HashSet::new(), HashSet::new());
        for typed in typed {
            match codes::issuer(typed) {
                Some(id) => _ = ids.insert(id),
                None if is_id(typed) => _ = ids.insert(typed.clone()),
                None => _ = tokens.insert(typed.clone()),
            }
        }
        Named { ids, tokens }
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.tokens.is_empty()
    }

    fn has(&self, row: &Record) -> bool {
        row.str("/id").is_some_and(|id| self.ids.contains(id) || self.tokens.contains(id))
            || row.str("/token").is_some_and(|token| self.tokens.contains(token))
    }
}

/// Whether this may be an id, which has 32 characters. Tokens are more than three times as long, and are never repeated.
fn is_id(typed: &str) -> bool {
    typed.len() <= 40
}

/// Whether a row was last used, or made if it never was, as long ago as was asked for.
fn unused(row: &Record, request: &Request) -> bool {
    let Some(seconds) = request.options.unused_for else { return true };
    let time = |field| row.str(field).and_then(Time::parse);
    let since = time("/last_used_at").or_else(|| time("/created_at"));
    let limit = request.now.seconds().saturating_sub(i64::try_from(seconds).unwrap_or(i64::MAX));
    since.is_none_or(|since| since.seconds() <= limit)
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
            TokenKind::LongLived => "start Home Assistant again; programs with these tokens are then refused",
            _ => "start Home Assistant again; browsers and apps with these sessions then ask for a password",
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
    Error::refused(message, None).help(format!("latchlift session revoke --id {id}"))
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
