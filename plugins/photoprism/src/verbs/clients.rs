//! `client add`, `client set` and `client remove`.

use super::{RESTART, refuse_deleted, refuse_system};
use crate::clients;
use crate::edit::Edit;
use crate::fill;
use crate::find;
use crate::ids;
use crate::keys;
use crate::schema::{self, CLIENTS, HASH_COST, Layout};
use crate::user::User;
use crate::values;
use crate::verbs::{new_password, remove, tokens};
use latchlift_plugin_api::{
    Change, Context, Error, Filter, Kind, Plan, Reader, Record, Request, Result, Reveal, Target, Value, insert,
};

/// How long a client's tokens last where nothing else is said, in seconds: a day, as with PhotoPrism's own command.
const DAY: i64 = 86_400;
/// The longest they may last: 31 days. PhotoPrism cuts what is longer.
const LONGEST: i64 = 2_678_400;
/// How many tokens a client may hold where nothing else is said.
const TOKENS: i64 = 10;

/// Plans a new client. Its secret is revealed once; the database gets its hash.
///
/// # Errors
/// The name or a key's value is not one PhotoPrism takes.
pub fn add(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    tokens::required(&layout)?;
    let name = name(&request.target()?.name)?;
    let mut row = wanted(reader, &layout, request)?;
    let (uid, now) = (ids::uid(&request.random, 'c', request.now), layout.time(request.now));
    let usual = [
        ("client_uid", uid.as_str().into()),
        ("client_name", name.as_str().into()),
        ("client_role", "client".into()),
        ("client_type", "confidential".into()),
        ("auth_provider", "client".into()),
        ("auth_method", "oauth2".into()),
        ("auth_scope", "*".into()),
        ("auth_expires", Value::Int(DAY)),
        ("auth_tokens", Value::Int(TOKENS)),
        ("auth_enabled", Value::Int(1)),
        ("last_active", Value::Int(0)),
        ("created_at", now.clone()),
        ("updated_at", now),
    ];
    let empty = ["user_uid", "user_name", "client_url", "callback_url", "node_uuid", "app_name", "app_version"];
    for (field, value) in usual.into_iter().chain(empty.map(|field| (field, Value::from("")))) {
        if !row.iter().any(|(given, _)| *given == field) {
            row.push((field, value));
        }
    }
    let scope = row.iter().find(|(field, _)| *field == "auth_scope").and_then(|(_, scope)| scope.to_text());
    let mut changes = vec![insert(CLIENTS, fill::fitted(reader, CLIENTS, row)?)];
    let (secret, hash) = new_secret(request)?;
    changes.extend(new_password(reader, &layout, &uid, request.now, || Ok(hash))?);
    let mut plan = Plan::new(format!("Add the client {name}, whose id is {uid}")).step(changes);
    plan.warnings.extend(scope.as_deref().and_then(values::scope_note));
    plan.warnings.extend(role_note(&layout, request));
    plan.reveals.push(secret);
    Ok(plan)
}

/// Plans new properties of a client. Its tokens end where they would go on to allow what it may no longer do.
///
/// # Errors
/// There is no such client; a value is not one PhotoPrism takes.
pub fn set(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let row = clients::find(reader, &layout, request)?;
    let uid = row.text("client_uid").unwrap_or_default();
    let mut edit = Edit::client(&layout, row);
    for (field, value) in wanted(reader, &layout, request)? {
        edit.set(field, value);
    }
    let mut ends = edit.touches(&["auth_enabled", "auth_scope", "client_role", "user_uid"]);
    let scope = edit.touches(&["auth_scope"]).then(|| edit.row().text("auth_scope")).flatten();
    let mut plan = Plan::new(format!("Change the client {}", label(&edit.row())));
    let mut changes: Vec<Change> = edit.change(request.now).into_iter().collect();
    if request.keys.get("new-secret").is_some_and(|yes| yes == "yes") {
        let (secret, hash) = new_secret(request)?;
        changes.extend(new_password(reader, &layout, &uid, request.now, || Ok(hash))?);
        plan.reveals.push(secret);
        ends = true;
    }
    let ending = match ends {
        true => remove::signed_in(reader, &layout, &Filter::eq("client_uid", &uid), request)?,
        false => vec![],
    };
    if !ending.is_empty() {
        plan = plan.then(RESTART);
    }
    changes.extend(ending);
    plan.warnings.extend(scope.as_deref().and_then(values::scope_note));
    plan.warnings.extend(role_note(&layout, request));
    Ok(plan.step(changes))
}

/// Plans the end of a client, its secret and its tokens.
///
/// # Errors
/// There is no such client; the store's.
pub fn remove(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let row = clients::find(reader, &layout, request)?;
    let changes = remove::client_rows(reader, &layout, &row, None, request)?;
    Ok(Plan::new(format!("Remove the client {}", label(&row))).step(changes).then(RESTART))
}

fn label(row: &Record) -> String {
    let text = |field: &str| row.text(field).unwrap_or_default();
    format!("{} ({})", text("client_name"), text("client_uid"))
}

fn name(typed: &str) -> Result<String> {
    let name = values::display_name(typed)?;
    match name.is_empty() {
        false => Ok(name),
        true => Err(Error::new(Kind::Usage, "a client needs a name")),
    }
}

/// What the keys ask of a client's row.
fn wanted(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<keys::Fields> {
    let mut fields = keys::Fields::new();
    for (key, given) in &request.keys {
        let kept = |field: &'static str, text: &str| values::kept(reader, layout, CLIENTS, field, text);
        match key.as_str() {
            "name" => fields.push(("client_name", name(given)?.into())),
            "account" => fields.extend(owner(reader, layout, request, given)?),
            "role" => fields.push(("client_role", if given.is_empty() { "client" } else { given }.into())),
            "scope" => fields.push(("auth_scope", values::scope(given)?.into())),
            "expires" => fields.push(("auth_expires", Value::Int(lifetime(given)?))),
            "tokens" => fields.push(("auth_tokens", Value::Int(most_tokens(given)?))),
            "enabled" => fields.push(("auth_enabled", keys::yes_or_no(key, given)?)),
            "url" => fields.push(("client_url", kept("client_url", given.trim())?)),
            "callback-url" => fields.push(("callback_url", kept("callback_url", given.trim())?)),
            "new-secret" => {}
            other => return Err(Error::new(Kind::Usage, format!("PhotoPrism's clients have no `{other}`"))),
        }
    }
    Ok(fields)
}

/// What to know about a role that only newer releases have, whose clients have `node_uuid`.
fn role_note(layout: &Layout, request: &Request) -> Option<String> {
    let newer = layout.clients.iter().any(|column| column == "node_uuid");
    let role =
        request.keys.get("role").filter(|role| !newer && ["instance", "service", "portal"].contains(&role.as_str()));
    role.map(|role| format!("the PhotoPrism that wrote this database may have no clients with the role `{role}`"))
}

/// The account that a client acts for; nothing for none.
fn owner(reader: &dyn Reader, layout: &Layout, request: &Request, given: &str) -> Result<keys::Fields> {
    if given.is_empty() {
        return Ok(vec![("user_uid", "".into()), ("user_name", "".into())]);
    }
    let by_id = ids::is_user_uid(given, request.now);
    let target = match by_id {
        true => Target { id: Some(given.to_owned()), ..Target::default() },
        false => Target { name: given.to_owned(), ..Target::default() },
    };
    let found = find::find(reader, layout, &target, request.now).map_err(|error| match error.kind {
        // Not `no_account`: the name that the command was given is the client's.
        Kind::NotFound => {
            Error::new(Kind::NotFound, format!("there is no account `{given}` for the client to act for"))
                .help("see the names with `latchlift user list`")
        }
        Kind::Ambiguous => error.help("choose one with account=ID"),
        _ => error,
    });
    let user: User = found?.user;
    refuse_system(&user)?;
    refuse_deleted(&user)?;
    Ok(vec![("user_uid", user.uid.into()), ("user_name", user.name.into())])
}

fn lifetime(given: &str) -> Result<i64> {
    let seconds = given.parse::<i64>().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
    match (given, seconds) {
        ("", _) => Ok(DAY),
        (_, Some(seconds)) => Ok(seconds),
        _ => Err(Error::new(Kind::Usage, "the tokens of a client last 31 days at most")
            .help("`expires=` takes a span: 1h, 1d, 31d; for one that lasts longer see `latchlift token issue`")),
    }
}

/// -1 for any number, which PhotoPrism makes of none.
fn most_tokens(given: &str) -> Result<i64> {
    match given.parse::<i64>() {
        _ if given.is_empty() => Ok(TOKENS),
        Ok(0) => Ok(-1),
        Ok(most) => Ok(most),
        Err(_) => Err(Error::new(Kind::Usage, "`tokens=` takes a number; 0 stands for any number")),
    }
}

/// A new secret, and its hash. The password helpers hash what a person typed; this one is made here.
fn new_secret(request: &Request) -> Result<(Reveal, String)> {
    let secret = ids::client_secret(&request.random);
    let mut salt = [0; 16];
    salt.copy_from_slice(&request.random.bytes(16));
    let hash = bcrypt::hash_with_salt(&secret, HASH_COST, salt)
        .map_err(|why| Error::new(Kind::Failed, format!("the secret could not be hashed: {why}")))?;
    let hash = hash.format_for_version(bcrypt::Version::TwoA);
    Ok((Reveal { kind: "client_secret".to_owned(), value: secret }, hash))
}
