//! Finding accounts.

use crate::holdings;
use crate::names;
use crate::schema::{Layout, Names, USERS};
use crate::sign_in::{self, Judgement};
use crate::user::{User, into_text};
use latchlift_plugin_api::{
    Candidate, Error, Filter, Known, Reader, Record, Result, Select, StoreKind, Target, Time, Value,
};

/// The accounts that match, lowest row first.
///
/// # Errors
/// The store's.
pub fn users(reader: &dyn Reader, layout: &Layout, filter: Filter) -> Result<Vec<User>> {
    let columns = User::columns(layout);
    let mut found = Vec::new();
    reader.each_row(columns.select(USERS).filter(filter).order(["id"]), |row| {
        found.push(User::read(&columns, row));
        Ok(())
    })?;
    Ok(found)
}

/// The whole row of an account, every value as the store gave it.
///
/// # Errors
/// The store's; the row is gone.
pub fn record(reader: &dyn Reader, layout: &Layout, user: &User) -> Result<Record> {
    let query = Select::from(USERS, layout.users.iter()).filter(Filter::eq("id", user.id));
    reader.first(query)?.ok_or_else(|| Error::no_account(user.label()))
}

/// Rows whose name the store itself holds equal to `name`: what the app's own lookup matches.
fn equal_to(name: &str) -> Filter {
    let bound = || Some(Value::from(name));
    Filter::Range { field: "user_name".to_owned(), from: bound(), to: bound() }
}

/// The account the login would pick for a name that is clean already: the lowest row, deleted or not.
///
/// # Errors
/// The store's.
pub fn picked(reader: &dyn Reader, layout: &Layout, clean: &str) -> Result<Option<User>> {
    if clean.is_empty() {
        return Ok(None);
    }
    let columns = User::columns(layout);
    let mut query = columns.select(USERS).filter(equal_to(clean)).order(["id"]);
    query.limit = 1;
    Ok(reader.select(&query)?.rows.into_iter().next().map(|row| User::read(&columns, row)))
}

/// A name like this one that no account has: `jane-2`.
///
/// # Errors
/// The store's.
pub fn free_name(reader: &dyn Reader, layout: &Layout, name: &str) -> Result<String> {
    let name = names::clean(name);
    let mut number = 2;
    loop {
        let free = names::numbered(&name, number);
        if picked(reader, layout, &free)?.is_none() {
            return Ok(free);
        }
        number += 1;
    }
}

/// All accounts of a name, whatever the case of its letters; never PhotoPrism's own rows.
///
/// # Errors
/// The store's.
pub fn named(reader: &dyn Reader, layout: &Layout, name: &str) -> Result<Vec<User>> {
    let wanted = names::fold(name);
    if wanted.is_empty() {
        return Ok(vec![]);
    }
    let mut found = match layout.names {
        Names::Folded { .. } => users(reader, layout, equal_to(&wanted))?,
        // A server's character set need not have the last letter of Unicode, which ends a range of names.
        Names::Exact if layout.kind == StoreKind::Sqlite => match spellings(reader, &wanted)? {
            Some(spellings) => users(reader, layout, Filter::is_in("user_name", spellings))?,
            None => vec![],
        },
        Names::Exact | Names::Other => vec![],
    };
    found.retain(|user| !user.is_system() && names::fold(&user.name) == wanted);
    // Names with outer blanks, which PhotoPrism never writes, are not reached through the index.
    if found.is_empty() { scan(reader, layout, &wanted) } else { Ok(found) }
}

/// Another account than row `own` that has this clean name, or that the login would find for it; the lowest row, one that
/// is not deleted first.
///
/// # Errors
/// The store's.
pub fn taken(reader: &dyn Reader, layout: &Layout, name: &str, own: Option<i64>) -> Result<Option<User>> {
    let mut all = named(reader, layout, name)?;
    all.extend(picked(reader, layout, name)?);
    all.retain(|user| Some(user.id) != own && !user.is_system());
    Ok(all.into_iter().min_by_key(|user| (user.deleted_at.is_some(), user.id)))
}

fn scan(reader: &dyn Reader, layout: &Layout, wanted: &str) -> Result<Vec<User>> {
    let mut ids = Vec::new();
    reader.each_row(Select::from(USERS, ["id", "user_name"]).order(["id"]), |mut row| {
        let name = row.pop().map(into_text).unwrap_or_default();
        if names::fold(&name) == wanted {
            ids.extend(row.pop().and_then(|id| id.as_int()).filter(|id| *id > 0));
        }
        Ok(())
    })?;
    if ids.is_empty() { Ok(vec![]) } else { users(reader, layout, Filter::is_in("id", ids)) }
}

/// The most spellings followed at once; a table with more is read from end to end.
const MOST_SPELLINGS: usize = 64;

/// The spellings of a lower-case name, in capitals and small letters, that stored names begin with.
///
/// Walks the index letter by letter and drops each spelling that no name begins with, so that a hundred thousand
/// accounts cost a few dozen lookups. Needs names ordered byte by byte.
fn spellings(reader: &dyn Reader, wanted: &str) -> Result<Option<Vec<String>>> {
    let mut alive = vec![String::new()];
    for letter in wanted.chars() {
        let mut next = Vec::new();
        let both = [Some(letter), capital(letter)];
        for (start, letter) in alive.iter().flat_map(|start| both.iter().flatten().map(move |letter| (start, letter))) {
            let longer = format!("{start}{letter}");
            if both[1].is_none() || begins(reader, &longer)? {
                next.push(longer);
            }
        }
        if next.len() > MOST_SPELLINGS {
            return Ok(None);
        }
        alive = next;
    }
    Ok(Some(alive))
}

fn capital(letter: char) -> Option<char> {
    let mut upper = letter.to_uppercase();
    let one = upper.next().filter(|capital| *capital != letter)?;
    upper.next().is_none().then_some(one)
}

fn begins(reader: &dyn Reader, start: &str) -> Result<bool> {
    let last = Value::Text(format!("{start}\u{10ffff}"));
    let range = Filter::Range { field: "user_name".to_owned(), from: Some(Value::from(start)), to: Some(last) };
    Ok(reader.first(Select::from(USERS, ["user_name"]).filter(range).order(["user_name"]))?.is_some())
}

/// The one account meant, and whether its name means no other.
pub struct Found {
    /// The account.
    pub user: User,
    /// Whether no other account answers to the name, so that the name alone is enough for a command.
    pub alone: bool,
}

/// The one account meant: the id decides alone, else the name with the provider.
///
/// # Errors
/// [`Kind::NotFound`](latchlift_plugin_api::Kind::NotFound) for none,
/// [`Kind::Ambiguous`](latchlift_plugin_api::Kind::Ambiguous) for several.
pub fn find(reader: &dyn Reader, layout: &Layout, target: &Target, now: Time) -> Result<Found> {
    let mut all = matching(reader, layout, target)?;
    let named_by_id = target.id.is_some();
    match all.len() {
        0 => Err(Error::no_account(target.id.as_deref().unwrap_or(&target.name))),
        1 => {
            let user = all.remove(0);
            let alone = match named_by_id || target.provider.is_some() {
                true => user.name.is_empty() || named(reader, layout, &user.name)?.len() <= 1,
                false => true,
            };
            Ok(Found { user, alone })
        }
        _ => Err(ambiguous(reader, layout, &target.name, &all, now)?),
    }
}

/// All accounts a target may mean.
///
/// # Errors
/// The store's.
pub fn matching(reader: &dyn Reader, layout: &Layout, target: &Target) -> Result<Vec<User>> {
    if let Some(id) = &target.id {
        return users(reader, layout, Filter::eq("user_uid", id));
    }
    let mut all = named(reader, layout, &target.name)?;
    if let Some(provider) = &target.provider {
        all.retain(|user| user.provider.word().eq_ignore_ascii_case(provider.trim()));
    }
    Ok(all)
}

fn ambiguous(reader: &dyn Reader, layout: &Layout, name: &str, all: &[User], now: Time) -> Result<Error> {
    let candidates: Result<Vec<Candidate>> = all.iter().map(|user| candidate(reader, layout, user, now)).collect();
    Ok(Error::ambiguous(name, candidates?).help("choose one with --id"))
}

/// An account as one of several a name may mean.
///
/// # Errors
/// The store's.
pub fn candidate(reader: &dyn Reader, layout: &Layout, user: &User, now: Time) -> Result<Candidate> {
    let holdings = holdings::of(reader, layout, user, false, now)?;
    let Judgement { can_sign_in, reasons } = sign_in::judge(layout, user, &holdings, now);
    let blocking = reasons.iter().find(|reason| reason.blocking);
    let note = match (can_sign_in, blocking) {
        _ if user.deleted_at.is_some() => "deleted".to_owned(),
        (Known::Is(true), _) => "can sign in".to_owned(),
        (_, Some(reason)) => format!("cannot: {}", reason.code),
        _ => format!("signs in through {}", user.provider.word()),
    };
    Ok(Candidate { id: user.uid.clone(), name: user.name.clone(), provider: user.provider.word().to_owned(), note })
}
