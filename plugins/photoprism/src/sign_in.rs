//! Whether an account can sign in, and why not. Upstream: internal/entity/auth_user.go `CanLogIn` and
//! auth_session_login.go `AuthLocal`.

use crate::holdings::{Holdings, Password, Shadow};
use crate::names::{self, FORM_BYTES};
use crate::schema::{ADMIN_ID, Layout};
use crate::user::{Provider, User};
use crate::{ids, names::reached, roles};
use latchlift_plugin_api::{Bcrypt, Known, Reason, Time, reason};

/// PhotoPrism does not take the account's uid for one of an account. Not among the common codes.
pub const UID_INVALID: &str = "uid_invalid";

/// The answer, and what speaks for it.
pub struct Judgement {
    /// Whether the right password gets in; nothing where only another system knows.
    pub can_sign_in: Known<bool>,
    /// What keeps the person out, and what else to know.
    pub reasons: Vec<Reason>,
}

/// Judges an account by the rules of the login.
pub fn judge(layout: &Layout, user: &User, holdings: &Holdings, now: Time) -> Judgement {
    if user.is_system() {
        let reason = Reason::blocking(reason::SYSTEM, "this row is PhotoPrism's own; nobody signs in to it");
        return Judgement { can_sign_in: Known::Is(false), reasons: vec![reason] };
    }
    let mut reasons = Vec::new();
    reasons.extend(standing(layout, user, holdings, now));
    let checked_here = provider(layout, user, holdings, &mut reasons);
    if checked_here {
        reasons.extend(name(layout, user, holdings));
        reasons.extend(password(user, holdings));
        reasons.extend(second_factor(user, holdings));
    }
    let can_sign_in = match (reasons.iter().any(|reason| reason.blocking), checked_here) {
        (true, _) => Known::Is(false),
        (false, true) => Known::Is(true),
        (false, false) => Known::Nothing,
    };
    Judgement { can_sign_in, reasons }
}

/// What holds for every way of signing in: deleted, switched off, expired, without role.
fn standing(layout: &Layout, user: &User, holdings: &Holdings, now: Time) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mended = |why: Reason, verb: &[&str], flag: Option<&str>| match user.id {
        ADMIN_ID => recreate(user, why),
        _ => why.fix(command(verb, user, holdings, flag)),
    };
    if let Some(when) = user.deleted_at {
        let why = Reason::blocking(reason::DELETED, format!("the account was deleted on {when}"));
        reasons.push(mended(why, &["user", "restore"], None));
    }
    if !user.can_login && !user.super_admin {
        let why = Reason::blocking(reason::DISABLED, "signing in is switched off for the account (`can_login` is 0)");
        reasons.push(mended(why, &["user", "set"], Some("login=yes")));
    }
    if !ids::is_user_uid(&user.uid, now) {
        let message = format!("its id `{}` is not one PhotoPrism gives accounts, so it is ignored", user.uid);
        reasons.push(Reason::blocking(UID_INVALID, message));
    }
    if let Some(when) = user.expires_at.filter(|when| *when < now && !user.super_admin) {
        let why = Reason::blocking(reason::EXPIRED, format!("the account expired on {when}"));
        reasons.push(mended(why, &["user", "set"], Some("expires=never")));
    }
    // A role is offered that gives no more rights than any account has.
    let ordinary = format!("role={}", roles::ordinary(layout));
    reasons.extend(role(layout, user).map(|why| mended(why, &["user", "set"], Some(&ordinary))));
    reasons
}

fn recreate(user: &User, why: Reason) -> Reason {
    let name = if user.name.is_empty() { "admin" } else { &user.name };
    why.fix(["admin", "recreate", name])
}

fn role(layout: &Layout, user: &User) -> Option<Reason> {
    let role = user.role.trim().to_lowercase();
    let message = match role.as_str() {
        _ if user.super_admin => return None,
        "" => "the account has no role, which PhotoPrism takes for no account".to_owned(),
        // 221102 to 221118 did not look at it.
        "visitor" if layout.version.is_some() => {
            "the role `visitor` is for share links: PhotoPrism takes it for no account".to_owned()
        }
        "visitor" => return None,
        known if roles::is_known(layout, known) => return None,
        "guest" => "PhotoPrism's Community Edition knows the role `guest` only since 240420".to_owned(),
        other => {
            format!("the role `{other}` belongs to PhotoPrism Plus or Pro; the Community Edition does not know it")
        }
    };
    Some(Reason::blocking(reason::ROLE, message))
}

/// Says who checks the password, and whether that is PhotoPrism.
fn provider(layout: &Layout, user: &User, holdings: &Holdings, reasons: &mut Vec<Reason>) -> bool {
    let has_password = matches!(holdings.password, Password::Bcrypt(_));
    let convert = || command(&["password", "reset"], user, holdings, Some("--convert"));
    match &user.provider {
        Provider::Default | Provider::Local => true,
        Provider::Oidc if layout.oidc_passwords() && has_password => {
            reasons.push(Reason::note(reason::PROVIDER, "it signs in through OpenID Connect as well"));
            true
        }
        Provider::Oidc if layout.oidc_passwords() => {
            let why = "it signs in through OpenID Connect and has no password of its own";
            let fix = command(&["password", "reset"], user, holdings, None);
            reasons.push(Reason::note(reason::PROVIDER, why).fix(fix));
            false
        }
        Provider::Oidc => {
            reasons.push(Reason::note(reason::PROVIDER, "it signs in through OpenID Connect only").fix(convert()));
            false
        }
        Provider::Ldap if layout.community() => {
            let why = "it signs in through a directory server, which the Community Edition cannot ask";
            reasons.push(Reason::blocking(reason::PROVIDER, why).fix(convert()));
            false
        }
        Provider::Ldap => {
            let why = "a directory server checks its password";
            reasons.push(Reason::note(reason::PROVIDER, why).fix(convert()));
            false
        }
        Provider::None if !layout.heeds_providers() => true,
        Provider::None => {
            let why = "signing in is switched off for the account (authentication `none`)";
            reasons.push(Reason::blocking(reason::PROVIDER, why).fix(convert()));
            true
        }
        other => {
            let why = format!("authentication `{}` is not for signing in", other.word());
            reasons.push(Reason::blocking(reason::PROVIDER, why).fix(convert()));
            true
        }
    }
}

fn name(layout: &Layout, user: &User, holdings: &Holdings) -> Vec<Reason> {
    let wanted = names::clean(&user.name);
    let mut reasons = Vec::new();
    if user.name.is_empty() {
        let why = Reason::blocking(reason::NAME_INVALID, "the account has no name to sign in with");
        reasons.push(if user.id == ADMIN_ID { recreate(user, why) } else { why });
    } else if wanted.is_empty() || wanted.len() > FORM_BYTES {
        let why = format!("the login form takes {FORM_BYTES} bytes of name; this one has {}", user.name.len());
        reasons.push(Reason::blocking(reason::NAME_INVALID, why));
    } else if !reached(layout, &user.name) {
        let (code, why) = match names::fold(&user.name) == wanted && user.name.trim() == user.name {
            true => (reason::NAME_CASE, format!("the login looks for `{wanted}`; stored is `{}`", user.name)),
            false => (reason::NAME_INVALID, format!("the login looks for `{wanted}`, which `{}` is not", user.name)),
        };
        reasons.push(Reason::blocking(code, why).fix(["user", "fix-names"]));
    }
    reasons.extend(holdings.shadow.as_deref().map(|shadow| shadowed(user, shadow)));
    reasons
}

fn shadowed(user: &User, Shadow { name, uid, deleted, free }: &Shadow) -> Reason {
    let deleted = if *deleted { ", which is deleted" } else { "" };
    let why = format!("the login finds another account first: `{name}`, id {uid}{deleted}");
    let why = Reason::blocking(reason::SHADOWED, why);
    match user.deleted_at {
        // A deleted account keeps its name until it is restored.
        Some(_) => why,
        None => why.fix(["user", "rename", "--id", &user.uid, free]),
    }
}

fn password(user: &User, holdings: &Holdings) -> Option<Reason> {
    let why = match holdings.password {
        Password::Bcrypt(cost) => Bcrypt::slow(cost, "PhotoPrism")?,
        Password::Absent => Reason::blocking(reason::NO_PASSWORD, "no password is stored"),
        Password::Empty => {
            Reason::blocking(reason::NO_PASSWORD, "the stored password hash is empty, which never matches")
        }
        Password::Unreadable => {
            Reason::blocking(reason::HASH_UNREADABLE, "what is stored as password is not a bcrypt hash")
        }
    };
    Some(why.fix(command(&["password", "reset"], user, holdings, None)))
}

fn second_factor(user: &User, holdings: &Holdings) -> Option<Reason> {
    let why = match (user.two_factor, holdings.passcode) {
        (false, _) => return None,
        (true, true) => {
            Reason::note(reason::MFA, "a passcode of the authenticator app, or the recovery code, is asked for")
        }
        (true, false) => Reason::blocking(reason::MFA, "a passcode is asked for, but none is set up that could match"),
    };
    Some(why.fix(command(&["mfa", "disable"], user, holdings, None)))
}

/// A command for this account, with its id where the name is not enough.
pub fn command(verb: &[&str], user: &User, holdings: &Holdings, flag: Option<&str>) -> Vec<String> {
    let mut words: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
    if !user.name.is_empty() {
        words.push(user.name.clone());
    }
    if !holdings.alone || user.name.is_empty() {
        words.extend(["--id".to_owned(), user.uid.clone()]);
    }
    words.extend(flag.map(str::to_owned));
    words
}
