//! Commands that write: plan on every instance, show, confirm, apply, say what is now true.

use super::ask::Ask;
use super::list::reason_lines;
use super::{Exit, hints};
use crate::apply::{self, Work};
use crate::context::{Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::kdf::{self, Purpose, Vault};
use crate::keys;
use crate::plan;
use crate::secret::{self, Password, Source};
use crate::ui;
use latchlift_plugin_api::{Account, Batch, Facts, Handle, Known, Options, Plan, Request, Target};
use serde_json::json;

/// A plan for one instance, ready to be shown.
struct Planned {
    opened: Opened,
    plan: Plan,
    version: String,
}

/// Runs a change on the selected instances.
///
/// # Errors
/// Nothing was changed, unless the error's note says otherwise.
pub fn run(run: &Run, mut ask: Ask) -> Result<Exit> {
    let opened = open(run, &mut ask)?;
    // One time and one randomness for all of it, so that planning again gives the same plan.
    let request = request(run, &ask);
    // A person is asked for a password only once it is certain that there is an account to set it for.
    let prompts = ask.password == Some(Source::Prompt);
    let mut secret = None;
    if let Some(source) = ask.password.as_ref().filter(|_| !prompts) {
        let given = new_password(run, source, &ask)?;
        // A dry run hashes nothing, but whether the password would do is part of what it shows.
        opened.iter().try_for_each(|opened| refuse_unfit(&given, opened))?;
        secret = Some(given).filter(|_| !ask.write.dry_run);
    }
    let mut planned = plans(run, &ask, &request, opened, secret.as_ref())?;
    if planned.iter().all(|planned| planned.plan.is_empty()) {
        return tell_nothing(run, &ask, &planned);
    }
    show(run, &planned, secret.as_ref());
    if ask.write.dry_run {
        return Ok(tell_dry_run(run, &ask, &planned));
    }
    // Nobody should think of a password for an app that must be stopped first.
    for planned in planned.iter().filter(|planned| !planned.plan.is_empty()) {
        apply::check_stopped(&work(run, &ask, planned))?.iter().for_each(|warning| run.ui.warn(warning));
    }
    if prompts {
        let password = new_password(run, &Source::Prompt, &ask)?;
        warn_of_password(run, &planned, Some(&password));
        let shown = planned.iter().map(to_json).collect::<Vec<_>>();
        let opened = planned.into_iter().map(|planned| planned.opened).collect();
        planned = plans(run, &ask, &request, opened, Some(&password))?;
        if planned.iter().map(to_json).ne(shown) {
            return Err(Error::new(Kind::Stale, "the data changed while the password was typed, and with it the plan")
                .note("nothing was changed")
                .help("run the command again: it will plan on the data as it is now"));
        }
        secret = Some(password);
    }
    planned.retain(|planned| !planned.plan.is_empty());
    confirm(run, &ask, &planned)?;
    if planned.len() > 1 {
        for planned in &planned {
            apply::check_fresh(&work(run, &ask, planned)).map_err(|error| error.note("nothing was changed"))?;
        }
    }
    for planned in &planned {
        apply::check_writable(&run.journal()?, &work(run, &ask, planned))?;
    }
    hand_over(run, secret.as_ref(), &planned)?;
    write(run, &ask, planned, secret)
}

/// The instances, each able to do what is asked and with no change left half done. Two names of one place count once.
fn open(run: &Run, ask: &mut Ask) -> Result<Vec<Opened>> {
    let mut opened: Vec<Opened> = Vec::new();
    for instance in &run.selected_for_writing()? {
        let open = Opened::open(run, instance)?;
        open.supports(ask.verb)?;
        if let Some(refused) = open.stores().iter().find_map(|(_, store)| store.read_only()) {
            return Err(refused);
        }
        complete_keys(run, ask, open.facts())?;
        if opened.iter().any(|other| other.is_same(&open)) {
            continue;
        }
        if !ask.write.dry_run {
            run.settle(&open)?;
        }
        opened.push(open);
    }
    Ok(opened)
}

fn new_password(run: &Run, source: &Source, ask: &Ask) -> Result<Password> {
    let without = |mut error: Error| {
        // Where another system checks the password, none is needed.
        if ask.verb == "user.add" && *source == Source::Prompt {
            error.help = error.help.map(|help| format!("{help}, or --no-password for an account without one"));
        }
        error
    };
    secret::read(source, Purpose::Set, &ask.name(), run.ui.can_ask).map_err(without)
}

/// Makes sure that the app takes such a password.
fn refuse_unfit(password: &Password, opened: &Opened) -> Result<()> {
    Vault::default().add(&password.text, opened.facts(), Purpose::Set).map(drop)
}

/// Makes sure the keys given are ones the app has, and asks for those it cannot do without.
fn complete_keys(run: &Run, ask: &mut Ask, facts: &Facts) -> Result<()> {
    keys::checked(facts, ask.verb, &ask.keys, run.now())?;
    let missing: Vec<_> = keys::missing(facts, ask.verb, &ask.keys).cloned().collect();
    for key in missing {
        let takes = keys::takes(&key);
        let answer = match run.ui.can_ask {
            true => secret::ask_for(&format!("{} ({}; {takes}): ", key.name, key.help))?.unwrap_or_default(),
            false => String::new(),
        };
        if answer.is_empty() {
            let message = format!("{} needs `{}=` for this: {}", facts.title, key.name, key.help);
            return Err(Error::new(Kind::Usage, message)
                .note("nothing was changed")
                .help(format!("add {}=VALUE, which takes {takes}", key.name)));
        }
        ask.keys.insert(key.name, answer);
        keys::checked(facts, ask.verb, &ask.keys, run.now())?;
    }
    Ok(())
}

fn plans(
    run: &Run,
    ask: &Ask,
    request: &Request,
    opened: Vec<Opened>,
    secret: Option<&Password>,
) -> Result<Vec<Planned>> {
    opened.into_iter().map(|opened| plan_one(run, ask, request.clone(), opened, secret)).collect()
}

fn plan_one(run: &Run, ask: &Ask, mut request: Request, opened: Opened, secret: Option<&Password>) -> Result<Planned> {
    if let Some(warning) = secret.and_then(|secret| kdf::cut_warning(&secret.text, opened.facts())) {
        run.ui.warn(warning);
    }
    let mut vault = Vault::default();
    request.password = password_handle(&mut vault, ask, &opened, secret)?;
    request.keys = keys::checked(opened.facts(), ask.verb, &ask.keys, request.now)?;
    refuse_misnamed(run, ask, &opened)?;
    let (plan, version) = opened.plan(run, request, &vault).map_err(|error| {
        let error = error.note("nothing was changed");
        hints::about_account(run, &opened, ask.target.as_ref(), error)
    })?;
    plan::validate(&plan, opened.facts(), &opened.kinds()).map_err(|error| error.note("nothing was changed"))?;
    Ok(Planned { opened, plan, version })
}

/// A name and an id that do not go together: one of them is a slip, and the wrong account would be changed.
fn refuse_misnamed(run: &Run, ask: &Ask, opened: &Opened) -> Result<()> {
    let Some(Target { name, id: Some(id), .. }) = ask.target.as_ref().filter(|target| !target.name.is_empty()) else {
        return Ok(());
    };
    if opened.facts().support("user.show").support == latchlift_plugin_api::Level::None {
        return Ok(());
    }
    let target = Target { id: Some(id.clone()), ..Target::default() };
    let request = Request { target: Some(target), ..run.request("user.show", Options::default()) };
    let mut stored = None;
    let looked = opened.read(run, request, &mut |batch| {
        if let Batch::Accounts(accounts) = batch {
            stored = accounts.into_iter().next().and_then(|account| account.name.value().cloned());
        }
        Ok(())
    });
    match (looked, stored) {
        (Ok(()), Some(stored)) if stored.trim().to_lowercase() != name.trim().to_lowercase() => {
            let message = format!("the id `{id}` is that of `{stored}`, not of `{name}`");
            Err(Error::new(Kind::Usage, message)
                .note("nothing was changed")
                .help("give the one that is meant, or --id alone"))
        }
        // An account that is not there is the plan's to report.
        _ => Ok(()),
    }
}

fn password_handle(vault: &mut Vault, ask: &Ask, opened: &Opened, secret: Option<&Password>) -> Result<Option<Handle>> {
    match (&ask.password, secret) {
        (None, _) => Ok(None),
        (Some(_), None) => Ok(Some(vault.placeholder())),
        (Some(_), Some(password)) => {
            let rules = &opened.facts().password;
            let handle = vault.add(&password.text, opened.facts(), Purpose::Set)?;
            rules.kdf.iter().for_each(|kdf| vault.begin(handle, kdf));
            Ok(Some(handle))
        }
    }
}

fn request(run: &Run, ask: &Ask) -> Request {
    Request {
        target: ask.target.clone(),
        new_name: ask.new_name.clone(),
        ids: ask.ids.clone(),
        ..run.request(ask.verb, ask.options.clone())
    }
}

fn to_json(planned: &Planned) -> serde_json::Value {
    plan::to_json(&planned.plan, planned.opened.facts(), &planned.opened.place())
}

/// What to know about the password; outer blanks count, except where every app drops them before it hashes.
fn warn_of_password(run: &Run, planned: &[Planned], secret: Option<&Password>) {
    let dropped = planned.iter().all(|planned| planned.opened.facts().password.trim);
    secret.iter().flat_map(|password| password.warnings_where(dropped)).for_each(|warning| run.ui.warn(warning));
}

fn show(run: &Run, planned: &[Planned], secret: Option<&Password>) {
    warn_of_password(run, planned, secret);
    if run.ui.quiet || run.ui.json() {
        return;
    }
    for Planned { opened, plan, version } in planned.iter().filter(|planned| !planned.plan.is_empty()) {
        let heading = format!("{} {version}, {}", opened.facts().title, opened.place());
        run.ui.plan(&heading, plan, opened.facts());
    }
}

fn tell_dry_run(run: &Run, ask: &Ask, planned: &[Planned]) -> Exit {
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

fn tell_nothing(run: &Run, ask: &Ask, planned: &[Planned]) -> Result<Exit> {
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

fn confirm(run: &Run, ask: &Ask, planned: &[Planned]) -> Result<()> {
    if ask.write.yes {
        return Ok(());
    }
    if !run.ui.can_ask {
        return Err(Error::new(Kind::Usage, "this needs a yes, and there is no terminal to ask")
            .note("nothing was changed")
            .help("look at the plan with --dry-run, then say --yes"));
    }
    let touched: usize = planned.iter().map(|planned| planned.plan.accounts.len()).sum();
    let agreed = match ask.dangerous || ask.options.all || touched > 1 || planned.len() > 1 {
        false => secret::confirm("Apply?", true)?,
        true => {
            let name = Some(ask.name()).filter(|name| !name.is_empty());
            let name = name.unwrap_or_else(|| planned[0].opened.name().to_owned());
            secret::confirm_by_name("This is not a small change.", &name, true)?
        }
    };
    match agreed {
        true => Ok(()),
        false => Err(Error::new(Kind::Declined, "not applied").note("nothing was changed")),
    }
}

/// Prints what was made, a password or tokens, before anything is written: a closed pipe must not lose it. As JSON it is
/// part of the answer, which comes last; its beginning goes out now, to see that somebody listens.
fn hand_over(run: &Run, secret: Option<&Password>, planned: &[Planned]) -> Result<()> {
    let made = made(secret, planned);
    if made.is_empty() {
        return Ok(());
    }
    let cannot = |what: &str, why: &str| {
        Error::new(Kind::Failed, format!("cannot print the new {what}: {why}"))
            .note("nothing was changed")
            .help("let standard output go to a terminal, a pipe or a file")
    };
    if ui::stdout_is_discarded() {
        return Err(cannot(&made[0].0, "standard output is closed or goes nowhere"));
    }
    if run.ui.json() {
        return ui::begin_json().map_err(|why| cannot(&made[0].0, &crate::error::io_reason(&why)));
    }
    for (what, value) in &made {
        if *what != "password" {
            run.ui.say(format!("the new {what}, shown only now:"));
        }
        ui::try_answer(value).map_err(|why| cannot(what, &crate::error::io_reason(&why)))?;
    }
    Ok(())
}

/// The secrets that were made here and are shown once, each with what it is.
fn made<'a>(secret: Option<&'a Password>, planned: &'a [Planned]) -> Vec<(String, &'a str)> {
    let password = secret.filter(|password| password.generated);
    let password = password.map(|password| ("password".to_owned(), password.text.as_str()));
    let reveals = planned.iter().flat_map(|planned| &planned.plan.reveals);
    password.into_iter().chain(reveals.map(|made| (made.kind.replace('_', " "), made.value.as_str()))).collect()
}

/// What became of one plan.
struct Outcome {
    entry: String,
    sign_in: Vec<(String, Account)>,
}

fn write(run: &Run, ask: &Ask, planned: Vec<Planned>, secret: Option<Password>) -> Result<Exit> {
    let mut results = Vec::new();
    let mut failures: Vec<Error> = Vec::new();
    let mut locked_out = false;
    let several = planned.len() > 1;
    for planned in &planned {
        match write_one(run, ask, planned) {
            Ok(outcome) => {
                locked_out |= outcome.sign_in.iter().any(|(_, account)| account.can_sign_in == Known::Is(false));
                let mut json = result(planned, Some(&outcome));
                add_password(&mut json, secret.as_ref());
                results.push(json);
                tell(run, planned, &outcome, secret.is_some(), several);
            }
            Err(error) => {
                let made = made(secret.as_ref(), std::slice::from_ref(planned));
                let error = about_made(error, made.first().map(|(what, _)| what.as_str()), several);
                let shown = ui::error_json(&error);
                let mut json = json!({ "app": planned.opened.name(), "ok": false, "applied": false, "error": shown });
                if error.kind == Kind::Unfinished {
                    // Some of it is written: whoever reads this needs the password all the same.
                    add_password(&mut json, secret.as_ref());
                } else if !several {
                    return Err(error);
                }
                results.push(json);
                failures.push(if several { error.context(planned.opened.name()) } else { error });
            }
        }
    }
    let code = match (failures.as_slice(), locked_out) {
        ([only], _) if !several => only.kind.exit(),
        ([], true) => Kind::No.exit(),
        ([], false) => 0,
        _ => Kind::SomeFailed.exit(),
    };
    match run.ui.json() {
        true => Ok(print_or_save(results, &made(secret.as_ref(), &planned), code)),
        false => {
            failures.iter().for_each(|error| ui::error(error, false));
            Ok(code)
        }
    }
}

/// A failure after a secret was made says whether that secret counts. Of several instances it may count in others.
fn about_made(mut error: Error, made: Option<&str>, several: bool) -> Error {
    if let (false, Some(what)) = (error.kind == Kind::Unfinished, made) {
        let note = error.note.take().unwrap_or_else(|| "nothing was changed".to_owned());
        let there = if several { " there" } else { "" };
        error.note = Some(format!("{note}{there}; the new {what} is not in use{there}"));
    }
    error
}

fn work<'a>(run: &Run, ask: &'a Ask, planned: &'a Planned) -> Work<'a> {
    let target = ask.target.as_ref().map(|_| ask.name());
    Work {
        begun: planned.opened.begun(run, ask.verb, target, planned.plan.clone()),
        facts: planned.opened.facts(),
        stores: planned.opened.stores(),
        allow_running: ask.write.allow_running,
    }
}

fn write_one(run: &Run, ask: &Ask, planned: &Planned) -> Result<Outcome> {
    let applied = apply::apply(&run.journal()?, work(run, ask, planned))?;
    let sign_in = look_afterwards(run, planned);
    Ok(Outcome { entry: applied.recorded()?, sign_in })
}

/// Whether those who should be able to sign in now are.
fn look_afterwards(run: &Run, planned: &Planned) -> Vec<(String, Account)> {
    let mut sign_in = Vec::new();
    for person in planned.plan.accounts.iter().filter(|person| person.should_sign_in) {
        let target = Target { id: Some(person.id.clone()), ..Target::default() };
        let request = Request { target: Some(target), ..run.request("user.show", Options::default()) };
        let looked = planned.opened.read(run, request, &mut |batch| {
            if let Batch::Accounts(accounts) = batch {
                let meant = accounts.into_iter().filter(|account| account.id == person.id);
                sign_in.extend(meant.map(|account| (person.name.clone(), account)));
            }
            Ok(())
        });
        if let Err(error) = looked {
            run.ui.warn(format!("the change is written, but looking at {} afterwards failed: {error}", person.name));
        }
    }
    sign_in
}

/// Says what is now true and how to take it back.
fn tell(run: &Run, planned: &Planned, outcome: &Outcome, new_password: bool, several: bool) {
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
            _ => run.ui.say(format!("{place}done; whether {name} can sign in is up to another system")),
        }
        // Why a person is still kept out is the answer, even where the rest is not wanted.
        let out = account.can_sign_in == Known::Is(false);
        let lines = account.reasons.iter().flat_map(reason_lines).map(|line| format!("  {line}"));
        lines.for_each(|line| if out { ui::tell(line) } else { run.ui.say(line) });
    }
    plan.next_steps.iter().for_each(|next| run.ui.say(format!("next: {}", ui::escaped(next))));
    let can_go_back = plan.steps.iter().flat_map(|step| &step.changes).any(plan::can_be_undone);
    if can_go_back {
        let dir =
            run.global.state_dir.as_ref().map(|dir| format!(" --state-dir {}", dir.display())).unwrap_or_default();
        run.ui.say(format!("{place}undo: latchlift undo {}{dir}", outcome.entry));
    }
}

fn result(planned: &Planned, outcome: Option<&Outcome>) -> serde_json::Value {
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

fn add_password(result: &mut serde_json::Value, secret: Option<&Password>) {
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
fn print_or_save(results: Vec<serde_json::Value>, made: &[(String, &str)], code: Exit) -> Exit {
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
