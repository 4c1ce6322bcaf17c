//! `session list`, `session show` and `token list`.

use crate::find;
use crate::named::Named;
use crate::schema::{self, Columns, Layout, SESSIONS};
use crate::sessions::{self, Row, Sort};
use crate::user::User;
use latchlift_plugin_api::{
    Batch, Context, Filter, Known, Output, Reader, Request, Result, Select, Session, Time, Value,
};

const LISTED: [&str; 6] = ["user_name", "client_name", "user_agent", "client_ip", "login_at", "auth_scope"];
/// Rows per batch.
const BATCH: usize = 100;

/// Answers `session list`: one account's, or everyone's.
///
/// # Errors
/// The account is not found, and the store's.
pub fn sessions(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    list(context, request, &mut Emitter { output, wrap: Batch::Sessions, rows: vec![] }, Filter::All, |_| true)
}

/// Answers `token list`: app passwords and access tokens, without the sign-ins opened with them.
///
/// # Errors
/// As [`sessions`].
pub fn tokens(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let wanted = |sort| matches!(sort, Sort::AppPassword | Sort::Access);
    let providers = Filter::is_in("auth_provider", sessions::TOKENS);
    list(context, request, &mut Emitter { output, wrap: Batch::Tokens, rows: vec![] }, providers, wanted)
}

/// Answers `session show`: the one that a short id, a key or the secret itself names.
///
/// # Errors
/// The store's.
pub fn one(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = schema::detect(context.reader)?;
    let named = Named::of(&layout, &request.ids);
    let mut found: Vec<Session> = Vec::new();
    for filter in named.filters() {
        each(context.reader, &layout, filter, request.now, &mut |row, rest| {
            // One may be named in two ways.
            if named.means(&row) && !found.iter().any(|other| other.id == row.shown) {
                found.push(session(row, rest, None));
            }
            Ok(())
        })?;
    }
    output.emit(Batch::Sessions(found))
}

/// Collects rows into batches.
struct Emitter<'a> {
    output: &'a mut dyn Output,
    wrap: fn(Vec<Session>) -> Batch,
    rows: Vec<Session>,
}

impl Emitter<'_> {
    fn push(&mut self, row: Session) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        self.output.emit((self.wrap)(std::mem::take(&mut self.rows)))
    }
}

fn list(
    context: &Context<'_>,
    request: &Request,
    out: &mut Emitter<'_>,
    sort: Filter,
    wanted: impl Fn(Sort) -> bool,
) -> Result<()> {
    let (reader, now) = (context.reader, request.now);
    let layout = schema::detect(reader)?;
    let user = match &request.target {
        Some(target) => Some(find::find(reader, &layout, target, now)?.user),
        None => None,
    };
    let filter = user.as_ref().map_or(sort.clone(), |user| Filter::eq("user_uid", &user.uid).and(sort));
    each(reader, &layout, filter, now, &mut |row, rest| match wanted(row.sort) && row.fits(&request.options, now) {
        true => out.push(session(row, rest, user.as_ref())),
        false => Ok(()),
    })?;
    out.flush()
}

fn each(
    reader: &dyn Reader,
    layout: &Layout,
    filter: Filter,
    now: Time,
    take: &mut dyn FnMut(Row, [Value; 6]) -> Result<()>,
) -> Result<()> {
    let (keys, more) = (sessions::columns(layout), Columns::of(&layout.sessions, LISTED));
    let (first, second) = (keys.select(SESSIONS), more.select(SESSIONS));
    let width = first.columns.len();
    let mut query: Select = first.filter(filter);
    query.columns.extend(second.columns);
    reader.each_row(query, |mut row| {
        let rest = row.split_off(width.min(row.len()));
        take(Row::read(keys.spread(row), now), more.spread(rest))
    })
}

/// A row as it is listed. The name in it is the one at the time it was made, so a known account's own is preferred.
fn session(row: Row, [name, client, agent, ip, login, scope]: [Value; 6], user: Option<&User>) -> Session {
    let text = |value: &Value| value.to_text().filter(|text| !text.is_empty());
    let time = |value: &Value| value.as_str().and_then(Time::parse);
    let named = user.map(|user| user.name.clone()).filter(|name| !name.is_empty());
    Session {
        id: row.shown,
        account: named.or_else(|| text(&name)).into(),
        account_id: Some(row.uid).filter(|uid| !uid.is_empty()).into(),
        kind: row.sort.word().to_owned(),
        client: text(&client).or_else(|| text(&agent)).into(),
        scope: text(&scope).map_or(Known::Unknown, Known::Is),
        ip: text(&ip).into(),
        created_at: time(&row.created).or_else(|| time(&login)).into(),
        last_seen: Some(row.active).filter(|active| *active > 0).map(Time::from_seconds).into(),
        expires_at: row.ends.map(Time::from_seconds).map_or(Known::Nothing, Known::Is),
        expired: row.ended,
    }
}
