//! `onboarding restart`.

use super::typed;
use crate::locate;
use crate::schema::{self, CLIENTS, DETAILS, LEGACY, Layout, PASSCODES, PASSWORDS, SESSIONS, SETTINGS, SHARES, USERS};
use latchlift_plugin_api::{
    Cell, Change, Context, Filter, Plan, Reader, Request, Result, Select, Settings, Value, purge,
};

/// Plans empty account tables, but for PhotoPrism's own rows: it makes the initial administrator anew when it starts.
///
/// # Errors
/// The store's.
pub fn restart(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    // Whoever is signed in goes before the accounts do.
    let sign_ins = count(reader, SESSIONS, "id", |_| true)?;
    let mut changes: Vec<Change> = purge(SESSIONS, Filter::All, sign_ins).into_iter().collect();
    changes.extend(kept(reader, PASSCODES, "uid", Filter::All, |_| true)?);
    changes.extend(kept(reader, PASSWORDS, "uid", schema::accounts("uid"), schema::is_account)?);
    for table in [SHARES, SETTINGS, DETAILS] {
        changes.extend(kept(reader, table, "user_uid", schema::accounts("user_uid"), schema::is_account)?);
    }
    let accounts = Filter::Range { field: "id".to_owned(), from: Some(Value::Int(1)), to: None };
    changes.extend(kept(reader, USERS, "id", accounts, |id| id.parse::<i64>().is_ok_and(|id| id > 0))?);
    let mut plan = Plan::new("Remove all accounts, so that PhotoPrism makes the initial administrator anew");
    if changes.is_empty() {
        return Ok(Plan::new("There are no accounts"));
    }
    plan.warnings = warnings(reader, &layout, &request.settings)?;
    let start = "start PhotoPrism, or restart it: it makes the initial administrator when it starts, and remembers \
                 ended sign-ins until then (docker compose restart photoprism)";
    Ok(plan.step(changes).then(start))
}

/// A purge that undo can take back, where the table is there and has such rows.
fn kept(
    reader: &dyn Reader,
    table: &str,
    field: &str,
    filter: Filter,
    goes: impl Fn(&str) -> bool,
) -> Result<Option<Change>> {
    let count = count(reader, table, field, goes)?;
    let collection = table.to_owned();
    Ok((count > 0).then_some(Change::Purge { collection, filter, count, keep: true }))
}

fn count(reader: &dyn Reader, table: &str, field: &str, goes: impl Fn(&str) -> bool) -> Result<u64> {
    let mut count = 0;
    if reader.column_names(table)?.iter().any(|column| column == field) {
        reader.each_cells(Select::from(table, [field]), |row| {
            count += u64::from(row.first().and_then(Cell::to_text).is_some_and(|value| goes(&value)));
            Ok(())
        })?;
    }
    Ok(count)
}

fn warnings(reader: &dyn Reader, layout: &Layout, settings: &Settings) -> Result<Vec<String>> {
    let name = locate::admin_name(settings);
    let mut said = vec![match locate::has_initial_password(settings) {
        Some(true) => format!("the new administrator is `{name}`, with the password of PHOTOPRISM_ADMIN_PASSWORD"),
        Some(false) => format!(
            "PHOTOPRISM_ADMIN_PASSWORD is not set, so the new administrator `{name}` will have no password: set it before \
             the start, or make one who has a password with {}",
            typed(&["admin", "recreate", &name])
        ),
        None => format!(
            "the new administrator gets the password of PHOTOPRISM_ADMIN_PASSWORD, or none if it is not set; then run \
             {}",
            typed(&["admin", "recreate", &name])
        ),
    }];
    if reader.column_names(LEGACY)?.iter().any(|column| column == "user_uid") {
        said.push(
            "the table `users` of before 221102 is there: PhotoPrism takes the new administrator's id and name from \
                   it, but not the old password, which goes with the others"
                .to_owned(),
        );
    }
    let owned = match layout.clients.is_empty() {
        true => 0,
        false => count(reader, CLIENTS, "user_uid", |uid| !uid.is_empty())?,
    };
    if owned > 0 {
        let act = if owned == 1 { "1 OAuth2 client acts".to_owned() } else { format!("{owned} OAuth2 clients act") };
        said.push(format!("{act} for accounts that go: see `latchlift client list`"));
    }
    Ok(said)
}
