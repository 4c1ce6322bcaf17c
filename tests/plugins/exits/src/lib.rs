//! A plugin that ends the process while it reads: with 42, or with 0 ("done") for `user.show`. The table is the
//! guestbook's.

use latchlift_plugin_api::{
    Context, Files, Located, Location, Output, Plan, Plugin, Probe, Reader, Request, Result, Settings,
};

/// The app.
#[derive(Default)]
pub struct Exits;

impl Plugin for Exits {
    const FACTS: &'static str = include_str!("../plugin.toml");

    fn locate(&self, _: &Settings, _: &dyn Files) -> Result<Vec<Located>> {
        let path = "/var/lib/guestbook/guestbook.db".to_owned();
        Ok(vec![Located { store: String::new(), location: Location::Sqlite { path } }])
    }

    fn probe(&self, _: &dyn Reader) -> Result<Probe> {
        Ok(Probe::default())
    }

    fn read(&self, _: &Context<'_>, request: &Request, _: &mut dyn Output) -> Result<()> {
        std::process::exit(if request.verb.as_str() == "user.show" { 0 } else { 42 });
    }

    fn plan(&self, _: &Context<'_>, _: &Request) -> Result<Plan> {
        std::process::exit(42);
    }
}

latchlift_plugin_api::export_plugin!(Exits);
