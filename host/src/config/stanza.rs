//! What a configuration file says, read key by key so that each mistake is named with what was expected.

use crate::error::{Error, Kind, Result};
use crate::instance::{ALL, Instance, StoreSpec, is_name, is_plugin, path, similar, tls};
use std::path::{Path, PathBuf};
use toml::Value;

/// The keys of a stanza.
const KEYS: [&str; 6] = ["password_file", "paths", "plugin", "settings", "store", "tls"];

/// A file, or a stanza in it: where paths start and what messages name.
pub(super) struct Source {
    dir: PathBuf,
    place: String,
}

impl Source {
    pub(super) fn new(file: &Path) -> Source {
        Source { dir: file.parent().unwrap_or(file).to_owned(), place: file.display().to_string() }
    }

    pub(super) fn stanza(&self, name: &str) -> Source {
        Source { dir: self.dir.clone(), place: format!("{}: [app.{name}]", self.place) }
    }

    pub(super) fn wrong(&self, what: &str) -> Error {
        Error::new(Kind::Config, format!("{}: {what}", self.place))
    }

    pub(super) fn unknown_key(&self, key: &str, known: &[&str]) -> Error {
        let error = self.wrong(&format!("there is no key `{key}`"));
        match similar(key, known.iter().copied()) {
            Some(close) => error.help(format!("did you mean `{close}`?")),
            None => error.help(format!("the keys are {}", known.join(", "))),
        }
    }

    pub(super) fn instance(&self, name: &str, stanza: Value) -> Result<Instance> {
        if name == ALL || !is_name(name) {
            let rule = "lower-case letters, digits, `-` and `_`, and not be `all`";
            return Err(self.wrong(&format!("an instance's name must be {rule}")));
        }
        let Value::Table(stanza) = stanza else { return Err(self.wrong("this must be a table")) };
        let mut instance = Instance { name: name.to_owned(), argument: name.to_owned(), ..Instance::default() };
        for (key, value) in &stanza {
            self.set(&mut instance, key, value)?;
        }
        if instance.plugin.is_empty() {
            return Err(self.wrong("`plugin` is missing").help("add the app's name: plugin = \"homarr\""));
        }
        if instance.store.is_none() && instance.settings.is_empty() {
            return Err(self
                .wrong("neither `store` nor `settings` says where its accounts are")
                .help("add store = \"sqlite:/path\", or settings = [\"/path/to/.env\"]"));
        }
        Ok(instance)
    }

    fn set(&self, instance: &mut Instance, key: &str, value: &Value) -> Result<()> {
        match key {
            "plugin" => instance.plugin = self.plugin(value)?,
            "store" => instance.store = Some(self.store(value)?),
            "settings" => instance.settings = self.paths(key, value)?,
            "paths" => instance.paths = self.mappings(value)?,
            "password_file" => instance.password_file = Some(self.path(key, value)?),
            "tls" => instance.tls = Some(tls(self.text(key, value)?).map_err(|error| self.config(key, error))?),
            _ => return Err(self.unknown_key(key, &KEYS)),
        }
        Ok(())
    }

    fn plugin(&self, value: &Value) -> Result<String> {
        let name = self.text("plugin", value)?;
        match is_plugin(name) {
            true => Ok(name.to_owned()),
            false => Err(self.wrong("`plugin` must be a plugin's name: lower-case letters, digits and `-`")),
        }
    }

    fn store(&self, value: &Value) -> Result<StoreSpec> {
        StoreSpec::parse(self.text("store", value)?, &self.dir).map_err(|error| self.config("store", error))
    }

    fn mappings(&self, value: &Value) -> Result<Vec<(String, PathBuf)>> {
        let Value::Table(pairs) = value else {
            return Err(self.wrong("`paths` must be a table: { \"/in/container\" = \"/on/host\" }"));
        };
        let mapping = |(container, host): (&String, &Value)| match container.starts_with('/') {
            true => Ok((container.clone(), self.path("paths", host)?)),
            false => Err(self.wrong(&format!("`paths`: the container's path `{container}` must begin with `/`"))),
        };
        pairs.iter().map(mapping).collect()
    }

    fn text<'v>(&self, key: &str, value: &'v Value) -> Result<&'v str> {
        value.as_str().ok_or_else(|| self.wrong(&format!("`{key}` must be text in quotes")))
    }

    pub(super) fn path(&self, key: &str, value: &Value) -> Result<PathBuf> {
        path(self.text(key, value)?, &self.dir).map_err(|error| self.config(key, error))
    }

    pub(super) fn paths(&self, key: &str, value: &Value) -> Result<Vec<PathBuf>> {
        match value {
            Value::Array(items) => items.iter().map(|item| self.path(key, item)).collect(),
            one => Ok(vec![self.path(key, one)?]),
        }
    }

    /// A failure of something written in the file, which is the configuration's rather than the command line's.
    fn config(&self, key: &str, error: Error) -> Error {
        Error { kind: Kind::Config, ..error }.context(format!("{}: `{key}`", self.place))
    }
}
