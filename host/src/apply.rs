//! The only writer.
//!
//! ```text
//! every instance checked ── not running, store as planned
//!   journal: begun        (on its way to the disk)
//!     per step: guard, write, read back, journal what only the store knows (all before is on the disk), COMMIT,
//!               journal: committed (on its way to the disk)
//!   journal: done         (on its way to the disk, while the caller looks at what is now true)
//! ```
//!
//! Stopping anywhere leaves the app safe (each prefix of a plan is) and the journal knowing enough to go on or back.
//! `resume` and `undo` are the same door with other steps.

use crate::error::{Error, Kind, Result};
use crate::journal::{Begun, End, Entry, Journal, Open, Syncing};
use crate::running::{self, Held};
use crate::store::{Standing, Store};
use latchlift_plugin_api::{Change, Facts, Filter, Location, Select, Step, Value};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

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

/// A plan that is written. The end of its journal entry may still be on its way to the disk.
#[must_use = "what is not recorded reads as interrupted after a crash"]
pub struct Applied {
    id: String,
    end: Syncing,
    steps: usize,
}

impl Applied {
    /// The journal entry's id, once the entry is on the disk as a whole.
    ///
    /// # Errors
    /// [`Kind::Unfinished`] where it does not get there.
    pub fn recorded(self) -> Result<String> {
        let Applied { id, end, steps } = self;
        end.wait().map_err(|error| unrecorded(error, steps.saturating_sub(1), steps))?;
        Ok(id)
    }
}

/// Makes sure that the app is stopped where it must be. Gives what to know where it runs and that was allowed.
///
/// # Errors
/// [`Kind::Refused`] where it runs.
pub fn check_stopped(work: &Work<'_>) -> Result<Option<String>> {
    hold(work).map(|held| held.warning)
}

/// Makes sure, as far as can be seen beforehand, that the stores and the journal may be written.
///
/// # Errors
/// [`Kind::Denied`] naming what may not.
pub fn check_writable(journal: &Journal, work: &Work<'_>) -> Result<()> {
    let checked = work.stores.iter().try_for_each(|(_, store)| store.check_writable());
    checked.and_then(|()| journal.prepare()).map_err(|error| error.note("nothing was changed"))
}

/// Makes sure that the data is as the plan read it: the first step of each store and document, since later steps build on
/// what it leaves.
///
/// # Errors
/// [`Kind::Stale`] where the data moved.
pub fn check_fresh(work: &Work<'_>) -> Result<()> {
    let mut seen = Vec::new();
    for step in &work.begun.plan.steps {
        let document = step.changes.first().map_or("", |change| change.collection().split('#').next().unwrap_or(""));
        let place = (step.store.as_str(), document);
        if seen.contains(&place) {
            continue;
        }
        seen.push(place);
        if store(work.stores, step)?.standing(step, work.facts)? == Standing::Mixed {
            return Err(Error::new(Kind::Stale, format!("{} changed since the plan was made", work.begun.app))
                .note("nothing was changed")
                .help("run the command again: it will plan on the data as it is now"));
        }
    }
    Ok(())
}

/// Writes a plan.
///
/// # Errors
/// With its `note` saying what the standing of the data is. [`Kind::Unfinished`] where only some steps are written.
pub fn apply(journal: &Journal, work: Work<'_>) -> Result<Applied> {
    let held = hold(&work)?;
    let steps = &work.begun.plan.steps;
    if steps.len() > 1 {
        // One step is guarded by its own commit; several are checked before the first is written.
        check_fresh(&work)?;
    }
    let open = journal.begin(work.begun.clone()).map_err(|error| error.note("nothing was changed"))?;
    let applied = run(open, &work, steps, 0..steps.len())?;
    drop(held);
    Ok(applied)
}

/// Writes the steps of an entry that were not yet written.
///
/// # Errors
/// [`Kind::Unfinished`] where the data is neither as before nor as after a step.
pub fn resume(journal: &Journal, entry: &Entry, work: Work<'_>) -> Result<Applied> {
    let held = hold(&work)?;
    let open = journal.reopen(entry)?;
    let first = written(entry, &work)?;
    let steps = &entry.begun.plan.steps;
    let applied = run(open, &work, steps, first..steps.len())?;
    drop(held);
    Ok(applied)
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

/// What takes an entry back.
pub struct Inverse {
    /// How many of its steps are written, as far as the store and the journal tell.
    pub written: usize,
    /// The inverse of each, last first; steps that cannot be inverted are left out.
    pub steps: Vec<Step>,
}

/// What takes an entry back. Of an entry that was interrupted and whose data moved since, only the steps that are known to
/// be written count.
///
/// # Errors
/// The store's.
pub fn inverse(entry: &Entry, work: &Work<'_>) -> Result<Inverse> {
    let written = match written(entry, work) {
        Err(error) if error.kind == Kind::Unfinished => entry.committed.iter().take_while(|done| **done).count(),
        other => other?,
    };
    let mut steps = Vec::new();
    for (step, receipt) in entry.begun.plan.steps[..written].iter().zip(&entry.receipts).rev() {
        let store = store(work.stores, step)?;
        if let Some(gone) = store.unmake(step, receipt)? {
            steps.push(gone);
            continue;
        }
        let untouched = untouched(store, step, &entry.begun.facts)?;
        steps.push(crate::plan::inverse(step, receipt, &entry.begun.facts, &untouched));
    }
    steps.retain(|step| !step.changes.is_empty());
    Ok(Inverse { written, steps })
}

/// Per change: whether the volatile fields it wrote still hold what it wrote. They are not guarded, because the app may
/// write them at any time; where it has not, undo can bring them back too.
fn untouched(store: &dyn Store, step: &Step, facts: &Facts) -> Result<Vec<bool>> {
    let mut reader = None;
    let mut all = Vec::new();
    for change in &step.changes {
        let Change::Update { collection, key, after, .. } = change else {
            all.push(false);
            continue;
        };
        let steady: Vec<&str> = crate::store::guarded(facts, collection, after).map(|(field, _)| field).collect();
        let volatile: Vec<_> = after.iter().filter(|(field, _)| !steady.contains(field)).collect();
        if volatile.is_empty() {
            all.push(false);
            continue;
        }
        let reader = match &mut reader {
            Some(reader) => reader,
            none => none.insert(store.reader()?),
        };
        let named =
            key.fields.iter().map(|(field, value)| Filter::eq(field, after.get(field).unwrap_or(value).clone()));
        let query =
            Select::from(collection, volatile.iter().map(|(field, _)| *field)).filter(Filter::And(named.collect()));
        let rows = reader.select(&query)?.rows;
        let wrote: Vec<&Value> = volatile.iter().map(|(_, value)| *value).collect();
        all.push(rows.len() == 1 && rows[0].iter().eq(wrote));
    }
    Ok(all)
}

fn mixed(entry: &Entry, step: usize) -> Error {
    let begun = &entry.begun;
    let message = format!(
        "step {} of entry {} is neither untouched nor written: {} changed since",
        step + 1,
        begun.id,
        begun.app
    );
    Error::new(Kind::Unfinished, message)
        .note("the records as they were are in the journal")
        .help(format!(
            "look at them with `latchlift history show {0}`; take back what is known to be written with `latchlift undo {0}`, \
             or leave everything as it is with `latchlift resume {0} --abandon`",
            begun.id
        ))
}

fn run(mut open: Open, work: &Work<'_>, steps: &[Step], which: std::ops::Range<usize>) -> Result<Applied> {
    let signals = Signals::hold()?;
    let total = steps.len();
    for i in which {
        let step = &steps[i];
        let store = store(work.stores, step)?;
        let outcome = signals.check().and_then(|()| {
            store.commit(step, work.facts, &mut |receipt| {
                // The last point at which the step can still roll back.
                signals.check()?;
                open.receipt(i, receipt)
            })
        });
        if let Err(error) = outcome {
            return Err(stopped(open, error, i, total));
        }
        // The end says that every step is written, so the last one needs no line of its own.
        if i + 1 < total {
            open.committed(i).map_err(|error| unrecorded(error, i, total))?;
        }
    }
    let id = open.id.clone();
    let end = open.ending(End::Done).map_err(|error| unrecorded(error, total.saturating_sub(1), total))?;
    Ok(Applied { id, end, steps: total })
}

/// What to say when step `i` was not written. Only the first step leaves the data as it was.
fn stopped(open: Open, error: Error, i: usize, total: usize) -> Error {
    let id = open.id.clone();
    if error.kind == Kind::Unfinished {
        return error.note(format!("the records as they were are in the journal, entry {id}")).help(format!(
            "see where it stands with `latchlift resume {id}`, or take it back with `latchlift undo {id}`"
        ));
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
    let message =
        format!("change {} of {total} is written, but the journal could not record it: {}", i + 1, error.message);
    Error::new(Kind::Unfinished, message).help("`latchlift resume` finds out what is written and goes on")
}

fn store<'a>(stores: &'a Stores, step: &Step) -> Result<&'a dyn Store> {
    let found = crate::store::named(stores, &step.store).map(AsRef::as_ref);
    found.ok_or_else(|| Error::new(Kind::Plugin, format!("the plan names a store `{}` there is not", step.store)))
}

fn hold(work: &Work<'_>) -> Result<Held> {
    let dirs = work.begun.stores.iter().filter_map(|record| match &record.location {
        Location::Dir { path } => Some(PathBuf::from(path)),
        Location::Sqlite { path } => Path::new(path).parent().map(Path::to_owned),
        _ => None,
    });
    running::hold(work.facts, dirs, work.allow_running)
}

/// Ctrl-C and termination wait as long as one of these is there; before and after they end the program as usual.
pub struct Signals(());

/// Whether nobody holds signals back, so that one may act.
static IDLE: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// Whether a signal came meanwhile.
static SEEN: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// How many hold them back.
static HELD: AtomicUsize = AtomicUsize::new(0);

impl Signals {
    /// Holds them back.
    ///
    /// # Errors
    /// The system does not allow it.
    pub fn hold() -> Result<Signals> {
        let first = IDLE.get().is_none();
        let idle = IDLE.get_or_init(|| Arc::new(AtomicBool::new(false)));
        let seen = SEEN.get_or_init(|| Arc::new(AtomicBool::new(false)));
        HELD.fetch_add(1, Ordering::SeqCst);
        idle.store(false, Ordering::SeqCst);
        let held = Signals(());
        if first {
            for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
                signal_hook::flag::register_conditional_default(signal, Arc::clone(idle))
                    .and_then(|_| signal_hook::flag::register(signal, Arc::clone(seen)))
                    .map_err(|why| Error::new(Kind::Failed, format!("cannot hold signals back: {why}")))?;
            }
        }
        Ok(held)
    }

    /// Fails where a signal came.
    fn check(&self) -> Result<()> {
        match SEEN.get().is_some_and(|seen| seen.load(Ordering::SeqCst)) {
            true => Err(Error::new(Kind::Interrupted, "interrupted")),
            false => Ok(()),
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let last = HELD.fetch_sub(1, Ordering::SeqCst) == 1;
        if let (true, Some(idle)) = (last, IDLE.get()) {
            idle.store(true, Ordering::SeqCst);
        }
    }
}
