//! A database with the store that opens it.

use latchlift::error::Result;
use latchlift::store::mysql::Mysql;
use latchlift::store::postgres::Postgres;
use latchlift::store::sqlite::Sqlite;
use latchlift::store::{Receipt, Store};
use latchlift_plugin_api::facts::Collection;
use latchlift_plugin_api::{Change, Facts, Page, Record, Select, Server, Step, Value};
use latchlift_tests::db::{Database, Dialect};
use latchlift_tests::servers::{self, PASSWORD, USER};
use std::any::Any;
use std::time::Duration;

/// How long the stores wait for a lock here.
pub const PATIENCE: Duration = Duration::from_secs(1);

pub struct Bench {
    pub database: Database,
    pub store: Box<dyn Store>,
    _directory: tempfile::TempDir,
}

impl Bench {
    pub fn sqlite() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db.sqlite");
        let database = Database::sqlite(path.clone());
        Bench { database, store: Box::new(Sqlite::new(path, PATIENCE)), _directory: directory }
    }

    pub fn mysql() -> Bench {
        Bench::mysql_with("utf8mb4", "utf8mb4_general_ci")
    }

    pub fn mysql_with(charset: &str, collation: &str) -> Bench {
        let database = Database::mysql(charset, collation, false).unwrap();
        let store = Box::new(Mysql::new(mysql_server(&database), Some(PASSWORD.to_owned().into()), PATIENCE));
        Bench { database, store, _directory: tempfile::tempdir().unwrap() }
    }

    pub fn postgres() -> Bench {
        let database = Database::postgres().unwrap();
        let store = Box::new(Postgres::new(postgres_server(&database), Some(PASSWORD.to_owned().into()), PATIENCE));
        Bench { database, store, _directory: tempfile::tempdir().unwrap() }
    }

    pub fn script(&self, sql: &str) {
        self.database.script(sql).unwrap();
    }

    /// The first value of the first row.
    pub fn value(&self, sql: &str) -> Option<String> {
        self.database.value(sql).unwrap()
    }

    /// Commits the changes as one step.
    pub fn commit(&self, changes: Vec<Change>, facts: &Facts) -> Result<Receipt> {
        let mut seen = Receipt::default();
        let mut witness = |receipt| {
            seen = receipt;
            Ok(())
        };
        self.store.commit(&step(changes), facts, &mut witness)?;
        Ok(seen)
    }

    /// Every row of the query, and how many pages they came in.
    pub fn all(&self, query: &Select) -> (Vec<Vec<Value>>, usize) {
        let mut reader = self.store.reader().unwrap();
        let (mut query, mut rows, mut pages) = (query.clone(), vec![], 0);
        loop {
            let Page { rows: more, next, .. } = reader.select(&query).unwrap();
            rows.extend(more);
            pages += 1;
            if next.is_empty() {
                return (rows, pages);
            }
            query.after = next;
        }
    }

    /// Runs the statements and keeps their transaction open for as long as the value lives.
    pub fn hold(&self, sql: &str) -> Box<dyn Any> {
        use ::mysql::prelude::Queryable;
        match self.database.dialect {
            Dialect::Sqlite => {
                let connection = rusqlite::Connection::open(self.database.file().unwrap()).unwrap();
                connection.execute_batch(&format!("BEGIN IMMEDIATE; {sql}")).unwrap();
                Box::new(connection)
            }
            Dialect::MySql => {
                let server = mysql_server(&self.database);
                let options = ::mysql::OptsBuilder::new().ip_or_hostname(Some("127.0.0.1")).tcp_port(server.port);
                let options = options.prefer_socket(false).user(Some(USER)).pass(Some(PASSWORD));
                let mut connection = ::mysql::Conn::new(options.db_name(Some(server.database))).unwrap();
                connection.query_drop("START TRANSACTION").unwrap();
                connection.query_drop(sql).unwrap();
                Box::new(connection)
            }
            Dialect::Postgres => {
                let server = postgres_server(&self.database);
                let mut options = ::postgres::Config::new();
                options.host("127.0.0.1").port(server.port).user(USER).password(PASSWORD).dbname(&server.database);
                let mut client = options.connect(::postgres::NoTls).unwrap();
                client.batch_execute(&format!("BEGIN; {sql}")).unwrap();
                Box::new(client)
            }
        }
    }
}

pub fn mysql_server(database: &Database) -> Server {
    let port = servers::mariadb().unwrap().port;
    Server { host: "127.0.0.1".into(), port, user: USER.into(), database: name(database), ..Server::default() }
}

pub fn postgres_server(database: &Database) -> Server {
    let port = servers::postgres().unwrap().port;
    Server { host: "127.0.0.1".into(), port, user: USER.into(), database: name(database), ..Server::default() }
}

fn name(database: &Database) -> String {
    database.location().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// Facts with these collections and their keys; a key that begins with `~` is a volatile field instead.
pub fn facts(collections: &[(&str, &[&str])]) -> Facts {
    let collections = collections.iter().map(|(name, fields)| {
        let (volatile, key): (Vec<&str>, Vec<&str>) = fields.iter().partition(|field| field.starts_with('~'));
        Collection {
            name: (*name).to_owned(),
            key: key.into_iter().map(str::to_owned).collect(),
            volatile: volatile.into_iter().map(|field| field[1..].to_owned()).collect(),
            ..Collection::default()
        }
    });
    Facts { collections: collections.collect(), ..Facts::default() }
}

pub fn step(changes: Vec<Change>) -> Step {
    Step { store: String::new(), changes }
}

/// New values for fields of one record.
pub fn update(collection: &str, key: Record, before: Record, after: Record) -> Change {
    Change::Update { collection: collection.into(), key: key.into(), before, after }
}
