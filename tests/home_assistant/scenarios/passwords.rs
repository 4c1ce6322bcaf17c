//! Passwords and second factors: who gets in after, and who does not any more.

use super::{Scenario, scenario};
use crate::home::{Home, NEW};
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] = &[
    scenario("untouched", &["admin", "bob", "dora", "tina"], everybody_is_as_the_story_says),
    scenario("password-reset", &["admin", "bob", "lola", "tina"], a_new_password_signs_in_and_the_old_does_not),
    scenario("password-remove+mfa-disable", &["bob", "lola", "tina"], one_loses_the_password_and_one_the_code),
    scenario("undo", &["admin", "bob", "tina"], undo_works_on_what_home_assistant_wrote_since),
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

/// Whose password goes neither gets in as who they were nor, as a name without a user would, as a new administrator.
fn one_loses_the_password_and_one_the_code(t: &Home) -> Result<()> {
    t.latchlift("password remove", "bob");
    t.latchlift("mfa disable", "tina");
    t.started(|app| {
        app.refuses(&t.person("bob").name, t.password("bob"));
        app.sessions("bob", false);
        app.long_lived("bob", true);
        let user = app.signs_in(&t.person("tina").name, t.password("tina"));
        assert_eq!((user.id, user.mfa), (t.person("tina").id.clone(), vec![]));
        app.sessions("tina", true);
        app.is_as_ever("lola");
        Ok(())
    })?;
    Ok(())
}

/// Home Assistant rewrites its files when somebody signs in; that is not somebody else's change.
fn undo_works_on_what_home_assistant_wrote_since(t: &Home) -> Result<()> {
    t.reset("bob", "");
    t.latchlift("admin grant", "bob");
    t.latchlift("mfa disable", "tina");
    let left = t.started(|app| {
        assert!(app.signs_in(&t.person("bob").name, NEW).admin);
        app.is_as_ever("admin");
        Ok(())
    })?;
    for name in ["auth", "auth_provider.homeassistant", "auth_module.totp"] {
        t.directory.take(name, &left.directory)?;
    }
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
