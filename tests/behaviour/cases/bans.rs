//! `ban list`, `ban clear`: refused addresses are told and let in again, one by one or all.

use super::{Case, case};
use crate::support::{only_what_was_planned, rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::bench::{Bench, Outcome};

const LIST: &[&str] = &["ban.list"];
const CLEAR: &[&str] = &["ban.list", "ban.clear"];

pub const CASES: &[Case] = &[
    case("ban-list", LIST, every_refused_address_is_listed),
    case("ban-list-none", LIST, an_app_that_refuses_nobody_has_none),
    case("ban-clear", CLEAR, one_address_is_let_in_again),
    case("ban-clear-all", CLEAR, all_are_let_in_again),
    case("ban-clear-unknown", CLEAR, an_address_that_is_not_refused_is_not_found),
    case("ban-clear-dry-run", CLEAR, a_dry_run_writes_nothing),
];

const REFUSED: [&str; 3] = ["127.0.0.1", "192.0.2.10", "2001:db8::5"];

fn listed(outcome: &Outcome) -> Vec<String> {
    let mut listed: Vec<String> =
        rows(outcome, "bans").iter().filter_map(|ban| Some(ban["ip"].as_str()?.to_owned())).collect();
    listed.sort();
    listed
}

fn every_refused_address_is_listed(t: &Bench) -> Result<()> {
    t.app.refuse(&REFUSED)?;
    let before = t.snapshot();
    let outcome = t.latchlift("ban list --json").succeeds();
    assert_eq!(listed(&outcome), REFUSED);
    let bans = rows(&outcome, "bans");
    assert!(bans.iter().all(|ban| ban["banned_at"].is_string()), "{outcome}");
    let shared = bans.iter().find(|ban| ban["ip"] == "127.0.0.1").ok_or("no row")?;
    assert!(shared["note"].is_string(), "nothing said of an address that many share\n{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn an_app_that_refuses_nobody_has_none(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    assert!(listed(&t.latchlift("ban list --json").succeeds()).is_empty());
    let outcome = t.latchlift("ban clear --all --yes --json").succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn one_address_is_let_in_again(t: &Bench) -> Result<()> {
    t.app.refuse(&REFUSED)?;
    let before = t.snapshot();
    let outcome = t.latchlift("ban clear 192.0.2.10 --yes --json").succeeds();
    assert_eq!(t.app.refused()?, ["127.0.0.1", "2001:db8::5"], "{outcome}");
    only_what_was_planned(t, &before, &outcome);
    undo_restores(t, &before);
    assert_eq!(t.app.refused()?, REFUSED);
    Ok(())
}

fn all_are_let_in_again(t: &Bench) -> Result<()> {
    t.app.refuse(&REFUSED)?;
    let before = t.snapshot();
    let outcome = t.latchlift("ban clear --all --yes --json").succeeds();
    assert!(t.app.refused()?.is_empty(), "{outcome}");
    only_what_was_planned(t, &before, &outcome);
    undo_restores(t, &before);
    assert_eq!(t.app.refused()?, REFUSED);
    Ok(())
}

fn an_address_that_is_not_refused_is_not_found(t: &Bench) -> Result<()> {
    t.app.refuse(&REFUSED)?;
    let before = t.snapshot();
    t.latchlift("ban clear 198.51.100.7 --yes").fails(3);
    t.unchanged_since(&before);
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    t.app.refuse(&REFUSED)?;
    let before = t.snapshot();
    t.latchlift("ban clear --all --dry-run").succeeds();
    t.unchanged_since(&before);
    Ok(())
}
