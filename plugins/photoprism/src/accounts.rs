//! Reporting accounts: `user list` and `user show`.

use crate::find::{self, matching, named};
use crate::holdings::{self, Holdings, Password, Shadow};
use crate::names;
use crate::portrait;
use crate::schema::{Layout, USERS};
use crate::sign_in::{self, Judgement};
use crate::user::{User, into_text};
use latchlift_plugin_api::{
    Account, Batch, Batches, Context, Error, Filter, Known, Output, Reader, Request, Result, StoreKind, Time, Value,
};
use std::collections::HashMap;

/// An account as it is reported.
pub fn account(layout: &Layout, user: &User, holdings: &Holdings, now: Time) -> Account {
    let Judgement { can_sign_in, reasons } = sign_in::judge(layout, user, holdings, now);
    let mut account = Account { id: user.uid.clone(), can_sign_in, reasons, ..Account::default() };
    account.name = some(&user.name);
    account.display_name = some(&user.display);
    account.email = some(&user.email);
    account.provider = user.provider.word().to_owned().into();
    account.role = some(&user.role);
    account.admin = (!user.is_system() && user.is_admin()).into();
    account.active = (user.deleted_at.is_none() && (user.can_login || user.super_admin)).into();
    account.has_password = matches!(holdings.password, Password::Unreadable | Password::Bcrypt(_)).into();
    account.hash = match holdings.password {
        Password::Bcrypt(cost) => Known::Is(format!("bcrypt {cost}")),
        Password::Unreadable => Known::Is("unreadable".to_owned()),
        Password::Absent | Password::Empty => Known::Nothing,
    };
    if layout.two_factor() {
        account.mfa = Known::Is(if user.two_factor { vec!["totp".to_owned()] } else { vec![] });
    }
    account.sessions = u64::from(holdings.browser).into();
    account.tokens = u64::from(holdings.tokens).into();
    account.last_login = user.login_at.into();
    account.created_at = user.created_at.into();
    account.deleted_at = user.deleted_at.into();
    account.expires_at = user.expires_at.into();
    account.system = user.is_system();
    account
}

fn some(text: &str) -> Known<String> {
    if text.is_empty() { Known::Nothing } else { Known::Is(text.to_owned()) }
}

/// Answers `user list`.
///
/// # Errors
/// The store's.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = crate::schema::detect(context.reader)?;
    let options = &request.options;
    let mut accounts = Batches::accounts(output);
    let searched: Vec<i64> = request.ids.iter().filter_map(|id| id.trim().parse().ok()).collect();
    survey(context.reader, &layout, request.now, &mut |user, holdings| {
        if user.is_system() && !options.system || user.deleted_at.is_some() && !options.deleted {
            return Ok(());
        }
        let mut account = account(&layout, &user, &holdings, request.now);
        if searched.contains(&user.id) {
            account.extra.insert("row_id".to_owned(), user.id.to_string());
        }
        accounts.push(account)
    })?;
    accounts.finish()
}

/// Calls `each` with every account, lowest row first. Each table is read once. Gives back the password rows, by uid,
/// that belong to no account.
///
/// # Errors
/// The store's, and whatever `each` answers.
pub fn survey(
    reader: &dyn Reader,
    layout: &Layout,
    now: Time,
    each: &mut dyn FnMut(User, Holdings) -> Result<()>,
) -> Result<HashMap<Box<str>, Password>> {
    let mut all = holdings::all(reader, layout, now)?;
    let columns = User::columns(layout);
    let mut query = columns.select(USERS).order(["id"]);
    // Where names compare byte by byte the name is its own comparison key.
    if layout.kind == StoreKind::Mysql {
        query = query.same("user_name");
    }
    let mut first: HashMap<Box<[u8]>, i64> = HashMap::new();
    reader.each_row(query, |mut row| {
        let key = if layout.kind == StoreKind::Mysql { row.pop() } else { None };
        let user = User::read(&columns, row);
        let key = key.map_or_else(|| user.name.clone().into_bytes(), into_bytes);
        let mut holdings = all.take(&user.uid);
        if !user.name.is_empty() {
            let winner = *first.entry(key.into_boxed_slice()).or_insert(user.id);
            holdings.alone = winner == user.id;
            if !holdings.alone && names::reached(layout, &user.name) {
                // Few are in another one's shadow, so what is said of that one is not kept for all.
                let winner = find::users(reader, layout, Filter::eq("id", winner))?.pop();
                holdings.shadow = winner.map(|winner| Shadow::of(reader, layout, &winner, &user.name)).transpose()?;
            }
        }
        each(user, holdings)
    })?;
    Ok(all.passwords)
}

fn into_bytes(value: Value) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes,
        other => into_text(other).into_bytes(),
    }
}

/// Answers `user show`: every account the target may mean.
///
/// # Errors
/// [`Kind::NotFound`](latchlift_plugin_api::Kind::NotFound), and the store's.
pub fn show(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let (reader, target) = (context.reader, request.target()?);
    let layout = crate::schema::detect(reader)?;
    let all = matching(reader, &layout, target)?;
    if all.is_empty() {
        return Err(Error::no_account(target.id.as_deref().unwrap_or(&target.name)));
    }
    let mut accounts = Vec::new();
    for user in &all {
        let alone = match target.id {
            Some(_) => named(reader, &layout, &user.name)?.len() <= 1,
            None => all.len() == 1,
        };
        let holdings = holdings::of(reader, &layout, user, alone, request.now)?;
        let mut account = account(&layout, user, &holdings, request.now);
        // Here alone: for a hundred thousand accounts one such entry each costs sixty megabytes.
        account.extra = portrait::of(reader, &layout, user, request.options.show_secrets)?;
        accounts.push(account);
    }
    output.emit(Batch::Accounts(accounts))
}
