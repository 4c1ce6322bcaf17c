//! Commands that write: plan on every instance, show, confirm, apply, say what is now true.

mod planning;
mod telling;

use super::Exit;
use super::ask::Ask;
use crate::apply::{self, Work};
use crate::context::Run;
use crate::error::{Error, Kind, Result};
use crate::secret::{self, Password, Source};
use crate::ui;
use latchlift_plugin_api::{Account, Batch, Known, Options, Request, Target};
use planning::{Planned, open, plans, refuse_unfit, request, typed_password};
use serde_json::json;
pub use telling::print_results;
use telling::{
    about_made, add_password, print_or_save, result, show, tell, tell_dry_run, tell_nothing, to_json, warn_of_password,
};

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
        let given = secret::read(source, &ask.name(), run.ui.can_ask)?;
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
        let password = typed_password(run, &ask, &planned)?;
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

fn confirm(run: &Run, ask: &Ask, planned: &[Planned]) -> Result<()> {
    if ask.write.yes {
        return Ok(());
    }
    if !run.ui.can_ask {
        return Err(Error::new(
            Kind::Usage,
            format!("this needs a yes, and nobody may be asked here: {}", secret::NOBODY),
        )
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
    // What was made here and is not printed yet is known to nobody else: interrupted, it would be lost.
    let unsaid = run.ui.json() && !made(secret.as_ref(), &planned).is_empty();
    let _held = unsaid.then(apply::Signals::hold).transpose()?;
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
        let looked = planned.opened.read_one(request, &mut |batch| {
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
