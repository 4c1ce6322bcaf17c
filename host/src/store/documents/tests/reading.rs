use super::*;
use crate::error::Kind;
use latchlift_plugin_api::{Filter, SAME, Select};

fn select(place: &Place, query: Select) -> Result<Vec<Vec<Value>>> {
    Ok(place.store.reader()?.select(&query)?.rows)
}

fn text(text: &str) -> Value {
    text.into()
}

#[test]
fn records_of_every_shape_are_listed_in_their_order() {
    let place = Place::new();
    let rows = select(&place, Select::from("auth#/data/users", ["/id", "/name", "/local_only", "/group_ids"])).unwrap();
    let groups = Value::List(vec![text("admin")]);
    assert_eq!(rows[0], [text("u1"), text("Olivia Öwner"), Value::Bool(false), groups]);
    assert_eq!(rows[1], [text("u2"), Value::Null, Value::Null, Value::List(vec![])]);
    let rows = select(&place, Select::from("totp#/data/users", ["@key", "@value"])).unwrap();
    assert_eq!(rows, [[text("u1"), text("AAAA")], [text("u2"), text("BBBB")]]);
    let rows = select(&place, Select::from("auth#", ["/version", "/key", "/minor_version"])).unwrap();
    assert_eq!(rows, [[Value::Int(1), text("auth"), Value::Null]]);
    let rows = select(&place, Select::from("auth#/data/users/0/group_ids", ["@value"])).unwrap();
    assert_eq!(rows, [[text("admin")]]);
    let rows = select(&place, Select::from("bans#", ["@key", "/banned_at"])).unwrap();
    assert_eq!(rows[0], [text("127.0.0.1"), text("2026-11-21T02:00:00+00:00")]);
    assert_eq!(rows.len(), 3);
}

#[test]
fn numbers_and_whole_records_keep_what_they_are() {
    let place = Place::new();
    let rows = select(&place, Select::from("auth#/data/tokens", ["/expires"])).unwrap();
    assert_eq!(rows, [[Value::Number("1800.0".into())], [Value::Number("1E5".into())], [Value::Null]]);
    let query = Select::from("auth#/data/names", [""]).filter(Filter::eq("/password", "two"));
    let whole = Value::Map(vec![("username".into(), text("maria")), ("password".into(), text("two"))]);
    assert_eq!(select(&place, query).unwrap(), [[whole]]);
}

#[test]
fn pages_follow_each_other_without_gap() {
    let items: Vec<String> = (0..4501).map(|n| format!("{{\"n\":{n},\"odd\":{}}}", n % 2 == 1)).collect();
    let place = Place::with(&format!("{{\"list\":[{}]}}", items.join(",")));
    let mut reader = place.store.reader().unwrap();
    let mut query = Select::from("auth#/list", ["/n"]).filter(Filter::eq("/odd", true)).same("/n");
    let (mut rows, mut pages) = (vec![], 0);
    loop {
        let page = reader.select(&query).unwrap();
        assert_eq!(page.columns, ["/n", SAME]);
        rows.extend(page.rows);
        pages += 1;
        if page.next.is_empty() {
            break;
        }
        query.after = page.next;
    }
    assert_eq!(pages, 2);
    let expected: Vec<Vec<Value>> = (0..4501).filter(|n| n % 2 == 1).map(|n| vec![Value::Int(n); 2]).collect();
    assert_eq!(rows, expected);
    query.after = vec![1, 2];
    assert_eq!(reader.select(&query).unwrap_err().kind, Kind::Plugin);
    let one = Select { limit: 1, after: vec![], ..query };
    assert_eq!(reader.select(&one).unwrap().rows.len(), 1);
}

#[test]
fn counts_are_by_value() {
    let place = Place::new();
    let mut reader = place.store.reader().unwrap();
    let counts = reader.count_by("auth#/data/tokens", "/user_id", &Filter::All).unwrap();
    assert_eq!(counts, [(text("u1"), 2), (text("u2"), 1)]);
    let counts = reader.count_by("auth#/data/tokens", "/user_id", &Filter::Null("/expires".into())).unwrap();
    assert_eq!(counts, [(text("u1"), 1)]);
    let counts = reader.count_by("auth#/data/users", "/local_only", &Filter::All).unwrap();
    assert_eq!(counts, [(Value::Bool(false), 1), (Value::Null, 1)]);
}

#[test]
fn columns_are_those_of_the_first_record() {
    let place = Place::new();
    let mut reader = place.store.reader().unwrap();
    let mut names = |collection: &str| {
        let columns = reader.columns(collection).unwrap()?;
        Some(columns.into_iter().map(|column| column.name).collect::<Vec<_>>())
    };
    assert_eq!(names("auth#/data/users").unwrap(), ["/id", "/group_ids", "/name", "/local_only"]);
    assert_eq!(names("auth#").unwrap(), ["@key", "@value", "/version", "/key", "/data"]);
    assert_eq!(names("totp#/data/users").unwrap(), ["@key", "@value", "/u1", "/u2"]);
    assert!(names("bans#").unwrap().contains(&"/banned_at".to_owned()));
    assert_eq!(names("auth#/data/users/0/group_ids").unwrap(), ["@value"]);
    assert_eq!(names("auth#/data/users/1/group_ids").unwrap(), [""; 0]);
    assert_eq!(names("auth#/data/nothing"), None);
    assert_eq!(names("auth#/version"), None);
    assert_eq!(names("new#/data/users"), None, "a document that is not there");
}

#[test]
fn what_is_not_there_is_named() {
    let place = Place::new();
    let kind = |collection: &str| select(&place, Select::from(collection, ["/id"])).unwrap_err();
    assert_eq!(kind("new#/data").kind, Kind::UnknownSchema);
    assert_eq!(kind("auth#/data/nothing").message, "there is no collection `auth#/data/nothing`");
    assert_eq!(kind("auth#/version").kind, Kind::UnknownSchema);
    assert_eq!(kind("other#/data").kind, Kind::Plugin);
    assert_eq!(kind("auth").kind, Kind::Plugin);
    assert_eq!(select(&place, Select::from("auth#/data/users", ["id"])).unwrap_err().kind, Kind::Plugin);
}

#[test]
fn a_broken_document_is_refused_with_its_place() {
    let place = Place::with("{\n  \"version\": 1,\n}");
    let why = select(&place, Select::from("auth#", ["/version"])).unwrap_err();
    assert_eq!(why.kind, Kind::Conflict);
    assert!(
        why.message.ends_with(".storage/auth is not valid JSON: line 3, column 1: a key in double quotes is missing")
    );
    std::fs::write(place.dir.path().join(".storage/auth"), [b'"', 0xff, b'"']).unwrap();
    let why = select(&place, Select::from("auth#", ["/version"])).unwrap_err();
    assert!(why.message.ends_with("is not UTF-8 text: byte 2 is wrong"), "{}", why.message);
}

#[test]
fn a_reader_sees_one_state() {
    let place = Place::new();
    let mut reader = place.store.reader().unwrap();
    let query = Select::from("auth#", ["/version"]);
    reader.select(&query).unwrap();
    place.put(".storage/auth", "{\"version\": 2}");
    assert_eq!(reader.select(&query).unwrap().rows, [[Value::Int(1)]]);
    assert_eq!(select(&place, query).unwrap(), [[Value::Int(2)]]);
}

#[test]
fn a_missing_directory_is_said_so() {
    let nowhere = Documents::new("/nowhere/at/all", vec![]);
    let why = nowhere.reader().err().unwrap();
    assert_eq!((why.kind, why.message.as_str()), (Kind::NotFound, "there is no /nowhere/at/all"));
}
