//! References between records. Some that lead nowhere keep Home Assistant from starting at all.

use super::add_some;
use crate::home::Home;
use crate::house;
use crate::schema::{PEOPLE, TOKENS};
use crate::sessions::milliseconds;
use crate::sign_in::title;
use latchlift_plugin_api::{Finding, Reader, Result, Select, Severity, Time};

/// How many sessions that have ended are worth a word.
const STALE: usize = 200;

/// Adds what leads nowhere.
///
/// # Errors
/// The store fails.
pub fn check(reader: &dyn Reader, home: &Home, now: Time, findings: &mut Vec<Finding>) -> Result<()> {
    groups(home, findings);
    let stray = home.stray_credentials.iter().map(|(id, user)| {
        let message = format!(
            "the credential {id} is of the user {user}, who does not exist; Home Assistant crashes at its start over it"
        );
        let finding = Finding::new(Severity::Serious, "credential_without_user", message).evidence(".storage/auth");
        finding.fix(["user", "remove", "--id", user])
    });
    add_some(findings, stray);
    if home.layout.auth {
        tokens(reader, home, now, findings)?;
    }
    people(reader, home, findings)
}

fn groups(home: &Home, findings: &mut Vec<Finding>) {
    let unknown = house::unknown_groups(home).map(|(user, group)| {
        let message = format!(
            "{} is in the group `{group}`, which does not exist; Home Assistant crashes at its start over it",
            title(home, user)
        );
        let finding = Finding::new(Severity::Serious, "unknown_group", message).evidence(".storage/auth");
        finding.fix(house::known_groups(home, user))
    });
    add_some(findings, unknown);
}

fn tokens(reader: &dyn Reader, home: &Home, now: Time, findings: &mut Vec<Finding>) -> Result<()> {
    let mut ended = 0;
    reader.each_row(Select::from(TOKENS, ["/expire_at"]), |row| {
        ended += usize::from(milliseconds(&row[0]).is_some_and(|end| Time(end) < now));
        Ok(())
    })?;
    if ended > STALE {
        let message =
            format!("{ended} sessions have ended by themselves and are still kept; they slow down each start");
        let finding = Finding::new(Severity::Note, "stale_sessions", message).evidence(".storage/auth");
        findings.push(finding.fix(["session", "revoke", "--expired"]));
    }
    let stray = home.stray_tokens.iter().map(|(id, user)| {
        let message = format!(
            "the token {id} is of the user {user}, who does not exist; Home Assistant crashes at its start over it"
        );
        let finding = Finding::new(Severity::Serious, "token_without_user", message).evidence(".storage/auth");
        finding.fix(["user", "remove", "--id", user])
    });
    add_some(findings, stray);
    Ok(())
}

fn people(reader: &dyn Reader, home: &Home, findings: &mut Vec<Finding>) -> Result<()> {
    // Where nobody is left at all, persons may be wanted back with them.
    let deserted = home.users.iter().all(|user| user.system);
    if deserted || !home.layout.people || reader.columns("", PEOPLE)?.is_none() {
        return Ok(());
    }
    let mut stray = vec![];
    reader.each_row(Select::from(PEOPLE, ["/name", "/user_id"]), |row| {
        if let Some(user) = row[1].as_str().filter(|user| home.index(user).is_none()) {
            let message = format!("the person {} belongs to a user who does not exist", row[0]);
            let finding = Finding::new(Severity::Note, "person_without_user", message).evidence(".storage/person");
            stray.push(finding.fix(["user", "remove", "--id", user]));
        }
        Ok(())
    })?;
    add_some(findings, stray);
    Ok(())
}
