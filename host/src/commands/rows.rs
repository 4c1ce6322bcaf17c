//! The rows of lists: which columns people see.

use crate::output::Shape;
use latchlift_plugin_api::{Account, Ban, Client, Invite, Known, Login, Mfa, Session, Time};

/// How `user list` looks.
pub const ACCOUNTS: Shape<'_, Account> = Shape {
    name: "accounts",
    headings: &["APP", "NAME", "PROVIDER", "ROLE", "ADMIN", "SIGN-IN", "2FA", "SESSIONS", "LAST LOGIN", "ID"],
    cells: account,
};

/// A row of `user list`.
fn account(app: &str, account: &Account) -> Vec<String> {
    let name = match (account.name.value(), account.display_name.value()) {
        (Some(name), _) => name.clone(),
        (None, Some(display)) => format!("({display})"),
        (None, None) => "(no name)".to_owned(),
    };
    let role = account.role.value().cloned().or_else(|| Some(account.groups.value()?.join(", ")));
    vec![
        app.to_owned(),
        name,
        text(&account.provider),
        role.unwrap_or_default(),
        yes_no(&account.admin),
        sign_in(account),
        account.mfa.value().map(|methods| methods.join(", ")).unwrap_or_default(),
        number(&account.sessions),
        time(&account.last_login),
        account.id.clone(),
    ]
}

/// `yes`, or the codes of what keeps the person out.
pub fn sign_in(account: &Account) -> String {
    let blocking: Vec<&str> = account.reasons.iter().filter(|r| r.blocking).map(|r| r.code.as_str()).collect();
    match account.can_sign_in {
        Known::Is(true) => "yes".to_owned(),
        Known::Is(false) if blocking.is_empty() => "no".to_owned(),
        Known::Is(false) => format!("no: {}", blocking.join(", ")),
        _ => account.reasons.first().map_or("?".to_owned(), |reason| format!("? {}", reason.code)),
    }
}

/// How `session list` and `token list` looks.
pub const SESSIONS: Shape<'_, Session> = Shape {
    name: "sessions",
    headings: &["APP", "ID", "ACCOUNT", "KIND", "CLIENT", "IP", "CREATED", "LAST SEEN", "EXPIRES"],
    cells: session,
};

/// A row of `session list`.
fn session(app: &str, session: &Session) -> Vec<String> {
    let expires = match (&session.expires_at, session.expired) {
        (Known::Nothing, _) => "never".to_owned(),
        (at, true) => format!("{} (ended)", time(at)),
        (at, false) => time(at),
    };
    vec![
        app.to_owned(),
        session.id.clone(),
        text(&session.account),
        session.kind.clone(),
        text(&session.client),
        text(&session.ip),
        time(&session.created_at),
        time(&session.last_seen),
        expires,
    ]
}

/// How `mfa status` looks.
pub const MFA: Shape<'_, Mfa> =
    Shape { name: "mfa", headings: &["APP", "ACCOUNT", "METHOD", "ENABLED", "NOTE", "SECRETS"], cells: mfa };

/// A row of `mfa status`.
fn mfa(app: &str, mfa: &Mfa) -> Vec<String> {
    let secrets: Vec<String> = mfa.secrets.iter().map(|(name, secret)| format!("{name}={secret}")).collect();
    let enabled = if mfa.enabled { "yes" } else { "no" };
    let note = mfa.note.clone().unwrap_or_default();
    vec![app.to_owned(), text(&mfa.account), mfa.method.clone(), enabled.to_owned(), note, secrets.join(" ")]
}

/// How `login list` looks.
pub const LOGINS: Shape<'_, Login> =
    Shape { name: "logins", headings: &["APP", "AT", "ACCOUNT", "IP", "STATUS", "DETAIL"], cells: login };

/// A row of `login list`.
fn login(app: &str, login: &Login) -> Vec<String> {
    let Login { account, ip, status, at, detail } = login;
    vec![app.to_owned(), time(at), text(account), text(ip), status.clone(), text(detail)]
}

/// How `ban list` looks.
pub const BANS: Shape<'_, Ban> = Shape { name: "bans", headings: &["APP", "ADDRESS", "SINCE", "NOTE"], cells: ban };

/// A row of `ban list`.
fn ban(app: &str, ban: &Ban) -> Vec<String> {
    vec![app.to_owned(), ban.ip.clone(), time(&ban.banned_at), ban.note.clone().unwrap_or_default()]
}

/// How `invite list` looks.
pub const INVITES: Shape<'_, Invite> =
    Shape { name: "invites", headings: &["APP", "ID", "BY", "EXPIRES"], cells: invite };

/// A row of `invite list`.
fn invite(app: &str, invite: &Invite) -> Vec<String> {
    let ended = if invite.expired { " (ended)" } else { "" };
    let expires = format!("{}{ended}", time(&invite.expires_at));
    vec![app.to_owned(), invite.id.clone(), text(&invite.account), expires]
}

/// How `client list` looks.
pub const CLIENTS: Shape<'_, Client> = Shape {
    name: "clients",
    headings: &["APP", "ID", "NAME", "ACCOUNT", "ROLE", "METHOD", "SCOPE", "ENABLED", "TOKENS", "LAST SEEN"],
    cells: client,
};

/// A row of `client list`.
fn client(app: &str, client: &Client) -> Vec<String> {
    vec![
        app.to_owned(),
        client.id.clone(),
        text(&client.name),
        text(&client.account),
        text(&client.role),
        text(&client.method),
        text(&client.scope),
        client.enabled.value().map_or("", |yes| if *yes { "yes" } else { "no" }).to_owned(),
        number(&client.tokens),
        time(&client.last_seen),
    ]
}

fn text(value: &Known<String>) -> String {
    value.value().cloned().unwrap_or_default()
}

fn number(value: &Known<u64>) -> String {
    value.value().map(ToString::to_string).unwrap_or_default()
}

fn yes_no(value: &Known<bool>) -> String {
    value.value().map_or("", |yes| if *yes { "yes" } else { "" }).to_owned()
}

/// A time as people read it: `2026-11-21 03:47`, UTC.
pub fn time(value: &Known<Time>) -> String {
    value.value().map(|time| time.sql()[..16].to_owned()).unwrap_or_default()
}
