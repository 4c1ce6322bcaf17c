//! A well-behaved plugin for an app that does not exist: one SQLite table `people` with `id`, `name` and `hash`.
//!
//! ```sql
//! CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT);
//! ```

use latchlift_plugin_api::{
    Account, Batches, Bcrypt, Context, Error, Files, Filter, Located, Location, Output, Plan, Plugin, Probe, Reader,
    Record, Request, Result, Select, Settings, Value, unknown_verb, update,
};

/// The app.
#[derive(Default)]
pub struct Guestbook;

impl Plugin for Guestbook {
    const FACTS: &'static str = include_str!("../plugin.toml");

    fn locate(&self, settings: &Settings, _: &dyn Files) -> Result<Vec<Located>> {
        let path = settings.env("GUESTBOOK_DB").unwrap_or("/var/lib/guestbook/guestbook.db").to_owned();
        Ok(vec![Located { store: String::new(), location: Location::Sqlite { path } }])
    }

    fn probe(&self, reader: &dyn Reader) -> Result<Probe> {
        let columns = reader.column_names("people")?;
        match ["id", "name", "hash"].iter().all(|name| columns.iter().any(|column| column == name)) {
            true => Ok(Probe { version: "2.0 or newer".into(), ..Probe::default() }),
            false => Err(Error::unknown_schema("there is no table `people` with id, name and hash")),
        }
    }

    fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
        match request.verb.as_str() {
            "user.list" | "user.show" => list(context.reader, output),
            _ => Err(unknown_verb(request)),
        }
    }

    fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
        match request.verb.as_str() {
            "password.reset" => reset(context, request),
            _ => Err(unknown_verb(request)),
        }
    }
}

fn list(reader: &dyn Reader, output: &mut dyn Output) -> Result<()> {
    let mut accounts = Batches::accounts(output);
    reader.each(Select::from("people", ["id", "name", "hash"]).order(["id"]), |row| {
        let mut account = Account { id: row.text("id").unwrap_or_default(), ..Account::default() };
        account.name = row.text("name").into();
        account.has_password = row.str("hash").is_some().into();
        account.can_sign_in = row.str("hash").is_some().into();
        accounts.push(account)
    })?;
    accounts.finish()
}

fn reset(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let name = &request.target()?.name;
    let query = Select::from("people", ["id", "hash"]).filter(Filter::eq("name", name));
    let person = context.reader.first(query)?.ok_or_else(|| Error::no_account(name))?;
    // Cost 4, the cheapest there is: nobody signs in to this app.
    let hash = Bcrypt::hash(context.secrets, request.password()?, "2b", 4)?;
    let (id, before) = (person.text("id").unwrap_or_default(), person.get("hash").cloned().unwrap_or_default());
    let key = Record::new().with("id", person.get("id").cloned().unwrap_or_default());
    let change = update("people", key, [("hash", before, Value::Text(hash))]);
    Ok(Plan::new(format!("Set a new password for {name}")).for_sign_in(id, name).step(change.into_iter().collect()))
}

latchlift_plugin_api::export_plugin!(Guestbook);
