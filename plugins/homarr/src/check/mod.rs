//! `app check`: what keeps people out of this Homarr, or lets the wrong ones in.

mod orphans;
mod store;
#[cfg(test)]
mod tests;

use crate::accounts::{Accounts, Stored};
use crate::everybody::{self, SETUP_PENDING};
use crate::groups::{self, Groups};
use crate::schema::{self, Layout, SALT_LENGTH, SESSION, USER};
use crate::sign_in::{Logins, count};
use latchlift_plugin_api::{
    Batch, Check, Context, Filter, Finding, Known, Output, Reader, Request, Result, Select, Severity, reason,
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Reports what was found.
///
/// # Errors
/// The store's, or an unknown layout.
pub fn check(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    let accounts = Accounts::load(reader, &layout, request)?;
    let logins = Logins::of(&accounts);
    let groups = Groups::load(reader, &layout)?;
    let admins = groups::admins(reader, &accounts, &groups)?;
    let mut findings = Vec::new();
    findings.extend(no_admin(&logins, &admins));
    findings.extend(locked_out(&logins));
    findings.extend(everyone_is_admin(&groups));
    findings.extend(wizard(reader, &logins, &admins)?);
    findings.extend(passwords_off(&accounts));
    findings.extend(store::mariadb(reader, &layout)?);
    findings.extend(stale_salts(reader, &layout)?);
    findings.extend(orphans::look(reader, &accounts, &groups)?);
    findings.extend(shared_emails(&accounts));
    findings.extend(ended_sessions(reader, &layout, request)?);
    findings.extend(store::file(reader, &layout, request)?);
    let columns = store::telling_columns(reader)?;
    // Last, because PostgreSQL ends the snapshot where the table of migrations may not be read.
    findings.extend(store::layout(reader, &layout, &columns, request));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let accounts = accounts.people.len() as u64;
    let version = Some(layout.version.to_owned());
    output.emit(Batch::Check(Check { version, accounts, newest_login: Known::Unknown, findings }))
}

fn no_admin(logins: &Logins<'_>, admins: &[usize]) -> Option<Finding> {
    if admins.iter().any(|i| logins.gets_in(*i)) {
        return None;
    }
    let people = &logins.accounts.people;
    let outside =
        |i: &&usize| !people[**i].is_stray() && logins.can_sign_in(**i, &logins.reasons(**i)) == Known::Nothing;
    let elsewhere = admins.iter().find(outside);
    if let Some(i) = elsewhere {
        let title = people[*i].provider_title();
        let message =
            format!("no administrator can sign in with a password; while {title} is down, nobody administers");
        return Some(
            Finding::new(Severity::Warning, "no_local_admin", message)
                .evidence(format!("administrator `{}`", people[*i].label())),
        );
    }
    let finding = Finding::new(Severity::Serious, "no_admin", "no administrator can sign in");
    let finding = match admins.first() {
        Some(first) => finding.evidence(format!(
            "{}, such as `{}`",
            count(admins.len() as u64, "administrator"),
            people[*first].label()
        )),
        None => finding.evidence("no member of a group with the permission `admin`"),
    };
    // Where no password is accepted at all, neither an old nor a new administrator gets in.
    if !logins.accounts.providers.allow(schema::CREDENTIALS) {
        return Some(finding);
    }
    Some(match admins.iter().find_map(|i| logins.mendable(*i)) {
        Some(reason) => finding.fix(reason.fix),
        None => finding.fix(["admin", "recreate", free_name(logins)]),
    })
}

/// A name that a new administrator could have.
fn free_name(logins: &Logins<'_>) -> &'static str {
    ["admin", "rescue", "rescue-admin"].into_iter().find(|name| logins.named(name, None).is_empty()).unwrap_or("NAME")
}

/// One finding for each cause that keeps accounts out, with some of their names.
fn locked_out(logins: &Logins<'_>) -> Vec<Finding> {
    // By code, and of names in the wrong letter case those that would be another's apart.
    let mut causes: Vec<(String, bool, Vec<usize>, Vec<String>)> = Vec::new();
    for i in 0..logins.accounts.people.len() {
        for reason in logins.reasons(i) {
            let told_elsewhere = [reason::PROVIDER, reason::PROVIDER_DISABLED].contains(&reason.code.as_str());
            let clashes = reason.code == reason::NAME_CASE && logins.collides(i);
            match causes.iter_mut().find(|(code, apart, ..)| *code == reason.code && *apart == clashes) {
                _ if told_elsewhere => {}
                Some((_, _, who, _)) => who.push(i),
                None => causes.push((reason.code, clashes, vec![i], reason.fix)),
            }
        }
    }
    causes.into_iter().map(|(code, _, who, fix)| cause(logins, &code, &who).fix(fix)).collect()
}

fn cause(logins: &Logins<'_>, code: &str, who: &[usize]) -> Finding {
    let n = count(who.len() as u64, "account");
    let collides = who.iter().any(|i| logins.collides(*i));
    let (severity, message) = match code {
        reason::NAME_CASE if collides => {
            (Severity::Serious, format!("{n} cannot sign in for letter case, and another has the name it should get"))
        }
        reason::NAME_CASE => {
            (Severity::Serious, format!("{n} cannot sign in, because the login looks for lower-case names only"))
        }
        reason::SHADOWED => {
            (Severity::Serious, format!("{n} cannot sign in, because the login finds another of that name first"))
        }
        reason::DUPLICATE => (Severity::Warning, format!("{n} may be taken for another of the same name")),
        reason::HASH_UNREADABLE => {
            (Severity::Serious, format!("{n} cannot sign in, because Homarr cannot read the hash"))
        }
        reason::NO_PASSWORD => (Severity::Warning, format!("{n} cannot sign in, because no password is stored")),
        reason::HASH_SLOW => {
            (Severity::Warning, format!("{n} with a hash that takes Homarr long to compute at each sign-in"))
        }
        _ => (Severity::Warning, format!("{n} with an empty name or blanks around it")),
    };
    let names: Vec<String> = who.iter().take(5).map(|i| format!("`{}`", logins.accounts.people[*i].label())).collect();
    let more = if who.len() > names.len() { ", ..." } else { "" };
    Finding::new(severity, code, message).evidence(format!("{}{more}", names.join(", ")))
}

fn everyone_is_admin(groups: &Groups) -> Option<Finding> {
    let message = "the group `everyone` has the permission `admin`: every account is an administrator";
    groups
        .all_are_admins()
        .then(|| Finding::new(Severity::Serious, "everyone_admin", message).evidence("groupPermission"))
}

fn wizard(reader: &dyn Reader, logins: &Logins<'_>, admins: &[usize]) -> Result<Option<Finding>> {
    let message =
        "the public setup wizard is open: Homarr sends everybody there, and who comes first may become administrator";
    // Nothing else closes it but making an administrator, as the wizard would.
    let mut fix = vec!["admin", "recreate", free_name(logins)];
    if admins.iter().any(|i| logins.gets_in(*i)) {
        fix.push("--allow-existing-admin");
    }
    let finding = |step: String| {
        Finding::new(Severity::Serious, SETUP_PENDING, message).evidence(format!("onboarding step `{step}`")).fix(fix)
    };
    Ok(everybody::unfinished_step(reader)?.map(finding))
}

fn passwords_off(accounts: &Accounts) -> Option<Finding> {
    let local = accounts.people.iter().filter(|person| person.is_local() && person.stored != Stored::Missing).count();
    if accounts.providers.allow(schema::CREDENTIALS) || local == 0 {
        return None;
    }
    let n = count(local as u64, "account");
    let message =
        format!("password sign-in is switched off, so {n} cannot use a password: add `credentials` and restart Homarr");
    Some(Finding::new(Severity::Warning, "provider_disabled", message).evidence("AUTH_PROVIDERS"))
}

fn stale_salts(reader: &dyn Reader, layout: &Layout) -> Result<Option<Finding>> {
    if !layout.salt {
        return Ok(None);
    }
    let mut stale = 0u64;
    reader.each_row(Select::from(USER, ["password", "salt"]), |row| {
        let text = |cell: usize| row.get(cell).and_then(|value| value.as_str());
        let Some(hash) = text(0).filter(|hash| crate::accounts::readable(hash).is_some()) else { return Ok(()) };
        stale += u64::from(text(1) != Some(&hash[..SALT_LENGTH]));
        Ok(())
    })?;
    let message = format!(
        "{} cannot change the own password, because the stored salt is not the hash's",
        count(stale, "account")
    );
    Ok((stale > 0).then(|| Finding::new(Severity::Warning, "stale_salt", message).evidence("user.salt")))
}

/// With OIDC's account linking, which of several accounts of one address is linked is chance.
fn shared_emails(accounts: &Accounts) -> Option<Finding> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut pairs = Vec::new();
    for person in &accounts.people {
        let Some(email) = person.email.as_deref().filter(|email| !email.is_empty()) else { continue };
        match seen.entry(email.to_lowercase()) {
            Entry::Occupied(first) => pairs.push(format!("`{}` and `{}`", first.get(), person.label())),
            Entry::Vacant(free) => drop(free.insert(person.label())),
        }
    }
    let message = "accounts share an e-mail address: after a change of the provider one person may have several";
    let more = if pairs.len() > 5 { ", ..." } else { "" };
    let evidence = format!("{}{more}", pairs[..pairs.len().min(5)].join(", "));
    (!pairs.is_empty()).then(|| Finding::new(Severity::Note, "shared_email", message).evidence(evidence))
}

fn ended_sessions(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<Option<Finding>> {
    let to = Some(schema::ended_to(layout.kind, request.now));
    let ended = Filter::Range { field: "expires".to_owned(), from: None, to };
    let n = crate::report::total(reader, SESSION, "user_id", &ended)?;
    let message = format!("{} of the past still stored, which let nobody in", count(n, "session"));
    let finding = || Finding::new(Severity::Note, "ended_sessions", message).evidence(SESSION);
    Ok((n > 0).then(|| finding().fix(["session", "revoke", "--expired"])))
}
