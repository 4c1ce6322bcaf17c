//! Arguments that several commands share: which account, which rows, where a password comes from, what is safe.

use clap::Args;
use std::path::PathBuf;

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

/// Which account, where other arguments follow its name, or its id alone stands before them.
#[derive(Args, Clone, Debug, Default)]
pub struct Named {
    /// The account's sign-in name; left out where --id is given
    pub user: Option<String>,
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

/// Which sign-ins or tokens of a list, by their age.
#[derive(Args, Clone, Debug, Default)]
pub struct Aged {
    /// Only those that have ended already
    #[arg(long, help_heading = "Selecting")]
    pub expired: bool,
    /// Only those not used for so long: 90d, 12h, 2w, 1y
    #[arg(long, value_name = "TIME", value_parser = span, help_heading = "Selecting")]
    pub unused_for: Option<u64>,
}

/// A length of time as people write it, in seconds.
pub(super) fn span(text: &str) -> Result<u64, String> {
    crate::keys::seconds(text).ok_or_else(|| "a number and a unit, as in 90d, 12h, 2w, 1y".to_owned())
}

/// A number of rows, of which there is at least one.
fn rows(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|rows| *rows > 0).ok_or_else(|| "a whole number from 1".to_owned())
}

/// Which rows of a list.
#[derive(Args, Clone, Debug, Default)]
pub struct Listing {
    /// The most rows to give
    #[arg(long, value_name = "N", value_parser = rows, help_heading = "Output")]
    pub limit: Option<usize>,
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

/// Which of the listed things end.
#[derive(Args, Clone, Debug, Default)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true))]
pub struct Which {
    /// The account whose
    #[arg(group = "which")]
    pub user: Option<String>,
    /// This one, as listed; `-` reads it from standard input; repeatable
    #[arg(long, value_name = "ID", group = "which", help_heading = "Selecting")]
    pub id: Vec<String>,
    /// The account's id, where a name means several
    #[arg(long, value_name = "ID", group = "which", help_heading = "Selecting")]
    pub account_id: Option<String>,
    /// Who checks the account's password, where a name means several
    #[arg(long, value_name = "PROVIDER", help_heading = "Selecting")]
    pub provider: Option<String>,
    /// Everybody's
    #[arg(long, group = "which", conflicts_with_all = ["user", "id", "account_id"], help_heading = "Selecting")]
    pub all: bool,
    /// Those that have ended already
    #[arg(long, group = "which", help_heading = "Selecting")]
    pub expired: bool,
}
