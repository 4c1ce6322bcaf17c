//! An open connection: its transactions, and SQLite's dialect.

use super::columns::{Bound, cell, quote};
use super::failure;
use crate::atomic::Identity;
use crate::error::{Error, Kind, Result};
use crate::store::sql::{Database, Natural, Open, Reference, Statement, Table};
use latchlift_plugin_api::{Cell, Column, Value};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An open file.
pub struct Session {
    pub connection: Connection,
    path: PathBuf,
    /// The file when it was opened, and then as each use left it.
    file: Identity,
    /// SQLite's number for the layout of the tables, when it was looked at last.
    layout: Option<i64>,
    patience: Duration,
}

impl Session {
    /// Opens the file. `patience` is how long to wait for a lock.
    ///
    /// # Errors
    /// There is no such file, or it may not be opened.
    pub fn open(path: &Path, flags: OpenFlags, patience: Duration) -> Result<Session> {
        let file = identity(path)?;
        let explain = |why| failure::explain(path, patience, &why);
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(explain)?;
        connection.busy_timeout(patience).map_err(explain)?;
        Ok(Session { connection, path: path.to_owned(), file, layout: None, patience })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path stands for the file as the last use left it. SQLite itself sees what others wrote by its rules, but
    /// not what was copied over the file.
    pub fn is_current(&self) -> bool {
        identity(&self.path).is_ok_and(|file| file == self.file)
    }

    /// Whether it was opened for writing, and the system allowed that.
    pub fn may_write(&self) -> bool {
        !self.connection.is_readonly("main").unwrap_or_default()
    }

    fn explain(&self, why: &rusqlite::Error) -> Error {
        failure::explain(&self.path, self.patience, why)
    }

    /// The collation of a column, where it is not the usual one that compares bytes.
    fn collation(&self, table: &str, column: &str) -> Option<String> {
        let (_, collation, ..) = self.connection.column_metadata(None, table, column).ok()?;
        let collation = collation?.to_str().ok()?.to_lowercase();
        Some(collation).filter(|collation| collation != "binary")
    }

    fn without_rowid(&self, table: &str) -> bool {
        self.connection.prepare(&format!("SELECT rowid FROM {} LIMIT 0", quote(table))).is_err()
    }

    fn described(&mut self, table: &str) -> Result<Option<Table>> {
        let mut statement = Statement::new(
            "SELECT name, lower(type), \"notnull\", dflt_value IS NOT NULL, pk FROM pragma_table_info(?1) \
             WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE name = ?1 AND type = 'table')",
        );
        statement.bind(table.into());
        let rows = self.query(&statement)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let text = |cell: &Value| cell.to_text().unwrap_or_default();
        let yes = |cell: &Value| cell.as_bool().unwrap_or_default();
        let columns = rows.iter().map(|row| Column {
            name: text(&row[0]),
            kind: text(&row[1]),
            nullable: !yes(&row[2]),
            has_default: yes(&row[3]),
            collation: self.collation(table, &text(&row[0])),
        });
        let columns: Vec<Column> = columns.collect();
        let natural = match self.without_rowid(table) {
            false => vec!["rowid".to_owned()],
            true => rows.iter().filter(|row| yes(&row[4])).map(|row| quote(&text(&row[0]))).collect(),
        };
        let natural = natural.into_iter().map(|name| Natural { expression: name.clone(), reading: name }).collect();
        Ok(Some(Table { columns, natural, ..Table::default() }))
    }
}

impl Open<Session> {
    /// Begins a snapshot: the first read takes the shared lock that holds it.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn begin_reading(&mut self) -> rusqlite::Result<()> {
        self.database.connection.execute_batch("PRAGMA query_only = ON; BEGIN")?;
        self.check_layout()
    }

    /// Begins a transaction that may write, and takes the lock for it.
    ///
    /// # Errors
    /// [`Kind::Denied`], [`Kind::Locked`] and as SQLite says.
    pub fn begin_writing(&mut self) -> Result<()> {
        let Session { connection, path, .. } = &self.database;
        // SQLite would begin all the same, and refuse the first write.
        if !self.database.may_write() {
            return Err(failure::denied(path, "write"));
        }
        let begun = connection.execute_batch("PRAGMA query_only = OFF; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE");
        begun.and_then(|()| self.check_layout()).map_err(|why| self.database.explain(&why))
    }

    /// Forgets what was found out about the tables where their layout is another by SQLite's own count.
    fn check_layout(&mut self) -> rusqlite::Result<()> {
        let connection = &self.database.connection;
        let layout = Some(connection.pragma_query_value(None, "schema_version", |row| row.get(0))?);
        if self.database.layout != layout {
            // A file that is no database, or a damaged one, shows here, and SQLite reads the layout anew: not every question
            // about a table looks whether it is still the same.
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
            self.database.layout = layout;
            self.forget();
        }
        Ok(())
    }

    /// Ends a transaction, which rolls back what was not committed. Gives whether the connection may be kept: not with a
    /// write-ahead log, for which it might be the last one, and the last one to leave writes the log back and removes it.
    pub fn settle(&mut self) -> bool {
        let Session { connection, path, file, .. } = &mut self.database;
        let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        let ended = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        let left = identity(path).ok().filter(|left| left.is_of(file));
        let Some(left) = left.filter(|_| ended && journal.is_ok_and(|journal| journal != "wal")) else { return false };
        *file = left;
        true
    }
}

impl Database for Session {
    fn query_each(&mut self, statement: &Statement, each: &mut dyn FnMut(&mut [Cell<'_>]) -> Result<()>) -> Result<()> {
        let explain = |why: rusqlite::Error| self.explain(&why);
        let mut prepared = self.connection.prepare_cached(&statement.text).map_err(explain)?;
        let width = prepared.column_count();
        let values = statement.values.iter().map(Bound);
        let mut rows = prepared.query(rusqlite::params_from_iter(values)).map_err(explain)?;
        while let Some(row) = rows.next().map_err(explain)? {
            let mut cells = Vec::with_capacity(width);
            for i in 0..width {
                cells.push(cell(row.get_ref(i).map_err(explain)?));
            }
            each(&mut cells)?;
        }
        Ok(())
    }

    fn execute(&mut self, statement: &Statement) -> Result<u64> {
        let values = statement.values.iter().map(Bound);
        let changed = self.connection.prepare_cached(&statement.text);
        let changed = changed.and_then(|mut prepared| prepared.execute(rusqlite::params_from_iter(values)));
        changed.map(|n| n as u64).map_err(|why| self.explain(&why))
    }

    fn describe(&mut self, tables: &[String]) -> Result<Vec<Option<Table>>> {
        tables.iter().map(|table| self.described(table)).collect()
    }

    fn references(&mut self, table: &str) -> Result<Vec<Reference>> {
        let mut statement = Statement::new(
            // A key that names no column means the parent's primary key.
            "SELECT m.name, f.id, f.\"from\", \
                 coalesce(f.\"to\", (SELECT p.name FROM pragma_table_info(?1) p WHERE p.pk = f.seq + 1), 'rowid') \
             FROM sqlite_master m, pragma_foreign_key_list(m.name) f \
             WHERE m.type = 'table' AND lower(f.\"table\") = lower(?1) ORDER BY m.name, f.id, f.seq",
        );
        statement.bind(table.into());
        let mut found: Vec<(Value, Reference)> = Vec::new();
        for row in self.query(&statement)? {
            let [from, id, column, to] = <[Value; 4]>::try_from(row).unwrap_or_default();
            let text = |cell: Value| cell.to_text().unwrap_or_default();
            let to = text(to);
            match found.last_mut() {
                Some((last, reference)) if *last == id && Some(&reference.from) == from.to_text().as_ref() => {
                    reference.columns.push(text(column));
                    reference.to.push(to);
                }
                _ => found.push((id, Reference { from: text(from), columns: vec![text(column)], to: vec![to] })),
            }
        }
        Ok(found.into_iter().map(|(_, reference)| reference).collect())
    }

    fn locking(&self) -> &'static str {
        // Nobody else writes while a transaction does.
        ""
    }

    fn quote(&self, name: &str) -> String {
        quote(name)
    }

    fn place(&self, statement: &mut Statement, value: Value) {
        let n = statement.bind(value);
        statement.push(&format!("?{n}"));
    }

    fn reading(&self, column: &Column) -> String {
        quote(&column.name)
    }

    fn grouping(&self, column: &Column) -> String {
        format!("{} COLLATE BINARY", quote(&column.name))
    }

    fn exact(&self, statement: &mut Statement, column: &Column, value: &Value) {
        // The plus takes the column's affinity away, so that the text `1` is not the number 1; the collation goes too.
        let n = statement.bind(value.clone());
        statement.push(&format!("+{} COLLATE BINARY IS ?{n}", quote(&column.name)));
    }

    fn lookup(&self, statement: &mut Statement, column: &Column, value: &Value) {
        if *value == Value::Null {
            statement.push(&format!("{} IS NULL", quote(&column.name)));
            return;
        }
        let n = statement.bind(value.clone());
        statement.push(&format!("({0} = ?{n} AND +{0} COLLATE BINARY IS ?{n})", quote(&column.name)));
    }

    fn writing(&self, statement: &mut Statement, column: &Column, value: &Value) {
        let n = statement.bind(self.stored(column, value));
        statement.push(&format!("?{n}"));
    }

    fn same(&self, column: &Column) -> String {
        let name = quote(&column.name);
        match column.collation.as_deref() {
            Some("nocase") => format!("lower({name})"),
            Some("rtrim") => format!("rtrim({name}, ' ')"),
            _ => name,
        }
    }

    fn one_row(&self, statement: &mut Statement, table: &str, filter: &mut dyn FnMut(&mut Statement)) {
        if self.without_rowid(table) {
            statement.push(" WHERE ");
            return filter(statement);
        }
        statement.push(&format!(" WHERE rowid = (SELECT rowid FROM {} WHERE ", quote(table)));
        filter(statement);
        statement.push(" LIMIT 1)");
    }

    fn stored(&self, _: &Column, value: &Value) -> Value {
        match value {
            Value::Bool(yes) => Value::Int(i64::from(*yes)),
            other => other.clone(),
        }
    }
}

/// What the path stands for now.
fn identity(path: &Path) -> Result<Identity> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(Identity::of(&found)),
        Ok(_) => Err(Error::new(Kind::Unreachable, format!("{} is not a file", path.display()))),
        Err(why) => Err(failure::unreachable(path, &why)),
    }
}
