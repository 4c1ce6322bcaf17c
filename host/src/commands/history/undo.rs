//! `undo`: a change taken back, by another change through the same door.

use super::acting::{carry_out, newest, work};
use crate::apply::{self, Applied, Work};
use crate::cli::{Undo, Write};
use crate::commands::{Exit, change};
use crate::context::Run;
use crate::error::{Error, Kind, Result};
use crate::journal::{Begun, End, Entry, StoreRecord};
use latchlift_plugin_api::{Change, Location, Plan};
use serde_json::json;
use std::path::Path;

/// `undo [ENTRY]`
///
/// # Errors
/// Nothing can be taken back, the data moved since, or as any change.
pub fn undo(run: &Run, ask: Undo) -> Result<Exit> {
    let entry = match &ask.entry {
        Some(id) => run.journal()?.find(id)?,
        None => newest_to_undo(run)?,
    };
    refuse_undo(&entry)?;
    refuse_halves(run, &entry)?;
    let place = run.reopened(&entry)?;
    let begun = &entry.begun;
    let undoing = work(run, &entry, &place, &ask.write, vec![]);
    let steps = apply::inverse(&entry, &undoing).map_err(|error| moved_away(&entry, error))?;
    let summary = format!("Take back entry {}: {}", begun.id, begun.plan.summary);
    let (accounts, names) = (begun.plan.accounts.clone(), begun.plan.names.clone());
    let plan = Plan { summary, steps, accounts, names, warnings: kept_out(&entry), ..Plan::default() };
    if plan.is_empty() {
        return nothing_to_undo(run, &entry, &undoing, &ask.write);
    }
    let work = Work { begun: Begun { plan, undoes: Some(begun.id.clone()), ..undoing.begun }, ..undoing };
    apply::check_fresh(&work).map_err(|error| moved_on(run, &entry, error))?;
    // An interrupted entry is locked while it is taken back, and closed when that is done.
    let interrupted = if entry.is_unfinished() { Some(run.journal()?.reopen(&entry)?) } else { None };
    carry_out(run, &entry, work, &ask.write, |journal, work| {
        let id = apply::apply(journal, work).and_then(Applied::recorded);
        let id = id.map_err(|error| moved_on(run, &entry, error))?;
        if let Some(open) = interrupted {
            open.end(End::Abandoned)?;
        }
        Ok(id)
    })
}

/// The newest change that stands. Where it only ended sign-ins it is not passed over: whoever types `undo` after it does
/// not mean the change before.
fn newest_to_undo(run: &Run) -> Result<Entry> {
    let nothing = "there is nothing to take back";
    let older = newest(run, Entry::can_be_undone, "undo", nothing)?;
    let entry = newest(run, Entry::stands, "undo", nothing)?;
    if entry.can_be_undone() {
        return Ok(entry);
    }
    let message =
        format!("the newest change, entry {}, ended sign-ins or tokens, and these stay ended", entry.begun.id);
    let before = format!("{} ({})", older.begun.id, older.begun.plan.summary);
    Err(Error::new(Kind::Refused, message)
        .note("nothing was changed")
        .help(format!("to take back the change before it, name it: latchlift undo {before}")))
}

fn refuse_undo(entry: &Entry) -> Result<()> {
    let begun = &entry.begun;
    let why = match (&entry.undone_by, &begun.undoes, entry.end) {
        (Some(by), ..) => format!("entry {} is already taken back, by entry {by}", begun.id),
        (None, Some(other), _) => {
            format!("entry {} itself takes entry {other} back; run the command again instead", begun.id)
        }
        (None, None, Some(End::Failed)) => format!("entry {} changed nothing", begun.id),
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Refused, why).note("nothing was changed"))
}

/// An undo of the same entry that was interrupted is finished first: taking it back twice at once would be neither.
fn refuse_halves(run: &Run, entry: &Entry) -> Result<()> {
    let (undoing, id) = (run.journal()?.unfinished()?, &entry.begun.id);
    match undoing.iter().find(|other| other.begun.undoes.as_ref() == Some(id)) {
        None => Ok(()),
        Some(half) => {
            let half = &half.begun.id;
            Err(Error::new(
                Kind::Unfinished,
                format!("taking entry {id} back was begun and interrupted (entry {half})"),
            )
            .note("nothing was changed now")
            .help(format!("finish it with `latchlift resume {half}`")))
        }
    }
}

/// What to do where the store of an entry is no longer in its place.
fn moved_away(entry: &Entry, error: Error) -> Error {
    let Begun { id, plugin, stores, .. } = &entry.begun;
    let gone = |record: &StoreRecord| match &record.location {
        Location::Sqlite { path } | Location::Dir { path } => !Path::new(path).exists(),
        _ => false,
    };
    match stores.iter().any(gone) {
        true => error
            .note("nothing was changed")
            .help(format!("if it was moved, say where it is now: latchlift undo {id} --app {plugin}:PLACE")),
        false => error,
    }
}

/// An entry that removed only sessions, or of which nothing is written.
fn nothing_to_undo(run: &Run, entry: &Entry, work: &Work<'_>, write: &Write) -> Result<Exit> {
    let id = &entry.begun.id;
    let written = apply::written(entry, work)?;
    let why = if written == 0 { "nothing of it is written" } else { "what it removed stays removed" };
    run.ui.say(format!("entry {id}: nothing to take back: {why}"));
    if entry.is_unfinished() && !write.dry_run {
        let end = if written == entry.begun.plan.steps.len() { End::Done } else { End::Failed };
        run.journal()?.reopen(entry)?.end(end)?;
    }
    if run.ui.json() {
        let result = json!({ "app": entry.begun.app, "ok": true, "changed": false, "applied": false });
        change::print_results(vec![result]);
    }
    Ok(0)
}

/// What to do where an entry's data changed since: often by a later entry, which goes first.
fn moved_on(run: &Run, entry: &Entry, mut error: Error) -> Error {
    if error.kind != Kind::Stale {
        return error;
    }
    error.message = format!("what entry {} changed has changed again since", entry.begun.id);
    let later = run.journal().and_then(|journal| journal.entries()).map(|(entries, _)| entries).unwrap_or_default();
    let later = later.into_iter().take_while(|other| other.begun.id != entry.begun.id);
    let later = later.filter(|other| other.begun.app == entry.begun.app && other.can_be_undone()).last();
    error.help = Some(match later {
        Some(later) => {
            format!("entry {0} changed it later: take that back first, with `latchlift undo {0}`", later.begun.id)
        }
        None => format!(
            "it was changed by the app or by hand; what it was is in `latchlift history show {}`",
            entry.begun.id
        ),
    });
    error
}

/// What stays as it is although the entry is taken back.
fn kept_out(entry: &Entry) -> Vec<String> {
    let gone = entry.begun.plan.steps.iter().flat_map(|step| &step.changes);
    let gone = gone.filter_map(|change| match change {
        Change::Purge { collection, count, keep: false, .. } => {
            let label = entry.begun.facts.collection(collection).map(|c| c.label.as_str()).filter(|l| !l.is_empty());
            Some(format!("removed for good and not brought back: {count} of `{}`", label.unwrap_or(collection)))
        }
        _ => None,
    });
    gone.collect()
}
