//! `client list`, `client add`, `client show`, `client set`, `client remove`: programs that sign in by themselves.

use super::{Case, case};
use crate::support::{only_what_was_planned, rows, undo_restores, withdrawn};
use latchlift_tests::Result;
use latchlift_tests::bench::{Bench, Outcome};

const ADD: &[&str] = &["client.add", "client.list", "client.show"];
const SET: &[&str] = &["client.add", "client.set", "client.show"];
const REMOVE: &[&str] = &["client.add", "client.remove", "client.list"];

pub const CASES: &[Case] = &[
    case("client-add", ADD, a_client_is_added_and_its_secret_shown_once),
    case("client-add-dry-run", ADD, a_dry_run_writes_nothing),
    case("client-set", SET, what_a_client_may_do_is_changed),
    case("client-set-secret", SET, a_new_secret_replaces_the_old_one),
    case("client-set-nothing", SET, what_is_so_already_is_not_written),
    case("client-remove", REMOVE, a_client_goes_with_its_secret),
    case("client-nobody", &["client.show", "client.set", "client.remove"], an_unknown_client_is_not_found),
];

/// A new client's id and secret.
#[track_caller]
fn added(t: &Bench) -> (String, String, Outcome) {
    let outcome = t.latchlift("client add Frame scope=metrics --yes --json").succeeds();
    let secret = outcome.at("/results/0/reveals/0/value").as_str().unwrap_or_default().to_owned();
    assert!(secret.len() >= 20, "{outcome}");
    assert_eq!(outcome.stdout.matches(&secret).count(), 1, "the secret is repeated\n{outcome}");
    assert!(!outcome.stderr.contains(&secret), "the secret is on standard error\n{outcome}");
    let all = rows(&t.latchlift("client list --json").succeeds(), "clients");
    let one = all.iter().find(|row| row["name"] == "Frame").unwrap_or_else(|| panic!("it is not listed: {all:?}"));
    (one["id"].as_str().unwrap_or_default().to_owned(), secret, outcome)
}

#[track_caller]
fn shown(t: &Bench, id: &str) -> serde_json::Value {
    let shown = rows(&t.latchlift("client show --json").arg(id).succeeds(), "clients");
    assert_eq!(shown.len(), 1, "{shown:?}");
    shown.into_iter().next().unwrap_or_default()
}

fn gets_in(t: &Bench, id: &str, secret: &str) -> Result<bool> {
    Ok(t.app.accepts_client(id, secret)?.ok_or("the story does not know how clients sign in")?)
}

fn a_client_is_added_and_its_secret_shown_once(t: &Bench) -> Result<()> {
    if withdrawn(t, "client list") {
        return Ok(());
    }
    let before = t.snapshot();
    let (id, secret, outcome) = added(t);
    only_what_was_planned(t, &before, &outcome);
    assert!(gets_in(t, &id, &secret)? && !gets_in(t, &id, "wrong-secret-of-32-characters-xx")?, "{outcome}");
    let one = shown(t, &id);
    assert_eq!((&one["scope"], &one["enabled"]), (&"metrics".into(), &true.into()), "{one}");
    undo_restores(t, &before);
    assert!(!gets_in(t, &id, &secret)?);
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    if !withdrawn(t, "client list") {
        t.latchlift("client add Frame --dry-run --json").succeeds();
    }
    t.unchanged_since(&before);
    Ok(())
}

fn what_a_client_may_do_is_changed(t: &Bench) -> Result<()> {
    if withdrawn(t, "client list") {
        return Ok(());
    }
    let (id, secret, _) = added(t);
    let before = t.snapshot();
    let outcome = t.latchlift("client set").arg(&id).words("scope=photos,albums enabled=no --yes --json").succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert!(!gets_in(t, &id, &secret)?, "it is switched off");
    let one = shown(t, &id);
    assert_eq!((&one["scope"], &one["enabled"]), (&"albums photos".into(), &false.into()), "{one}");
    undo_restores(t, &before);
    assert!(gets_in(t, &id, &secret)?);
    Ok(())
}

fn a_new_secret_replaces_the_old_one(t: &Bench) -> Result<()> {
    if withdrawn(t, "client list") {
        return Ok(());
    }
    let (id, old, _) = added(t);
    let before = t.snapshot();
    let outcome = t.latchlift("client set").arg(&id).words("new-secret=yes --yes --json").succeeds();
    let new = outcome.at("/results/0/reveals/0/value").as_str().unwrap_or_default().to_owned();
    assert!(gets_in(t, &id, &new)? && !gets_in(t, &id, &old)?, "{outcome}");
    undo_restores(t, &before);
    assert!(gets_in(t, &id, &old)?);
    Ok(())
}

fn what_is_so_already_is_not_written(t: &Bench) -> Result<()> {
    if withdrawn(t, "client list") {
        return Ok(());
    }
    let (id, ..) = added(t);
    let before = t.snapshot();
    let outcome = t.latchlift("client set").arg(&id).words("scope=metrics enabled=yes --yes --json").succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn a_client_goes_with_its_secret(t: &Bench) -> Result<()> {
    if withdrawn(t, "client list") {
        return Ok(());
    }
    let untouched = t.snapshot();
    let (id, secret, _) = added(t);
    let before = t.snapshot();
    let outcome = t.latchlift("client remove --yes --json").arg(&id).succeeds();
    only_what_was_planned(t, &before, &outcome);
    t.unchanged_since(&untouched);
    t.latchlift("client show").arg(&id).fails(3);
    undo_restores(t, &before);
    assert!(gets_in(t, &id, &secret)?);
    Ok(())
}

fn an_unknown_client_is_not_found(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    if !withdrawn(t, "client list") {
        t.latchlift("client show no-such-client").fails(3);
        t.latchlift("client set no-such-client scope=metrics --yes").fails(3);
        t.latchlift("client remove no-such-client --yes").fails(3);
    }
    t.unchanged_since(&before);
    Ok(())
}
