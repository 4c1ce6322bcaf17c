//! `user fix-names`.

use super::effective_at_once;
use crate::accounts::Accounts;
use crate::names;
use crate::schema::{self, CREDENTIALS, USER};
use crate::sign_in::{Logins, count, typed};
use latchlift_plugin_api::{Context, Error, Kind, Plan, Request, Result, Target, Value, update};

/// Plans to give every account with a password the name that the login looks for; or only those of one name. Of accounts
/// that would share a name, `--keep` says which gets it.
///
/// # Errors
/// The store's, an unknown layout, or accounts would end up with one name: then nothing is planned at all.
pub fn fix(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let logins = Logins::of(&accounts);
    let which = match &request.target {
        Some(target) => of_name(&logins, target)?,
        None => (0..accounts.people.len()).collect(),
    };
    let mut renamed = match &request.options.keep {
        Some(id) => settled(&logins, &which, id)?,
        None => vec![],
    };
    let wrong: Vec<usize> = which.into_iter().filter(|i| logins.mended(*i).is_some()).collect();
    let wrong: Vec<usize> = wrong.into_iter().filter(|i| renamed.iter().all(|(settled, _)| settled != i)).collect();
    refuse_collisions(&logins, &wrong, request.target.is_some())?;
    renamed.extend(wrong.iter().filter_map(|i| Some((*i, logins.mended(*i)?.into_owned()))));
    renamed.retain(|(i, name)| accounts.people[*i].name() != name);
    if renamed.is_empty() {
        return Ok(Plan::new(match &request.target {
            Some(_) => "the name is lower-case and without blanks around it",
            None => "all names are lower-case and without blanks around them",
        }));
    }
    let mut plan = Plan::new(format!("Mend the names of {}", count(renamed.len() as u64, "account")));
    let mut changes = Vec::new();
    for (i, name) in renamed {
        let person = &accounts.people[i];
        if name != names::fold(person.name()) {
            let told = format!("`{}` (id {}) gets the name `{name}`: tell its owner", person.name(), person.id);
            plan = plan.warn(told);
        }
        plan = plan.about(&person.id, &name);
        let fields = [("name", Value::from(person.name.clone()), Value::from(name))];
        changes.extend(update(USER, schema::by_id(&person.id), fields));
    }
    Ok(effective_at_once(plan.step(changes)))
}

/// The accounts with a password that the target means: all of its name, since it is about their sharing it.
fn of_name(logins: &Logins<'_>, target: &Target) -> Result<Vec<usize>> {
    let mut which = logins.meant(target)?;
    which.retain(|i| logins.accounts.people[*i].is_local());
    match which.is_empty() {
        false => Ok(which),
        true => {
            let message =
                format!("`{}` does not sign in with a password here: its name is its provider's", target.name);
            Err(Error::refused(message, None).help("change it there"))
        }
    }
}

/// The account of this id with the name that it would share, and each other of that name with one that is free.
fn settled(logins: &Logins<'_>, which: &[usize], id: &str) -> Result<Vec<(usize, String)>> {
    let people = &logins.accounts.people;
    let missing = || {
        let message = format!("no account has the id `{id}`, which is to keep its name");
        Error::new(Kind::NotFound, message).help("see the ids with `latchlift user list`")
    };
    let kept = logins.accounts.position(id).ok_or_else(missing)?;
    let name = names::fold(people[kept].name());
    if !people[kept].is_local() || name.is_empty() || !which.contains(&kept) {
        let message = format!("`{}` is none of the accounts whose names are to be mended", people[kept].label());
        return Err(Error::new(Kind::Usage, message));
    }
    let mut all = vec![(kept, name.clone().into_owned())];
    let mut taken = Vec::new();
    for other in logins.named(&name, Some(CREDENTIALS)).into_iter().filter(|other| *other != kept) {
        let free = logins.free_name(&name, &taken);
        taken.push(free.clone());
        all.push((other, free));
    }
    Ok(all)
}

/// Homarr does not keep names apart, and its login takes the first: two accounts of one name would swap who gets in.
fn refuse_collisions(logins: &Logins<'_>, wrong: &[usize], one_name: bool) -> Result<()> {
    let mut clashing: Vec<usize> = Vec::new();
    for i in wrong.iter().filter(|i| logins.collides(**i)) {
        if !clashing.contains(i) {
            clashing.extend(logins.named(logins.accounts.people[*i].name(), Some(CREDENTIALS)));
        }
    }
    if clashing.is_empty() {
        return Ok(());
    }
    let people = &logins.accounts.people;
    let mut names: Vec<String> = clashing.iter().map(|i| format!("`{}`", people[*i].label())).collect();
    names.truncate(10);
    let working: Vec<String> = clashing.iter().filter(|i| logins.gets_in(**i)).map(|i| working(logins, *i)).collect();
    let today = match working.is_empty() {
        true => "none of them can sign in today".to_owned(),
        false => format!("today {} can sign in", working[..working.len().min(10)].join(", ")),
    };
    let message = format!(
        "{} accounts would share names if these were lower-case: {}; {today}",
        clashing.len(),
        names.join(", ")
    );
    let first = clashing.iter().find(|i| logins.gets_in(**i)).copied().unwrap_or(clashing[0]);
    let shared = |i: usize| names::fold(people[i].name());
    // Of several shared names one is decided at a time: the others would keep the command from changing anything.
    let which = match one_name || clashing.iter().any(|i| shared(*i) != shared(first)) {
        true => vec![shared(first).into_owned()],
        false => vec![],
    };
    let decision = [which, vec!["--keep".to_owned(), people[first].id.clone()]].concat();
    let help = format!(
        "say which account keeps the name, the others get a free one: `latchlift user fix-names {}`; \
         or choose a name yourself: `latchlift user rename --id ID NAME`",
        typed(&decision)
    );
    Err(Error { candidates: logins.candidates(&clashing), ..Error::new(Kind::Conflict, message).help(help) })
}

fn working(logins: &Logins<'_>, i: usize) -> String {
    let person = &logins.accounts.people[i];
    format!("`{}` (id {})", person.label(), person.id)
}
