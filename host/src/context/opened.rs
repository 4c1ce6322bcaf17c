//! An instance opened for use: its plugin loaded, its stores located.

use super::stores::{place, same_place};
use super::{Instance, Run};
use crate::apply::Stores;
use crate::error::{Error, Kind, Result};
use crate::instance;
use crate::journal::{Begun, Entry, StoreRecord};
use crate::kdf::Vault;
use crate::plugin::{Loaded, Services, Sink};
use crate::settings::{self, MappedFiles};
use crate::store::StoreReader;
use crate::ui::pasted;
use latchlift_plugin_api::{
    Batch, Facts, Level, Located, Location, Plan, Reason, Request, Server, Settings, StoreKind,
};

/// An instance with its plugin loaded and its stores located. Between two uses of a store no lock is held.
pub struct Opened {
    name: String,
    pub(super) argument: String,
    /// See [`Instance::flags`].
    flags: Vec<String>,
    loaded: Loaded,
    settings: Settings,
    files: MappedFiles,
    located: Vec<Located>,
    pub(super) stores: Stores,
}

impl Opened {
    /// Loads the plugin and locates the stores.
    ///
    /// # Errors
    /// The plugin is refused, the settings cannot be read, the location makes no sense.
    pub fn open(run: &Run, instance: &Instance) -> Result<Opened> {
        let found = instance.found.clone()?;
        let mut loaded = run.registry.load(&found.plugin)?;
        run.ui.detail(format!("plugin: {} {} from {}", found.plugin, loaded.version, loaded.path.display()));
        let files = found.files();
        let settings = Settings(found.settings.iter().map(|path| settings::read(path)).collect::<Result<Vec<_>>>()?);
        if let Some(chars) = settings::min_chars(&loaded.facts.password, &settings) {
            loaded.facts.password.min_chars = chars;
        }
        let mut located = locate(&found, &loaded, &settings, &files)?;
        let mut stores = Stores::new();
        for Located { store, location } in &mut located {
            let shown = place(location);
            if let Location::Mysql(server) | Location::Postgres(server) = location {
                server.password = run.store_password(server, found.password_file.as_deref(), &shown)?;
            }
            stores.push((store.clone(), run.store(location, &loaded.facts)?));
            run.ui.detail(format!("store: {shown}"));
        }
        Ok(Opened {
            name: instance.name.clone(),
            argument: instance.argument.clone(),
            flags: instance.flags(&run.global),
            loaded,
            settings,
            files,
            located,
            stores,
        })
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to type after `--app` to mean it.
    pub fn argument(&self) -> &str {
        &self.argument
    }

    /// See [`Instance::flags`].
    pub fn flags(&self) -> &[String] {
        &self.flags
    }

    /// What a command needs to come back to the place of a journal entry. The journal knows all of it but a server's
    /// password.
    pub fn flags_to_return(&self) -> &[String] {
        match self.server_password().is_some() && self.flags.len() > 2 {
            true => &self.flags,
            false => &[],
        }
    }

    /// What the plugin states about its app.
    pub fn facts(&self) -> &Facts {
        &self.loaded.facts
    }

    /// Where to write.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Says before the stores are read that a commit is expected.
    pub fn expect_commit(&mut self) {
        self.stores.iter_mut().for_each(|(_, store)| store.expect_commit());
    }

    /// The kinds of the stores, by name.
    pub fn kinds(&self) -> Vec<(String, StoreKind)> {
        self.stores.iter().map(|(name, store)| (name.clone(), store.kind())).collect()
    }

    /// Where the stores are, for people.
    pub fn place(&self) -> String {
        self.located.iter().map(|located| place(&located.location)).collect::<Vec<_>>().join(" and ")
    }

    pub(super) fn server_password(&self) -> Option<String> {
        self.located.iter().find_map(|located| match &located.location {
            Location::Mysql(server) | Location::Postgres(server) => server.password.clone(),
            _ => None,
        })
    }

    /// Makes sure the plugin has a verb at all.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] with the plugin's reason.
    pub fn supports(&self, verb: &str) -> Result<()> {
        let facts = self.facts();
        let support = facts.support(verb);
        if support.support != Level::None {
            return Ok(());
        }
        let words = verb.replace('.', " ");
        let reason = support.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Err(Error::new(Kind::Unsupported, format!("{} has no `{words}`{reason}", facts.title))
            .note("nothing was changed")
            .help(format!("see what it has with `latchlift plugin show {}`", facts.app)))
    }

    /// Asks a verb that changes nothing.
    ///
    /// # Errors
    /// The verb is not supported, the layout is unknown, or as the plugin and the store say.
    pub fn read(&self, run: &Run, request: Request, take: &mut Sink<'_>) -> Result<()> {
        self.supports(request.verb.as_str())?;
        self.read_with(request, &Vault::default(), take).inspect(|notices| {
            notices.iter().for_each(|notice| run.ui.warn(notice));
        })?;
        Ok(())
    }

    /// Asks a verb that changes nothing and may use passwords. Gives what a person should know about the stores.
    ///
    /// # Errors
    /// As [`Opened::read`].
    pub fn read_with(&self, request: Request, vault: &Vault, take: &mut Sink<'_>) -> Result<Vec<String>> {
        let services = self.services(vault)?;
        let probe = self.loaded.probe(&services).map_err(|error| self.complete_error(error))?;
        self.refuse_withdrawn(&probe, request.verb.as_str())?;
        let answered = self.loaded.read(services, self.with_settings(request), &mut self.completing(take));
        answered.map_err(|error| self.complete_error(error))
    }

    /// Asks about one account of an instance that was planned on: its layout and its verbs are known.
    ///
    /// # Errors
    /// As [`Opened::read`].
    pub fn read_one(&self, request: Request, take: &mut Sink<'_>) -> Result<()> {
        let (vault, request) = (Vault::default(), self.with_settings(request));
        let services = self.services(&vault)?;
        let answered = self.loaded.read_one(services, &request, &mut self.completing(take));
        answered.map_err(|error| self.complete_error(error))
    }

    fn with_settings(&self, request: Request) -> Request {
        Request { settings: self.settings.clone(), ..request }
    }

    /// Completes the commands in an answer before it is taken.
    fn completing<'a>(&'a self, take: &'a mut Sink<'_>) -> impl FnMut(Batch) -> Result<()> + 'a {
        |mut batch| {
            self.complete_fixes(&mut batch);
            take(batch)
        }
    }

    /// Makes each fix a command to paste: with `latchlift` in front and `--app` behind.
    fn complete_fixes(&self, batch: &mut Batch) {
        let complete = |fix: &mut Vec<String>| {
            if !fix.is_empty() {
                fix.insert(0, "latchlift".to_owned());
                fix.extend(self.flags.iter().cloned());
            }
        };
        let reasons = |reasons: &mut Vec<Reason>| {
            for reason in reasons {
                complete(&mut reason.fix);
                reason.message = self.complete_commands(&reason.message);
            }
        };
        match batch {
            Batch::Accounts(accounts) => accounts.iter_mut().for_each(|account| reasons(&mut account.reasons)),
            Batch::Verdict(verdict) => reasons(&mut verdict.reasons),
            Batch::Check(check) => check.findings.iter_mut().for_each(|finding| {
                complete(&mut finding.fix);
                finding.message = self.complete_commands(&finding.message);
            }),
            _ => {}
        }
    }

    /// Completes the commands in a plugin's text, which are in backticks and cannot know how the instance is named here.
    fn complete_commands(&self, text: &str) -> String {
        let pieces = text.split('`').enumerate().map(|(i, piece)| {
            let command = i % 2 == 1 && piece.starts_with("latchlift ") && !piece.contains(" --app ");
            if command { format!("{piece} {}", pasted(&self.flags)) } else { piece.to_owned() }
        });
        pieces.collect::<Vec<_>>().join("`")
    }

    /// A plugin's failure with its commands completed.
    fn complete_error(&self, mut error: Error) -> Error {
        error.message = self.complete_commands(&error.message);
        error.help = error.help.map(|help| self.complete_commands(&help));
        if error.kind == Kind::UnknownSchema {
            let versions = &self.facts().versions;
            return error.note(format!("nothing was changed; known versions: {versions}")).help(format!(
                "is it the right file, and a release this plugin knows? See `latchlift plugin show {}`",
                self.facts().app
            ));
        }
        error
    }

    /// Asks for a plan. Gives it with the version found; the stores are closed again.
    ///
    /// # Errors
    /// As [`Opened::read`].
    pub fn plan(&self, run: &Run, mut request: Request, vault: &Vault) -> Result<(Plan, String)> {
        request.settings = self.settings.clone();
        let services = self.services(vault)?;
        let probe = self.loaded.probe(&services).map_err(|error| self.complete_error(error))?;
        self.refuse_withdrawn(&probe, request.verb.as_str())?;
        let mut plan = self.loaded.plan(&services, &request).map_err(|error| self.complete_error(error))?;
        for text in plan.warnings.iter_mut().chain(&mut plan.next_steps) {
            *text = self.complete_commands(text);
        }
        services.notices().iter().for_each(|notice| run.ui.warn(notice));
        Ok((plan, probe.version))
    }

    fn refuse_withdrawn(&self, probe: &latchlift_plugin_api::Probe, verb: &str) -> Result<()> {
        match probe.withdrawn.get(verb) {
            None => Ok(()),
            Some(reason) => {
                let message =
                    format!("{} {} has no `{}`: {reason}", self.facts().title, probe.version, verb.replace('.', " "));
                Err(Error::new(Kind::Unsupported, message).note("nothing was changed"))
            }
        }
    }

    fn services<'a>(&'a self, vault: &'a Vault) -> Result<Services<'a>> {
        let mut services = Services::new(vault, &self.files);
        for (name, store) in &self.stores {
            let reader: Box<dyn StoreReader> = store.reader()?;
            services = services.store(name.clone(), store.kind(), reader);
        }
        Ok(services)
    }

    /// Whether a journal entry is of this instance: the same app in the same place.
    pub fn is_of(&self, entry: &Entry) -> bool {
        let begun = &entry.begun;
        begun.plugin == self.facts().app
            && begun.stores.len() == self.located.len()
            && self.located.iter().zip(&begun.stores).all(|(ours, record)| same_place(&ours.location, &record.location))
    }

    /// Whether another opened instance is the same app in the same place.
    pub fn is_same(&self, other: &Opened) -> bool {
        let pairs = || self.located.iter().zip(&other.located);
        self.facts().app == other.facts().app
            && self.located.len() == other.located.len()
            && pairs().all(|(a, b)| same_place(&a.location, &b.location))
    }

    /// Where the stores are, without passwords.
    pub(super) fn records(&self) -> Vec<StoreRecord> {
        let records = self.located.iter().map(|Located { store, location }| {
            let mut location = location.clone();
            if let Location::Mysql(server) | Location::Postgres(server) = &mut location {
                server.password = None;
            }
            StoreRecord { store: store.clone(), location }
        });
        records.collect()
    }

    /// The beginning of a journal entry for a plan on this instance.
    pub fn begun(&self, run: &Run, verb: &str, target: Option<String>, plan: Plan) -> Begun {
        Begun {
            id: String::new(),
            at: run.now(),
            uid: rustix::process::getuid().as_raw(),
            sudo_user: std::env::var("SUDO_USER").ok(),
            app: self.argument.clone(),
            plugin: self.facts().app.clone(),
            verb: verb.to_owned(),
            target,
            stores: self.records(),
            facts: self.facts().clone(),
            plan,
            undoes: None,
        }
    }
}

/// The stores: where the instance says, else where its settings say. A directory says least: the app's own settings, where
/// they are given too, may name a server, and then a file left lying in the directory is not the app's store.
fn locate(
    found: &instance::Instance,
    loaded: &Loaded,
    settings: &Settings,
    files: &MappedFiles,
) -> Result<Vec<Located>> {
    let by_settings = || -> Result<Vec<Located>> {
        let located = loaded.locate(settings, files)?;
        Ok(located.into_iter().map(|l| Located { location: found.adjusted(l.location), ..l }).collect())
    };
    let is_directory = matches!(&found.store, Some(instance::StoreSpec::Path(path)) if path.is_dir());
    if is_directory && !settings.is_empty() && loaded.facts.stores.len() > 1 {
        let theirs = by_settings()?;
        if theirs.iter().any(|l| matches!(l.location, Location::Mysql(_) | Location::Postgres(_))) {
            return Ok(theirs);
        }
    }
    match found.location(&loaded.facts)? {
        Some(location) => {
            let location = with_settings_password(location, loaded, settings, files);
            Ok(vec![Located { store: String::new(), location }])
        }
        None => by_settings(),
    }
}

/// A server given by its URL takes the password the app's settings hold for it, where they are given too.
fn with_settings_password(location: Location, loaded: &Loaded, settings: &Settings, files: &MappedFiles) -> Location {
    if settings.is_empty() {
        return location;
    }
    let theirs = loaded.locate(settings, files).unwrap_or_default();
    let password = theirs.into_iter().find_map(|located| match located.location {
        Location::Mysql(server) | Location::Postgres(server) => server.password,
        _ => None,
    });
    match location {
        Location::Mysql(server) => Location::Mysql(Server { password, ..server }),
        Location::Postgres(server) => Location::Postgres(Server { password, ..server }),
        other => other,
    }
}
