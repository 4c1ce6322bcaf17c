//! `user restore`, `user purge`, `user list --legacy`: accounts that were removed, wholly gone, or left behind.

use super::{Case, case};
use crate::support::{NEW, left_out, only_records_of, only_what_was_planned, row_of, rows, undo_restores};
use latchlift_tests::Result;
use latchlift_tests::apps::{self, Person, Role};
use latchlift_tests::bench::Bench;
use latchlift_tests::dump::Difference;

const RESTORE: &[&str] = &["user.restore"];
const PURGE: &[&str] = &["user.purge"];

pub const CASES: &[Case] = &[
    case("user-restore", RESTORE, a_deleted_account_comes_back).needs(&["fred"]),
    case("user-restore-again", RESTORE, who_is_there_needs_nothing).needs(&["bob"]),
    case("user-restore-nobody", RESTORE, nobody_is_not_found_to_restore),
    case("user-restore-dry-run", RESTORE, a_dry_run_restores_nobody).needs(&["fred"]),
    case("user-remove-restore", &["user.remove", "user.restore"], removed_and_restored_is_as_before).needs(&["bob"]),
    case("user-purge", PURGE, nothing_is_left).needs(&["bob"]),
    case("user-purge-deleted", PURGE, a_deleted_account_is_purged_too).needs(&["fred"]),
    case("user-purge-last", PURGE, the_last_administrator_stays).needs(&["admin"]),
    case("user-purge-nobody", PURGE, nobody_is_not_found_to_purge),
    case("user-purge-dry-run", PURGE, a_dry_run_purges_nobody).needs(&["bob"]),
    case("user-purge-add", &["user.add", "user.purge"], the_name_is_free_again).needs(&["fred"]),
    case("user-list-legacy", &["user.list"], accounts_of_an_older_layout_are_listed_on_request),
];

fn a_deleted_account_comes_back(t: &Bench) -> Result<()> {
    let (before, fred) = (t.snapshot(), t.person("fred"));
    let password = fred.password.as_deref().ok_or("the story gives no password")?;
    assert!(!t.signs_in(&fred.name, password));
    let outcome = t.latchlift("user restore --yes --json").arg(&fred.name).succeeds();
    assert!(t.signs_in(&fred.name, password), "{outcome}");
    assert_eq!(outcome.at("/results/0/sign_in/can_sign_in"), true, "{outcome}");
    only_records_of(t, &before, "fred");
    only_what_was_planned(t, &before, &outcome);
    let listed = rows(&t.latchlift("user list --json").succeeds(), "accounts");
    row_of(&listed, "id", &fred.id);
    undo_restores(t, &before);
    assert!(!t.signs_in(&fred.name, password));
    Ok(())
}

fn who_is_there_needs_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("user restore --yes --json").arg(&t.person("bob").name).succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn nobody_is_not_found_to_restore(t: &Bench) -> Result<()> {
    nobody(t, "user restore")
}

fn nobody_is_not_found_to_purge(t: &Bench) -> Result<()> {
    nobody(t, "user purge")
}

fn nobody(t: &Bench, words: &str) -> Result<()> {
    let before = t.snapshot();
    t.latchlift(words).words("nobody-has-this-name --yes").fails(3);
    t.unchanged_since(&before);
    Ok(())
}

fn a_dry_run_restores_nobody(t: &Bench) -> Result<()> {
    dry_run(t, "user restore", "fred")
}

fn a_dry_run_purges_nobody(t: &Bench) -> Result<()> {
    dry_run(t, "user purge", "bob")
}

fn dry_run(t: &Bench, words: &str, who: &str) -> Result<()> {
    let before = t.snapshot();
    t.latchlift(words).words("--dry-run --json").arg(&t.person(who).name).succeeds();
    t.unchanged_since(&before);
    Ok(())
}

fn removed_and_restored_is_as_before(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let password = bob.password.as_deref().ok_or("the story gives no password")?;
    t.latchlift("user remove --yes --json").arg(&bob.name).succeeds();
    assert!(!t.signs_in(&bob.name, password), "a removed account gets in");
    t.latchlift("user restore --yes --json").arg(&bob.name).succeeds();
    assert!(t.signs_in(&bob.name, password), "a restored account does not get in");
    let ended = |change: &Difference| change.is_gone() && matches!(t.app.role(change), Role::Session | Role::Token);
    let left: Vec<Difference> = t
        .changes_since(&before)
        .into_iter()
        .filter(|change| !ended(change) && !change.only(t.app.volatile(&change.collection)))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

fn nothing_is_left(t: &Bench) -> Result<()> {
    purged(t, "bob")
}

fn a_deleted_account_is_purged_too(t: &Bench) -> Result<()> {
    purged(t, "fred")
}

fn purged(t: &Bench, who: &str) -> Result<()> {
    let (before, person) = (t.snapshot(), t.person(who));
    let outcome = t.latchlift("user purge --yes --json").arg(&person.name).succeeds();
    assert_eq!(records(t, person)?, 0, "something is left\n{outcome}");
    only_records_of(t, &before, who);
    only_what_was_planned(t, &before, &outcome);
    t.latchlift("user show --id").arg(&person.id).fails(3);
    undo_restores(t, &before);
    if let Some(password) = person.password.as_deref().filter(|_| who == "bob") {
        assert!(t.signs_in(&person.name, password), "undo does not let {who} in");
    }
    Ok(())
}

/// How many records anywhere are the person's.
fn records(t: &Bench, person: &Person) -> Result<usize> {
    let roles = [Role::Account, Role::Session, Role::Token, Role::Mfa, Role::Other];
    let dump = t.app.dump()?;
    Ok(roles.into_iter().map(|role| t.app.count(&dump, person, role)).sum())
}

fn the_last_administrator_stays(t: &Bench) -> Result<()> {
    let admins: Vec<&Person> = t.app.people().iter().filter(|person| t.app.is_admin(person).unwrap_or(true)).collect();
    let before = t.snapshot();
    for person in admins.iter().filter(|person| person.who != "admin") {
        t.latchlift("user purge --yes --json --id").arg(&person.id).succeeds();
    }
    let only = t.snapshot();
    t.latchlift("user purge --yes").arg(&t.person("admin").name).fails(4).says("--allow-last-admin");
    t.unchanged_since(&only);
    t.latchlift("user purge --allow-last-admin --yes").arg(&t.person("admin").name).succeeds();
    assert!(!t.changes_since(&before).is_empty());
    Ok(())
}

fn the_name_is_free_again(t: &Bench) -> Result<()> {
    let fred = t.person("fred");
    let before = t.snapshot();
    let add = || {
        let run = t.latchlift("user add --password-stdin --yes --json").stdin(NEW).arg(&fred.name);
        run.words(apps::required(&t.target, "user.add"))
    };
    let refused = add().fails(5);
    refused.says("user restore").says("user purge");
    t.unchanged_since(&before);
    t.latchlift("user purge --yes").arg(&fred.name).succeeds();
    let outcome = add().succeeds();
    assert!(t.signs_in(&fred.name, NEW), "{outcome}");
    Ok(())
}

fn accounts_of_an_older_layout_are_listed_on_request(t: &Bench) -> Result<()> {
    if t.target.app != "photoprism" {
        return left_out("no older layout of this app leaves accounts behind");
    }
    let before = t.snapshot();
    let mut stored = t.app.dump()?.rows("users").iter().map(|row| row["id"].clone()).collect::<Vec<String>>();
    stored.sort();
    let visible = |rows: &[serde_json::Value]| {
        rows.iter().map(|row| row["extra"]["row_id"].to_string().trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    let all = rows(&t.latchlift("user list --legacy --deleted --system --json").succeeds(), "accounts");
    assert_eq!(visible(&all), stored, "{all:?}");
    assert!(all.iter().all(|row| row["can_sign_in"] == false), "{all:?}");
    let usual = rows(&t.latchlift("user list --legacy --json").succeeds(), "accounts");
    assert!(usual.iter().all(|row| row["deleted_at"].is_null()) && usual.len() <= all.len());
    if !stored.is_empty() {
        assert!(!usual.is_empty() && usual.len() < all.len(), "{usual:?}");
        let found = rows(&t.latchlift("user list --legacy bob --json").succeeds(), "accounts");
        assert!(found.iter().all(|row| row["name"] == "bob"), "{found:?}");
    }
    t.unchanged_since(&before);
    Ok(())
}
