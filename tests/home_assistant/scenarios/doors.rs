//! Doors that are shut to everybody, and the one that opens for whoever comes first.

use super::{Scenario, scenario};
use crate::home::{Home, NEW};
use latchlift_tests::Result;

pub const SCENARIOS: &[Scenario] = &[
    scenario("ban-clear", &["bob"], a_banned_address_is_let_in_again),
    scenario("onboarding-restart", &["admin", "bob"], whoever_comes_first_becomes_the_owner),
];

fn a_banned_address_is_let_in_again(t: &Home) -> Result<()> {
    let banned = "127.0.0.1:\n  banned_at: '2026-11-21T02:05:10.123456+00:00'\n\n\
                  192.0.2.10:\n  banned_at: '2026-11-21T02:06:10.123456+00:00'\n";
    std::fs::write(t.directory.0.join("ip_bans.yaml"), banned)?;
    t.started(|app| {
        assert!(app.server.bans_us()?, "the ban has no effect to begin with");
        Ok(())
    })?;
    t.on("ban clear", "127.0.0.1").succeeds();
    t.started(|app| {
        assert!(!app.server.bans_us()?);
        app.is_as_ever("bob");
        Ok(())
    })?;
    Ok(())
}

fn whoever_comes_first_becomes_the_owner(t: &Home) -> Result<()> {
    t.bench.latchlift("onboarding restart --yes").succeeds();
    t.started(|app| {
        assert!(!app.server.onboarded()?);
        for who in ["admin", "bob"] {
            app.refuses(&t.person(who).name, t.password(who));
            app.sessions(who, false);
            app.long_lived(who, false);
        }
        // Under the name the owner had: the hardest, where anything of the old accounts is left.
        let first = app.makes_the_first_user(&t.person("admin").name, NEW);
        assert!(first.admin && first.owner && first.id != t.person("admin").id, "{first:?}");
        app.signs_in(&t.person("admin").name, NEW);
        Ok(())
    })?;
    t.bench.latchlift("undo --yes").succeeds();
    t.started(|app| {
        assert!(app.server.onboarded()?);
        app.is_as_ever("admin");
        app.is_as_ever("bob");
        Ok(())
    })?;
    Ok(())
}
