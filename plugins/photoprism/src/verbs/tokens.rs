//! `token issue` and `token revoke`: app passwords, and access tokens of programs that act for no account.

use super::{RESTART, refuse_deleted, refuse_system};
use crate::fill;
use crate::find;
use crate::ids;
use crate::schema::{self, Layout, SESSIONS};
use crate::sessions::{self, Named, Row, Sort};
use crate::user::User;
use crate::values;
use latchlift_plugin_api::{
    Change, Context, Error, Filter, Kind, Plan, Reader, Record, Request, Result, Reveal, Value, insert, reason,
};

/// Why layouts before 240420 have none of these verbs.
pub const TOO_OLD: &str = "this database is of a PhotoPrism before 240420, which had neither app passwords nor clients";
/// How long a token lasts where nothing else is said, in seconds: a year, as with PhotoPrism's own command.
const YEAR: i64 = 31_536_000;

/// Stops where there are no tokens yet.
///
/// # Errors
/// The layout is of before 240420.
pub fn required(layout: &Layout) -> Result<()> {
    if layout.tokens() { Ok(()) } else { Err(Error::unsupported(TOO_OLD)) }
}

/// Plans a new token: an app password for an account, an access token where none is named. The secret is revealed once;
/// the database gets its hash. Upstream: internal/entity/auth_session_client.go, internal/commands/auth_add.go.
///
/// # Errors
/// The account is not found, deleted, or PhotoPrism's own; a key's value is not one PhotoPrism takes.
pub fn issue(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    required(&layout)?;
    let owner = owner(reader, &layout, request)?;
    let (kind, what, secret) = match &owner {
        Some(_) => ("app_password", "app password", ids::app_password(&request.random)),
        None => ("access_token", "access token", ids::access_token(&request.random)),
    };
    let scope = values::scope(request.keys.get("scope").map_or("*", String::as_str))?;
    let row = row(reader, &layout, request, owner.as_ref().map(|(user, row)| (user, row)), &secret, &scope)?;
    let of = owner.as_ref().map_or(String::new(), |(user, _)| format!(" for {}", user.label()));
    let mut plan = Plan::new(format!("Issue the {what} {}{of}", row.text("ref_id").unwrap_or_default()));
    plan.warnings.extend(values::scope_note(&scope));
    if let Some((user, _)) = &owner {
        plan = plan.about(&user.uid, &user.name);
        plan.warnings.extend(useless(&layout, user, request));
    }
    plan.reveals.push(Reveal { kind: kind.to_owned(), value: secret });
    Ok(plan.step(vec![insert(SESSIONS, row)]))
}

fn owner(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<Option<(User, Record)>> {
    let Some(target) = &request.target else { return Ok(None) };
    let user = find::find(reader, layout, target, request.now)?.user;
    refuse_system(&user)?;
    refuse_deleted(&user)?;
    let row = find::record(reader, layout, &user)?;
    Ok(Some((user, row)))
}

fn row(
    reader: &dyn Reader,
    layout: &Layout,
    request: &Request,
    owner: Option<(&User, &Record)>,
    secret: &str,
    scope: &str,
) -> Result<Record> {
    let now = layout.time(request.now);
    let (provider, method) = if owner.is_some() { ("application", "default") } else { ("access_token", "oauth2") };
    // A token keeps the account's own preview and download tokens, numbers among them as they are.
    let theirs = |field: &str| owner.and_then(|(_, row)| row.get(field)).filter(|value| !value.is_blank());
    let copied = |field: &str| theirs(field).cloned().unwrap_or_else(|| "".into());
    let mut row: Vec<(&str, Value)> = vec![
        ("id", ids::session_id(secret).into()),
        ("user_uid", copied("user_uid")),
        ("user_name", copied("user_name")),
        ("client_name", name(request)?.into()),
        ("auth_provider", provider.into()),
        ("auth_method", method.into()),
        ("auth_scope", scope.into()),
        ("grant_type", "cli".into()),
        ("last_active", Value::Int(0)),
        ("sess_expires", Value::Int(expires(request)?)),
        ("sess_timeout", Value::Int(0)),
        ("preview_token", copied("preview_token")),
        ("download_token", copied("download_token")),
        ("ref_id", ids::ref_id(&request.random, "sess").into()),
        ("created_at", now.clone()),
        ("updated_at", now),
    ];
    let empty = ["client_uid", "client_ip", "auth_issuer", "auth_domain", "auth_id", "user_agent", "login_ip"];
    row.extend(empty.map(|field| (field, "".into())));
    fill::fitted(reader, SESSIONS, row)
}

fn name(request: &Request) -> Result<String> {
    let name = values::display_name(request.keys.get("name").map_or("", String::as_str))?;
    Ok(if name.is_empty() { "latchlift".to_owned() } else { name })
}

/// Unix seconds; -1 never ends.
fn expires(request: &Request) -> Result<i64> {
    let ends = match request.keys.get("expires").map(String::as_str) {
        None | Some("") => request.now.seconds().saturating_add(YEAR),
        Some("never") => return Ok(-1),
        Some(text) => values::moment(text)?.seconds(),
    };
    match ends > request.now.seconds() {
        true => Ok(ends),
        false => Err(Error::new(Kind::Usage, "the token would have ended before it begins")
            .help("`expires=` takes a time to come: 90d, 2027-01-31, never")),
    }
}

/// Why PhotoPrism will not take an app password of this account, if so.
fn useless(layout: &Layout, user: &User, request: &Request) -> Vec<String> {
    let codes = [reason::DISABLED, reason::EXPIRED, reason::ROLE];
    let holdings = crate::holdings::Holdings { alone: true, ..Default::default() };
    let judged = crate::sign_in::judge(layout, user, &holdings, request.now);
    let barred = judged.reasons.into_iter().filter(|reason| codes.contains(&reason.code.as_str()));
    barred.map(|reason| format!("{} may not get in with it: {}", user.label(), reason.message)).collect()
}

/// Plans the end of tokens, and of the sign-ins opened with them.
///
/// # Errors
/// The account is not found; nothing says which tokens are meant; the store's.
pub fn revoke(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let (reader, options) = (context.reader, &request.options);
    let layout = schema::detect(reader)?;
    required(&layout)?;
    let user = match &request.target {
        Some(target) => Some(find::find(reader, &layout, target, request.now)?.user),
        None => None,
    };
    let chosen = options.all || options.expired || options.unused_for.is_some();
    if user.is_none() && request.ids.is_empty() && !chosen {
        let message = "say which tokens to end: an account's, --id, --all, --expired or --unused-for";
        return Err(Error::new(Kind::Usage, message));
    }
    let filter = user.as_ref().map_or(Filter::All, |user| Filter::eq("user_uid", &user.uid));
    let rows = sessions::rows(reader, &layout, filter, request.now)?;
    let changes = ending(&layout, &rows, request);
    let count = sessions::ended(&changes);
    if count == 0 {
        return Ok(Plan::new("There are no such tokens"));
    }
    let of = user.as_ref().map_or(String::new(), |user| format!(" of {}", user.label()));
    let what = if count == 1 { "1 token".to_owned() } else { format!("{count} tokens and sign-ins made with them") };
    let plan = Plan::new(format!("End {what}{of}")).step(changes);
    let plan = if options.expired { plan } else { plan.then(RESTART) };
    Ok(user.iter().fold(plan, |plan, user| plan.about(&user.uid, &user.name)))
}

fn ending(layout: &Layout, rows: &[Row], request: &Request) -> Vec<Change> {
    let (options, now) = (&request.options, request.now);
    let token = |row: &Row| matches!(row.sort, Sort::AppPassword | Sort::Access);
    if request.ids.is_empty() && !options.expired && options.unused_for.is_none() {
        // By account rather than by row, so that one issued a moment later ends too.
        let mut changes = sessions::ending_tokens(rows);
        changes.extend(sessions::ending_these(rows, |row| row.sort == Sort::Access));
        return changes;
    }
    let named = Named::of(layout, &request.ids);
    sessions::ending_these(rows, |row| token(row) && row.fits(options, now) && (named.is_empty() || named.means(row)))
}
