//! From what was typed to what is asked: each verb of the nouns about accounts, as a question or a change.

use super::ask::Ask;
use super::{Exit, change, list, password};
use crate::cli::{
    AdminVerb, Aged, BanVerb, ClientVerb, InviteVerb, Listing, LoginVerb, MfaVerb, Named, OfAccount, OnAdmin,
    PasswordVerb, RevokeInvites, RevokeSessions, RevokeTokens, SessionVerb, TokenVerb, UserVerb, Which,
};
use crate::context::Run;
use crate::error::{Error, Kind, Result};
use crate::secret;
use latchlift_plugin_api::Options;

pub(super) fn user(run: &Run, verb: Option<UserVerb>) -> Result<Exit> {
    let (search, listing) = (None, Listing::default());
    match verb.unwrap_or(UserVerb::List { search, deleted: false, system: false, legacy: false, listing }) {
        UserVerb::List { search, deleted, system, legacy, listing } => {
            list::accounts(run, search, Options { deleted, system, legacy, ..Options::default() }, listing.limit)
        }
        UserVerb::Show { target, show_secrets } => {
            list::show_account(run, target.into(), Options { show_secrets, ..Options::default() })
        }
        UserVerb::Add { name, keys, password, no_password, write } => {
            let ask = Ask::new("user.add", write).named(name).keys(&keys)?;
            change::run(run, if no_password { ask } else { ask.password(password) })
        }
        UserVerb::Set { account, keys, tokens, keep_sessions, allow_last_admin, write } => {
            let (target, keys) = account.and_words(keys)?;
            if keys.is_empty() {
                return Err(missing("what to set", "write it as key=value: email=john@example.org"));
            }
            let ask = Ask::new("user.set", write).allow("last-admin", allow_last_admin).tokens(tokens);
            change::run(run, ask.keep_sessions(keep_sessions).target(target).keys(&keys)?)
        }
        UserVerb::Rename { account, new, write } => {
            let (target, mut new) = account.and_words(new.into_iter().collect())?;
            let new = new.pop().ok_or_else(|| missing("the new name", "write the new name behind the old one"))?;
            change::run(run, Ask::new("user.rename", write).target(target).new_name(new))
        }
        UserVerb::Remove(on) => change::run(run, on_admin("user.remove", on)),
        UserVerb::Restore(on) => change::run(run, Ask::new("user.restore", on.write).target(on.target)),
        UserVerb::Purge(on) => change::run(run, on_admin("user.purge", on)),
        UserVerb::FixNames { user, id, keep, write } => {
            let ask = Ask::new("user.fix-names", write).keep(keep);
            let only = OfAccount { user, id, provider: None }.target();
            change::run(run, if let Some(target) = only { ask.target(target) } else { ask })
        }
    }
}

pub(super) fn password(run: &Run, verb: PasswordVerb) -> Result<Exit> {
    match verb {
        PasswordVerb::Reset { target, password, including, write } => {
            let ask = Ask::new("password.reset", write).target(target).password(password).including(including);
            change::run(run, ask)
        }
        PasswordVerb::Remove { tokens, on } => change::run(run, on_admin("password.remove", on).tokens(tokens)),
        PasswordVerb::Check { target, password } => password::check(run, target.into(), password),
    }
}

pub(super) fn admin(run: &Run, verb: AdminVerb) -> Result<Exit> {
    match verb {
        AdminVerb::Recreate { name, id, owner, password, allow_existing_admin, write } => {
            let ask = Ask::new("admin.recreate", write).allow("existing-admin", allow_existing_admin);
            change::run(
                run,
                ask.target(latchlift_plugin_api::Target { name, id, provider: None })
                    .password(password)
                    .owner(owner)
                    .dangerous(),
            )
        }
        AdminVerb::Grant { target, group, owner, write } => {
            let ask = Ask::new("admin.grant", write).group(group).owner(owner).dangerous();
            let named = target.user.is_some() || target.id.is_some();
            change::run(run, if named { ask.target(target) } else { ask })
        }
        AdminVerb::Revoke(on) => change::run(run, on_admin("admin.revoke", on)),
    }
}

fn on_admin(verb: &'static str, on: OnAdmin) -> Ask {
    let OnAdmin { target, allow_last_admin, write } = on;
    Ask::new(verb, write).allow("last-admin", allow_last_admin).target(target).dangerous()
}

pub(super) fn session(run: &Run, verb: Option<SessionVerb>) -> Result<Exit> {
    let (account, aged, listing) = Default::default();
    match verb.unwrap_or(SessionVerb::List { account, system: false, aged, listing }) {
        SessionVerb::List { account, system, aged, listing } => {
            list::sessions(run, account.target(), Options { system, ..aged.options() }, listing.limit)
        }
        SessionVerb::Show { id } => list::session(run, &id),
        SessionVerb::Revoke(RevokeSessions { which, unused_for, tokens, write }) => {
            let ask = Ask::new("session.revoke", write).tokens(tokens).unused_for(unused_for);
            change::run(run, which_of(ask, which)?)
        }
    }
}

pub(super) fn token(run: &Run, verb: Option<TokenVerb>) -> Result<Exit> {
    let (account, aged, listing) = Default::default();
    match verb.unwrap_or(TokenVerb::List { account, aged, listing }) {
        TokenVerb::List { account, aged, listing } => {
            list::tokens(run, account.target(), aged.options(), listing.limit)
        }
        TokenVerb::Issue { mut account, mut keys, write } => {
            // A token may be nobody's: then the first word is a key already.
            if let Some(first) = account.user.take_if(|word| word.contains('=')) {
                keys.insert(0, first);
            }
            let ask = Ask::new("token.issue", write).keys(&keys)?;
            let named = account.user.is_some() || account.id.is_some();
            change::run(run, if named { ask.target(account) } else { ask })
        }
        TokenVerb::Revoke(RevokeTokens { which, unused_for, write }) => {
            change::run(run, which_of(Ask::new("token.revoke", write).unused_for(unused_for), which)?)
        }
    }
}

pub(super) fn client(run: &Run, verb: Option<ClientVerb>) -> Result<Exit> {
    match verb.unwrap_or(ClientVerb::List { listing: Default::default() }) {
        ClientVerb::List { listing } => list::clients(run, listing.limit),
        ClientVerb::Add { name, keys, write } => {
            change::run(run, Ask::new("client.add", write).named(name).keys(&keys)?)
        }
        ClientVerb::Show { id } => list::client(run, &id),
        ClientVerb::Set { id, keys, write } => {
            change::run(run, Ask::new("client.set", write).ids(vec![id]).keys(&keys)?)
        }
        ClientVerb::Remove { id, write } => {
            change::run(run, Ask::new("client.remove", write).ids(vec![id]).dangerous())
        }
    }
}

pub(super) fn mfa(run: &Run, verb: Option<MfaVerb>) -> Result<Exit> {
    match verb.unwrap_or(MfaVerb::Status { account: Default::default(), show_secrets: false }) {
        MfaVerb::Status { account, show_secrets } => {
            list::mfa(run, account.target(), Options { show_secrets, ..Options::default() })
        }
        MfaVerb::Disable(on) => change::run(run, Ask::new("mfa.disable", on.write).target(on.target).dangerous()),
    }
}

pub(super) fn login(run: &Run, verb: Option<LoginVerb>) -> Result<Exit> {
    match verb.unwrap_or(LoginVerb::List { account: Default::default(), listing: Default::default() }) {
        LoginVerb::List { account, listing } => list::logins(run, account.target(), listing.limit),
        LoginVerb::Clear { write } => change::run(run, Ask::new("login.clear", write)),
    }
}

pub(super) fn ban(run: &Run, verb: Option<BanVerb>) -> Result<Exit> {
    match verb.unwrap_or(BanVerb::List { listing: Default::default() }) {
        BanVerb::List { listing } => list::bans(run, listing.limit),
        BanVerb::Clear { addresses, all, write } => {
            change::run(run, Ask::new("ban.clear", write).ids(addresses).all(all))
        }
    }
}

pub(super) fn invite(run: &Run, verb: Option<InviteVerb>) -> Result<Exit> {
    match verb.unwrap_or(InviteVerb::List { listing: Default::default() }) {
        InviteVerb::List { listing } => list::invites(run, listing.limit),
        InviteVerb::Revoke(RevokeInvites { which, write }) => {
            change::run(run, which_of(Ask::new("invite.revoke", write), which)?)
        }
    }
}

/// About what was chosen of a list: some by id, those of an account, all.
fn which_of(ask: Ask, which: Which) -> Result<Ask> {
    let Which { user, id, account_id, provider, all, expired } = which;
    let ask = ask.ids(secret::ids(id)?).all(all).expired(expired);
    let of = OfAccount { user, id: account_id, provider };
    Ok(if let Some(target) = of.target() { ask.target(target) } else { ask })
}

fn missing(what: &str, help: &str) -> Error {
    Error::new(Kind::Usage, format!("this needs {what}")).note("nothing was changed").help(help)
}

impl From<crate::cli::Target> for latchlift_plugin_api::Target {
    fn from(target: crate::cli::Target) -> Self {
        Self { name: target.user.unwrap_or_default(), id: target.id, provider: target.provider }
    }
}

impl From<Named> for latchlift_plugin_api::Target {
    fn from(account: Named) -> Self {
        Self { name: account.user.unwrap_or_default(), id: account.id, provider: account.provider }
    }
}

impl Named {
    /// The account, and the words behind it. With `--id` and no word to spare the name is one of those words.
    fn and_words(mut self, mut words: Vec<String>) -> Result<(latchlift_plugin_api::Target, Vec<String>)> {
        let by_id = self.id.is_some();
        let word = self.user.take_if(|user| by_id && (user.contains('=') || words.is_empty()));
        words.splice(..0, word);
        match self.user.is_some() || self.id.is_some() {
            true => Ok((self.into(), words)),
            false => Err(missing("the name of an account, or --id", "see the accounts with `latchlift user list`")),
        }
    }
}

impl Aged {
    fn options(&self) -> Options {
        Options { expired: self.expired, unused_for: self.unused_for, ..Options::default() }
    }
}

impl OfAccount {
    /// The account, if one is named.
    fn target(self) -> Option<latchlift_plugin_api::Target> {
        let named = self.user.is_some() || self.id.is_some();
        named.then(|| latchlift_plugin_api::Target {
            name: self.user.unwrap_or_default(),
            id: self.id,
            provider: self.provider,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(user: Option<&str>, id: Option<&str>, rest: &[&str]) -> Option<(String, Vec<String>)> {
        let account = Named { user: user.map(str::to_owned), id: id.map(str::to_owned), provider: None };
        let (target, words) = account.and_words(rest.iter().map(|word| (*word).to_owned()).collect()).ok()?;
        Some((target.name, words))
    }

    fn some(name: &str, words: &[&str]) -> Option<(String, Vec<String>)> {
        Some((name.to_owned(), words.iter().map(|word| (*word).to_owned()).collect()))
    }

    #[test]
    fn with_an_id_the_name_may_be_left_out() {
        assert_eq!(words(Some("john"), None, &["email=a"]), some("john", &["email=a"]));
        assert_eq!(words(Some("john"), None, &[]), some("john", &[]));
        assert_eq!(words(Some("email=a"), Some("7"), &["role=b"]), some("", &["email=a", "role=b"]));
        assert_eq!(words(Some("john"), Some("7"), &["email=a"]), some("john", &["email=a"]));
        assert_eq!(words(Some("jack"), Some("7"), &[]), some("", &["jack"]));
        assert_eq!(words(Some("john"), Some("7"), &["jack"]), some("john", &["jack"]));
        assert_eq!(words(None, None, &[]), None);
    }
}
