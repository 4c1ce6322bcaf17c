//! `app list`, `app check`: which store, which version, who is in it, and what is wrong with it.

use super::{Case, case};
use crate::support::rows;
use latchlift_tests::Result;
use latchlift_tests::apps::Story;
use latchlift_tests::bench::Bench;

const VERBS: &[&str] = &["app.check"];

pub const CASES: &[Case] = &[
    case("app-list", VERBS, the_store_and_its_people_are_named),
    case("app-check", VERBS, a_check_names_what_keeps_people_out).needs(&["john"]).without(&["jane"]),
    case("app-check-no-admin", VERBS, no_usable_administrator_is_serious).told(Story::NoAdmin),
    case("app-check-collision", VERBS, names_that_collide_are_found).told(Story::Collision).needs(&["Jane", "jane"]),
];

fn the_store_and_its_people_are_named(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("app list --json").succeeds();
    let checks = rows(&outcome, "checks");
    assert_eq!(checks.len(), 1, "{outcome}");
    assert!(checks[0]["store"].as_str().is_some_and(|store| !store.is_empty()), "{outcome}");
    assert!(checks[0]["version"].is_string(), "{outcome}");
    assert!(checks[0]["accounts"].as_u64().is_some_and(|count| count > 0), "{outcome}");
    if let Some(password) = t.app.store_password() {
        assert!(!outcome.to_string().contains(password), "the store's password is in the answer");
    }
    t.unchanged_since(&before);
    Ok(())
}

fn a_check_names_what_keeps_people_out(t: &Bench) -> Result<()> {
    let outcome = t.latchlift("app check --json").outcome();
    assert!([0, 10].contains(&outcome.code), "{outcome}");
    let findings = outcome.at("/checks/0/findings");
    let serious = findings.as_array().into_iter().flatten().any(|finding| finding["severity"] == "serious");
    assert_eq!(outcome.code == 10, serious, "the exit code and the findings disagree\n{outcome}");
    let john = t.person("john").password.as_deref().ok_or("the story gives no password")?;
    if !t.signs_in("john", john) {
        assert!(findings.to_string().contains("John"), "nothing about John\n{outcome}");
    }
    Ok(())
}

fn no_usable_administrator_is_serious(t: &Bench) -> Result<()> {
    let outcome = t.latchlift("app check --json").fails(10);
    assert!(outcome.stdout.contains("\"serious\""), "{outcome}");
    Ok(())
}

fn names_that_collide_are_found(t: &Bench) -> Result<()> {
    let outcome = t.latchlift("app check --json").outcome();
    assert!([0, 10].contains(&outcome.code), "{outcome}");
    assert!(outcome.stdout.to_lowercase().contains("jane"), "nothing about jane and Jane\n{outcome}");
    Ok(())
}
