//! `password check`: says what the app's own login would say.

use super::{Case, case};
use latchlift_tests::Result;
use latchlift_tests::bench::Bench;
use std::collections::BTreeSet;

const VERBS: &[&str] = &["password.check"];

pub const CASES: &[Case] = &[
    case("password-check", VERBS, it_says_what_the_login_would),
    case("password-check-nobody", VERBS, nobody_is_not_found),
    case("password-check-writes-nothing", VERBS, it_writes_nothing).needs(&["bob"]),
];

/// Everybody, by their name as stored and in other letter case, with the right and a wrong password.
fn it_says_what_the_login_would(t: &Bench) -> Result<()> {
    let mut logins = BTreeSet::new();
    for person in t.app.people() {
        let right = person.password.clone().unwrap_or_else(|| "Nobody-set-this1".to_owned());
        for name in [person.name.clone(), person.name.to_lowercase(), person.name.to_uppercase()] {
            logins.insert((name, right.clone()));
        }
        logins.insert((person.name.clone(), "Wrong-Password1".to_owned()));
    }
    let logins: Vec<(&str, &str)> = logins.iter().map(|(name, password)| (name.as_str(), password.as_str())).collect();
    let truth = t.app.sign_in(&logins)?;
    let mut wrong = Vec::new();
    for ((name, password), gets_in) in logins.into_iter().zip(truth) {
        let outcome = t.latchlift("password check --password-stdin --json").stdin(password).arg(name).outcome();
        if outcome.code != if gets_in { 0 } else { 10 } {
            wrong.push(format!("the app's answer to {name} / {password} is {gets_in}, but\n{outcome}"));
        }
        let (matches, can) = (outcome.at("/results/0/matches"), outcome.at("/results/0/sign_in/can_sign_in"));
        assert_eq!(matches == true && can == true, outcome.code == 0, "{outcome}");
        assert!(can != false || !outcome.codes("/results/0/sign_in/reasons").is_empty(), "no reason:\n{outcome}");
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n\n").into()) }
}

fn nobody_is_not_found(t: &Bench) -> Result<()> {
    t.latchlift("password check --password-stdin nobody-has-this-name").stdin("x").fails(3);
    Ok(())
}

fn it_writes_nothing(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let password = bob.password.as_deref().ok_or("the story gives no password")?;
    let outcome = t.latchlift("password check --password-stdin").stdin(password).arg(&bob.name).succeeds();
    assert!(!outcome.to_string().contains(password), "the password is in the answer");
    t.unchanged_since(&before);
    Ok(())
}
