//! What latchlift does to a Home Assistant, and what that Home Assistant then says.

use crate::directory::drop_from;
use crate::home::{Home, NEW};
use latchlift_tests::Result;

/// One thing that happens.
pub struct Scenario {
    /// Its stable name.
    pub id: &'static str,
    /// Who must be there.
    pub needs: &'static [&'static str],
    /// Lets it happen, or panics.
    pub run: fn(&Home) -> Result<()>,
}

const fn scenario(id: &'static str, needs: &'static [&'static str], run: fn(&Home) -> Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    scenario("untouched", &["admin", "bob", "dora", "tina"], everybody_is_as_the_story_says),
    scenario("password-reset", &["admin", "bob", "lola", "tina"], a_new_password_signs_in_and_the_old_does_not),
    scenario("undo", &["admin", "bob", "tina"], undo_brings_the_old_password_back),
    scenario("undo-after-use", &["admin", "bob"], undo_works_on_what_home_assistant_wrote_since),
    scenario("admin-recreate", &["admin", "bob"], a_new_owner_takes_over_where_the_owner_is_lost),
    scenario("admin-grant", &["bob", "lola"], a_user_becomes_an_administrator),
    scenario("fix-names", &["bob", "lola"], names_nobody_can_type_are_mended),
    scenario("mfa-disable", &["bob", "tina"], no_code_is_asked_for_any_more),
];

/// Nothing happened yet: without this, the refusals below could be refusals of everything.
fn everybody_is_as_the_story_says(t: &Home) -> Result<()> {
    t.started(|app| {
        t.able().for_each(|person| app.is_as_ever(person.who));
        app.refuses(&t.person("bob").name, "not-the-password");
        app.refuses("nobody-has-this-name", NEW);
        app.refuses_because(&t.person("dora").name, t.password("dora"), "User is not active");
        app.asks_for_a_code("tina", t.password("tina"));
        assert!(app.still_signs_in("admin").owner);
        assert!(app.server.onboarded()?);
        assert!(!app.server.bans_us()?);
        Ok(())
    })?;
    Ok(())
}

fn a_new_password_signs_in_and_the_old_does_not(t: &Home) -> Result<()> {
    t.reset("bob", "");
    t.reset("admin", "--tokens");
    t.reset("tina", "--keep-sessions");
    t.started(|app| {
        for who in ["bob", "admin"] {
            let user = app.signs_in(&t.person(who).name, NEW);
            assert_eq!((user.id, user.admin), (t.person(who).id.clone(), t.person(who).admin));
            app.refuses(&t.person(who).name, t.password(who));
            app.sessions(who, false);
        }
        app.long_lived("bob", true);
        app.long_lived("admin", false);
        app.asks_for_a_code("tina", NEW);
        app.sessions("tina", true);
        app.is_as_ever("lola");
        assert!(app.server.onboarded()?);
        Ok(())
    })?;
    Ok(())
}

fn undo_brings_the_old_password_back(t: &Home) -> Result<()> {
    t.reset("bob", "");
    t.latchlift("admin grant", "bob");
    t.latchlift("mfa disable", "tina");
    for _ in 0..3 {
        t.bench.latchlift("undo --yes").succeeds();
    }
    t.started(|app| {
        assert!(!app.still_signs_in("bob").admin);
        app.refuses(&t.person("bob").name, NEW);
        app.sessions("bob", false);
        app.long_lived("bob", true);
        app.asks_for_a_code("tina", t.password("tina"));
        app.is_as_ever("admin");
        Ok(())
    })?;
    Ok(())
}

/// Home Assistant rewrites its files when somebody signs in; that is not somebody else's change.
fn undo_works_on_what_home_assistant_wrote_since(t: &Home) -> Result<()> {
    t.reset("bob", "");
    let left = t.started(|app| {
        app.signs_in(&t.person("bob").name, NEW);
        app.is_as_ever("admin");
        Ok(())
    })?;
    for name in ["auth", "auth_provider.homeassistant", "auth_module.totp"] {
        t.directory.take(name, &left.directory)?;
    }
    t.bench.latchlift("undo --yes").succeeds();
    t.started(|app| {
        app.still_signs_in("bob");
        app.refuses(&t.person("bob").name, NEW);
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

fn a_user_becomes_an_administrator(t: &Home) -> Result<()> {
    t.latchlift("admin grant", "bob");
    t.started(|app| {
        assert!(app.still_signs_in("bob").admin);
        app.sessions("bob", true);
        app.long_lived("bob", true);
        app.is_as_ever("lola");
        Ok(())
    })?;
    Ok(())
}

/// A blank at the end of one name makes releases before 2026.10 compare all names exactly.
fn names_nobody_can_type_are_mended(t: &Home) -> Result<()> {
    let (name, wrong) = (t.person("bob").name.clone(), format!("{} ", t.person("bob").name.to_uppercase()));
    t.directory.edit("auth", |data| {
        let credentials = data["credentials"].as_array_mut().unwrap().iter_mut();
        let theirs = credentials.filter(|credential| credential["data"]["username"] == name.as_str());
        theirs.for_each(|credential| credential["data"]["username"] = wrong.as_str().into());
    })?;
    t.directory.edit("auth_provider.homeassistant", |data| {
        let rows = data["users"].as_array_mut().unwrap().iter_mut();
        rows.filter(|row| row["username"] == name.as_str()).for_each(|row| row["username"] = wrong.as_str().into());
    })?;
    t.bench.latchlift("user fix-names --yes").succeeds();
    t.started(|app| {
        app.is_as_ever("bob");
        assert_eq!(app.signs_in(&name.to_uppercase(), t.password("bob")).id, t.person("bob").id);
        app.is_as_ever("lola");
        Ok(())
    })?;
    Ok(())
}

fn no_code_is_asked_for_any_more(t: &Home) -> Result<()> {
    t.latchlift("mfa disable", "tina");
    t.started(|app| {
        let user = app.signs_in(&t.person("tina").name, t.password("tina"));
        assert_eq!((user.id, user.mfa), (t.person("tina").id.clone(), vec![]));
        app.sessions("tina", true);
        app.is_as_ever("bob");
        Ok(())
    })?;
    Ok(())
}
