//! Sessions and long-lived tokens: which open the door, and which do not any more.

use super::{Scenario, scenario};
use crate::home::Home;
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] =
    &[scenario("session-revoke+token-issue", &["admin", "bob"], what_ended_is_refused_and_what_is_new_is_good)];

fn what_ended_is_refused_and_what_is_new_is_good(t: &Home) -> Result<()> {
    let issue = |name: &str| {
        let run = t.on("token issue", &t.person("bob").name).arg(format!("name={name}"));
        run.arg("expires=30d").succeeds().stdout.trim().to_owned()
    };
    let (new, taken_back) = (issue("new"), issue("taken-back"));
    t.bench.latchlift("undo --yes").succeeds();
    t.latchlift("session revoke", "bob");
    t.latchlift("token revoke", "admin");
    t.started(|app| {
        let user = app.server.user(&new)?.ok_or("the new token is refused")?;
        assert_eq!((&user.id, user.admin), (&t.person("bob").id, t.person("bob").admin));
        assert!(app.server.lets_in(&new)?);
        assert!(!app.server.lets_in(&taken_back)?, "the token that was taken back");
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
