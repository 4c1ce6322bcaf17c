//! Which instances a run is about.

use super::{Opened, Run};
use crate::cli::Global;
use crate::error::{Error, Kind, Result};
use crate::instance::{self, App};
use crate::journal::Entry;
use std::path::Path;

/// An instance a run works on: its name, and what the configuration says of it, which may be an error.
pub struct Instance {
    pub(super) name: String,
    pub(super) argument: String,
    pub(super) found: Result<instance::Instance>,
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

    /// What a command needs to mean it, from any directory: `--app`, and what was said on the command line about how it is
    /// reached.
    pub fn flags(&self, global: &Global) -> Vec<String> {
        let mut flags = vec!["--app".to_owned(), self.argument.clone()];
        let settings = global.settings.iter().map(|path| ("--settings", path));
        let password = global.store_password_file.iter().map(|path| ("--store-password-file", path));
        let config = global.config.iter().map(|path| ("--config", path));
        for (flag, path) in settings.chain(password).chain(config) {
            flags.extend([flag.to_owned(), whole(path)]);
        }
        flags
    }
}

/// A path as it can be typed from any directory.
pub fn whole(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// `PLUGIN:LOCATION` with an absolute path where the location is one.
fn absolute(argument: &str) -> String {
    match argument.split_once(':') {
        Some((_, location)) if location.contains("://") => argument.to_owned(),
        Some((plugin, location)) => match location.split_once(':') {
            Some((scheme @ ("sqlite" | "dir"), path)) => format!("{plugin}:{scheme}:{}", whole(Path::new(path))),
            _ => format!("{plugin}:{}", whole(Path::new(location))),
        },
        None => argument.to_owned(),
    }
}

impl Run {
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
        match self.global.app.is_empty() {
            true => Ok(None),
            false => Ok(Some(self.wanted_of(self.selected()?))),
        }
    }

    /// What the journal calls these instances.
    pub fn wanted_of(&self, instances: Vec<Instance>) -> Vec<Wanted> {
        let wanted = instances.into_iter().map(|instance| {
            // A store that is gone or moved is still known by its name.
            let opened = Opened::open(self, &instance).ok();
            Wanted { argument: instance.argument, opened }
        });
        wanted.collect()
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
    pub(super) fn named(&self, app: &str) -> Result<Option<Instance>> {
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
        // A stanza that is wrong is the instance's own failure, and spares the others.
        let found = self.config.stanza(name)?.clone().map(|mut found| {
            found.settings.extend(settings.iter().cloned());
            found
        });
        Ok(Instance::configured(name, found))
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
                .help("name the one that is meant with --app NAME, or all of them with --app all"));
        }
        Ok(selected)
    }
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

/// Instances of one name (two places given for one plugin) are called by what was typed instead.
fn tell_apart(selected: &mut [Instance]) {
    let names: Vec<String> = selected.iter().map(|instance| instance.name.clone()).collect();
    for (i, instance) in selected.iter_mut().enumerate() {
        if names.iter().enumerate().any(|(j, name)| i != j && *name == instance.name) {
            instance.name.clone_from(&instance.argument);
        }
    }
}
