//! Whether an account can sign in, and why not: the app's login, step by step.

use crate::accounts;
use crate::heirs::{self, Heir};
use crate::home::Home;
use crate::names::{is_normal, normalise};
use crate::schema::{self, PROVIDER, ROWS};
use crate::verbs::fix_names;
use latchlift_plugin_api::{
    Batch, Bcrypt, Context, Error, Filter, Known, Output, Reader, Reason, Request, Result, Select, Verdict, reason,
};

/// How an account stands.
#[derive(Debug)]
pub struct Standing {
    /// The credential it signs in with; the first that works, or else the first.
    pub credential: Option<usize>,
    /// Whether the right password gets in; nothing where only another system knows.
    pub can: Known<bool>,
    /// Why not, and what else to know.
    pub reasons: Vec<Reason>,
}

/// What a sign-in with a credential's name comes to.
#[derive(Debug, PartialEq)]
pub enum Path {
    /// To this user, if the password is right.
    Works,
    /// To another user, whose credential has the same name.
    Shadowed(usize),
    /// Nowhere: no password entry has the name.
    NoEntry,
    /// Nowhere: only an entry in other letters has it, and names are compared exactly.
    OtherLetters(usize),
    /// To an internal error: the hash cannot be read.
    Unreadable,
}

/// Follows a credential's name.
pub fn path(home: &Home, credential: usize) -> Path {
    let own = &home.credentials[credential];
    let entry = home.names.get(&own.username);
    let first = entry.credential.map_or(own.user, |first| home.credentials[first].user);
    if first != own.user {
        return Path::Shadowed(first);
    }
    if entry.rows == 0 {
        return home.rows_like(&own.username).last().map_or(Path::NoEntry, |row| Path::OtherLetters(*row));
    }
    if home.rows[entry.last].cost.is_none() { Path::Unreadable } else { Path::Works }
}

/// The standing of a user in this house.
pub fn standing(home: &Home, user: usize) -> Standing {
    housed(home, user, own_standing(home, user))
}

/// The standing with what holds for everybody, which comes first: no other reason matters as much.
fn housed(home: &Home, user: usize, own: Standing) -> Standing {
    if home.users[user].system {
        return own;
    }
    let (can, everybody) = home.house.judge(own.can);
    Standing { can, reasons: everybody.iter().cloned().chain(own.reasons).collect(), ..own }
}

/// The standing of a user by its own records, as if Home Assistant started and all settings were understood.
pub fn own_standing(home: &Home, user: usize) -> Standing {
    let works = home.password_credentials(user).find(|credential| path(home, *credential) == Path::Works);
    let credential = works.or_else(|| home.password_credentials(user).next());
    standing_with(home, user, credential)
}

/// As [`own_standing`], of a user who signs in with this credential.
fn standing_with(home: &Home, user: usize, credential: Option<usize>) -> Standing {
    let known = &home.users[user];
    if known.system {
        let why = Reason::blocking(reason::SYSTEM, "an account of Home Assistant's own, which nobody signs in to");
        return Standing { credential, can: Known::Is(false), reasons: vec![why] };
    }
    let mut reasons = vec![];
    if !known.active {
        let fix = command(home, &["user", "set"], user).into_iter().chain(["active=yes".to_owned()]);
        reasons.push(Reason::blocking(reason::DISABLED, "the user is not active").fix(fix));
    }
    let mut elsewhere = false;
    match credential {
        Some(credential) => with_password(home, credential, &mut reasons),
        None if known.credentials.is_empty() => reasons.push(without_credential(home, user)),
        None => elsewhere = through_another_provider(home, user, &mut reasons),
    }
    if known.local_only {
        let fix = command(home, &["user", "set"], user).into_iter().chain(["local-only=no".to_owned()]);
        reasons.push(Reason::note(reason::LOCAL_ONLY, "only accepted from the local network").fix(fix));
    }
    reasons.extend(second_factor(home, user));
    let can = match reasons.iter().any(|reason| reason.blocking) {
        true => Known::Is(false),
        false if elsewhere => Known::Nothing,
        false => Known::Is(true),
    };
    Standing { credential, can, reasons }
}

fn with_password(home: &Home, credential: usize, reasons: &mut Vec<Reason>) {
    if home.settings.has_provider(PROVIDER) == Some(false) {
        let message =
            "`auth_providers` in configuration.yaml does not list `homeassistant`, so no password is accepted";
        reasons.push(Reason::blocking(reason::PROVIDER_DISABLED, message));
    }
    let name = &home.credentials[credential].username;
    let reset = || reset_command(home, credential);
    let blocking = |code, message: String| Reason::blocking(code, message);
    match path(home, credential) {
        Path::Works => {
            let cost = home.rows[home.names.get(name).last].cost;
            let slow = cost.and_then(|cost| Bcrypt::slow(cost, "Home Assistant"));
            reasons.extend(slow.map(|why| why.fix(reset())));
        }
        Path::Shadowed(first) => {
            let message = format!("signing in as `{name}` ends at {}, whose name is the same", title(home, first));
            // Whoever has the name today keeps it, and this user gets one of its own.
            let fix = ["user", "fix-names", "--keep", &home.users[first].id];
            reasons.push(blocking(reason::SHADOWED, message).fix(fix));
        }
        Path::NoEntry => {
            let message = format!("no password entry is named `{name}`, so every password is refused");
            reasons.push(blocking(reason::PASSWORD_ENTRY_MISSING, message).fix(reset()));
        }
        Path::OtherLetters(row) => {
            let row = &home.rows[row].username;
            let message = format!(
                "the password entry is named `{row}` and the credential `{name}`; this release compares them letter by letter as long as names repeat or have outer blanks"
            );
            reasons.push(blocking(reason::NAME_CASE, message).fix(fix_names::command(home, name)));
        }
        Path::Unreadable => {
            let message =
                "the stored password is not a bcrypt hash in Base64; the login answers with an internal error";
            reasons.push(blocking(reason::HASH_UNREADABLE, message.into()).fix(reset()));
        }
    }
    let rows = home.names.get(name).rows;
    if rows > 1 {
        let message = format!(
            "{rows} password entries have this name; the login asks the last, the app's own password change sets the first"
        );
        // A new password would be in all of them, and they would still be several.
        reasons.push(Reason::note(reason::DUPLICATE, message).fix(fix_names::command(home, name)));
    }
    if home.names.legacy && !is_normal(name) {
        let message = format!(
            "must be typed exactly as `{name}`: some names repeat or have outer blanks, so this release compares all letter by letter"
        );
        reasons.push(Reason::note(reason::NAME_CASE, message).fix(fix_names::command(home, name)));
    }
}

fn without_credential(home: &Home, user: usize) -> Reason {
    let message = "the user has no credential, so no sign-in leads to it";
    let why = |more: String| Reason::blocking(reason::CREDENTIAL_MISSING, format!("{message}{more}"));
    let known = &home.users[user];
    let name = normalise(known.display.as_deref().unwrap_or_default());
    match &home.heirs().entries(home, user)[..] {
        [] if !name.is_empty() && home.users_like(&name).is_empty() => {
            why(String::new()).fix(["password", "reset", name.as_str(), "--id", &known.id])
        }
        [] => why(String::new()),
        // A new name would leave the entry behind, and whoever knows its password a way to become administrator.
        [entry] if home.heirs().of(entry) == Heir::One(user) => {
            why(format!("; the password entry `{entry}`, which leads to no user, may be its own"))
                .fix(heirs::adoption(home, entry, user))
        }
        [entry, ..] => why(format!(
            "; if a password entry that leads to no user is its own, as `{entry}` may be, it goes with its name: `{}`",
            heirs::adoption_text(home, entry, user)
        )),
    }
}

/// Whether somebody else lets the user in.
fn through_another_provider(home: &Home, user: usize, reasons: &mut Vec<Reason>) -> bool {
    let kinds: Vec<&str> = home.users[user].credentials.iter().map(|c| &*home.credentials[*c].provider).collect();
    let off = |kind: &&str| home.settings.has_provider(kind) == Some(false);
    if kinds.iter().all(off) {
        let message = format!(
            "signs in through `{}`, which `auth_providers` in configuration.yaml does not list",
            kinds.join("`, `")
        );
        reasons.push(Reason::blocking(reason::PROVIDER_DISABLED, message));
    } else {
        let message = format!("signs in through `{}`, not with a password kept here", kinds.join("`, `"));
        reasons.push(Reason::note(reason::PROVIDER, message));
    }
    true
}

/// The second factors that are asked for.
pub fn factors(home: &Home, user: usize) -> Vec<&'static str> {
    let known = &home.users[user];
    let set_up = [(known.totp, "totp"), (known.notify, "notify")];
    set_up
        .into_iter()
        .filter(|(has, module)| *has && home.settings.enforces(module))
        .map(|(_, module)| module)
        .collect()
}

fn second_factor(home: &Home, user: usize) -> Option<Reason> {
    let methods = factors(home, user);
    let said = match methods[..] {
        [] => return None,
        ["notify"] => "a code sent by a notification is asked for after the password",
        ["totp"] => "a code of an authenticator app is asked for after the password",
        _ => "a code, of an authenticator app or by a notification, is asked for after the password",
    };
    Some(Reason::note(reason::MFA, said).fix(command(home, &["mfa", "disable"], user)))
}

/// `verb NAME`, with the id where the name alone would not do, or would be taken for a flag.
pub fn command(home: &Home, verb: &[&str], user: usize) -> Vec<String> {
    let name = accounts::name(home, user).filter(|name| !name.starts_with('-')).unwrap_or_default();
    let mut command: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
    command.extend((!name.is_empty()).then(|| name.to_owned()));
    if home.users_like(name).len() != 1 {
        command.extend(["--id".to_owned(), home.users[user].id.to_string()]);
    }
    command
}

/// [`command`] as a person pastes it.
pub fn command_text(home: &Home, verb: &[&str], user: usize) -> String {
    command(home, verb, user).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word of a command as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn reset_command(home: &Home, credential: usize) -> Vec<String> {
    command(home, &["password", "reset"], home.credentials[credential].user)
}

/// A user for people: `Maria (4f6a...)`.
pub fn title(home: &Home, user: usize) -> String {
    let known = &home.users[user];
    let name = known.display.as_deref().or_else(|| accounts::name(home, user)).unwrap_or("a user without a name");
    format!("{name} ({})", known.id)
}

/// Answers `password check`: what the login would say to this name and password.
///
/// # Errors
/// No account and no password entry answers to the name in any letters, or the store fails.
pub fn check(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(context.reader)?;
    let target = request.target()?;
    let verdict = match &target.id {
        None => verdict(context, request, &home, &target.name)?,
        Some(id) => {
            let user = home.index(id).ok_or_else(|| accounts::no_id(id))?;
            let standing = standing(&home, user);
            match standing.credential {
                Some(credential) => of_credential(context, request, &home, credential)?,
                None => answer(&home, user, standing, false),
            }
        }
    };
    output.emit(Batch::Verdict(verdict))
}

fn verdict(context: &Context<'_>, request: &Request, home: &Home, name: &str) -> Result<Verdict> {
    let entry = home.names.get(name);
    if let Some(credential) = entry.credential {
        return of_credential(context, request, home, credential);
    }
    if entry.rows > 0 {
        let matches = verify(context, request, home, entry.last)?;
        let message =
            format!("the password entry `{name}` leads to no user; signing in with it makes a new administrator");
        let why = Reason::note(reason::ORPHAN, message);
        let why = match home.heirs().of(name) {
            Heir::One(user) => why.fix(heirs::adoption(home, name, user)),
            _ => why,
        };
        let (can_sign_in, everybody) = home.house.judge(matches.into());
        let reasons = everybody.iter().cloned().chain([why]).collect();
        return Ok(Verdict { account: None, matches, can_sign_in, reasons });
    }
    let why = match (home.users_like(name), home.rows_like(name)) {
        ([], []) => return Err(accounts::nobody(home, name)),
        // Exact comparison is all that can make a known name find nothing.
        ([], [row, ..]) => exactly(home, &home.rows[*row].username),
        ([user, ..], _) => match accounts::credential_like(home, *user, name) {
            Some(credential) if *home.credentials[credential].provider == *PROVIDER => {
                exactly(home, &home.credentials[credential].username)
            }
            _ => return Ok(answer(home, *user, standing(home, *user), false)),
        },
    };
    Ok(Verdict { account: None, matches: false, can_sign_in: false.into(), reasons: vec![why] })
}

fn exactly(home: &Home, stored: &str) -> Reason {
    let message = format!(
        "names repeat or have outer blanks, so this release compares them letter by letter, and this one is stored as `{stored}`"
    );
    Reason::blocking(reason::NAME_CASE, message).fix(fix_names::command(home, stored))
}

/// What the login says to a credential's name.
fn of_credential(context: &Context<'_>, request: &Request, home: &Home, credential: usize) -> Result<Verdict> {
    let own = &home.credentials[credential];
    let entry = home.names.get(&own.username);
    let matches = entry.rows > 0 && verify(context, request, home, entry.last)?;
    let standing = standing_with(home, own.user, Some(credential));
    Ok(answer(home, own.user, housed(home, own.user, standing), matches))
}

fn answer(home: &Home, user: usize, standing: Standing, matches: bool) -> Verdict {
    let account = accounts::account_standing(home, user, &standing);
    let can_sign_in = match standing.can {
        Known::Is(can) => Known::Is(can && matches),
        Known::Unknown if !matches => Known::Is(false),
        other => other,
    };
    Verdict { account: Some(Box::new(account)), matches, can_sign_in, reasons: standing.reasons }
}

fn verify(context: &Context<'_>, request: &Request, home: &Home, row: usize) -> Result<bool> {
    let stored = passwords(context.reader, &home.rows[row].username)?.pop();
    match stored.as_deref().and_then(schema::decode) {
        Some(hash) => hash.verify(context.secrets, request.password()?).map_err(|why| match hash.cost {
            0..=Bcrypt::MAX_COST => why,
            _ => why.help(format!(
                "a new password gets a hash of the usual cost, {}: `latchlift password reset {}`",
                schema::COST,
                quoted(&home.rows[row].username)
            )),
        }),
        None => Ok(false),
    }
}

/// The stored passwords of all entries spelled exactly so, in their order.
fn passwords(reader: &dyn Reader, username: &str) -> Result<Vec<String>> {
    let query = Select::from(ROWS, ["/password"]).filter(Filter::eq("/username", username));
    Ok(reader.all(query)?.iter().map(|row| row.text("/password").unwrap_or_default()).collect())
}

/// The failure of a verb that needs a name which leads to the user.
pub fn refuse_shadowed(home: &Home, credential: usize, first: usize) -> Error {
    let name = &home.credentials[credential].username;
    let message =
        format!("signing in as `{name}` ends at {}, so a password for this user would be theirs", title(home, first));
    Error::refused(message, None)
}
