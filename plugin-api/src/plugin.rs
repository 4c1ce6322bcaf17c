//! What a plugin's author writes: one trait, and [`export_plugin!`](crate::export_plugin).

use crate::account::{Account, Batch, Client, Invite, Login, Session};
use crate::error::{Error, Result};
use crate::locate::{Files, Located};
use crate::password::Secrets;
use crate::plan::Plan;
use crate::reader::Reader;
use crate::request::{Request, Settings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a verb may use: the stores as they are, and the host's services around passwords.
pub struct Context<'a> {
    /// The instance's stores, read-only, in one snapshot.
    pub reader: &'a dyn Reader,
    /// Hashing and checking of the password the host holds.
    pub secrets: &'a dyn Secrets,
}

/// What a look at the store tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// The releases that write this layout: `1.59.0 to 1.60.x`, or what the store itself says.
    pub version: String,
    /// Verbs that the plugin has and this layout does not allow, with the reason.
    pub withdrawn: BTreeMap<String, String>,
}

/// Where a read verb puts its answer. Give large answers in batches of about a hundred, so that neither side holds all
/// of it twice.
pub trait Output {
    /// One batch of the answer.
    ///
    /// # Errors
    /// The host wants no more.
    fn emit(&mut self, batch: Batch) -> Result<()>;
}

/// An app, as latchlift sees it. Every method is a pure function of what it is given: no other I/O, no printing, no
/// clock, no randomness but the request's.
pub trait Plugin: Default + Send + Sync + 'static {
    /// The plugin's `plugin.toml`: `include_str!("../plugin.toml")`.
    const FACTS: &'static str;

    /// The stores that the app's own settings name, in the app's own precedence.
    ///
    /// # Errors
    /// The settings name no store, or one the app itself would not open.
    fn locate(&self, settings: &Settings, files: &dyn Files) -> Result<Vec<Located>>;

    /// Looks at the store's layout.
    ///
    /// # Errors
    /// [`Kind::UnknownSchema`](crate::Kind::UnknownSchema) where it is not one the plugin knows.
    fn probe(&self, reader: &dyn Reader) -> Result<Probe>;

    /// Answers a verb that changes nothing.
    ///
    /// # Errors
    /// See [`Kind`](crate::Kind). The default supports nothing.
    fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
        let _ = (context, output);
        Err(unknown_verb(request))
    }

    /// Plans a verb that changes something.
    ///
    /// # Errors
    /// See [`Kind`](crate::Kind). The default supports nothing.
    fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
        let _ = context;
        Err(unknown_verb(request))
    }
}

/// The answer to a verb the plugin has never heard of.
pub fn unknown_verb(request: &Request) -> Error {
    Error::unsupported(format!("this plugin does not know the verb `{}`", request.verb.as_str()))
}

/// Passes on only the sessions and clients a request names by their ids, for `session show` and `client show`. A session
/// whose id is the fingerprint of a secret is also named by that secret.
pub struct OnlyNamed<'a> {
    output: &'a mut dyn Output,
    ids: Vec<String>,
}

impl<'a> OnlyNamed<'a> {
    /// What of `output` the request names.
    pub fn new(output: &'a mut dyn Output, request: &Request) -> OnlyNamed<'a> {
        let prints = request.ids.iter().map(|id| crate::random::fingerprint(id));
        OnlyNamed { output, ids: request.ids.iter().cloned().chain(prints).collect() }
    }
}

impl Output for OnlyNamed<'_> {
    fn emit(&mut self, mut batch: Batch) -> Result<()> {
        let named = |id: &String| self.ids.contains(id);
        let left = match &mut batch {
            Batch::Sessions(rows) | Batch::Tokens(rows) => {
                rows.retain(|row| named(&row.id));
                rows.len()
            }
            Batch::Clients(rows) => {
                rows.retain(|row| named(&row.id));
                rows.len()
            }
            _ => 1,
        };
        if left == 0 { Ok(()) } else { self.output.emit(batch) }
    }
}

/// Collects the rows of a large answer into batches.
pub struct Batches<'a, T> {
    output: &'a mut dyn Output,
    wrap: fn(Vec<T>) -> Batch,
    rows: Vec<T>,
}

/// Rows per batch: few enough that a batch fits the processor's cache on its way through encoding and printing.
const BATCH: usize = 100;

impl<'a> Batches<'a, Account> {
    /// Batches of accounts.
    pub fn accounts(output: &'a mut dyn Output) -> Self {
        Batches { output, wrap: Batch::Accounts, rows: Vec::new() }
    }
}

impl<'a> Batches<'a, Session> {
    /// Batches of sessions.
    pub fn sessions(output: &'a mut dyn Output) -> Self {
        Batches { output, wrap: Batch::Sessions, rows: Vec::new() }
    }

    /// Batches of tokens.
    pub fn tokens(output: &'a mut dyn Output) -> Self {
        Batches { output, wrap: Batch::Tokens, rows: Vec::new() }
    }
}

impl<'a> Batches<'a, Client> {
    /// Batches of clients.
    pub fn clients(output: &'a mut dyn Output) -> Self {
        Batches { output, wrap: Batch::Clients, rows: Vec::new() }
    }
}

impl<'a> Batches<'a, Login> {
    /// Batches of sign-ins on record.
    pub fn logins(output: &'a mut dyn Output) -> Self {
        Batches { output, wrap: Batch::Logins, rows: Vec::new() }
    }
}

impl<'a> Batches<'a, Invite> {
    /// Batches of invitations.
    pub fn invites(output: &'a mut dyn Output) -> Self {
        Batches { output, wrap: Batch::Invites, rows: Vec::new() }
    }
}

impl<T> Batches<'_, T> {
    /// Adds a row.
    ///
    /// # Errors
    /// As [`Output::emit`].
    pub fn push(&mut self, row: T) -> Result<()> {
        self.rows.push(row);
        match self.rows.len() < BATCH {
            true => Ok(()),
            false => self.output.emit((self.wrap)(std::mem::replace(&mut self.rows, Vec::with_capacity(BATCH)))),
        }
    }

    /// Gives the rest.
    ///
    /// # Errors
    /// As [`Output::emit`].
    pub fn finish(self) -> Result<()> {
        self.output.emit((self.wrap)(self.rows))
    }
}
