//! Commands that write: plan on every instance, show, confirm, apply, say what is now true.

use super::list::reason_lines;
use super::{Exit, hints};
use crate::apply::{self, Work};
use crate::cli::{Including, NewPassword, Write};
use crate::context::{Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::kdf::{Purpose, Vault};
use crate::plan;
use crate::secret::{self, Password, Source};
use crate::ui;
use latchlift_plugin_api::{Account, Batch, Handle, Known, Options, Plan, Request, Reveal, Target};
use serde_json::json;
use std::collections::BTreeMap;

/// What the person asked to change.
#[derive(Default)]
pub struct Ask {
    verb: &'static str,
    target: Option<Target>,
    new_name: Option<String>,
    ids: Vec<String>,
    keys: BTreeMap<String, String>,
    options: Options,
    password: Option<Source>,
    write: Write,
    dangerous: bool,
}

impl Ask {
    /// A verb with its safety flags.
    pub fn new(verb: &'static str, write: Write) -> Ask {
        let rules = [
            (write.allow_running, "running"),
            (write.allow_last_admin, "last-admin"),
            (write.allow_existing_admin, "existing-admin"),
        ];
        let allow = rules.iter().filter(|(allowed, _)| *allowed).map(|(_, rule)| (*rule).to_owned()).collect();
        Ask { verb, options: Options { allow, ..Options::default() }, write, ..Ask::default() }
    }

    /// Confirmed by typing a name rather than `y`.
    pub fn dangerous(self) -> Ask {
        Ask { dangerous: true, ..self }
    }

    /// About an account.
    pub fn target(self, target: impl Into<Target>) -> Ask {
        Ask { target: Some(target.into()), ..self }
    }

    /// About an account of this name, which may not exist yet.
    pub fn named(self, name: String) -> Ask {
        self.target(Target { name, ..Target::default() })
    }

    /// With a new name.
    pub fn new_name(self, name: String) -> Ask {
        Ask { new_name: Some(name), ..self }
    }

    /// About these ids.
    pub fn ids(self, ids: Vec<String>) -> Ask {
        Ask { ids, ..self }
    }

    /// About all there are.
    pub fn all(mut self, all: bool) -> Ask {
        self.options.all = all;
        self
    }

    /// About what has ended.
    pub fn expired(mut self, expired: bool) -> Ask {
        self.options.expired = expired;
        self
    }

    /// Tokens too.
    pub fn tokens(mut self, tokens: bool) -> Ask {
        self.options.tokens = tokens;
        self
    }

    /// Owner too.
    pub fn owner(mut self, owner: bool) -> Ask {
        self.options.owner = owner;
        self
    }

    /// What else the change includes.
    pub fn including(mut self, including: Including) -> Ask {
        let Including { tokens, keep_sessions, convert, fix_name } = including;
        self.options = Options { tokens, keep_sessions, convert, fix_name, ..self.options };
        self
    }

    /// With a new password.
    pub fn password(self, password: NewPassword) -> Ask {
        let NewPassword { password_stdin, password_file, generate } = password;
        let source = match password_file {
            _ if password_stdin => Source::Stdin,
            _ if generate => Source::Generate,
            Some(path) => Source::File(path),
            None => Source::Prompt,
        };
        Ask { password: Some(source), ..self }
    }

    /// With `key=value` arguments.
    ///
    /// # Errors
    /// One has no `=`, or a key is given twice.
    pub fn keys(mut self, arguments: &[String]) -> Result<Ask> {
        for argument in arguments {
            let Some((key, value)) = argument.split_once('=') else {
                return Err(Error::new(Kind::Usage, "an argument after the name is not of the form key=value")
                    .help("write it as email=john@example.org; passwords are not arguments: use --password-stdin"));
            };
            if self.keys.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(Error::new(Kind::Usage, format!("`{key}=` is given twice")));
            }
        }
        Ok(self)
    }

    fn name(&self) -> String {
        let target = self.target.clone().unwrap_or_default();
        if target.name.is_empty() { target.id.unwrap_or_default() } else { target.name }
    }
}

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
pub fn run(run: &Run, ask: Ask) -> Result<Exit> {
    let instances = run.selected_for_writing()?;
    let mut opened = Vec::new();
    for instance in &instances {
        let open = Opened::open(run, instance)?;
        open.supports(ask.verb)?;
        check_keys(&ask, &open)?;
        run.settle(&open)?;
        opened.push(open);
    }
    // A person is asked for a password only once it is certain that there is an account to set it for.
    let prompts = ask.password == Some(Source::Prompt);
    let mut secret = None;
    if let Some(source) = ask.password.as_ref().filter(|_| !prompts && !ask.write.dry_run) {
        secret = Some(new_password(run, source, &ask)?);
    }
    let mut planned = plans(run, &ask, opened, secret.as_ref())?;
    show(run, &planned, secret.as_ref());
    if ask.write.dry_run {
        return Ok(tell_dry_run(run, &planned));
    }
    if planned.iter().all(|planned| planned.plan.is_empty()) {
        return Ok(tell_nothing(run, &planned));
    }
    if prompts {
        let password = new_password(run, &Source::Prompt, &ask)?;
        password.warnings.iter().for_each(|warning| run.ui.warn(warning));
        let opened = planned.into_iter().map(|planned| planned.opened).collect();
        planned = plans(run, &ask, opened, Some(&password))?;
        secret = Some(password);
    }
    confirm(run, &ask, &planned)?;
    planned.retain(|planned| !planned.plan.is_empty());
    for planned in &planned {
        apply::check_stopped(&work(run, &ask, planned))?;
    }
    if planned.len() > 1 {
        for planned in &planned {
            apply::check_fresh(&work(run, &ask, planned)).map_err(|error| error.note("nothing was changed"))?;
        }
    }
    hand_over(run, secret.as_ref())?;
    write(run, &ask, planned, secret)
}

fn new_password(run: &Run, source: &Source, ask: &Ask) -> Result<Password> {
    secret::read(source, Purpose::Set, &ask.name(), run.ui.can_ask)
}

fn check_keys(ask: &Ask, opened: &Opened) -> Result<()> {
    let facts = opened.facts();
    let known = |name: &str| facts.keys.iter().any(|key| key.name == name && key.verbs.iter().any(|v| v == ask.verb));
    match ask.keys.keys().find(|key| !known(key)) {
        None => Ok(()),
        Some(key) => Err(Error::new(Kind::Usage, format!("{} has no key `{key}` for this", facts.title))
            .help(format!("see the keys with `latchlift plugin show {}`", facts.app))),
    }
}

fn plans(run: &Run, ask: &Ask, opened: Vec<Opened>, secret: Option<&Password>) -> Result<Vec<Planned>> {
    opened.into_iter().map(|opened| plan_one(run, ask, opened, secret)).collect()
}

fn plan_one(run: &Run, ask: &Ask, opened: Opened, secret: Option<&Password>) -> Result<Planned> {
    let mut vault = Vault::default();
    let password = password_handle(&mut vault, ask, &opened, secret)?;
    let request = request(run, ask, password);
    let (plan, version) = opened.plan(run, request, &vault).map_err(|error| {
        let error = error.note("nothing was changed");
        hints::about_account(run, &opened, ask.target.as_ref(), error)
    })?;
    plan::validate(&plan, opened.facts(), &opened.kinds()).map_err(|error| error.note("nothing was changed"))?;
    Ok(Planned { opened, plan, version })
}

fn password_handle(
    vault: &mut Vault,
    ask: &Ask,
    opened: &Opened,
    secret: Option<&Password>,
) -> Result<Option<Handle>> {
    match (&ask.password, secret) {
        (None, _) => Ok(None),
        (Some(_), None) => Ok(Some(vault.placeholder())),
        (Some(_), Some(password)) => vault.add(&password.text, opened.facts(), Purpose::Set).map(Some),
    }
}

fn request(run: &Run, ask: &Ask, password: Option<Handle>) -> Request {
    Request {
        target: ask.target.clone(),
        new_name: ask.new_name.clone(),
        ids: ask.ids.clone(),
        keys: ask.keys.clone(),
        password,
        ..run.request(ask.verb, ask.options.clone())
    }
}

fn show(run: &Run, planned: &[Planned], secret: Option<&Password>) {
    for warning in secret.iter().flat_map(|password| &password.warnings) {
        run.ui.warn(warning);
    }
    if run.ui.quiet || run.ui.json() {
        return;
    }
    for Planned { opened, plan, version } in planned.iter().filter(|planned| !planned.plan.is_empty()) {
        let heading = format!("{} {version}, {}", opened.facts().title, opened.place());
        run.ui.plan(&heading, plan, opened.facts());
    }
}

fn tell_dry_run(run: &Run, planned: &[Planned]) -> Exit {
    match run.ui.json() {
        true => print_results(planned.iter().map(|planned| result(planned, None)).collect()),
        false => run.ui.say("nothing was changed: this was a dry run"),
    }
    0
}

fn tell_nothing(run: &Run, planned: &[Planned]) -> Exit {
    if run.ui.json() {
        print_results(planned.iter().map(|planned| result(planned, None)).collect());
        return 0;
    }
    for planned in planned {
        run.ui.say(format!("{}: nothing to do: {}", planned.opened.name(), planned.plan.summary));
        planned.plan.warnings.iter().for_each(|warning| run.ui.warn(warning));
    }
    0
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
    let agreed = match ask.dangerous || touched > 1 || planned.len() > 1 {
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

/// Prints a generated password before anything is written: a closed pipe must not lose it.
fn hand_over(run: &Run, secret: Option<&Password>) -> Result<()> {
    let Some(password) = secret.filter(|password| password.generated) else { return Ok(()) };
    if run.ui.json() {
        return Ok(());
    }
    ui::try_answer(&password.text).map_err(|why| {
        let message = format!("cannot print the new password: {}", crate::error::io_reason(&why));
        Error::new(Kind::Failed, message).note("nothing was changed")
    })
}

/// What became of one plan.
struct Outcome {
    entry: String,
    sign_in: Vec<(String, Account)>,
}

fn write(run: &Run, ask: &Ask, planned: Vec<Planned>, secret: Option<Password>) -> Result<Exit> {
    let mut results = Vec::new();
    let mut failures = Vec::new();
    let mut locked_out = false;
    let alone = planned.len() == 1;
    for planned in &planned {
        match write_one(run, ask, planned) {
            Ok(outcome) => {
                locked_out |= outcome.sign_in.iter().any(|(_, account)| account.can_sign_in == Known::Is(false));
                let mut json = result(planned, Some(&outcome));
                add_password(&mut json, secret.as_ref());
                results.push(json);
                tell(run, planned, &outcome, secret.is_some());
            }
            Err(error) if alone => return Err(error),
            Err(error) => {
                results.push(json!({ "app": planned.opened.name(), "ok": false, "error": ui::error_json(&error) }));
                failures.push(error.context(planned.opened.name()));
            }
        }
    }
    if run.ui.json() {
        print_or_save(results, secret.as_ref());
    }
    failures.iter().filter(|_| !run.ui.json()).for_each(|error| ui::error(error, false));
    Ok(match (failures.is_empty(), locked_out) {
        (false, _) => Kind::SomeFailed.exit(),
        (true, true) => Kind::No.exit(),
        (true, false) => 0,
    })
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
    let entry = apply::apply(&run.journal, work(run, ask, planned))?;
    let mut sign_in = Vec::new();
    for person in planned.plan.accounts.iter().filter(|person| person.should_sign_in) {
        let target = Target { name: person.name.clone(), id: Some(person.id.clone()), provider: None };
        let request = Request { target: Some(target), ..run.request("user.show", Options::default()) };
        let looked = planned.opened.read(run, request, &mut |batch| {
            if let Batch::Accounts(accounts) = batch {
                sign_in.extend(accounts.into_iter().map(|account| (person.name.clone(), account)));
            }
            Ok(())
        });
        looked.map_err(|error| {
            Error::new(Kind::Unfinished, format!("the change is written, but looking at {} afterwards failed: {error}", person.name))
                .note(format!("the change is entry {entry} of the journal"))
        })?;
    }
    Ok(Outcome { entry, sign_in })
}

/// Says what is now true and how to take it back.
fn tell(run: &Run, planned: &Planned, outcome: &Outcome, new_password: bool) {
    let plan = &planned.plan;
    if run.ui.json() {
        return;
    }
    for Reveal { kind, value } in &plan.reveals {
        run.ui.say(format!("{kind}, shown only now:"));
        ui::answer(value);
    }
    if outcome.sign_in.is_empty() {
        run.ui.say(format!("done: {}", ui::escaped(&plan.summary)));
    }
    for (name, account) in &outcome.sign_in {
        let name = ui::escaped(name);
        match account.can_sign_in {
            Known::Is(true) if new_password => run.ui.say(format!("{name} can sign in with the new password")),
            Known::Is(true) => run.ui.say(format!("{name} can sign in")),
            Known::Is(false) => run.ui.warn(format!("the change is written, but {name} still cannot sign in")),
            _ => run.ui.say(format!("done; whether {name} can sign in is up to another system")),
        }
        account.reasons.iter().flat_map(reason_lines).for_each(|line| run.ui.say(format!("  {line}")));
    }
    plan.next_steps.iter().for_each(|next| run.ui.say(format!("next: {}", ui::escaped(next))));
    run.ui.say(format!("undo: latchlift undo {}", outcome.entry));
}

fn result(planned: &Planned, outcome: Option<&Outcome>) -> serde_json::Value {
    let Planned { opened, plan, .. } = planned;
    let mut out = json!({
        "app": opened.name(), "ok": true, "changed": !plan.is_empty(), "applied": outcome.is_some(),
        "entry": outcome.map(|outcome| &outcome.entry), "plan": plan::to_json(plan, opened.facts()),
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

/// Prints the results; if nobody listens any more, a generated password still goes somewhere it can be read.
fn print_or_save(results: Vec<serde_json::Value>, secret: Option<&Password>) {
    let ok = results.iter().all(|result| result["ok"] == true);
    let text = json!({ "latchlift": 1, "ok": ok, "results": results }).to_string();
    if let (Err(_), Some(password)) = (ui::try_answer(&text), secret.filter(|password| password.generated)) {
        eprintln!("warning: the answer could not be printed; the change is written and the new password is:");
        eprintln!("{}", password.text.as_str());
    }
}
