//! The command line: noun, verb, account.
//!
//! Everything typed is data here; what it means is in `commands`. Help, man page and completions come from these
//! definitions, so every argument has its one line.

mod access;
mod accounts;
mod args;
mod tool;

pub use access::*;
pub use accounts::*;
pub use args::*;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
pub use tool::*;

/// Get people back into the self-hosted apps they own
#[derive(Debug, Parser)]
#[command(name = "latchlift", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  latchlift user list                                who cannot sign in, and why
  latchlift password reset john --app homarr         shows the plan, then writes
  latchlift user show john --app homarr:/srv/homarr  without any configuration
  latchlift undo                                     takes the last change back")]
pub struct Cli {
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
    /// The noun.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command. In help they come behind those of the verb, and `-h` leaves out the rare ones.
#[derive(Args, Clone, Debug, Default)]
#[command(next_display_order = 100)]
pub struct Global {
    /// Instance: a configured name, PLUGIN:LOCATION or `all`; repeatable
    #[arg(short, long, global = true, display_order = 0, value_name = "APP", help_heading = "Selecting")]
    pub app: Vec<String>,
    /// The app's own settings file (.env, options.yml), for --app PLUGIN:...; repeatable
    #[arg(long, global = true, value_name = "FILE", help_heading = "Selecting", hide_short_help = true)]
    pub settings: Vec<PathBuf>,
    /// File that holds the database's password
    #[arg(long, global = true, value_name = "FILE", help_heading = "Selecting", hide_short_help = true)]
    pub store_password_file: Option<PathBuf>,
    /// Never ask; fail where a question would be needed
    #[arg(long, global = true, help_heading = "Safety")]
    pub no_input: bool,
    /// Form of the answer: table, json, csv, tsv or markdown
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORM", help_heading = "Output")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub output: Format,
    /// The same as --output json
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Say only what is asked for, and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Say which stores and plugins are used
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    #[arg(hide_short_help = true)]
    pub color: Color,
    /// Configuration file to use instead of the usual ones
    #[arg(long, global = true, value_name = "FILE", help_heading = "Setup", hide_short_help = true)]
    pub config: Option<PathBuf>,
    /// Directory with plugins, searched before the usual ones; repeatable
    #[arg(long, global = true, value_name = "DIR", help_heading = "Setup", hide_short_help = true)]
    pub plugin_dir: Vec<PathBuf>,
    /// Directory of the journal
    #[arg(long, global = true, value_name = "DIR", help_heading = "Setup", hide_short_help = true)]
    pub state_dir: Option<PathBuf>,
    /// Seconds to wait for a locked database
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 5, help_heading = "Setup")]
    #[arg(hide_short_help = true)]
    pub lock_timeout: u64,
}

/// Forms of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// Comma-separated values
    Csv,
    /// Tab-separated values
    Tsv,
    /// A Markdown table
    Markdown,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Global {
    /// The form asked for, `--json` included.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output }
    }
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List, show and change accounts
    #[command(visible_alias = "account", alias = "users", alias = "accounts")]
    User(User),
    /// Set, remove and check passwords
    #[command(alias = "passwords", alias = "passwd")]
    Password(Password),
    /// Make and unmake administrators
    #[command(alias = "admins")]
    Admin(Admin),
    /// List and end sign-ins
    #[command(alias = "sessions")]
    Session(Session),
    /// App passwords, API keys, long-lived tokens
    #[command(alias = "tokens")]
    Token(Token),
    /// OAuth2 clients
    #[command(alias = "clients")]
    Client(Client),
    /// Second factors
    #[command(alias = "2fa", alias = "totp")]
    Mfa(Mfa),
    /// The record of sign-ins
    #[command(alias = "logins")]
    Login(Login),
    /// Addresses the app refuses
    #[command(alias = "bans")]
    Ban(Ban),
    /// Invitations to make an account
    #[command(alias = "invites")]
    Invite(Invite),
    /// Start over: the app asks for a first user again
    Onboarding(Onboarding),
    /// Find apps and see what is wrong with them
    #[command(alias = "apps")]
    App(App),
    /// What latchlift did
    History(History),
    /// Take a change back
    Undo(Undo),
    /// Finish a change that was interrupted
    Resume(Resume),
    /// Installed plugins
    #[command(alias = "plugins")]
    Plugin(Plugin),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
    /// Show what a command does, as its --help
    #[command(hide = true)]
    Help {
        /// The command's words
        words: Vec<String>,
    },
    /// Everything that keeps a person out, in one plan (a later release)
    #[command(hide = true)]
    Recover {
        /// The account
        user: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn each(command: &clap::Command, check: &mut dyn FnMut(&clap::Command)) {
        check(command);
        command.get_subcommands().for_each(|sub| each(sub, check));
    }

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_and_command_has_help() {
        each(&Cli::command(), &mut |command| {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for arg in command.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "{} {}", command.get_name(), arg.get_id());
                assert!(!help.ends_with('.'), "no full stop: {help}");
            }
        });
    }

    #[test]
    fn the_short_help_of_every_verb_fits_a_screen() {
        let mut root = Cli::command().term_width(100);
        // Only built commands have the flags of every command.
        root.build();
        for verb in root.get_subcommands_mut().flat_map(clap::Command::get_subcommands_mut) {
            let help = verb.render_help().to_string();
            assert!(help.lines().count() <= 40 && help.contains("--app"), "{help}");
            assert!(
                !help.contains("--plugin-dir") && verb.render_long_help().to_string().contains("--plugin-dir"),
                "{help}"
            );
        }
    }

    #[test]
    fn no_flag_takes_a_secret() {
        each(&Cli::command(), &mut |command| {
            for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
                let id = arg.get_id().as_str();
                let secret = ["password", "secret", "token"].iter().any(|word| id.contains(word));
                assert!(!secret || id.ends_with("_file"), "{} {id}", command.get_name());
            }
        });
    }
}
