//! The files themselves: missing, put aside as corrupt, of the wrong owner; and banned addresses.

use super::add_some;
use crate::home::Home;
use crate::schema::{self, ONBOARDED};
use latchlift_plugin_api::{File, Finding, Reader, Result, Select, Severity};
use std::collections::HashMap;

/// Files with secrets, which Home Assistant writes for itself alone.
const PRIVATE: [&str; 4] = [
    ".storage/auth",
    ".storage/auth_provider.homeassistant",
    ".storage/auth_module.totp",
    ".storage/auth_module.notify",
];

/// Adds what is wrong with the files.
///
/// # Errors
/// The store fails.
pub fn check(reader: &dyn Reader, home: &Home, findings: &mut Vec<Finding>) -> Result<()> {
    let files = reader.files("", ".storage/*")?;
    missing(reader, home, findings)?;
    corrupt(home, &files, findings);
    owners(&files, findings);
    bans(reader, home, findings)
}

fn missing(reader: &dyn Reader, home: &Home, findings: &mut Vec<Finding>) -> Result<()> {
    let layout = &home.layout;
    if !layout.auth && layout.rows {
        let message = "`auth` is missing while the passwords are there: every old name and password works, and makes an administrator";
        findings.push(Finding::new(Severity::Serious, "auth_missing", message).evidence(".storage/auth"));
    }
    if layout.auth && !layout.rows {
        let message = "`auth_provider.homeassistant` is missing, so every password is refused";
        let evidence = ".storage/auth_provider.homeassistant";
        findings.push(Finding::new(Severity::Serious, "passwords_missing", message).evidence(evidence));
    }
    if layout.auth && !layout.onboarding {
        let message = "`onboarding` is missing or of a version not known here; the first start will ask again what it has not noted";
        findings.push(Finding::new(Severity::Note, "onboarding_missing", message).evidence(".storage/onboarding"));
    }
    if layout.onboarding && reader.columns("", ONBOARDED)?.is_some() {
        let done = reader.all(Select::from(ONBOARDED, ["@value"]))?;
        let has_user = home.users.iter().any(|user| !user.system);
        if has_user && !done.iter().any(|step| step.str("@value") == Some("user")) {
            let message = "the first start was not finished though there are users";
            findings.push(Finding::new(Severity::Note, "onboarding_open", message).evidence(".storage/onboarding"));
        }
    }
    Ok(())
}

/// Home Assistant puts a file it cannot parse aside and goes on as if there were none.
fn corrupt(home: &Home, files: &[File], findings: &mut Vec<Finding>) {
    let aside = files.iter().filter(|file| file.path.contains(".corrupt."));
    add_some(
        findings,
        aside.map(|file| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let original = name.split(".corrupt.").next().unwrap_or_default();
            let (severity, what) = match original {
                "auth" if !home.layout.auth => {
                    (Severity::Serious, "repair and restore it before Home Assistant starts again")
                }
                "auth" | "auth_provider.homeassistant" => {
                    (Severity::Warning, "users or passwords in it may be missing now")
                }
                _ => (Severity::Note, "what it held may be missing now"),
            };
            Finding::new(
                severity,
                "corrupt_file",
                format!("`{original}` could not be read once and was put aside; {what}"),
            )
            .evidence(&file.path)
        }),
    );
}

fn owners(files: &[File], findings: &mut Vec<Finding>) {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    // Whom Home Assistant runs as is told by the files nobody edits by hand.
    let others = files.iter().filter(|file| !PRIVATE.contains(&file.path.as_str()));
    others.for_each(|file| *counts.entry(file.uid).or_default() += 1);
    let usual = counts.into_iter().max_by_key(|(uid, count)| (*count, *uid)).map(|(uid, _)| uid);
    for file in files.iter().filter(|file| PRIVATE.contains(&file.path.as_str())) {
        let Some(usual) = usual else { continue };
        if file.uid != usual {
            let message = format!(
                "`{}` belongs to uid {} and most files beside it to uid {usual}; Home Assistant may be unable to use it",
                file.path, file.uid
            );
            findings.push(Finding::new(Severity::Serious, "file_owner", message).evidence(&file.path));
        }
        if file.mode & 0o077 != 0 {
            let message = format!(
                "`{}` may be read by others (mode {:04o}); Home Assistant writes it with 0600",
                file.path, file.mode
            );
            findings.push(Finding::new(Severity::Warning, "file_mode", message).evidence(&file.path));
        }
    }
}

fn bans(reader: &dyn Reader, home: &Home, findings: &mut Vec<Finding>) -> Result<()> {
    let Some(text) = reader.document("", "ip_bans.yaml")? else { return Ok(()) };
    let old = home.layout.version.as_deref().and_then(schema::release).is_none_or(|release| release < (2026, 11));
    add_some(
        findings,
        banned(&text).into_iter().map(|(address, has_body)| {
            let (severity, what) = match (has_body, is_own(&address)) {
                (false, _) if old => (
                    Severity::Serious,
                    "its entry has no `banned_at`, over which older releases do not start their web server",
                ),
                (_, true) => {
                    (Severity::Serious, "which is this machine or a proxy on it: everybody behind it is locked out")
                }
                _ => (Severity::Warning, "who comes from there sees nothing but an error"),
            };
            Finding::new(severity, "banned", format!("{address} is banned; {what}")).evidence("ip_bans.yaml")
        }),
    );
    Ok(())
}

fn is_own(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The addresses in `ip_bans.yaml`, and whether each says since when.
fn banned(text: &str) -> Vec<(String, bool)> {
    let mut bans: Vec<(String, bool)> = vec![];
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        match line.starts_with([' ', '\t']) {
            true => bans.last_mut().into_iter().for_each(|ban| ban.1 |= line.contains("banned_at")),
            // An address of IPv6 is full of colons; the key's own is the last before a blank or the end.
            false => bans.extend(
                line.split_once(": ")
                    .or(line.trim_end().strip_suffix(':').map(|key| (key, "")))
                    .map(|(key, rest)| (key.trim().trim_matches(['"', '\'']).to_owned(), rest.contains("banned_at"))),
            ),
        }
    }
    bans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_are_read_as_the_app_writes_them() {
        let text = "\n127.0.0.1:\n  banned_at: '2026-11-21T02:00:00+00:00'\n\n'2001:db8::5':\n  banned_at: '2026-11-21T02:06:00+00:00'\n192.0.2.1: null\n192.0.2.2: {banned_at: 2026-11-21}\n# x:\n";
        let found = banned(text);
        let found: Vec<(&str, bool)> = found.iter().map(|(address, body)| (address.as_str(), *body)).collect();
        assert_eq!(found, [("127.0.0.1", true), ("2001:db8::5", true), ("192.0.2.1", false), ("192.0.2.2", true)]);
        assert!(is_own("::ffff:127.0.0.1") && is_own("::1") && !is_own("192.0.2.1"));
    }
}
