//! `admin recreate`, `admin grant`, `admin revoke`: somebody can administer the app again, and somebody no longer.

use super::{Case, case};
use crate::support::{NEW, is_admin, only_what_was_planned, rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::apps::{Person, Story};
use latchlift_tests::bench::{Bench, Run};

const GRANT: &[&str] = &["admin.grant"];
const REVOKE: &[&str] = &["admin.revoke"];
const RECREATE: &[&str] = &["admin.recreate"];

pub const CASES: &[Case] = &[
    case("admin-grant", GRANT, an_account_is_promoted).needs(&["bob"]),
    case("admin-grant-again", GRANT, who_is_admin_already_needs_nothing).needs(&["admin"]),
    case("admin-grant-dry-run", GRANT, a_dry_run_writes_nothing).needs(&["bob"]),
    case("admin-grant-nobody", GRANT, nobody_is_not_found),
    case("admin-grant-group", GRANT, a_group_is_given_the_rights).needs(&["bob"]),
    case("admin-revoke", &["admin.grant", "admin.revoke"], an_account_is_demoted).needs(&["bob"]),
    case("admin-revoke-none", REVOKE, who_is_no_admin_needs_nothing).needs(&["bob"]),
    case("admin-revoke-last", &["admin.recreate", "admin.revoke"], the_last_administrator_stays).told(Story::NoAdmin),
    case("admin-revoke-nobody", REVOKE, nobody_is_not_demoted),
    case("admin-revoke-dry-run", REVOKE, demoting_can_be_tried).needs(&["admin"]),
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

/// Where an app has groups; elsewhere the wish is refused.
fn a_group_is_given_the_rights(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = t.latchlift("admin grant --group sso-admins --yes --json").outcome();
    if outcome.code != 0 {
        assert!([2, 6].contains(&outcome.code), "{outcome}");
        t.unchanged_since(&before);
        return Ok(());
    }
    only_what_was_planned(t, &before, &outcome);
    assert!(!is_admin(t, "bob"), "{outcome}");
    let again = t.latchlift("admin grant --group sso-admins --yes --json").succeeds();
    assert_eq!(again.at("/results/0/changed"), false, "{again}");
    let between = t.snapshot();
    let outcome = t.latchlift("admin grant --group sso-admins --yes --json").arg(&bob.name).succeeds();
    only_what_was_planned(t, &between, &outcome);
    assert!(is_admin(t, "bob"), "{outcome}");
    undo_restores(t, &between);
    undo_restores(t, &before);
    t.unchanged_since(&before);
    Ok(())
}

fn an_account_is_demoted(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    t.latchlift("admin grant --yes --json").arg(&bob.name).succeeds();
    let between = t.snapshot();
    assert!(is_admin(t, "bob"));
    let outcome = t.latchlift("admin revoke --yes --json").arg(&bob.name).succeeds();
    assert!(!is_admin(t, "bob"), "{outcome}");
    only_what_was_planned(t, &between, &outcome);
    let shown = rows(&t.latchlift("user show --json").arg(&bob.name).succeeds(), "accounts");
    assert_eq!(shown[0]["admin"], false);
    let password = bob.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in(&bob.name, password), "the password changed");
    undo_restores(t, &between);
    assert!(is_admin(t, "bob"), "undone, and bob does not administer");
    undo_restores(t, &before);
    Ok(())
}

fn who_is_no_admin_needs_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("admin revoke --yes --json").arg(&t.person("bob").name).succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn the_last_administrator_stays(t: &Bench) -> Result<()> {
    recreate(t, name(t)).succeeds();
    let before = t.snapshot();
    t.latchlift("admin revoke --yes --json").arg(name(t)).fails(4).says("--allow-last-admin");
    t.unchanged_since(&before);
    let outcome = t.latchlift("admin revoke --yes --json --allow-last-admin").arg(name(t)).outcome();
    if outcome.code == 0 {
        only_what_was_planned(t, &before, &outcome);
        undo_restores(t, &before);
        administers(t, name(t))?;
    }
    Ok(())
}

fn nobody_is_not_demoted(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("admin revoke --yes nobody-has-this-name").fails(3);
    t.unchanged_since(&before);
    Ok(())
}

fn demoting_can_be_tried(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("admin revoke --allow-last-admin --dry-run").arg(&t.person("admin").name).succeeds();
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
