//! MariaDB and MySQL, over TCP, TLS or a unix socket.
//!
//! Reads see one consistent snapshot. Writes take the guards into the `WHERE` of each statement, which the server
//! evaluates on the rows as they are, so that a change by somebody else in between is seen.

mod catalogue;
mod columns;
mod failure;

use super::idle::{Idle, Lent};
use super::server::{CONNECT, Encryption, Refusal, STATEMENT, Target, within};
use super::sql::{Database, Open, Reference, Statement, Table, write};
use super::{Standing, Store, StoreReader, Witness, tls};
use crate::error::{Error, Kind, Result};
use catalogue::ForeignKey;
use columns::quote;
use latchlift_plugin_api::{Cell, Change, Column, Facts, Server, Step, StoreKind, Value};
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder, Params, SslOpts};
use std::collections::HashSet;
use std::time::Duration;
use zeroize::Zeroizing;

/// The engines that roll back.
const TRANSACTIONAL: [&str; 4] = ["InnoDB", "ROCKSDB", "TokuDB", "ndbcluster"];

/// A MariaDB or MySQL database.
pub struct Mysql {
    target: Target,
    idle: Idle<Conn>,
    /// The tables that readers will most likely ask for.
    tables: Vec<String>,
}

impl Mysql {
    /// The database at `server`; `patience` is how long to wait for a lock.
    pub fn new(server: Server, password: Option<Zeroizing<String>>, patience: Duration) -> Mysql {
        let password = password.or_else(|| server.password.clone().map(Zeroizing::new));
        Mysql {
            target: Target { scheme: "mysql", server, password, patience },
            idle: Idle::none(roll_back),
            tables: vec![],
        }
    }

    /// The same, described at once with the first table that a reader asks for.
    #[must_use]
    pub fn expecting(self, tables: Vec<String>) -> Mysql {
        Mysql { tables, ..self }
    }

    /// Connects and begins a transaction.
    fn begin(&self, transaction: &str) -> Result<Session> {
        let wait = self.target.patience.as_secs().max(1);
        // The mode is strict, so that nothing is cut to fit, and takes the zero dates that old releases of apps wrote.
        // A snapshot needs the isolation level that may have been configured away.
        let settings = format!(
            "SET NAMES utf8mb4, time_zone = '+00:00', \
             sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
             innodb_lock_wait_timeout = {wait}, lock_wait_timeout = {wait}, \
             foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0"
        );
        let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
        let connect = || self.target.connect(|encryption| self.attempt(encryption));
        let connection = self.idle.lend(
            connect,
            |_| true,
            |connection| {
                let mut begin = [settings.as_str(), isolation, transaction].into_iter();
                begin.try_for_each(|sql| connection.query_drop(sql)).map_err(|why| failure::running(&self.target, &why))
            },
        )?;
        Ok(Session { connection, target: self.target.clone(), keys: None, checked: HashSet::new() })
    }

    fn attempt(&self, encryption: Encryption) -> std::result::Result<Conn, Refusal> {
        if encryption == Encryption::Verified {
            // The driver reads the authorities itself, but would say only that there is no such file.
            tls::client(true).map_err(|error| Refusal { error, about_encryption: false })?;
        }
        let options = self.options(encryption);
        match within(CONNECT, move || Conn::new(options)) {
            Some(Ok(connection)) => Ok(connection),
            Some(Err(why)) => {
                let about_encryption = failure::about_encryption(&why, encryption);
                Err(Refusal { error: failure::connecting(&self.target, &why), about_encryption })
            }
            None => Err(Refusal { error: self.target.silent(), about_encryption: false }),
        }
    }

    fn options(&self, encryption: Encryption) -> OptsBuilder {
        let Target { server, password, patience, .. } = &self.target;
        let checked = encryption == Encryption::Verified;
        let authorities = tls::authorities().filter(|_| checked);
        let tls = (encryption != Encryption::Plain).then(|| {
            tls::use_ring();
            SslOpts::default().with_danger_accept_invalid_certs(!checked).with_root_cert_path(authorities)
        });
        OptsBuilder::new()
            .ip_or_hostname(Some(self.target.host()))
            .tcp_port(self.target.port())
            .socket(server.socket.clone())
            // On a loopback address the driver would ask the server for its socket and go on over the file of that name
            // here, behind which there may be another server.
            .prefer_socket(false)
            .user(Some(server.user.clone()))
            .pass(password.as_ref().map(|password| password.as_str()))
            .db_name(Some(server.database.clone()))
            .tcp_connect_timeout(Some(CONNECT))
            .read_timeout(Some(STATEMENT + *patience))
            .write_timeout(Some(STATEMENT))
            .ssl_opts(tls)
            // An UPDATE counts the rows it matched, not only those it altered.
            .additional_capabilities(mysql::consts::CapabilityFlags::CLIENT_FOUND_ROWS)
    }

    fn reading(&self) -> Result<Open<Session>> {
        let session = self.begin("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")?;
        Ok(Open::expecting(session, &self.tables))
    }
}

impl Store for Mysql {
    fn kind(&self) -> StoreKind {
        StoreKind::Mysql
    }

    fn place(&self) -> String {
        self.target.place()
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>> {
        Ok(Box::new(self.reading()?))
    }

    fn standing(&self, step: &Step, facts: &Facts) -> Result<Standing> {
        write::standing(&mut self.reading()?, step, facts)
    }

    fn commit(&self, step: &Step, facts: &Facts, witness: &mut Witness<'_>) -> Result<()> {
        let mut open =
            Open::expecting(self.begin("START TRANSACTION READ WRITE")?, step.changes.iter().map(Change::collection));
        // On an error the connection goes with its transaction open, which rolls it back.
        let receipt = write::write(&mut open, step, facts)?;
        witness(receipt)?;
        crate::fault::point("mysql.commit.before")?;
        let committed = open.database.connection.query_drop("COMMIT");
        committed.map_err(|why| failure::committing(&self.target, &why))?;
        // Past the commit there is nothing left that could fail; only the end of the process can come here.
        crate::fault::point("mysql.commit.after").ok();
        Ok(())
    }
}

fn roll_back(connection: &mut Conn) -> bool {
    connection.query_drop("ROLLBACK").is_ok()
}

/// A connection in a transaction.
struct Session {
    connection: Lent<Conn>,
    target: Target,
    /// The database's foreign keys, read all at once when first asked for: the catalogue has to look at every table to
    /// find those that point at one.
    keys: Option<Vec<ForeignKey>>,
    /// The tables known to roll back.
    checked: HashSet<String>,
}

impl Session {
    fn parameters(&self, statement: &Statement) -> Result<Params> {
        if statement.values.is_empty() {
            return Ok(Params::Empty);
        }
        let values: Option<Vec<mysql::Value>> = statement.values.iter().map(columns::bound).collect();
        let strange = || Error::new(Kind::Plugin, "the plugin gave a list or a map where a database has a value");
        values.map(Params::Positional).ok_or_else(strange)
    }
}

impl Database for Session {
    fn query_each(&mut self, statement: &Statement, each: &mut dyn FnMut(&mut [Cell<'_>]) -> Result<()>) -> Result<()> {
        let parameters = self.parameters(statement)?;
        let explain = |why: mysql::Error| failure::running(&self.target, &why);
        let result = self.connection.exec_iter(statement.text.as_str(), parameters).map_err(explain)?;
        let types: Vec<_> = result.columns().as_ref().iter().map(mysql::Column::column_type).collect();
        for row in result {
            let values = row.map_err(explain)?.unwrap();
            let mut cells: Vec<_> =
                values.iter().zip(&types).map(|(value, kind)| columns::cell(value, *kind)).collect();
            each(&mut cells)?;
        }
        Ok(())
    }

    fn execute(&mut self, statement: &Statement) -> Result<u64> {
        let parameters = self.parameters(statement)?;
        let done = self.connection.exec_drop(statement.text.as_str(), parameters);
        done.map_err(|why| failure::running(&self.target, &why))?;
        Ok(self.connection.affected_rows())
    }

    fn describe(&mut self, tables: &[String]) -> Result<Vec<Option<Table>>> {
        self.described(tables)
    }

    fn references(&mut self, table: &str) -> Result<Vec<Reference>> {
        let (schema, name) = self.place_of(table);
        let foreign = schema != self.target.server.database;
        let keys = self.foreign_keys()?.iter().filter(|key| !foreign && key.to == name);
        Ok(keys.map(|key| key.reference.clone()).collect())
    }

    fn transactional(&mut self, table: &str) -> Result<()> {
        if self.checked.contains(table) {
            return Ok(());
        }
        let [engine, kind] = self.engine(table)?;
        if TRANSACTIONAL.iter().any(|known| known.eq_ignore_ascii_case(&engine)) {
            self.checked.insert(table.to_owned());
            return Ok(());
        }
        Err(match kind.as_str() {
            "BASE TABLE" => no_way_back(table, &engine),
            _ => Error::new(Kind::Refused, format!("`{table}` is a view; latchlift writes to tables only")),
        })
    }

    fn quote(&self, name: &str) -> String {
        let parts: Vec<String> = name.split('.').map(quote).collect();
        parts.join(".")
    }

    fn place(&self, statement: &mut Statement, value: Value) {
        columns::push_value(statement, value);
    }

    fn reading(&self, column: &Column) -> String {
        columns::reading(column)
    }

    fn grouping(&self, column: &Column) -> String {
        columns::grouping(column)
    }

    fn compares_rows(&self) -> bool {
        // It would read all rows of the first field up to the place.
        false
    }

    fn groups_exactly(&self, column: &Column) -> bool {
        columns::Family::of(column) != columns::Family::Text
    }

    fn exact(&self, statement: &mut Statement, column: &Column, value: &Value) {
        columns::push_exact(statement, column, value);
    }

    fn comparable(&self, column: &Column) -> bool {
        columns::Family::of(column) != columns::Family::Float
    }

    fn lookup(&self, statement: &mut Statement, column: &Column, value: &Value) {
        columns::push_lookup(statement, column, value);
    }

    fn writing(&self, statement: &mut Statement, column: &Column, value: &Value) {
        columns::push_value(statement, columns::stored(column, value));
    }

    fn bound(&self, statement: &mut Statement, column: &Column, value: &Value) {
        columns::push_bound(statement, column, value);
    }

    fn same(&self, column: &Column) -> String {
        columns::same(column)
    }

    fn one_row(&self, statement: &mut Statement, _: &str, filter: &mut dyn FnMut(&mut Statement)) {
        statement.push(" WHERE ");
        filter(statement);
        statement.push(" LIMIT 1");
    }

    fn stored(&self, column: &Column, value: &Value) -> Value {
        columns::stored(column, value)
    }
}

fn no_way_back(table: &str, engine: &str) -> Error {
    let message = format!("`{table}` is kept by the engine {engine}, which cannot take a change back when one fails");
    Error::new(Kind::Refused, message)
        .help(format!("convert it first, with a backup at hand: ALTER TABLE {} ENGINE = InnoDB", quote(table)))
}
