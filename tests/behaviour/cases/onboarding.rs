//! `onboarding restart`: nobody is left, nobody gets in, and undo brings everybody back.

use super::{Case, case};
use crate::support::{rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::bench::Bench;

const VERBS: &[&str] = &["onboarding.restart"];

pub const CASES: &[Case] = &[
    case("onboarding-restart", VERBS, nobody_is_left).needs(&["admin"]),
    case("onboarding-restart-dry-run", VERBS, a_dry_run_writes_nothing),
    case("onboarding-restart-unconfirmed", VERBS, nothing_is_written_without_a_yes),
];

fn nobody_is_left(t: &Bench) -> Result<()> {
    let (before, admin) = (t.snapshot(), t.person("admin"));
    let password = admin.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in(&admin.name, password));
    let outcome = t.latchlift("onboarding restart --yes --json").succeeds();
    assert_ne!(
        outcome.at("/results/0/plan/warnings"),
        serde_json::json!([]),
        "nothing said of what is lost\n{outcome}"
    );
    assert!(!t.signs_in(&admin.name, password), "the administrator still gets in\n{outcome}");
    assert!(rows(&t.latchlift("user list --json").succeeds(), "accounts").is_empty(), "somebody is left");
    undo_restores(t, &before);
    assert!(t.signs_in(&admin.name, password), "undo did not bring the administrator back");
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("onboarding restart --dry-run").succeeds();
    t.unchanged_since(&before);
    Ok(())
}

fn nothing_is_written_without_a_yes(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("onboarding restart").fails(2);
    t.unchanged_since(&before);
    Ok(())
}
