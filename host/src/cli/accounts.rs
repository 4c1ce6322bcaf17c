//! The nouns about people: accounts, their passwords, their rights, their second factors.

use super::args::{Including, Listing, Named, NewPassword, OfAccount, OldPassword, OnAccount, OnAdmin, Target, Write};
use clap::{Args, Subcommand};

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
        /// Only accounts whose name, e-mail or display name contains this, or whose id it is
        search: Option<String>,
        /// Include deleted accounts
        #[arg(long)]
        deleted: bool,
        /// Include the app's own accounts
        #[arg(long)]
        system: bool,
        /// The accounts of an older layout instead, which the app no longer signs in
        #[arg(long)]
        legacy: bool,
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
        /// Give it no password, where another system checks it or it is set later
        #[arg(long, conflicts_with = "NewPassword", help_heading = "Password")]
        no_password: bool,
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
        #[arg(value_name = "KEY=VALUE")]
        keys: Vec<String>,
        /// End API keys, app passwords and long-lived tokens too
        #[arg(long)]
        tokens: bool,
        /// Leave sign-ins alone
        #[arg(long)]
        keep_sessions: bool,
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
        new: Option<String>,
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
        /// Only this account's; everybody's if none
        user: Option<String>,
        /// Only the name of the account with this id
        #[arg(long, value_name = "ID", help_heading = "Selecting")]
        id: Option<String>,
        /// Where several would have one name, the account of this id keeps it and the others get a free one
        #[arg(long, value_name = "ID", help_heading = "Selecting")]
        keep: Option<String>,
        /// Safety.
        #[command(flatten)]
        write: Write,
    },
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
    Remove {
        /// End API keys, app passwords and long-lived tokens too
        #[arg(long)]
        tokens: bool,
        /// Which account.
        #[command(flatten)]
        on: OnAdmin,
    },
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
    /// Make an account, or everybody in a group, administrators
    Grant {
        /// Which account.
        #[command(flatten)]
        target: Target,
        /// Give the right to this group, made if there is none: one that an identity provider sends
        #[arg(long, value_name = "NAME", group = "account")]
        group: Option<String>,
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
