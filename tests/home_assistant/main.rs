//! Home Assistant itself, started on what latchlift wrote: who gets in, with what, and as whom.
//!
//! ```text
//! seed or copy a directory ── latchlift, as often as the scenario likes ── start Home Assistant ── ask ── stop it cleanly
//! ```
//!
//! A start takes a second or two, so a scenario does all its edits first and then asks all its questions of one start. Each
//! is told on the oldest and the newest config directory there is a story for, and on the genuine ones
//! `LATCHLIFT_FIXTURES` names.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the test's failure")]

mod directory;
mod home;
mod scenarios;

use home::Home;
use latchlift_tests::apps::{self, Target};
use latchlift_tests::runner::{self, LeftOut, Trial};
use latchlift_tests::{Result, embedded_only};
use scenarios::Scenario;

fn main() {
    if embedded_only() {
        eprintln!("left out, because it starts a server: Home Assistant itself; `make test` runs it too");
        return;
    }
    let trials = trials().unwrap_or_else(|why| {
        eprintln!("error: {why}");
        std::process::exit(1)
    });
    std::process::exit(runner::main(trials));
}

fn trials() -> Result<Vec<Trial>> {
    let known = |target: &Target| target.app == "home-assistant" && target.known;
    let (made, mut chosen): (Vec<_>, Vec<_>) =
        apps::targets()?.into_iter().filter(known).partition(|target| target.genuine.is_none());
    // What was made for the ages between has the files of the newest.
    chosen.extend([made.first(), made.last()].into_iter().flatten().cloned());
    let both = chosen.iter().flat_map(|target| scenarios::all().map(move |scenario| trial(scenario, target.clone())));
    Ok(both.collect())
}

fn trial(scenario: &'static Scenario, target: Target) -> Trial {
    Trial {
        id: format!("{}/{}", target.id(), scenario.id),
        facts: vec![
            ("app", target.app.to_owned()),
            ("version", target.version.clone()),
            ("variant", target.variant.clone()),
            ("case", scenario.id.to_owned()),
        ],
        run: Box::new(move || {
            let home = Home::new(&target)?;
            if let Some(who) = scenario.needs.iter().find(|who| home.bench.app.person(who).is_none()) {
                return Err(LeftOut(format!("there is no {who} in this genuine directory")).into());
            }
            (scenario.run)(&home)
        }),
    }
}
