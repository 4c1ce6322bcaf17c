//! `session list`, `session revoke`: sign-ins are shown without their secrets, and end as asked.

use super::{Case, case};
use crate::support::{keeps_tokens, only_records_of, only_what_was_planned, rows, sessions, tokens};
use latchlift_tests::Result;
use latchlift_tests::apps::Role;
use latchlift_tests::bench::{Bench, listed};
use latchlift_tests::runner::LeftOut;
use std::collections::BTreeSet;

const LIST: &[&str] = &["session.list"];
const REVOKE: &[&str] = &["session.revoke"];

pub const CASES: &[Case] = &[
    case("session-list", LIST, every_sign_in_is_listed_without_its_secret).needs(&["admin"]),
    case("session-show", &["session.list", "session.show"], one_sign_in_says_the_same_as_the_list).needs(&["bob"]),
    case("session-revoke", REVOKE, ones_sign_ins_end).needs(&["bob"]),
    case("session-revoke-tokens", REVOKE, tokens_end_too_on_request).needs(&["bob"]),
    case("session-revoke-id", &["session.list", "session.revoke"], one_sign_in_ends).needs(&["bob"]),
    case("session-revoke-all", REVOKE, everybodys_sign_ins_end).needs(&["bob", "admin"]),
    case("session-revoke-expired", REVOKE, only_what_has_ended_goes).needs(&["bob"]),
    case("session-unused", &["session.list", "session.revoke"], what_lay_unused_for_long_ends).needs(&["bob"]),
    case("session-revoke-none", REVOKE, nothing_to_end_is_fine).needs(&["juergen"]),
    case("session-revoke-dry-run", REVOKE, a_dry_run_writes_nothing).needs(&["bob"]),
];

fn every_sign_in_is_listed_without_its_secret(t: &Bench) -> Result<()> {
    let outcome = t.latchlift("session list --json").succeeds();
    let (listed, dump) = (rows(&outcome, "sessions"), t.app.dump()?);
    for person in t.app.people() {
        let own = listed.iter().filter(|row| row["account_id"] == person.id.as_str());
        let kinds = own.filter(|row| row["kind"] == "browser").count();
        let stored = t.app.count(&dump, person, Role::Session);
        assert_eq!(kinds, stored, "sign-ins of {}\n{outcome}", person.who);
    }
    let leaked: Vec<String> = secrets(t)?.into_iter().filter(|secret| outcome.stdout.contains(secret)).collect();
    assert!(leaked.is_empty(), "secrets in the list: {leaked:?}");
    Ok(())
}

fn one_sign_in_says_the_same_as_the_list(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let all = rows(&t.latchlift("session list --json").arg(&bob.name).succeeds(), "sessions");
    let one = all.first().ok_or("bob is signed in nowhere")?;
    let outcome = t.latchlift("session show --json").arg(one["id"].as_str().ok_or("no id")?).succeeds();
    let shown = rows(&outcome, "sessions");
    assert_eq!(shown.len(), 1, "{outcome}");
    for field in ["id", "account_id", "kind", "created_at", "expires_at", "expired"] {
        assert_eq!(shown[0].get(field), one.get(field), "{field}\n{outcome}");
    }
    let leaked: Vec<String> = secrets(t)?.into_iter().filter(|secret| outcome.stdout.contains(secret)).collect();
    assert!(leaked.is_empty(), "secrets are shown: {leaked:?}");
    t.latchlift("session show no-such-id").fails(3);
    t.unchanged_since(&before);
    Ok(())
}

/// What would let somebody in: long strings in the records of sign-ins. PhotoPrism's ids are hashes since 240420.
fn secrets(t: &Bench) -> Result<Vec<String>> {
    let hashed = t.target.app == "photoprism" && t.target.version.as_str() >= "240420";
    let dump = t.app.dump()?;
    let tables = ["session", "auth_sessions", "auth#/data/refresh_tokens"];
    let rows = tables.iter().flat_map(|table| dump.rows(table));
    let fields = rows.flat_map(|row| row.iter()).filter(|(field, _)| !(hashed && field.as_str() == "id"));
    let values = fields.map(|(_, value)| value.trim_matches(['\'', '"']).to_owned());
    Ok(values.filter(|value| value.len() >= 40 && value.chars().all(|c| c.is_ascii_hexdigit())).collect())
}

fn ones_sign_ins_end(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = t.latchlift("session revoke --yes --json").arg(&bob.name).succeeds();
    assert_eq!(sessions(t, "bob"), 0, "{outcome}");
    keeps_tokens(t, "bob");
    only_records_of(t, &before, "bob");
    only_what_was_planned(t, &before, &outcome);
    let password = bob.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in(&bob.name, password), "the password changed");
    Ok(())
}

fn tokens_end_too_on_request(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("session revoke --tokens --yes --json").arg(&t.person("bob").name).succeeds();
    assert_eq!((sessions(t, "bob"), tokens(t, "bob")), (0, 0));
    only_records_of(t, &before, "bob");
    Ok(())
}

fn one_sign_in_ends(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let all = rows(&t.latchlift("session list --json").arg(&bob.name).succeeds(), "sessions");
    let one = all.iter().find(|row| row["kind"] == "browser").ok_or("bob is signed in nowhere")?;
    t.latchlift("session revoke --yes --json --id").arg(one["id"].as_str().ok_or("no id")?).succeeds();
    let changes = t.changes_since(&before);
    assert!(changes.len() == 1 && changes[0].is_gone() && t.app.belongs(&changes[0], bob), "{}", listed(&changes));
    t.latchlift("session revoke --yes --id no-such-id").outcome();
    assert_eq!(t.changes_since(&before).len(), 1, "an unknown id ended something");
    Ok(())
}

fn everybodys_sign_ins_end(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("session revoke --all --yes --json").succeeds();
    let after = t.app.dump()?;
    for person in t.app.people() {
        assert_eq!(t.app.count(&after, person, Role::Session), 0, "{} is still signed in", person.who);
    }
    let wrong: Vec<_> =
        t.changes_since(&before).into_iter().filter(|change| t.app.role(change) != Role::Session).collect();
    assert!(wrong.is_empty(), "more than sign-ins changed:\n{}", listed(&wrong));
    Ok(())
}

fn only_what_has_ended_goes(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    t.latchlift("session revoke --expired --yes --json").succeeds();
    // A token that has ended by itself lets nobody in either, so it may go with the sign-ins; which have ended in a
    // genuine store depends on the day.
    let over = |role| role == Role::Session || (role == Role::Token && t.target.genuine.is_some());
    let others: Vec<_> = t.changes_since(&before).into_iter().filter(|change| !over(t.app.role(change))).collect();
    assert!(others.is_empty(), "more than sign-ins changed:\n{}", listed(&others));
    if t.target.genuine.is_some() {
        return Ok(());
    }
    let after = t.app.dump()?;
    for person in t.app.people() {
        let left = t.app.count(&after, person, Role::Session);
        assert_eq!(left, person.sessions - person.ended, "sign-ins of {}", person.who);
        let tokens = t.app.count(&after, person, Role::Token);
        assert_eq!(tokens, person.tokens + person.children, "tokens of {} ended", person.who);
    }
    assert!(bob.sessions > bob.ended);
    Ok(())
}

/// What was last used, or made if it never was, at least so long ago; the list says which these are.
fn what_lay_unused_for_long_ends(t: &Bench) -> Result<()> {
    let now = jiff::Timestamp::now();
    let since = |row: &serde_json::Value| -> Option<jiff::Timestamp> {
        row["last_seen"].as_str().or(row["created_at"].as_str())?.parse().ok()
    };
    let all = rows(&t.latchlift("session list --json").succeeds(), "sessions");
    let mut ages: Vec<i64> = all.iter().filter_map(|row| Some(now.as_second() - since(row)?.as_second())).collect();
    ages.sort_unstable();
    let (Some(youngest), Some(oldest)) = (ages.first(), ages.last()) else {
        return Err(LeftOut("no sign-in says when it was used".to_owned()).into());
    };
    let (nobody, some) = (oldest / 86400 + 2, (youngest + oldest) / 2 / 86400);
    let listed = rows(&t.latchlift(&format!("session list --json --unused-for {nobody}d")).succeeds(), "sessions");
    assert!(listed.iter().all(|row| since(row).is_none()), "{listed:?}");
    let before = t.snapshot();
    // Whether one of unknown age counts as unused is for the app to say.
    let ids = |rows: &[serde_json::Value]| -> BTreeSet<String> {
        let known = rows.iter().filter(|row| since(row).is_some());
        known.filter_map(|row| Some(row["id"].as_str()?.to_owned())).collect()
    };
    let old =
        |row: &&serde_json::Value| since(row).is_none_or(|since| now.as_second() - since.as_second() >= some * 86400);
    let expected: Vec<_> = all.iter().filter(old).cloned().collect();
    let listed = rows(&t.latchlift(&format!("session list --json --unused-for {some}d")).succeeds(), "sessions");
    assert_eq!(ids(&listed), ids(&expected));
    let outcome = t.latchlift(&format!("session revoke --yes --json --unused-for {some}d")).succeeds();
    only_what_was_planned(t, &before, &outcome);
    let left = rows(&t.latchlift("session list --json").succeeds(), "sessions");
    let ends =
        |row: &serde_json::Value| row["kind"] == "browser" && ids(&expected).contains(row["id"].as_str().unwrap_or(""));
    assert!(!left.iter().any(ends), "one that lay unused is still there\n{outcome}");
    let kept =
        all.iter().filter(|row| !old(row)).all(|row| ids(&left).contains(row["id"].as_str().unwrap_or_default()));
    assert!(kept, "one in use ended\n{outcome}");
    Ok(())
}

fn nothing_to_end_is_fine(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("session revoke --yes --json").arg(&t.person("juergen").name).succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("session revoke --all --dry-run").succeeds();
    t.latchlift("session revoke --dry-run --json").arg(&t.person("bob").name).succeeds();
    t.unchanged_since(&before);
    Ok(())
}
