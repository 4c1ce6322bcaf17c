#![doc = include_str!("../README.md")]

mod accounts;
mod check;
mod edit;
mod find;
mod holdings;
mod ids;
mod locate;
mod names;
mod schema;
mod sessions;
mod sign_in;
#[cfg(test)]
mod tests;
mod user;
mod verbs;
mod verdict;

use latchlift_plugin_api::{
    Context, Files, Located, OnlyNamed, Output, Plan, Plugin, Probe, Reader, Request, Result, Settings, export_plugin,
    unknown_verb,
};

/// PhotoPrism, as latchlift sees it.
#[derive(Default)]
struct PhotoPrism;

impl Plugin for PhotoPrism {
    const FACTS: &'static str = include_str!("../plugin.toml");

    fn locate(&self, settings: &Settings, files: &dyn Files) -> Result<Vec<Located>> {
        locate::locate(settings, files)
    }

    fn probe(&self, reader: &dyn Reader) -> Result<Probe> {
        let layout = schema::detect(reader)?;
        let mut probe = Probe { version: layout.describe(), ..Probe::default() };
        if !layout.two_factor() {
            for verb in ["mfa.status", "mfa.disable"] {
                probe.withdrawn.insert(verb.to_owned(), verbs::mfa::TOO_OLD.to_owned());
            }
        }
        Ok(probe)
    }

    fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
        match request.verb.as_str() {
            "user.list" => accounts::list(context, request, output),
            "user.show" => accounts::show(context, request, output),
            "password.check" => verdict::check(context, request, output),
            "session.list" => sessions::list(context, request, output),
            "session.show" => sessions::list(context, request, &mut OnlyNamed::new(output, request)),
            "mfa.status" => verbs::mfa::status(context, request, output),
            "app.check" => check::check(context, request, output),
            _ => Err(unknown_verb(request)),
        }
    }

    fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
        match request.verb.as_str() {
            "password.reset" => verbs::password::reset(context, request),
            "session.revoke" => verbs::sessions::revoke(context, request),
            "admin.recreate" => verbs::admin::recreate(context, request),
            "admin.grant" => verbs::admin::grant(context, request),
            "user.fix-names" => verbs::names::fix(context, request),
            "mfa.disable" => verbs::mfa::disable(context, request),
            _ => Err(unknown_verb(request)),
        }
    }
}

export_plugin!(PhotoPrism);
