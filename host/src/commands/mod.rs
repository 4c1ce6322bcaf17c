//! What each command does: open, ask, plan, confirm, apply, say.

pub mod app;
pub mod change;
pub mod history;
pub mod hints;
pub mod list;
pub mod password;
pub mod plugin;
pub mod rows;
pub mod shell;

use crate::cli::{
    AdminVerb, AppVerb, BanVerb, Cli, ClientVerb, Command, InviteVerb, LoginVerb, MfaVerb, OnboardingVerb, PasswordVerb,
    Revoke, SessionVerb, TokenVerb, UserVerb,
};
use crate::context::Run;
use crate::error::{Error, Kind, Result};
use change::Ask;
use latchlift_plugin_api::Options;

/// The exit code of a run that did not fail: 0, or one that is itself an answer.
pub type Exit = u8;

/// Runs the command.
///
/// # Errors
/// See [`Kind`].
pub fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Completions { shell } => return Ok(shell::completions(shell)),
        Command::Man => return shell::man(),
        Command::Recover { .. } => return Err(Error::new(Kind::Unsupported, "`recover` comes with a later release")),
        _ => {}
    }
    let run = Run::new(cli.global)?;
    match cli.command {
        Command::User(user) => self::user(&run, user.verb),
        Command::Password(password) => self::password(&run, password.verb),
        Command::Admin(admin) => self::admin(&run, admin.verb),
        Command::Session(session) => self::session(&run, session.verb),
        Command::Token(token) => self::token(&run, token.verb),
        Command::Client(client) => self::client(&run, client.verb),
        Command::Mfa(mfa) => self::mfa(&run, mfa.verb),
        Command::Login(login) => self::login(&run, login.verb),
        Command::Ban(ban) => self::ban(&run, ban.verb),
        Command::Invite(invite) => self::invite(&run, invite.verb),
        Command::Onboarding(onboarding) => match onboarding.verb {
            OnboardingVerb::Restart { write } => change::run(&run, Ask::new("onboarding.restart", write).dangerous()),
        },
        Command::App(app) => match app.verb.unwrap_or(AppVerb::List) {
            AppVerb::List => app::list(&run),
            AppVerb::Check => app::check(&run),
        },
        Command::History(history) => history::history(&run, history.verb),
        Command::Undo(undo) => history::undo(&run, undo),
        Command::Resume(resume) => history::resume(&run, resume),
        Command::Plugin(plugin) => plugin::run(&run, plugin.verb),
        Command::Completions { .. } | Command::Man | Command::Recover { .. } => Ok(0),
    }
}

fn user(run: &Run, verb: Option<UserVerb>) -> Result<Exit> {
    let verb = verb.unwrap_or(UserVerb::List { search: None, deleted: false, system: false, listing: Default::default() });
    match verb {
        UserVerb::List { search, deleted, system, listing } => {
            list::accounts(run, search, Options { deleted, system, ..Options::default() }, listing.limit)
        }
        UserVerb::Show { target, show_secrets } => {
            list::show_account(run, target.into(), Options { show_secrets, ..Options::default() })
        }
        UserVerb::Add { name, keys, password, write } => {
            change::run(run, Ask::new("user.add", write).named(name).keys(&keys)?.password(password))
        }
        UserVerb::Set { user, keys, id, provider, write } => {
            let target = latchlift_plugin_api::Target { name: user, id, provider };
            change::run(run, Ask::new("user.set", write).target(target).keys(&keys)?)
        }
        UserVerb::Rename { user, new, id, write } => {
            let target = latchlift_plugin_api::Target { name: user, id, provider: None };
            change::run(run, Ask::new("user.rename", write).target(target).new_name(new))
        }
        UserVerb::Remove(on) => change::run(run, Ask::new("user.remove", on.write).target(on.target).dangerous()),
        UserVerb::Restore(on) => change::run(run, Ask::new("user.restore", on.write).target(on.target)),
        UserVerb::Purge(on) => change::run(run, Ask::new("user.purge", on.write).target(on.target).dangerous()),
        UserVerb::FixNames { write } => change::run(run, Ask::new("user.fix-names", write)),
    }
}

fn password(run: &Run, verb: PasswordVerb) -> Result<Exit> {
    match verb {
        PasswordVerb::Reset { target, password, including, write } => {
            let ask = Ask::new("password.reset", write).target(target).password(password).including(including);
            change::run(run, ask)
        }
        PasswordVerb::Remove(on) => change::run(run, Ask::new("password.remove", on.write).target(on.target)),
        PasswordVerb::Check { target, password } => password::check(run, target.into(), password),
    }
}

fn admin(run: &Run, verb: AdminVerb) -> Result<Exit> {
    match verb {
        AdminVerb::Recreate { name, owner, password, write } => {
            change::run(run, Ask::new("admin.recreate", write).named(name).password(password).owner(owner).dangerous())
        }
        AdminVerb::Grant { target, owner, write } => {
            change::run(run, Ask::new("admin.grant", write).target(target).owner(owner).dangerous())
        }
        AdminVerb::Revoke(on) => change::run(run, Ask::new("admin.revoke", on.write).target(on.target).dangerous()),
    }
}

fn session(run: &Run, verb: Option<SessionVerb>) -> Result<Exit> {
    let all = SessionVerb::List { user: None, system: false, expired: false, listing: Default::default() };
    match verb.unwrap_or(all) {
        SessionVerb::List { user, system, expired, listing } => {
            list::sessions(run, user, Options { system, expired, ..Options::default() }, listing.limit)
        }
        SessionVerb::Show { id } => list::session(run, id),
        SessionVerb::Revoke(revoke) => change::run(run, revoking("session.revoke", revoke)),
    }
}

fn token(run: &Run, verb: Option<TokenVerb>) -> Result<Exit> {
    match verb.unwrap_or(TokenVerb::List { user: None, listing: Default::default() }) {
        TokenVerb::List { user, listing } => list::tokens(run, user, listing.limit),
        TokenVerb::Issue { user, keys, write } => {
            change::run(run, Ask::new("token.issue", write).named(user).keys(&keys)?)
        }
        TokenVerb::Revoke(revoke) => change::run(run, revoking("token.revoke", revoke)),
    }
}

fn client(run: &Run, verb: Option<ClientVerb>) -> Result<Exit> {
    match verb.unwrap_or(ClientVerb::List { listing: Default::default() }) {
        ClientVerb::List { listing } => list::tokens_of(run, "client.list", "clients", listing.limit),
        ClientVerb::Add { name, keys, write } => change::run(run, Ask::new("client.add", write).named(name).keys(&keys)?),
        ClientVerb::Show { id } => list::unsupported_read(run, "client.show", &id),
        ClientVerb::Set { id, keys, write } => change::run(run, Ask::new("client.set", write).ids(vec![id]).keys(&keys)?),
        ClientVerb::Remove { id, write } => change::run(run, Ask::new("client.remove", write).ids(vec![id]).dangerous()),
    }
}

fn mfa(run: &Run, verb: Option<MfaVerb>) -> Result<Exit> {
    match verb.unwrap_or(MfaVerb::Status { user: None, show_secrets: false }) {
        MfaVerb::Status { user, show_secrets } => {
            list::mfa(run, user, Options { show_secrets, ..Options::default() })
        }
        MfaVerb::Disable(on) => change::run(run, Ask::new("mfa.disable", on.write).target(on.target).dangerous()),
    }
}

fn login(run: &Run, verb: Option<LoginVerb>) -> Result<Exit> {
    match verb.unwrap_or(LoginVerb::List { user: None, listing: Default::default() }) {
        LoginVerb::List { user, listing } => list::logins(run, user, listing.limit),
        LoginVerb::Clear { write } => change::run(run, Ask::new("login.clear", write)),
    }
}

fn ban(run: &Run, verb: Option<BanVerb>) -> Result<Exit> {
    match verb.unwrap_or(BanVerb::List { listing: Default::default() }) {
        BanVerb::List { listing } => list::bans(run, listing.limit),
        BanVerb::Clear { addresses, all, write } => {
            change::run(run, Ask::new("ban.clear", write).ids(addresses).all(all))
        }
    }
}

fn invite(run: &Run, verb: Option<InviteVerb>) -> Result<Exit> {
    match verb.unwrap_or(InviteVerb::List { listing: Default::default() }) {
        InviteVerb::List { listing } => list::invites(run, listing.limit),
        InviteVerb::Revoke(revoke) => change::run(run, revoking("invite.revoke", revoke)),
    }
}

fn revoking(verb: &'static str, revoke: Revoke) -> Ask {
    let Revoke { user, id, all, expired, provider, tokens, write } = revoke;
    let mut ask = Ask::new(verb, write).ids(id).all(all).expired(expired).tokens(tokens);
    if let Some(name) = user {
        ask = ask.target(latchlift_plugin_api::Target { name, id: None, provider });
    }
    ask
}

impl From<crate::cli::Target> for latchlift_plugin_api::Target {
    fn from(target: crate::cli::Target) -> Self {
        Self { name: target.user.unwrap_or_default(), id: target.id, provider: target.provider }
    }
}
