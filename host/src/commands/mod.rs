//! What each command does: open, ask, plan, confirm, apply, say.

pub mod app;
pub mod ask;
pub mod change;
pub mod hints;
pub mod history;
pub mod list;
mod nouns;
pub mod password;
pub mod plugin;
pub mod rows;
pub mod shell;

use crate::cli::{AppVerb, Cli, Command, OnboardingVerb, PluginVerb};
use crate::context::Run;
use crate::error::{Error, Kind, Result};
use crate::ui;
use ask::Ask;
use latchlift_plugin_api::Time;

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
        Command::Help { words } => return shell::help(&words),
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
        Command::User(user) => nouns::user(run, user.verb),
        Command::Password(password) => nouns::password(run, password.verb),
        Command::Admin(admin) => nouns::admin(run, admin.verb),
        Command::Session(session) => nouns::session(run, session.verb),
        Command::Token(token) => nouns::token(run, token.verb),
        Command::Client(client) => nouns::client(run, client.verb),
        Command::Mfa(mfa) => nouns::mfa(run, mfa.verb),
        Command::Login(login) => nouns::login(run, login.verb),
        Command::Ban(ban) => nouns::ban(run, ban.verb),
        Command::Invite(invite) => nouns::invite(run, invite.verb),
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
        Command::Completions { .. } | Command::Man | Command::Help { .. } | Command::Recover { .. } => Ok(0),
    }
}
