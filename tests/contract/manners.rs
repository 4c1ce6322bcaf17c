//! Plugins that load: one that behaves, one that panics, one that ends the process, one that lies.

use crate::support::{NEW, Place};
use latchlift_tests::crypt;

#[test]
fn a_well_behaved_plugin_lists_resets_and_is_taken_back() {
    let place = Place::with(&["guestbook"]);
    let before = place.dump();
    let listed = place.on("guestbook", "user list --json").succeeds();
    assert_eq!(listed.each("accounts", "name"), ["ann", "bob"]);
    let result = place.reset("guestbook").succeeds().json();
    assert_eq!((&result["results"][0]["applied"], &result["results"][0]["ok"]), (&true.into(), &true.into()));
    assert!(crypt::verify(NEW, &place.hash("ann")).unwrap());
    assert!(!crypt::verify(NEW, &place.hash("bob")).unwrap());
    place.bare("undo --yes").succeeds();
    assert_eq!(place.dump(), before);
}

#[test]
fn taking_back_needs_no_plugin() {
    let place = Place::with(&["guestbook"]);
    let before = place.dump();
    place.reset("guestbook").succeeds();
    std::fs::remove_file(place.library("guestbook")).unwrap();
    place.bare("undo --yes").succeeds();
    assert_eq!(place.dump(), before);
}

#[test]
fn a_verb_the_plugin_does_not_have_is_exit_6_with_its_reason() {
    let place = Place::with(&["guestbook"]);
    place.on("guestbook", "mfa status").exits(6).says("Guestbook has no second factor");
    place.on("guestbook", "ban list").exits(6).says("Guestbook has no `ban list`");
}

#[test]
fn a_layout_the_plugin_does_not_know_is_exit_6_and_nothing_written() {
    let place = Place::with(&["guestbook"]);
    place.database().script("ALTER TABLE people RENAME COLUMN hash TO digest").unwrap();
    let before = place.dump();
    place.reset("guestbook").exits(6).says("there is no table `people` with id, name and hash");
    assert_eq!((place.dump(), place.entries()), (before, 0));
}

#[test]
fn a_panicking_plugin_is_exit_8_and_nothing_written() {
    let place = Place::with(&["panics"]);
    let before = place.dump();
    place.on("panics", "user list").succeeds();
    place.reset("panics").refused().says("the plugin panicked: could not plan `password.reset`").says("panics 0.1");
    assert_eq!((place.dump(), place.entries()), (before, 0));
}

#[test]
fn a_panic_whose_payload_panics_too_is_exit_8() {
    let place = Place::with(&["panics"]);
    let before = place.dump();
    place.on("panics", "session revoke ann --yes").refused().says("the plugin panicked");
    assert_eq!((place.dump(), place.entries()), (before, 0));
}

#[test]
fn a_plugin_that_ends_the_process_does_not_choose_the_exit_code() {
    let place = Place::with(&["exits"]);
    let before = place.dump();
    // It says 42 while it lists and plans, and 0, which would pass for success, while it shows.
    for words in ["user list", "user show ann", "password reset ann --generate --yes"] {
        let said = place.on("exits", words).refused().says("ended the process in the middle of a call");
        assert!(said.stderr.contains("liblatchlift_exits.so") && said.stdout.is_empty(), "{said}");
    }
    assert_eq!((place.dump(), place.entries()), (before, 0));
}

#[test]
fn a_plan_for_a_collection_that_is_not_declared_is_exit_8_and_nothing_written() {
    let place = Place::with(&["liar"]);
    let before = place.dump();
    place.on("liar", "user list").succeeds();
    place.reset("liar").refused().says("plans to change `visits`, which it does not declare");
    place.on("liar", "password reset ann --generate --dry-run").refused();
    assert_eq!((place.dump(), place.entries()), (before, 0));
}

#[test]
fn a_bad_plugin_does_not_hide_the_answer_of_a_good_one() {
    let place = Place::with(&["guestbook", "panics", "liar"]);
    let store = place.path("guestbook.db");
    let apps = format!("--app guestbook:{0} --app liar:{0} --app panics:{0}", store.display());
    let listed = place.latchlift(&format!("user list --json {apps}")).succeeds();
    assert_eq!(listed.each("accounts", "app").len(), 6, "{listed}");
    std::fs::write(place.library("liar"), "broken").unwrap();
    let listed = place.latchlift(&format!("user list --json {apps}")).exits(11);
    let apps = listed.each("accounts", "app");
    assert_eq!(apps, ["guestbook", "guestbook", "panics", "panics"], "{listed}");
    assert_eq!(listed.json()["errors"].as_array().map(Vec::len), Some(1), "{listed}");
}

#[test]
fn one_process_runs_the_plugins_of_different_apps_each_on_its_own_store() {
    let place = Place::with(&["guestbook"]);
    let other = Place::with(&["liar"]);
    other.database().script("UPDATE people SET name = upper(name)").unwrap();
    // Both orders: a loader that remembers the first library of a kind would answer both with it.
    for swapped in [false, true] {
        let mut apps = [
            format!("--app guestbook:{}", place.path("guestbook.db").display()),
            format!("--app liar:{}", other.path("guestbook.db").display()),
        ];
        if swapped {
            apps.reverse();
        }
        let words = format!("user list --json {} --plugin-dir {}", apps.join(" "), other.plugins().display());
        let listed = place.latchlift(&words).succeeds();
        let names: Vec<(String, String)> =
            listed.each("accounts", "app").into_iter().zip(listed.each("accounts", "name")).collect();
        for pair in [("guestbook", "ann"), ("guestbook", "bob"), ("liar", "ANN"), ("liar", "BOB")] {
            assert!(names.contains(&(pair.0.to_owned(), pair.1.to_owned())), "{pair:?} is missing\n{listed}");
        }
        assert_eq!(names.len(), 4, "{listed}");
    }
}
