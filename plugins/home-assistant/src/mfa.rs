//! Second factors.

use crate::accounts;
use crate::home::Home;
use crate::schema::{NOTIFY, TOTP};
use crate::sign_in;
use latchlift_plugin_api::{
    Batch, Change, Context, Filter, Mfa, Output, Plan, Reader, Record, Request, Result, Select, delete,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Answers `mfa status`.
///
/// # Errors
/// No account answers to the name, or the store fails.
pub fn status(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(reader)?;
    let filter = match &request.target {
        Some(target) => Filter::eq("@key", &*home.users[accounts::find(&home, target)?].id),
        None => Filter::All,
    };
    let mut found = vec![];
    if home.layout.totp {
        reader.each(Select::from(TOTP, ["@key", "@value"]).filter(filter.clone()), |row| {
            let secrets = match (request.options.show_secrets, row.str("@value")) {
                (true, Some(secret)) => totp_secrets(&home, row.str("@key").unwrap_or_default(), secret),
                _ => BTreeMap::new(),
            };
            found.push(Mfa { secrets, ..factor(&home, &row, "totp") });
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
    let user = accounts::find(&home, request.target()?)?;
    let known = &home.users[user];
    let name = accounts::name(&home, user).map_or_else(|| sign_in::title(&home, user), str::to_owned);
    let totp = if known.totp { removal(context.reader, TOTP, "@value", &known.id)? } else { vec![] };
    let notify = if known.notify { removal(context.reader, NOTIFY, "", &known.id)? } else { vec![] };
    if totp.is_empty() && notify.is_empty() {
        return Ok(Plan::new(format!("`{name}` has no second factor")));
    }
    let plan = Plan::new(format!("Remove the second factor of `{name}`")).about(&*known.id, name);
    Ok(plan
        .step(totp)
        .step(notify)
        .then("start Home Assistant again; a new second factor is set up on the profile page"))
}

fn removal(reader: &dyn Reader, collection: &str, value: &str, id: &str) -> Result<Vec<Change>> {
    let query = Select::from(collection, ["@key", value]).filter(Filter::eq("@key", id));
    let entry = reader.first(query)?;
    Ok(entry.into_iter().map(|entry| delete(collection, Record::new().with("@key", id), entry)).collect())
}

/// Whether the account's sign-in asks for more than a password, as a warning for plans that set one.
pub fn warning(home: &Home, user: usize) -> Option<String> {
    let asked = !sign_in::factors(home, user).is_empty();
    let command = sign_in::command(home, &["mfa", "disable"], user).join(" ");
    asked.then(|| format!("a second factor is asked for after the password; `latchlift {command}` removes it"))
}
