//! `user fix-names`.

use super::effective_at_once;
use crate::accounts::Accounts;
use crate::schema::{self, CREDENTIALS, USER};
use crate::sign_in::{Logins, count};
use latchlift_plugin_api::{Change, Context, Error, Kind, Plan, Request, Result, Value, update};

/// Plans to give every account with a password the name that the login looks for; or only the target.
///
/// # Errors
/// The store's, an unknown layout, or two accounts would end up with one name: then nothing is planned at all.
pub fn fix(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let logins = Logins::of(&accounts);
    let which = match &request.target {
        Some(target) => vec![logins.find(target)?],
        None => (0..accounts.people.len()).collect(),
    };
    let wrong: Vec<usize> = which.into_iter().filter(|i| logins.mended(*i).is_some()).collect();
    refuse_collisions(&logins, &wrong)?;
    if wrong.is_empty() {
        return Ok(Plan::new("all names are lower-case and without blanks around them"));
    }
    let mut plan = Plan::new(format!("Mend the names of {}", count(wrong.len() as u64, "account")));
    let mut changes: Vec<Change> = Vec::new();
    for i in wrong {
        let person = &accounts.people[i];
        let Some(name) = logins.mended(i) else { continue };
        plan = plan.about(&person.id, &*name);
        let fields = [("name", Value::from(person.name.clone()), Value::from(&*name))];
        changes.extend(update(USER, schema::by_id(&person.id), fields));
    }
    Ok(effective_at_once(plan.step(changes)))
}

/// Homarr does not keep names apart, and its login takes the first: two accounts of one name would swap who gets in.
fn refuse_collisions(logins: &Logins<'_>, wrong: &[usize]) -> Result<()> {
    let mut clashing: Vec<usize> = Vec::new();
    for i in wrong.iter().filter(|i| logins.collides(**i)) {
        if !clashing.contains(i) {
            clashing.extend(logins.named(logins.accounts.people[*i].name(), Some(CREDENTIALS)));
        }
    }
    if clashing.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = clashing.iter().map(|i| format!("`{}`", logins.accounts.people[*i].label())).collect();
    names.truncate(10);
    let message =
        format!("{} accounts would share names if these were lower-case: {}", clashing.len(), names.join(", "));
    let help =
        "give one account of each pair another name in Homarr (Manage, Users), or remove it there; then run this again";
    Err(Error { candidates: logins.candidates(&clashing), ..Error::new(Kind::Conflict, message).help(help) })
}
