//! Finding and listing accounts.

use crate::heirs::{self, Heir};
use crate::home::Home;
use crate::names::normalise;
use crate::schema::PROVIDER;
use crate::sign_in::{self, Standing};
use latchlift_plugin_api::{
    Account, Batches, Candidate, Error, Filter, Kind, Known, Output, Reader, Request, Result, Target,
};

/// Answers `user list`.
///
/// # Errors
/// The store fails or is of a kind this plugin does not know.
pub fn list(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(reader)?.with_tokens(reader, request.now)?.with_people(reader)?;
    let mut accounts = Batches::accounts(output);
    for user in 0..home.users.len() {
        if request.options.system || !home.users[user].system {
            accounts.push(with_counts(&home, user))?;
        }
    }
    accounts.finish()
}

/// Answers `user show`: all accounts that answer to the name, or the one of that id.
///
/// # Errors
/// None does, or as [`list`].
pub fn show(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    let home = Home::read(reader)?.with_people(reader)?;
    let target = request.target()?;
    let users = matching(&home, target)?;
    if users.is_empty() {
        return Err(nobody(&home, &target.name));
    }
    let theirs = Filter::is_in("/user_id", users.iter().map(|user| &*home.users[*user].id));
    let home = home.with_tokens_of(reader, request.now, theirs)?;
    let mut accounts = Batches::accounts(output);
    for user in users {
        let mut account = with_counts(&home, user);
        details(&home, user, &mut account);
        accounts.push(account)?;
    }
    accounts.finish()
}

/// The users that a target means: the one of that id, or all whose sign-in name is the same but for letter case and outer
/// white space.
///
/// # Errors
/// There is no user of that id.
pub fn matching(home: &Home, target: &Target) -> Result<Vec<usize>> {
    if let Some(id) = &target.id {
        return Ok(vec![home.index(id).ok_or_else(|| no_id(id))?]);
    }
    let has_provider = |user: &usize, wanted: &str| {
        home.users[*user].credentials.iter().any(|credential| *home.credentials[*credential].provider == *wanted)
    };
    let users = home.users_like(&target.name).iter().copied();
    Ok(match &target.provider {
        Some(wanted) => users.filter(|user| has_provider(user, wanted)).collect(),
        None => users.collect(),
    })
}

/// The one user that a target means.
///
/// # Errors
/// There is none, or several.
pub fn find(home: &Home, target: &Target) -> Result<usize> {
    match matching(home, target)?[..] {
        [] => Err(nobody(home, &target.name)),
        [user] => Ok(user),
        ref several => Err(Error::ambiguous(&target.name, several.iter().map(|user| candidate(home, *user)).collect())),
    }
}

/// A user as one of several that a name may mean.
pub fn candidate(home: &Home, user: usize) -> Candidate {
    let standing = sign_in::standing(home, user);
    let blocking: Vec<&str> = standing.reasons.iter().filter(|why| why.blocking).map(|why| why.code.as_str()).collect();
    let can = match standing.can {
        Known::Is(true) => "can sign in".to_owned(),
        Known::Is(false) => format!("cannot: {}", blocking.join(", ")),
        Known::Nothing => "signs in elsewhere".to_owned(),
        Known::Unknown => "not known whether it can sign in".to_owned(),
    };
    let display = home.users[user].display.as_deref().map(|name| format!("{name}; ")).unwrap_or_default();
    Candidate {
        id: home.users[user].id.to_string(),
        name: name(home, user).unwrap_or_default().to_owned(),
        provider: provider(home, user).unwrap_or_default().to_owned(),
        note: format!("{display}{can}"),
    }
}

/// The failure where nobody has this id.
pub fn no_id(id: &str) -> Error {
    Error::new(Kind::NotFound, format!("no account with the id `{id}`"))
        .help("see all with `latchlift user list --system`")
}

/// The failure where nobody has this sign-in name, with what the person may have meant.
pub fn nobody(home: &Home, typed: &str) -> Error {
    let error = Error::no_account(typed);
    if let (true, [row, ..]) = (home.layout.auth, home.rows_like(typed)) {
        let row = &home.rows[*row].username;
        return error.help(format!("there is a password entry `{row}` that leads to no user: {}", ways(home, row)));
    }
    let folded = normalise(typed);
    let shown = |user: &&usize| home.users[**user].display.as_deref().is_some_and(|name| normalise(name) == folded);
    let everyone: Vec<usize> = (0..home.users.len()).collect();
    match everyone.iter().find(shown) {
        None => error,
        Some(user) => match name(home, *user) {
            Some(name) => error.help(format!("that is the name shown; the sign-in name is `{name}`")),
            None => {
                let id = &home.users[*user].id;
                error.help(format!(
                    "a user is shown by that name but has no sign-in name: `latchlift user show --id {id}`"
                ))
            }
        },
    }
}

/// What can be done with a password entry that leads to no user: above all, giving it to whoever lost the credential.
fn ways(home: &Home, row: &str) -> String {
    let named = sign_in::quoted(row);
    match home.heirs().of(row) {
        Heir::None => {
            format!("`latchlift user add {named}` gives it one, `latchlift user remove {named}` takes it away")
        }
        Heir::One(user) => format!(
            "`{}` gives it to {}, who has no password here",
            heirs::adoption_text(home, row, user),
            sign_in::title(home, user)
        ),
        Heir::Several(users) => format!(
            "`latchlift password reset {named} --id ID` gives it to a user without a password ({}); if it is nobody's, `latchlift user remove {named}` takes it away",
            heirs::named(home, users)
        ),
    }
}

/// The credential of a user whose name is `typed`, best letter by letter; the provider's own rather than another's.
pub fn credential_like(home: &Home, user: usize, typed: &str) -> Option<usize> {
    let folded = normalise(typed);
    let known = |credential: &usize| &home.credentials[*credential];
    let alike = home.users[user].credentials.iter().copied();
    let alike = alike.filter(|credential| normalise(&known(credential).username) == folded);
    alike.max_by_key(|credential| (*known(credential).provider == *PROVIDER, *known(credential).username == *typed))
}

/// The name a user signs in with.
pub fn name(home: &Home, user: usize) -> Option<&str> {
    let credential = sign_in_credential(home, user);
    credential.map(|credential| &*home.credentials[credential].username)
}

fn sign_in_credential(home: &Home, user: usize) -> Option<usize> {
    let works = |credential: &usize| sign_in::path(home, *credential) == sign_in::Path::Works;
    let own = home.password_credentials(user).find(works).or_else(|| home.password_credentials(user).next());
    let named = |credential: &usize| !home.credentials[*credential].username.is_empty();
    own.or_else(|| home.users[user].credentials.iter().copied().find(named))
}

/// Who checks the user's password.
fn provider(home: &Home, user: usize) -> Option<&str> {
    let credential = home.password_credentials(user).next().or(home.users[user].credentials.first().copied());
    credential.map(|credential| &*home.credentials[credential].provider)
}

/// A user with sessions and tokens counted; the home must have been read with them.
fn with_counts(home: &Home, user: usize) -> Account {
    let mut account = account_standing(home, user, &sign_in::standing(home, user));
    let known = &home.users[user];
    (account.sessions, account.tokens) = (known.sessions.into(), known.tokens.into());
    account.last_login = known.last_login.into();
    if let Some(person) = &known.person {
        account.extra.insert("person".into(), person.to_string());
    }
    account
}

/// A user as an account.
pub fn account_standing(home: &Home, user: usize, standing: &Standing) -> Account {
    let known = &home.users[user];
    let groups = home.group_ids(known);
    let entry = standing.credential.map(|credential| home.names.get(&home.credentials[credential].username));
    let row = entry.filter(|entry| entry.rows > 0).map(|entry| &home.rows[entry.last]);
    let credential = standing.credential.or_else(|| sign_in_credential(home, user));
    let group = |id: &String| home.groups.names.get(id).unwrap_or(id).clone();
    let factors = sign_in::factors(home, user);
    Account {
        id: known.id.to_string(),
        name: credential.map(|credential| home.credentials[credential].username.to_string()).into(),
        display_name: known.display.as_deref().map(str::to_owned).into(),
        provider: provider(home, user).map(str::to_owned).into(),
        role: if known.owner { "owner".to_owned() } else { groups.join(", ") }.into(),
        admin: home.is_admin(known).into(),
        active: known.active.into(),
        has_password: row.is_some().into(),
        hash: row.and_then(|row| row.cost).map(|cost| format!("bcrypt {cost}")).into(),
        mfa: match home.house.factors_unknown {
            true => Known::Unknown,
            false => factors.into_iter().map(str::to_owned).collect::<Vec<_>>().into(),
        },
        can_sign_in: standing.can,
        reasons: standing.reasons.clone(),
        groups: groups.iter().map(group).collect::<Vec<_>>().into(),
        system: known.system,
        ..Account::default()
    }
}

/// What only `user show` tells.
fn details(home: &Home, user: usize, account: &mut Account) {
    let known = &home.users[user];
    let credentials = known.credentials.iter().map(|credential| {
        let credential = &home.credentials[*credential];
        match credential.username.is_empty() {
            true => credential.provider.to_string(),
            false => format!("{}: {}", credential.provider, credential.username),
        }
    });
    let unused = [(known.totp, "totp"), (known.notify, "notify")];
    let unused =
        unused.iter().filter(|(has, module)| *has && !home.settings.enforces(module)).map(|(_, module)| *module);
    let facts = [
        ("credentials", credentials.collect::<Vec<_>>().join(", ")),
        ("second factors set up but not asked for", unused.collect::<Vec<_>>().join(", ")),
        ("local only", if known.local_only { "yes".to_owned() } else { String::new() }),
    ];
    let said = facts.into_iter().filter(|(_, value)| !value.is_empty());
    account.extra.extend(said.map(|(key, value)| (key.to_owned(), value)));
}
