//! Names that keep people from signing in.

use super::{Scenario, scenario};
use crate::home::Home;
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] = &[scenario("fix-names", &["bob", "lola", "tina"], names_nobody_can_type_are_mended)];

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

/// A blank at the end of a name and two names that differ in case alone: releases before 2026.10 then compare all names
/// exactly, and to later ones the two are one.
fn names_nobody_can_type_are_mended(t: &Home) -> Result<()> {
    let (bob, lola) = (t.person("bob").name.to_uppercase(), t.person("lola").name.to_uppercase());
    store_as(t, "lola", &format!("{lola} "))?;
    store_as(t, "tina", &bob)?;
    t.bench.latchlift("user fix-names --yes --keep").arg(&t.person("bob").id).succeeds();
    let shown = t.bench.latchlift("user show --json --id").arg(&t.person("tina").id).succeeds();
    t.started(|app| {
        app.is_as_ever("bob");
        assert_eq!(app.signs_in(&bob, t.password("bob")).id, t.person("bob").id);
        app.is_as_ever("lola");
        assert_eq!(app.signs_in(&lola, t.password("lola")).id, t.person("lola").id);
        let name = shown.at("/accounts/0/name");
        app.asks_for_a_code_from("tina", name.as_str().unwrap(), t.password("tina"));
        app.sessions("tina", true);
        Ok(())
    })?;
    Ok(())
}
