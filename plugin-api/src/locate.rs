//! Where an instance's stores are.

use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Where one store is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Location {
    /// An SQLite file.
    Sqlite {
        /// The file, as the app names it; the host maps container paths.
        path: String,
    },
    /// A MariaDB or MySQL database.
    Mysql(Server),
    /// A PostgreSQL database.
    Postgres(Server),
    /// A directory of documents.
    Dir {
        /// The directory, as the app names it.
        path: String,
    },
}

/// A database on a server.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Name or address; empty where `socket` is given.
    pub host: String,
    /// TCP port; 0 for the server's usual one.
    pub port: u16,
    /// A unix socket: the file for MySQL, the directory or file for PostgreSQL.
    pub socket: Option<String>,
    /// The database user.
    pub user: String,
    /// The database password, where the settings hold one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The database.
    pub database: String,
    /// `disable`, `prefer` (the default), `require` (encrypted, certificate not checked), `verify`.
    pub tls: Option<String>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Server { host, port, socket, user, database, .. } = self;
        write!(f, "Server({user}@{}:{port}/{database})", socket.as_deref().unwrap_or(host))
    }
}

/// A store of an instance, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Located {
    /// The store's name; empty for an app with one.
    pub store: String,
    /// Where it is.
    pub location: Location,
}

/// The files the settings may name, seen from the host: container paths are mapped first.
pub trait Files {
    /// A small text file's content (a `NAME_FILE` secret); `None` where it does not exist.
    ///
    /// # Errors
    /// It cannot be read.
    fn text(&self, path: &str) -> Result<Option<String>>;
}
