//! Second factors.

use crate::accounts;
use crate::home::Home;
use crate::schema::{FACTOR_FILES, NOTIFY, TOTP};
use crate::sign_in;
use latchlift_plugin_api::{
    Batch, Change, Context, Filter, Mfa, Output, Plan, Reader, Record, Request, Result, Select, Time, delete, totp,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Answers `mfa status`.
///
/// # Errors
/// No account answers to the name, or the store fails.
pub fn status(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(reader)?;
    home.layout.needs(&FACTOR_FILES)?;
    let filter = match &request.target {
        Some(target) => Filter::eq("@key", &*home.users[accounts::find(&home, target)?].id),
        None => Filter::All,
    };
    let mut found = vec![];
    if home.layout.totp {
        reader.each(Select::from(TOTP, ["@key", "@value"]).filter(filter.clone()), |row| {
            let mut mfa = factor(&home, &row, "totp");
            if let (true, Some(secret)) = (request.options.show_secrets, row.str("@value")) {
                show_secrets(&home, secret, request.now, &mut mfa);
            }
            found.push(mfa);
            Ok(())
        })?;
    }
    if home.layout.notify {
        reader.each(Select::from(NOTIFY, ["@key", "/notify_service"]).filter(filter), |row| {
            let mut mfa = factor(&home, &row, "notify");
            if let (None, Some(service)) = (&mfa.note, row.str("/notify_service")) {
                mfa.note = Some(format!("codes go to `notify.{service}`"));
            }
            found.push(mfa);
            Ok(())
        })?;
    }
    output.emit(Batch::Mfa(found))
}

fn factor(home: &Home, row: &Record, method: &str) -> Mfa {
    let id = row.text("@key").unwrap_or_default();
    let user = home.index(&id);
    let enforced = home.settings.enforces(method);
    let note = match (user, enforced) {
        (None, _) => Some("left over from a user who is gone".to_owned()),
        (_, false) => {
            Some(format!("set up, but not asked for: `auth_mfa_modules` in configuration.yaml lacks `{method}`"))
        }
        (_, true) => None,
    };
    Mfa {
        account: user.and_then(|user| accounts::name(home, user)).map(str::to_owned).into(),
        account_id: id,
        method: method.to_owned(),
        enabled: user.is_some() && enforced,
        note,
        secrets: BTreeMap::new(),
    }
}

/// Adds what lets the person in without taking anything away: the secret, the address that authenticator apps read, and the
/// code they would show now.
fn show_secrets(home: &Home, secret: &str, now: Time, mfa: &mut Mfa) {
    mfa.secrets = totp_secrets(home, &mfa.account_id, secret);
    match totp(secret, now) {
        Some((code, left)) => {
            mfa.secrets.insert("code".to_owned(), code);
            let valid = format!("the code changes in {left} seconds and is taken for 30 seconds more");
            mfa.note = Some(mfa.note.take().map_or(valid.clone(), |note| format!("{note}; {valid}")));
        }
        None => mfa.note = Some("the secret is not Base32, so no code fits it".to_owned()),
    }
}

/// The secret, and the address that authenticator apps read, as the app itself shows it at set-up.
fn totp_secrets(home: &Home, id: &str, secret: &str) -> BTreeMap<String, String> {
    let shown = home.index(id).and_then(|user| home.users[user].display.as_deref()).unwrap_or(id);
    let url = format!(
        "otpauth://totp/{}:{}?secret={}&issuer={}",
        quoted("Home Assistant"),
        quoted(shown),
        quoted(secret),
        quoted("Home Assistant")
    );
    BTreeMap::from([("secret".to_owned(), secret.to_owned()), ("otpauth".to_owned(), url)])
}

/// Percent-encoded for an address.
fn quoted(text: &str) -> String {
    text.bytes().fold(String::new(), |mut quoted, byte| {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => quoted.push(char::from(byte)),
            // Writing to a string cannot fail.
            false => _ = write!(quoted, "%{byte:02X}"),
        }
        quoted
    })
}

/// Plans `mfa disable`: all of an account's second factors go, also those not asked for at present.
///
/// # Errors
/// No account answers to the name, or the store fails.
pub fn disable(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    home.layout.needs(&FACTOR_FILES)?;
    let user = accounts::find(&home, request.target()?)?;
    let known = &home.users[user];
    let name = accounts::name(&home, user).map_or_else(|| sign_in::title(&home, user), str::to_owned);
    let [totp, notify] = removals(context.reader, &home, user)?;
    if totp.is_empty() && notify.is_empty() {
        return Ok(Plan::new(format!("`{name}` has no second factor")));
    }
    let plan = Plan::new(format!("Remove the second factor of `{name}`")).about(&*known.id, name);
    Ok(plan
        .step(totp)
        .step(notify)
        .then("start Home Assistant, or restart it where it runs; a new second factor is set up on the profile page"))
}

/// The end of an account's second factors, a step for each file.
///
/// # Errors
/// The store fails.
pub fn removals(reader: &dyn Reader, home: &Home, user: usize) -> Result<[Vec<Change>; 2]> {
    let known = &home.users[user];
    Ok([
        if known.totp { removal(reader, TOTP, "@value", &known.id)? } else { vec![] },
        if known.notify { removal(reader, NOTIFY, "", &known.id)? } else { vec![] },
    ])
}

fn removal(reader: &dyn Reader, collection: &str, value: &str, id: &str) -> Result<Vec<Change>> {
    let query = Select::from(collection, ["@key", value]).filter(Filter::eq("@key", id));
    let entry = reader.first(query)?;
    Ok(entry.into_iter().map(|entry| delete(collection, Record::new().with("@key", id), entry)).collect())
}

/// Whether the account's sign-in asks for more than a password, as a warning for plans that set one.
pub fn warning(home: &Home, user: usize) -> Option<String> {
    let asked = !sign_in::factors(home, user).is_empty();
    let command = sign_in::command_text(home, &["mfa", "disable"], user);
    asked.then(|| format!("a second factor is asked for after the password; `latchlift {command}` removes it"))
}
