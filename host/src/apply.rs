//! The only writer.
//!
//! ```text
//! every instance checked ── not running, store as planned
//!   journal: begun        (synced)
//!     per step: guard, write, read back, journal what only the store knows, COMMIT, journal: committed
//!   journal: done
//! ```
//!
//! Stopping anywhere leaves the app safe (each prefix of a plan is) and the journal knowing enough to go on or back.
//! `resume` and `undo` are the same door with other steps.

use crate::error::{Error, Kind, Result};
use crate::journal::{Begun, End, Entry, Journal, Open};
use crate::running::{self, Held};
use crate::store::{Standing, Store};
use latchlift_plugin_api::{Facts, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An instance's stores, by name.
pub type Stores = Vec<(String, Box<dyn Store>)>;

/// Something to write: a plan's steps, for one instance.
pub struct Work<'a> {
    /// What the journal will say.
    pub begun: Begun,
    /// The facts of the instance's plugin.
    pub facts: &'a Facts,
    /// Where to write.
    pub stores: &'a Stores,
    /// Whether the person said to write while the app runs.
    pub allow_running: bool,
}

/// Makes sure that the app is stopped where it must be.
///
/// # Errors
/// [`Kind::Refused`] where it runs.
pub fn check_stopped(work: &Work<'_>) -> Result<()> {
    hold(work).map(drop)
}

/// Makes sure that the first step is not stale. For several instances this runs for all before the first write; for one
/// the guards of the commit say the same.
///
/// # Errors
/// [`Kind::Stale`] where the data moved.
pub fn check_fresh(work: &Work<'_>) -> Result<()> {
    let Some(step) = work.begun.plan.steps.first() else { return Ok(()) };
    match store(work.stores, step)?.standing(step, work.facts)? {
        Standing::Mixed => Err(Error::new(Kind::Stale, format!("{} changed since the plan was made", work.begun.app))
            .note("nothing was changed")
            .help("run the command again: it will plan on the data as it is now")),
        Standing::Untouched | Standing::Applied => Ok(()),
    }
}

/// Writes a plan. Gives the journal entry's id.
///
/// # Errors
/// With its `note` saying what the standing of the data is. [`Kind::Unfinished`] where only some steps are written.
pub fn apply(journal: &Journal, work: Work<'_>) -> Result<String> {
    let held = hold(&work)?;
    let open = journal.begin(work.begun.clone()).map_err(|error| error.note("nothing was changed"))?;
    let steps = &work.begun.plan.steps;
    let id = run(open, &work, steps, 0..steps.len())?;
    drop(held);
    Ok(id)
}

/// Writes the steps of an entry that were not yet written.
///
/// # Errors
/// [`Kind::Unfinished`] where the data is neither as before nor as after a step.
pub fn resume(journal: &Journal, entry: &Entry, work: Work<'_>) -> Result<String> {
    let held = hold(&work)?;
    let open = journal.reopen(entry)?;
    let first = written(entry, &work)?;
    let steps = &entry.begun.plan.steps;
    let id = run(open, &work, steps, first..steps.len())?;
    drop(held);
    Ok(id)
}

/// How many steps of an entry are written: those the journal knows of, and those that show in the store.
///
/// # Errors
/// [`Kind::Unfinished`] where the data fits neither.
pub fn written(entry: &Entry, work: &Work<'_>) -> Result<usize> {
    let steps = &entry.begun.plan.steps;
    for (i, step) in steps.iter().enumerate() {
        if entry.end == Some(End::Done) || entry.committed[i..].contains(&true) {
            continue;
        }
        match store(work.stores, step)?.standing(step, work.facts)? {
            Standing::Applied => {}
            Standing::Untouched => return Ok(i),
            Standing::Mixed => return Err(mixed(entry, i)),
        }
    }
    Ok(steps.len())
}

/// The steps that take an entry back: the inverse of each written step, last first.
///
/// # Errors
/// As [`written`].
pub fn inverse(entry: &Entry, work: &Work<'_>) -> Result<Vec<Step>> {
    let count = written(entry, work)?;
    let done = entry.begun.plan.steps[..count].iter().zip(&entry.receipts).rev();
    let steps = done.map(|(step, receipt)| crate::plan::inverse(step, receipt, &entry.begun.facts));
    Ok(steps.filter(|step| !step.changes.is_empty()).collect())
}

fn mixed(entry: &Entry, step: usize) -> Error {
    let begun = &entry.begun;
    let message = format!("step {} of entry {} is neither untouched nor written: {} changed since", step + 1, begun.id, begun.app);
    Error::new(Kind::Unfinished, message)
        .note("the records as they were are in the journal")
        .help(format!("look at them with `latchlift history show {}`", begun.id))
}

fn run(mut open: Open, work: &Work<'_>, steps: &[Step], which: std::ops::Range<usize>) -> Result<String> {
    let signals = Signals::hold()?;
    let total = steps.len();
    for i in which {
        let step = &steps[i];
        let store = store(work.stores, step)?;
        let outcome = store.commit(step, work.facts, &mut |receipt| open.receipt(i, receipt));
        if let Err(error) = outcome {
            return Err(stopped(open, error, i, total));
        }
        let last = i + 1 == total;
        // The end says that every step is written, so the last one needs no line of its own.
        if !last {
            open.committed(i).map_err(|error| unrecorded(error, i, total))?;
        }
        if signals.seen() && !last {
            let error = Error::new(Kind::Interrupted, "interrupted");
            return Err(stopped(open, error, i + 1, total));
        }
    }
    let id = open.id.clone();
    open.end(End::Done).map_err(|error| unrecorded(error, total.saturating_sub(1), total))?;
    Ok(id)
}

/// What to say when step `i` was not written. Only the first step leaves the data as it was.
fn stopped(open: Open, error: Error, i: usize, total: usize) -> Error {
    let id = open.id.clone();
    if error.kind == Kind::Unfinished {
        return error
            .note(format!("the records as they were are in the journal, entry {id}"))
            .help(format!("see where it stands with `latchlift resume {id}`, or take it back with `latchlift undo {id}`"));
    }
    if i == 0 {
        // The journal may be what failed; the data is untouched either way, and an unfinished entry says so when read.
        open.end(End::Failed).ok();
        return error.note("nothing was changed");
    }
    Error::new(Kind::Unfinished, format!("stopped after {i} of {total} changes (entry {id}): {}", error.message))
        .note("what is written so far is safe to keep; the records as they were are in the journal")
        .help(format!("finish with `latchlift resume {id}`, or take it back with `latchlift undo {id}`"))
}

/// What to say when a step was written and the journal could not say so.
fn unrecorded(error: Error, i: usize, total: usize) -> Error {
    let message = format!("change {} of {total} is written, but the journal could not record it: {}", i + 1, error.message);
    Error::new(Kind::Unfinished, message).help("`latchlift resume` finds out what is written and goes on")
}

fn store<'a>(stores: &'a Stores, step: &Step) -> Result<&'a dyn Store> {
    let found = stores.iter().find(|(name, _)| *name == step.store).map(|(_, store)| store.as_ref());
    found.ok_or_else(|| Error::new(Kind::Plugin, format!("the plan names a store `{}` there is not", step.store)))
}

fn hold(work: &Work<'_>) -> Result<Held> {
    let dirs = work.begun.stores.iter().filter_map(|record| match &record.location {
        latchlift_plugin_api::Location::Dir { path } => Some(std::path::PathBuf::from(path)),
        _ => None,
    });
    running::hold(work.facts, dirs, work.allow_running)
}

/// Ctrl-C and termination wait until the step being written is finished.
struct Signals {
    seen: Arc<AtomicBool>,
    ids: Vec<signal_hook::SigId>,
}

impl Signals {
    fn hold() -> Result<Signals> {
        let seen = Arc::new(AtomicBool::new(false));
        let mut ids = Vec::new();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            let id = signal_hook::flag::register(signal, Arc::clone(&seen));
            ids.push(id.map_err(|why| Error::new(Kind::Failed, format!("cannot hold signals back: {why}")))?);
        }
        Ok(Signals { seen, ids })
    }

    fn seen(&self) -> bool {
        self.seen.load(Ordering::SeqCst)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.ids.drain(..).for_each(|id| {
            signal_hook::low_level::unregister(id);
        });
    }
}
