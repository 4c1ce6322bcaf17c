//! OAuth2 clients: programs that sign in by themselves. Upstream: internal/entity/auth_client.go.

use crate::schema::{self, CLIENTS, Layout, USERS};
use crate::sessions;
use crate::verbs::tokens;
use latchlift_plugin_api::{
    Batch, Batches, Client, Context, Error, Filter, Kind, Known, Output, Reader, Record, Request, Result, Select, Time,
    Value,
};
use std::collections::HashMap;

/// Answers `client list`.
///
/// # Errors
/// The layout is of before 240420; the store's.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    tokens::required(&layout)?;
    let alive = alive(reader, &layout, request.now)?;
    let mut clients = Batches::clients(output);
    reader.each(Select::from(CLIENTS, layout.clients.iter()).order(["client_uid"]), |row| {
        if is_deleted(&row) { Ok(()) } else { clients.push(client(&row, &alive)) }
    })?;
    clients.finish()
}

/// Answers `client show`.
///
/// # Errors
/// There is no such client; as [`list`].
pub fn show(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let row = find(reader, &layout, request)?;
    let mut client = client(&row, &alive(reader, &layout, request.now)?);
    for field in ["client_type", "client_url", "callback_url", "node_uuid", "app_name", "app_version"] {
        let value = row.get(field).filter(|value| !value.is_blank()).and_then(Value::to_text);
        client.extra.extend(value.map(|value| (field.to_owned(), value)));
    }
    output.emit(Batch::Clients(vec![client]))
}

/// The whole row of the client that the request names by its id.
///
/// # Errors
/// There is no such client; the layout is of before 240420; the store's.
pub fn find(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<Record> {
    tokens::required(layout)?;
    let id = request.ids.first().map(|id| id.trim()).unwrap_or_default();
    let query = Select::from(CLIENTS, layout.clients.iter()).filter(Filter::eq("client_uid", id));
    let row = reader.first(query)?.filter(|row| !is_deleted(row));
    row.ok_or_else(|| {
        // The id may have been a secret, typed in the wrong place.
        Error::new(Kind::NotFound, "there is no client of that id").help("see the ids with `latchlift client list`")
    })
}

/// The ids of clients whose account is not there.
///
/// # Errors
/// The store's.
pub fn of_nobody(reader: &dyn Reader, layout: &Layout) -> Result<Vec<String>> {
    let mut found = Vec::new();
    if layout.clients.is_empty() {
        return Ok(found);
    }
    for row in reader.all(Select::from(CLIENTS, ["client_uid", "user_uid"]).order(["client_uid"]))? {
        let owner = row.text("user_uid").filter(|uid| !uid.is_empty());
        let query = |uid: &String| Select::from(USERS, ["user_uid"]).filter(Filter::eq("user_uid", uid));
        if owner.map(|uid| reader.first(query(&uid))).transpose()?.is_some_and(|row| row.is_none()) {
            found.extend(row.text("client_uid"));
        }
    }
    Ok(found)
}

/// Newer releases keep removed clients for a while.
fn is_deleted(row: &Record) -> bool {
    row.str("deleted_at").and_then(Time::parse).is_some()
}

/// How many tokens of each client have not ended.
fn alive(reader: &dyn Reader, layout: &Layout, now: Time) -> Result<HashMap<String, u64>> {
    let mut alive = HashMap::new();
    let keys = sessions::columns(layout);
    let mut query = keys.select(schema::SESSIONS).filter(Filter::eq("auth_provider", "client"));
    query.columns.push("client_uid".to_owned());
    reader.each_row(query, |mut row| {
        let client = row.pop().and_then(|uid| uid.to_text()).unwrap_or_default();
        if !client.is_empty() && !sessions::Row::read(keys.spread(row), now).ended {
            *alive.entry(client).or_default() += 1;
        }
        Ok(())
    })?;
    Ok(alive)
}

fn client(row: &Record, alive: &HashMap<String, u64>) -> Client {
    let text = |field: &str| row.text(field).filter(|text| !text.is_empty());
    let id = text("client_uid").unwrap_or_default();
    let mut client = Client { tokens: alive.get(&id).copied().unwrap_or_default().into(), id, ..Client::default() };
    client.name = text("client_name").into();
    client.account = text("user_name").into();
    client.account_id = text("user_uid").into();
    client.role = text("client_role").into();
    client.provider = text("auth_provider").into();
    client.method = text("auth_method").into();
    client.scope = text("auth_scope").into();
    client.enabled = row.bool("auth_enabled").unwrap_or_default().into();
    client.expires_in =
        row.int("auth_expires").and_then(|span| u64::try_from(span).ok()).filter(|span| *span > 0).into();
    client.created_at = row.str("created_at").and_then(Time::parse).into();
    client.last_seen = row.int("last_active").filter(|at| *at > 0).map(Time::from_seconds).into();
    let most = row.int("auth_tokens").map(|most| if most < 0 { "any number".to_owned() } else { most.to_string() });
    client.extra.extend(most.map(|most| ("most_tokens".to_owned(), most)));
    if client.account_id == Known::Nothing {
        client.account = Known::Nothing;
    }
    client
}
