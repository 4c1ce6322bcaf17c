//! SQLite: one file, where one connection serves to look, to write with `BEGIN IMMEDIATE` and to look again.
//!
//! It is opened read-only where nothing will be written, and may write only between a commit's begin and end.
//! Never creates a database and never replaces one: an app may hold it open. SQLite itself gives the side files
//! (`-journal`, `-wal`) the owner and mode of the database.

use super::idle::{Idle, Lent};
use super::sql::{Database, Natural, Open, Reference, Statement, Table, write};
use super::{PageAsBytes, Standing, Store, StoreReader, Witness};
use crate::atomic;
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::{Cell, Column, Facts, File, Filter, Page, Select, Step, StoreKind, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, ffi};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many prepared statements are kept: as many as a plugin asks for one account.
const STATEMENTS: usize = 64;

/// An SQLite file.
pub struct Sqlite {
    path: PathBuf,
    patience: Duration,
    /// Whether there will be a commit.
    writes: bool,
    idle: Idle<Open<Session>>,
}

impl Sqlite {
    /// The file at `path`; `patience` is how long to wait for a lock.
    pub fn new(path: PathBuf, patience: Duration) -> Sqlite {
        Sqlite { path, patience, writes: false, idle: Idle::none() }
    }

    fn open(&self, flags: OpenFlags) -> Result<Session> {
        let file = self.file()?;
        let connection = Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX);
        let connection = connection.map_err(|why| self.explain(&why))?;
        connection.busy_timeout(self.patience).map_err(|why| self.explain(&why))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Session { connection, file, layout: None, path: self.path.clone(), patience: self.patience })
    }

    /// The device and the inode that the path stands for now.
    fn file(&self) -> Result<(u64, u64)> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.is_file() => Ok((found.dev(), found.ino())),
            Ok(_) => Err(Error::new(Kind::Unreachable, format!("{} is not a file", self.path.display()))),
            Err(why) => Err(self.unreachable(&why)),
        }
    }

    fn unreachable(&self, why: &std::io::Error) -> Error {
        let kind = match why.kind() {
            std::io::ErrorKind::PermissionDenied => Kind::Denied,
            _ => Kind::Unreachable,
        };
        Error::new(kind, format!("cannot open {}: {}", self.path.display(), crate::error::io_reason(why)))
            .help("check the path; the app's container may call it otherwise (see `paths` in config.toml)")
    }

    fn explain(&self, why: &rusqlite::Error) -> Error {
        explain(&self.path, self.patience, why)
    }

    fn reading(&self) -> Result<Reading> {
        let mut crashed = false;
        let flags = match self.writes && !self.was_left_open() {
            true => OpenFlags::SQLITE_OPEN_READ_WRITE,
            false => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let open = self.begin(flags, |open| {
            begin_reading(open).map_err(|why| {
                crashed = needs_recovery(&why);
                self.explain(&why)
            })
        });
        match open {
            Err(_) if crashed => self.recover(),
            open => Ok(Reading { open: open?, notice: None }),
        }
    }

    /// The idle connection, or a new one opened with these flags, in a transaction.
    fn begin(
        &self,
        flags: OpenFlags,
        mut begin: impl FnMut(&mut Open<Session>) -> Result<()>,
    ) -> Result<Lent<Open<Session>>> {
        let connect = || Ok(Open::new(self.open(flags)?));
        self.idle.lend(connect, settle, |open| {
            if open.database.file != self.file()? {
                return Err(Error::new(Kind::Unreachable, format!("{} was replaced", self.path.display())));
            }
            begin(open)
        })
    }

    /// Whether SQLite's files beside the database are there: somebody uses it now, or crashed. A connection that may write
    /// would bring it in order without a word.
    fn was_left_open(&self) -> bool {
        let beside = |suffix: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            Path::new(&path).exists()
        };
        ["-journal", "-wal"].into_iter().any(beside)
    }

    /// A crashed app left its journal behind: SQLite must roll it back before anyone can read, and a read-only connection
    /// may not. This finishes what the app's own next start would.
    fn recover(&self) -> Result<Reading> {
        let mut open = Open::new(self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?);
        begin_reading(&mut open).map_err(|why| self.explain(&why))?;
        let notice = format!(
            "{} had an unfinished change of a crashed app; SQLite rolled it back, as the app's next start would have",
            self.path.display()
        );
        Ok(Reading { open: Lent::once(open), notice: Some(notice) })
    }
}

fn needs_recovery(why: &rusqlite::Error) -> bool {
    let code = why.sqlite_error().map(|error| error.extended_code);
    let codes = [ffi::SQLITE_READONLY_ROLLBACK, ffi::SQLITE_READONLY_RECOVERY, ffi::SQLITE_READONLY_CANTINIT];
    code.is_some_and(|code| codes.contains(&code))
}

impl Store for Sqlite {
    fn kind(&self) -> StoreKind {
        StoreKind::Sqlite
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>> {
        Ok(Box::new(self.reading()?))
    }

    fn expect_commit(&mut self) {
        self.writes = true;
    }

    fn check_writable(&self) -> Result<()> {
        let may_write = |path: &Path, doing: &str| {
            let refused = rustix::fs::access(path, rustix::fs::Access::WRITE_OK);
            refused.map_err(|why| atomic::explain(&why.into(), path, doing))
        };
        may_write(&self.path, "write")?;
        match self.path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            Some(dir) => may_write(dir, "make SQLite's journal beside the database, in"),
            None => Ok(()),
        }
    }

    fn standing(&self, step: &Step, facts: &Facts) -> Result<Standing> {
        write::standing(&mut self.reading()?.open, step, facts)
    }

    fn commit(&self, step: &Step, facts: &Facts, witness: &mut Witness<'_>) -> Result<()> {
        self.check_writable()?;
        // On an error the connection is given back with its transaction open, which rolls it back.
        let mut open = self.begin(OpenFlags::SQLITE_OPEN_READ_WRITE, |open| self.begin_writing(open))?;
        let receipt = write::write(&mut open, step, facts)?;
        witness(receipt)?;
        crate::fault::point("sqlite.commit.before")?;
        open.database.connection.execute_batch("COMMIT").map_err(|why| self.commit_failed(&why))?;
        // Past the commit there is nothing left that could fail; only the end of the process can come here.
        crate::fault::point("sqlite.commit.after").ok();
        Ok(())
    }
}

impl Sqlite {
    fn begin_writing(&self, open: &mut Open<Session>) -> Result<()> {
        let connection = &open.database.connection;
        // SQLite would begin all the same, and refuse the first write.
        if connection.is_readonly("main").unwrap_or_default() {
            return Err(denied(&self.path, "write"));
        }
        let begun = connection.execute_batch("PRAGMA query_only = OFF; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE");
        begun.and_then(|()| check_layout(open)).map_err(|why| self.explain(&why))
    }

    fn commit_failed(&self, why: &rusqlite::Error) -> Error {
        match why.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::ConstraintViolation) => {
                self.explain(why)
            }
            _ => {
                Error::new(Kind::Unfinished, format!("nobody can tell whether {} took the change: {why}", self.place()))
            }
        }
    }
}

/// The reader with what a person should know about it.
struct Reading {
    open: Lent<Open<Session>>,
    notice: Option<String>,
}

impl StoreReader for Reading {
    fn select(&mut self, query: &Select) -> Result<Page> {
        self.open.select(query)
    }

    fn count_by(&mut self, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>> {
        self.open.count_by(collection, field, filter)
    }

    fn select_bytes(&mut self, query: &Select) -> Result<PageAsBytes> {
        self.open.select_bytes(query)
    }

    fn count_bytes(&mut self, collection: &str, field: &str, filter: &Filter) -> Result<Vec<u8>> {
        self.open.count_bytes(collection, field, filter)
    }

    fn columns(&mut self, collection: &str) -> Result<Option<Vec<Column>>> {
        self.open.columns(collection)
    }

    fn files(&mut self, glob: &str) -> Result<Vec<File>> {
        // A database plugin may ask about the file itself, to see whether its owner and mode are sound.
        let name = self.open.database.path.file_name().map(|name| name.to_string_lossy().into_owned());
        if name.as_deref() != Some(glob) && glob != "*" {
            return Ok(vec![]);
        }
        let path = &self.open.database.path;
        let found = std::fs::metadata(path)
            .map_err(|why| Error::new(Kind::Unreachable, format!("{}: {why}", path.display())))?;
        Ok(vec![File {
            path: name.unwrap_or_default(),
            size: found.len(),
            uid: found.uid(),
            gid: found.gid(),
            mode: found.mode() & 0o7777,
            modified: found.mtime(),
        }])
    }

    fn notice(&self) -> Option<String> {
        self.notice.clone()
    }
}

/// Begins a snapshot: the first read takes the shared lock that holds it.
fn begin_reading(open: &mut Open<Session>) -> rusqlite::Result<()> {
    let connection = &open.database.connection;
    connection.execute_batch("PRAGMA query_only = ON; BEGIN")?;
    check_layout(open)
}

/// Forgets what was found out about the tables where their layout is another by SQLite's own count.
fn check_layout(open: &mut Open<Session>) -> rusqlite::Result<()> {
    let connection = &open.database.connection;
    let layout = Some(connection.pragma_query_value(None, "schema_version", |row| row.get(0))?);
    if open.database.layout != layout {
        // A file that is no database, or a damaged one, shows here.
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
        open.database.layout = layout;
        open.forget();
    }
    Ok(())
}

/// Ends a transaction. A connection is not kept where it would be the last one of a write-ahead log: a reader cannot write that
/// log back and remove it, as the last one to leave does.
fn settle(open: &mut Open<Session>) -> bool {
    let connection = &open.database.connection;
    let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
    let ended = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
    ended && journal.is_ok_and(|journal| journal != "wal")
}

/// An open file.
struct Session {
    connection: Connection,
    /// The device and the inode.
    file: (u64, u64),
    /// SQLite's number for the layout of the tables, when it was looked at last.
    layout: Option<i64>,
    path: PathBuf,
    patience: Duration,
}

impl Session {
    fn explain(&self, why: &rusqlite::Error) -> Error {
        explain(&self.path, self.patience, why)
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

fn quote(name: &str) -> String {
    let parts: Vec<String> = name.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    parts.join(".")
}

fn cell(cell: ValueRef<'_>) -> Cell<'_> {
    Cell::Other(match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Real(n) => Value::Float(n),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => return Cell::Text(text),
            Err(_) => Value::Bytes(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

/// A value as SQLite binds it.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Bool(yes) => ValueRef::Integer(i64::from(*yes)),
            Value::Int(n) => ValueRef::Integer(*n),
            Value::Float(n) => ValueRef::Real(*n),
            Value::Text(text) | Value::Number(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::UInt(_) | Value::List(_) | Value::Map(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("SQLite has no such kind of value".into()));
            }
        }))
    }
}

fn explain(path: &Path, patience: Duration, why: &rusqlite::Error) -> Error {
    let place = path.display();
    match why.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            let held = crate::error::seconds(patience);
            Error::new(Kind::Locked, format!("the database was held locked for {held}: {place}"))
                .help("stop the app first, or wait longer with --lock-timeout 60")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => denied(path, "write"),
        // The file itself may be fine, and SQLite's own files beside it be what cannot be made.
        Some(ErrorCode::CannotOpen) => {
            let readable = rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok();
            denied(path, if readable { "make SQLite's files beside" } else { "open" })
        }
        Some(ErrorCode::NotADatabase) => {
            Error::new(Kind::UnknownSchema, format!("{place} is not an SQLite database, or it is encrypted"))
        }
        Some(ErrorCode::DatabaseCorrupt) => Error::new(Kind::Failed, format!("{place} is damaged: {why}"))
            .help("restore it from a backup of the app first; latchlift does not write to a damaged database"),
        Some(ErrorCode::ConstraintViolation) => broken_rule(path, why),
        _ => Error::new(Kind::Failed, format!("{place}: {why}")),
    }
}

fn denied(path: &Path, doing: &str) -> Error {
    atomic::explain(&std::io::ErrorKind::PermissionDenied.into(), path, doing)
}

/// A rule of the database's own that a change would break. The same words as for the servers.
fn broken_rule(path: &Path, why: &rusqlite::Error) -> Error {
    let what = match why.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
            "another record refers to one that would go, or to one that is not there"
        }
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => "there is such a record already",
        Some(ffi::SQLITE_CONSTRAINT_TRIGGER) => "a trigger of the database forbids it",
        _ => "a value does not fit its column",
    };
    Error::new(Kind::Conflict, format!("{} refused the change: {what}", path.display()))
}
