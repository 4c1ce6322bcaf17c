//! `app list` and `app check`: which instances there are, and what is wrong with them.

use super::Exit;
use super::list::Gathered;
use super::rows::time;
use crate::cli::Format;
use crate::context::{Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::output::List;
use crate::ui;
use latchlift_plugin_api::{Batch, Check, Finding, Options, Severity};
use serde::Serialize;
use std::rc::Rc;

/// A check with the place it was made at.
#[derive(Serialize)]
struct Checked {
    store: String,
    #[serde(flatten)]
    check: Check,
}

const HEADINGS: &[&str] = &["APP", "STORE", "VERSION", "ACCOUNTS", "NEWEST LOGIN", "FINDINGS"];

fn cells(app: &str, checked: &Checked) -> Vec<String> {
    let Checked { store, check } = checked;
    let version = check.version.clone().unwrap_or_default();
    let serious = check.findings.iter().filter(|finding| finding.severity == Severity::Serious).count();
    let findings = match (check.findings.len(), serious) {
        (0, _) => "none".to_owned(),
        (all, 0) => all.to_string(),
        (all, serious) => format!("{all} ({serious} serious)"),
    };
    vec![app.to_owned(), store.clone(), version, check.accounts.to_string(), time(&check.newest_login), findings]
}

/// `app list`
///
/// # Errors
/// The only instance asked failed.
pub fn list(run: &Run) -> Result<Exit> {
    let checked = look(run)?;
    let list = answer(&checked);
    Ok(super::list::finish(run, &list, checked.asked, "no apps are configured"))
}

/// `app check`
///
/// # Errors
/// The only instance asked failed. Serious findings are no error but exit code 10.
pub fn check(run: &Run) -> Result<Exit> {
    let checked = look(run)?;
    match run.ui.format {
        Format::Table => {
            let text: Vec<String> = checked.rows.iter().map(|(app, checked)| report(app, checked)).collect();
            if !text.is_empty() {
                ui::answer(&text.join("\n"));
            }
        }
        Format::Json => answer(&checked).print(run.ui.format),
        Format::Csv | Format::Tsv | Format::Markdown => print_findings(&checked, run.ui.format),
    }
    // As JSON they are part of the answer.
    if !run.ui.json() {
        checked.errors.iter().for_each(|(app, error)| ui::error(&error.clone().context(app), false));
    }
    let serious = |check: &Check| check.findings.iter().any(|finding| finding.severity == Severity::Serious);
    Ok(match checked.errors.is_empty() {
        false => Kind::SomeFailed.exit(),
        true if checked.rows.iter().any(|(_, checked)| serious(&checked.check)) => Kind::No.exit(),
        true => 0,
    })
}

/// The findings as rows, where an answer has nothing but rows.
fn print_findings(checked: &Gathered<Checked>, format: Format) {
    let of = |(app, checked): &(Rc<str>, Checked)| {
        let app = Rc::clone(app);
        checked.check.findings.clone().into_iter().map(move |finding| (Rc::clone(&app), finding))
    };
    let rows: Vec<(Rc<str>, Finding)> = checked.rows.iter().flat_map(of).collect();
    let headings = &["APP", "SEVERITY", "CODE", "FINDING", "SEEN IN", "FIX"];
    let cells = |app: &str, finding: &Finding| {
        let Finding { code, message, evidence, fix, .. } = finding;
        let fix = ui::pasted(fix);
        let severity = severity(finding).to_owned();
        vec![app.to_owned(), severity, code.clone(), message.clone(), evidence.clone().unwrap_or_default(), fix]
    };
    List { name: "findings", rows: &rows, errors: &checked.errors, headings, cells }.print(format);
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Serious => "serious",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn answer(checked: &Gathered<Checked>) -> List<'_, Checked> {
    List { name: "checks", rows: &checked.rows, errors: &checked.errors, headings: HEADINGS, cells }
}

fn look(run: &Run) -> Result<Gathered<Checked>> {
    let mut gathered = Gathered::default();
    for instance in &run.selected()? {
        gathered.asked += 1;
        match look_at(run, instance) {
            Ok(checked) => gathered.rows.push((instance.name().into(), checked)),
            Err(error) => gathered.errors.push((instance.name().to_owned(), error)),
        }
    }
    match gathered.asked == 1 && gathered.rows.is_empty() {
        true => Err(gathered.errors.remove(0).1),
        false => Ok(gathered),
    }
}

fn look_at(run: &Run, instance: &crate::context::Instance) -> Result<Checked> {
    let opened = Opened::open(run, instance)?;
    let mut found = None;
    opened.read(run, run.request("app.check", Options::default()), &mut |batch| {
        if let Batch::Check(check) = batch {
            found = Some(check);
        }
        Ok(())
    })?;
    let silent =
        || Error::new(Kind::Plugin, format!("the plugin `{}` reports nothing about its app", opened.facts().app));
    let mut check: Check = found.ok_or_else(silent)?;
    check.findings.splice(..0, interrupted(run, &opened));
    check.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(Checked { store: opened.place(), check })
}

/// The changes of this instance that the journal knows a beginning of and no end, unless they are being written right now.
fn interrupted(run: &Run, opened: &Opened) -> Vec<Finding> {
    // Without a place for the journal there is none.
    let Ok(journal) = run.journal() else { return vec![] };
    let unfinished = match journal.unfinished() {
        Ok(unfinished) => unfinished,
        Err(why) => return vec![Finding::new(Severity::Warning, "journal", why.message)],
    };
    let ours = unfinished.into_iter().filter(|entry| opened.is_of(entry) && !entry.is_being_written());
    let found = ours.map(|entry| {
        let id = &entry.begun.id;
        let message =
            format!("a change was interrupted, and may be half done: {} (entry {id})", entry.begun.plan.summary);
        let mut finding =
            Finding::new(Severity::Serious, "unfinished", message).evidence(entry.path().display().to_string());
        finding.fix = ["latchlift", "resume", id].map(str::to_owned).to_vec();
        finding
    });
    found.collect()
}

fn report(app: &str, checked: &Checked) -> String {
    let Checked { store, check } = checked;
    let version = check.version.as_deref().unwrap_or("version unknown");
    let mut lines = vec![format!("{app}: {version}, {} accounts, {store}", check.accounts)];
    if let Some(newest) = check.newest_login.value() {
        lines.push(format!("  newest sign-in: {}", &newest.sql()[..16]));
    }
    if check.findings.is_empty() {
        lines.push("  nothing found".to_owned());
    }
    for finding in &check.findings {
        lines.push(format!("  {}: {}", severity(finding), ui::escaped(&finding.message)));
        lines.extend(finding.evidence.iter().map(|evidence| format!("    seen in: {}", ui::escaped(evidence))));
        if !finding.fix.is_empty() {
            lines.push(format!("    mend it with: {}", ui::escaped(&ui::pasted(&finding.fix))));
        }
    }
    lines.join("\n") + "\n"
}
