//! `password remove`.

use super::reset::end_sign_ins;
use super::{Instance, effective_at_once, row_of};
use crate::accounts::Stored;
use crate::last_admin::{self, Moment};
use crate::report::total;
use crate::schema::{self, LINK, USER};
use crate::sign_in::{Logins, typed};
use latchlift_plugin_api::{Context, Error, Filter, Plan, Request, Result, Value, update};

/// Plans to take an account's password away, and with it its sign-ins.
///
/// # Errors
/// The store's, an unknown layout, no such account or several, one whose password is kept elsewhere, or nobody would be
/// left to administer.
pub fn remove(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let homarr = Instance::load(context, request)?;
    let logins = Logins::of(&homarr.accounts);
    let i = logins.find(request.target()?)?;
    let person = &homarr.accounts.people[i];
    if !person.is_local() {
        let title = person.provider_title();
        let message = format!("`{}` signs in through {title}: Homarr keeps no password for it", person.label());
        let help = match person.is_stray() {
            true => format!("what would keep it out for good: `latchlift user remove {}`", typed(&logins.address(i))),
            false => format!("lock the person out at {title}"),
        };
        return Err(Error::refused(message, None).help(help));
    }
    let mut plan = Plan::new(format!("Remove the password of `{}`", person.label())).about(&person.id, person.name());
    if person.stored == Stored::Missing {
        plan.summary = format!("`{}` has no password", person.label());
        return Ok(plan);
    }
    let mut after = homarr.accounts.clone();
    after.people[i].stored = Stored::Missing;
    let (after, admins) = (Logins::of(&after), homarr.admins()?);
    let (was, is) = (Moment { logins: &logins, admins: &admins }, Moment { logins: &after, admins: &admins });
    plan.warnings.extend(last_admin::keep(&was, &is, i, request)?);
    let columns: Vec<String> =
        ["password"].into_iter().chain(homarr.layout.salt.then_some("salt")).map(str::to_owned).collect();
    let row = row_of(homarr.reader, &person.id, columns)?;
    let fields = row.0.into_iter().map(|(field, before)| (field, before, Value::Null));
    let mut changes: Vec<_> = update(USER, schema::by_id(&person.id), fields).into_iter().collect();
    plan = end_sign_ins(context, &homarr.layout, request, person, plan, &mut changes)?;
    let linked = homarr.layout.links && total(homarr.reader, LINK, "user_id", &Filter::eq("user_id", &person.id))? > 0;
    if linked {
        plan = plan.warn("it is linked to a person at OIDC, who still gets in that way");
    }
    let address = typed(&logins.address(i));
    plan = plan.step(changes).then(format!("to let it in again: `latchlift password reset {address}`"));
    Ok(effective_at_once(plan))
}
