//! `user fix-names`: names become what the login looks for, unless two would become one.

use super::{Case, case};
use crate::support::{only_what_was_planned, rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::apps::Story;
use latchlift_tests::bench::Bench;

const VERBS: &[&str] = &["user.fix-names"];

pub const CASES: &[Case] = &[
    case("fix-names", VERBS, wrong_letter_case_is_mended).needs(&["john"]).without(&["jane"]),
    case("fix-names-again", VERBS, mended_names_need_nothing).needs(&["john"]).without(&["jane"]),
    case("fix-names-dry-run", VERBS, a_dry_run_writes_nothing).needs(&["john"]).without(&["jane"]),
    case("fix-names-one", VERBS, one_name_is_mended_alone).needs(&["john", "Jane", "jane"]).told(Story::Collision),
    case("fix-names-keep", VERBS, of_two_one_keeps_the_name).needs(&["Jane", "jane"]).told(Story::Collision),
    case("fix-names-keep-nobody", VERBS, nobody_keeps_a_name).needs(&["Jane", "jane"]).told(Story::Collision),
    case("fix-names-collision", VERBS, a_collision_changes_nothing).needs(&["Jane", "jane"]).told(Story::Collision),
];

fn wrong_letter_case_is_mended(t: &Bench) -> Result<()> {
    let (before, john) = (t.snapshot(), t.person("john"));
    let outcome = t.latchlift("user fix-names --yes --json").succeeds();
    let password = john.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in("john", password), "john does not get in\n{outcome}");
    only_what_was_planned(t, &before, &outcome);
    undo_restores(t, &before);
    Ok(())
}

fn mended_names_need_nothing(t: &Bench) -> Result<()> {
    t.latchlift("user fix-names --yes").succeeds();
    let before = t.snapshot();
    let outcome = t.latchlift("user fix-names --yes --json").succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("user fix-names --dry-run").succeeds();
    t.unchanged_since(&before);
    Ok(())
}

fn a_collision_changes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("user fix-names --yes --json").fails(5);
    let told = outcome.to_string();
    for who in ["Jane", "jane"] {
        assert!(told.contains(&t.person(who).id) || told.contains(who), "{who} is not named\n{outcome}");
    }
    t.unchanged_since(&before);
    Ok(())
}

/// The two who collide keep others from being mended all at once, but not one by one.
fn one_name_is_mended_alone(t: &Bench) -> Result<()> {
    let (before, john) = (t.snapshot(), t.person("john"));
    let outcome = t.latchlift("user fix-names --yes --json").arg(&john.name).succeeds();
    let password = john.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in("john", password), "john does not get in\n{outcome}");
    only_what_was_planned(t, &before, &outcome);
    undo_restores(t, &before);
    Ok(())
}

/// Whoever keeps the name gets in with it, and the other with the name it was given.
fn of_two_one_keeps_the_name(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    for (kept, other) in [("jane", "Jane"), ("Jane", "jane")] {
        let (kept, other) = (t.person(kept), t.person(other));
        let run = t.latchlift("user fix-names jane --yes --json").option("--keep", &kept.id);
        let outcome = run.succeeds();
        only_what_was_planned(t, &before, &outcome);
        let shown = rows(&t.latchlift("user show --json --id").arg(&other.id).succeeds(), "accounts");
        let new_name = shown[0]["name"].as_str().ok_or("no name")?;
        assert_ne!(new_name.to_lowercase(), "jane", "{outcome}");
        for (name, person) in [("jane", kept), (new_name, other)] {
            let password = person.password.as_deref().ok_or("the story gives no password")?;
            assert!(t.signs_in(name, password), "{name} is not {}\n{outcome}", person.who);
        }
        undo_restores(t, &before);
    }
    Ok(())
}

fn nobody_keeps_a_name(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("user fix-names --yes --keep no-such-id").outcome();
    assert!([2, 3].contains(&outcome.code), "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}
