use super::*;
use crate::error::{Error, Kind};
use crate::store::Standing;
use latchlift_plugin_api::{Filter, Key, delete, insert};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

const TOKENS: &str = "auth#/data/tokens";
const NAMES: &str = "auth#/data/names";

fn rename_user() -> Change {
    set("auth#/data/users", key("/id", "u1"), "/name", "Olivia Öwner", "Olivia")
}

#[test]
fn an_update_changes_its_bytes_and_no_others() {
    let place = Place::new();
    place.commit(vec![rename_user(), set("auth#", Record::new(), "/version", 1, 2)]).unwrap();
    let expected = AUTH.replace("Olivia Öwner", "Olivia").replace("\"version\": 1", "\"version\": 2");
    assert_eq!(place.auth(), expected);
    assert_eq!(place.names(), ["auth", "totp"]);
}

#[test]
fn old_files_stay_in_ascii_with_four_spaces() {
    let place =
        Place::with("{\n    \"users\": [\n        {\n            \"name\": \"J\\u00fcrgen\"\n        }\n    ]\n}");
    let value = Value::Map(vec![("name".into(), "Zoë 😀".into()), ("groups".into(), Value::List(vec!["a".into()]))]);
    place.commit(vec![insert("auth#/users", Record::new().with("", value))]).unwrap();
    let added = "{\n            \"name\": \"Zo\\u00eb \\ud83d\\ude00\",\n            \"groups\": [\n                \"a\"\n            ]\n        }";
    assert_eq!(
        place.auth(),
        format!(
            "{{\n    \"users\": [\n        {{\n            \"name\": \"J\\u00fcrgen\"\n        }},\n        {added}\n    ]\n}}"
        )
    );
}

#[test]
fn the_first_letter_outside_ascii_is_written_as_the_file_would_have_it() {
    let names =
        |indent: &str, name: &str| format!("{{\n{indent}\"names\": [\n{indent}{indent}\"{name}\"\n{indent}]\n}}");
    for (indent, written) in [("    ", "Zo\\u00eb \\ud83d\\ude00"), ("  ", "Zoë 😀")] {
        let place = Place::with(&names(indent, "Zoe"));
        place.commit(vec![set("auth#/names", record([("@value", "Zoe".into())]), "@value", "Zoe", "Zoë 😀")]).unwrap();
        assert_eq!(place.auth(), names(indent, written));
    }
}

#[test]
fn a_compact_file_stays_compact() {
    let place = Place::with(r#"{"a":[{"id":"x"}],"m":{}}"#);
    let nested = record([("/id", "y".into()), ("/data/username", "ü".into())]);
    place
        .commit(vec![
            insert("auth#/a", nested),
            insert("auth#/m", record([("@key", "k".into()), ("@value", 1.into())])),
        ])
        .unwrap();
    assert_eq!(place.auth(), r#"{"a":[{"id":"x"},{"id":"y","data":{"username":"ü"}}],"m":{"k":1}}"#);
}

#[test]
fn a_missing_field_is_added_and_a_list_replaced() {
    let place = Place::new();
    let groups = |names: &[&str]| Value::List(names.iter().map(|name| (*name).into()).collect());
    place
        .commit(vec![
            set("auth#/data/users", key("/id", "u2"), "/local_only", Value::Null, true),
            set("auth#/data/users", key("/id", "u2"), "/group_ids", groups(&[]), groups(&["admin"])),
        ])
        .unwrap();
    let expected = AUTH
        .replace("\"name\": null\n", "\"name\": null,\n        \"local_only\": true\n")
        .replace("\"group_ids\": [],", "\"group_ids\": [\n          \"admin\"\n        ],");
    assert_eq!(place.auth(), expected);
}

#[test]
fn what_was_read_before_is_not_trusted_where_the_file_has_changed() {
    let place = Place::new();
    let mut reader = place.store.reader().unwrap();
    reader.columns("auth#/data/users").unwrap();
    // Of the same length, in the same file, and with the same time of its last change.
    let path = place.dir.path().join(".storage/auth");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    place.put(".storage/auth", &AUTH.replace("Olivia", "Sylvia"));
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let change = set("auth#/data/users", key("/id", "u1"), "/name", "Olivia Öwner", "Olivia");
    assert_eq!(place.commit(vec![change]).unwrap_err().kind, Kind::Stale);
    let change = set("auth#/data/users", key("/id", "u1"), "/name", "Sylvia Öwner", "Sylvia");
    place.commit(vec![change]).unwrap();
    // What was just written is read from memory, and again only as long as it is the file.
    let again = set("auth#/data/users", key("/id", "u1"), "/name", "Sylvia", "Sylvia Plath");
    place.commit(vec![again]).unwrap();
    assert!(place.auth().contains("\"Sylvia Plath\""));
}

#[test]
fn a_record_that_moved_on_makes_the_plan_stale() {
    let place = Place::new();
    for change in [
        set("auth#/data/users", key("/id", "u1"), "/name", "Oliver", "x"),
        set("auth#/data/users", key("/id", "u9"), "/name", "Olivia Öwner", "x"),
        set("auth#/data/users", key("/id", "u1"), "/local_only", Value::Null, true),
        delete(TOKENS, key("/id", "t1"), record([("/user_id", "u2".into())])),
        delete("auth#/data/gone", key("/id", "t1"), Record::new()),
        insert("totp#/data/users", record([("@key", "u1".into()), ("@value", "CCCC".into())])),
    ] {
        let why = place.commit(vec![change.clone()]).unwrap_err();
        assert_eq!(why.kind, Kind::Stale, "{change:?}");
    }
    assert_eq!(place.auth(), AUTH);
    assert_eq!(place.names(), ["auth", "totp"]);
}

#[test]
fn volatile_fields_are_written_but_not_guarded() {
    let place = Place::new();
    let both =
        |used: &str, expires: &str| record([("/used", used.into()), ("/expires", Value::Number(expires.into()))]);
    let change = Change::Update {
        collection: TOKENS.into(),
        key: key("/id", "t1"),
        before: both("long ago", "1800.0"),
        after: both("now", "1.5"),
    };
    place.commit(vec![change]).unwrap();
    assert_eq!(place.auth(), AUTH.replace("1800.0", "1.5").replace("monday", "now"));
    let whole = |used: &str| {
        let fields = [("id", "t2"), ("user_id", "u2")].map(|(k, v)| (k.to_owned(), v.into()));
        let rest = [("expires".to_owned(), Value::Number("1E5".into())), ("used".to_owned(), used.into())];
        Record::new().with("", Value::Map(fields.into_iter().chain(rest).collect()))
    };
    place.commit(vec![delete(TOKENS, key("/id", "t2"), whole("another day"))]).unwrap();
    assert!(!place.auth().contains("t2"));
}

#[test]
fn of_equal_keys_the_ordinal_tells() {
    let place = Place::new();
    let maria = |ordinal| Key { ordinal, ..key("/username", "maria") };
    let why = place.commit(vec![set(NAMES, maria(0), "/password", "two", "x")]).unwrap_err();
    assert_eq!(why.kind, Kind::Stale);
    // Both keys count in the state before the step, although the first one goes.
    let gone = delete(NAMES, maria(0), record([("/username", "maria".into()), ("/password", "one".into())]));
    place.commit(vec![gone, set(NAMES, maria(1), "/password", "two", "three")]).unwrap();
    let names = "{\n        \"username\": \"maria\",\n        \"password\": \"three\"\n      }\n    ]\n  }\n}";
    assert!(place.auth().ends_with(names), "{}", place.auth());
    // The ordinal is beyond what is left; the record is the only one that fits.
    place.commit(vec![set(NAMES, maria(1), "/password", "three", "four")]).unwrap();
    assert!(place.auth().contains("four"));
}

#[test]
fn of_identical_twins_one_is_touched() {
    let place = Place::with("{\"a\":[{\"n\":1},{\"n\":1},{\"n\":1}]}");
    place.commit(vec![delete("auth#/a", Record::new().with("/n", 1), record([("/n", 1.into())]))]).unwrap();
    assert_eq!(place.auth(), "{\"a\":[{\"n\":1},{\"n\":1}]}");
    let twin = Key { fields: Record::new().with("/n", 1), ordinal: 1 };
    place.commit(vec![set("auth#/a", twin, "/n", 1, 2)]).unwrap();
    assert_eq!(place.auth(), "{\"a\":[{\"n\":1},{\"n\":2}]}");
}

#[test]
fn a_purge_takes_all_that_match_and_keeps_what_it_should() {
    let place = Place::new();
    let purge = |keep| Change::Purge {
        collection: TOKENS.into(),
        filter: Filter::is_in("/user_id", ["u1", "u7"]),
        count: 5,
        keep,
    };
    let receipt = place.commit(vec![purge(true)]).unwrap();
    assert_eq!(receipt.kept[0].len(), 2);
    assert_eq!(receipt.kept[0][1].int("@at"), Some(2));
    assert!(!place.auth().contains("t1") && place.auth().contains("t2"));
    let before = place.dir.path().join(".storage/auth").metadata().unwrap().ino();
    let receipt = place.commit(vec![purge(false)]).unwrap();
    assert_eq!(receipt.kept, [vec![]]);
    assert_eq!(place.dir.path().join(".storage/auth").metadata().unwrap().ino(), before, "nothing to write");
}

#[test]
fn steps_that_make_no_sense_are_refused() {
    let place = Place::new();
    let token = |id: &str| delete(TOKENS, key("/id", id), Record::new());
    let moved = Change::Move { from: "auth".into(), to: "auth.old".into(), sha256: String::new() };
    for changes in [
        vec![rename_user(), set("totp#/data/users", key("@key", "u1"), "@value", "AAAA", "x")],
        vec![token("t1"), token("t1")],
        vec![rename_user(), rename_user()],
        vec![set(TOKENS, key("/id", "t1"), "/user_id", "u1", "u2"), token("t1")],
        vec![moved, token("t1")],
        vec![insert(TOKENS, record([("@key", "k".into()), ("@value", 1.into())]))],
        vec![insert(TOKENS, record([("/id", Value::Bytes(vec![0xff]))]))],
        vec![insert("totp#/data/users", record([("@value", "x".into())]))],
        vec![set("auth#/data/users", key("/id", "u1"), "/name", "Olivia Öwner", Value::Float(f64::INFINITY))],
    ] {
        assert_eq!(place.commit(changes.clone()).unwrap_err().kind, Kind::Plugin, "{changes:?}");
    }
    let nowhere = set("auth#/data/users", key("/id", "u1"), "/no/where", Value::Null, 1);
    assert_eq!(place.commit(vec![nowhere]).unwrap_err().kind, Kind::Conflict);
    assert_eq!(place.auth(), AUTH);
}

#[test]
fn a_document_with_a_key_twice_is_read_but_not_written_there() {
    let place = Place::with(r#"{"a":[{"id":1,"n":1,"n":2},{"id":2,"n":5}]}"#);
    let why = place.commit(vec![set("auth#/a", Record::new().with("/id", 1), "/n", 2, 3)]).unwrap_err();
    assert_eq!(why.kind, Kind::Conflict);
    assert!(why.message.contains("`n` twice"));
    place.commit(vec![set("auth#/a", Record::new().with("/id", 2), "/n", 5, 6)]).unwrap();
    assert_eq!(place.auth(), r#"{"a":[{"id":1,"n":1,"n":2},{"id":2,"n":6}]}"#);
}

#[test]
fn a_witness_that_objects_leaves_everything() {
    let place = Place::new();
    let no = Error::new(Kind::Failed, "the journal is full");
    let why = place.store.commit(&step(vec![rename_user()]), &place.facts, &mut |_| Err(no.clone())).unwrap_err();
    assert_eq!(why.message, "the journal is full");
    assert_eq!(place.auth(), AUTH);
    assert_eq!(place.names(), ["auth", "totp"]);
}

#[test]
fn a_file_written_in_the_meantime_is_not_overwritten() {
    let place = Place::new();
    let meddle = AUTH.replace("Olivia", "Oliver");
    let mut witness = |_| {
        place.put(".storage/auth", &meddle);
        Ok(())
    };
    let why = place.store.commit(&step(vec![rename_user()]), &place.facts, &mut witness).unwrap_err();
    assert_eq!(why.kind, Kind::Stale);
    assert_eq!(place.auth(), meddle);
    assert_eq!(place.names(), ["auth", "totp"]);
}

#[test]
fn mode_and_attributes_stay() {
    let place = Place::new();
    let path = place.dir.path().join(".storage/auth");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o604)).unwrap();
    let attributes = xattr::set(&path, "user.note", b"kept").is_ok();
    place.commit(vec![rename_user()]).unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o604);
    assert_eq!(xattr::get(&path, "user.note").ok().flatten().is_some(), attributes);
}

#[test]
fn the_target_of_a_link_is_replaced_and_the_link_stays() {
    let place = Place::new();
    let path = place.dir.path().join(".storage/auth");
    let real = place.dir.path().join("real");
    std::fs::rename(&path, &real).unwrap();
    symlink(&real, &path).unwrap();
    place.commit(vec![rename_user()]).unwrap();
    assert!(path.is_symlink());
    assert!(place.text("real").contains("\"Olivia\""));
}

#[test]
fn what_a_killed_run_left_is_swept() {
    let place = Place::new();
    place.put(".storage/.latchlift-abc", "half");
    place.commit(vec![rename_user()]).unwrap();
    assert_eq!(place.names(), ["auth", "totp"]);
}

#[test]
fn two_latchlifts_do_not_write_at_once() {
    let place = Place::new();
    let mut witness = |_| {
        let why = place.commit(vec![rename_user()]).unwrap_err();
        assert_eq!(why.kind, Kind::Locked);
        Ok(())
    };
    place.store.commit(&step(vec![rename_user()]), &place.facts, &mut witness).unwrap();
}

#[test]
fn a_missing_document_is_created_from_its_envelope() {
    let place = Place::new();
    let entry = || insert("new#/data/users", record([("@key", "u1".into()), ("@value", "AAAA".into())]));
    place.commit(vec![entry()]).unwrap();
    assert_eq!(
        place.text(".storage/new"),
        "{\n  \"version\": 1,\n  \"data\": {\n    \"users\": {\n      \"u1\": \"AAAA\"\n    }\n  }\n}"
    );
    let meta = place.dir.path().join(".storage/new").metadata().unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o640);
    std::fs::remove_file(place.dir.path().join(".storage/auth")).unwrap();
    assert_eq!(place.commit(vec![rename_user()]).unwrap_err().kind, Kind::Stale);
    let user = insert("auth#/data/users", record([("/id", "u3".into())]));
    assert_eq!(place.commit(vec![user]).unwrap_err().kind, Kind::Conflict);
}

#[test]
fn a_new_document_does_not_overwrite_one_that_appeared() {
    let place = Place::new();
    let entry = insert("new#/data/users", record([("@key", "u1".into()), ("@value", "AAAA".into())]));
    let mut witness = |_| {
        place.put(".storage/new", "{}");
        Ok(())
    };
    let why = place.store.commit(&step(vec![entry]), &place.facts, &mut witness).unwrap_err();
    assert_eq!(why.kind, Kind::Stale);
    assert_eq!(place.text(".storage/new"), "{}");
}

#[test]
fn a_document_moves_under_guard() {
    let place = Place::new();
    let moved = |to: &str, sha256: &str| Change::Move { from: "auth".into(), to: to.into(), sha256: sha256.into() };
    let sha256 = latchlift_plugin_api::sha256(AUTH.as_bytes());
    let standing = |change: &Change| place.store.standing(&step(vec![change.clone()]), &place.facts).unwrap();
    assert_eq!(place.commit(vec![moved(".storage/auth.old", "00")]).unwrap_err().kind, Kind::Stale);
    assert_eq!(place.commit(vec![moved(".storage/totp", &sha256)]).unwrap_err().kind, Kind::Conflict);
    assert_eq!(place.commit(vec![moved("../auth", &sha256)]).unwrap_err().kind, Kind::Plugin);
    let change = moved(".storage/auth.old", &sha256);
    assert_eq!(standing(&change), Standing::Untouched);
    place.commit(vec![change.clone()]).unwrap();
    assert_eq!(place.names(), ["auth.old", "totp"]);
    assert_eq!(standing(&change), Standing::Applied);
    place.put(".storage/auth", "{}");
    assert_eq!(standing(&change), Standing::Applied, "the app began anew");
    std::fs::remove_file(place.dir.path().join(".storage/auth.old")).unwrap();
    assert_eq!(standing(&change), Standing::Mixed);
}
