//! A loaded plugin, as the commands use it.

use super::load::{self, Remote};
use super::services::{Outbox, Services, Sink};
use super::trust::Trust;
use super::{OLDEST_PROTOCOL, app_of, elf, library_name, refused};
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::abi::{Hello, PROTOCOL};
use latchlift_plugin_api::{self as api, Batch, Facts, Files, Located, Plan, Probe, Request, Settings};
use serde::{Serialize, de::DeserializeOwned};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

/// A plugin that was trusted, loaded and found to be the expected one.
pub struct Loaded {
    /// What it states about its app.
    pub facts: Facts,
    /// Its own version.
    pub version: String,
    /// The library, without symbolic links.
    pub path: PathBuf,
    remote: Remote,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Loaded({} {} from {})", self.facts.app, self.version, self.path.display())
    }
}

/// Loads the library `path` after all checks; `also` is one more owner to accept, `sidecar` the facts installed beside
/// it. The library must be for the app its name says.
pub(super) fn open(path: &Path, sidecar: Option<&Path>, trust: &Trust, also: Option<u32>) -> Result<Loaded> {
    let opened = trust.open(path, also)?;
    elf::check(&opened)?;
    let (loaded, stated) = greet(load::load(&opened)?, &opened.path)?;
    match app_of(path) {
        Some(app) if app == loaded.facts.app => {}
        _ => return Err(misnamed(path, &loaded.facts.app)),
    }
    if let Some(sidecar) = sidecar {
        let text = sidecar_text(sidecar, trust, also)?;
        // Almost always the library was built of this very text.
        if text != stated {
            agree(&loaded, sidecar, &understood(sidecar, &text)?)?;
        }
    }
    Ok(loaded)
}

/// The facts in a sidecar.
///
/// # Errors
/// It cannot be read or trusted, is not a `plugin.toml`, or is for another app than its name says.
pub(super) fn read_sidecar(path: &Path, trust: &Trust, also: Option<u32>) -> Result<Facts> {
    understood(path, &sidecar_text(path, trust, also)?)
}

fn sidecar_text(path: &Path, trust: &Trust, also: Option<u32>) -> Result<String> {
    let mut text = String::new();
    let mut file = trust.open(path, also)?.file;
    file.read_to_string(&mut text).map_err(|why| refused(path, format!("cannot be read: {why}")))?;
    Ok(text)
}

fn understood(path: &Path, text: &str) -> Result<Facts> {
    let facts = Facts::parse(text).map_err(|why| refused(path, format!("is not understood: {why}")))?;
    match app_of(path) {
        Some(app) if app == facts.app => Ok(facts),
        _ => Err(refused(path, format!("is for `{}`, not for the app its name says", facts.app))),
    }
}

/// Asks a plugin who it is. Gives its facts as it stated them, too.
fn greet(remote: Remote, path: &Path) -> Result<(Loaded, String)> {
    let services = Services::none();
    let hello: Hello =
        remote.call(&services, "hello", &()).map_err(|why| refused(path, format!("does not say what it is: {why}")))?;
    let (low, high) = (hello.protocol_min, hello.protocol_max);
    if low > PROTOCOL || high < OLDEST_PROTOCOL {
        let ours = between(OLDEST_PROTOCOL, PROTOCOL);
        let why = format!("speaks protocol {}; this latchlift needs {ours}", between(low, high));
        let newer = if low > PROTOCOL { "latchlift" } else { "plugin" };
        return Err(refused(path, why).help(format!("install a newer {newer} package")));
    }
    let facts =
        Facts::parse(&hello.facts).map_err(|why| refused(path, format!("has facts that make no sense: {why}")))?;
    Ok((Loaded { facts, version: hello.version, path: path.to_owned(), remote }, hello.facts))
}

fn between(low: u32, high: u32) -> String {
    if low == high { low.to_string() } else { format!("{low} to {high}") }
}

fn misnamed(path: &Path, app: &str) -> Error {
    refused(path, format!("is for `{app}`, not for the app its name says"))
        .help(format!("the file of this plugin must be called {}", library_name(app)))
}

/// The facts beside the library are what help and completions were made of; the library must not do otherwise.
fn agree(loaded: &Loaded, sidecar: &Path, facts: &Facts) -> Result<()> {
    if *facts == loaded.facts {
        return Ok(());
    }
    let why = format!("and {} do not state the same facts", sidecar.display());
    Err(refused(&loaded.path, why)
        .help("install the plugin's package again: the two files come from different versions"))
}

/// How many batches a plugin may be ahead of what takes them.
const BATCHES_AHEAD: usize = 8;

/// The stack a plugin gets: as much as a program's first thread.
const STACK: usize = 8 << 20;

impl Loaded {
    /// The stores that the app's own settings name.
    ///
    /// # Errors
    /// What the plugin says about the settings, or [`Kind::Plugin`] where it breaks the contract.
    pub fn locate(&self, settings: &Settings, files: &(dyn Files + Sync)) -> Result<Vec<Located>> {
        self.call(&Services::files(files), "locate", settings)
    }

    /// What a look at the store tells.
    ///
    /// # Errors
    /// [`Kind::UnknownSchema`] where the plugin does not know the layout, or as the store's reader.
    pub fn probe(&self, services: &Services<'_>) -> Result<Probe> {
        self.call(services, "probe", &())
    }

    /// Answers a verb that changes nothing, in batches to `take`; gives what to know about how the stores were opened.
    ///
    /// The plugin works in a thread of its own, so that one batch is printed while the next is made.
    ///
    /// # Errors
    /// What the plugin, the store or `take` says.
    pub fn read(&self, services: Services<'_>, request: Request, take: &mut Sink<'_>) -> Result<Vec<String>> {
        let (outbox, inbox) = sync_channel(BATCHES_AHEAD);
        let services = services.output(Outbox::Taken(outbox));
        std::thread::scope(|scope| {
            // Moves the services in, so that the inbox ends with the plugin's work.
            let work = move || self.call::<_, ()>(&services, "read", &request).map(|()| services.notices());
            let plugin = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            let plugin = plugin.map_err(|why| Error::new(Kind::Failed, format!("cannot start a thread: {why}")))?;
            // Where this fails, the inbox goes, and with it the plugin's next batch.
            let taken = inbox.into_iter().try_for_each(|batch| take(self.understood(&batch)?));
            let panicked = |_| Err(Error::new(Kind::Failed, "latchlift failed while the plugin worked"));
            let answered = plugin.join().unwrap_or_else(panicked);
            taken.and(answered)
        })
    }

    /// Answers a verb that reads one account: as [`Loaded::read`], for an answer too short to be worth a thread.
    ///
    /// # Errors
    /// As [`Loaded::read`].
    pub fn read_one(&self, services: Services<'_>, request: &Request, take: &mut Sink<'_>) -> Result<()> {
        let (outbox, inbox) = sync_channel(BATCHES_AHEAD);
        let services = services.output(Outbox::Kept(outbox));
        self.call::<_, ()>(&services, "read", request)?;
        inbox.try_iter().try_for_each(|batch| take(self.understood(&batch)?))
    }

    fn understood(&self, batch: &[u8]) -> Result<Batch> {
        Batch::decode(batch).map_err(|error| self.broken(error.into()))
    }

    /// Plans a verb that changes something. The plan has not been checked yet.
    ///
    /// # Errors
    /// What the plugin or the store says.
    pub fn plan(&self, services: &Services<'_>, request: &Request) -> Result<Plan> {
        self.call(services, "plan", request)
    }

    fn call<Q: Serialize, A: DeserializeOwned>(&self, services: &Services<'_>, method: &str, body: &Q) -> Result<A> {
        self.remote.call(services, method, body).map_err(|error| match error.kind {
            api::Kind::Contract => self.broken(services.blame(error)),
            _ => services.blame(error),
        })
    }

    /// A contract broken in a call: which plugin it was, and what to do about it.
    fn broken(&self, error: Error) -> Error {
        let Facts { app, .. } = &self.facts;
        match error.kind {
            Kind::Plugin => error
                .context(format!("plugin {app} {}", self.version))
                .help(format!("see which plugin this is with `latchlift plugin show {app}`")),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests;
