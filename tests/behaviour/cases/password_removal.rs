//! `password remove`: who had a password signs in no more, and everything else stays.

use super::{Case, case};
use crate::support::{only_what_was_planned, row_of, rows, sessions, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::bench::Bench;
use latchlift_tests::runner::LeftOut;

const VERBS: &[&str] = &["password.remove"];

pub const CASES: &[Case] = &[
    case("password-remove", VERBS, the_old_password_gets_nobody_in).needs(&["bob"]),
    case("password-remove-dry-run", VERBS, a_dry_run_writes_nothing).needs(&["bob"]),
    case("password-remove-again", VERBS, who_has_none_needs_nothing).needs(&["bob"]),
    case("password-remove-last-admin", VERBS, the_last_administrator_keeps_it).needs(&["admin"]),
    case("password-remove-nobody", VERBS, nobody_is_not_found),
];

fn the_old_password_gets_nobody_in(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let password = bob.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in(&bob.name, password));
    let outcome = t.latchlift("password remove --yes --json").arg(&bob.name).succeeds();
    assert!(!t.signs_in(&bob.name, password), "the old password still gets in\n{outcome}");
    assert!(!t.signs_in(&bob.name, ""), "no password gets in too\n{outcome}");
    assert_eq!(sessions(t, "bob"), 0, "somebody without a password is signed in\n{outcome}");
    only_what_was_planned(t, &before, &outcome);
    let accounts = rows(&t.latchlift("user list --json").succeeds(), "accounts");
    let row = row_of(&accounts, "id", &bob.id);
    assert_eq!((&row["can_sign_in"], &row["has_password"]), (&false.into(), &false.into()), "{row}");
    assert!(row["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()), "no reason: {row}");
    undo_restores(t, &before);
    assert!(t.signs_in(&bob.name, password), "undo did not bring the password back");
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("password remove --dry-run").arg(&t.person("bob").name).succeeds();
    t.unchanged_since(&before);
    Ok(())
}

fn who_has_none_needs_nothing(t: &Bench) -> Result<()> {
    let id = &t.person("bob").id;
    t.latchlift("password remove --yes --id").arg(id).succeeds();
    let before = t.snapshot();
    let outcome = t.latchlift("password remove --yes --json --id").arg(id).succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn the_last_administrator_keeps_it(t: &Bench) -> Result<()> {
    let (before, admin) = (t.snapshot(), t.person("admin"));
    let usable = |person: &&latchlift_tests::apps::Person| {
        person.admin && person.password.as_ref().is_some_and(|password| t.signs_in(&person.name, password))
    };
    if t.app.people().iter().filter(usable).count() > 1 {
        return Err(LeftOut("there is another administrator".to_owned()).into());
    }
    t.latchlift("password remove --yes").arg(&admin.name).fails(4).says("--allow-last-admin");
    t.unchanged_since(&before);
    t.latchlift("password remove --yes --allow-last-admin").arg(&admin.name).succeeds();
    assert!(!t.signs_in(&admin.name, admin.password.as_deref().unwrap_or_default()));
    undo_restores(t, &before);
    Ok(())
}

fn nobody_is_not_found(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("password remove --yes nobody-has-this-name").fails(3);
    t.unchanged_since(&before);
    Ok(())
}
