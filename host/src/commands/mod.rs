//! What each command does: open, ask, plan, confirm, apply, say.

pub mod app;
pub mod ask;
pub mod change;
pub mod hints;
pub mod history;
pub mod list;
pub mod password;
pub mod plugin;
pub mod rows;
pub mod shell;

use crate::cli::{
    AdminVerb, AppVerb, BanVerb, Cli, ClientVerb, Command, InviteVerb, LoginVerb, MfaVerb, OnAdmin, OnboardingVerb,
    PasswordVerb, PluginVerb, RevokeInvites, RevokeSessions, RevokeTokens, SessionVerb, TokenVerb, UserVerb, Which,
};
use crate::context::Run;
use crate::error::{Error, Kind, Result};
use crate::ui;
use ask::Ask;
use latchlift_plugin_api::{Options, Time};

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
        // What the packager asks needs neither configuration nor a place for the journal.
        Command::Plugin(crate::cli::Plugin { verb: Some(PluginVerb::Abi) }) => {
            return Ok(plugin::abi(cli.global.format()));
        }
        Command::Recover { .. } => return Err(Error::new(Kind::Unsupported, "`recover` comes with a later release")),
        _ => {}
    }
    let run = Run::new(cli.global)?;
    let (started, resumes) = (run.now(), matches!(cli.command, Command::Resume(_)));
    let exit = dispatch(&run, cli.command)?;
    // Exit codes up to 8 promise that the data is as it was; a lost answer must not break that promise.
    if exit == 0 && ui::lost_answer().is_some() && (resumes || changed_since(&run, started)) {
        run.ui.warn("the change is made, though its answer is lost: see it with `latchlift history`");
        return Ok(Kind::Unfinished.exit());
    }
    Ok(exit)
}

fn changed_since(run: &Run, started: Time) -> bool {
    run.journal()
        .and_then(|journal| journal.entries())
        .is_ok_and(|(entries, _)| entries.iter().any(|entry| entry.begun.at >= started))
}

fn dispatch(run: &Run, command: Command) -> Result<Exit> {
    match command {
        Command::User(user) => self::user(run, user.verb),
        Command::Password(password) => self::password(run, password.verb),
        Command::Admin(admin) => self::admin(run, admin.verb),
        Command::Session(session) => self::session(run, session.verb),
        Command::Token(token) => self::token(run, token.verb),
        Command::Client(client) => self::client(run, client.verb),
        Command::Mfa(mfa) => self::mfa(run, mfa.verb),
        Command::Login(login) => self::login(run, login.verb),
        Command::Ban(ban) => self::ban(run, ban.verb),
        Command::Invite(invite) => self::invite(run, invite.verb),
        Command::Onboarding(onboarding) => match onboarding.verb {
            OnboardingVerb::Restart { write } => change::run(run, Ask::new("onboarding.restart", write).dangerous()),
        },
        Command::App(app) => match app.verb.unwrap_or(AppVerb::List) {
            AppVerb::List => app::list(run),
            AppVerb::Check => app::check(run),
        },
        Command::History(history) => history::history(run, history.verb),
        Command::Undo(undo) => history::undo(run, undo),
        Command::Resume(resume) => history::resume(run, resume),
        Command::Plugin(plugin) => plugin::run(run, plugin.verb),
        Command::Completions { .. } | Command::Man | Command::Recover { .. } => Ok(0),
    }
}

fn user(run: &Run, verb: Option<UserVerb>) -> Result<Exit> {
    let verb =
        verb.unwrap_or(UserVerb::List { search: None, deleted: false, system: false, listing: Default::default() });
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
        UserVerb::Set { account, keys, allow_last_admin, write } => {
            let ask = Ask::new("user.set", write).allow("last-admin", allow_last_admin);
            change::run(run, ask.target(account).keys(&keys)?)
        }
        UserVerb::Rename { account, new, write } => {
            change::run(run, Ask::new("user.rename", write).target(account).new_name(new))
        }
        UserVerb::Remove(on) => change::run(run, on_admin("user.remove", on)),
        UserVerb::Restore(on) => change::run(run, Ask::new("user.restore", on.write).target(on.target)),
        UserVerb::Purge(on) => change::run(run, on_admin("user.purge", on)),
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
        AdminVerb::Recreate { name, id, owner, password, allow_existing_admin, write } => {
            let ask = Ask::new("admin.recreate", write).allow("existing-admin", allow_existing_admin);
            change::run(
                run,
                ask.target(latchlift_plugin_api::Target { name, id, provider: None })
                    .password(password)
                    .owner(owner)
                    .dangerous(),
            )
        }
        AdminVerb::Grant { target, owner, write } => {
            change::run(run, Ask::new("admin.grant", write).target(target).owner(owner).dangerous())
        }
        AdminVerb::Revoke(on) => change::run(run, on_admin("admin.revoke", on)),
    }
}

fn on_admin(verb: &'static str, on: OnAdmin) -> Ask {
    let OnAdmin { target, allow_last_admin, write } = on;
    Ask::new(verb, write).allow("last-admin", allow_last_admin).target(target).dangerous()
}

fn session(run: &Run, verb: Option<SessionVerb>) -> Result<Exit> {
    let all =
        SessionVerb::List { account: Default::default(), system: false, expired: false, listing: Default::default() };
    match verb.unwrap_or(all) {
        SessionVerb::List { account, system, expired, listing } => {
            list::sessions(run, account.target(), Options { system, expired, ..Options::default() }, listing.limit)
        }
        SessionVerb::Show { id } => list::session(run, id),
        SessionVerb::Revoke(RevokeSessions { which, provider, tokens, write }) => {
            change::run(run, which_of(Ask::new("session.revoke", write).tokens(tokens), which, provider))
        }
    }
}

fn token(run: &Run, verb: Option<TokenVerb>) -> Result<Exit> {
    match verb.unwrap_or(TokenVerb::List { account: Default::default(), listing: Default::default() }) {
        TokenVerb::List { account, listing } => list::tokens(run, account.target(), listing.limit),
        TokenVerb::Issue { account, keys, write } => {
            change::run(run, Ask::new("token.issue", write).target(account).keys(&keys)?)
        }
        TokenVerb::Revoke(RevokeTokens { which, provider, write }) => {
            change::run(run, which_of(Ask::new("token.revoke", write), which, provider))
        }
    }
}

fn client(run: &Run, verb: Option<ClientVerb>) -> Result<Exit> {
    match verb.unwrap_or(ClientVerb::List { listing: Default::default() }) {
        ClientVerb::List { listing } => list::tokens_of(run, "client.list", "clients", listing.limit),
        ClientVerb::Add { name, keys, write } => {
            change::run(run, Ask::new("client.add", write).named(name).keys(&keys)?)
        }
        ClientVerb::Show { id } => list::unsupported_read(run, "client.show", &id),
        ClientVerb::Set { id, keys, write } => {
            change::run(run, Ask::new("client.set", write).ids(vec![id]).keys(&keys)?)
        }
        ClientVerb::Remove { id, write } => {
            change::run(run, Ask::new("client.remove", write).ids(vec![id]).dangerous())
        }
    }
}

fn mfa(run: &Run, verb: Option<MfaVerb>) -> Result<Exit> {
    match verb.unwrap_or(MfaVerb::Status { account: Default::default(), show_secrets: false }) {
        MfaVerb::Status { account, show_secrets } => {
            list::mfa(run, account.target(), Options { show_secrets, ..Options::default() })
        }
        MfaVerb::Disable(on) => change::run(run, Ask::new("mfa.disable", on.write).target(on.target).dangerous()),
    }
}

fn login(run: &Run, verb: Option<LoginVerb>) -> Result<Exit> {
    match verb.unwrap_or(LoginVerb::List { account: Default::default(), listing: Default::default() }) {
        LoginVerb::List { account, listing } => list::logins(run, account.target(), listing.limit),
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
        InviteVerb::Revoke(RevokeInvites { which, write }) => {
            change::run(run, which_of(Ask::new("invite.revoke", write), which, None))
        }
    }
}

/// About what was chosen of a list: some by id, those of an account, all.
fn which_of(ask: Ask, which: Which, provider: Option<String>) -> Ask {
    let Which { user, id, all, expired } = which;
    let ask = ask.ids(id).all(all).expired(expired);
    match user {
        Some(name) => ask.target(latchlift_plugin_api::Target { name, id: None, provider }),
        None => ask,
    }
}

impl From<crate::cli::Target> for latchlift_plugin_api::Target {
    fn from(target: crate::cli::Target) -> Self {
        Self { name: target.user.unwrap_or_default(), id: target.id, provider: target.provider }
    }
}

impl From<crate::cli::Named> for latchlift_plugin_api::Target {
    fn from(account: crate::cli::Named) -> Self {
        Self { name: account.user, id: account.id, provider: account.provider }
    }
}

impl crate::cli::OfAccount {
    /// The account, if one is named.
    fn target(self) -> Option<latchlift_plugin_api::Target> {
        let named = self.user.is_some() || self.id.is_some();
        named.then(|| latchlift_plugin_api::Target {
            name: self.user.unwrap_or_default(),
            id: self.id,
            provider: self.provider,
        })
    }
}
