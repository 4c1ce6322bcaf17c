//! `invite list` and `invite revoke`. Who has an invitation's link can make an account, so a revoked one is gone for good.

use crate::accounts::{Accounts, Person};
use crate::groups::Index;
use crate::report::total;
use crate::schema::{self, INVITE, Layout};
use crate::sessions::whose;
use crate::sign_in::count;
use latchlift_plugin_api::{
    Batches, Context, Error, Filter, Invite, Kind, Known, Output, Plan, Reader, Request, Result, Select, Value, purge,
};

/// Reports all invitations.
///
/// # Errors
/// The store's, or an unknown layout.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = known(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let index = Index::of_all(&accounts);
    let filter = scope(&layout, whose(&accounts, request)?, request);
    let mut invites = Batches::invites(output);
    context.reader.each_row(Select::from(INVITE, ["id", "creator_id", "expiration_date"]).filter(filter), |row| {
        let text = |cell: usize| row.get(cell).and_then(Value::to_text).unwrap_or_default();
        let (id, creator) = (text(0), text(1));
        let person = index.of(&creator).map(|i| &accounts.people[i as usize]);
        let expires = row.get(2).and_then(schema::invite_expiry);
        invites.push(Invite {
            id,
            account: Known::from(person.and_then(|person| person.name.clone())),
            account_id: Known::Is(creator),
            expires_at: Known::from(expires),
            expired: expires.is_some_and(|expires| expires < request.now),
        })
    })?;
    invites.finish()
}

/// Plans to take invitations back: those of these ids, the target's, the ended ones, or all.
///
/// # Errors
/// The store's, an unknown layout, no such account, or nothing was said about which.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let layout = known(context.reader)?;
    if request.target.is_none() && request.ids.is_empty() && !request.options.all && !request.options.expired {
        let message = "say which invitations are taken back: an account, --id, --all or --expired";
        return Err(Error::new(Kind::Usage, message));
    }
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let person = whose(&accounts, request)?;
    let mut filter = scope(&layout, person, request);
    let mut missing = 0;
    if !request.ids.is_empty() {
        let found = found(context.reader, filter, &request.ids)?;
        missing = request.ids.len() - found.len().min(request.ids.len());
        filter = Filter::is_in("id", found);
    }
    let n = match filter {
        Filter::In(_, ref ids) if ids.is_empty() => 0,
        ref filter => total(context.reader, INVITE, "creator_id", filter)?,
    };
    let what = if request.options.expired { "ended invitation" } else { "invitation" };
    let whose = person.map(|person| format!(" of `{}`", person.label())).unwrap_or_default();
    let mut plan = Plan::new(match n {
        0 => format!("there is no such {what}{whose}"),
        n => format!("Take back {}{whose}", count(n, what)),
    });
    if missing > 0 {
        plan = plan.warn(format!("no invitation has {missing} of the ids"));
    }
    if let (Some(person), true) = (person, n > 0) {
        plan = plan.about(&person.id, person.name());
    }
    if n > 0 && !request.options.expired {
        plan = plan.then("nothing to restart: the links lead nowhere at once; accounts already made with one stay");
    }
    Ok(plan.step(purge(INVITE, filter, n).into_iter().collect()))
}

fn known(reader: &dyn Reader) -> Result<Layout> {
    let layout = schema::detect(reader)?;
    match layout.invites {
        true => Ok(layout),
        false => Err(Error::unknown_schema("this database has no table `invite` as Homarr 1.x makes it")),
    }
}

fn scope(layout: &Layout, whose: Option<&Person>, request: &Request) -> Filter {
    let mut filter = whose.map_or(Filter::All, |person| Filter::eq("creator_id", &person.id));
    if request.options.expired {
        let to = Some(schema::invite_ended_to(layout.kind, request.now));
        filter = filter.and(Filter::Range { field: "expiration_date".to_owned(), from: None, to });
    }
    filter
}

/// The ids of these that are there; an invitation's token, as it stands in its link, names it too.
fn found(reader: &dyn Reader, scope: Filter, ids: &[String]) -> Result<Vec<String>> {
    let wanted: Vec<&str> = ids.iter().map(|id| id.trim()).collect();
    let mut found: Vec<String> = Vec::new();
    for field in ["id", "token"] {
        let filter = scope.clone().and(Filter::is_in(field, wanted.iter().copied()));
        let rows = reader.all(Select::from(INVITE, ["id"]).filter(filter))?;
        let new = rows.iter().filter_map(|row| row.text("id")).filter(|id| !found.contains(id)).collect::<Vec<_>>();
        found.extend(new);
    }
    Ok(found)
}
