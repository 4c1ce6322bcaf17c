use super::*;
use crate::error::Kind;
use crate::store::Standing;
use latchlift_plugin_api::{Filter, Key, delete, insert};

/// The step that takes another back, from what its commit learned.
fn inverse(changes: &[Change], receipt: &Receipt) -> Vec<Change> {
    let mut back = vec![];
    for (n, change) in changes.iter().enumerate().rev() {
        match change.clone() {
            Change::Insert { collection, after, .. } => {
                let key = after.iter().find(|(field, _)| ["@key", "/id"].contains(field)).unwrap();
                let key = Record::new().with(key.0, key.1.clone());
                back.push(delete(collection, key, after.clone()));
            }
            Change::Update { collection, key, before, mut after } => {
                let mut was = before;
                if let Some(raw) = &receipt.texts[n] {
                    was = was.with("@raw", raw.as_str());
                }
                after.0.retain(|(field, _)| field != "@raw");
                back.push(Change::Update { collection, key, before: after, after: was });
            }
            Change::Delete { collection, .. } => {
                let after = Record::new().with("@raw", receipt.texts[n].as_deref().unwrap());
                back.push(Change::Insert { collection, after, at: receipt.places[n] });
            }
            Change::Purge { collection, .. } => {
                back.extend(receipt.kept[n].iter().map(|record| insert(collection.clone(), record.clone())));
            }
            Change::Move { .. } => unreachable!("not made here"),
        }
    }
    back
}

/// Commits, checks how the document stands, takes it back, and compares every byte.
fn there_and_back(place: &Place, changes: Vec<Change>) {
    let before = place.auth();
    let standing = |place: &Place| place.store.standing(&step(changes.clone()), &place.facts).unwrap();
    assert_eq!(standing(place), Standing::Untouched, "{changes:?} on {before}");
    let receipt = place.commit(changes.clone()).unwrap();
    let after = place.auth();
    assert_ne!(after, before);
    assert_eq!(standing(place), Standing::Applied, "{changes:?} made {after}");
    let back = inverse(&changes, &receipt);
    place.commit(back.clone()).unwrap_or_else(|why| panic!("{why} for {back:?} on {after}"));
    assert_eq!(place.auth(), before, "through {after}");
    assert_eq!(standing(place), Standing::Untouched);
}

#[test]
fn a_mixed_step_is_taken_back_to_the_byte() {
    let place = Place::new();
    let one = record([("/username", "maria".into()), ("/password", "one".into())]);
    there_and_back(
        &place,
        vec![
            set("auth#/data/users", key("/id", "u1"), "/name", "Olivia Öwner", "O"),
            set("auth#/data/users", key("/id", "u2"), "/local_only", Value::Null, true),
            delete("auth#/data/names", key("/username", "maria"), one),
            set("auth#/data/names", Key { ordinal: 1, ..key("/username", "maria") }, "/password", "two", "three"),
            insert("auth#/data/users", record([("/id", "u3".into()), ("/data/username", "x".into())])),
            Change::Purge { collection: "auth#/data/tokens".into(), filter: Filter::All, count: 3, keep: true },
        ],
    );
}

#[test]
fn bytes_that_values_do_not_tell_come_back() {
    let place = Place::with(r#"{"a": [{"id":"\u0078","s":"\/\u00e9é", "l":[ 1,2 ],"b":true}]}"#);
    let list = |n: i64| Value::List(vec![Value::Int(n), Value::Int(2)]);
    there_and_back(
        &place,
        vec![
            set("auth#/a", key("/id", "x"), "/s", "/éé", "new"),
            set("auth#/a", key("/id", "x"), "/l", list(1), list(7)),
            set("auth#/a", key("/id", "x"), "/b", true, Value::Null),
            set("auth#/a", key("/id", "x"), "/c", Value::Null, 1),
        ],
    );
}

#[test]
fn entries_of_maps_come_and_go_in_their_place() {
    let place = Place::with("{\"m\": {\"a\" :1, \"b\": {\"x\":[ ]},\n\"c\":null}}");
    let entry = |name: &str| key("@key", name);
    let body = Value::Map(vec![("x".into(), Value::List(vec![]))]);
    there_and_back(
        &place,
        vec![
            delete("auth#/m", entry("b"), record([("@key", "b".into()), ("@value", body)])),
            insert("auth#/m", record([("@key", "d".into()), ("/y", 1.into())])),
            set("auth#/m", entry("a"), "@value", 1, 2),
        ],
    );
    assert_eq!(
        place.commit(vec![set("auth#/m", entry("a"), "@key", "a", "z")]).map(|_| place.auth()).unwrap(),
        "{\"m\": {\"z\" :1, \"b\": {\"x\":[ ]},\n\"c\":null}}"
    );
    there_and_back(&place, ["z", "b", "c"].map(|name| delete("auth#/m", entry(name), Record::new())).into());
}

#[test]
fn any_step_is_taken_back_to_the_byte() {
    let mut seed = 99;
    for round in 0..150 {
        let mut dice = |n: u64| next(&mut seed) % n;
        let space = |dice: &mut dyn FnMut(u64) -> u64| ["", " ", "\n", "\n   "][dice(4) as usize];
        let count = 1 + dice(5);
        let mut items = vec![];
        for n in 0..count {
            let pad = space(&mut dice);
            items.push(format!("{pad}{{\"id\":{pad}\"r{n}\",{pad}\"v\":{n}{pad}}}{}", space(&mut dice)));
        }
        let place = Place::with(&format!("{{\"a\":[{}]{}}}", items.join(","), space(&mut dice)));
        let mut changes = vec![];
        for n in 0..count {
            let (id, value) = (format!("r{n}"), Value::Int(n as i64));
            match dice(4) {
                0 => changes.push(delete("auth#/a", key("/id", &id), record([("/v", value)]))),
                1 => changes.push(set("auth#/a", key("/id", &id), "/v", value, "ü")),
                2 => changes.push(set("auth#/a", key("/id", &id), "/new", Value::Null, round)),
                _ => {}
            }
        }
        for n in 0..dice(3) {
            let at = [None, Some(dice(6))][dice(2) as usize];
            let after = record([("/id", format!("n{n}").into()), ("/v", Value::Null)]);
            changes.push(Change::Insert { collection: "auth#/a".into(), after, at });
        }
        if !changes.is_empty() {
            there_and_back(&place, changes);
        }
    }
}

#[test]
fn what_came_since_a_purge_does_not_blur_how_things_stand() {
    let place = Place::new();
    let changes = vec![
        set("auth#/data/users", key("/id", "u1"), "/name", "Olivia Öwner", "O"),
        Change::Purge {
            collection: "auth#/data/tokens".into(),
            filter: Filter::eq("/user_id", "u1"),
            count: 2,
            keep: false,
        },
    ];
    let standing = |changes: &[Change]| place.store.standing(&step(changes.to_vec()), &place.facts).unwrap();
    place.commit(changes.clone()).unwrap();
    place.commit(vec![insert("auth#/data/tokens", record([("/id", "t9".into()), ("/user_id", "u1".into())]))]).unwrap();
    assert_eq!(standing(&changes), Standing::Applied);
    assert_eq!(standing(&changes[1..]), Standing::Untouched);
    place.commit(vec![set("auth#/data/users", key("/id", "u1"), "/name", "O", "P")]).unwrap();
    assert_eq!(standing(&changes), Standing::Mixed);
}

#[test]
fn a_rename_stands_as_applied_under_its_new_key() {
    let place = Place::new();
    let change = set("auth#/data/names", Key { ordinal: 1, ..key("/username", "maria") }, "/username", "maria", "mary");
    there_and_back_by(&place, change);
}

fn there_and_back_by(place: &Place, change: Change) {
    let standing = || place.store.standing(&step(vec![change.clone()]), &place.facts).unwrap();
    assert_eq!(standing(), Standing::Untouched);
    place.commit(vec![change.clone()]).unwrap();
    assert_eq!(standing(), Standing::Applied);
}

#[test]
fn a_document_that_a_step_made_is_taken_away_whole() {
    let place = Place::new();
    let changes = vec![insert("new#/data/users", record([("@key", "u1".into()), ("@value", "AAAA".into())]))];
    let receipt = place.commit(changes.clone()).unwrap();
    assert_eq!(place.names(), ["auth", "new", "totp"]);
    let gone = place.store.unmake(&step(changes.clone()), &receipt).unwrap().unwrap();
    let standing = || place.store.standing(&gone, &place.facts).unwrap();
    assert_eq!(standing(), Standing::Untouched);
    place.commit(gone.changes.clone()).unwrap();
    assert_eq!((standing(), place.names()), (Standing::Applied, vec!["auth".to_owned(), "totp".to_owned()]));
    assert_eq!(place.store.standing(&step(changes), &place.facts).unwrap(), Standing::Untouched);
}

#[test]
fn a_document_that_somebody_wrote_to_since_is_not_taken_away() {
    let place = Place::new();
    let first = vec![insert("new#/data/users", record([("@key", "u1".into()), ("@value", "AAAA".into())]))];
    let made = place.commit(first.clone()).unwrap();
    let gone = place.store.unmake(&step(first.clone()), &made).unwrap().unwrap();
    let more = vec![insert("new#/data/users", record([("@key", "u2".into()), ("@value", "BBBB".into())]))];
    let receipt = place.commit(more.clone()).unwrap();
    assert_eq!(receipt.made, None, "only the step that made it");
    assert!(place.store.unmake(&step(more), &receipt).unwrap().is_none());
    assert!(place.store.unmake(&step(first), &made).unwrap().is_none());
    assert_eq!(place.commit(gone.changes.clone()).unwrap_err().kind, Kind::Stale);
    assert_eq!(place.store.standing(&gone, &place.facts).unwrap(), Standing::Mixed);
    assert!(place.text(".storage/new").contains("BBBB"));
}
