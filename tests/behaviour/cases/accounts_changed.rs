//! `user add`, `user set`, `user rename`, `user remove`: accounts come, change and go, and nothing else does.

use super::{Case, case};
use crate::declared;
use crate::support::{NEW, only_what_was_planned, rows, sessions, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::apps::{Person, Role, Story};
use latchlift_tests::bench::{Bench, Outcome, Run, listed};
use std::path::Path;

const ADD: &[&str] = &["user.add"];
const SET: &[&str] = &["user.set"];
const RENAME: &[&str] = &["user.rename"];
const REMOVE: &[&str] = &["user.remove"];

pub const CASES: &[Case] = &[
    case("user-add", ADD, a_new_account_gets_in),
    case("user-add-keys", ADD, a_new_account_has_what_it_was_given),
    case("user-add-taken", ADD, a_name_that_is_taken_adds_nobody).needs(&["bob"]),
    case("user-add-no-password", ADD, an_account_without_a_password_lets_nobody_in),
    case("user-add-dry-run", ADD, adding_can_be_tried),
    case("user-set-email", SET, an_address_comes_and_goes).needs(&["bob"]),
    case("user-set-admin", SET, rights_come_and_go).needs(&["bob"]),
    case("user-set-new-file", SET, a_file_that_was_made_goes_with_undo).needs(&["bob"]),
    case("user-set-last-admin", &["user.set", "admin.recreate"], setting_keeps_the_last_administrator)
        .told(Story::NoAdmin),
    case("user-set-unknown-key", SET, an_unknown_key_changes_nothing).needs(&["bob"]),
    case("user-set-nobody", SET, nobody_is_not_set),
    case("user-rename", RENAME, a_renamed_account_gets_in_under_its_new_name).needs(&["bob"]),
    case("user-rename-id", RENAME, an_id_says_who_is_renamed).needs(&["bob"]),
    case("user-rename-taken", RENAME, a_name_that_is_taken_renames_nobody).needs(&["bob", "admin"]),
    case("user-rename-dry-run", RENAME, renaming_can_be_tried).needs(&["bob"]),
    case("user-remove", REMOVE, a_removed_account_is_gone_until_it_is_brought_back).needs(&["bob"]),
    case("user-remove-nothing-left", REMOVE, nothing_refers_to_a_removed_account).needs(&["bob"]),
    case("user-remove-last-admin", &["user.remove", "admin.recreate"], removing_keeps_the_last_administrator)
        .told(Story::NoAdmin),
    case("user-remove-ambiguous", REMOVE, of_two_none_is_removed).needs(&["maria", "maria-sso"]),
    case("user-remove-nobody", REMOVE, nobody_is_not_removed),
    case("user-remove-dry-run", REMOVE, removing_can_be_tried).needs(&["bob"]),
];

fn add(t: &Bench, words: &str) -> Run {
    let run = t.latchlift("user add --password-stdin --yes --json").words(words).stdin(NEW);
    with_role(t, run, "guest")
}

/// Where an app makes nobody without a role, with one: the least there is, or `admin`.
fn with_role(t: &Bench, run: Run, role: &str) -> Run {
    if !required(t) {
        return run;
    }
    // Which role is the least differs between an app's editions and releases.
    let there_is = |role: &&&str| {
        let word = format!("role={role}");
        t.latchlift("user add somebody-else --generate --dry-run").arg(word).outcome().code == 0
    };
    let least = ["guest", "viewer", "user"].iter().find(there_is).unwrap_or(&"guest");
    let role = if role == "guest" { least } else { role };
    run.arg(format!("role={role}"))
}

#[track_caller]
fn required(t: &Bench) -> bool {
    declared::verbs(t.target.app).unwrap_or_else(|why| panic!("{why}")).needs("user.add", "role")
}

/// The accounts that `user show` gives for a name.
#[track_caller]
fn shown(t: &Bench, name: &str) -> serde_json::Value {
    let accounts = rows(&t.latchlift("user show --json").arg(name).succeeds(), "accounts");
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    accounts[0].clone()
}

fn id_of(account: &serde_json::Value) -> String {
    account["id"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn password(t: &Bench, who: &str) -> String {
    t.person(who).password.clone().unwrap_or_else(|| panic!("the story gives {who} no password"))
}

#[track_caller]
fn takes(t: &Bench, verb: &str, key: &str) -> bool {
    declared::verbs(t.target.app).unwrap_or_else(|why| panic!("{why}")).takes(verb, key)
}

/// Refused with a word of why, and with nothing changed.
#[track_caller]
fn refused(outcome: &Outcome) {
    assert!([2, 4, 5].contains(&outcome.code), "{outcome}");
    assert!(!outcome.stderr.is_empty() || !outcome.stdout.is_empty(), "refused without a word");
}

fn a_new_account_gets_in(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = add(t, "newcomer").succeeds();
    assert!(t.signs_in("newcomer", NEW), "{outcome}");
    assert!(!outcome.to_string().contains(NEW), "the password is in the answer");
    only_what_was_planned(t, &before, &outcome);
    let account = shown(t, "newcomer");
    assert_eq!((&account["can_sign_in"], &account["admin"]), (&true.into(), &false.into()), "{account}");
    let person = Person { id: id_of(&account), name: "newcomer".to_owned(), ..Person::default() };
    assert!(!t.app.is_admin(&person)?, "a new account administers unasked");
    undo_restores(t, &before);
    assert!(!t.signs_in("newcomer", NEW), "undone, and still gets in");
    t.unchanged_since(&before);
    Ok(())
}

fn a_new_account_has_what_it_was_given(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let keys = [("email", "newcomer@example.org"), ("admin", "yes")];
    let keys = keys.into_iter().filter(|(key, _)| takes(t, "user.add", key));
    let given: Vec<String> = keys.map(|(key, value)| format!("{key}={value}")).collect();
    let run = t.latchlift("user add --password-stdin --yes --json newcomer").words(&given.join(" ")).stdin(NEW);
    let outcome = with_role(t, run, "admin").succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert!(t.signs_in("newcomer", NEW), "{outcome}");
    let account = shown(t, "newcomer");
    if takes(t, "user.add", "email") {
        assert_eq!(account["email"], "newcomer@example.org", "{account}");
    }
    if takes(t, "user.add", "admin") {
        let person = Person { id: id_of(&account), name: "newcomer".to_owned(), ..Person::default() };
        assert!(t.app.is_admin(&person)?, "{account}");
        assert_eq!(account["admin"], true, "{account}");
    }
    undo_restores(t, &before);
    Ok(())
}

fn a_name_that_is_taken_adds_nobody(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let bob = &t.person("bob").name;
    for name in [bob.clone(), bob.to_uppercase(), format!(" {bob}")] {
        let run = t.latchlift("user add --password-stdin --yes --json").arg(name).stdin(NEW);
        let outcome = with_role(t, run, "guest").outcome();
        refused(&outcome);
        t.unchanged_since(&before);
    }
    Ok(())
}

/// An app may refuse that, or make an account that waits for its password.
fn an_account_without_a_password_lets_nobody_in(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = with_role(t, t.latchlift("user add newcomer --no-password --yes --json"), "guest").outcome();
    if ![0, 10].contains(&outcome.code) {
        assert!([2, 4, 6].contains(&outcome.code), "{outcome}");
        t.unchanged_since(&before);
        return Ok(());
    }
    only_what_was_planned(t, &before, &outcome);
    for password in ["", "null", NEW] {
        assert!(!t.signs_in("newcomer", password), "it gets in with `{password}`");
    }
    undo_restores(t, &before);
    Ok(())
}

fn adding_can_be_tried(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    with_role(t, t.latchlift("user add newcomer --generate --dry-run"), "guest").succeeds();
    t.unchanged_since(&before);
    Ok(())
}

fn set(t: &Bench, who: &str, word: &str) -> Run {
    t.latchlift("user set --yes --json").arg(&t.person(who).name).arg(word)
}

fn an_address_comes_and_goes(t: &Bench) -> Result<()> {
    if !takes(t, "user.set", "email") {
        return Ok(());
    }
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = set(t, "bob", "email=robert@example.org").succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert_eq!(shown(t, &bob.name)["email"], "robert@example.org", "{outcome}");
    assert!(t.signs_in(&bob.name, &password(t, "bob")), "the password changed");
    undo_restores(t, &before);
    set(t, "bob", "email=").succeeds();
    assert!(shown(t, &bob.name)["email"].as_str().is_none_or(str::is_empty), "the address is still there");
    undo_restores(t, &before);
    Ok(())
}

fn rights_come_and_go(t: &Bench) -> Result<()> {
    if !takes(t, "user.set", "admin") {
        return Ok(());
    }
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = set(t, "bob", "admin=yes").succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert!(t.app.is_admin(bob)?, "{outcome}");
    let outcome = set(t, "bob", "admin=no").succeeds();
    assert!(!t.app.is_admin(bob)?, "{outcome}");
    undo_restores_rights(t)?;
    Ok(())
}

/// An empty file is another thing than none.
fn a_file_that_was_made_goes_with_undo(t: &Bench) -> Result<()> {
    if !takes(t, "user.set", "person") {
        return Ok(());
    }
    let directory = t.app.location()?;
    let person = Path::new(directory.trim_start_matches("home-assistant:")).join(".storage/person");
    if person.exists() {
        std::fs::remove_file(&person)?;
    }
    let before = t.snapshot();
    let outcome = set(t, "bob", "person=yes").succeeds();
    assert!(person.exists(), "{outcome}");
    undo_restores(t, &before);
    assert!(!person.exists(), "undo left the file it made");
    Ok(())
}

/// Taking the last change back makes bob an administrator again.
fn undo_restores_rights(t: &Bench) -> Result<()> {
    t.latchlift("undo --yes --json").succeeds();
    assert!(t.app.is_admin(t.person("bob"))?, "undone, and bob does not administer");
    Ok(())
}

/// Makes the only administrator who can sign in. PhotoPrism's has a name of its own.
#[track_caller]
fn only_administrator(t: &Bench) -> &'static str {
    let name = if t.target.app == "photoprism" { "admin" } else { "rescue" };
    t.latchlift("admin recreate --password-stdin --yes --json").arg(name).stdin(NEW).succeeds();
    assert!(t.signs_in(name, NEW), "{name} does not get in");
    name
}

fn setting_keeps_the_last_administrator(t: &Bench) -> Result<()> {
    if !takes(t, "user.set", "admin") {
        return Ok(());
    }
    let name = only_administrator(t);
    let before = t.snapshot();
    t.latchlift("user set --yes --json").words(&format!("{name} admin=no")).fails(4).says("--allow-last-admin");
    t.unchanged_since(&before);
    Ok(())
}

fn an_unknown_key_changes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    set(t, "bob", "favourite-colour=blue").fails(2);
    t.unchanged_since(&before);
    Ok(())
}

fn nobody_is_not_set(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let key = ["email", "display-name"].into_iter().find(|key| takes(t, "user.set", key)).unwrap_or("admin");
    let value = if key == "admin" { "no" } else { "x@example.org" };
    t.latchlift("user set --yes nobody-has-this-name").arg(format!("{key}={value}")).fails(3);
    t.unchanged_since(&before);
    Ok(())
}

fn a_renamed_account_gets_in_under_its_new_name(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = t.latchlift("user rename --yes --json").arg(&bob.name).arg("robert").succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert!(t.signs_in("robert", &password(t, "bob")), "{outcome}");
    assert!(!t.signs_in(&bob.name, &password(t, "bob")), "the old name still gets in");
    let account = shown(t, "robert");
    assert_eq!((account["id"].as_str(), &account["can_sign_in"]), (Some(bob.id.as_str()), &true.into()), "{account}");
    t.latchlift("user show").arg(&bob.name).fails(3);
    undo_restores(t, &before);
    assert!(t.signs_in(&bob.name, &password(t, "bob")), "undone, and bob does not get in");
    Ok(())
}

fn an_id_says_who_is_renamed(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    t.latchlift("user rename --yes --json --id").arg(&bob.id).arg("robert").succeeds();
    assert!(t.signs_in("robert", &password(t, "bob")));
    let same = t.latchlift("user rename --yes --json robert robert").succeeds();
    assert_eq!(same.at("/results/0/changed"), false, "{same}");
    undo_restores(t, &before);
    Ok(())
}

fn a_name_that_is_taken_renames_nobody(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let (bob, admin) = (&t.person("bob").name, &t.person("admin").name);
    for name in [admin.clone(), admin.to_uppercase()] {
        let outcome = t.latchlift("user rename --yes --json").arg(bob).arg(name).outcome();
        refused(&outcome);
        t.unchanged_since(&before);
    }
    Ok(())
}

fn renaming_can_be_tried(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("user rename --dry-run").arg(&t.person("bob").name).arg("robert").succeeds();
    t.unchanged_since(&before);
    Ok(())
}

fn remove(t: &Bench, who: &str) -> Run {
    t.latchlift("user remove --yes --json").arg(&t.person(who).name)
}

fn a_removed_account_is_gone_until_it_is_brought_back(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = remove(t, "bob").succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert!(!t.signs_in(&bob.name, &password(t, "bob")), "{outcome}");
    assert_eq!(sessions(t, "bob"), 0, "still signed in\n{outcome}");
    let left = rows(&t.latchlift("user list --json").succeeds(), "accounts");
    assert!(left.iter().all(|account| account["id"] != bob.id.as_str()), "{left:?}");
    // An app may not even know whom this is about any more.
    assert!(!t.app.is_admin(bob).unwrap_or(false), "who is gone administers");
    let admin = t.person("admin");
    assert!(t.signs_in(&admin.name, &password(t, "admin")), "somebody else does not get in any more");
    undo_restores(t, &before);
    assert!(t.signs_in(&bob.name, &password(t, "bob")), "undone, and bob does not get in");
    assert_eq!(sessions(t, "bob"), 0, "undo brought sign-ins back");
    Ok(())
}

/// Where an app keeps nothing of removed accounts, no record may mention one: the app would stumble over it.
fn nothing_refers_to_a_removed_account(t: &Bench) -> Result<()> {
    if declared::verbs(t.target.app)?.supports("user.restore") {
        return Ok(());
    }
    let bob = t.person("bob");
    let mentions = |t: &Bench| -> usize {
        let dump = t.snapshot().dump;
        let rows = dump.0.values().flatten();
        rows.filter(|row| row.values().any(|value| value.trim_matches(['\'', '"']) == bob.id)).count()
    };
    assert!(mentions(t) > 1, "the story mentions bob once");
    remove(t, "bob").succeeds();
    assert_eq!(mentions(t), 0, "records that mention bob are left");
    Ok(())
}

fn removing_keeps_the_last_administrator(t: &Bench) -> Result<()> {
    let name = only_administrator(t);
    let before = t.snapshot();
    t.latchlift("user remove --yes --json").arg(name).fails(4).says("--allow-last-admin");
    t.unchanged_since(&before);
    let outcome = t.latchlift("user remove --yes --json --allow-last-admin").arg(name).succeeds();
    only_what_was_planned(t, &before, &outcome);
    assert!(!t.signs_in(name, NEW), "{outcome}");
    undo_restores(t, &before);
    assert!(t.signs_in(name, NEW), "undone, and {name} does not get in");
    Ok(())
}

fn of_two_none_is_removed(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = remove(t, "maria").fails(3);
    for who in ["maria", "maria-sso"] {
        assert!(outcome.to_string().contains(&t.person(who).id), "{who} is not listed\n{outcome}");
    }
    t.unchanged_since(&before);
    let one = t.person("maria-sso");
    let outcome = t.latchlift("user remove --yes --json --id").arg(&one.id).succeeds();
    let others: Vec<_> = t.changes_since(&before).into_iter().filter(|change| !t.app.belongs(change, one)).collect();
    assert!(others.is_empty(), "records of others changed:\n{}\n{outcome}", listed(&others));
    assert_eq!(t.app.count(&t.snapshot().dump, one, Role::Session), 0, "still signed in");
    Ok(())
}

fn nobody_is_not_removed(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("user remove --yes nobody-has-this-name").fails(3);
    t.unchanged_since(&before);
    Ok(())
}

fn removing_can_be_tried(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("user remove --dry-run").arg(&t.person("bob").name).succeeds();
    t.unchanged_since(&before);
    Ok(())
}
