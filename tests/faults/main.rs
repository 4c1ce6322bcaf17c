//! What a fault leaves behind: at the nth step that touches a disk, for n = 1, 2, ... until the verb gets through.
//!
//! ```text
//! seed ── verb, failing or killed at step n ── is the store safe, does the journal know? ──┬── resume ─── undo ── as before?
//!                                                                                           └── the verb again ┘
//! ```
//!
//! Each point is tried on a fresh store four times: failing and killed, settled by `resume` and by the next command.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the test's failure")]

mod home;
mod scenario;

use latchlift_tests::apps::{self, Target};
use latchlift_tests::runner::{self, Trial};
use latchlift_tests::{Result, embedded_only};
use scenario::{SCENARIOS, Scenario};

fn main() {
    let trials = trials().unwrap_or_else(|why| {
        eprintln!("error: {why}");
        std::process::exit(1)
    });
    std::process::exit(runner::main(trials));
}

fn trials() -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    let targets = apps::targets()?;
    for scenario in SCENARIOS {
        let fitting = targets.iter().filter(|target| fits(scenario, target));
        let (chosen, left_out): (Vec<_>, Vec<_>) = fitting.partition(|target| !embedded_only() || target.embedded());
        for target in left_out {
            eprintln!("left out, because it needs a server: {}/{}", target.id(), scenario.id);
        }
        for target in chosen {
            trials.push(trial(scenario, target, "", scenario::faults_while_writing));
            trials.push(trial(scenario, target, "-undo", scenario::faults_while_taking_back));
        }
    }
    Ok(trials)
}

/// Whether a scenario is tried on a target: on the named release of its app, on every kind of store.
fn fits(scenario: &Scenario, target: &Target) -> bool {
    let named = scenario.app == target.app && scenario.version == target.version;
    named && target.genuine.is_none()
}

fn trial(scenario: &'static Scenario, target: &Target, what: &str, run: fn(&Scenario, &Target) -> Result<()>) -> Trial {
    let shared = target.clone();
    Trial {
        id: format!("{}/{}{what}", target.id(), scenario.id),
        facts: vec![
            ("app", target.app.to_owned()),
            ("version", target.version.clone()),
            ("store", target.store.to_owned()),
            ("case", format!("{}{what}", scenario.id)),
        ],
        run: Box::new(move || run(scenario, &shared)),
    }
}
