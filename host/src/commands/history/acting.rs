//! What taking back and finishing have in common: which entry is meant, and carrying it out.

use super::places;
use crate::apply::Work;
use crate::cli::Write;
use crate::commands::{Exit, change};
use crate::context::{Reopened, Run, Wanted};
use crate::error::{Error, Kind, Result};
use crate::journal::{Begun, Entry, Journal};
use crate::plan;
use crate::secret;
use crate::ui;
use latchlift_plugin_api::{Plan, Step, Time};
use serde_json::json;

/// The newest entry of the selected instance that `fits`; with several instances in the journal, one must be named.
pub(super) fn newest(run: &Run, fits: fn(&Entry) -> bool, verb: &str, none: &str) -> Result<Entry> {
    let (entries, _) = run.journal()?.entries()?;
    let wanted = run.wanted()?;
    if wanted.as_ref().is_some_and(|wanted| wanted.len() > 1) {
        return Err(Error::new(Kind::Usage, format!("`{verb}` takes one change of one instance at a time"))
            .note("nothing was changed")
            .help("name one --app, or the entry itself"));
    }
    let mut found: Vec<Entry> = entries.into_iter().filter(fits).collect();
    let of = |these: &[Wanted], entry: &Entry| these.iter().any(|wanted| wanted.covers(entry));
    match &wanted {
        Some(these) => found.retain(|entry| of(these, entry)),
        // The only instance configured is meant before any that was once given by its place.
        None if run.config.instances.len() == 1 => {
            let only = run.wanted_of(run.selected()?);
            if found.iter().any(|entry| of(&only, entry)) {
                found.retain(|entry| of(&only, entry));
            }
        }
        None => {}
    }
    if found.is_empty() {
        let other = run.other_journal().map(|dir| format!("; there is another journal in {}", dir.display()));
        let help = match wanted {
            Some(_) => "see what was done with `latchlift history`; where a store has moved since, name the entry too",
            None => "see what was done with `latchlift history`",
        };
        return Err(Error::new(Kind::NotFound, format!("{none}{}", other.unwrap_or_default())).help(help));
    }
    let several = run.config.instances.len() > 1;
    let mut apps: Vec<&str> = found.iter().map(|entry| entry.begun.app.as_str()).collect();
    apps.sort_unstable();
    apps.dedup();
    if several && apps.len() > 1 && wanted.is_none() {
        let newest = &found[0].begun;
        return Err(Error::new(
            Kind::Ambiguous,
            format!("the journal has changes of several instances: {}", apps.join(", ")),
        )
        .note("nothing was changed")
        .help(format!("name one: the newest is `latchlift {verb} {}` ({})", newest.id, newest.app)));
    }
    Ok(found.swap_remove(0))
}

/// Refuses an entry whose store is no longer where it was: somebody moved it, or restored it elsewhere.
pub(super) fn refuse_gone(entry: &Entry, place: &Reopened, verb: &str) -> Result<()> {
    let Some(gone) = place.records.iter().find(|record| record.is_gone()) else { return Ok(()) };
    let Begun { id, plugin, .. } = &entry.begun;
    let message = format!("{} is not there any more", crate::context::place(&gone.location));
    Err(Error::new(Kind::Unreachable, message)
        .note("nothing was changed")
        .help(format!("if it was moved, say where it is now: latchlift {verb} {id} --app {plugin}:PLACE")))
}

pub(super) fn work<'a>(run: &Run, entry: &'a Entry, place: &'a Reopened, write: &Write, steps: Vec<Step>) -> Work<'a> {
    let begun = Begun {
        app: place.app.clone(),
        stores: place.records.clone(),
        at: run.now(),
        uid: rustix::process::getuid().as_raw(),
        sudo_user: std::env::var("SUDO_USER").ok(),
        plan: Plan { steps, ..entry.begun.plan.clone() },
        verb: "undo".to_owned(),
        ..entry.begun.clone()
    };
    Work { begun, facts: &entry.begun.facts, stores: &place.stores, allow_running: write.allow_running }
}

pub(super) fn carry_out<'a>(
    run: &Run,
    entry: &Entry,
    work: Work<'a>,
    write: &Write,
    act: impl FnOnce(&Journal, Work<'a>) -> Result<String>,
) -> Result<Exit> {
    let begun = &entry.begun;
    let place = places(&work.begun);
    if !run.ui.json() && !run.ui.quiet {
        run.ui.plan(
            &format!("{}, {place}, entry of {}", begun.facts.title, age(run.now(), begun.at)),
            &work.begun.plan,
            &begun.facts,
        );
    }
    let json = |applied: Option<&str>| {
        json!({
            "app": begun.app, "ok": true, "changed": true, "applied": applied.is_some(), "entry": applied,
            "plan": plan::to_json(&work.begun.plan, &begun.facts, &place),
        })
    };
    let before = json(None);
    if write.dry_run {
        match run.ui.json() {
            true => change::print_results(vec![before]),
            false => run.ui.say("nothing was changed: this was a dry run"),
        }
        return Ok(0);
    }
    if !write.yes {
        if !run.ui.can_ask {
            let message = format!("this needs a yes, and nobody may be asked here: {}", secret::NOBODY);
            return Err(Error::new(Kind::Usage, message)
                .note("nothing was changed")
                .help("look at the plan with --dry-run, then say --yes"));
        }
        if !secret::confirm("Apply?", true)? {
            return Err(Error::new(Kind::Declined, "not applied").note("nothing was changed"));
        }
    }
    let mut after = before;
    let summary = work.begun.plan.summary.clone();
    let id = act(&run.journal()?, work)?;
    after["applied"] = json!(true);
    after["entry"] = json!(id);
    match run.ui.json() {
        true => change::print_results(vec![after]),
        false => run.ui.say(format!("done: {}", ui::escaped(&summary))),
    }
    Ok(0)
}

fn age(now: Time, then: Time) -> String {
    let minutes = (now.0 - then.0) / 60_000;
    match minutes {
        ..=0 => "just now".to_owned(),
        1 => "a minute ago".to_owned(),
        2..=119 => format!("{minutes} minutes ago"),
        120..=2879 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}
