//! `user set`: e-mail, groups, administrator rights, and the way of signing in.

use super::reset::{converted, refuse_shared_name};
use super::{Instance, effective_at_once, regroup, row_of, with_groups_named};
use crate::email;
use crate::last_admin::{self, Moment};
use crate::report::total;
use crate::schema::{self, API_KEY, CREDENTIALS, USER};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Context, Error, Filter, Kind, Plan, Request, Result, Value, purge, update};

/// Plans the changes that the keys ask for.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, a value Homarr would not take, or nobody would be left to
/// administer.
pub fn set(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let homarr = Instance::load(context, request)?;
    let logins = Logins::of(&homarr.accounts);
    let i = logins.find(request.target()?)?;
    let person = &homarr.accounts.people[i];
    let mut plan = Plan::new(format!("Change `{}`", person.label())).about(&person.id, person.name());
    let mut changes = Vec::new();
    let mut fields = Vec::new();
    plan = new_email(&homarr, i, plan, &mut fields)?;
    plan = new_provider(&homarr, &logins, i, plan, &mut fields)?;
    changes.extend(update(USER, schema::by_id(&person.id), fields));
    plan = regroup::plan(&homarr, &logins, i, plan, &mut changes)?;
    if request.options.tokens {
        let mine = Filter::eq("user_id", &person.id);
        let keys = total(homarr.reader, API_KEY, "user_id", &mine)?;
        changes.extend(purge(API_KEY, mine, keys));
    }
    if changes.is_empty() {
        plan.summary = format!("`{}` is so already", person.label());
        return Ok(plan);
    }
    Ok(effective_at_once(with_groups_named(plan.step(changes), &homarr.groups)))
}

type Fields = Vec<(&'static str, Value, Value)>;

fn new_email(homarr: &Instance<'_>, i: usize, mut plan: Plan, fields: &mut Fields) -> Result<Plan> {
    let Some(typed) = homarr.request.keys.get("email") else { return Ok(plan) };
    let person = &homarr.accounts.people[i];
    let email = email::accepted(typed)?;
    if email == person.email {
        return Ok(plan);
    }
    fields.push(("email", Value::from(person.email.clone()), Value::from(email.clone())));
    if homarr.layout.verifies_email {
        // As in Homarr itself: a new address is not a verified one.
        let row = row_of(homarr.reader, &person.id, vec!["email_verified".to_owned()])?;
        fields.push(("email_verified", row.get("email_verified").cloned().unwrap_or_default(), Value::Null));
    }
    if person.provider == "ldap" {
        plan = plan.warn(
            "Homarr knows LDAP accounts by their e-mail address: unless LDAP has the new one, the next sign-in makes a \
             second account",
        );
    }
    Ok(email::warn_of_shared(plan, &homarr.accounts, email.as_deref(), Some(i)))
}

/// Turns an account of OIDC or LDAP into one that may have a password.
fn new_provider(
    homarr: &Instance<'_>,
    logins: &Logins<'_>,
    i: usize,
    mut plan: Plan,
    fields: &mut Fields,
) -> Result<Plan> {
    let person = &homarr.accounts.people[i];
    match homarr.request.keys.get("provider").map(String::as_str) {
        None => return Ok(plan),
        Some(CREDENTIALS) if person.is_local() => return Ok(plan),
        Some(CREDENTIALS) => {}
        Some(_) => {
            let message = "an account can only be turned into one with a password: provider=credentials";
            let help = "OIDC and LDAP accounts are made by their first sign-in";
            return Err(Error::new(Kind::Usage, message).help(help));
        }
    }
    refuse_shared_name(logins, i)?;
    fields.push(("provider", Value::from(&*person.provider), Value::from(CREDENTIALS)));
    let mut after = homarr.accounts.clone();
    after.people[i].provider = CREDENTIALS.into();
    let after = Logins::of(&after);
    let admins = homarr.admins()?;
    let (was, is) = (Moment { logins, admins: &admins }, Moment { logins: &after, admins: &admins });
    plan.warnings.extend(last_admin::keep(&was, &is, i, homarr.request)?);
    plan = plan.warn(converted(person));
    Ok(super::warn_of_reasons(plan, &after, i))
}
