//! Sessions: the refresh tokens, which stand for every browser, app and program that is signed in.

mod end;

pub use end::{end, end_all, end_with, revoke};

use crate::accounts;
use crate::codes;
use crate::home::Home;
use crate::schema::TOKENS;
use latchlift_plugin_api::{
    Batch, Batches, Error, Filter, Kind, Known, Output, Reader, Record, Request, Result, Select, Session, Time, Value,
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
    let query = Select::from(TOKENS, SHOWN).filter(owner_filter(&home, request)?);
    let mut found = match what {
        TokenKind::LongLived => Batches::tokens(output),
        _ => Batches::sessions(output),
    };
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
            if session.expired || !request.options.expired { found.push(session) } else { Ok(()) }
        })?;
    }
    found.finish()
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
        true => {
            Err(Error::new(Kind::NotFound, "there is no session of that id")
                .help("see them with `latchlift session list`"))
        }
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
        ..Session::default()
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
