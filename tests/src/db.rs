//! One database of a test: made fresh, filled by statements, read back whole.

use crate::dump::{Dump, Row};
use crate::servers::{self, PASSWORD, USER};
use crate::{Result, embedded_only};
use mysql::prelude::Queryable;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// How a database wants its names and values written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// MariaDB and MySQL.
    MySql,
    /// PostgreSQL.
    Postgres,
}

/// A value to store.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Yes or no, in the dialect's way.
    Bool(bool),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Cell {
        Cell::Int(number)
    }
}

impl From<bool> for Cell {
    fn from(yes: bool) -> Cell {
        Cell::Bool(yes)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Into::into)
    }
}

impl Dialect {
    /// The word for it in test ids.
    pub fn word(self) -> &'static str {
        match self {
            Dialect::Sqlite => "sqlite",
            Dialect::MySql => "mysql",
            Dialect::Postgres => "postgres",
        }
    }

    /// A name, quoted.
    pub fn name(self, name: &str) -> String {
        match self {
            Dialect::MySql => format!("`{name}`"),
            _ => format!("\"{name}\""),
        }
    }

    /// A value, quoted.
    pub fn literal(self, cell: &Cell) -> String {
        match (self, cell) {
            (_, Cell::Null) => "NULL".to_owned(),
            (_, Cell::Int(number)) => number.to_string(),
            (Dialect::Postgres, Cell::Bool(yes)) => yes.to_string(),
            (_, Cell::Bool(yes)) => u8::from(*yes).to_string(),
            (Dialect::MySql, Cell::Text(text)) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            (_, Cell::Text(text)) => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// An INSERT of one row.
    pub fn insert(self, table: &str, cells: &[(&str, Cell)]) -> String {
        let names: Vec<String> = cells.iter().map(|(name, _)| self.name(name)).collect();
        let values: Vec<String> = cells.iter().map(|(_, cell)| self.literal(cell)).collect();
        format!("INSERT INTO {} ({}) VALUES ({});\n", self.name(table), names.join(", "), values.join(", "))
    }
}

/// A database of its own, gone with the value.
pub struct Database {
    /// How it wants its names and values written.
    pub dialect: Dialect,
    place: Place,
    client: Mutex<Option<Client>>,
}

/// A connection, kept: a dump asks many questions.
enum Client {
    MySql(Box<mysql::Conn>),
    Postgres(Box<postgres::Client>),
}

enum Place {
    File(PathBuf),
    Server { name: String, over_socket: bool },
}

impl Database {
    /// A new SQLite file.
    pub fn sqlite(path: PathBuf) -> Database {
        Database { dialect: Dialect::Sqlite, place: Place::File(path), client: Mutex::new(None) }
    }

    /// A new database on the private MariaDB, with this character set and collation.
    ///
    /// # Errors
    /// The server cannot be had.
    pub fn mysql(charset: &str, collation: &str, over_socket: bool) -> Result<Database> {
        let database = Database::on_server(Dialect::MySql, over_socket);
        let name = database.server_name()?;
        let mut admin = mysql_client(None)?;
        admin.query_drop(format!("CREATE DATABASE {name} CHARACTER SET {charset} COLLATE {collation}"))?;
        Ok(database)
    }

    /// A new database on the private PostgreSQL.
    ///
    /// # Errors
    /// The server cannot be had.
    pub fn postgres() -> Result<Database> {
        let database = Database::on_server(Dialect::Postgres, false);
        let name = database.server_name()?;
        let mut admin = servers::postgres_client(servers::postgres()?, USER, "postgres")?;
        admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        Ok(database)
    }

    fn on_server(dialect: Dialect, over_socket: bool) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Database { dialect, place: Place::Server { name, over_socket }, client: Mutex::new(None) }
    }

    fn server_name(&self) -> Result<&str> {
        match &self.place {
            Place::Server { name, .. } => Ok(name),
            Place::File(_) => Err("a file has no name on a server".into()),
        }
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Server { .. } => None,
        }
    }

    /// Where it is, as `--app PLUGIN:` takes it; without a password.
    ///
    /// # Errors
    /// The server cannot be had.
    pub fn location(&self) -> Result<String> {
        Ok(match (&self.place, self.dialect) {
            (Place::File(path), _) => path.display().to_string(),
            (Place::Server { name, over_socket: true }, Dialect::MySql) => {
                format!("mysql://{USER}@localhost/{name}?socket={}", servers::mariadb()?.socket.display())
            }
            (Place::Server { name, .. }, Dialect::MySql) => {
                format!("mysql://{USER}@127.0.0.1:{}/{name}", servers::mariadb()?.port)
            }
            (Place::Server { name, .. }, _) => {
                format!("postgres://{USER}@127.0.0.1:{}/{name}", servers::postgres()?.port)
            }
        })
    }

    /// The password that goes with [`Database::location`].
    pub fn password(&self) -> Option<&'static str> {
        matches!(self.place, Place::Server { .. }).then_some(PASSWORD)
    }

    /// Runs several statements.
    ///
    /// # Errors
    /// One of them fails.
    pub fn script(&self, sql: &str) -> Result<()> {
        let shown = |why: String| format!("{why}\nin: {}", sql.chars().take(2000).collect::<String>());
        match &self.place {
            Place::File(path) => {
                let connection = rusqlite::Connection::open(path)?;
                connection.execute_batch("PRAGMA synchronous = off; PRAGMA foreign_keys = on")?;
                connection.execute_batch(sql).map_err(|why| shown(why.to_string()))?;
            }
            Place::Server { name, .. } if self.dialect == Dialect::MySql => {
                let mut results = mysql_client(Some(name))?;
                let mut results = results.query_iter(sql).map_err(|why| shown(why.to_string()))?;
                while let Some(result) = results.iter() {
                    for row in result {
                        row.map_err(|why| shown(why.to_string()))?;
                    }
                }
            }
            Place::Server { name, .. } => {
                let mut client = servers::postgres_client(servers::postgres()?, USER, name)?;
                client.batch_execute(sql).map_err(|why| shown(why.to_string()))?;
            }
        }
        Ok(())
    }

    /// Loads a dump with the server's own client, which understands what dumps may hold.
    ///
    /// # Errors
    /// There is no such client, or it refuses the dump.
    pub fn load(&self, file: &Path) -> Result<()> {
        let name = self.server_name()?;
        let mut client = match self.dialect {
            Dialect::MySql => {
                let mut client = Command::new("mariadb");
                client.args(["--no-defaults", "-u", "root", "--default-character-set=utf8mb4", "-S"]);
                client.arg(&servers::mariadb()?.socket).arg(name);
                client
            }
            _ => {
                let server = servers::postgres()?;
                let mut client = Command::new("psql");
                client.args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-U", USER, "-p", &server.port.to_string(), "-h"]);
                client.arg(&server.socket).arg(name);
                client
            }
        };
        client.stdin(std::fs::File::open(file)?).stdout(Stdio::null());
        let output = client.output().map_err(|why| format!("{why}; `make setup` installs the clients"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{}: {said}", file.display()).into()) }
    }

    /// The rows a query gives, as text.
    ///
    /// # Errors
    /// It fails.
    pub fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        match &self.place {
            Place::File(path) => sqlite_rows(path, sql),
            Place::Server { name, .. } => self.server_rows(name, sql),
        }
    }

    fn server_rows(&self, name: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let mut kept = self.client.lock().map_err(|_| "a test died while asking")?;
        let client = match kept.take() {
            Some(client) => client,
            None if self.dialect == Dialect::MySql => Client::MySql(Box::new(mysql_client(Some(name))?)),
            None => Client::Postgres(Box::new(servers::postgres_client(servers::postgres()?, USER, name)?)),
        };
        match kept.insert(client) {
            Client::MySql(client) => mysql_rows(client, sql),
            Client::Postgres(client) => postgres_rows(client, sql),
        }
    }

    /// The first value of the first row.
    ///
    /// # Errors
    /// The query fails, or gives nothing.
    pub fn value(&self, sql: &str) -> Result<Option<String>> {
        let rows = self.rows(sql)?;
        let first = rows.into_iter().next().and_then(|row| row.into_iter().next());
        first.ok_or_else(|| format!("no rows: {sql}").into())
    }

    /// All tables.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn tables(&self) -> Result<Vec<String>> {
        let rows = self.rows(match self.dialect {
            // Its own tables count what was ever numbered, and no more belong to the app than a server's counters do.
            Dialect::Sqlite => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
            }
            Dialect::MySql => {
                "SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY table_name"
            }
            Dialect::Postgres => {
                "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') \
                 AND schemaname = current_schema() ORDER BY tablename"
            }
        })?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// The columns of a table; none if there is no such table.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn columns(&self, table: &str) -> Result<Vec<String>> {
        let table = self.dialect.literal(&table.into());
        let rows = self.rows(&match self.dialect {
            Dialect::Sqlite => format!("SELECT name FROM pragma_table_info({table})"),
            Dialect::MySql => format!(
                "SELECT column_name FROM information_schema.columns \
                 WHERE table_schema = database() AND table_name = {table} ORDER BY ordinal_position"
            ),
            Dialect::Postgres => format!(
                "SELECT column_name FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = {table} ORDER BY ordinal_position"
            ),
        })?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// Everything in it. Values come with enough of their type that a changed type shows.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn dump(&self) -> Result<Dump> {
        let mut dump = Dump::default();
        for table in self.tables()? {
            let columns = self.columns(&table)?;
            let listed: Vec<String> = columns.iter().map(|column| self.exact(column)).collect();
            let sql = format!("SELECT {} FROM {}", listed.join(", "), self.dialect.name(&table));
            for row in self.rows(&sql)? {
                let values = row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned()));
                dump.add(&table, columns.iter().cloned().zip(values).collect::<Row>());
            }
        }
        Ok(dump.sorted())
    }

    /// A column such that different values never look the same.
    fn exact(&self, column: &str) -> String {
        let name = self.dialect.name(column);
        match self.dialect {
            Dialect::Sqlite => format!("quote({name})"),
            Dialect::MySql => format!("quote({name})"),
            Dialect::Postgres => format!("quote_nullable({name}::text)"),
        }
    }
}

impl Drop for Database {
    /// Servers are shared by all tests of a process; files go with their directory.
    fn drop(&mut self) {
        let Place::Server { name, .. } = &self.place else { return };
        let sql = format!("DROP DATABASE IF EXISTS {name}");
        // Nothing is lost if it fails: the server itself goes soon.
        let _ = match self.dialect {
            Dialect::MySql => mysql_client(None).and_then(|mut admin| Ok(admin.query_drop(sql)?)),
            _ => servers::postgres()
                .and_then(|server| servers::postgres_client(server, USER, "postgres"))
                .and_then(|mut admin| Ok(admin.batch_execute(&format!("{sql} WITH (FORCE)"))?)),
        };
    }
}

fn mysql_client(database: Option<&str>) -> Result<mysql::Conn> {
    if embedded_only() {
        return Err("LATCHLIFT_TEST_STORE=embedded leaves servers out".into());
    }
    let server = servers::mariadb()?;
    let options = mysql::OptsBuilder::new()
        .user(Some("root"))
        .socket(Some(server.socket.to_string_lossy()))
        .db_name(database)
        .init(vec!["SET time_zone = '+00:00'"])
        .additional_capabilities(mysql::consts::CapabilityFlags::CLIENT_MULTI_STATEMENTS);
    Ok(mysql::Conn::new(options)?)
}

fn mysql_rows(client: &mut mysql::Conn, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    let rows: Vec<mysql::Row> = client.query(sql)?;
    Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(mysql_text).collect()).collect())
}

fn mysql_text(value: mysql::Value) -> Option<String> {
    match value {
        mysql::Value::NULL => None,
        mysql::Value::Bytes(bytes) => Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(why) => format!("{:02x?}", why.into_bytes()),
        }),
        other => Some(other.as_sql(true)),
    }
}

fn postgres_rows(client: &mut postgres::Client, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    let rows = client.simple_query(sql)?.into_iter().filter_map(|message| match message {
        postgres::SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}

fn sqlite_rows(path: &Path, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    use rusqlite::types::ValueRef;
    let connection = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            })
        });
        found.push(values.collect::<rusqlite::Result<_>>()?);
    }
    Ok(found)
}
