//! What holds for everybody: records over which Home Assistant does not start, and files that say nothing here. An account
//! may be whole and still not get in.

use crate::bans;
use crate::home::Home;
use crate::http::Http;
use crate::schema::{self, FACTOR_FILES};
use crate::settings::Listed;
use crate::sign_in::{command, title};
use latchlift_plugin_api::{Kind, Known, Reader, Reason};

/// Home Assistant does not start, so nobody gets in.
pub const NO_START: &str = "no_start";
/// The second factors are in a file of a version not known here.
pub const MFA_UNREADABLE: &str = "mfa_unreadable";
/// The settings are written in a way that is not understood here.
pub const SETTINGS_UNREAD: &str = "settings_unread";

/// What is to be said to every account. Found once, after everything else is read.
#[derive(Debug, Default)]
pub struct House {
    /// What keeps everybody out.
    pub barred: Vec<Reason>,
    /// What leaves it open whether the right password gets anybody in.
    pub open: Vec<Reason>,
    /// Whether second factors that are asked for cannot be read.
    pub factors_unknown: bool,
}

impl House {
    /// Looks at what was read, and at the bans.
    pub fn new(home: &Home, reader: &dyn Reader) -> House {
        let barred = [unknown_group(home), stray_credential(home), stray_token(home)];
        let factors = factors(home);
        let factors_unknown = factors.is_some();
        let open = [ban_without_time(home, reader), factors, settings(home)];
        House {
            barred: barred.into_iter().flatten().collect(),
            open: open.into_iter().flatten().collect(),
            factors_unknown,
        }
    }

    /// What an account's own records come to in this house, and what else is to be said.
    pub fn judge(&self, own: Known<bool>) -> (Known<bool>, &[Reason]) {
        match own {
            _ if !self.barred.is_empty() => (Known::Is(false), &self.barred),
            Known::Is(true) if !self.open.is_empty() => (Known::Unknown, &self.open),
            own => (own, &[]),
        }
    }
}

/// A reason why Home Assistant does not start, with how many more there are of its kind.
fn no_start(what: String, count: usize) -> Reason {
    let more = if count > 1 { format!(", and {} more of the kind", count - 1) } else { String::new() };
    Reason::blocking(NO_START, format!("Home Assistant crashes at its start: {what}{more}"))
}

/// The users in groups that do not exist, and the first such group of each.
pub fn unknown_groups(home: &Home) -> impl Iterator<Item = (usize, &str)> + '_ {
    let unknown = |set: &Vec<String>| set.iter().position(|id| !home.groups.knows(id));
    // There are few sets, however many users have them.
    let sets: Vec<Option<usize>> = home.groups.sets.iter().map(unknown).collect();
    home.users.iter().enumerate().filter_map(move |(index, user)| {
        let at = sets[user.groups]?;
        Some((index, home.groups.sets[user.groups][at].as_str()))
    })
}

/// The command that takes a user out of groups that do not exist; none for the app's own users, which no verb changes.
pub fn known_groups(home: &Home, user: usize) -> Vec<String> {
    let known = &home.users[user];
    if known.system {
        return vec![];
    }
    // An owner has every right whatever the groups, and `user set` makes it no less.
    let role = if known.owner || home.in_admins(known) { "role=admin" } else { "role=user" };
    command(home, &["user", "set"], user).into_iter().chain([role.to_owned()]).collect()
}

fn unknown_group(home: &Home) -> Option<Reason> {
    let (user, group) = unknown_groups(home).next()?;
    let what = format!("{} is in the group `{group}`, which does not exist", title(home, user));
    Some(no_start(what, unknown_groups(home).count()).fix(known_groups(home, user)))
}

fn stray_credential(home: &Home) -> Option<Reason> {
    let (id, user) = home.stray_credentials.first()?;
    let what = format!("the credential {id} is of the user {user}, who does not exist");
    Some(no_start(what, home.stray_credentials.len()).fix(["user", "remove", "--id", user]))
}

fn stray_token(home: &Home) -> Option<Reason> {
    let (id, user) = home.stray_tokens.first()?;
    let what = format!("the token {id} is of the user {user}, who does not exist");
    Some(no_start(what, home.stray_tokens.len()).fix(["user", "remove", "--id", user]))
}

/// A ban that keeps the web server of older releases from starting. Seen in 2024.3.3, and no more in 2026.11.0.
fn ban_without_time(home: &Home, reader: &dyn Reader) -> Option<Reason> {
    if Http::read(reader).ban_enabled == Some(false) {
        return None;
    }
    let old = home.layout.version.as_deref().and_then(schema::release).is_none_or(|release| release < (2026, 11));
    let bans = if old { bans::read(reader).unwrap_or_default() } else { vec![] };
    let ban = bans.iter().find(|ban| ban.banned_at().is_none())?;
    let message = format!(
        "the ban of {} in `{}` has no `banned_at`, over which older releases do not start their web server",
        ban.address,
        bans::FILE
    );
    Some(Reason::note(NO_START, message).fix(["ban", "clear", &ban.address]))
}

/// A file of second factors from a future release, if its factors are asked for. One that is merely damaged is put aside
/// by the next start, which then asks for nothing.
fn factors(home: &Home) -> Option<Reason> {
    let asked = |document: &str| home.settings.may_enforce(document.trim_start_matches("auth_module."));
    let broken = home.layout.broken.iter().filter(|(name, _)| FACTOR_FILES.contains(name) && asked(name));
    let (_, error) = broken.into_iter().find(|(_, error)| error.kind == Kind::UnknownSchema)?;
    Some(Reason::note(MFA_UNREADABLE, format!("the second factors cannot be read: {}", error.message)))
}

fn settings(home: &Home) -> Option<Reason> {
    if home.settings.providers != Listed::Unreadable {
        return None;
    }
    let message = "`auth_providers` in configuration.yaml is written in a way that is not understood here; whether passwords are accepted is not known";
    Some(Reason::note(SETTINGS_UNREAD, message))
}
