//! The command line: noun, verb, account.
//!
//! Everything typed is data here; what it means is in `commands`. Help, man page and completions come from these
//! definitions, so every argument has its one line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

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
    /// Everything that keeps a person out, in one plan (a later release)
    #[command(hide = true)]
    Recover {
        /// The account
        user: Option<String>,
    },
}

/// Which account.
#[derive(Args, Clone, Debug, Default)]
#[command(group = clap::ArgGroup::new("account").required(true).multiple(true))]
pub struct Target {
    /// The account's sign-in name
    #[arg(group = "account")]
    pub user: Option<String>,
    /// The app's own id of the account, where a name means several
    #[arg(long, value_name = "ID", group = "account", help_heading = "Selecting")]
    pub id: Option<String>,
    /// Who checks the password, where a name means several
    #[arg(long, value_name = "PROVIDER", help_heading = "Selecting")]
    pub provider: Option<String>,
}

/// Which account, where other arguments follow its name.
#[derive(Args, Clone, Debug, Default)]
pub struct Named {
    /// The account's sign-in name
    pub user: String,
    /// The app's own id of the account, where a name means several
    #[arg(long, value_name = "ID", help_heading = "Selecting")]
    pub id: Option<String>,
    /// Who checks the password, where a name means several
    #[arg(long, value_name = "PROVIDER", help_heading = "Selecting")]
    pub provider: Option<String>,
}

/// Whose rows of a list; everybody's if none is named.
#[derive(Args, Clone, Debug, Default)]
pub struct OfAccount {
    /// Only this account's
    pub user: Option<String>,
    /// Only the account's of this id, where a name means several
    #[arg(long, value_name = "ID", help_heading = "Selecting")]
    pub id: Option<String>,
    /// Who checks the account's password, where a name means several
    #[arg(long, value_name = "PROVIDER", requires = "user", help_heading = "Selecting")]
    pub provider: Option<String>,
}

/// Flags of commands that change something.
#[derive(Args, Clone, Debug, Default)]
pub struct Write {
    /// Show the plan and change nothing
    #[arg(short = 'n', long, help_heading = "Safety")]
    pub dry_run: bool,
    /// Apply without asking
    #[arg(short, long, help_heading = "Safety")]
    pub yes: bool,
    /// Write although the app seems to run
    #[arg(long, help_heading = "Safety")]
    pub allow_running: bool,
}

/// What else a change includes.
#[derive(Args, Clone, Debug, Default)]
pub struct Including {
    /// End API keys, app passwords and long-lived tokens too
    #[arg(long)]
    pub tokens: bool,
    /// Leave sign-ins alone
    #[arg(long)]
    pub keep_sessions: bool,
    /// Turn an account of another provider into one with a local password
    #[arg(long)]
    pub convert: bool,
    /// Mend the account's name in the same plan
    #[arg(long)]
    pub fix_name: bool,
}

/// Where a new password comes from.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub struct NewPassword {
    /// Read the password from standard input
    #[arg(long, help_heading = "Password")]
    pub password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "FILE", help_heading = "Password")]
    pub password_file: Option<PathBuf>,
    /// Make a password and print it, alone, on standard output
    #[arg(long, help_heading = "Password")]
    pub generate: bool,
}

/// Where a password to check comes from.
#[derive(Args, Clone, Debug, Default)]
#[group(multiple = false)]
pub struct OldPassword {
    /// Read the password from standard input
    #[arg(long, help_heading = "Password")]
    pub password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "FILE", help_heading = "Password")]
    pub password_file: Option<PathBuf>,
}

/// Which rows of a list.
#[derive(Args, Clone, Debug, Default)]
pub struct Listing {
    /// The most rows to give
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub limit: Option<usize>,
}

/// `user`
#[derive(Args, Debug)]
pub struct User {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<UserVerb>,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// List accounts and whether they can sign in
    #[command(alias = "ls")]
    List {
        /// Only accounts whose name, e-mail, display name or id contains this
        search: Option<String>,
        /// Include deleted accounts
        #[arg(long)]
        deleted: bool,
        /// Include the app's own accounts
        #[arg(long)]
        system: bool,
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show an account, and why it cannot sign in
    Show {
        /// Which account.
        #[command(flatten)]
        target: Target,
        /// Show secrets that would let a person in
        #[arg(long, help_heading = "Output")]
        show_secrets: bool,
    },
    /// Add an account
    Add {
        /// The new account's sign-in name
        name: String,
        /// key=value pairs: email=, display-name=, role=, admin=, login=, expires=, and the app's own
        #[arg(value_name = "KEY=VALUE")]
        keys: Vec<String>,
        /// Its password.
        #[command(flatten)]
        password: NewPassword,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Change an account's properties
    #[command(alias = "mod")]
    Set {
        /// Which account.
        #[command(flatten)]
        account: Named,
        /// key=value pairs: email=, display-name=, role=, admin=, login=, expires=, and the app's own
        #[arg(value_name = "KEY=VALUE", required = true)]
        keys: Vec<String>,
        /// Take the last usable administrator's rights
        #[arg(long, help_heading = "Safety")]
        allow_last_admin: bool,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Give an account another sign-in name
    Rename {
        /// Which account.
        #[command(flatten)]
        account: Named,
        /// The new sign-in name
        new: String,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Remove an account
    #[command(alias = "rm", alias = "delete")]
    Remove(OnAdmin),
    /// Bring a deleted account back
    Restore(OnAccount),
    /// Remove every trace of an account
    Purge(OnAdmin),
    /// Mend names that keep people from signing in
    FixNames {
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
}

/// A change of one account.
#[derive(Args, Clone, Debug, Default)]
pub struct OnAccount {
    /// Which account.
    #[command(flatten)]
    pub target: Target,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// A change of one account that may take the last administrator away.
#[derive(Args, Clone, Debug, Default)]
pub struct OnAdmin {
    /// Which account.
    #[command(flatten)]
    pub target: Target,
    /// Take the last usable administrator's rights or account
    #[arg(long, help_heading = "Safety")]
    pub allow_last_admin: bool,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `password`
#[derive(Args, Debug)]
pub struct Password {
    /// The verb.
    #[command(subcommand)]
    pub verb: PasswordVerb,
}

/// What to do with passwords.
#[derive(Debug, Subcommand)]
pub enum PasswordVerb {
    /// Set a new password and sign the account out everywhere
    #[command(alias = "set")]
    Reset {
        /// Which account.
        #[command(flatten)]
        target: Target,
        /// The new password.
        #[command(flatten)]
        password: NewPassword,
        /// What else.
        #[command(flatten)]
        including: Including,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Remove the password, so that it no longer signs in
    #[command(alias = "rm")]
    Remove(OnAccount),
    /// Say whether a name and password would get in, as the app's own login would
    Check {
        /// Which account.
        #[command(flatten)]
        target: Target,
        /// The password.
        #[command(flatten)]
        password: OldPassword,
    },
}

/// `admin`
#[derive(Args, Debug)]
pub struct Admin {
    /// The verb.
    #[command(subcommand)]
    pub verb: AdminVerb,
}

/// What to do with administrators.
#[derive(Debug, Subcommand)]
pub enum AdminVerb {
    /// Make a working administrator where none can sign in
    Recreate {
        /// The administrator's sign-in name
        name: String,
        /// The app's own id of an account that is to have this name, where one is there without
        #[arg(long, value_name = "ID", help_heading = "Selecting")]
        id: Option<String>,
        /// Make it the owner too, where the app has one
        #[arg(long)]
        owner: bool,
        /// Its password.
        #[command(flatten)]
        password: NewPassword,
        /// Make it although an administrator can sign in
        #[arg(long, help_heading = "Safety")]
        allow_existing_admin: bool,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Make an account an administrator
    Grant {
        /// Which account.
        #[command(flatten)]
        target: Target,
        /// Make it the owner too, where the app has one
        #[arg(long)]
        owner: bool,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Take an account's administrator rights
    Revoke(OnAdmin),
}

/// `session`
#[derive(Args, Debug)]
pub struct Session {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<SessionVerb>,
}

/// What to do with sign-ins.
#[derive(Debug, Subcommand)]
pub enum SessionVerb {
    /// List where accounts are signed in
    #[command(alias = "ls")]
    List {
        /// Whose.
        #[command(flatten)]
        account: OfAccount,
        /// Include the app's own
        #[arg(long)]
        system: bool,
        /// Only those that have ended already
        #[arg(long)]
        expired: bool,
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one sign-in
    Show {
        /// Its id, as listed
        id: String,
    },
    /// End sign-ins
    #[command(alias = "rm")]
    Revoke(RevokeSessions),
}

/// Which of the listed things end.
#[derive(Args, Clone, Debug, Default)]
#[group(required = true, multiple = true)]
pub struct Which {
    /// The account whose
    pub user: Option<String>,
    /// This one, as listed; repeatable
    #[arg(long, value_name = "ID", help_heading = "Selecting")]
    pub id: Vec<String>,
    /// Everybody's
    #[arg(long, help_heading = "Selecting")]
    pub all: bool,
    /// Those that have ended already
    #[arg(long, help_heading = "Selecting")]
    pub expired: bool,
}

/// `session revoke`
#[derive(Args, Clone, Debug, Default)]
pub struct RevokeSessions {
    /// Which.
    #[command(flatten)]
    pub which: Which,
    /// Who checks the account's password, where a name means several
    #[arg(long, value_name = "PROVIDER", help_heading = "Selecting")]
    pub provider: Option<String>,
    /// End API keys, app passwords and long-lived tokens too
    #[arg(long)]
    pub tokens: bool,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `token revoke`
#[derive(Args, Clone, Debug, Default)]
pub struct RevokeTokens {
    /// Which.
    #[command(flatten)]
    pub which: Which,
    /// Who checks the account's password, where a name means several
    #[arg(long, value_name = "PROVIDER", help_heading = "Selecting")]
    pub provider: Option<String>,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `invite revoke`
#[derive(Args, Clone, Debug, Default)]
pub struct RevokeInvites {
    /// Which.
    #[command(flatten)]
    pub which: Which,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `token`
#[derive(Args, Debug)]
pub struct Token {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<TokenVerb>,
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// List app passwords, API keys and long-lived tokens
    #[command(alias = "ls")]
    List {
        /// Whose.
        #[command(flatten)]
        account: OfAccount,
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Make a token and print it once
    #[command(alias = "add")]
    Issue {
        /// Which account.
        #[command(flatten)]
        account: Named,
        /// key=value pairs: name=, scope=, expires=, and the app's own
        #[arg(value_name = "KEY=VALUE")]
        keys: Vec<String>,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// End tokens
    #[command(alias = "rm")]
    Revoke(RevokeTokens),
}

/// `client`
#[derive(Args, Debug)]
pub struct Client {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<ClientVerb>,
}

/// What to do with OAuth2 clients.
#[derive(Debug, Subcommand)]
pub enum ClientVerb {
    /// List clients
    #[command(alias = "ls")]
    List {
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Add a client and print its secret once
    Add {
        /// The new client's name
        name: String,
        /// key=value pairs: role=, scope=, expires=, and the app's own
        #[arg(value_name = "KEY=VALUE")]
        keys: Vec<String>,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Show a client
    Show {
        /// Its id, as listed
        id: String,
    },
    /// Change a client's properties
    #[command(alias = "mod")]
    Set {
        /// Its id, as listed
        id: String,
        /// key=value pairs
        #[arg(value_name = "KEY=VALUE", required = true)]
        keys: Vec<String>,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
    /// Remove a client
    #[command(alias = "rm")]
    Remove {
        /// Its id, as listed
        id: String,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
}

/// `mfa`
#[derive(Args, Debug)]
pub struct Mfa {
    /// The verb; `status` if none.
    #[command(subcommand)]
    pub verb: Option<MfaVerb>,
}

/// What to do with second factors.
#[derive(Debug, Subcommand)]
pub enum MfaVerb {
    /// Say who has which second factor
    #[command(alias = "list", alias = "ls")]
    Status {
        /// Whose.
        #[command(flatten)]
        account: OfAccount,
        /// Show secrets that would let a person in
        #[arg(long, help_heading = "Output")]
        show_secrets: bool,
    },
    /// Take an account's second factors away
    #[command(alias = "remove", alias = "rm")]
    Disable(OnAccount),
}

/// `login`
#[derive(Args, Debug)]
pub struct Login {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<LoginVerb>,
}

/// What to do with the record of sign-ins.
#[derive(Debug, Subcommand)]
pub enum LoginVerb {
    /// List attempts to sign in
    #[command(alias = "ls")]
    List {
        /// Whose.
        #[command(flatten)]
        account: OfAccount,
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Empty the record
    Clear {
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
}

/// `ban`
#[derive(Args, Debug)]
pub struct Ban {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<BanVerb>,
}

/// What to do with bans.
#[derive(Debug, Subcommand)]
pub enum BanVerb {
    /// List refused addresses
    #[command(alias = "ls")]
    List {
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Let addresses in again
    Clear {
        /// The addresses
        #[arg(value_name = "ADDRESS", required_unless_present = "all")]
        addresses: Vec<String>,
        /// All of them
        #[arg(long)]
        all: bool,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
}

/// `invite`
#[derive(Args, Debug)]
pub struct Invite {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<InviteVerb>,
}

/// What to do with invitations.
#[derive(Debug, Subcommand)]
pub enum InviteVerb {
    /// List invitations
    #[command(alias = "ls")]
    List {
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Take invitations back
    #[command(alias = "rm")]
    Revoke(RevokeInvites),
}

/// `onboarding`
#[derive(Args, Debug)]
pub struct Onboarding {
    /// The verb.
    #[command(subcommand)]
    pub verb: OnboardingVerb,
}

/// What to do with onboarding.
#[derive(Debug, Subcommand)]
pub enum OnboardingVerb {
    /// Remove all accounts; the app asks for a first user again
    #[command(alias = "reset")]
    Restart {
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
}

/// `app`
#[derive(Args, Debug)]
pub struct App {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<AppVerb>,
}

/// What to do with apps.
#[derive(Debug, Subcommand)]
pub enum AppVerb {
    /// List the instances and what they hold
    #[command(alias = "ls")]
    List,
    /// Look for what is wrong
    #[command(alias = "doctor")]
    Check,
}

/// `history`
#[derive(Args, Debug)]
pub struct History {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<HistoryVerb>,
}

/// What to do with the journal.
#[derive(Debug, Subcommand)]
pub enum HistoryVerb {
    /// List what was done, newest first
    #[command(alias = "ls")]
    List {
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one entry
    Show {
        /// The entry, or the first digits of it
        entry: String,
    },
}

/// `undo`
#[derive(Args, Clone, Debug, Default)]
pub struct Undo {
    /// The entry, or the first digits of it; the newest that can be taken back if none
    pub entry: Option<String>,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `resume`
#[derive(Args, Clone, Debug, Default)]
pub struct Resume {
    /// The entry, or the first digits of it; the newest unfinished one if none
    pub entry: Option<String>,
    /// Close the entry instead; what is written of it stays
    #[arg(long)]
    pub abandon: bool,
    /// Safety.
    #[command(flatten)]
    pub write: Write,
}

/// `plugin`
#[derive(Args, Debug)]
pub struct Plugin {
    /// The verb; `list` if none.
    #[command(subcommand)]
    pub verb: Option<PluginVerb>,
}

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub enum PluginVerb {
    /// List installed plugins
    #[command(alias = "ls")]
    List,
    /// Show what a plugin can do
    Show {
        /// The plugin
        plugin: String,
    },
    /// Say whether a plugin file would be loaded
    Check {
        /// The library
        file: PathBuf,
    },
    /// Print the version of the plugin contract, for packagers
    Abi,
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
