//! What is said of a plan and of what became of it, to people and as JSON.

use super::planning::Planned;
use super::{Outcome, work};
use crate::apply;
use crate::commands::Exit;
use crate::commands::ask::Ask;
use crate::commands::list::{is_up_to_another, reason_lines};
use crate::context::{Run, whole};
use crate::error::{Error, Kind, Result};
use crate::plan;
use crate::secret::Password;
use crate::ui;
use latchlift_plugin_api::Known;
use serde_json::json;

/// What to know about the password; outer blanks count, except where every app drops them before it hashes.
pub(super) fn warn_of_password(run: &Run, planned: &[Planned], secret: Option<&Password>) {
    let dropped = planned.iter().all(|planned| planned.opened.facts().password.trim);
    secret.iter().flat_map(|password| password.warnings_where(dropped)).for_each(|warning| run.ui.warn(warning));
}

pub(super) fn show(run: &Run, planned: &[Planned], secret: Option<&Password>) {
    warn_of_password(run, planned, secret);
    if run.ui.quiet || run.ui.json() {
        return;
    }
    for Planned { opened, plan, version } in planned.iter().filter(|planned| !planned.plan.is_empty()) {
        let heading = format!("{} {version}, {}", opened.facts().title, opened.place());
        run.ui.plan(&heading, plan, opened.facts());
    }
}

pub(super) fn tell_dry_run(run: &Run, ask: &Ask, planned: &[Planned]) -> Exit {
    for planned in planned {
        match apply::check_stopped(&work(run, ask, planned)) {
            Ok(warning) => warning.iter().for_each(|warning| run.ui.warn(warning)),
            Err(refused) => run.ui.warn(format!("without --dry-run this would be refused: {refused}")),
        }
    }
    match run.ui.json() {
        true => print_results(planned.iter().map(|planned| result(planned, None)).collect()),
        false => run.ui.say("nothing was changed: this was a dry run"),
    }
    0
}

pub(super) fn tell_nothing(run: &Run, ask: &Ask, planned: &[Planned]) -> Result<Exit> {
    // A plugin says itself that there is no such client. The ids are not repeated: one may be a token from standard input.
    if !ask.ids.is_empty() && !ask.verb.starts_with("client.") {
        let which = if ask.ids.len() == 1 { "that id" } else { "these ids" };
        return Err(Error::new(Kind::NotFound, format!("there is nothing with {which}"))
            .note("nothing was changed")
            .help(format!("see the ids with `{}`", ui::pasted(&list_command(ask, planned)))));
    }
    if run.ui.json() {
        print_results(planned.iter().map(|planned| result(planned, None)).collect());
        return Ok(0);
    }
    for planned in planned {
        run.ui.say(format!("{}: nothing to do: {}", planned.opened.name(), ui::escaped(&planned.plan.summary)));
        planned.plan.warnings.iter().for_each(|warning| run.ui.warn(warning));
    }
    Ok(0)
}

/// The command that lists what a verb is about: sessions for `session revoke`.
fn list_command(ask: &Ask, planned: &[Planned]) -> Vec<String> {
    let noun = ask.verb.split('.').next().unwrap_or_default();
    let flags = planned.first().map(|planned| planned.opened.flags().to_vec()).unwrap_or_default();
    ["latchlift", noun, "list"].map(str::to_owned).into_iter().chain(flags).collect()
}

/// A failure after a secret was made says whether that secret counts. Of several instances it may count in others.
pub(super) fn about_made(mut error: Error, made: Option<&str>, several: bool) -> Error {
    if let (false, Some(what)) = (error.kind == Kind::Unfinished, made) {
        let note = error.note.take().unwrap_or_else(|| "nothing was changed".to_owned());
        let there = if several { " there" } else { "" };
        error.note = Some(format!("{note}{there}; the new {what} is not in use{there}"));
    }
    error
}

/// Says what is now true and how to take it back.
pub(super) fn tell(run: &Run, planned: &Planned, outcome: &Outcome, new_password: bool, several: bool) {
    let plan = &planned.plan;
    if run.ui.json() {
        return;
    }
    let place = if several { format!("{}: ", planned.opened.name()) } else { String::new() };
    if outcome.sign_in.is_empty() {
        run.ui.say(format!("{place}done: {}", ui::escaped(&plan.summary)));
    }
    for (name, account) in &outcome.sign_in {
        let name = ui::escaped(if name.is_empty() { &account.id } else { name });
        match account.can_sign_in {
            Known::Is(true) if new_password => run.ui.say(format!("{place}{name} can sign in with the new password")),
            Known::Is(true) => run.ui.say(format!("{place}{name} can sign in")),
            Known::Is(false) => run.ui.warn(format!("{place}the change is written, but {name} still cannot sign in")),
            _ if is_up_to_another(account) => {
                run.ui.say(format!("{place}done; whether {name} can sign in is up to another system"))
            }
            _ => run.ui.say(format!("{place}done; whether {name} can sign in cannot be told")),
        }
        // Why a person is still kept out is the answer, even where the rest is not wanted.
        let out = account.can_sign_in == Known::Is(false);
        let lines = account.reasons.iter().flat_map(reason_lines).map(|line| format!("  {line}"));
        lines.for_each(|line| if out { ui::tell(line) } else { run.ui.say(line) });
    }
    plan.next_steps.iter().for_each(|next| run.ui.say(format!("next: {}", ui::escaped(next))));
    let can_go_back = plan.steps.iter().flat_map(|step| &step.changes).any(plan::can_be_undone);
    if can_go_back {
        let mut command = ["latchlift", "undo", &outcome.entry].map(str::to_owned).to_vec();
        command.extend(planned.opened.flags_to_return().iter().cloned());
        if let Some(dir) = &run.global.state_dir {
            command.extend(["--state-dir".to_owned(), whole(dir)]);
        }
        run.ui.say(format!("{place}undo: {}", ui::pasted(&command)));
    }
}

pub(super) fn to_json(planned: &Planned) -> serde_json::Value {
    plan::to_json(&planned.plan, planned.opened.facts(), &planned.opened.place())
}

pub(super) fn result(planned: &Planned, outcome: Option<&Outcome>) -> serde_json::Value {
    let Planned { opened, plan, .. } = planned;
    let mut out = json!({
        "app": opened.name(), "ok": true, "changed": !plan.is_empty(), "applied": outcome.is_some(),
        "entry": outcome.map(|outcome| &outcome.entry), "plan": to_json(planned),
        "reveals": if outcome.is_some() { json!(plan.reveals) } else { json!([]) },
    });
    if let Some((_, account)) = outcome.and_then(|outcome| outcome.sign_in.first()) {
        out["sign_in"] = json!({ "can_sign_in": account.can_sign_in, "reasons": account.reasons });
    }
    out
}

pub(super) fn add_password(result: &mut serde_json::Value, secret: Option<&Password>) {
    if let Some(password) = secret.filter(|password| password.generated) {
        result["password"] = json!(password.text.as_str());
    }
}

/// Prints the results of writing verbs.
pub fn print_results(results: Vec<serde_json::Value>) {
    let ok = results.iter().all(|result| result["ok"] == true);
    ui::answer(&json!({ "latchlift": 1, "ok": ok, "results": results }).to_string());
}

/// Prints the results; if nobody listens any more, a secret made here still goes somewhere it can be read, and someone
/// must look. Gives the exit code.
pub(super) fn print_or_save(results: Vec<serde_json::Value>, made: &[(String, &str)], code: Exit) -> Exit {
    let ok = results.iter().all(|result| result["ok"] == true);
    let text = json!({ "latchlift": 1, "ok": ok, "results": results }).to_string();
    let Err(why) = ui::try_answer(&text) else { return code };
    ui::lost(&why);
    if made.is_empty() {
        return code;
    }
    for (what, value) in made {
        ui::tell(format!("warning: the answer could not be printed; the change is written and the new {what} is:"));
        ui::tell(value);
    }
    if code == 0 { Kind::Unfinished.exit() } else { code }
}
