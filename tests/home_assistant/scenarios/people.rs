//! Users: new ones, other names and rights, and none at all.

use super::{Scenario, scenario};
use crate::directory::drop_from;
use crate::home::{Home, NEW};
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] = &[
    scenario("user-add+user-set", &["admin", "bob", "dora", "lola"], everybody_has_the_role_they_were_given),
    scenario("user-rename+user-remove", &["admin", "bob", "tina"], only_the_new_name_signs_in),
    scenario("admin-recreate", &["admin", "bob"], a_new_owner_takes_over_where_the_owner_is_lost),
    scenario("lost-credential", &["admin", "bob"], the_owner_without_a_credential_is_the_owner_again),
    scenario("unknown-group", &["admin", "bob"], a_reset_says_what_keeps_the_app_from_starting),
];

fn everybody_has_the_role_they_were_given(t: &Home) -> Result<()> {
    t.on("user add --password-stdin", "newt").arg("role=admin").stdin(NEW).succeeds();
    t.on("user add --password-stdin", "guest").arg("role=read-only").stdin(NEW).succeeds();
    t.on("user set", &t.person("bob").name).arg("active=no").succeeds();
    t.on("user set", &t.person("dora").name).arg("active=yes").succeeds();
    t.latchlift("admin grant", "lola");
    t.started(|app| {
        let (newt, guest) = (app.signs_in("newt", NEW), app.signs_in("guest", NEW));
        assert!(newt.admin && !newt.owner && !guest.admin, "{newt:?} {guest:?}");
        app.refuses("newt", "not-the-password");
        app.refuses_because(&t.person("bob").name, t.password("bob"), "User is not active");
        app.sessions("bob", false);
        app.long_lived("bob", false);
        assert!(!app.still_signs_in("dora").admin);
        assert!(app.still_signs_in("lola").admin);
        app.is_as_ever("admin");
        Ok(())
    })?;
    Ok(())
}

/// Whoever is renamed is the same user: what was signed in stays so. Whoever is removed is a stranger.
fn only_the_new_name_signs_in(t: &Home) -> Result<()> {
    t.on("user rename", &t.person("tina").name).arg("martina").succeeds();
    t.latchlift("user remove", "bob");
    t.started(|app| {
        app.asks_for_a_code_from("tina", "martina", t.password("tina"));
        app.refuses(&t.person("tina").name, t.password("tina"));
        app.sessions("tina", true);
        app.refuses(&t.person("bob").name, t.password("bob"));
        app.sessions("bob", false);
        app.long_lived("bob", false);
        app.is_as_ever("admin");
        Ok(())
    })?;
    Ok(())
}

/// The owner and all that is his are gone, and no other administrator is active.
fn a_new_owner_takes_over_where_the_owner_is_lost(t: &Home) -> Result<()> {
    let owner = t.person("admin");
    t.directory.edit("auth", |data| {
        drop_from(&mut data["users"], |user| user["id"] == owner.id.as_str());
        drop_from(&mut data["credentials"], |credential| credential["user_id"] == owner.id.as_str());
        drop_from(&mut data["refresh_tokens"], |token| token["user_id"] == owner.id.as_str());
        let admins = data["users"].as_array_mut().unwrap().iter_mut();
        let admins = admins.filter(|user| user["group_ids"][0] == "system-admin");
        admins.for_each(|user| user["is_active"] = false.into());
    })?;
    t.directory.edit("auth_provider.homeassistant", |data| {
        drop_from(&mut data["users"], |row| row["username"] == owner.name.as_str());
    })?;
    t.on("admin recreate --password-stdin", "rescue").stdin(NEW).succeeds();
    t.started(|app| {
        let user = app.signs_in("rescue", NEW);
        assert!(user.admin && user.owner, "{user:?}");
        app.refuses(&owner.name, t.password("admin"));
        app.sessions("admin", false);
        app.is_as_ever("bob");
        assert!(app.server.onboarded()?);
        Ok(())
    })?;
    Ok(())
}

/// The owner's credential is gone while the password entry is there: the same user comes back, and no other of the name.
fn the_owner_without_a_credential_is_the_owner_again(t: &Home) -> Result<()> {
    let owner = t.person("admin");
    t.directory.edit("auth", |data| {
        drop_from(&mut data["credentials"], |credential| credential["user_id"] == owner.id.as_str());
        let users = data["users"].as_array_mut().unwrap().iter_mut();
        // Whoever else has no credential is not shown by the name of the entry.
        users.filter(|user| user["id"] == owner.id.as_str()).for_each(|user| user["name"] = owner.name.as_str().into());
    })?;
    let refused = t.on("admin recreate --allow-existing-admin --password-stdin", &owner.name).stdin(NEW).fails(5);
    refused.says(&format!("latchlift password reset {} --id {}", owner.name, owner.id));
    t.on("password reset --password-stdin", &owner.name).option("--id", &owner.id).stdin(NEW).succeeds();
    t.started(|app| {
        let user = app.signs_in(&owner.name, NEW);
        assert!(user.owner && user.id == owner.id, "{user:?}");
        app.is_as_ever("bob");
        Ok(())
    })?;
    Ok(())
}

/// Over a group that does not exist the app crashes at its start, whoever is in it.
fn a_reset_says_what_keeps_the_app_from_starting(t: &Home) -> Result<()> {
    let bob = t.person("bob");
    t.directory.edit("auth", |data| {
        let users = data["users"].as_array_mut().unwrap().iter_mut();
        users.filter(|user| user["id"] == bob.id.as_str()).for_each(|user| user["group_ids"] = vec!["gone"].into());
    })?;
    let admin = &t.person("admin").name;
    let reset = t.on("password reset --password-stdin", admin).stdin(NEW).fails(10);
    reset.says(&format!("latchlift user set {} role=user", bob.name));
    t.on("user set", &bob.name).arg("role=user").succeeds();
    t.started(|app| {
        assert!(app.signs_in(admin, NEW).admin);
        app.is_as_ever("bob");
        Ok(())
    })?;
    Ok(())
}
