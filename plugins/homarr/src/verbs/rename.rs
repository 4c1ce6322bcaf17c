//! `user rename`.

use super::{Instance, effective_at_once, refuse_taken, warn_of_reasons};
use crate::names;
use crate::schema::{self, USER};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Context, Error, Kind, Plan, Request, Result, Value, update};

/// Plans to give an account another sign-in name.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, a name Homarr would not take or another account has.
pub fn rename(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let missing = || Error::new(Kind::Usage, "this needs the new name");
    let name = names::accepted(request.new_name.as_deref().ok_or_else(missing)?)?;
    let mut homarr = Instance::load(context, request)?;
    let i = {
        let logins = Logins::of(&homarr.accounts);
        let i = logins.find(request.target()?)?;
        refuse_taken(&logins, &name, Some(i))?;
        i
    };
    let before = homarr.accounts.people[i].clone();
    let mut plan = Plan::new(format!("Rename `{}` to `{name}`", before.label())).about(&before.id, &name);
    let fields = [("name", Value::from(before.name.clone()), Value::from(name.as_str()))];
    let Some(change) = update(USER, schema::by_id(&before.id), fields) else {
        plan.summary = format!("`{name}` has this name already");
        return Ok(plan);
    };
    homarr.accounts.people[i].name = Some(name);
    // The database's own key of the old name says nothing about the new one.
    homarr.accounts.people[i].same = None;
    plan = warn_of_reasons(plan.step(vec![change]), &Logins::of(&homarr.accounts), i);
    if !before.is_local() && !before.is_stray() {
        let title = before.provider_title();
        plan = plan
            .warn(format!("{title} sends its own name for this account, which replaces this one at its next sign-in"));
    }
    Ok(effective_at_once(plan))
}
