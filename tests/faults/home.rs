//! What must hold in a Home Assistant directory at every moment.

use latchlift_tests::apps::Role;
use latchlift_tests::bench::{Bench, Snapshot};
use latchlift_tests::dump::{Dump, Row};
use std::collections::BTreeSet;

const ROWS: &str = "auth_provider.homeassistant#/data/users";
const CREDENTIALS: &str = "auth#/data/credentials";

/// A password row without a credential makes the next login with it an administrator: there is none that was not there
/// before, and everything refers to something.
pub fn no_door_is_open(before: &Snapshot, now: &Snapshot) {
    for (path, bytes) in now.documents.iter().filter(|(path, _)| is_document(path)) {
        let json: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
        assert!(json.is_ok(), "{path} is not JSON: {json:?}");
    }
    let (orphans, known) = (orphans(&now.dump), orphans(&before.dump));
    assert!(orphans.is_subset(&known), "rows without a credential that leads to a user: {orphans:?}");
    let (dangling, known) = (dangling(&now.dump), dangling(&before.dump));
    assert!(dangling.is_subset(&known), "references to nothing: {dangling:?}");
}

/// Whether no name is left that folds to another.
pub fn names_are_mended(t: &Bench) -> bool {
    let dump = t.snapshot().dump;
    let mended = |row: &Row, field: &str| row.get(field).is_none_or(|name| name.to_lowercase() == *name);
    let rows = dump.rows(ROWS).iter().all(|row| mended(row, "/username"));
    rows && ours(&dump).all(|row| mended(row, "/data/username"))
}

fn is_document(path: &str) -> bool {
    path.starts_with(".storage/") && !path.contains(".latchlift-")
}

fn ours(dump: &Dump) -> impl Iterator<Item = &Row> {
    let ours = |row: &&Row| row.get("/auth_provider_type").is_some_and(|kind| kind == "\"homeassistant\"");
    dump.rows(CREDENTIALS).iter().filter(ours)
}

/// The names of password rows that no credential leads from to a user; names are compared as the login does.
fn orphans(dump: &Dump) -> BTreeSet<String> {
    let users: BTreeSet<&String> = dump.rows("auth#/data/users").iter().filter_map(|row| row.get("/id")).collect();
    let leads = |row: &&Row| row.get("/user_id").is_some_and(|id| users.contains(id));
    let folded = |name: &String| name.trim().to_lowercase();
    let known: BTreeSet<String> =
        ours(dump).filter(leads).filter_map(|row| row.get("/data/username")).map(folded).collect();
    let names = dump.rows(ROWS).iter().filter_map(|row| row.get("/username")).map(folded);
    names.filter(|name| !known.contains(name)).collect()
}

/// Whether bob signs in as robert, and only so.
pub fn is_robert(t: &Bench) -> bool {
    t.signs_in("robert", "bob-pass-1") && !t.signs_in("bob", "bob-pass-1")
}

/// How much there is of bob: a user, a credential, a password row.
pub fn records_of_bob(t: &Bench) -> usize {
    t.app.count(&t.snapshot().dump, t.person("bob"), Role::Account)
}

/// Whether of bob only the user is left.
pub fn is_without_password(t: &Bench) -> bool {
    records_of_bob(t) == 1
}

/// Whether the next start is a first one.
pub fn is_as_new(t: &Bench) -> bool {
    let files = t.snapshot().documents;
    !["auth", "auth_provider.homeassistant", "onboarding"]
        .iter()
        .any(|name| files.contains_key(&format!(".storage/{name}")))
}

/// Ids of users that something mentions and that are not there. Persons may: they belong to nobody then.
fn dangling(dump: &Dump) -> BTreeSet<String> {
    let users: BTreeSet<&String> = dump.rows("auth#/data/users").iter().filter_map(|row| row.get("/id")).collect();
    let lists = [CREDENTIALS, "auth#/data/refresh_tokens"];
    let mentions = lists.iter().flat_map(|list| dump.rows(list)).filter_map(|row| row.get("/user_id"));
    mentions.filter(|id| *id != "null" && !users.contains(id)).cloned().collect()
}
