//! `mfa status`, `mfa disable`: who is asked for a second factor, and that it goes.

use super::{Case, case};
use crate::support::{only_records_of, only_what_was_planned, rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::apps::Role;
use latchlift_tests::bench::Bench;

pub const CASES: &[Case] = &[
    case("mfa-status", &["mfa.status"], who_has_one_is_listed).needs(&["tina"]),
    case("mfa-disable", &["mfa.disable"], it_goes).needs(&["tina"]),
    case("mfa-disable-none", &["mfa.disable"], who_has_none_needs_nothing).needs(&["bob", "tina"]),
];

fn who_has_one_is_listed(t: &Bench) -> Result<()> {
    let outcome = t.latchlift("mfa status --json").succeeds();
    let tina = t.person("tina");
    let listed = rows(&outcome, "mfa");
    let on = |id: &str| listed.iter().any(|row| row["account_id"] == id && row["enabled"] == true);
    assert!(on(&tina.id), "{outcome}");
    assert!(!on(&t.person("bob").id), "{outcome}");
    assert!(!outcome.stdout.contains("PXPJBSWY") && !outcome.stdout.contains("75UE5IZQ"), "the secret is shown");
    Ok(())
}

fn it_goes(t: &Bench) -> Result<()> {
    let (before, tina) = (t.snapshot(), t.person("tina"));
    let outcome = t.latchlift("mfa disable --yes --json").arg(&tina.name).succeeds();
    assert_eq!(t.app.count(&t.app.dump()?, tina, Role::Mfa), 0, "{outcome}");
    only_records_of(t, &before, "tina");
    only_what_was_planned(t, &before, &outcome);
    let shown = rows(&t.latchlift("user show --json").arg(&tina.name).succeeds(), "accounts");
    assert_eq!(shown[0]["mfa"].as_array().map(Vec::len).unwrap_or_default(), 0, "{shown:?}");
    undo_restores(t, &before);
    Ok(())
}

fn who_has_none_needs_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("mfa disable --yes --json").arg(&t.person("bob").name).succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}
