//! `session revoke`.

use super::RESTART;
use crate::find;
use crate::named::{self, Named};
use crate::schema::{self, Layout};
use crate::sessions::{self, Row, Sort};
use crate::user::User;
use latchlift_plugin_api::{Change, Context, Error, Filter, Kind, Plan, Request, Result, Value};

/// Plans the end of sign-ins: one account's, everyone's, those named by id, or those that have ended already.
///
/// # Errors
/// The account is not found; nothing says which sign-ins are meant; the store's.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let (reader, options) = (context.reader, &request.options);
    let layout = schema::detect(reader)?;
    let user = match &request.target {
        Some(target) => Some(find::find(reader, &layout, target, request.now)?.user),
        None => None,
    };
    if user.is_none() && request.ids.is_empty() && !options.all && !options.expired && options.unused_for.is_none() {
        return Err(Error::new(
            Kind::Usage,
            "say which sign-ins to end: an account, --id, --all, --expired or --unused-for",
        ));
    }
    let filter = user.as_ref().map_or(Filter::All, |user| Filter::eq("user_uid", &user.uid));
    let rows = named::chosen(reader, &layout, &request.ids, filter.clone(), request.now)?;
    let changes = chosen(&layout, &rows, &filter, request);
    let count = sessions::ended(&changes);
    if count == 0 {
        let mut plan = Plan::new("There are no such sign-ins");
        plan.warnings = hints(&rows, request);
        return Ok(plan);
    }
    let plan = Plan::new(format!("End {}", described(count, user.as_ref(), request))).step(changes);
    let plan = if options.expired { plan } else { plan.then(RESTART) };
    Ok(user.iter().fold(plan, |plan, user| plan.about(&user.uid, &user.name)))
}

fn chosen(layout: &Layout, rows: &[Row], whose: &Filter, request: &Request) -> Vec<Change> {
    let (options, now) = (&request.options, request.now);
    let named = Named::of(layout, &request.ids);
    if !named.is_empty() {
        return sessions::ending_these(rows, |row| row.fits(options, now) && named.means(row));
    }
    // App passwords are not ended unasked, however long nobody used them; whatever is over may go.
    match (options.unused_for, options.expired) {
        (Some(_), expired) => {
            let free = |row: &Row| expired || options.tokens && sessions::is_token(row) || row.sort == Sort::Browser;
            sessions::ending_these(rows, |row| row.fits(options, now) && free(row))
        }
        (None, true) => sessions::ending_over(rows, whose, now),
        (None, false) => sessions::ending(rows, options.tokens),
    }
}

fn described(count: u64, user: Option<&User>, request: &Request) -> String {
    let what = match (count, request.options.expired) {
        (1, false) => "1 sign-in".to_owned(),
        (1, true) => "1 sign-in that is over".to_owned(),
        (_, false) => format!("{count} sign-ins"),
        (_, true) => format!("{count} sign-ins that are over"),
    };
    match user {
        Some(user) => format!("{what} of {}", user.label()),
        None => what,
    }
}

/// Why nothing was found, where there is something to say.
fn hints(rows: &[Row], request: &Request) -> Vec<String> {
    let app = rows.iter().filter(|row| row.provider == Value::from("application")).count();
    let only_tokens = app > 0 && request.ids.is_empty() && !request.options.tokens && !request.options.expired;
    let hint = format!("{app} app passwords and sign-ins made with them were left alone; end them too with --tokens");
    only_tokens.then_some(hint).into_iter().collect()
}
