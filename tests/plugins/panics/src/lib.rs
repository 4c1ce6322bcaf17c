//! A plugin that panics while it plans, with a payload that panics again when it is dropped if asked for
//! `session.revoke`. Everything else about it is right. The table is the guestbook's.

use latchlift_plugin_api::{
    Account, Batches, Context, Files, Located, Location, Output, Plan, Plugin, Probe, Reader, Request, Result, Select,
    Settings,
};

/// The app.
#[derive(Default)]
pub struct Panics;

impl Plugin for Panics {
    const FACTS: &'static str = include_str!("../plugin.toml");

    fn locate(&self, _: &Settings, _: &dyn Files) -> Result<Vec<Located>> {
        let path = "/var/lib/guestbook/guestbook.db".to_owned();
        Ok(vec![Located { store: String::new(), location: Location::Sqlite { path } }])
    }

    fn probe(&self, _: &dyn Reader) -> Result<Probe> {
        Ok(Probe::default())
    }

    fn read(&self, context: &Context<'_>, _: &Request, output: &mut dyn Output) -> Result<()> {
        let mut accounts = Batches::accounts(output);
        context.reader.each(Select::from("people", ["id", "name"]).order(["id"]), |row| {
            let id = row.text("id").unwrap_or_default();
            accounts.push(Account { id, name: row.text("name").into(), ..Account::default() })
        })?;
        accounts.finish()
    }

    fn plan(&self, _: &Context<'_>, request: &Request) -> Result<Plan> {
        if request.verb.as_str() == "session.revoke" {
            std::panic::panic_any(Bomb);
        }
        panic!("could not plan `{}`", request.verb.as_str());
    }
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload went off too");
    }
}

latchlift_plugin_api::export_plugin!(Panics);
