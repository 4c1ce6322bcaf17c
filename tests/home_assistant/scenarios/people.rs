//! Users: new ones, other names and rights, and none at all.

use super::{Scenario, scenario};
use crate::directory::drop_from;
use crate::home::{Home, NEW};
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] = &[
    scenario("user-add+user-set", &["admin", "bob", "dora", "lola"], everybody_has_the_role_they_were_given),
    scenario("user-rename+user-remove", &["admin", "bob", "tina"], only_the_new_name_signs_in),
    scenario("admin-recreate", &["admin", "bob"], a_new_owner_takes_over_where_the_owner_is_lost),
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
