//! PostgreSQL, over TCP, TLS or a unix socket.
//!
//! Values travel as text in PostgreSQL's own form and are cast by their column's type, so that a plan holds what `psql`
//! shows and every type there is can be read, compared and restored.

mod catalogue;
mod columns;
mod failure;

use super::idle::{Idle, Lent};
use super::server::{CONNECT, Encryption, Refusal, STATEMENT, Target, within};
use super::sql::{Database, Open, Reference, Statement, Table, write};
use super::{Standing, Store, StoreReader, Witness, tls};
use crate::error::{Error, Kind, Result};
use columns::quote;
use latchlift_plugin_api::{Cell, Change, Column, Facts, Server, Step, StoreKind, Value};
use postgres::config::SslMode;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config, NoTls};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

/// A PostgreSQL database.
pub struct Postgres {
    target: Target,
    idle: Idle<Client>,
    /// The tables that readers will most likely ask for.
    tables: Vec<String>,
}

impl Postgres {
    /// The database at `server`; `patience` is how long to wait for a lock.
    pub fn new(server: Server, password: Option<Zeroizing<String>>, patience: Duration) -> Postgres {
        let password = password.or_else(|| server.password.clone().map(Zeroizing::new));
        Postgres {
            target: Target { scheme: "postgres", server, password, patience },
            idle: Idle::none(roll_back),
            tables: vec![],
        }
    }

    /// The same, described at once with the first table that a reader asks for.
    #[must_use]
    pub fn expecting(self, tables: Vec<String>) -> Postgres {
        Postgres { tables, ..self }
    }

    /// Connects and begins a transaction. What the session relies on is set within it, so that it holds behind a pooler
    /// too, which may give the next transaction to another session.
    fn begin(&self, mode: &str) -> Result<Session> {
        let patience = self.target.patience.as_millis().max(1);
        let limit = (STATEMENT + self.target.patience).as_millis();
        // Rows that a policy hides would look as if they were not there; with row_security off they are an error.
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ {mode}; \
             SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL TimeZone = 'UTC'; SET LOCAL IntervalStyle = 'postgres'; \
             SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3; \
             SET LOCAL standard_conforming_strings = on; SET LOCAL row_security = off; \
             SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0; \
             SET LOCAL lock_timeout = {patience}; SET LOCAL statement_timeout = {limit}"
        );
        let connect = || self.target.connect(|encryption| self.attempt(encryption));
        let client = self.idle.lend(
            connect,
            |_| true,
            |client| client.batch_execute(&begin).map_err(|why| failure::running(&self.target, &why)),
        )?;
        Ok(Session { client, target: self.target.clone(), relations: HashMap::new() })
    }

    fn attempt(&self, encryption: Encryption) -> std::result::Result<Client, Refusal> {
        let fixed = |error| Refusal { error, about_encryption: false };
        let options = self.options(encryption);
        let connected = match encryption {
            Encryption::Plain => within(CONNECT, move || options.connect(NoTls)),
            _ => {
                let tls = tls::client(encryption == Encryption::Verified).map_err(fixed)?;
                within(CONNECT, move || options.connect(MakeRustlsConnect::new(tls)))
            }
        };
        match connected {
            Some(Ok(client)) => Ok(client),
            Some(Err(why)) => {
                let about_encryption = failure::about_encryption(&why, encryption);
                Err(Refusal { error: failure::connecting(&self.target, &why), about_encryption })
            }
            None => Err(fixed(self.target.silent())),
        }
    }

    fn options(&self, encryption: Encryption) -> Config {
        let Target { server, password, .. } = &self.target;
        let mut options = Config::new();
        options.user(&server.user).dbname(&server.database).application_name("latchlift");
        options.connect_timeout(CONNECT).tcp_user_timeout(STATEMENT);
        match &server.socket {
            Some(socket) => {
                let (directory, port) = socket_parts(socket);
                options.host_path(directory).port(port.unwrap_or(self.target.port()));
            }
            None => drop(options.host(self.target.host()).port(self.target.port())),
        }
        if let Some(password) = password {
            options.password(password.as_str());
        }
        options.ssl_mode(if encryption == Encryption::Plain { SslMode::Disable } else { SslMode::Require });
        options
    }

    fn reading(&self) -> Result<Open<Session>> {
        Ok(Open::expecting(self.begin("READ ONLY")?, &self.tables))
    }
}

/// The directory of a socket, and the port where the socket itself is given: `/run/postgresql/.s.PGSQL.5433`.
fn socket_parts(socket: &str) -> (&Path, Option<u16>) {
    let path = Path::new(socket);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match (name.strip_prefix(".s.PGSQL.").and_then(|port| port.parse().ok()), path.parent()) {
        (Some(port), Some(directory)) => (directory, Some(port)),
        _ => (path, None),
    }
}

impl Store for Postgres {
    fn kind(&self) -> StoreKind {
        StoreKind::Postgres
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
        let mut open = Open::expecting(self.begin("READ WRITE")?, step.changes.iter().map(Change::collection));
        // On an error the connection goes with its transaction open, which rolls it back.
        let receipt = write::write(&mut open, step, facts)?;
        witness(receipt)?;
        crate::fault::point("postgres.commit.before")?;
        let committed = open.database.client.batch_execute("COMMIT");
        committed.map_err(|why| failure::committing(&self.target, &why))?;
        // Past the commit there is nothing left that could fail; only the end of the process can come here.
        crate::fault::point("postgres.commit.after").ok();
        Ok(())
    }
}

/// What a name means here.
struct Relation {
    /// Schema and name, quoted.
    name: String,
    /// `r` for a table, `v` for a view, and so on.
    kind: String,
}

fn roll_back(client: &mut Client) -> bool {
    client.batch_execute("ROLLBACK").is_ok()
}

/// A connection in a transaction.
struct Session {
    client: Lent<Client>,
    target: Target,
    /// The relations that were described, by the name they were asked for.
    relations: HashMap<String, Relation>,
}

impl Database for Session {
    fn query_each(&mut self, statement: &Statement, each: &mut dyn FnMut(&mut [Cell<'_>]) -> Result<()>) -> Result<()> {
        let explain = |why: postgres::Error| failure::running(&self.target, &why);
        let parameters = columns::parameters(statement)?;
        let mut rows = self.client.query_typed_raw(&statement.text, parameters).map_err(explain)?;
        while let Some(row) = rows.next().map_err(explain)? {
            let cells: std::result::Result<Vec<_>, _> = (0..row.len()).map(|i| columns::cell(&row, i)).collect();
            each(&mut cells.map_err(explain)?)?;
        }
        Ok(())
    }

    fn execute(&mut self, statement: &Statement) -> Result<u64> {
        let explain = |why: postgres::Error| failure::running(&self.target, &why);
        let parameters = columns::parameters(statement)?;
        let mut done = self.client.query_typed_raw(&statement.text, parameters).map_err(explain)?;
        while done.next().map_err(explain)?.is_some() {}
        Ok(done.rows_affected().unwrap_or_default())
    }

    fn describe(&mut self, tables: &[String]) -> Result<Vec<Option<Table>>> {
        self.described(tables)
    }

    fn references(&mut self, table: &str) -> Result<Vec<Reference>> {
        self.referring(table)
    }

    fn transactional(&mut self, table: &str) -> Result<()> {
        let what = match self.relations.get(table).map(|relation| relation.kind.as_str()) {
            Some("r" | "p") | None => return Ok(()),
            Some("f") => "a foreign table, which another server keeps",
            Some("m") => "a materialized view",
            Some(_) => "a view",
        };
        Err(Error::new(Kind::Refused, format!("`{table}` is {what}; latchlift writes to tables only")))
    }

    fn scans_in_order(&self) -> bool {
        // A scan from the start and by one process, as the session asks for, meets rows in the order of their ctid.
        true
    }

    fn quote(&self, name: &str) -> String {
        let parts: Vec<String> = name.split('.').map(quote).collect();
        parts.join(".")
    }

    fn relation(&self, table: &str) -> String {
        self.relations.get(table).map_or_else(|| self.quote(table), |relation| relation.name.clone())
    }

    fn place(&self, statement: &mut Statement, value: Value) {
        let n = statement.bind(value);
        statement.push(&format!("(${n}::text)::tid"));
    }

    fn reading(&self, column: &Column) -> String {
        columns::reading(column)
    }

    fn exact(&self, statement: &mut Statement, column: &Column, value: &Value) {
        columns::push_exact(statement, column, value);
    }

    fn lookup(&self, statement: &mut Statement, column: &Column, value: &Value) {
        columns::push_lookup(statement, column, value);
    }

    fn writing(&self, statement: &mut Statement, column: &Column, value: &Value) {
        columns::push_written(statement, column, value);
    }

    fn overriding(&self) -> &'static str {
        // A column `GENERATED ALWAYS AS IDENTITY` must get the number it had.
        " OVERRIDING SYSTEM VALUE"
    }

    fn nulls_first(&self) -> &'static str {
        " NULLS FIRST"
    }

    fn same(&self, column: &Column) -> String {
        columns::same(column)
    }

    fn one_row(&self, statement: &mut Statement, table: &str, filter: &mut dyn FnMut(&mut Statement)) {
        let relation = self.relation(table);
        match self.relations.get(table).map(|relation| relation.kind.as_str()) {
            // A place is a place within one part.
            Some("p") => {
                let parts = "(tableoid, ctid)";
                statement.push(&format!(" WHERE {parts} = (SELECT tableoid, ctid FROM {relation} WHERE "));
            }
            _ => drop(statement.push(&format!(" WHERE ctid = (SELECT ctid FROM {relation} WHERE "))),
        }
        filter(statement);
        statement.push(" LIMIT 1)");
    }

    fn stored(&self, column: &Column, value: &Value) -> Value {
        columns::stored(column, value)
    }
}
