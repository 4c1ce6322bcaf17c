//! Names that keep people from signing in.

use super::{Scenario, scenario};
use crate::home::Home;
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] = &[
    scenario("fix-names", &["bob", "lola"], names_nobody_can_type_are_mended),
    scenario("fix-names-keep", &["bob", "lola", "tina"], of_two_with_one_name_both_sign_in),
];

/// A name as it was never meant to be stored, in both files.
fn store_as(t: &Home, who: &str, wrong: &str) -> Result<()> {
    let name = t.person(who).name.as_str();
    t.directory.edit("auth", |data| {
        let credentials = data["credentials"].as_array_mut().unwrap().iter_mut();
        let theirs = credentials.filter(|credential| credential["data"]["username"] == name);
        theirs.for_each(|credential| credential["data"]["username"] = wrong.into());
    })?;
    t.directory.edit("auth_provider.homeassistant", |data| {
        let rows = data["users"].as_array_mut().unwrap().iter_mut();
        rows.filter(|row| row["username"] == name).for_each(|row| row["username"] = wrong.into());
    })
}

/// A blank at the end of one name makes releases before 2026.10 compare all names exactly.
fn names_nobody_can_type_are_mended(t: &Home) -> Result<()> {
    let loud = t.person("bob").name.to_uppercase();
    store_as(t, "bob", &format!("{loud} "))?;
    t.bench.latchlift("user fix-names --yes").succeeds();
    t.started(|app| {
        app.is_as_ever("bob");
        assert_eq!(app.signs_in(&loud, t.password("bob")).id, t.person("bob").id);
        app.is_as_ever("lola");
        Ok(())
    })?;
    Ok(())
}

/// Names that differ in case alone are one name to releases from 2026.10, and make the others compare exactly.
fn of_two_with_one_name_both_sign_in(t: &Home) -> Result<()> {
    let (loud, tina) = (t.person("bob").name.to_uppercase(), t.person("tina"));
    store_as(t, "tina", &loud)?;
    t.bench.latchlift("user fix-names --yes --keep").arg(&t.person("bob").id).succeeds();
    let shown = t.bench.latchlift("user show --json --id").arg(&tina.id).succeeds().at("/accounts/0/name");
    t.started(|app| {
        app.is_as_ever("bob");
        assert_eq!(app.signs_in(&loud, t.password("bob")).id, t.person("bob").id);
        app.asks_for_a_code_from("tina", shown.as_str().unwrap(), t.password("tina"));
        app.is_as_ever("lola");
        Ok(())
    })?;
    Ok(())
}
