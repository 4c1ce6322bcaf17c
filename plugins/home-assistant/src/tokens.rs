//! Long-lived access tokens, which people make for programs.

use crate::codes;
use crate::home::Home;
use crate::schema::{self, TOKENS};
use crate::sessions::{self, TokenKind};
use crate::verbs::{START, meant, records};
use latchlift_plugin_api::plan::Reveal;
use latchlift_plugin_api::{
    Context, Error, Filter, Kind, Output, Plan, Reader, Record, Request, Result, Select, Time, Value, insert,
};

/// What the app's own page gives a new token, in seconds: 3650 days.
const TEN_YEARS: i64 = 3650 * 86400;

/// Answers `token list`.
///
/// # Errors
/// No account answers to the name, or the store fails.
pub fn list(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    sessions::rows(reader, request, TokenKind::LongLived, output)
}

/// Plans `token revoke`.
///
/// # Errors
/// No account or token answers, or the store fails.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    sessions::end(context, request, TokenKind::LongLived)
}

/// Plans a new long-lived token of a user. The store keeps the key that signs it, never the token.
///
/// # Errors
/// No account or several answer to the name, it is the app's own, the token's name is taken, or its end has passed.
pub fn issue(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let (user, name) = meant(&home, request)?;
    let known = &home.users[user];
    let called = token_name(context.reader, request, &known.id)?;
    let seconds = lifetime(request)?;
    let [id, token, key] = [records::id(&request.random), request.random.hex(64), request.random.hex(64)];
    let version = schema::version(context.reader)?;
    let row = Record::new()
        .with("/id", &*id)
        .with("/user_id", &*known.id)
        .with("/client_id", Value::Null)
        .with("/client_name", &*called)
        .with("/client_icon", Value::Null)
        .with("/token_type", "long_lived_access_token")
        .with("/created_at", request.now.isoformat())
        .with("/access_token_expiration", Value::Number(format!("{seconds}.0")))
        .with("/token", token)
        .with("/jwt_key", &*key)
        .with("/last_used_at", Value::Null)
        .with("/last_used_ip", Value::Null)
        .with("/expire_at", Value::Null)
        .with("/credential_id", Value::Null)
        .with("/version", version);
    let value = codes::access_token(&id, &key, request.now, seconds);
    let mut plan = Plan::new(format!("Make the token `{called}` for `{name}`")).about(&*known.id, &*name);
    plan.reveals.push(Reveal { kind: "token".to_owned(), value });
    if !known.active {
        plan = plan.warn(format!("`{name}` is not active, so the token is refused until it is"));
    }
    let revoke = format!("to end it: `latchlift token revoke --id {id}`");
    Ok(plan.step(vec![insert(TOKENS, row)]).then(START).then(revoke))
}

/// A name that no other long-lived token of the user has, which the app insists on.
fn token_name(reader: &dyn Reader, request: &Request, user: &str) -> Result<String> {
    let mut taken = vec![];
    let own = Filter::eq("/user_id", user).and(Filter::eq("/token_type", "long_lived_access_token"));
    reader.each_row(Select::from(TOKENS, ["/client_name"]).filter(own), |row| {
        taken.extend(row[0].to_text());
        Ok(())
    })?;
    let free = |name: &String| !taken.contains(name);
    match request.keys.get("name").map(|name| name.trim()).filter(|name| !name.is_empty()) {
        Some(name) if free(&name.to_owned()) => Ok(name.to_owned()),
        Some(name) => Err(Error::new(Kind::Conflict, format!("the user has a token named `{name}` already"))
            .help("give another one: name=NAME, or end the old one: `latchlift token list`")),
        None => {
            let numbered = (2..).map(|n| format!("latchlift {n}"));
            Ok(std::iter::once("latchlift".to_owned()).chain(numbered).find(free).unwrap_or_default())
        }
    }
}

/// For how many seconds the token is good.
fn lifetime(request: &Request) -> Result<i64> {
    let Some(end) = request.keys.get("expires").filter(|end| !end.is_empty()) else { return Ok(TEN_YEARS) };
    if end == "never" {
        let message = "a token of Home Assistant always has an end";
        return Err(Error::new(Kind::Usage, message).help("give a late one: expires=100y"));
    }
    let end = Time::parse(end).ok_or_else(|| Error::new(Kind::Usage, format!("`{end}` is not a time")))?;
    match end.seconds() - request.now.seconds() {
        seconds if seconds > 0 => Ok(seconds),
        _ => Err(Error::new(Kind::Usage, "that end has passed already").help("give one to come: expires=10y")),
    }
}
