//! The documents read last, kept with the store, so that a plan, its check, its commit and the look afterwards need not read
//! and parse a large one each for itself.
//!
//! A kept document counts only as long as its file is the same: see [`Seen`]. Nothing is held open.

use super::format::{Format, Loaded};
use crate::atomic::Seen;
use crate::error::Result;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Documents by the files they are, which are resolved paths.
#[derive(Default)]
pub struct Cache(Mutex<HashMap<PathBuf, (Arc<Loaded>, Seen)>>);

impl Cache {
    /// The document at `path` as it is now; `None` where there is none.
    pub fn read(&self, format: Format, path: &Path) -> Result<Option<(Arc<Loaded>, Seen)>> {
        if let Some((loaded, seen)) = self.take(path)
            && loaded.format == format
            && let Some(seen) = seen.still_says(path, loaded.text().as_bytes())?
        {
            self.keep(path, &loaded, &seen);
            return Ok(Some((loaded, seen)));
        }
        let Some((loaded, seen)) = Loaded::read(format, path)? else { return Ok(None) };
        let loaded = Arc::new(loaded);
        self.keep(path, &loaded, &seen);
        Ok(Some((loaded, seen)))
    }

    /// Keeps a document for the next look.
    pub fn keep(&self, path: &Path, loaded: &Arc<Loaded>, seen: &Seen) {
        self.lock().insert(path.to_owned(), (Arc::clone(loaded), seen.clone()));
    }

    /// Gives a document away, so that a large one is not in memory twice while its next text is made.
    pub fn take(&self, path: &Path) -> Option<(Arc<Loaded>, Seen)> {
        self.lock().remove(path)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, (Arc<Loaded>, Seen)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
