//! SQLite: one file, where one connection serves to look, to write with `BEGIN IMMEDIATE` and to look again.
//!
//! It is opened read-only, unless a commit is expected and nobody uses the database; then SQLite's `query_only` keeps it from
//! writing but in a commit. What a crashed app left is rolled back before anything is read, and that is said.
//! Never creates a database and never replaces one: an app may hold it open. SQLite itself gives the side files
//! (`-journal`, `-wal`) the owner and mode of the database.

mod columns;
mod failure;
mod session;

use super::idle::{Idle, Lent};
use super::sql::{Open, write};
use super::{PageAsBytes, Standing, Store, StoreReader, Witness};
use crate::atomic;
use crate::error::{Error, Kind, Result};
use failure::needs_recovery;
use latchlift_plugin_api::{Column, Facts, File, Filter, Page, Select, Step, StoreKind, Value};
use rusqlite::{ErrorCode, OpenFlags};
use session::Session;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An SQLite file.
pub struct Sqlite {
    path: PathBuf,
    patience: Duration,
    /// Whether a commit is expected.
    writes: bool,
    idle: Idle<Open<Session>>,
}

impl Sqlite {
    /// The file at `path`; `patience` is how long to wait for a lock.
    pub fn new(path: PathBuf, patience: Duration) -> Sqlite {
        Sqlite { path, patience, writes: false, idle: Idle::none(Open::settle) }
    }

    fn open(&self, flags: OpenFlags) -> Result<Open<Session>> {
        Session::open(&self.path, flags, self.patience).map(Open::new)
    }

    fn explain(&self, why: &rusqlite::Error) -> Error {
        failure::explain(&self.path, self.patience, why)
    }

    fn reading(&self) -> Result<Reading> {
        let (mut crashed, left_open) = (false, self.was_left_open());
        let flags = match self.writes && !left_open {
            true => OpenFlags::SQLITE_OPEN_READ_WRITE,
            false => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let fits = |idle: &Open<Session>| !left_open && idle.database.is_current();
        let open = self.idle.lend(
            || self.open(flags),
            fits,
            |open| {
                open.begin_reading().map_err(|why| {
                    crashed = needs_recovery(&why);
                    self.explain(&why)
                })
            },
        );
        match open {
            Err(_) if crashed => self.recover(),
            open => Ok(Reading { open: open?, notice: None }),
        }
    }

    /// Whether SQLite's files beside the database are there: somebody uses it now, or crashed. A connection that may write
    /// would bring it in order without a word.
    fn was_left_open(&self) -> bool {
        // Beside the file itself, where the path is a link.
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let beside = |suffix: &str| {
            let mut path = path.clone().into_os_string();
            path.push(suffix);
            Path::new(&path).exists()
        };
        ["-journal", "-wal"].into_iter().any(beside)
    }

    /// A crashed app left its journal behind: SQLite must roll it back before anyone can read, and a read-only connection
    /// may not. This finishes what the app's own next start would.
    fn recover(&self) -> Result<Reading> {
        let mut open = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        open.begin_reading().map_err(|why| self.explain(&why))?;
        let notice = format!(
            "{} had an unfinished change of a crashed app; SQLite rolled it back, as the app's next start would have",
            self.path.display()
        );
        Ok(Reading { open: Lent::once(open), notice: Some(notice) })
    }
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
        let fits = |idle: &Open<Session>| idle.database.is_current() && idle.database.may_write();
        let mut open = self.idle.lend(|| self.open(OpenFlags::SQLITE_OPEN_READ_WRITE), fits, Open::begin_writing)?;
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
        let name = self.open.database.path().file_name().map(|name| name.to_string_lossy().into_owned());
        if name.as_deref() != Some(glob) && glob != "*" {
            return Ok(vec![]);
        }
        let path = self.open.database.path();
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
