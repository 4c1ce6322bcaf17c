//! `history`, `undo`, `resume`: what was done, and taking it back.

use super::{Exit, change};
use crate::apply::{self, Applied, Work};
use crate::cli::{HistoryVerb, Resume, Undo, Write};
use crate::context::{Reopened, Run, Wanted};
use crate::error::{Error, Kind, Result};
use crate::journal::{Begun, End, Entry, StoreRecord};
use crate::plan;
use crate::secret;
use crate::ui;
use latchlift_plugin_api::{Change, Location, Plan, Time};
use serde_json::{Value, json};
use std::path::Path;

/// `history ...`
///
/// # Errors
/// The journal cannot be read.
pub fn history(run: &Run, verb: Option<HistoryVerb>) -> Result<Exit> {
    match verb.unwrap_or(HistoryVerb::List { listing: Default::default() }) {
        HistoryVerb::List { listing } => list(run, listing.limit),
        HistoryVerb::Show { entry } => show(run, &entry),
    }
}

struct Row(Entry);

impl serde::Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        summary(&self.0).serialize(to)
    }
}

fn summary(entry: &Entry) -> Value {
    let begun = &entry.begun;
    json!({
        "entry": begun.id, "at": begun.at, "plugin": begun.plugin, "verb": begun.verb, "target": begun.target,
        "summary": begun.plan.summary, "state": entry.state(), "undone_by": entry.undone_by, "undoes": begun.undoes,
        "uid": begun.uid, "sudo_user": begun.sudo_user,
    })
}

const HEADINGS: &[&str] = &["ENTRY", "AT", "APP", "WHAT", "STATE"];

fn list(run: &Run, limit: Option<usize>) -> Result<Exit> {
    let (mut entries, unreadable) = run.journal()?.entries()?;
    unreadable.iter().for_each(|line| run.ui.warn(line));
    let wanted = run.wanted()?;
    entries.retain(|entry| wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| wanted.covers(entry))));
    entries.truncate(limit.unwrap_or(usize::MAX));
    let rows: Vec<_> = entries.into_iter().map(|entry| (entry.begun.app.as_str().into(), Row(entry))).collect();
    let list = crate::output::List {
        name: "entries",
        rows: &rows,
        errors: &[],
        headings: HEADINGS,
        cells: |app, Row(entry)| {
            let at = entry.begun.at.sql()[..16].to_owned();
            vec![entry.begun.id.clone(), at, app.to_owned(), entry.begun.plan.summary.clone(), entry.state().to_owned()]
        },
    };
    let exit = super::list::finish(run, &list, 1, "nothing was changed yet");
    mention_other_journal(run);
    Ok(exit)
}

/// A journal of root and one of the user may both exist; the one not read is named.
fn mention_other_journal(run: &Run) {
    if let Some(other) = run.other_journal() {
        run.ui.say(format!("there is another journal in {}: use --state-dir to see it", other.display()));
    }
}

fn show(run: &Run, id: &str) -> Result<Exit> {
    let entry = run.journal()?.find(id)?;
    let begun = &entry.begun;
    if run.ui.json() {
        let mut out = summary(&entry);
        out["app"] = json!(begun.app);
        out["plan"] = plan::to_json(&begun.plan, &begun.facts, &places(begun));
        ui::answer(&json!({ "latchlift": 1, "ok": true, "entries": [out] }).to_string());
        return Ok(0);
    }
    let who = begun.sudo_user.clone().unwrap_or_else(|| format!("uid {}", begun.uid));
    let mut lines = vec![
        format!("entry {}  {}  by {who}  {}", begun.id, begun.at, entry.state()),
        format!("{}: {}", begun.app, ui::escaped(&begun.plan.summary)),
    ];
    for record in &begun.stores {
        lines.push(format!("  in {}", crate::context::place(&record.location)));
    }
    for (i, step) in begun.plan.steps.iter().enumerate() {
        let written = entry.end == Some(End::Done) || entry.committed[i];
        let state = match entry.end {
            _ if written => "written",
            Some(End::Failed) => "not written",
            _ => "not known to be written",
        };
        lines.push(format!("step {} ({state})", i + 1));
        let changes = step.changes.iter().flat_map(|change| plan::lines(change, &begun.facts, &begun.plan));
        lines.extend(changes.map(|line| format!("  {line}")));
    }
    ui::answer(&lines.join("\n"));
    Ok(0)
}

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

/// The newest entry of the selected instance that `fits`; with several instances in the journal, one must be named.
fn newest(run: &Run, fits: fn(&Entry) -> bool, verb: &str, none: &str) -> Result<Entry> {
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

fn work<'a>(
    run: &Run,
    entry: &'a Entry,
    place: &'a Reopened,
    write: &Write,
    steps: Vec<latchlift_plugin_api::Step>,
) -> Work<'a> {
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

fn carry_out<'a>(
    run: &Run,
    entry: &Entry,
    work: Work<'a>,
    write: &Write,
    act: impl FnOnce(&crate::journal::Journal, Work<'a>) -> Result<String>,
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
            return Err(Error::new(Kind::Usage, "this needs a yes, and there is no terminal to ask")
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

/// Where an entry's stores were, for people.
fn places(begun: &Begun) -> String {
    begun.stores.iter().map(|record| crate::context::place(&record.location)).collect::<Vec<_>>().join(" and ")
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
