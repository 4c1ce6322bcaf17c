//! A directory of JSON and YAML documents.
//!
//! A collection is `document#/json/pointer`: the items of a list, the entries of a map, or one object. Its fields are JSON
//! pointers below the record (`/data/username`), the empty pointer for all of it, and `@key` and `@value` for the entries
//! of a map and the items of a list of scalars. Whether an object is a map or one record depends on who asks: whoever
//! uses `@key` or `@value` sees a map.
//!
//! Documents stay the text they are; a change replaces the bytes of what changes and no others, and undo brings back every
//! byte. For that a [`Receipt`] holds in `texts`, per change:
//!
//! - `Delete`: the text that went. Undo inserts it under the field `@raw`, at the place in `places`.
//! - `Update`: how fields were that their values alone do not bring back, absent ones above all. Undo gives it as the field
//!   `@raw` beside the other fields of `after`.
//!
//! and in `made` the digest of a document that the step made, by which undo takes it away whole;
//! and in `kept`, per record that a purge removed: `@raw` and its place as `@at`, which together are a record to insert.

mod backup;
mod cache;
mod change;
mod check;
mod collection;
mod commit;
mod files;
mod filter;
mod format;
mod json;
mod reader;
mod records;
mod removal;
mod splice;
mod standing;
#[cfg(test)]
mod tests;
mod text;
mod verify;
mod write;
mod yaml;

use crate::atomic;
use crate::error::{Error, Kind, Result};
use crate::store::{Receipt, Standing, Store, StoreReader, Witness};
use cache::Cache;
use latchlift_plugin_api::facts::{Backup, Document};
use latchlift_plugin_api::{Facts, Step, StoreKind};
use std::path::PathBuf;
use std::sync::Arc;

/// A directory with the documents a plugin declares.
#[derive(Clone)]
pub struct Documents {
    /// The directory, or a backup of it.
    dir: PathBuf,
    documents: Vec<Document>,
    backup: Option<Backup>,
    cache: Arc<Cache>,
}

impl Documents {
    /// The store in `dir` with the documents that the plugin's facts declare.
    pub fn new(dir: impl Into<PathBuf>, documents: Vec<Document>) -> Documents {
        Documents { dir: dir.into(), documents, backup: None, cache: Arc::default() }
    }

    /// The store, which may be a backup packed like this instead of a directory.
    #[must_use]
    pub fn with_backup(self, backup: Option<Backup>) -> Documents {
        Documents { backup, ..self }
    }

    /// The layout of the backup that this is, if it is one.
    fn as_backup(&self) -> Option<&Backup> {
        self.backup.as_ref().filter(|_| self.dir.is_file())
    }

    fn declared(&self, name: &str) -> Result<&Document> {
        self.documents.iter().find(|document| document.name == name).ok_or_else(|| {
            Error::new(Kind::Plugin, format!("the plugin named the document `{name}`, which it does not declare"))
        })
    }

    /// Where a declared document is; symbolic links are followed wherever they lead.
    fn path_of(&self, document: &Document) -> Result<PathBuf> {
        self.below(&document.path)
    }
}

impl Store for Documents {
    fn kind(&self) -> StoreKind {
        StoreKind::Documents
    }

    fn place(&self) -> String {
        self.dir.display().to_string()
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>> {
        let meta = std::fs::metadata(&self.dir).map_err(|why| atomic::explain(&why, &self.dir, "read"))?;
        if let Some(layout) = self.as_backup() {
            let documents: Vec<&str> = self.documents.iter().map(|document| document.path.as_str()).collect();
            let backup = backup::Backup::open(&self.dir, layout, &documents)?;
            return Ok(Box::new(reader::DocumentsReader::new(self.clone()).of_backup(backup)));
        }
        match meta.is_dir() {
            true => Ok(Box::new(reader::DocumentsReader::new(self.clone()))),
            false => Err(Error::new(Kind::NotFound, format!("{} is not a directory", self.dir.display()))),
        }
    }

    fn read_only(&self) -> Option<Error> {
        self.as_backup().map(|_| {
            let message = format!("{} is a backup, which is read and never written", self.dir.display());
            Error::new(Kind::Refused, message)
                .note("nothing was changed")
                .help("restore it first, then make the change in the directory")
        })
    }

    fn standing(&self, step: &Step, facts: &Facts) -> Result<Standing> {
        self.compare(step, facts)
    }

    fn unmake(&self, step: &Step, receipt: &Receipt) -> Result<Option<Step>> {
        self.unmake(step, receipt)
    }

    fn commit(&self, step: &Step, facts: &Facts, witness: &mut Witness<'_>) -> Result<()> {
        match self.read_only() {
            Some(refused) => Err(refused),
            None => self.write(step, facts, witness),
        }
    }
}
