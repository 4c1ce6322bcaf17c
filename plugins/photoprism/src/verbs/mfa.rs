//! `mfa status` and `mfa disable`.

use super::{endings, refuse_system};
use crate::accounts;
use crate::edit::Edit;
use crate::find;
use crate::holdings;
use crate::schema::{self, Layout, PASSCODES};
use crate::user::User;
use latchlift_plugin_api::{
    Batch, Change, Context, Error, Filter, Known, Mfa, Output, Plan, Reader, Record, Request, Result, Select, Time,
    Value, delete, totp,
};
use std::collections::BTreeMap;

/// Why layouts before 240420 have neither verb.
pub const TOO_OLD: &str = "this database is of a PhotoPrism before 240420, which had no second factor";

fn required(layout: &Layout) -> Result<()> {
    if layout.two_factor() { Ok(()) } else { Err(Error::unsupported(TOO_OLD)) }
}

/// Answers `mfa status`: one account, or all that have set something up.
///
/// # Errors
/// The account is not found; the layout has no second factors; the store's.
pub fn status(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = schema::detect(context.reader)?;
    required(&layout)?;
    let mut all = Vec::new();
    match &request.target {
        Some(target) => {
            let user = find::find(context.reader, &layout, target, request.now)?.user;
            all.push(of_account(context.reader, &layout, &user, request)?);
        }
        None => {
            let mut users = Vec::new();
            accounts::survey(context.reader, &layout, request.now, &mut |user, holdings| {
                if !user.is_system() && (user.two_factor || holdings.passcode) {
                    users.push(user);
                }
                Ok(())
            })?;
            for user in users {
                all.push(of_account(context.reader, &layout, &user, request)?);
            }
        }
    }
    output.emit(Batch::Mfa(all))
}

fn of_account(reader: &dyn Reader, layout: &Layout, user: &User, request: &Request) -> Result<Mfa> {
    let rows = passcodes(reader, layout, user)?;
    let activated = |row: &Record| row.str("activated_at").and_then(Time::parse).is_some();
    let note = match (user.two_factor, rows.first()) {
        (true, None) => Some("a passcode is asked for, but none is set up that could match"),
        (true, Some(row)) if !activated(row) => Some("asked for, although it was never activated"),
        (false, Some(row)) if !activated(row) => Some("set up, but never activated"),
        (false, Some(_)) => Some("set up, but switched off"),
        _ => None,
    };
    let mut mfa = Mfa { account_id: user.uid.clone(), method: "totp".to_owned(), ..Mfa::default() };
    mfa.account = if user.name.is_empty() { Known::Nothing } else { Known::Is(user.name.clone()) };
    mfa.enabled = user.two_factor;
    mfa.note = note.map(str::to_owned);
    if let (true, Some(row)) = (request.options.show_secrets, rows.first()) {
        mfa.secrets = secrets(row);
        let code = mfa.secrets.get("secret").and_then(|secret| totp(secret, request.now));
        if let Some((code, left)) = code {
            mfa.secrets.insert("code".to_owned(), code);
            let recovery = "; the recovery code switches the second factor off";
            let valid = format!("the code changes in {left} seconds{}", if user.two_factor { recovery } else { "" });
            mfa.note = Some(mfa.note.take().map_or(valid.clone(), |note| format!("{note}; {valid}")));
        }
    }
    Ok(mfa)
}

/// The recovery code, and what an authenticator app is set up with: as a link, and as the key in it.
fn secrets(row: &Record) -> BTreeMap<String, String> {
    let url = row.text("key_url").unwrap_or_default();
    let key = url.split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).unwrap_or_default().to_owned();
    let all = [("recovery_code", row.text("recovery_code").unwrap_or_default()), ("otpauth", url), ("secret", key)];
    all.into_iter().filter(|(_, secret)| !secret.is_empty()).map(|(name, secret)| (name.to_owned(), secret)).collect()
}

/// What is set up for an account's second factor, as whole rows.
///
/// # Errors
/// The store's.
pub fn passcodes(reader: &dyn Reader, layout: &Layout, user: &User) -> Result<Vec<Record>> {
    let query = Select::from(PASSCODES, layout.passcodes.iter()).filter(Filter::eq("uid", &user.uid));
    reader.all(query.order(["uid", "key_type"]))
}

/// Plans the end of an account's second factor: the switch and the passcode, as PhotoPrism's own settings page does; and
/// of its sign-ins, as PhotoPrism's own command does.
///
/// # Errors
/// The account is not found; the layout has no second factors; the store's.
pub fn disable(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    required(&layout)?;
    let found = find::find(context.reader, &layout, request.target()?, request.now)?;
    let user = found.user;
    refuse_system(&user)?;
    let rows = passcodes(context.reader, &layout, &user)?;
    if !user.two_factor && rows.is_empty() {
        return Ok(Plan::new(format!("{} has no second factor", user.label())));
    }
    let mut edit = Edit::of(context.reader, &layout, &user)?;
    if user.two_factor {
        edit.set("auth_method", "default");
    }
    let mut changes: Vec<Change> = edit.change(request.now).into_iter().collect();
    changes.extend(rows.iter().map(removed));
    let plan = Plan::new(format!("Sign {} in without a passcode from now on", user.label()));
    let plan = plan.about(&user.uid, &user.name);
    if !user.two_factor {
        let said = "the second factor was not in force; only what was set up for it goes";
        return Ok(plan.step(changes).warn(said));
    }
    let had = holdings::of(context.reader, &layout, &user, found.alone, request.now)?;
    endings::planned(context.reader, &layout, (&user, &had), (plan, changes), true, request)
}

/// The end of one of these rows.
pub fn removed(row: &Record) -> Change {
    let field = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    let key = Record::new().with("uid", field("uid")).with("key_type", field("key_type"));
    delete(PASSCODES, key, row.clone())
}
