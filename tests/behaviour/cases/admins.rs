//! `admin recreate`, `admin grant`: somebody can administer the app again.

use super::{Case, case};
use crate::support::{NEW, is_admin, only_what_was_planned, rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::apps::{Person, Story};
use latchlift_tests::bench::{Bench, Run};

const GRANT: &[&str] = &["admin.grant"];
const RECREATE: &[&str] = &["admin.recreate"];

pub const CASES: &[Case] = &[
    case("admin-grant", GRANT, an_account_is_promoted).needs(&["bob"]),
    case("admin-grant-again", GRANT, who_is_admin_already_needs_nothing).needs(&["admin"]),
    case("admin-grant-dry-run", GRANT, a_dry_run_writes_nothing).needs(&["bob"]),
    case("admin-grant-nobody", GRANT, nobody_is_not_found),
    case("admin-recreate-refused", RECREATE, a_usable_administrator_is_reason_to_refuse).needs(&["admin"]),
    case("admin-recreate", RECREATE, a_new_administrator_gets_in).told(Story::NoAdmin),
    case("admin-recreate-allowed", RECREATE, the_rule_can_be_waived).needs(&["admin"]),
    case("admin-recreate-taken", RECREATE, a_name_that_is_taken_never_makes_two).told(Story::NoAdmin).needs(&["bob"]),
];

fn an_account_is_promoted(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    assert!(!is_admin(t, "bob"));
    let outcome = t.latchlift("admin grant --yes --json").arg(&bob.name).succeeds();
    assert!(is_admin(t, "bob"), "{outcome}");
    only_what_was_planned(t, &before, &outcome);
    let password = bob.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in(&bob.name, password), "the password changed");
    let shown = rows(&t.latchlift("user show --json").arg(&bob.name).succeeds(), "accounts");
    assert_eq!(shown[0]["admin"], true);
    undo_restores(t, &before);
    assert!(!is_admin(t, "bob"));
    Ok(())
}

fn who_is_admin_already_needs_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("admin grant --yes --json").arg(&t.person("admin").name).succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("admin grant --dry-run").arg(&t.person("bob").name).succeeds();
    t.unchanged_since(&before);
    Ok(())
}

fn nobody_is_not_found(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("admin grant --yes nobody-has-this-name").fails(3);
    t.unchanged_since(&before);
    Ok(())
}

fn recreate(t: &Bench, words: &str) -> Run {
    t.latchlift("admin recreate --password-stdin --yes --json").stdin(NEW).words(words)
}

/// PhotoPrism has one initial administrator, the account with the number 1, and recreates no other.
fn name(t: &Bench) -> &'static str {
    if t.target.app == "photoprism" { "admin" } else { "rescue" }
}

fn a_usable_administrator_is_reason_to_refuse(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    recreate(t, name(t)).fails(4).says("--allow-existing-admin");
    t.unchanged_since(&before);
    Ok(())
}

fn a_new_administrator_gets_in(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = recreate(t, name(t)).succeeds();
    only_what_was_planned(t, &before, &outcome);
    administers(t, name(t))?;
    undo_restores(t, &before);
    assert!(!t.signs_in(name(t), NEW));
    Ok(())
}

fn the_rule_can_be_waived(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    recreate(t, &format!("{} --allow-existing-admin", name(t))).succeeds();
    administers(t, name(t))?;
    undo_restores(t, &before);
    Ok(())
}

/// Promoting whoever has the name, or refusing: but never a second account of that name.
fn a_name_that_is_taken_never_makes_two(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = recreate(t, "bob").outcome();
    if outcome.code == 0 {
        administers(t, "bob")?;
        let shown = rows(&t.latchlift("user show bob --json").succeeds(), "accounts");
        assert_eq!(shown.len(), 1, "{shown:?}");
        undo_restores(t, &before);
    } else {
        assert!([4, 5].contains(&outcome.code), "{outcome}");
        t.unchanged_since(&before);
    }
    Ok(())
}

/// The account of that name gets in with the new password and administers the app.
#[track_caller]
fn administers(t: &Bench, name: &str) -> Result<()> {
    assert!(t.signs_in(name, NEW), "{name} does not get in");
    let shown = rows(&t.latchlift("user show --json").arg(name).succeeds(), "accounts");
    let id = shown[0]["id"].as_str().map(str::to_owned).ok_or("no id")?;
    let person = Person { id, name: name.to_owned(), ..Person::default() };
    assert!(t.app.is_admin(&person)?, "{name} is no administrator");
    assert_eq!(shown[0]["can_sign_in"], true, "{shown:?}");
    Ok(())
}
