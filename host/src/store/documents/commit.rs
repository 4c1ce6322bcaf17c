//! The one way a document changes.
//!
//! ```text
//! read ─ guards ─ splices ─ sibling written and synced ─ read back ─ witness ─ still the file read? ─ rename ─ sync
//!                                                                     (journal)
//! ```
//!
//! Whatever fails before the rename leaves the document as it was.

use super::Documents;
use super::change::resolve;
use super::collection::Address;
use super::format::{Format, Loaded};
use super::splice::{Splice, pieces};
use super::verify::Expected;
use super::write::receipt;
use crate::atomic::{self, Replacement, Stamp, Turn};
use crate::error::{Error, Kind, Result};
use crate::store::{Receipt, Witness};
use latchlift_plugin_api::facts::Document;
use latchlift_plugin_api::{Change, Facts, Step};
use std::path::{Path, PathBuf};

/// A document about to be changed.
struct Original {
    path: PathBuf,
    loaded: Loaded,
    /// Absent where the document is new and `loaded` its envelope.
    stamp: Option<Stamp>,
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
        let Some(name) = one_document(step)? else { return witness(receipt(step)) };
        let document = self.declared(&name)?;
        let path = atomic::resolve(&self.path_of(document)?)?;
        let _turn = Turn::take(path.parent().unwrap_or(Path::new("/")))?;
        let Some(original) = open(document, path, step)? else { return witness(receipt(step)) };
        let edit = Edit::new(&original.loaded, step, facts)?;
        if edit.splices.is_empty() {
            return witness(edit.receipt);
        }
        let (replacement, expected, receipt) = edit.stage(document, original)?;
        let format = Format::of(document)?;
        let back = Loaded::parse(format, replacement.read_back()?, &self.path_of(document)?)?;
        expected.iter().try_for_each(|expected| expected.verify(&back.json))?;
        drop(back);
        witness(receipt)?;
        replacement.commit()
    }

    fn rename(&self, from: &str, to: &str, sha256: &str, witness: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        let (source, target) = (self.named(from)?, self.named(to)?);
        let _turn = Turn::take(source.parent().unwrap_or(Path::new("/")))?;
        let stale = |what: &str| {
            Error::new(Kind::Stale, format!("{} {what} since the plan was made", source.display()))
                .help("run the command again: it will plan on the data as it is now")
        };
        match atomic::stamp(&source)? {
            None => return Err(stale("was removed")),
            Some(stamp) if stamp.sha256() != sha256 => return Err(stale("changed")),
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

/// The document, or the envelope of one that a step creates. `None` where there is nothing and nothing to do.
fn open(document: &Document, path: PathBuf, step: &Step) -> Result<Option<Original>> {
    let format = Format::of(document)?;
    if let Some((loaded, stamp)) = Loaded::read(format, &path)? {
        return Ok(Some(Original { path, loaded, stamp: Some(stamp) }));
    }
    let creates = step.changes.iter().any(|change| matches!(change, Change::Insert { .. }));
    let needs = step.changes.iter().any(|change| matches!(change, Change::Update { .. } | Change::Delete { .. }));
    match (&document.envelope, needs, creates) {
        (_, false, false) => Ok(None),
        (Some(envelope), false, true) => {
            let loaded = Loaded::parse(format, envelope.clone().into_bytes(), &path)?;
            Ok(Some(Original { path, loaded, stamp: None }))
        }
        (None, false, true) => {
            let message = format!("there is no {}, and the plugin does not say how to begin one", path.display());
            Err(Error::new(Kind::Conflict, message))
        }
        (_, true, _) => Err(Error::new(Kind::Stale, format!("{} is missing", path.display()))
            .help("run the command again: it will plan on the data as it is now")),
    }
}

impl Edit {
    fn new(loaded: &Loaded, step: &Step, facts: &Facts) -> Result<Edit> {
        let touched = resolve(loaded, step, facts)?;
        let (splices, receipt) = loaded.splices(&touched, step)?;
        let expected = touched.iter().map(Expected::of).collect();
        Ok(Edit { splices, expected, receipt })
    }

    /// Writes the new text beside the old. The old one leaves memory here: the new one is read back next, and a large
    /// document need not be in memory twice.
    fn stage(self, document: &Document, original: Original) -> Result<(Replacement, Vec<Expected>, Receipt)> {
        let Original { path, loaded, stamp } = original;
        let mut replacement = match stamp {
            Some(stamp) => Replacement::of(path, stamp)?,
            None => Replacement::new_file(path, mode(document)?)?,
        };
        replacement.write(pieces(loaded.text(), &self.splices))?;
        Ok((replacement, self.expected, self.receipt))
    }
}

/// The permission bits of a new document: for its owner alone unless declared otherwise.
fn mode(document: &Document) -> Result<u32> {
    let Some(mode) = &document.mode else { return Ok(0o600) };
    u32::from_str_radix(mode, 8).map_err(|_| {
        Error::new(Kind::Plugin, format!("the plugin declares the document `{}` with mode `{mode}`", document.name))
    })
}
