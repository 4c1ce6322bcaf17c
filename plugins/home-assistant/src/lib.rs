#![doc = include_str!("../README.md")]

mod accounts;
mod bans;
mod check;
mod codes;
mod groups;
mod heirs;
mod home;
mod house;
mod http;
mod logins;
mod mfa;
mod names;
mod schema;
mod sessions;
mod settings;
mod sign_in;
#[cfg(test)]
mod tests;
mod tokens;
mod verbs;
mod yaml;

use latchlift_plugin_api::{
    Context, Error, Files, Kind, Located, Output, Plan, Plugin, Probe, Reader, Request, Result, Settings,
    export_plugin, unknown_verb,
};

/// Home Assistant, as latchlift sees it.
#[derive(Default)]
pub struct HomeAssistant;

impl Plugin for HomeAssistant {
    const FACTS: &'static str = include_str!("../plugin.toml");

    fn locate(&self, _: &Settings, _: &dyn Files) -> Result<Vec<Located>> {
        Err(Error::new(Kind::Usage, "no setting of Home Assistant names its config directory").help(
            "name the directory itself: store = \"dir:/path/to/config\", or --app home-assistant:/path/to/config",
        ))
    }

    fn probe(&self, reader: &dyn Reader) -> Result<Probe> {
        // What cannot be used is said by the verbs that need it; `app check` says all of it.
        let layout = schema::Layout::look(reader)?;
        let version = layout.version.unwrap_or_else(|| "unknown, there is no .HA_VERSION".into());
        Ok(Probe { version, ..Probe::default() })
    }

    fn read(&self, context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
        match request.verb.as_str() {
            "user.list" => accounts::list(context.reader, request, output),
            "user.show" => accounts::show(context.reader, request, output),
            "password.check" => sign_in::check(context, request, output),
            "session.list" => sessions::list(context.reader, request, output),
            "session.show" => sessions::show(context.reader, request, output),
            "token.list" => tokens::list(context.reader, request, output),
            "mfa.status" => mfa::status(context.reader, request, output),
            "login.list" => logins::list(context.reader, request, output),
            "ban.list" => bans::list(context.reader, output),
            "app.check" => check::check(context.reader, request.now, output),
            _ => Err(unknown_verb(request)),
        }
    }

    fn plan(&self, context: &Context<'_>, request: &Request) -> Result<Plan> {
        match request.verb.as_str() {
            "user.add" => verbs::add(context, request),
            "user.set" => verbs::set(context, request),
            "user.rename" => verbs::rename(context, request),
            "user.remove" => verbs::remove(context, request),
            "password.reset" => verbs::reset(context, request),
            "password.remove" => verbs::remove_password(context, request),
            "session.revoke" => sessions::revoke(context, request),
            "token.issue" => tokens::issue(context, request),
            "token.revoke" => tokens::revoke(context, request),
            "admin.recreate" => verbs::recreate(context, request),
            "admin.grant" => verbs::grant(context, request),
            "admin.revoke" => verbs::revoke(context, request),
            "user.fix-names" => verbs::fix_names::fix_names(context, request),
            "ban.clear" => bans::clear(context, request),
            "onboarding.restart" => verbs::restart(context, request),
            "mfa.disable" => mfa::disable(context, request),
            _ => Err(unknown_verb(request)),
        }
    }
}

export_plugin!(HomeAssistant);
