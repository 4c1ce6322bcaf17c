//! `history`, `undo`, `resume`: what was done, and taking it back.

mod acting;
mod resume;
mod undo;

use super::Exit;
use crate::cli::HistoryVerb;
use crate::context::Run;
use crate::error::Result;
use crate::journal::{Begun, End, Entry};
use crate::plan;
use crate::ui;
pub use resume::resume;
use serde_json::{Value, json};
pub use undo::undo;

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

/// Where an entry's stores were, for people.
fn places(begun: &Begun) -> String {
    begun.stores.iter().map(|record| crate::context::place(&record.location)).collect::<Vec<_>>().join(" and ")
}
