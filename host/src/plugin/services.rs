//! The host's side of a plugin's call: what a plugin may ask for, and where it gets it.
//!
//! A plugin's errors travel as text and a few kinds; the host knows more (that the store is locked, and by whom). So the
//! last failure of the host is remembered here, and preferred when the plugin passes it on.

use crate::error::{Error, Kind, Result};
use crate::store::{Ahead, StoreReader};
use latchlift_plugin_api::abi::{Answer, answer, decode};
use latchlift_plugin_api::{self as api, Batch, Derived, Files, Filter, Handle, Kdf, Secrets, Select, StoreKind};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use std::sync::mpsc::SyncSender;

/// What takes the batches of a read verb. An error stops the plugin's work.
pub type Sink<'a> = dyn FnMut(Batch) -> Result<()> + 'a;

/// Where the plugin puts the batches of a read verb, as the bytes they travel in.
pub(super) enum Outbox {
    /// Another thread takes them; the plugin waits where it is too far ahead.
    Taken(SyncSender<Vec<u8>>),
    /// They are kept until the plugin is done, which may not be many.
    Kept(SyncSender<Vec<u8>>),
}

impl Outbox {
    fn put(&self, batch: Vec<u8>) -> Result<()> {
        match self {
            Outbox::Taken(outbox) => {
                outbox.send(batch).map_err(|_| Error::new(Kind::Failed, "nobody wants the rest of the answer"))
            }
            Outbox::Kept(outbox) => outbox.try_send(batch).map_err(|_| broken("gave far more than was asked for")),
        }
    }
}

/// What a plugin may use during one call. Dropping it closes the readers, which must happen before a plan is shown.
pub struct Services<'a> {
    stores: RefCell<Vec<OpenStore>>,
    secrets: &'a (dyn Secrets + Sync),
    files: &'a (dyn Files + Sync),
    output: Option<Outbox>,
    last: RefCell<Option<Error>>,
}

struct OpenStore {
    name: String,
    kind: StoreKind,
    reader: Ahead,
}

impl Services<'static> {
    /// No services at all: for questions about the plugin itself.
    pub fn none() -> Services<'static> {
        Services::new(&Nothing, &Nothing)
    }
}

impl<'a> Services<'a> {
    /// The services without any store.
    pub fn new(secrets: &'a (dyn Secrets + Sync), files: &'a (dyn Files + Sync)) -> Services<'a> {
        Services { stores: RefCell::default(), secrets, files, output: None, last: RefCell::default() }
    }

    /// Only the files that settings may name: for locating the stores.
    pub fn files(files: &'a (dyn Files + Sync)) -> Services<'a> {
        Services::new(&Nothing, files)
    }

    /// The services with one more open store; the first is also the one without a name.
    #[must_use]
    pub fn store(self, name: impl Into<String>, kind: StoreKind, reader: Box<dyn StoreReader>) -> Services<'a> {
        let reader = Ahead::new(reader);
        self.stores.borrow_mut().push(OpenStore { name: name.into(), kind, reader });
        self
    }

    /// The services with a place for the answers of a read verb.
    #[must_use]
    pub(super) fn output(self, outbox: Outbox) -> Services<'a> {
        Services { output: Some(outbox), ..self }
    }

    /// What a person should know about how the stores were opened.
    pub fn notices(&self) -> Vec<String> {
        self.stores.borrow().iter().filter_map(|store| store.reader.notice()).collect()
    }

    /// The failure to report for what a plugin answered: the host's own, where the plugin only passed it on.
    pub fn blame(&self, error: api::Error) -> Error {
        match self.last.borrow_mut().take() {
            Some(own) if error.message.ends_with(&own.message) => {
                let api::Error { message, help, candidates, .. } = error;
                Error { message, help: own.help.or(help), candidates, ..own }
            }
            _ => error.into(),
        }
    }

    /// Answers one of the plugin's questions.
    pub(super) fn call(&self, method: &str, body: &[u8]) -> Answer {
        match method {
            "kind" => self.give(body, |store: String| self.with(&store, |store| Ok(store.kind))),
            "select" => self.give_bytes(body, |query: Select| {
                self.with(&query.store, |store| Ok(store.reader.page(&query)?.bytes))
            }),
            "count_by" => {
                self.give_bytes(body, |(store, collection, field, filter): (String, String, String, Filter)| {
                    self.with(&store, |store| store.reader.reader()?.count_bytes(&collection, &field, &filter))
                })
            }
            "columns" => self.give(body, |(store, collection): (String, String)| {
                self.with(&store, |store| store.reader.reader()?.columns(&collection))
            }),
            "document" => self.give(body, |(store, name): (String, String)| {
                self.with(&store, |store| store.reader.reader()?.document(&name))
            }),
            "digest" => self.give(body, |(store, name): (String, String)| {
                self.with(&store, |store| store.reader.reader()?.digest(&name))
            }),
            "files" => self.give(body, |(store, glob): (String, String)| {
                self.with(&store, |store| store.reader.reader()?.files(&glob))
            }),
            "lines" => self.give(body, |(store, file, text): (String, String, String)| {
                self.with(&store, |store| store.reader.reader()?.lines(&file, &text))
            }),
            "derive" => self.give(body, |(password, kdf): (Handle, Kdf)| Ok(self.secrets.derive(password, &kdf)?)),
            "verify" => self.give(body, |(password, kdf, stored): (Handle, Kdf, Derived)| {
                Ok(self.secrets.verify(password, &kdf, &stored.salt, &stored.digest)?)
            }),
            "emit" => answer(self.emit(body).map_err(|error| self.remembered(error))),
            "text" => self.give(body, |path: String| Ok(self.files.text(&path)?)),
            _ => answer::<()>(Err(api::Error::unsupported(format!("this latchlift has no service `{method}`")))),
        }
    }

    fn give<Q: DeserializeOwned, A: Serialize>(&self, body: &[u8], run: impl FnOnce(Q) -> Result<A>) -> Answer {
        answer(decode(body).map_err(Error::from).and_then(run).map_err(|error| self.remembered(error)))
    }

    /// As `give`, for an answer that is encoded already.
    fn give_bytes<Q: DeserializeOwned>(&self, body: &[u8], run: impl FnOnce(Q) -> Result<Vec<u8>>) -> Answer {
        match decode(body).map_err(Error::from).and_then(run) {
            Ok(bytes) => Answer::ROk(bytes.into()),
            Err(error) => answer::<()>(Err(self.remembered(error))),
        }
    }

    fn remembered(&self, error: Error) -> api::Error {
        self.last.replace(Some(error.clone()));
        error.into()
    }

    fn with<T>(&self, name: &str, run: impl FnOnce(&mut OpenStore) -> Result<T>) -> Result<T> {
        let mut stores = self.stores.borrow_mut();
        let named = stores.iter().position(|store| store.name == name);
        let first = (name.is_empty() && !stores.is_empty()).then_some(0);
        match named.or(first) {
            Some(at) => run(&mut stores[at]),
            None if name.is_empty() => Err(broken("asked for a store where it has none")),
            None => Err(broken(format!("asked for the store `{name}`, which it did not locate"))),
        }
    }

    /// Passes a batch on.
    fn emit(&self, batch: &[u8]) -> Result<()> {
        let outbox = self.output.as_ref().ok_or_else(|| broken("gave an answer that nobody asked for"))?;
        outbox.put(batch.to_vec())
    }
}

fn broken(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Plugin, format!("the plugin {what}"))
}

/// Stands where a call has no passwords or files.
struct Nothing;

impl Secrets for Nothing {
    fn derive(&self, _: Handle, _: &Kdf) -> api::Result<Derived> {
        Err(broken("asked for a password where there is none").into())
    }

    fn verify(&self, _: Handle, _: &Kdf, _: &[u8], _: &[u8]) -> api::Result<bool> {
        Err(broken("asked for a password where there is none").into())
    }
}

impl Files for Nothing {
    fn text(&self, path: &str) -> api::Result<Option<String>> {
        Err(broken(format!("asked for the file {path}, but only locating a store may read files")).into())
    }
}

#[cfg(test)]
mod tests;
