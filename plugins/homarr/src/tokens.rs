//! `token list` and `token revoke`: API keys. Homarr stores a hash of each and nothing else: not when it was made or used,
//! and they never end.

use crate::accounts::Accounts;
use crate::groups::Index;
use crate::report::total;
use crate::schema::{self, API_KEY};
use crate::sessions::{refuse_unused, whose};
use crate::sign_in::count;
use latchlift_plugin_api::{
    Batches, Context, Error, Filter, Kind, Known, Output, Plan, Reader, Request, Result, Select, Session, Value, purge,
};

/// Reports the API keys of the target, or of everybody.
///
/// # Errors
/// The store's, an unknown layout, or no such account.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    refuse_unused(request, "API key")?;
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let index = Index::of_all(&accounts);
    let filter = match whose(&accounts, request)? {
        Some(person) => Filter::eq("user_id", &person.id),
        None => Filter::All,
    };
    let mut keys = Batches::tokens(output);
    context.reader.each_row(Select::from(API_KEY, ["id", "user_id"]).filter(filter), |row| {
        let text = |cell: usize| row.get(cell).and_then(Value::to_text).unwrap_or_default();
        let (id, user) = (text(0), text(1));
        let person = index.of(&user).map(|i| &accounts.people[i as usize]);
        keys.push(Session {
            id,
            account: Known::from(person.and_then(|person| person.name.clone())),
            account_id: Known::Is(user),
            kind: "api_key".to_owned(),
            expires_at: Known::Nothing,
            ..Session::default()
        })
    })?;
    keys.finish()
}

/// Plans to end API keys: those of these ids, the target's, or all.
///
/// # Errors
/// The store's, an unknown layout, no such account, or nothing was said about which.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    refuse_unused(request, "API key")?;
    let layout = schema::detect(context.reader)?;
    if request.options.expired {
        return Ok(Plan::new("there is no ended API key: Homarr's API keys never end"));
    }
    if request.target.is_none() && request.ids.is_empty() && !request.options.all {
        return Err(Error::new(Kind::Usage, "say whose API keys end: an account, --id or --all"));
    }
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let person = whose(&accounts, request)?;
    let mut filter = person.map_or(Filter::All, |person| Filter::eq("user_id", &person.id));
    let mut missing = 0;
    if !request.ids.is_empty() {
        let found = found(context.reader, filter, &request.ids)?;
        missing = request.ids.len() - found.len().min(request.ids.len());
        filter = Filter::is_in("id", found);
    }
    let n = match filter {
        Filter::In(_, ref ids) if ids.is_empty() => 0,
        ref filter => total(context.reader, API_KEY, "user_id", filter)?,
    };
    let whose = person.map(|person| format!(" of `{}`", person.label())).unwrap_or_default();
    let mut plan = Plan::new(match n {
        0 => format!("there is no such API key{whose}"),
        n => format!("End {}{whose}", count(n, "API key")),
    });
    if missing > 0 {
        plan = plan.warn(format!("no API key has {} of the ids", missing));
    }
    if let (Some(person), true) = (person, n > 0) {
        plan = plan.about(&person.id, person.name());
    }
    if n > 0 {
        plan = plan.then("nothing to restart: the next request with an ended key is refused");
    }
    Ok(plan.step(purge(API_KEY, filter, n).into_iter().collect()))
}

/// The ids of these that are there. A whole key (`id.secret`, as it stands in a request) means the one of its id.
fn found(reader: &dyn Reader, scope: Filter, ids: &[String]) -> Result<Vec<String>> {
    let wanted = ids.iter().map(|id| id.trim().split('.').next().unwrap_or_default().to_owned());
    let filter = scope.and(Filter::is_in("id", wanted));
    let rows = reader.all(Select::from(API_KEY, ["id"]).filter(filter))?;
    Ok(rows.iter().filter_map(|row| row.text("id")).collect())
}
