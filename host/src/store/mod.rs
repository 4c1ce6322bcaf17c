//! Stores: where apps keep their accounts, behind one door for reading and one for writing.
//!
//! ```text
//! plugin ── Select ──> Reader ──┐
//!                               ├── sqlite | mysql | postgres  (sql: the rules they share)
//! apply  ── Step ────> commit ──┘── documents
//! ```
//!
//! Dialects, quoting and collation traps live here, once. Only `apply` calls [`Store::commit`].

mod ahead;
pub mod documents;
mod idle;
pub mod mysql;
pub mod postgres;
mod server;
pub mod sql;
pub mod sqlite;
mod tls;

pub use ahead::Ahead;

use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::{Change, Column, Facts, File, Filter, Page, Record, Select, Step, StoreKind, Value, abi};

/// A store of an instance, closed. Each call opens it, so that nothing is held while a person thinks; at most a connection
/// waits, in no transaction.
pub trait Store {
    /// What kind it is.
    fn kind(&self) -> StoreKind;

    /// The path or URL, for people; never a password.
    fn place(&self) -> String;

    /// Opens a read-only view within one snapshot.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] or [`Kind::Denied`] where it cannot be opened.
    fn reader(&self) -> Result<Box<dyn StoreReader>>;

    /// Makes sure, as far as can be seen beforehand, that the store may be written.
    ///
    /// # Errors
    /// [`Kind::Denied`] naming what may not be written.
    fn check_writable(&self) -> Result<()> {
        Ok(())
    }

    /// Says before it is read that a commit is expected, so that one connection can serve for all of it.
    fn expect_commit(&mut self) {}

    /// The refusal to write, where the store is of a kind that is only ever read.
    fn read_only(&self) -> Option<Error> {
        None
    }

    /// How the store stands against a step: not yet written, written, or neither.
    ///
    /// # Errors
    /// As [`Store::reader`].
    fn standing(&self, step: &Step, facts: &Facts) -> Result<Standing>;

    /// The step that takes away what `step` made as a whole, where it did and that is still as it was made: a document that
    /// was not there before.
    ///
    /// # Errors
    /// As [`Store::reader`].
    fn unmake(&self, step: &Step, receipt: &Receipt) -> Result<Option<Step>> {
        let _ = (step, receipt);
        Ok(None)
    }

    /// Writes a step: guards, writes, reads back, calls `witness` with what only the store could know, commits.
    ///
    /// Nothing is written unless every guard holds, the read-back equals the plan and the witness agrees.
    ///
    /// # Errors
    /// [`Kind::Stale`] where a guard fails, [`Kind::Locked`] where somebody else writes, [`Kind::Conflict`] where the
    /// store altered what was written; nothing was changed then. [`Kind::Unfinished`] where nobody can tell.
    fn commit(&self, step: &Step, facts: &Facts, witness: &mut Witness<'_>) -> Result<()>;
}

/// Told what a step removed, just before it is committed; an error rolls back.
pub type Witness<'a> = dyn FnMut(Receipt) -> Result<()> + 'a;

/// What a commit learned about each change, in the step's order; journalled before the commit, used by undo.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Receipt {
    /// Per change: the full rows a `Purge` with `keep` removed.
    pub kept: Vec<Vec<Record>>,
    /// Per change: where in a document's collection a deleted record was.
    pub places: Vec<Option<u64>>,
    /// Per change: a document's record as the text it was, so that undo brings back every byte.
    pub texts: Vec<Option<String>>,
    /// The digest of the document that the step made, if there was none before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
}

/// The field of a `Delete` that stands for all of a document: the SHA-256 of its bytes. Only undo plans such.
pub const DIGEST: &str = "@sha256";

/// How a store stands against a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every record is as it was before.
    Untouched,
    /// Every record is as it should be afterwards.
    Applied,
    /// Something else happened to it.
    Mixed,
}

impl Standing {
    /// The standing of a step from those of its changes, in the same order.
    ///
    /// What decides is what a record says where before and after differ. Records that match a purge decide only if
    /// nothing else does: new ones may have come since.
    pub fn of_step(step: &Step, changes: Vec<Option<Standing>>) -> Standing {
        let purges = |change: &Change| matches!(change, Change::Purge { .. });
        let firm = step.changes.iter().zip(&changes).filter(|(change, _)| !purges(change));
        let firm: Vec<_> = firm.filter_map(|(_, standing)| *standing).collect();
        match firm.is_empty() {
            false => Standing::of(firm.into_iter().map(Some)),
            true => Standing::of(changes),
        }
    }

    /// The standing of a whole from the standings of its parts; parts that fit both states say `None`.
    pub fn of(parts: impl IntoIterator<Item = Option<Standing>>) -> Standing {
        let mut whole = None;
        for part in parts.into_iter().flatten() {
            match whole {
                None => whole = Some(part),
                Some(known) if known == part => {}
                Some(_) => return Standing::Mixed,
            }
        }
        whole.unwrap_or(Standing::Applied)
    }
}

/// A page in the bytes in which a plugin gets it.
pub struct PageAsBytes {
    /// The page.
    pub bytes: Vec<u8>,
    /// Its [`Page::next`].
    pub next: Vec<u8>,
}

/// A store, open for reading.
pub trait StoreReader: Send {
    /// One page of rows. See [`Select`].
    ///
    /// # Errors
    /// The store fails, or has no such collection or column.
    fn select(&mut self, query: &Select) -> Result<Page>;

    /// How many matching rows have each value of `field`.
    ///
    /// # Errors
    /// As [`StoreReader::select`].
    fn count_by(&mut self, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>>;

    /// [`StoreReader::select`] in the bytes in which a plugin gets it; a store that can write them row by row need not
    /// hold the page in memory.
    ///
    /// # Errors
    /// As [`StoreReader::select`].
    fn select_bytes(&mut self, query: &Select) -> Result<PageAsBytes> {
        let page = self.select(query)?;
        Ok(PageAsBytes { bytes: abi::encode(&page)?, next: page.next })
    }

    /// [`StoreReader::count_by`] in the bytes in which a plugin gets it.
    ///
    /// # Errors
    /// As [`StoreReader::select`].
    fn count_bytes(&mut self, collection: &str, field: &str, filter: &Filter) -> Result<Vec<u8>> {
        Ok(abi::encode(&self.count_by(collection, field, filter)?)?)
    }

    /// The columns of a collection, or `None` where it does not exist.
    ///
    /// # Errors
    /// The store fails.
    fn columns(&mut self, collection: &str) -> Result<Option<Vec<Column>>>;

    /// A whole document's text.
    ///
    /// # Errors
    /// The store holds no documents, or the file cannot be read.
    fn document(&mut self, name: &str) -> Result<Option<String>> {
        Err(no_documents(name))
    }

    /// The lower-case hex SHA-256 of a document's bytes; `None` where it does not exist.
    ///
    /// # Errors
    /// The store holds no documents, or the file cannot be read.
    fn digest(&mut self, name: &str) -> Result<Option<String>> {
        Err(no_documents(name))
    }

    /// The files that match a glob.
    ///
    /// # Errors
    /// As [`StoreReader::document`].
    fn files(&mut self, glob: &str) -> Result<Vec<File>> {
        Err(no_documents(glob))
    }

    /// The lines of a file that contain `text`, oldest first, at most 10,000 of the newest.
    ///
    /// # Errors
    /// As [`StoreReader::document`].
    fn lines(&mut self, file: &str, text: &str) -> Result<Vec<String>> {
        let _ = text;
        Err(no_documents(file))
    }

    /// What a person should know about how the store was opened, if anything.
    fn notice(&self) -> Option<String> {
        None
    }
}

fn no_documents(name: &str) -> Error {
    Error::new(Kind::Plugin, format!("the plugin asked a database for the document `{name}`"))
}

/// The most rows of a first page, which is all of most tables.
pub const PAGE: u32 = 2000;

/// The most rows of the pages behind it: each page is a query of its own, which a long table should need few of.
pub const NEXT_PAGES: u32 = 10_000;

/// The fields of `after` that are guarded in the collection: all but the volatile ones.
pub fn guarded<'a>(
    facts: &'a Facts,
    collection: &str,
    record: &'a Record,
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let volatile = facts.collection(collection).map_or(&[][..], |collection| &collection.volatile);
    record.iter().filter(move |(field, _)| !volatile.iter().any(|name| name == field))
}

/// The record without its volatile fields.
pub fn steady(facts: &Facts, collection: &str, record: &Record) -> Record {
    Record(guarded(facts, collection, record).map(|(field, value)| (field.to_owned(), value.clone())).collect())
}

/// What belongs to the store of that name; the empty name is the first store, as it is for a reader.
pub fn named<'a, T>(stores: &'a [(String, T)], name: &str) -> Option<&'a T> {
    let found = stores.iter().find(|(store, _)| store == name);
    found.or_else(|| stores.first().filter(|_| name.is_empty())).map(|(_, of)| of)
}

/// The failure where a record is not as the plan read it.
pub fn stale(change: &Change, what: &str) -> Error {
    Error::new(Kind::Stale, format!("`{}` {what} since the plan was made", change.collection()))
        .help("run the command again: it will plan on the data as it is now")
}
