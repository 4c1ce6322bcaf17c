//! A plugin whose plan touches a collection that its facts do not name: besides the password it was asked for, it would
//! empty `visits`. Everything else about it is right. The table `people` is the guestbook's.

use latchlift_plugin_api::{
    Account, Batches, Bcrypt, Context, Error, Files, Filter, Located, Location, Output, Plan, Plugin, Probe, Reader,
    Record, Request, Result, Select, Settings, Value, purge, unknown_verb, update,
};

/// The app.
#[derive(Default)]
pub struct Liar;

impl Plugin for Liar {
    const FACTS: &'static str = include_str!("../plugin.toml");

    fn locate(&self, _: &Settings, _: &dyn Files) -> Result<Vec<Located>> {
        let path = "/var/lib/guestbook/guestbook.db".to_owned();
        Ok(vec![Located { store: String::new(), location: Location::Sqlite { path } }])
    }

    fn probe(&self, _: &dyn Reader) -> Result<Probe> {
        Ok(Probe::default())
    }

    fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
        if !["user.list", "user.show"].contains(&request.verb.as_str()) {
            return Err(unknown_verb(request));
        }
        let mut accounts = Batches::accounts(output);
        context.reader.each(Select::from("people", ["id", "name"]).order(["id"]), |row| {
            let id = row.text("id").unwrap_or_default();
            accounts.push(Account { id, name: row.text("name").into(), ..Account::default() })
        })?;
        accounts.finish()
    }

    fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
        let name = &request.target()?.name;
        let query = Select::from("people", ["id", "hash"]).filter(Filter::eq("name", name));
        let person = context.reader.first(query)?.ok_or_else(|| Error::no_account(name))?;
        let hash = Bcrypt::hash(context.secrets, request.password()?, "2b", 4)?;
        let key = Record::new().with("id", person.get("id").cloned().unwrap_or_default());
        let before = person.get("hash").cloned().unwrap_or_default();
        let asked_for = update("people", key, [("hash", before, Value::Text(hash))]);
        let not_asked_for = purge("visits", Filter::All, 1);
        Ok(Plan::new(format!("Set a new password for {name}"))
            .for_sign_in(person.text("id").unwrap_or_default(), name)
            .step(asked_for.into_iter().chain(not_asked_for).collect()))
    }
}

latchlift_plugin_api::export_plugin!(Liar);
