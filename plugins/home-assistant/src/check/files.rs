//! The files themselves: missing, put aside as corrupt, of the wrong owner, left over.

use super::add_some;
use crate::home::Home;
use crate::schema::{Layout, ONBOARDED};
use crate::sign_in::{command, quoted};
use latchlift_plugin_api::{File, Finding, Reader, Result, Select, Severity};
use std::collections::HashMap;

/// Files with secrets, which Home Assistant writes for itself alone.
const PRIVATE: [&str; 4] = [
    ".storage/auth",
    ".storage/auth_provider.homeassistant",
    ".storage/auth_module.totp",
    ".storage/auth_module.notify",
];

/// Adds what is wrong with the files; `home` is what they say, as far as they can be read.
///
/// # Errors
/// The store fails.
pub fn check(reader: &dyn Reader, home: Option<&Home>, layout: &Layout, findings: &mut Vec<Finding>) -> Result<()> {
    let files = reader.files("", ".storage/*")?;
    missing(home, layout, &files, findings);
    if let Some(home) = home {
        onboarding(reader, home, findings)?;
        // Where nobody is left at all, what is left of them may be wanted back.
        if home.users.iter().any(|user| !user.system) {
            left_over(home, &files, findings);
        }
    }
    corrupt(reader, layout, &files, findings);
    owners(&files, findings);
    if !reader.files("", ".HA_RESTORE")?.is_empty() {
        let message = "the next start restores a backup over this directory, and with it the accounts of that time";
        findings.push(Finding::new(Severity::Warning, "restore_pending", message).evidence(".HA_RESTORE"));
    }
    Ok(())
}

fn missing(home: Option<&Home>, layout: &Layout, files: &[File], findings: &mut Vec<Finding>) {
    let broken = |name: &str| layout.broken.iter().any(|(document, _)| *document == name);
    let (auth, rows) = (layout.auth || broken("auth"), layout.rows || broken("auth_provider.homeassistant"));
    if !auth && rows {
        let message = "`auth` is missing while the passwords are there: every old name and password works, and makes an administrator; restore it before Home Assistant starts, or put all accounts aside";
        let finding = Finding::new(Severity::Serious, "auth_missing", message).evidence(".storage/auth");
        let aside = files.iter().any(|file| file.path.starts_with(".storage/auth.corrupt."));
        // Where all users may come back, nobody is told to give them up.
        findings.push(if aside { finding } else { finding.fix(["onboarding", "restart"]) });
    }
    if auth && !rows {
        let message = "`auth_provider.homeassistant` is missing, so every password is refused";
        let evidence = ".storage/auth_provider.homeassistant";
        let finding = Finding::new(Severity::Serious, "passwords_missing", message).evidence(evidence);
        findings.push(match home.and_then(first_administrator) {
            Some(reset) => finding.fix(reset),
            None => finding,
        });
    }
    if auth && !layout.onboarding && !broken("onboarding") {
        let message = "`onboarding` is missing; the first start will ask again what it has not noted";
        findings.push(Finding::new(Severity::Note, "onboarding_missing", message).evidence(".storage/onboarding"));
    }
    if !auth && !rows && layout.onboarding {
        let message = "there are no accounts and the first start is noted as finished, so nobody can get in";
        let finding = Finding::new(Severity::Serious, "onboarding_closed", message).evidence(".storage/onboarding");
        findings.push(finding.fix(["onboarding", "restart"]));
    }
}

/// The reset that lets an administrator in again, best an owner.
fn first_administrator(home: &Home) -> Option<Vec<String>> {
    let admins = (0..home.users.len()).filter(|user| !home.users[*user].system && home.is_admin(&home.users[*user]));
    let named = admins.filter(|user| home.password_credentials(*user).next().is_some());
    let first = named.max_by_key(|user| (home.users[*user].owner, std::cmp::Reverse(*user)))?;
    Some(command(home, &["password", "reset"], first))
}

fn onboarding(reader: &dyn Reader, home: &Home, findings: &mut Vec<Finding>) -> Result<()> {
    if home.layout.onboarding && reader.columns("", ONBOARDED)?.is_some() {
        let done = reader.all(Select::from(ONBOARDED, ["@value"]))?;
        let has_user = home.users.iter().any(|user| !user.system);
        if has_user && !done.iter().any(|step| step.str("@value") == Some("user")) {
            let message = "the first start was not finished though there are users";
            findings.push(Finding::new(Severity::Note, "onboarding_open", message).evidence(".storage/onboarding"));
        }
    }
    Ok(())
}

/// Settings of users who are gone.
fn left_over(home: &Home, files: &[File], findings: &mut Vec<Finding>) {
    let gone = files.iter().filter(|file| {
        let user = file.path.strip_prefix(".storage/frontend.user_data_");
        user.is_some_and(|user| home.index(user).is_none() && !user.contains('.'))
    });
    add_some(
        findings,
        gone.map(|file| {
            let message = format!("settings of a user who is gone, which nothing reads any more: rm {}", file.path);
            Finding::new(Severity::Note, "settings_left_over", message).evidence(&file.path)
        }),
    );
}

/// Home Assistant puts a file it cannot parse aside and goes on as if there were none.
fn corrupt(reader: &dyn Reader, layout: &Layout, files: &[File], findings: &mut Vec<Finding>) {
    let aside = files.iter().filter(|file| file.path.contains(".corrupt."));
    add_some(
        findings,
        aside.map(|file| {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let original = name.split(".corrupt.").next().unwrap_or_default();
            let (severity, what) = match original {
                "auth" if !layout.auth => {
                    (Severity::Serious, "all users are in it: restore it before Home Assistant starts again")
                }
                "auth" | "auth_provider.homeassistant" => {
                    (Severity::Warning, "users or passwords in it may be missing now")
                }
                _ => (Severity::Note, "what it held may be missing now"),
            };
            let next = match state(reader, file) {
                Ok(state) => {
                    let restore = restore(&file.path, original, files);
                    format!("{state}; then, with Home Assistant stopped and in its config directory: `{restore}`, and `latchlift app check` says whether it can be read")
                }
                Err(state) => format!("{state}: take it from a backup instead"),
            };
            let message = format!("`{original}` could not be read once and was put aside; {what}. {next}");
            Finding::new(severity, "corrupt_file", message).evidence(&file.path)
        }),
    );
}

/// What brings a file back, in words for a shell. `mv` keeps owner and mode, and with `-n` puts nothing over anything; a file
/// of that name that has been begun since goes aside first.
fn restore(aside: &str, original: &str, files: &[File]) -> String {
    let place = format!(".storage/{original}");
    let back = format!("mv -n {} {}", quoted(aside), quoted(&place));
    match files.iter().any(|file| file.path == place) {
        true => format!("mv -n {0} {0}.before-restore && {back}", quoted(&place)),
        false => back,
    }
}

/// What a file that was put aside looks like: what to do before it goes back, or why it is of no use.
fn state(reader: &dyn Reader, file: &File) -> std::result::Result<&'static str, &'static str> {
    if file.size == 0 {
        return Err("It is empty");
    }
    match reader.document("", &file.path) {
        Err(_) => Err("It is not even text"),
        Ok(Some(text)) if text.contains('\0') => Err("It holds zero bytes, as after a power cut"),
        Ok(Some(text)) if !text.trim_end().ends_with('}') => {
            Ok("It is cut off: end it by hand so that it is JSON again")
        }
        _ => Ok("It looks whole: mend what is no JSON in it"),
    }
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
                "`{0}` belongs to uid {1} and most files beside it to uid {usual}; Home Assistant may be unable to use it: chown {usual} {0}",
                file.path, file.uid
            );
            findings.push(Finding::new(Severity::Serious, "file_owner", message).evidence(&file.path));
        }
        if file.mode & 0o077 != 0 {
            let message = format!(
                "`{0}` may be read by others (mode {1:04o}); Home Assistant writes it with 0600: chmod 600 {0}",
                file.path, file.mode
            );
            findings.push(Finding::new(Severity::Warning, "file_mode", message).evidence(&file.path));
        }
    }
}
