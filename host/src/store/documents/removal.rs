//! A document that goes as a whole. Undo asks for it where a step made the document: taking its records back one by one would
//! leave an empty one, and to some apps that is another thing than none.

use super::Documents;
use super::commit::one_document;
use crate::atomic::{self, Turn};
use crate::error::{Error, Kind, Result};
use crate::store::{DIGEST, Receipt, Standing};
use latchlift_plugin_api::{Change, Key, Record, Step};
use std::path::Path;

/// The document and the digest of its bytes, where a step takes a whole document away.
pub fn of(step: &Step) -> Option<(&str, &str)> {
    let [Change::Delete { collection, key, before }] = &step.changes[..] else { return None };
    Some((collection.strip_suffix('#').filter(|_| key.fields.is_empty())?, before.str(DIGEST)?))
}

impl Documents {
    /// The step that takes away what `step` made. `None` where the document was there before, or somebody has written to it
    /// since: then its records are taken back one by one.
    pub(super) fn unmake(&self, step: &Step, receipt: &Receipt) -> Result<Option<Step>> {
        let Some(made) = &receipt.made else { return Ok(None) };
        let Some(name) = one_document(step)? else { return Ok(None) };
        if atomic::digest(&self.named(&name)?)?.as_ref() != Some(made) {
            return Ok(None);
        }
        let before = Record::new().with(DIGEST, made.as_str());
        let change = Change::Delete { collection: format!("{name}#"), key: Key::from(Record::new()), before };
        Ok(Some(Step { store: step.store.clone(), changes: vec![change] }))
    }

    pub(super) fn removed(&self, name: &str, sha256: &str) -> Result<Standing> {
        Ok(match atomic::digest(&self.named(name)?)? {
            None => Standing::Applied,
            Some(digest) if digest == sha256 => Standing::Untouched,
            Some(_) => Standing::Mixed,
        })
    }

    pub(super) fn remove(&self, name: &str, sha256: &str, witness: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let path = atomic::resolve(&self.named(name)?)?;
        let _turn = Turn::take(path.parent().unwrap_or(Path::new("/")))?;
        let unchanged = || match self.removed(name, sha256)? {
            Standing::Untouched => Ok(()),
            _ => Err(Error::new(Kind::Stale, format!("{} changed since the plan was made", path.display()))
                .help("run the command again: it will plan on the data as it is now")),
        };
        unchanged()?;
        self.cache.take(&path);
        witness()?;
        // The witness waits for the disk, and what goes here has no copy anywhere.
        unchanged()?;
        atomic::remove(&path)
    }
}
