//! What a run works with: configuration, plugins, journal, and instances opened for use.

use crate::apply::{self, Stores, Work};
use crate::commands::list::pasted;
use crate::cli::Global;
use crate::config::{Config, Places};
use crate::error::{Error, Kind, Result};
use crate::instance::{self, App};
use crate::journal::{Begun, End, Entry, Journal, StoreRecord};
use crate::kdf::Vault;
use crate::plugin::{Loaded, Registry, Services, Sink};
use crate::secret;
use crate::settings::{self, MappedFiles};
use crate::store::documents::Documents;
use crate::store::mysql::Mysql;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;
use crate::store::{Store, StoreReader};
use crate::ui::Ui;
use latchlift_plugin_api::{
    Batch, Facts, Level, Located, Location, Options, Plan, Random, Reason, Request, Server, Settings, StoreKind, Time,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// One run of the program.
pub struct Run {
    /// How it talks.
    pub ui: Ui,
    /// The flags of every command.
    pub global: Global,
    /// The configuration.
    pub config: Config,
    /// The plugins.
    pub registry: Registry,
    state_dir: Result<PathBuf>,
}

/// An instance a run works on: its name, and what the configuration says of it, which may be an error.
pub struct Instance {
    name: String,
    argument: String,
    found: Result<instance::Instance>,
}

impl Instance {
    fn configured(name: &str, found: Result<instance::Instance>) -> Instance {
        Instance { name: name.to_owned(), argument: name.to_owned(), found }
    }

    fn ad_hoc(found: instance::Instance) -> Instance {
        Instance { name: found.name.clone(), argument: absolute(&found.argument), found: Ok(found) }
    }

    /// The configured name; the plugin's for one given by its location.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to type after `--app` to mean it, from any directory. The journal knows instances by this.
    pub fn argument(&self) -> &str {
        &self.argument
    }
}

/// `PLUGIN:LOCATION` with an absolute path where the location is one.
fn absolute(argument: &str) -> String {
    let whole = |path: &str| std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
    match argument.split_once(':') {
        Some((_, location)) if location.contains("://") => argument.to_owned(),
        Some((plugin, location)) => match location.split_once(':') {
            Some((scheme @ ("sqlite" | "dir"), path)) => format!("{plugin}:{scheme}:{}", whole(path)),
            _ => format!("{plugin}:{}", whole(location)),
        },
        None => argument.to_owned(),
    }
}

impl Run {
    /// Reads the configuration and finds the plugins' directories. Touches no store.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn new(global: Global) -> Result<Run> {
        let ui = Ui::new(&global);
        let config = Config::load(&Places::usual(global.config.as_deref()));
        let registry = Registry::search(&global.plugin_dir, &config.plugin_dirs)?;
        let state_dir = state_dir(&global, &config);
        config.files.iter().for_each(|file| ui.detail(format!("configuration: {}", file.display())));
        Ok(Run { ui, state_dir, global, config, registry })
    }

    /// The journal.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn journal(&self) -> Result<Journal> {
        self.state_dir.as_ref().map(|dir| Journal::new(dir)).map_err(Clone::clone)
    }

    /// Whether instances were named on the command line, rather than all being meant.
    pub fn names_instances(&self) -> bool {
        self.global.app.iter().any(|name| name != "all")
    }

    /// The instances named, or all configured ones.
    ///
    /// # Errors
    /// One does not exist, or none is configured.
    pub fn selected(&self) -> Result<Vec<Instance>> {
        let mut selected = Vec::new();
        match self.global.app.as_slice() {
            [] => selected = self.all()?,
            apps => {
                for app in apps {
                    match self.named(app)? {
                        Some(instance) => selected.push(instance),
                        None => selected.extend(self.all()?),
                    }
                }
            }
        }
        tell_apart(&mut selected);
        Ok(selected)
    }

    /// What the journal calls the instances named on the command line: by their argument, and by where their stores are.
    /// None means all.
    ///
    /// # Errors
    /// As [`Run::selected`].
    pub fn wanted(&self) -> Result<Option<Vec<Wanted>>> {
        if self.global.app.is_empty() {
            return Ok(None);
        }
        let selected = self.selected()?.into_iter().map(|instance| {
            // A store that is gone or moved is still known by its name.
            let opened = Opened::open(self, &instance).ok();
            Wanted { argument: instance.argument, opened }
        });
        Ok(Some(selected.collect()))
    }

    fn all(&self) -> Result<Vec<Instance>> {
        let instances = &self.config.sound()?.instances;
        match instances.is_empty() {
            false => Ok(instances.iter().map(|(name, found)| Instance::configured(name, found.clone())).collect()),
            true => Err(Error::new(Kind::Config, "no apps are configured").help(
                "give one with --app PLUGIN:LOCATION (homarr:/srv/homarr/appdata), or write /etc/latchlift/config.toml",
            )),
        }
    }

    /// The instance an `--app` value names; `None` for `all`.
    fn named(&self, app: &str) -> Result<Option<Instance>> {
        let here = std::env::current_dir().unwrap_or_default();
        Ok(match App::parse(app, &here)? {
            App::All => None,
            App::Named(name) => Some(self.by_name(&name)?),
            App::AdHoc(mut found) => {
                found.settings.clone_from(&self.global.settings);
                Some(Instance::ad_hoc(*found))
            }
        })
    }

    /// The configured instance of that name, with the settings given here besides its own. With settings, the name of a
    /// plugin alone will do: they say where the store is.
    fn by_name(&self, name: &str) -> Result<Instance> {
        let settings = &self.global.settings;
        if !self.config.instances.contains_key(name) && !settings.is_empty() && self.registry.find(name).is_ok() {
            let found = instance::Instance {
                name: name.to_owned(),
                argument: name.to_owned(),
                plugin: name.to_owned(),
                settings: settings.clone(),
                ..instance::Instance::default()
            };
            return Ok(Instance::ad_hoc(found));
        }
        let mut found = self.config.instance(name)?.clone();
        found.settings.extend(settings.iter().cloned());
        Ok(Instance::configured(name, Ok(found)))
    }

    /// The instances a change is for: each named, or the only one configured.
    ///
    /// # Errors
    /// As [`Run::selected`]; several are configured and none is named.
    pub fn selected_for_writing(&self) -> Result<Vec<Instance>> {
        let selected = self.selected()?;
        if self.global.app.is_empty() && selected.len() > 1 {
            let names: Vec<&str> = selected.iter().map(Instance::name).collect();
            return Err(Error::new(Kind::Usage, format!("several apps are configured: {}", names.join(", ")))
                .note("nothing was changed")
                .help(format!("name the one that is meant: --app {}", names[0])));
        }
        Ok(selected)
    }

    /// A request of this verb, with the time of day and fresh randomness.
    pub fn request(&self, verb: &str, options: Options) -> Request {
        let mut seed = vec![0; 32];
        // Without the system's randomness there is no safe id or token; plans that need some are refused by `begin`,
        // which draws from the same source first.
        getrandom::fill(&mut seed).ok();
        Request { verb: verb.into(), options, now: self.now(), random: Random::new(seed), ..Request::default() }
    }

    /// The time of day.
    pub fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.global.lock_timeout)
    }

    /// The other journal on this machine, root's or the user's, if it holds anything.
    pub fn other_journal(&self) -> Option<PathBuf> {
        let candidates = [Some(PathBuf::from(ROOT_STATE)), user_state()];
        let mut others = candidates.into_iter().flatten().filter(|dir| self.state_dir.as_ref().ok() != Some(dir));
        others.find(|dir| std::fs::read_dir(dir.join("journal")).is_ok_and(|mut entries| entries.next().is_some()))
    }

    /// The stores an entry wrote to, opened without a plugin; where `--app` names another place, those of that place.
    ///
    /// # Errors
    /// They cannot be found, they belong to another app, or the database's password is not known.
    pub fn reopened(&self, entry: &Entry) -> Result<Reopened> {
        let begun = &entry.begun;
        if let [app] = self.global.app.as_slice()
            && let Some(instance) = self.named(app)?
            && instance.argument != begun.app
        {
            let opened = Opened::open(self, &instance)?;
            refuse_other(entry, &opened)?;
            let stores = opened.records();
            return Ok(Reopened { app: opened.argument, records: stores, stores: opened.stores });
        }
        let mut stores = Stores::new();
        for StoreRecord { store, location } in &begun.stores {
            let location = self.with_password(location.clone(), &begun.app)?;
            stores.push((store.clone(), self.store(&location, &begun.facts)?));
        }
        Ok(Reopened { app: begun.app.clone(), records: begun.stores.clone(), stores })
    }

    /// Makes sure no change of this instance was left unfinished; one whose data tells how it ended is settled.
    ///
    /// # Errors
    /// [`Kind::Unfinished`] where some of it is written and some is not, [`Kind::Locked`] where it is being written now.
    pub fn settle(&self, opened: &Opened) -> Result<()> {
        for entry in self.journal()?.unfinished()? {
            if !opened.is_of(&entry) {
                continue;
            }
            let open = self.journal()?.reopen(&entry)?;
            let id = entry.begun.id.clone();
            let work = Work { begun: entry.begun.clone(), facts: opened.facts(), stores: &opened.stores, allow_running: true };
            let steps = entry.begun.plan.steps.len();
            let (end, how) = match apply::written(&entry, &work) {
                Ok(0) => (End::Failed, "nothing of it was written"),
                Ok(all) if all == steps => (End::Done, "all of it was written"),
                Ok(some) => return Err(half_done(&entry, some)),
                // One step is one transaction: it is there as a whole or not at all, and the app has moved on since.
                Err(error) if error.kind == Kind::Unfinished && steps == 1 => {
                    (End::Abandoned, "the data changed since, so nobody can tell whether it was written")
                }
                Err(error) => return Err(error),
            };
            open.end(end)?;
            self.ui.warn(format!("entry {id} had been interrupted; {how}, and the journal now says so"));
        }
        Ok(())
    }

    /// A journalled location with the database's password, as the instance's configuration or the flags give it.
    fn with_password(&self, mut location: Location, app: &str) -> Result<Location> {
        let shown = place(&location);
        let (Location::Mysql(server) | Location::Postgres(server)) = &mut location else { return Ok(location) };
        let instance = self.named(app).ok().flatten();
        let found = instance.as_ref().and_then(|instance| instance.found.as_ref().ok());
        if let (Some(instance), true) = (&instance, found.is_some_and(|found| !found.settings.is_empty())) {
            server.password = Opened::open(self, instance)?.server_password();
        }
        if server.password.is_none() {
            let file = found.and_then(|found| found.password_file.clone());
            server.password = self.store_password(server, file.as_deref(), &shown)?;
        }
        Ok(location)
    }

    fn store_password(&self, server: &Server, file: Option<&Path>, place: &str) -> Result<Option<String>> {
        let file = self.global.store_password_file.as_deref().or(file);
        let needs_none = server.socket.is_some() || !self.ui.can_ask;
        if server.password.is_some() || (file.is_none() && needs_none) {
            return Ok(server.password.clone());
        }
        let password = secret::read_for_store(file, place, self.ui.can_ask)?;
        Ok(Some(password.text.to_string()))
    }

    fn store(&self, location: &Location, facts: &Facts) -> Result<Box<dyn Store>> {
        let (patience, password) = (self.patience(), |server: &Server| server.password.clone().map(Zeroizing::new));
        Ok(match location {
            Location::Sqlite { path } => Box::new(Sqlite::new(PathBuf::from(path), patience)),
            Location::Mysql(server) => Box::new(Mysql::new(server.clone(), password(server), patience)),
            Location::Postgres(server) => Box::new(Postgres::new(server.clone(), password(server), patience)),
            Location::Dir { path } => Box::new(Documents::new(PathBuf::from(path), facts.documents.clone())),
            _ => return Err(Error::new(Kind::Plugin, "the plugin names a kind of store this latchlift does not know")),
        })
    }
}

/// The stores of a journal entry, and what to call them.
pub struct Reopened {
    /// The instance, as the journal knows it.
    pub app: String,
    /// Where the stores are.
    pub records: Vec<StoreRecord>,
    /// The stores.
    pub stores: Stores,
}

/// An instance whose journal entries are wanted.
pub struct Wanted {
    argument: String,
    opened: Option<Opened>,
}

impl Wanted {
    /// Whether the entry is of this instance, however it was named then.
    pub fn covers(&self, entry: &Entry) -> bool {
        self.argument == entry.begun.app || self.opened.as_ref().is_some_and(|opened| opened.is_of(entry))
    }
}

/// An entry is taken back in another place only where the app is the same and the first place is gone: otherwise the
/// journal would say of the first that it was taken back.
fn refuse_other(entry: &Entry, opened: &Opened) -> Result<()> {
    let begun = &entry.begun;
    if opened.facts().app != begun.plugin {
        let message = format!("entry {} belongs to {}, not to {}", begun.id, begun.facts.title, opened.facts().title);
        return Err(Error::new(Kind::Usage, message).note("nothing was changed"));
    }
    let there = |record: &StoreRecord| match &record.location {
        Location::Sqlite { path } | Location::Dir { path } => Path::new(path).exists(),
        _ => false,
    };
    match opened.is_of(entry) || !begun.stores.iter().any(there) {
        true => Ok(()),
        false => {
            let was = begun.stores.iter().map(|record| place(&record.location)).collect::<Vec<_>>().join(" and ");
            Err(Error::new(Kind::Refused, format!("entry {} was written to {was}, which is still there", begun.id))
                .note("nothing was changed")
                .help(format!("take it back there: latchlift undo {}", begun.id)))
        }
    }
}

/// Whether two locations are one place.
fn same_place(one: &Location, other: &Location) -> bool {
    let real = |path: &str| std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    let same = |a: &Server, b: &Server| (&a.host, a.port, &a.socket, &a.database) == (&b.host, b.port, &b.socket, &b.database);
    match (one, other) {
        (Location::Sqlite { path: a }, Location::Sqlite { path: b }) => real(a) == real(b),
        (Location::Dir { path: a }, Location::Dir { path: b }) => real(a) == real(b),
        (Location::Mysql(a), Location::Mysql(b)) | (Location::Postgres(a), Location::Postgres(b)) => same(a, b),
        _ => false,
    }
}

fn half_done(entry: &Entry, written: usize) -> Error {
    let Begun { id, app, plan, .. } = &entry.begun;
    let message = format!("entry {id} on {app} was interrupted after {written} of {} changes", plan.steps.len());
    let back = match entry.begun.undoes {
        Some(_) => String::new(),
        None => format!(", or take it back with `latchlift undo {id}`"),
    };
    Error::new(Kind::Unfinished, message)
        .note("nothing was changed now; what is written is safe to keep")
        .help(format!("finish it with `latchlift resume {id}`{back}"))
}

/// Instances of one name (two places given for one plugin) are called by what was typed instead.
fn tell_apart(selected: &mut [Instance]) {
    let names: Vec<String> = selected.iter().map(|instance| instance.name.clone()).collect();
    for (i, instance) in selected.iter_mut().enumerate() {
        if names.iter().enumerate().any(|(j, name)| i != j && *name == instance.name) {
            instance.name.clone_from(&instance.argument);
        }
    }
}

const ROOT_STATE: &str = "/var/lib/latchlift";

fn user_state() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from).or_else(home);
    state.map(|state| state.join("latchlift"))
}

fn state_dir(global: &Global, config: &Config) -> Result<PathBuf> {
    let environment = || std::env::var_os("LATCHLIFT_STATE_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let usual = || if rustix::process::geteuid().is_root() { Some(PathBuf::from(ROOT_STATE)) } else { user_state() };
    let chosen = global.state_dir.clone().or_else(environment).or_else(|| config.state_dir.clone()).or_else(usual);
    chosen.ok_or_else(|| {
        Error::new(Kind::Config, "there is no place for the journal: HOME is not set").help("name one with --state-dir DIR")
    })
}

/// A location for people: the path, or a URL without the password.
pub fn place(location: &Location) -> String {
    let url = |scheme: &str, server: &Server| {
        let Server { host, port, socket, user, database, .. } = server;
        match (socket, port) {
            (Some(socket), _) => format!("{scheme}://{user}@localhost/{database}?socket={socket}"),
            (None, 0) => format!("{scheme}://{user}@{host}/{database}"),
            (None, port) => format!("{scheme}://{user}@{host}:{port}/{database}"),
        }
    };
    match location {
        Location::Sqlite { path } | Location::Dir { path } => path.clone(),
        Location::Mysql(server) => url("mysql", server),
        Location::Postgres(server) => url("postgres", server),
        _ => "an unknown kind of store".to_owned(),
    }
}

/// An instance with its plugin loaded and its stores located. Nothing is held open.
pub struct Opened {
    name: String,
    argument: String,
    /// What a command needs to mean this instance: `--app` and the settings given.
    flags: Vec<String>,
    loaded: Loaded,
    settings: Settings,
    files: MappedFiles,
    located: Vec<Located>,
    stores: Stores,
}

impl Opened {
    /// Loads the plugin and locates the stores.
    ///
    /// # Errors
    /// The plugin is refused, the settings cannot be read, the location makes no sense.
    pub fn open(run: &Run, instance: &Instance) -> Result<Opened> {
        let found = instance.found.clone()?;
        let loaded = run.registry.load(&found.plugin)?;
        run.ui.detail(format!("plugin: {} {} from {}", found.plugin, loaded.version, loaded.path.display()));
        let files = found.files();
        let settings = Settings(found.settings.iter().map(|path| settings::read(path)).collect::<Result<Vec<_>>>()?);
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
        let mut flags = vec!["--app".to_owned(), instance.argument.clone()];
        for path in &run.global.settings {
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            flags.extend(["--settings".to_owned(), whole.display().to_string()]);
        }
        Ok(Opened { name: instance.name.clone(), argument: instance.argument.clone(), flags, loaded, settings, files, located, stores })
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to type after `--app` to mean it.
    pub fn argument(&self) -> &str {
        &self.argument
    }

    /// What the plugin states about its app.
    pub fn facts(&self) -> &Facts {
        &self.loaded.facts
    }

    /// Where to write.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// The kinds of the stores, by name.
    pub fn kinds(&self) -> Vec<(String, StoreKind)> {
        self.stores.iter().map(|(name, store)| (name.clone(), store.kind())).collect()
    }

    /// Where the stores are, for people.
    pub fn place(&self) -> String {
        self.located.iter().map(|located| place(&located.location)).collect::<Vec<_>>().join(" and ")
    }

    fn server_password(&self) -> Option<String> {
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
    pub fn read_with(&self, mut request: Request, vault: &Vault, take: &mut Sink<'_>) -> Result<Vec<String>> {
        request.settings = self.settings.clone();
        let mut pass = |mut batch| {
            self.complete_fixes(&mut batch);
            take(batch)
        };
        let services = self.services(vault)?.output(&mut pass);
        let probe = self.loaded.probe(&services)?;
        self.refuse_withdrawn(&probe, request.verb.as_str())?;
        self.loaded.read(&services, &request).map_err(|error| self.complete_error(error))?;
        Ok(services.notices())
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
            Batch::Check(check) => check.findings.iter_mut().for_each(|finding| complete(&mut finding.fix)),
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
        error
    }

    /// Asks for a plan. Gives it with the version found; the stores are closed again.
    ///
    /// # Errors
    /// As [`Opened::read`].
    pub fn plan(&self, run: &Run, mut request: Request, vault: &Vault) -> Result<(Plan, String)> {
        request.settings = self.settings.clone();
        let services = self.services(vault)?;
        let probe = self.loaded.probe(&services)?;
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
                let message = format!("{} {} has no `{}`: {reason}", self.facts().title, probe.version, verb.replace('.', " "));
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
    fn records(&self) -> Vec<StoreRecord> {
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

/// The stores: where the instance says, else where its settings say.
fn locate(found: &instance::Instance, loaded: &Loaded, settings: &Settings, files: &MappedFiles) -> Result<Vec<Located>> {
    if let Some(location) = found.location(&loaded.facts)? {
        return Ok(vec![Located { store: String::new(), location: with_settings_password(location, loaded, settings, files) }]);
    }
    let located = loaded.locate(settings, files)?;
    Ok(located.into_iter().map(|l| Located { location: found.adjusted(l.location), ..l }).collect())
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
