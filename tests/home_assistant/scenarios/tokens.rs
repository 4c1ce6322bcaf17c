//! Sessions and long-lived tokens: which open the door, and which do not any more.

use super::{Scenario, scenario};
use crate::home::Home;
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] = &[
    scenario("session-revoke", &["admin", "bob"], ended_sessions_are_refused),
    scenario("token-issue", &["admin", "bob"], a_new_token_opens_the_api),
];

fn ended_sessions_are_refused(t: &Home) -> Result<()> {
    t.latchlift("session revoke", "bob");
    t.latchlift("token revoke", "admin");
    t.started(|app| {
        app.sessions("bob", false);
        app.long_lived("bob", true);
        app.sessions("admin", true);
        app.long_lived("admin", false);
        app.still_signs_in("bob");
        app.still_signs_in("admin");
        Ok(())
    })?;
    Ok(())
}

fn a_new_token_opens_the_api(t: &Home) -> Result<()> {
    let issue =
        |words: &str| t.on("token issue", &t.person("bob").name).words(words).succeeds().stdout.trim().to_owned();
    let (kept, taken_back) = (issue("name=kept expires=30d"), issue("name=taken-back"));
    t.bench.latchlift("undo --yes").succeeds();
    t.started(|app| {
        let user = app.server.user(&kept)?.ok_or("the new token is refused")?;
        assert_eq!((&user.id, user.admin), (&t.person("bob").id, t.person("bob").admin));
        assert!(app.server.lets_in(&kept)?);
        assert!(!app.server.lets_in(&taken_back)?, "the token that was taken back");
        app.is_as_ever("bob");
        app.is_as_ever("admin");
        Ok(())
    })?;
    Ok(())
}
