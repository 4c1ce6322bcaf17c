//! Stores by their location: opening them, their passwords, and what to call them.

use super::{Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::secret;
use crate::store::Store;
use crate::store::documents::Documents;
use crate::store::mysql::Mysql;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;
use latchlift_plugin_api::{Facts, Location, Server};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

impl Run {
    /// A journalled location with the database's password, as the instance's configuration or the flags give it.
    pub(super) fn with_password(&self, mut location: Location, app: &str) -> Result<Location> {
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

    pub(super) fn store_password(&self, server: &Server, file: Option<&Path>, place: &str) -> Result<Option<String>> {
        let file = self.global.store_password_file.as_deref().or(file);
        let needs_none = server.socket.is_some() || !self.ui.can_ask;
        if server.password.is_some() || (file.is_none() && needs_none) {
            return Ok(server.password.clone());
        }
        if let Some(known) = self.store_passwords.borrow().get(place) {
            return Ok(Some(known.to_string()));
        }
        let password = secret::read_for_store(file, place, self.ui.can_ask)?;
        self.store_passwords.borrow_mut().insert(place.to_owned(), password.text.clone());
        Ok(Some(password.text.to_string()))
    }

    pub(super) fn store(&self, location: &Location, facts: &Facts) -> Result<Box<dyn Store>> {
        let (patience, password) = (self.patience(), |server: &Server| server.password.clone().map(Zeroizing::new));
        let tables = || facts.collections.iter().map(|collection| collection.name.clone()).collect();
        Ok(match location {
            Location::Sqlite { path } => Box::new(Sqlite::new(PathBuf::from(path), patience)),
            Location::Mysql(server) => {
                Box::new(Mysql::new(server.clone(), password(server), patience).expecting(tables()))
            }
            Location::Postgres(server) => {
                Box::new(Postgres::new(server.clone(), password(server), patience).expecting(tables()))
            }
            Location::Dir { path } => {
                let documents = Documents::new(PathBuf::from(path), facts.documents.clone());
                Box::new(documents.with_backup(facts.backup.clone()))
            }
            _ => return Err(Error::new(Kind::Plugin, "the plugin names a kind of store this latchlift does not know")),
        })
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.global.lock_timeout)
    }
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

/// Whether two locations are one place.
pub(super) fn same_place(one: &Location, other: &Location) -> bool {
    let real = |path: &str| std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    let same =
        |a: &Server, b: &Server| (&a.host, a.port, &a.socket, &a.database) == (&b.host, b.port, &b.socket, &b.database);
    match (one, other) {
        (Location::Sqlite { path: a }, Location::Sqlite { path: b }) => real(a) == real(b),
        (Location::Dir { path: a }, Location::Dir { path: b }) => real(a) == real(b),
        (Location::Mysql(a), Location::Mysql(b)) | (Location::Postgres(a), Location::Postgres(b)) => same(a, b),
        _ => false,
    }
}
