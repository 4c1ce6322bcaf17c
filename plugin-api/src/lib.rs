//! The contract between latchlift and its plugins.
//!
//! A plugin knows one app. It never writes: it gets a read-only [`Reader`] and a [`Request`] and returns data, either a
//! [`Batch`] of accounts, sessions or findings, or a [`Plan`]: records before and after. The host shows the plan, applies
//! it in one transaction, keeps a journal and can undo it; none of that is the plugin's work.
//!
//! A plugin is a `cdylib` named `liblatchlift_<app>.so` with a `plugin.toml` (see [`Facts`]). This is a whole one:
//!
//! ```
//! use latchlift_plugin_api::*;
//!
//! const FACTS: &str = r#"
//! app = "guestbook"
//! title = "Guestbook"
//! stores = ["sqlite"]
//! versions = "2.0 to 2.4"
//! candidates = ["guestbook.db"]
//! password = { min_chars = 8, max_bytes = 72 }
//!
//! [[collection]]
//! name = "people"
//! key = ["id"]
//! secret = ["hash"]
//! label = "person"
//!
//! [verbs]
//! "user.list" = { support = "full" }
//! "password.reset" = { support = "full" }
//! "mfa.status" = { support = "none", reason = "Guestbook has no second factor" }
//! "#;
//!
//! #[derive(Default)]
//! struct Guestbook;
//!
//! impl Plugin for Guestbook {
//!     const FACTS: &'static str = FACTS;
//!
//!     fn locate(&self, settings: &Settings, _: &dyn Files) -> Result<Vec<Located>> {
//!         let path = settings.env("GUESTBOOK_DB").unwrap_or("/var/lib/guestbook/guestbook.db").to_owned();
//!         Ok(vec![Located { store: String::new(), location: Location::Sqlite { path } }])
//!     }
//!
//!     fn probe(&self, reader: &dyn Reader) -> Result<Probe> {
//!         let columns = reader.column_names("people")?;
//!         match ["id", "name", "hash"].iter().all(|name| columns.iter().any(|column| column == name)) {
//!             true => Ok(Probe { version: "2.0 or newer".into(), ..Probe::default() }),
//!             false => Err(Error::unknown_schema("there is no table `people` with id, name and hash")),
//!         }
//!     }
//!
//!     fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
//!         match request.verb.as_str() {
//!             "user.list" => list(context.reader, output),
//!             _ => Err(unknown_verb(request)),
//!         }
//!     }
//!
//!     fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
//!         match request.verb.as_str() {
//!             "password.reset" => reset(context, request),
//!             _ => Err(unknown_verb(request)),
//!         }
//!     }
//! }
//!
//! fn list(reader: &dyn Reader, output: &mut dyn Output) -> Result<()> {
//!     let mut accounts = Batches::accounts(output);
//!     reader.each(Select::from("people", ["id", "name", "hash"]).order(["id"]), |row| {
//!         let mut account = Account { id: row.text("id").unwrap_or_default(), ..Account::default() };
//!         account.name = row.text("name").into();
//!         account.has_password = row.str("hash").is_some().into();
//!         account.can_sign_in = row.str("hash").is_some().into();
//!         accounts.push(account)
//!     })?;
//!     accounts.finish()
//! }
//!
//! fn reset(context: &Context<'_>, request: &Request) -> Result<Plan> {
//!     let name = &request.target()?.name;
//!     let query = Select::from("people", ["id", "hash"]).filter(Filter::eq("name", name));
//!     let person = context.reader.first(query)?.ok_or_else(|| Error::no_account(name))?;
//!     let hash = Bcrypt::hash(context.secrets, request.password()?, "2b", 12)?;
//!     let (id, before) = (person.text("id").unwrap_or_default(), person.get("hash").cloned().unwrap_or_default());
//!     let key = Record::new().with("id", person.get("id").cloned().unwrap_or_default());
//!     let change = update("people", key, [("hash", before, Value::Text(hash))]);
//!     Ok(Plan::new(format!("Set a new password for {name}")).for_sign_in(id, name).step(change.into_iter().collect()))
//! }
//!
//! export_plugin!(Guestbook);
//! ```
//!
//! The library is not a sandbox: it runs in the host's process with the host's rights. It must not print, and must not
//! write anything itself.

pub mod abi;
pub mod account;
pub mod error;
pub mod facts;
pub mod locate;
mod packed;
pub mod password;
pub mod plan;
pub mod plugin;
pub mod random;
pub mod reader;
pub mod request;
pub mod time;
pub mod totp;
pub mod value;

pub use account::{
    Account, Ban, Batch, Check, Client, Finding, Invite, Known, Login, Mfa, Reason, Session, Severity, Verdict, reason,
};
pub use error::{Candidate, Error, Kind, Result};
pub use facts::{Facts, Level, Support};
pub use locate::{Files, Located, Location, Server};
pub use password::{Bcrypt, Derived, Handle, Kdf, Phc, Secrets};
pub use plan::{Change, Key, Plan, Reveal, Step, delete, insert, purge, update};
pub use plugin::{Batches, Context, OnlyNamed, Output, Plugin, Probe, unknown_verb};
pub use random::{Random, fingerprint, hex, sha256};
pub use reader::{Column, Count, CountBytes, File, Filter, Page, PageBytes, Reader, SAME, Select, StoreKind};
pub use request::{Options, Request, Settings, SettingsFile, Target, Verb};
pub use time::Time;
pub use totp::totp;
pub use value::{Cell, Record, Value};
