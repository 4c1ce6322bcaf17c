//! `resume`: a change that was interrupted, finished or given up.

use super::acting::{carry_out, newest, work};
use crate::apply::{self, Work};
use crate::cli::{Resume, Write};
use crate::commands::{Exit, change};
use crate::context::Run;
use crate::error::{Error, Kind, Result};
use crate::journal::{Begun, End, Entry};
use latchlift_plugin_api::Plan;
use serde_json::json;

/// `resume [ENTRY]`
///
/// # Errors
/// Nothing is unfinished, or as any change.
pub fn resume(run: &Run, ask: Resume) -> Result<Exit> {
    let entry = match &ask.entry {
        Some(id) => run.journal()?.find(id)?,
        None => newest(run, Entry::is_unfinished, "resume", "no change was interrupted")?,
    };
    let id = &entry.begun.id;
    if !entry.is_unfinished() {
        let message = format!("entry {id} is not interrupted ({}): there is nothing to finish", entry.state());
        return Err(Error::new(Kind::Refused, message).note("nothing was changed"));
    }
    if ask.abandon {
        return abandon(run, &entry, &ask.write);
    }
    let place = run.reopened(&entry)?;
    let resuming = work(run, &entry, &place, &ask.write, entry.begun.plan.steps.clone());
    let first = apply::written(&entry, &resuming)?;
    let plan = Plan {
        summary: format!("Finish entry {id}: {}", entry.begun.plan.summary),
        steps: entry.begun.plan.steps[first..].to_vec(),
        accounts: entry.begun.plan.accounts.clone(),
        names: entry.begun.plan.names.clone(),
        ..Plan::default()
    };
    if plan.steps.is_empty() {
        if !ask.write.dry_run {
            run.journal()?.reopen(&entry)?.end(End::Done)?;
        }
        run.ui.say(format!("entry {id} was written in full; the journal now says so"));
        if run.ui.json() {
            let result = json!({ "app": entry.begun.app, "ok": true, "changed": false, "applied": true, "entry": id });
            change::print_results(vec![result]);
        }
        return Ok(0);
    }
    let shown = Work { begun: Begun { plan, ..entry.begun.clone() }, ..resuming };
    carry_out(run, &entry, shown, &ask.write, |journal, shown| {
        apply::resume(journal, &entry, Work { begun: entry.begun.clone(), ..shown })?.recorded()
    })
}

/// Closes an interrupted entry without writing anything.
fn abandon(run: &Run, entry: &Entry, write: &Write) -> Result<Exit> {
    if !write.dry_run {
        run.journal()?.reopen(entry)?.end(End::Abandoned)?;
    }
    run.ui.say(format!("entry {} is closed; what is written of it stays, and nothing was changed now", entry.begun.id));
    if run.ui.json() {
        let result = json!({ "app": entry.begun.app, "ok": true, "changed": false, "applied": false });
        change::print_results(vec![result]);
    }
    Ok(0)
}
