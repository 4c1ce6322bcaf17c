//! Sign-ins: browser sessions, app passwords, client tokens and share-link visitors share one table.

use crate::schema::{self, Columns, Layout, SESSIONS, VISITOR};
use latchlift_plugin_api::{
    Cell, Change, Filter, Options, Reader, Record, Result, Select, Time, Value, fingerprint, purge,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

/// What sort of sign-in a row is. Upstream: pkg/authn/providers.go and methods.go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Somebody in a browser.
    Browser,
    /// An app password itself.
    AppPassword,
    /// Somebody who signed in with an app password; `auth_id` is that password's id.
    Child,
    /// A token of an OAuth2 client.
    Client,
    /// An access token that was issued to nobody in particular.
    Access,
    /// A visitor with a share link.
    Visitor,
}

impl Sort {
    /// Layouts up to 221118 leave provider and method empty.
    fn read(provider: &str, method: &str, uid: &str) -> Sort {
        match provider {
            "application" if method == "session" => Sort::Child,
            "application" => Sort::AppPassword,
            "client" => Sort::Client,
            "access_token" => Sort::Access,
            "link" | "token" => Sort::Visitor,
            _ if uid.is_empty() || uid == VISITOR => Sort::Visitor,
            _ => Sort::Browser,
        }
    }

    /// The word for it in lists.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Browser => "browser",
            Sort::AppPassword => "app_password",
            Sort::Child => "app_password_session",
            Sort::Client => "client",
            Sort::Access => "access_token",
            Sort::Visitor => "visitor",
        }
    }
}

/// The sort of a row that has at least the columns that decide it.
pub fn sort(row: &Record) -> Sort {
    let text = |field: &str| row.text(field).unwrap_or_default();
    Sort::read(&text("auth_provider"), &text("auth_method"), &text("user_uid"))
}

/// A row of `auth_sessions`, as far as ending it depends on it.
pub struct Row {
    /// The key as the store gave it.
    pub id: Value,
    /// The account's id; empty for clients without one.
    pub uid: String,
    /// What sort it is.
    pub sort: Sort,
    /// The provider as the store gave it.
    pub provider: Value,
    /// The id of the session it came from, where `auth_method` is `session`.
    pub parent: Option<String>,
    /// When it ends, in Unix seconds.
    pub ends: Option<i64>,
    /// Whether it has ended.
    pub ended: bool,
    /// Whether it has an end date of its own.
    dated: bool,
    /// When it was last used, in Unix seconds; 0 if never.
    pub active: i64,
    /// When it was made, as the store gave it.
    pub created: Value,
    /// The id for people.
    pub shown: String,
}

const COLUMNS: [&str; 10] = [
    "id",
    "user_uid",
    "auth_provider",
    "auth_method",
    "auth_id",
    "last_active",
    "sess_expires",
    "sess_timeout",
    "ref_id",
    "created_at",
];

impl Row {
    /// A row of [`columns`].
    pub fn read(values: [Value; 10], now: Time) -> Row {
        let [id, uid, provider, method, auth_id, active, expires, timeout, ref_id, created] = values;
        let [uid, method] = [uid, method].map(|value| value.to_text().unwrap_or_default());
        let ends = ends(number(&expires), number(&timeout), number(&active));
        Row {
            sort: Sort::read(&provider.to_text().unwrap_or_default(), &method, &uid),
            parent: auth_id.to_text().filter(|parent| method == "session" && !parent.is_empty()),
            shown: shown(&id, &ref_id),
            ended: ends.is_some_and(|ends| ends < now.seconds()),
            dated: number(&expires) > 0,
            active: number(&active),
            created,
            ends,
            id,
            uid,
            provider,
        }
    }
}

impl Row {
    /// Whether it is old enough and over, as far as the options ask for that. One that was never used, nobody knows since
    /// when, counts as old.
    pub fn fits(&self, options: &Options, now: Time) -> bool {
        (!options.expired || self.ended)
            && options.unused_for.is_none_or(|span| self.used().is_none_or(|used| used <= before(now, span)))
    }

    /// When it was last used, or made if never used.
    fn used(&self) -> Option<i64> {
        let made = || self.created.as_str().and_then(Time::parse).map(Time::seconds);
        Some(self.active).filter(|active| *active > 0).or_else(made)
    }
}

fn before(now: Time, span: u64) -> i64 {
    now.seconds().saturating_sub(i64::try_from(span).unwrap_or(i64::MAX))
}

fn number(value: &Value) -> i64 {
    value.as_int().unwrap_or_default()
}

/// When a session ends: at its end date, or where it has none after too long a silence. Zero and -1 mean never.
///
/// PhotoPrism looks at the silence only where there is no end date, so that a sign-in nobody used for weeks gets in until
/// that date. Upstream: internal/entity/auth_session.go `Expired`, the same since 221102.
pub fn ends(expires: i64, timeout: i64, active: i64) -> Option<i64> {
    match expires {
        1.. => Some(expires),
        _ => (timeout > 0 && active > 0).then(|| active.saturating_add(timeout)),
    }
}

/// The short id PhotoPrism shows. Never the key, which up to 231128 is the very token that the browser sends.
fn shown(id: &Value, ref_id: &Value) -> String {
    let short = ref_id.to_text().filter(|short| !short.is_empty());
    short.unwrap_or_else(|| fingerprint(&id.to_text().unwrap_or_default()))
}

/// The columns that a row is read from.
pub fn columns(layout: &Layout) -> Columns<10> {
    Columns::of(&layout.sessions, COLUMNS)
}

/// Calls `each` with every row that matches.
///
/// # Errors
/// The store's, and whatever `each` answers.
pub fn each(
    reader: &dyn Reader,
    layout: &Layout,
    filter: Filter,
    now: Time,
    each: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<()> {
    let columns = columns(layout);
    reader.each_row(columns.select(SESSIONS).filter(filter), |row| each(Row::read(columns.spread(row), now)))
}

/// Calls `each` with the account and the sort of every sign-in that has not ended. Reads no more than that takes.
///
/// # Errors
/// The store's.
pub fn each_alive(reader: &dyn Reader, now: Time, each: &mut dyn FnMut(&str, Sort)) -> Result<()> {
    let wanted = ["user_uid", "auth_provider", "auth_method", "last_active", "sess_expires", "sess_timeout"];
    reader.each_cells(Select::from(SESSIONS, wanted), |row| {
        let [uid, provider, method, active, expires, timeout] = row else { return Ok(()) };
        let number = |cell: &Cell<'_>| cell.as_int().unwrap_or_default();
        let ended = ends(number(expires), number(timeout), number(active)).is_some_and(|ends| ends < now.seconds());
        if !ended {
            let (uid, provider, method) = (text_of(uid), text_of(provider), text_of(method));
            each(&uid, Sort::read(&provider, &method, &uid));
        }
        Ok(())
    })
}

/// A cell's text, copied only where SQLite made a number of it.
fn text_of<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    cell.as_str().map_or_else(|| Cow::Owned(cell.to_text().unwrap_or_default()), Cow::Borrowed)
}

/// Every row that matches.
///
/// # Errors
/// The store's.
pub fn rows(reader: &dyn Reader, layout: &Layout, filter: Filter, now: Time) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    each(reader, layout, filter, now, &mut |row| {
        found.push(row);
        Ok(())
    })?;
    Ok(found)
}

/// How many values one filter names; databases limit what a statement binds.
pub const CHUNK: usize = 500;

/// The providers of tokens, and of the sign-ins opened with them.
pub const TOKENS: [&str; 2] = ["access_token", "application"];
/// The providers of browser sign-ins. Layouts up to 221118 write none.
const BROWSER: [&str; 5] = ["", "default", "ldap", "local", "oidc"];

/// What ends the sign-ins of accounts: browser sessions with the sessions made from them, and with `tokens` the app
/// passwords with theirs. Client tokens and visitors stay. `rows` must hold all rows of these accounts.
pub fn ending(rows: &[Row], tokens: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let browser: Vec<&Row> = rows.iter().filter(|row| row.sort == Sort::Browser && belongs(row)).collect();
    let (unnamed, named): (Vec<&Row>, Vec<&Row>) = browser.iter().partition(|row| row.provider == Value::Null);
    changes.extend(of_accounts(&named, &Filter::is_in("auth_provider", providers(&named))));
    changes.extend(of_accounts(&unnamed, &Filter::Null("auth_provider".to_owned())));
    changes.extend(children(rows, &browser, tokens));
    if tokens {
        changes.extend(ending_tokens(rows));
    }
    changes
}

/// What ends the app passwords of accounts, with the sessions made from them.
pub fn ending_tokens(rows: &[Row]) -> Vec<Change> {
    let app = |row: &&Row| is_token(row) && belongs(row);
    of_accounts(&rows.iter().filter(app).collect::<Vec<_>>(), &Filter::eq("auth_provider", "application"))
}

/// Whether the row is an app password, or a sign-in opened with one.
pub fn is_token(row: &Row) -> bool {
    matches!(row.sort, Sort::AppPassword | Sort::Child)
}

/// Whether the row is some account's.
fn belongs(row: &Row) -> bool {
    !row.uid.is_empty() && row.uid != VISITOR
}

/// The usual providers, and any other that these rows name.
fn providers(rows: &[&Row]) -> Vec<Value> {
    let mut all: Vec<Value> = BROWSER.into_iter().map(Value::from).collect();
    for row in rows {
        if !all.contains(&row.provider) {
            all.push(row.provider.clone());
        }
    }
    all
}

/// The most accounts that are named one by one.
const FEW: usize = 20;

/// Purges by account rather than by row, so that a sign-in made a moment later ends too. The rows are one account's or
/// everybody's.
fn of_accounts(rows: &[&Row], which: &Filter) -> Vec<Change> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        *counts.entry(&row.uid).or_default() += 1;
    }
    if counts.len() > FEW && counts.keys().all(|uid| schema::is_account(uid)) {
        // So many are everybody's, which one statement ends faster than hundreds.
        let everybody = schema::accounts("user_uid").and(which.clone());
        return purge(SESSIONS, everybody, rows.len() as u64).into_iter().collect();
    }
    let counts: Vec<(&str, u64)> = counts.into_iter().collect();
    let purges = counts.chunks(CHUNK).filter_map(|chunk| {
        let whose = match chunk {
            [(uid, _)] => Filter::eq("user_uid", *uid),
            many => Filter::is_in("user_uid", many.iter().map(|(uid, _)| *uid)),
        };
        purge(SESSIONS, whose.and(which.clone()), chunk.iter().map(|(_, count)| count).sum())
    });
    purges.collect()
}

/// Sessions made from the ones that end, as far as no other purge takes them.
fn children(rows: &[Row], parents: &[&Row], tokens: bool) -> Vec<Change> {
    let parents: HashSet<String> = parents.iter().filter_map(|row| row.id.to_text()).collect();
    let stays = |row: &&Row| match row.sort {
        Sort::Browser => false,
        Sort::AppPassword | Sort::Child => !tokens,
        Sort::Client | Sort::Access | Sort::Visitor => true,
    };
    let orphaned = |row: &&Row| row.parent.as_ref().is_some_and(|parent| parents.contains(parent));
    by_id(&rows.iter().filter(stays).filter(orphaned).collect::<Vec<_>>())
}

/// Purges of exactly these rows.
fn by_id(rows: &[&Row]) -> Vec<Change> {
    let purges = rows.chunks(CHUNK).filter_map(|chunk| {
        let ids = chunk.iter().map(|row| row.id.clone());
        purge(SESSIONS, Filter::is_in("id", ids), chunk.len() as u64)
    });
    purges.collect()
}

/// Purges of the chosen rows and of the sessions made from them.
pub fn ending_these(rows: &[Row], chosen: impl Fn(&Row) -> bool) -> Vec<Change> {
    let picked: HashSet<String> = rows.iter().filter(|row| chosen(row)).filter_map(|row| row.id.to_text()).collect();
    let goes = |row: &&Row| {
        row.id.to_text().is_some_and(|id| picked.contains(&id))
            || row.parent.as_ref().is_some_and(|parent| picked.contains(parent))
    };
    by_id(&rows.iter().filter(goes).collect::<Vec<_>>())
}

/// Purges of what is over, and of the sessions made from it: by end date in one statement, the rest by id. `rows` are
/// all that match `whose`.
pub fn ending_over(rows: &[Row], whose: &Filter, now: Time) -> Vec<Change> {
    let dated = |row: &&Row| row.ended && row.dated;
    let bounds = [1, now.seconds() - 1].map(|bound| Some(Value::Int(bound)));
    let [from, to] = bounds;
    let over = whose.clone().and(Filter::Range { field: "sess_expires".to_owned(), from, to });
    let mut changes: Vec<Change> =
        purge(SESSIONS, over, rows.iter().filter(dated).count() as u64).into_iter().collect();
    let picked: HashSet<String> = rows.iter().filter(|row| row.ended).filter_map(|row| row.id.to_text()).collect();
    let rest = |row: &&Row| {
        let orphaned = row.parent.as_ref().is_some_and(|parent| picked.contains(parent));
        !dated(row) && (row.ended || orphaned)
    };
    changes.extend(by_id(&rows.iter().filter(rest).collect::<Vec<_>>()));
    changes
}

/// How many records the purges among `changes` remove.
pub fn ended(changes: &[Change]) -> u64 {
    let counts = changes.iter().map(|change| match change {
        Change::Purge { count, .. } => *count,
        _ => 0,
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::ends;

    #[test]
    fn silence_ends_only_what_has_no_end_date() {
        for (expires, timeout, active, end) in [
            (5_000, 100, 1_000, Some(5_000)),
            (0, 100, 1_000, Some(1_100)),
            (-1, 100, 1_000, Some(1_100)),
            (-1, 100, 0, None),
            (0, -1, 1_000, None),
            (0, 0, 0, None),
        ] {
            assert_eq!(ends(expires, timeout, active), end, "{expires} {timeout} {active}");
        }
    }
}
