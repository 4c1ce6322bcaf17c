//! What latchlift writes to PhotoPrism, one function per verb.

pub mod add;
pub mod admin;
pub mod clients;
pub mod copies;
pub mod endings;
pub mod logins;
pub mod mfa;
pub mod names;
pub mod newest;
pub mod onboarding;
pub mod password;
pub mod remove;
pub mod restore;
pub mod sessions;
pub mod set;
pub mod tokens;

use crate::find::Found;
use crate::holdings::Holdings;
use crate::schema::{HASH_COST, HASH_PREFIX, Layout, PASSWORDS};
use crate::sign_in;
use crate::user::User;
use latchlift_plugin_api::{
    Bcrypt, Change, Context, Error, Filter, Plan, Reader, Record, Request, Result, Select, Time, Value, insert, update,
};

/// What to do after sign-ins were ended. Upstream: internal/entity/auth_session_cache.go.
pub const RESTART: &str = "a running PhotoPrism remembers sign-ins for up to 15 minutes, and may write one back that was \
                           ended: restart it to end them at once (docker compose restart photoprism)";

/// What to do after rights were changed.
pub const REFRESH: &str =
    "a running PhotoPrism remembers who may do what for up to 15 minutes: restart it, or sign in again";

/// PhotoPrism's own rows are never touched.
///
/// # Errors
/// The account is one of them.
pub fn refuse_system(user: &User) -> Result<()> {
    match user.is_system() {
        false => Ok(()),
        true => Err(Error::refused(format!("row {} is PhotoPrism's own; nobody signs in to it", user.id), None)),
    }
}

/// A deleted account is brought back as it was, and changed then.
///
/// # Errors
/// The account is deleted.
pub fn refuse_deleted(user: &User) -> Result<()> {
    match user.deleted_at {
        None => Ok(()),
        Some(when) => Err(Error::refused(format!("`{}` was deleted on {when}", user.label()), None)
            .help(format!("bring it back first: {}", typed(&["user", "restore", "--id", &user.uid])))),
    }
}

/// The password row of an account with a new hash; made where it is missing. The hash is asked for last: the host computes
/// it while a plan still reads.
///
/// # Errors
/// The store's, or that there is no hash.
pub fn new_password(
    reader: &dyn Reader,
    layout: &Layout,
    uid: &str,
    now: Time,
    hash: impl FnOnce() -> Result<String>,
) -> Result<Option<Change>> {
    let query = Select::from(PASSWORDS, ["uid", "hash", "updated_at"]).filter(Filter::eq("uid", uid));
    let row = reader.first(query)?;
    let (hash, now) = (Value::Text(hash()?), layout.time(now));
    let Some(row) = row else {
        let row = Record::new().with("uid", uid).with("hash", hash);
        return Ok(Some(insert(PASSWORDS, row.with("created_at", now.clone()).with("updated_at", now))));
    };
    let before = |field: &str| row.get(field).cloned().unwrap_or_default();
    let key = Record::new().with("uid", before("uid"));
    Ok(update(PASSWORDS, key, [("hash", before("hash"), hash), ("updated_at", before("updated_at"), now)]))
}

/// The password that was asked for, as PhotoPrism stores it.
///
/// # Errors
/// As [`Bcrypt::hash`].
pub fn hashed(context: &Context<'_>, request: &Request) -> Result<String> {
    Bcrypt::hash(context.secrets, request.password()?, HASH_PREFIX, HASH_COST)
}

/// The plan with a warning for each reason why the account still cannot sign in once it is carried out. Account and
/// holdings are given as they will be.
pub fn warned(mut plan: Plan, layout: &Layout, found: &Found, holdings: &Holdings, request: &Request) -> Plan {
    for reason in sign_in::judge(layout, &found.user, holdings, request.now).reasons {
        let fix = if reason.fix.is_empty() { String::new() } else { format!("; mend it with {}", typed(&reason.fix)) };
        if reason.blocking {
            plan = plan.warn(format!("{} still cannot sign in: {}{fix}", found.user.label(), reason.message));
        } else if reason.code == latchlift_plugin_api::reason::MFA {
            plan = plan.warn(format!("signing in asks for more than the password: {}{fix}", reason.message));
        }
    }
    plan
}

/// A command as it is typed, in the quotes that let the host say on which instance.
pub fn typed<S: AsRef<str>>(words: &[S]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.@=".contains(c);
    let quoted = words.iter().map(AsRef::as_ref).map(|word| match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    format!("`{}`", std::iter::once("latchlift".to_owned()).chain(quoted).collect::<Vec<_>>().join(" "))
}
