//! `user list`, `user show`: everybody is there, and what is said of them is true.

use super::{Case, case};
use crate::support::{row_of, rows};
use latchlift_tests::Result;
use latchlift_tests::apps::Person;
use latchlift_tests::bench::Bench;
use serde_json::Value;

pub const CASES: &[Case] = &[
    case("story", &[], the_story_is_as_told).needs(&["admin", "bob"]),
    case("user-list", &["user.list"], everybody_is_listed_as_they_are),
    case("user-list-search", &["user.list"], a_search_finds_who_it_names).needs(&["bob"]),
    case("user-list-deleted", &["user.list"], deleted_accounts_are_listed_on_request).needs(&["fred"]),
    case("user-list-system", &["user.list"], system_accounts_are_listed_on_request),
    case("user-show", &["user.show"], one_account_says_the_same_as_the_list),
    case("user-show-several", &["user.show"], a_name_of_two_shows_both).needs(&["maria", "maria-sso"]),
    case("user-show-nobody", &["user.show"], nobody_is_not_found),
    case("reading-writes-nothing", &["user.list", "user.show"], reading_writes_nothing),
];

/// Not about the program at all: the seeded app lets in whom the story says.
fn the_story_is_as_told(t: &Bench) -> Result<()> {
    for who in ["admin", "bob"] {
        let person = t.person(who);
        let password = person.password.as_deref().ok_or("the story gives no password")?;
        assert!(t.signs_in(&person.name, password), "{who} does not get in");
        assert!(!t.signs_in(&person.name, "wrong-Password1"), "{who} gets in with any password");
    }
    Ok(())
}

fn everybody_is_listed_as_they_are(t: &Bench) -> Result<()> {
    let accounts = rows(&t.latchlift("user list --deleted --json").succeeds(), "accounts");
    for person in t.app.people() {
        let row = row_of(&accounts, "id", &person.id);
        assert_eq!(row["name"], person.name.as_str(), "{row}");
        assert!(row["app"].as_str().is_some_and(|app| app.starts_with(t.target.app)), "{row}");
        says_who_can_sign_in(t, person, row);
        assert_eq!(row["admin"], t.app.is_admin(person)?, "admin: {row}");
        // The genuine stores' sign-ins end one by one as time goes by.
        if t.target.genuine.is_none() {
            counts_are_right(person, row);
        }
    }
    Ok(())
}

/// `can_sign_in` is what the app itself would say to the right password, and a refusal has its reason.
fn says_who_can_sign_in(t: &Bench, person: &Person, row: &Value) {
    let gets_in = person.password.as_ref().is_some_and(|password| t.signs_in(&person.name, password));
    let blocking = |reason: &&Value| reason["blocking"] != false;
    let reasons = row["reasons"].as_array().cloned().unwrap_or_default();
    match row["can_sign_in"].as_bool() {
        Some(said) => assert_eq!(said, gets_in, "can_sign_in of {}: {row}", person.who),
        // Only another system knows whether it lets these in.
        None => assert!(person.password.is_none() && !gets_in, "nobody says whether {} gets in: {row}", person.who),
    }
    if row["can_sign_in"] == false {
        assert!(reasons.iter().any(|reason| blocking(&reason)), "no reason: {row}");
    }
}

fn counts_are_right(person: &Person, row: &Value) {
    let live = person.sessions - person.ended;
    if let Some(sessions) = row.get("sessions").and_then(Value::as_u64) {
        assert_eq!(sessions as usize, live, "sessions of {}: {row}", person.who);
    }
    if let Some(tokens) = row.get("tokens").and_then(Value::as_u64) {
        assert_eq!(tokens as usize, person.tokens, "tokens of {}: {row}", person.who);
    }
}

fn a_search_finds_who_it_names(t: &Bench) -> Result<()> {
    let bob = t.person("bob");
    let found = rows(&t.latchlift("user list --json").arg(&bob.name).succeeds(), "accounts");
    row_of(&found, "id", &bob.id);
    assert!(found.len() < t.app.people().len(), "the search found everybody");
    let found = rows(&t.latchlift("user list --json nobody-has-this-name").succeeds(), "accounts");
    assert!(found.is_empty(), "{found:?}");
    // Where accounts have a number, too, that one finds them.
    let shown = rows(&t.latchlift("user show --json").arg(&bob.name).succeeds(), "accounts");
    if let Some(number) = shown[0]["extra"]["row_id"].as_str() {
        row_of(&rows(&t.latchlift("user list --json").arg(number).succeeds(), "accounts"), "id", &bob.id);
    }
    Ok(())
}

fn deleted_accounts_are_listed_on_request(t: &Bench) -> Result<()> {
    let fred = t.person("fred");
    let usual = rows(&t.latchlift("user list --json").succeeds(), "accounts");
    assert!(usual.iter().all(|row| row["id"] != fred.id.as_str()), "a deleted account is listed");
    let all = rows(&t.latchlift("user list --deleted --json").succeeds(), "accounts");
    assert!(row_of(&all, "id", &fred.id)["deleted_at"].is_string());
    Ok(())
}

fn system_accounts_are_listed_on_request(t: &Bench) -> Result<()> {
    let usual = rows(&t.latchlift("user list --json").succeeds(), "accounts");
    assert!(usual.iter().all(|row| row["system"] != true), "{usual:?}");
    let all = rows(&t.latchlift("user list --system --json").succeeds(), "accounts");
    let system = all.iter().filter(|row| row["system"] == true).count();
    assert_eq!(all.len(), usual.len() + system);
    assert!(system > 0 || t.target.app == "homarr", "the app's own accounts are not listed");
    Ok(())
}

fn one_account_says_the_same_as_the_list(t: &Bench) -> Result<()> {
    let accounts = rows(&t.latchlift("user list --deleted --json").succeeds(), "accounts");
    for person in t.app.people() {
        let shown = rows(&t.latchlift("user show --json --id").arg(&person.id).succeeds(), "accounts");
        assert_eq!(shown.len(), 1, "{shown:?}");
        let listed = row_of(&accounts, "id", &person.id);
        for field in ["name", "admin", "can_sign_in", "sessions", "tokens", "provider", "has_password"] {
            assert_eq!(shown[0].get(field), listed.get(field), "{field} of {}", person.who);
        }
        let codes = |row: &Value| -> Vec<Value> {
            row["reasons"].as_array().into_iter().flatten().map(|reason| reason["code"].clone()).collect()
        };
        assert_eq!(codes(&shown[0]), codes(listed), "reasons of {}", person.who);
    }
    Ok(())
}

fn a_name_of_two_shows_both(t: &Bench) -> Result<()> {
    let shown = rows(&t.latchlift("user show maria --json").succeeds(), "accounts");
    row_of(&shown, "id", &t.person("maria").id);
    row_of(&shown, "id", &t.person("maria-sso").id);
    Ok(())
}

fn nobody_is_not_found(t: &Bench) -> Result<()> {
    let outcome = t.latchlift("user show nobody-has-this-name --json").fails(3);
    assert_eq!(outcome.at("/error/kind"), "not_found");
    Ok(())
}

fn reading_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("user list").succeeds().says(&t.person("admin").name);
    t.latchlift("user list --output csv").succeeds();
    t.latchlift("user show").arg(&t.person("admin").name).succeeds();
    t.unchanged_since(&before);
    Ok(())
}
