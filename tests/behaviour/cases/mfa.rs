//! `mfa status`, `mfa disable`: who is asked for a second factor, and that it goes.

use super::{Case, case};
use crate::support::{only_records_of, only_what_was_planned, rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::apps::Role;
use latchlift_tests::bench::Bench;
use latchlift_tests::crypt;
use latchlift_tests::runner::LeftOut;

pub const CASES: &[Case] = &[
    case("mfa-status", &["mfa.status"], who_has_one_is_listed).needs(&["tina"]),
    case("mfa-secrets", &["mfa.status"], what_an_authenticator_app_needs_is_shown_on_request).needs(&["tina"]),
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

/// Showing the secret, or the code it makes now, is the way in that takes nothing away.
fn what_an_authenticator_app_needs_is_shown_on_request(t: &Bench) -> Result<()> {
    let (before, tina) = (t.snapshot(), t.person("tina"));
    let Some(secret) = t.app.totp_secret(tina)? else {
        return Err(LeftOut("the app does not keep the secret readable".to_owned()).into());
    };
    // The code may change while the program runs.
    let codes_before = crypt::totp(&secret, jiff::Timestamp::now().as_second());
    let outcome = t.latchlift("mfa status --show-secrets --json").arg(&tina.name).succeeds();
    let codes_after = crypt::totp(&secret, jiff::Timestamp::now().as_second());
    let listed = rows(&outcome, "mfa");
    let shown = &listed[0]["secrets"];
    assert_eq!(shown["secret"], secret.as_str(), "{outcome}");
    assert!(shown["otpauth"].as_str().is_some_and(|url| url.contains(&secret)), "{outcome}");
    let code = shown["code"].as_str().unwrap_or_default();
    assert!(code == codes_before || code == codes_after, "{code} is not {codes_before}\n{outcome}");
    assert_eq!(listed.len(), 1, "{outcome}");
    t.unchanged_since(&before);
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
