//! PostgreSQL, over TCP, TLS or a unix socket.
//!
//! Values travel as text in PostgreSQL's own form and are cast by their column's type, so that a plan holds what `psql`
//! shows and every type there is can be read, compared and restored.

mod columns;
mod failure;

use super::server::{CONNECT, Encryption, Idle, Lent, Refusal, STATEMENT, Target, within};
use super::sql::{Database, Natural, Open, Reference, Statement, Table, write};
use super::{Standing, Store, StoreReader, Witness, tls};
use crate::error::{Error, Kind, Result};
use columns::quote;
use latchlift_plugin_api::{Cell, Column, Facts, Server, Step, StoreKind, Value};
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
}

impl Postgres {
    /// The database at `server`; `patience` is how long to wait for a lock.
    pub fn new(server: Server, password: Option<Zeroizing<String>>, patience: Duration) -> Postgres {
        let password = password.or_else(|| server.password.clone().map(Zeroizing::new));
        Postgres { target: Target { scheme: "postgres", server, password, patience }, idle: Idle::none() }
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
        let settle = |client: &mut Client| client.batch_execute("ROLLBACK").is_ok();
        let client = self.idle.lend(connect, settle, |client| {
            client.batch_execute(&begin).map_err(|why| failure::running(&self.target, &why))
        })?;
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
        Ok(Open::new(self.begin("READ ONLY")?))
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
        let mut open = Open::new(self.begin("READ WRITE")?);
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

/// A connection in a transaction.
struct Session {
    client: Lent<Client>,
    target: Target,
    /// The relations that were described, by the name they were asked for.
    relations: HashMap<String, Relation>,
}

impl Session {
    fn ask(&mut self, text: &str, name: String) -> Result<Vec<Vec<Value>>> {
        self.query(&Statement { text: text.to_owned(), values: vec![name.into()] })
    }
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

    fn describe(&mut self, table: &str) -> Result<Option<Table>> {
        // A generated column can be neither written nor restored. The search path decides what a bare name means.
        let rows = self.ask(
            "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, \
             a.atthasdef OR a.attidentity <> '', nullif(l.collname::text, 'default'), n.nspname::text, c.relname::text, \
             c.relkind::text \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
             LEFT JOIN pg_collation l ON l.oid = a.attcollation \
             WHERE c.oid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
             ORDER BY a.attnum",
            self.quote(table),
        )?;
        let Some(first) = rows.first() else { return Ok(None) };
        let text = |cell: &Value| cell.to_text().unwrap_or_default();
        let yes = |cell: &Value| cell.as_bool().unwrap_or_default();
        let kind = text(&first[7]);
        let relation = Relation { name: format!("{}.{}", quote(&text(&first[5])), quote(&text(&first[6]))), kind };
        // The parts of a partitioned table, and what a view looks at, have places of their own.
        let ctid = (relation.kind == "r").then(|| Natural { expression: "ctid".into(), reading: "ctid::text".into() });
        self.relations.insert(table.to_owned(), relation);
        let columns = rows.iter().map(|row| Column {
            name: text(&row[0]),
            kind: text(&row[1]),
            nullable: yes(&row[2]),
            has_default: yes(&row[3]),
            collation: row[4].to_text(),
        });
        Ok(Some(Table { columns: columns.collect(), natural: ctid.into_iter().collect() }))
    }

    fn references(&mut self, table: &str) -> Result<Vec<Reference>> {
        let rows = self.ask(
            "SELECT k.oid::text, \
             CASE WHEN pg_table_is_visible(c.oid) THEN c.relname::text ELSE n.nspname || '.' || c.relname END, \
             a.attname::text, b.attname::text, n.nspname::text, c.relname::text, c.relkind::text \
             FROM pg_constraint k CROSS JOIN unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(here, there, place) \
             JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.here \
             JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.there \
             WHERE k.contype = 'f' AND k.confrelid = to_regclass($1::text) AND k.conparentid = 0 \
             ORDER BY 2, k.oid, u.place",
            self.quote(table),
        )?;
        let mut found: Vec<(String, Reference)> = Vec::new();
        for row in rows {
            let cells: Vec<String> = row.into_iter().map(|cell| cell.to_text().unwrap_or_default()).collect();
            let [key, from, column, to, schema, name, kind] = <[String; 7]>::try_from(cells).unwrap_or_default();
            let relation = Relation { name: format!("{}.{}", quote(&schema), quote(&name)), kind };
            self.relations.entry(from.clone()).or_insert(relation);
            match found.last_mut() {
                Some((last, reference)) if *last == key => {
                    reference.columns.push(column);
                    reference.to.push(to);
                }
                _ => found.push((key, Reference { from, columns: vec![column], to: vec![to] })),
            }
        }
        Ok(found.into_iter().map(|(_, reference)| reference).collect())
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
