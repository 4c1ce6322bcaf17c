//! `user rename`.

use super::START;
use super::records;
use super::reset::of_the_app;
use crate::accounts;
use crate::home::Home;
use crate::names::{normalise, strip};
use crate::schema::{CREDENTIALS, PROVIDER, ROWS};
use crate::sign_in::{self, Path, title};
use latchlift_plugin_api::{
    Change, Context, Error, Kind, Plan, Record, Request, Result, Value, delete, insert, update,
};

/// Plans another sign-in name, in three steps, so that the password entry leads to its user at every moment: the user gains
/// a second credential of the new name, the entry is renamed, and the first credential takes the new name in place of the
/// second.
///
/// # Errors
/// No account or several answer to the name, the new name is taken, or somebody else decides about names.
pub fn rename(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let user = accounts::find(&home, request.target()?)?;
    if home.users[user].system {
        return Err(of_the_app(&home, user));
    }
    let credential = own_credential(&home, user, &request.target()?.name)?;
    let typed = strip(request.new_name.as_deref().unwrap_or_default());
    if typed.is_empty() {
        return Err(Error::new(Kind::Usage, "this needs a new sign-in name"));
    }
    let (old, new) = (home.credentials[credential].username.to_string(), normalise(typed));
    if old == new {
        return Ok(Plan::new(format!("the sign-in name is `{new}` already")));
    }
    refuse_taken(&home, user, credential, &new)?;
    let id = &home.users[user].id;
    let plan = Plan::new(format!("Rename `{old}` to `{new}`")).about(&**id, &*new);
    let rows = renamed_rows(context, &home, credential, &new)?;
    let named = set_name(&home, credential, &new);
    let mut plan = match rows.is_empty() {
        true => plan.step(vec![named]),
        false => {
            let second = records::id(&request.random);
            let (gain, lose) = second_credential(&second, id, &new);
            plan.step(vec![gain]).step(rows).step(vec![named, lose])
        }
    };
    if new != typed {
        plan = plan.warn(format!("the name is kept as `{new}`: Home Assistant compares names like that"));
    }
    Ok(plan.then(START).then(format!("who signs in by hand types `{new}` from now on; whoever is signed in stays so")))
}

/// The credential whose name changes.
fn own_credential(home: &Home, user: usize, typed: &str) -> Result<usize> {
    let like = accounts::credential_like(home, user, typed);
    let own = like.filter(|credential| *home.credentials[*credential].provider == *PROVIDER);
    if let Some(credential) = own.or(sign_in::own_standing(home, user).credential) {
        return Ok(credential);
    }
    let title = title(home, user);
    match accounts::name(home, user) {
        Some(name) => {
            let message = format!("`{name}` is the name of {title} with another provider, which alone can change it");
            Err(Error::refused(message, None))
        }
        None => {
            let id = &home.users[user].id;
            Err(Error::refused(format!("{title} has no sign-in name that could be changed"), None)
                .help(format!("to give one, with a password: `latchlift password reset NAME --id {id}`")))
        }
    }
}

fn refuse_taken(home: &Home, user: usize, credential: usize, new: &str) -> Result<()> {
    if let Some(other) = home.users_like(new).iter().find(|other| **other != user) {
        let message = format!("the sign-in name `{new}` is {}'s already", title(home, *other));
        return Err(Error::new(Kind::Conflict, message).help("choose another name"));
    }
    let old = &home.credentials[credential].username;
    let own = records::spellings(home, old);
    let stray = home.rows_like(new).iter().map(|row| &*home.rows[*row].username).find(|row| !own.contains(row));
    match stray {
        Some(row) if normalise(old) != *new || home.names.get(row).credential.is_none() => {
            let message = format!("there is another password entry `{row}`, whose password would get in as `{new}`");
            Err(Error::new(Kind::Conflict, message).help("choose another name, or see `latchlift app check`"))
        }
        _ => Ok(()),
    }
}

fn renamed_rows(context: &Context<'_>, home: &Home, credential: usize, new: &str) -> Result<Vec<Change>> {
    if matches!(sign_in::path(home, credential), Path::Shadowed(_)) {
        return Ok(vec![]);
    }
    let found = records::rows(context.reader, &records::spellings(home, &home.credentials[credential].username))?;
    let renamed = found.into_iter().filter_map(|(key, _)| {
        let was = key.fields.get("/username").cloned().unwrap_or_default();
        update(ROWS, key, [("/username", was, Value::from(new))])
    });
    Ok(renamed.collect())
}

/// A credential beside another one of the same user, and its end.
pub fn second_credential(id: &str, user: &str, name: &str) -> (Change, Change) {
    let record = records::credential_record(id, user, name);
    (insert(CREDENTIALS, record.clone()), delete(CREDENTIALS, Record::new().with("/id", id), record))
}

/// Another name in a credential.
pub fn set_name(home: &Home, credential: usize, new: &str) -> Change {
    let known = &home.credentials[credential];
    Change::Update {
        collection: CREDENTIALS.to_owned(),
        key: Record::new().with("/id", &*known.id).into(),
        before: Record::new().with("/data/username", &*known.username),
        after: Record::new().with("/data/username", new),
    }
}
