//! What latchlift promises of every app, tried on every version and store, through the built program and plugins.
//!
//! A case is written once. It runs wherever the app's plugin declares the verbs it is about and the story has the people
//! it needs. `--list` shows what that comes to, `--list --format json` as a matrix for CI. `LATCHLIFT_TEST_APP`,
//! `LATCHLIFT_TEST_VERSION` and `LATCHLIFT_TEST_STORE` choose; several values are separated by commas, and the store
//! `embedded` stands for all that need no server. `LATCHLIFT_FIXTURES` names a folder of genuine stores to add.

mod cases;
mod declared;
mod support;

use cases::Case;
use latchlift_tests::apps::{self, Target};
use latchlift_tests::bench::Bench;
use latchlift_tests::runner::{self, LeftOut, Trial};
use latchlift_tests::{Result, embedded_only};
use std::sync::Arc;

fn main() {
    let trials = all_trials().unwrap_or_else(|why| {
        eprintln!("error: {why}");
        std::process::exit(1)
    });
    std::process::exit(runner::main(trials));
}

fn all_trials() -> Result<Vec<Trial>> {
    let cases = cases::all();
    let mut trials = declared::trials(&cases);
    let (mut chosen, mut left_out) = (vec![], vec![]);
    for target in apps::targets()? {
        if selected(&target) { chosen.push(target) } else { left_out.push(target) }
    }
    if embedded_only() {
        let names: Vec<String> = left_out.iter().filter(|target| !target.embedded()).map(Target::id).collect();
        eprintln!("left out, because they need a server: {}", names.join(" "));
        eprintln!("`make test` runs them too");
    }
    for target in chosen {
        let verbs = declared::verbs(target.app)?;
        let fitting = cases.iter().filter(|case| fits(case, &target, &verbs));
        trials.extend(fitting.map(|case| trial(case, &target)));
    }
    Ok(trials)
}

/// Whether the environment chooses the target.
fn selected(target: &Target) -> bool {
    among("LATCHLIFT_TEST_APP", &|app| app == target.app)
        && among("LATCHLIFT_TEST_VERSION", &|version| version == target.version)
        && among("LATCHLIFT_TEST_STORE", &|store| store == target.store || store == "embedded" && target.embedded())
}

/// Whether one of the values in the environment variable fits; all do where it is not set.
pub(crate) fn among(name: &str, fits: &dyn Fn(&str) -> bool) -> bool {
    std::env::var(name).map_or(true, |values| values.is_empty() || values.split(',').any(fits))
}

/// Whether a case has something to say about a target. The people of most genuine stores are only known once they are
/// open, so the case looks for them then.
fn fits(case: &Case, target: &Target, verbs: &declared::Verbs) -> bool {
    let supported = case.verbs.iter().all(|verb| verbs.supports(verb));
    let told = apps::tells(target, case.story);
    let kept_so = case.stores.is_empty() || case.stores.contains(&target.store);
    case.known == target.known && supported && told && kept_so && has_people(case, target)
}

/// Who is in the story is known without opening a store: the people are the same for all stores of a version.
fn has_people(case: &Case, target: &Target) -> bool {
    let Some(who) = apps::cast(target, case.story) else { return true };
    case.needs.iter().all(|name| who.contains(name)) && !case.without.iter().any(|name| who.contains(name))
}

fn trial(case: &Case, target: &Target) -> Trial {
    let (run, story, needs, without) = (case.run, case.story, case.needs, case.without);
    let shared = Arc::new(target.clone());
    Trial {
        id: format!("{}/{}", target.id(), case.id),
        facts: vec![
            ("app", target.app.to_owned()),
            ("version", target.version.clone()),
            ("store", target.store.to_owned()),
            ("variant", target.variant.clone()),
            ("case", case.id.to_owned()),
        ],
        run: Box::new(move || {
            let bench = Bench::new(&shared, story)?;
            let there = |who: &&str| bench.app.person(who).is_some();
            match needs.iter().all(there) && !without.iter().any(there) {
                true => run(&bench),
                false => Err(LeftOut("the people it is about are not in this genuine store".to_owned()).into()),
            }
        }),
    }
}
