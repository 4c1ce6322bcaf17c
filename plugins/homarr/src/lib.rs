#![doc = include_str!("../README.md")]

mod accounts;
mod belongings;
mod check;
mod email;
mod everybody;
mod groups;
mod holdings;
mod invites;
mod last_admin;
mod names;
#[cfg(test)]
mod reading_tests;
mod releases;
mod report;
mod schema;
mod sessions;
mod settings;
mod sign_in;
#[cfg(test)]
mod sign_in_tests;
#[cfg(test)]
mod testing;
mod tokens;
mod url;
mod verbs;
mod verdict;

use latchlift_plugin_api::{
    Context, Error, Files, Located, OnlyNamed, Output, Plan, Plugin, Probe, Reader, Request, Result, Settings,
    export_plugin, unknown_verb,
};

/// Homarr 1.x.
#[derive(Default)]
pub struct Homarr;

impl Plugin for Homarr {
    const FACTS: &'static str = include_str!("../plugin.toml");

    fn locate(&self, settings: &Settings, files: &dyn Files) -> Result<Vec<Located>> {
        settings::locate(settings, files)
    }

    fn probe(&self, reader: &dyn Reader) -> Result<Probe> {
        let layout = schema::detect(reader)?;
        Ok(Probe { version: layout.version.to_owned(), ..Probe::default() })
    }

    fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
        match request.verb.as_str() {
            "user.list" => report::list(context, request, output),
            "user.show" => report::show(context, request, output),
            "password.check" => verdict::check(context, request, output),
            "session.list" => sessions::list(context, request, output),
            "session.show" => sessions::list(context, request, &mut OnlyNamed::new(output, request)),
            "token.list" => tokens::list(context, request, output),
            "invite.list" => invites::list(context, request, output),
            "app.check" => check::check(context, request, output),
            "mfa.status" => Err(no_second_factor()),
            _ => Err(unknown_verb(request)),
        }
    }

    fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
        match request.verb.as_str() {
            "user.add" => verbs::add::add(context, request),
            "user.set" => verbs::set::set(context, request),
            "user.rename" => verbs::rename::rename(context, request),
            "user.remove" => verbs::remove::remove(context, request),
            "user.fix-names" => verbs::fix_names::fix(context, request),
            "password.reset" => verbs::reset::reset(context, request),
            "password.remove" => verbs::password::remove(context, request),
            "admin.recreate" => verbs::recreate::recreate(context, request),
            "admin.grant" => verbs::grant::grant(context, request),
            "admin.revoke" => verbs::revoke::revoke(context, request),
            "session.revoke" => sessions::revoke(context, request),
            "token.revoke" => tokens::revoke(context, request),
            "invite.revoke" => invites::revoke(context, request),
            "mfa.disable" => Err(no_second_factor()),
            _ => Err(unknown_verb(request)),
        }
    }
}

fn no_second_factor() -> Error {
    Error::unsupported("Homarr has no second factor")
}

export_plugin!(Homarr);
