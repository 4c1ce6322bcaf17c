//! The nouns about what is let in: sign-ins, tokens, clients, their record, bans, invitations.

use super::args::{Aged, Listing, Named, OfAccount, Which, Write, span};
use clap::{Args, Subcommand};

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
        /// How old.
        #[command(flatten)]
        aged: Aged,
        /// Which rows.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one sign-in
    Show {
        /// Its id, as listed; `-` reads it, or the token itself, from standard input
        id: String,
    },
    /// End sign-ins
    #[command(alias = "rm")]
    Revoke(RevokeSessions),
}

/// `session revoke`
#[derive(Args, Clone, Debug, Default)]
pub struct RevokeSessions {
    /// Which.
    #[command(flatten)]
    pub which: Which,
    /// Those not used for so long: 90d, 12h, 2w, 1y
    #[arg(long, value_name = "TIME", value_parser = span, group = "which", help_heading = "Selecting")]
    pub unused_for: Option<u64>,
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
    /// Those not used for so long: 90d, 12h, 2w, 1y
    #[arg(long, value_name = "TIME", value_parser = span, group = "which", help_heading = "Selecting")]
    pub unused_for: Option<u64>,
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
        /// How old.
        #[command(flatten)]
        aged: Aged,
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
