//! `app check`: what is wrong, as far as the files tell.

mod bans;
mod files;
mod references;
mod unreadable;

use crate::heirs::{self, Heir};
use crate::home::{Home, User};
use crate::house;
use crate::names::normalise;
use crate::schema::{ACCOUNT_FILES, Layout, PROVIDER};
use crate::settings::Listed;
use crate::sign_in::{self, Path, command, own_standing, quoted, title};
use crate::verbs::fix_names;
use latchlift_plugin_api::{Batch, Check, Finding, Known, Output, Reader, Result, Severity, Time, reason};

/// Where users and credentials are.
const USERS_FILE: &str = ".storage/auth";
/// Where password entries are.
const ENTRIES_FILE: &str = ".storage/auth_provider.homeassistant";

/// How many findings of one sort are told one by one.
const EACH: usize = 10;

/// Answers `app check`.
///
/// # Errors
/// The store fails, or there is nothing of Home Assistant's.
pub fn check(reader: &dyn Reader, now: Time, output: &mut dyn Output) -> Result<()> {
    let layout = Layout::look(reader)?;
    let mut findings = vec![];
    unreadable::check(reader, &layout, &mut findings);
    let home = match layout.needs(&ACCOUNT_FILES) {
        Ok(()) => Some(Home::read(reader)?.with_tokens(reader, now)?),
        Err(_) => None,
    };
    if let Some(home) = &home {
        references::check(reader, home, now, &mut findings)?;
    }
    files::check(reader, home.as_ref(), &layout, &mut findings)?;
    bans::check(reader, &layout, &mut findings);
    if let Some(home) = &home {
        open_doors(home, &mut findings);
        administrators(home, &mut findings);
        accounts(home, &mut findings);
        spellings(home, &mut findings);
        settings(home, &mut findings);
    }
    // Stable, so that what belongs together stays together.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let people = home.iter().flat_map(|home| home.users.iter().filter(|user| !user.system));
    let newest = people.clone().filter_map(|user| user.last_login).max();
    let accounts = people.count() as u64;
    output.emit(Batch::Check(Check { version: layout.version, accounts, newest_login: newest.into(), findings }))
}

/// Adds the first findings of one sort, and one that counts the rest.
fn add_some(findings: &mut Vec<Finding>, sort: impl IntoIterator<Item = Finding>) {
    let mut sort = sort.into_iter();
    findings.extend(sort.by_ref().take(EACH));
    if let Some(next) = sort.next() {
        let more = 1 + sort.count();
        findings.push(Finding::new(next.severity, &next.code, format!("and {more} more of the same kind")));
    }
}

/// Password entries that make administrators of whoever knows their passwords.
fn open_doors(home: &Home, findings: &mut Vec<Finding>) {
    if !home.layout.auth {
        // All of them are, and are mended by one file.
        return;
    }
    add_some(findings, home.orphan_names().map(|name| open_door(home, name)));
}

fn open_door(home: &Home, name: &str) -> Finding {
    let message =
        format!("the password entry `{name}` leads to no user; whoever signs in with it becomes a new administrator");
    let finding = |more: String| {
        Finding::new(Severity::Serious, reason::ORPHAN, format!("{message}{more}")).evidence(ENTRIES_FILE)
    };
    // In other letters it is somebody's name, and `user remove` would mean that user.
    if let [user, ..] = home.users_like(name) {
        return finding(String::new()).fix(fix_names::keep(home, &normalise(name), *user));
    }
    match home.heirs().of(name) {
        Heir::None => finding(String::new()).fix(["user", "remove", name]),
        Heir::One(user) => {
            let whose = format!("; it may be that of {}, who has no password here", title(home, user));
            finding(whose).fix(heirs::adoption(home, name, user))
        }
        Heir::Several(users) => {
            let (whose, entry) = (heirs::named(home, users), quoted(name));
            // Which of the two it is, a person must know.
            finding(format!(
                "; if it is that of a user without a password ({whose}): `latchlift password reset {entry} --id ID`; if it is nobody's: `latchlift user remove {entry}`"
            ))
        }
    }
}

fn administrators(home: &Home, findings: &mut Vec<Finding>) {
    let people = || home.users.iter().enumerate().filter(|(_, user)| !user.system);
    let owners: Vec<usize> = people().filter(|(_, user)| user.owner && user.active).map(|(index, _)| index).collect();
    if people().next().is_none() {
        if !home.layout.auth {
            // Never started, or told as a missing file.
            return;
        }
        let message = "there are no users; if the first start was finished, nobody can get in";
        let finding = Finding::new(Severity::Serious, "no_accounts", message).evidence(USERS_FILE);
        findings.push(finding.fix(["admin", "recreate", "admin"]));
        return;
    }
    match owners[..] {
        [] => {
            let message = "no active user is the owner, and nothing in Home Assistant makes one";
            let finding = Finding::new(Severity::Serious, "no_owner", message).evidence(USERS_FILE);
            findings.push(finding.fix(owner_again(home)));
        }
        [_] => {}
        _ => {
            let names: Vec<String> = owners.iter().take(EACH).map(|owner| title(home, *owner)).collect();
            let message = format!("{} users are owners; all of them have every right", owners.len());
            findings.push(Finding::new(Severity::Note, "several_owners", message).evidence(names.join(", ")));
        }
    }
    let usable = |index: usize| own_standing(home, index).can == Known::Is(true);
    let admins: Vec<usize> = people().filter(|(_, user)| home.is_admin(user)).map(|(index, _)| index).collect();
    if !admins.iter().any(|index| usable(*index)) {
        let message = "no administrator can sign in with a password";
        let finding = Finding::new(Severity::Serious, "no_admin", message).evidence(USERS_FILE);
        findings.push(Finding { fix: way_back(home, &admins), ..finding });
    }
    let local = owners.into_iter().filter(|owner| home.users[*owner].local_only);
    add_some(
        findings,
        local.map(|owner| {
            let message = format!("the owner {} is only accepted from the local network", title(home, owner));
            let fix = command(home, &["user", "set"], owner).into_iter().chain(["local-only=no".to_owned()]);
            Finding::new(Severity::Warning, reason::LOCAL_ONLY, message).evidence(USERS_FILE).fix(fix)
        }),
    );
}

/// What gives the home an owner: the one who is switched off, an administrator, or a new one.
fn owner_again(home: &Home) -> Vec<String> {
    let find = |fits: &dyn Fn(&User) -> bool| home.users.iter().position(|user| !user.system && fits(user));
    let with = |command: Vec<String>, word: &str| [command, vec![word.to_owned()]].concat();
    match (find(&|user| user.owner), find(&|user| home.is_admin(user))) {
        (Some(owner), _) => with(command(home, &["user", "set"], owner), "active=yes"),
        (None, Some(admin)) => with(command(home, &["admin", "grant"], admin), "--owner"),
        (None, None) => ["admin", "recreate", "admin", "--owner"].map(str::to_owned).to_vec(),
    }
}

/// What gives one of these administrators, or a new one, a way in; nothing where the settings forbid passwords.
fn way_back(home: &Home, admins: &[usize]) -> Vec<String> {
    if home.settings.has_provider(PROVIDER) == Some(false) {
        return vec![];
    }
    let fixes = admins.iter().flat_map(|index| own_standing(home, *index).reasons);
    let known = fixes.filter(|why| why.blocking).map(|why| why.fix).find(|fix| !fix.is_empty());
    known.unwrap_or_else(|| ["admin", "recreate", "admin"].map(str::to_owned).to_vec())
}

/// Whoever cannot sign in for a fault in the files. A user who was switched off, or never got a name, is no fault.
fn accounts(home: &Home, findings: &mut Vec<Finding>) {
    let faults = [
        reason::SHADOWED,
        reason::PASSWORD_ENTRY_MISSING,
        reason::HASH_UNREADABLE,
        reason::DUPLICATE,
        reason::NAME_CASE,
        reason::CREDENTIAL_MISSING,
    ];
    let mut sorted: Vec<Vec<Finding>> = faults.iter().map(|_| vec![]).collect();
    for (index, user) in home.users.iter().enumerate().filter(|(_, user)| !user.system) {
        for why in own_standing(home, index).reasons {
            let Some(sort) = faults.iter().position(|code| *code == why.code) else { continue };
            let severity = match (why.blocking, why.code.as_str()) {
                // Users for whom a person but no sign-in was wanted are common; an owner without is a lock-out.
                (true, reason::CREDENTIAL_MISSING) if !user.owner => Severity::Note,
                (true, _) => Severity::Serious,
                (false, _) => Severity::Warning,
            };
            let finding = Finding::new(severity, &why.code, format!("{}: {}", title(home, index), why.message));
            let entry = [reason::PASSWORD_ENTRY_MISSING, reason::HASH_UNREADABLE, reason::DUPLICATE];
            let file = if entry.contains(&why.code.as_str()) { ENTRIES_FILE } else { USERS_FILE };
            sorted[sort].push(Finding { fix: why.fix, ..finding.evidence(file) });
        }
    }
    sorted.into_iter().for_each(|sort| add_some(findings, sort));
}

fn spellings(home: &Home, findings: &mut Vec<Finding>) {
    if home.names.legacy {
        let message = "names repeat or have outer blanks, so this release compares all names letter by letter; from 2026.10 on they are compared without regard to case, and sign-ins may end elsewhere";
        let finding = Finding::new(Severity::Warning, "legacy_names", message).evidence(ENTRIES_FILE);
        findings.push(finding.fix(fix_names::command_for_all(home)));
    } else if home.has_unusual_names() {
        let message = "some names are not stored as they are compared; Home Assistant asks to change them";
        let finding = Finding::new(Severity::Note, "names_not_normal", message).evidence(ENTRIES_FILE);
        findings.push(finding.fix(fix_names::command_for_all(home)));
    }
    let other = |credential: &usize| matches!(sign_in::path(home, *credential), Path::Shadowed(_));
    let all = (0..home.users.len()).flat_map(|user| home.password_credentials(user).skip(1)).filter(other);
    add_some(
        findings,
        all.map(|credential| {
            let known = &home.credentials[credential];
            let message =
                format!("the further name `{}` of {} ends at another user", known.username, title(home, known.user));
            Finding::new(Severity::Note, reason::SHADOWED, message).evidence(USERS_FILE)
        }),
    );
}

fn settings(home: &Home, findings: &mut Vec<Finding>) {
    let yaml = "configuration.yaml";
    if home.settings.has_provider(PROVIDER) == Some(false) {
        let message = "`auth_providers` does not list `homeassistant`, so no password is accepted, whatever is stored";
        findings.push(Finding::new(Severity::Serious, reason::PROVIDER_DISABLED, message).evidence(yaml));
    }
    if home.settings.has_provider("trusted_networks") == Some(true) {
        let message = "`trusted_networks` lets people in without a password from the networks it lists";
        findings.push(Finding::new(Severity::Note, "trusted_networks", message).evidence(yaml));
    }
    if home.settings.providers == Listed::Broken {
        let message = "this is not valid YAML, so Home Assistant starts in its recovery mode, without what is set here; mend it by hand or restore it from a backup";
        findings.push(Finding::new(Severity::Warning, house::SETTINGS_UNREAD, message).evidence(yaml));
    }
    let unread = [
        ("auth_providers", &home.settings.providers, "whether passwords are accepted is not known"),
        ("auth_mfa_modules", &home.settings.modules, "taken for the default"),
    ];
    for (key, _, taken) in unread.into_iter().filter(|(_, listed, _)| **listed == Listed::Unreadable) {
        let message = format!("`{key}` is written in a way that is not understood here; {taken}");
        findings.push(Finding::new(Severity::Note, house::SETTINGS_UNREAD, message).evidence(yaml));
    }
    for (method, count) in [
        ("totp", home.users.iter().filter(|user| user.totp).count()),
        ("notify", home.users.iter().filter(|user| user.notify).count()),
    ] {
        if count > 0 && !home.settings.enforces(method) {
            let message = format!(
                "`{method}` is set up for {count} users and not asked for, because `auth_mfa_modules` does not list it"
            );
            findings.push(Finding::new(Severity::Warning, "mfa_off", message).evidence(yaml));
        }
    }
}
