#![doc = include_str!("../README.md")]

mod accounts;
mod admins;
mod check;
mod clients;
mod configured;
mod edit;
mod fill;
mod find;
mod holdings;
mod ids;
mod keys;
mod legacy;
mod listing;
mod locate;
mod named;
mod names;
mod portrait;
mod roles;
mod schema;
mod sessions;
mod sign_in;
mod stand_in;
#[cfg(test)]
mod tests;
mod user;
mod values;
mod verbs;
mod verdict;

use latchlift_plugin_api::{
    Context, Files, Located, Output, Plan, Plugin, Probe, Reader, Request, Result, Settings, export_plugin,
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
        let mut withdraw = |verbs: &[&str], why: &str| {
            probe.withdrawn.extend(verbs.iter().map(|verb| ((*verb).to_owned(), why.to_owned())));
        };
        if !layout.two_factor() {
            withdraw(&["mfa.status", "mfa.disable"], verbs::mfa::TOO_OLD);
        }
        if !layout.tokens() {
            withdraw(&["token.list", "token.issue", "token.revoke"], verbs::tokens::TOO_OLD);
        }
        if !layout.tokens() || layout.clients.is_empty() {
            let clients = ["client.list", "client.add", "client.show", "client.set", "client.remove"];
            withdraw(&clients, verbs::tokens::TOO_OLD);
        }
        if !verbs::logins::has_table(reader)? {
            withdraw(&["login.clear"], verbs::logins::NO_TABLE);
        }
        Ok(probe)
    }

    fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
        match request.verb.as_str() {
            "user.list" if request.options.legacy => legacy::list(context, request, output),
            "user.list" => accounts::list(context, request, output),
            "user.show" => accounts::show(context, request, output),
            "password.check" => verdict::check(context, request, output),
            "session.list" => listing::sessions(context, request, output),
            "session.show" => listing::one(context, request, output),
            "token.list" => listing::tokens(context, request, output),
            "client.list" => clients::list(context, request, output),
            "client.show" => clients::show(context, request, output),
            "login.list" => verbs::logins::list(context, request, output),
            "mfa.status" => verbs::mfa::status(context, request, output),
            "app.check" => check::check(context, request, output),
            _ => Err(unknown_verb(request)),
        }
    }

    fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
        match request.verb.as_str() {
            "user.add" => verbs::add::add(context, request),
            "user.set" => verbs::set::set(context, request),
            "user.rename" => verbs::set::rename(context, request),
            "user.remove" => verbs::remove::remove(context, request),
            "user.restore" => verbs::restore::restore(context, request),
            "user.purge" => verbs::remove::purge_account(context, request),
            "user.fix-names" => verbs::names::fix(context, request),
            "password.reset" => verbs::password::reset(context, request),
            "password.remove" => verbs::password::remove(context, request),
            "admin.recreate" => verbs::admin::recreate(context, request),
            "admin.grant" => verbs::admin::grant(context, request),
            "admin.revoke" => verbs::admin::revoke(context, request),
            "session.revoke" => verbs::sessions::revoke(context, request),
            "token.issue" => verbs::tokens::issue(context, request),
            "token.revoke" => verbs::tokens::revoke(context, request),
            "client.add" => verbs::clients::add(context, request),
            "client.set" => verbs::clients::set(context, request),
            "client.remove" => verbs::clients::remove(context, request),
            "mfa.disable" => verbs::mfa::disable(context, request),
            "login.clear" => verbs::logins::clear(context, request),
            "onboarding.restart" => verbs::onboarding::restart(context, request),
            _ => Err(unknown_verb(request)),
        }
    }
}

export_plugin!(PhotoPrism);
