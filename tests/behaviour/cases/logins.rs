//! `login list`, `login clear`: who signed in lately, as far as the app keeps it.

use super::{Case, case};
use crate::support::{only_what_was_planned, rows, undo_restores, withdrawn};
use latchlift_tests::Result;
use latchlift_tests::bench::Bench;
use serde_json::Value;

const LIST: &[&str] = &["login.list"];

pub const CASES: &[Case] = &[
    case("login-list", LIST, sign_ins_are_listed_newest_first).needs(&["bob"]),
    case("login-list-account", LIST, ones_own_are_listed).needs(&["bob"]),
    case("login-clear", &["login.list", "login.clear"], the_record_is_cleared_and_comes_back),
];

fn sign_ins_are_listed_newest_first(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("login list --json").succeeds();
    let all = rows(&outcome, "logins");
    let times: Vec<&str> = all.iter().filter_map(|row| row["at"].as_str()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "not newest first: {times:?}");
    assert!(all.iter().all(|row| row["status"].is_string()), "{outcome}");
    let two = rows(&t.latchlift("login list --json --limit 1").succeeds(), "logins");
    assert_eq!(two.as_slice(), &all[..all.len().min(1)]);
    for format in ["csv", "tsv", "markdown"] {
        t.latchlift("login list --output").arg(format).succeeds();
    }
    t.unchanged_since(&before);
    Ok(())
}

fn ones_own_are_listed(t: &Bench) -> Result<()> {
    let bob = t.person("bob");
    let all = rows(&t.latchlift("login list --json").succeeds(), "logins");
    let asked = t.latchlift("login list --json").arg(&bob.name).outcome();
    if asked.code == 6 {
        // An app whose record names no accounts says so rather than giving everybody's.
        assert!(all.iter().all(|row| row["account"].as_str().is_none()), "{asked}");
        return Ok(());
    }
    let own = rows(&asked, "logins");
    let of_bob = |row: &&Value| row["account"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&bob.name));
    assert!(own.iter().all(|row| of_bob(&row)), "{own:?}");
    assert_eq!(own.len(), all.iter().filter(of_bob).count());
    Ok(())
}

fn the_record_is_cleared_and_comes_back(t: &Bench) -> Result<()> {
    if withdrawn(t, "login clear --dry-run") {
        return Ok(());
    }
    let before = t.snapshot();
    let outcome = t.latchlift("login clear --yes --json").succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert!(!t.changes_since(&before).is_empty(), "nothing was there to clear\n{outcome}");
    assert!(rows(&t.latchlift("login list --json").succeeds(), "logins").is_empty());
    let after = t.snapshot();
    let again = t.latchlift("login clear --yes --json").succeeds();
    assert_eq!(again.at("/results/0/changed"), false, "{again}");
    t.unchanged_since(&after);
    undo_restores(t, &before);
    Ok(())
}
