//! The one way a document changes.
//!
//! ```text
//! read ─ guards ─ splices ─ sibling written and synced ─ read back ─ witness ─ still the file read? ─ rename ─ sync
//!                                                                     (journal)
//! ```
//!
//! Whatever fails before the rename leaves the document as it was.

use super::change::resolve;
use super::collection::Address;
use super::format::{Format, Loaded};
use super::splice::{Splice, spliced};
use super::verify::Expected;
use super::write::receipt;
use super::{Documents, removal};
use crate::atomic::{self, Replacement, Seen, Turn};
use crate::error::{Error, Kind, Result};
use crate::store::{Receipt, Witness};
use latchlift_plugin_api::facts::Document;
use latchlift_plugin_api::{Change, Facts, Step, sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A document about to be changed.
struct Original {
    path: PathBuf,
    loaded: Arc<Loaded>,
    /// Absent where the document is new and `loaded` its envelope.
    seen: Option<Seen>,
}

/// A step made ready for a document, holding nothing of the original but what the new text needs.
struct Edit {
    splices: Vec<Splice>,
    expected: Vec<Expected>,
    receipt: Receipt,
}

impl Documents {
    /// Writes a step. See [`crate::store::Store::commit`].
    pub(super) fn write(&self, step: &Step, facts: &Facts, witness: &mut Witness<'_>) -> Result<()> {
        if let [Change::Move { from, to, sha256 }] = &step.changes[..] {
            return self.rename(from, to, sha256, &mut || witness(receipt(step)));
        }
        if let Some((name, sha256)) = removal::of(step) {
            return self.remove(name, sha256, &mut || witness(receipt(step)));
        }
        let Some(name) = one_document(step)? else { return witness(receipt(step)) };
        let document = self.declared(&name)?;
        let path = atomic::resolve(&self.path_of(document)?)?;
        let _turn = Turn::take(path.parent().unwrap_or(Path::new("/")))?;
        let Some(original) = self.open(document, path, step)? else { return witness(receipt(step)) };
        let Edit { splices, expected, mut receipt } = Edit::new(&original.loaded, step, facts)?;
        if splices.is_empty() {
            return witness(receipt);
        }
        let (path, is_new) = (original.path.clone(), original.seen.is_none());
        // The original leaves memory as the new text is made of it: a large document need not be in memory twice.
        self.cache.take(&path);
        let (replacement, new) = original.replaced(document, &splices)?;
        expected.iter().try_for_each(|expected| expected.verify(&new.json))?;
        receipt.made = is_new.then(|| sha256(new.text().as_bytes()));
        witness(receipt)?;
        if let Some(seen) = replacement.commit()? {
            self.cache.keep(&path, &Arc::new(new), &seen);
        }
        Ok(())
    }

    /// The document, or the envelope of one that a step creates. `None` where there is nothing and nothing to do.
    fn open(&self, document: &Document, path: PathBuf, step: &Step) -> Result<Option<Original>> {
        let format = Format::of(document)?;
        if let Some((loaded, seen)) = self.cache.read(format, &path)? {
            return Ok(Some(Original { path, loaded, seen: Some(seen) }));
        }
        let creates = step.changes.iter().any(|change| matches!(change, Change::Insert { .. }));
        let needs = step.changes.iter().any(|change| matches!(change, Change::Update { .. } | Change::Delete { .. }));
        match (&document.envelope, needs, creates) {
            (_, false, false) => Ok(None),
            (Some(envelope), false, true) => {
                let loaded = Arc::new(Loaded::parse(format, envelope.clone().into_bytes(), &path)?);
                Ok(Some(Original { path, loaded, seen: None }))
            }
            (None, false, true) => {
                let message = format!("there is no {}, and the plugin does not say how to begin one", path.display());
                Err(Error::new(Kind::Conflict, message))
            }
            (_, true, _) => Err(Error::new(Kind::Stale, format!("{} is missing", path.display()))
                .help("run the command again: it will plan on the data as it is now")),
        }
    }

    fn rename(&self, from: &str, to: &str, sha256: &str, witness: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let (source, target) = (self.named(from)?, self.named(to)?);
        let _turn = Turn::take(source.parent().unwrap_or(Path::new("/")))?;
        let stale = |what: &str| {
            Error::new(Kind::Stale, format!("{} {what} since the plan was made", source.display()))
                .help("run the command again: it will plan on the data as it is now")
        };
        match atomic::digest(&source)? {
            None => return Err(stale("was removed")),
            Some(digest) if digest != sha256 => return Err(stale("changed")),
            Some(_) => {}
        }
        if target.symlink_metadata().is_ok() {
            return Err(Error::new(Kind::Conflict, format!("{} exists; it will not be overwritten", target.display())));
        }
        witness()?;
        atomic::rename(&source, &target)
    }
}

/// The one document that all changes of a step name; `None` for a step without changes.
pub(super) fn one_document(step: &Step) -> Result<Option<String>> {
    let mut name: Option<String> = None;
    for change in &step.changes {
        let document = match change {
            Change::Move { from, .. } => {
                let message = format!("the plan moves `{from}` in a step with other changes");
                return Err(Error::new(Kind::Plugin, message));
            }
            other => Address::parse(other.collection())?.document,
        };
        match &name {
            Some(known) if *known != document => {
                let message = format!("a step of the plan names two documents, `{known}` and `{document}`");
                return Err(Error::new(Kind::Plugin, message));
            }
            _ => name = Some(document),
        }
    }
    Ok(name)
}

impl Edit {
    fn new(loaded: &Loaded, step: &Step, facts: &Facts) -> Result<Edit> {
        let touched = resolve(loaded, step, facts)?;
        let (splices, receipt) = loaded.splices(&touched, step)?;
        let expected = touched.iter().map(Expected::of).collect();
        Ok(Edit { splices, expected, receipt })
    }
}

impl Original {
    /// Writes the new text beside the old, and gives it as it is on the disk: what it says is still to be compared with the
    /// plan.
    fn replaced(self, document: &Document, splices: &[Splice]) -> Result<(Replacement, Loaded)> {
        let Original { path, loaded, seen } = self;
        let format = loaded.format;
        let mut replacement = match seen {
            Some(seen) => Replacement::of(path.clone(), seen, loaded.text().as_bytes())?,
            None => Replacement::new_file(path.clone(), mode(document)?)?,
        };
        let text = match Arc::try_unwrap(loaded) {
            Ok(loaded) => loaded.into_text(),
            Err(shared) => shared.text().to_owned(),
        };
        let text = spliced(text, splices);
        replacement.write([&text[..]])?;
        replacement.check(&text)?;
        Ok((replacement, Loaded::parse(format, text, &path)?))
    }
}

/// The permission bits of a new document: for its owner alone unless declared otherwise.
fn mode(document: &Document) -> Result<u32> {
    let Some(mode) = &document.mode else { return Ok(0o600) };
    u32::from_str_radix(mode, 8).map_err(|_| {
        Error::new(Kind::Plugin, format!("the plugin declares the document `{}` with mode `{mode}`", document.name))
    })
}
