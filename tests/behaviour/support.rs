//! What the cases have in common: what a written plan may have touched, and what undo must bring back.

use latchlift_plugin_api::{Facts, Kdf};
use latchlift_tests::Result;
use latchlift_tests::apps::Role;
use latchlift_tests::bench::{Bench, Outcome, Snapshot, listed};
use latchlift_tests::dump::Difference;
use latchlift_tests::runner::LeftOut;
use serde_json::Value;

/// A new password that every app accepts.
pub const NEW: &str = "New-horse#2026";

/// Fails unless each change since `before` is one the program said it would make.
#[track_caller]
pub fn only_what_was_planned(t: &Bench, before: &Snapshot, outcome: &Outcome) {
    let planned = planned_changes(outcome);
    let surprising: Vec<Difference> =
        t.changes_since(before).into_iter().filter(|change| !planned.iter().any(|plan| covers(plan, change))).collect();
    assert!(surprising.is_empty(), "changed without being planned:\n{}\nby {outcome}", listed(&surprising));
}

/// The changes in the answer, flat.
#[track_caller]
pub fn planned_changes(outcome: &Outcome) -> Vec<Value> {
    let steps = outcome.at("/results/0/plan/steps");
    let changes = steps.as_array().into_iter().flatten().filter_map(|step| step["changes"].as_array());
    changes.flatten().cloned().collect()
}

fn covers(plan: &Value, change: &Difference) -> bool {
    if plan["collection"] != change.collection.as_str() {
        return false;
    }
    let op = plan["op"].as_str().unwrap_or_default();
    if change.is_new() {
        op == "insert"
    } else if change.is_gone() {
        op == "delete" || op == "purge"
    } else {
        op == "update" && change.fields().iter().all(|field| plan["after"].get(field).is_some())
    }
}

/// Fails unless each change since `before` is of a record that is this person's.
#[track_caller]
pub fn only_records_of(t: &Bench, before: &Snapshot, who: &str) {
    let person = t.person(who);
    let others: Vec<Difference> =
        t.changes_since(before).into_iter().filter(|change| !t.app.belongs(change, person)).collect();
    assert!(others.is_empty(), "records of others changed:\n{}", listed(&others));
}

/// Takes the newest change back and fails unless everything is as it was, but for ended sign-ins and what the app
/// rewrites by itself.
#[track_caller]
pub fn undo_restores(t: &Bench, before: &Snapshot) {
    let outcome = t.latchlift("undo --yes --json").succeeds();
    let left: Vec<Difference> = t.changes_since(before).into_iter().filter(|change| !may_stay(t, change)).collect();
    assert!(left.is_empty(), "undo left differences:\n{}\n{outcome}", listed(&left));
    untouched_documents_keep_every_byte(t, before);
    let after = t.snapshot().documents;
    let new: Vec<&String> = after.keys().filter(|path| !before.documents.contains_key(*path)).collect();
    assert!(new.is_empty(), "undo left files that were not there before: {new:?}\n{outcome}");
}

fn may_stay(t: &Bench, change: &Difference) -> bool {
    let ended = change.is_gone() && matches!(t.app.role(change), Role::Session | Role::Token);
    ended || change.only(t.app.volatile(&change.collection))
}

/// A document none of whose records differ has the same bytes.
#[track_caller]
pub fn untouched_documents_keep_every_byte(t: &Bench, before: &Snapshot) {
    let (changes, after) = (t.changes_since(before), t.snapshot());
    for (path, bytes) in &before.documents {
        let name = format!("{}#", path.trim_start_matches(".storage/"));
        let changed = changes.iter().any(|change| change.collection.starts_with(&name));
        let same = after.documents.get(path) == Some(bytes);
        assert!(changed || same, "{path} says the same in other bytes");
    }
}

/// Fails unless the person signs in with one password and not with the other, under the name given.
#[track_caller]
pub fn signs_in_with(t: &Bench, name: &str, new: &str, old: &str) {
    assert!(t.signs_in(name, new), "{name} does not get in with the new password");
    assert!(!t.signs_in(name, old), "{name} still gets in with the old password");
}

/// Fails unless the new hash is of the function that the facts state: the one the host begins with before it is asked.
#[track_caller]
pub fn hashed_as_the_facts_say(t: &Bench, name: &str) {
    let path = latchlift_tests::workspace().join(format!("plugins/{}/plugin.toml", t.target.app));
    let text = std::fs::read_to_string(path).expect("the plugin is one of this workspace");
    let facts = Facts::parse(&text).expect("the plugin was built from it");
    let Some(Kdf::Bcrypt { cost }) = facts.password.kdf else { panic!("no such function is known to this test") };
    let shown = t.latchlift("user show --json").words(name).succeeds();
    assert_eq!(shown.at("/accounts/0/hash"), format!("bcrypt {cost}"));
}

/// How many sign-ins of the person there are.
#[track_caller]
pub fn sessions(t: &Bench, who: &str) -> usize {
    t.app.count(&t.snapshot().dump, t.person(who), Role::Session)
}

/// How many tokens of the person there are, with the sign-ins opened with them.
#[track_caller]
pub fn tokens(t: &Bench, who: &str) -> usize {
    t.app.count(&t.snapshot().dump, t.person(who), Role::Token)
}

/// Fails unless the person has all the tokens it had.
#[track_caller]
pub fn keeps_tokens(t: &Bench, who: &str) {
    let person = t.person(who);
    assert_eq!(tokens(t, who), person.tokens + person.children, "tokens of {who} ended without being asked to");
}

/// Whether the person administers the app.
#[track_caller]
pub fn is_admin(t: &Bench, who: &str) -> bool {
    t.app.is_admin(t.person(who)).unwrap_or_else(|why| panic!("{why}"))
}

/// The rows of a list in the answer: `accounts`, `sessions`.
#[track_caller]
pub fn rows(outcome: &Outcome, name: &str) -> Vec<Value> {
    let rows = outcome.at(&format!("/{name}"));
    rows.as_array().cloned().unwrap_or_else(|| panic!("{name} is no list\n{outcome}"))
}

/// The row with this id.
#[track_caller]
pub fn row_of<'a>(rows: &'a [Value], field: &str, id: &str) -> &'a Value {
    rows.iter().find(|row| row[field] == id).unwrap_or_else(|| panic!("no row with {field} {id} in {rows:?}"))
}

/// Whether this layout has nothing the verb could act on, though the app has: then it says so and writes nothing.
#[track_caller]
pub fn withdrawn(t: &Bench, words: &str) -> bool {
    let before = t.snapshot();
    let outcome = t.latchlift(words).outcome();
    if outcome.code != 6 {
        return false;
    }
    assert!(!outcome.stderr.trim().is_empty(), "withdrawn without a word\n{outcome}");
    t.unchanged_since(&before);
    true
}

/// The case has nothing to say here, and why.
///
/// # Errors
/// Always: that is how it is said.
pub fn left_out(why: &str) -> Result<()> {
    Err(LeftOut(why.to_owned()).into())
}

/// The keys an app's verb takes.
#[track_caller]
pub fn keys_of(t: &Bench, verb: &str) -> Vec<String> {
    let outcome = t.bare("plugin show --json").arg(t.target.app).succeeds();
    let keys = outcome.json().pointer("/plugin/key").and_then(Value::as_array).cloned().unwrap_or_default();
    let takes = |key: &&Value| key["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|name| name == verb));
    keys.iter().filter(takes).filter_map(|key| key["name"].as_str().map(str::to_owned)).collect()
}
