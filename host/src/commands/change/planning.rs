//! From what was asked to a plan for each instance. Nothing is written here.

use crate::commands::ask::Ask;
use crate::commands::hints;
use crate::context::{Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::kdf::{self, Purpose, Vault};
use crate::keys;
use crate::plan;
use crate::secret::{self, Password};
use latchlift_plugin_api::{Batch, Facts, Handle, Options, Plan, Request, Target};

/// A plan for one instance, ready to be shown.
pub(super) struct Planned {
    pub opened: Opened,
    pub plan: Plan,
    pub version: String,
}

/// The instances, each able to do what is asked and with no change left half done. Two names of one place count once.
pub(super) fn open(run: &Run, ask: &mut Ask) -> Result<Vec<Opened>> {
    let mut opened: Vec<Opened> = Vec::new();
    for instance in &run.selected_for_writing()? {
        let mut open = Opened::open(run, instance)?;
        open.supports(ask.verb)?;
        if let Some(refused) = open.stores().iter().find_map(|(_, store)| store.read_only()) {
            return Err(refused);
        }
        complete_keys(run, ask, open.facts())?;
        if opened.iter().any(|other| other.is_same(&open)) {
            continue;
        }
        if !ask.write.dry_run {
            open.expect_commit();
            run.settle(&open)?;
        }
        opened.push(open);
    }
    Ok(opened)
}

/// Asks the person for the new password.
pub(super) fn typed_password(run: &Run, ask: &Ask, planned: &[Planned]) -> Result<Password> {
    let fits = |password: &Password| planned.iter().try_for_each(|planned| refuse_unfit(password, &planned.opened));
    secret::ask_new(&ask.name(), run.ui.can_ask, fits).map_err(|mut error| {
        // Where another system checks the password, none is needed.
        if ask.verb == "user.add" {
            error.help = error.help.map(|help| format!("{help}, or --no-password for an account without one"));
        }
        error.note("nothing was changed")
    })
}

/// Makes sure that the app takes such a password.
pub(super) fn refuse_unfit(password: &Password, opened: &Opened) -> Result<()> {
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

pub(super) fn plans(
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

pub(super) fn request(run: &Run, ask: &Ask) -> Request {
    Request {
        target: ask.target.clone(),
        new_name: ask.new_name.clone(),
        ids: ask.ids.clone(),
        ..run.request(ask.verb, ask.options.clone())
    }
}
