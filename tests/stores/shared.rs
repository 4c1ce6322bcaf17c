//! The rules that hold for every database.

use crate::bench::{Bench, facts, step, update};
use latchlift::error::{Error, Kind};
use latchlift::store::{Receipt, Standing};
use latchlift_plugin_api::plan::{delete, insert};
use latchlift_plugin_api::{Change, Filter, Record, Select, Value};
use latchlift_tests::db::Dialect;

macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod sqlite { $(#[test] fn $name() { super::$name(&super::Bench::sqlite()); })* }
        mod mysql { $(#[test] fn $name() { super::$name(&super::Bench::mysql()); })* }
        mod postgres { $(#[test] fn $name() { super::$name(&super::Bench::postgres()); })* }
    };
}

on_every_store! {
    an_update_changes_one_record_and_only_what_was_planned
    a_record_that_changed_since_is_stale
    a_guard_tells_letters_apart
    a_guard_tells_trailing_blanks_apart
    a_filter_matches_byte_for_byte
    a_volatile_field_is_written_but_not_guarded
    volatile_fields_alone_are_written_and_missed_only_with_their_record
    nulls_are_guarded_and_written
    hostile_text_goes_in_and_comes_out
    one_of_two_identical_records_is_updated
    one_of_two_identical_records_is_deleted
    a_record_is_inserted_once
    a_record_others_refer_to_is_not_deleted
    records_others_refer_to_are_not_purged
    children_may_go_before_their_parent_in_one_step
    purged_rows_are_kept_where_asked
    a_witness_who_objects_rolls_back
    a_failure_in_the_middle_rolls_back_the_whole_step
    the_standing_follows_the_data
    a_locked_database_is_said_to_be_locked
    six_thousand_rows_come_in_pages_in_order
    rows_of_equal_order_are_not_lost_between_pages
    nulls_are_not_lost_between_pages
    rows_without_a_key_come_in_pages
    six_thousand_rows_come_in_the_tables_own_order
    values_are_counted_byte_for_byte
    a_range_is_closed_and_leaves_out_null
    a_missing_table_or_column_is_an_unknown_schema
    a_list_is_no_value
    a_reader_sees_one_moment
}

const PEOPLE: &str =
    "CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(100), pw VARCHAR(200), seen INTEGER);
    INSERT INTO people VALUES (1, 'john', 'old', 1), (2, 'jane', 'hers', NULL);";

fn rec<V: Into<Value>, const N: usize>(fields: [(&str, V); N]) -> Record {
    Record::from(fields)
}

fn people() -> latchlift_plugin_api::Facts {
    facts(&[("people", &["id", "~seen"])])
}

fn new_password(before: &str) -> Change {
    update("people", rec([("id", 1)]), rec([("pw", before)]), rec([("pw", "new")]))
}

fn an_update_changes_one_record_and_only_what_was_planned(t: &Bench) {
    t.script(PEOPLE);
    let before = t.database.dump().unwrap();
    t.commit(vec![new_password("old")], &people()).unwrap();
    assert_eq!(t.value("SELECT pw FROM people WHERE id = 1").as_deref(), Some("new"));
    t.script("UPDATE people SET pw = 'old' WHERE id = 1");
    assert!(before == t.database.dump().unwrap(), "something else changed");
}

fn a_record_that_changed_since_is_stale(t: &Bench) {
    t.script(PEOPLE);
    let refused = t.commit(vec![new_password("older")], &people()).unwrap_err();
    assert_eq!(refused.kind, Kind::Stale);
    assert!(!refused.message.contains("older"), "{refused}");
    assert_eq!(t.value("SELECT pw FROM people WHERE id = 1").as_deref(), Some("old"));
}

fn a_guard_tells_letters_apart(t: &Bench) {
    t.script(PEOPLE);
    let guarded = |name: &str| update("people", rec([("name", name)]), rec([("pw", "old")]), rec([("pw", "new")]));
    let by_name = facts(&[("people", &["name"])]);
    t.script("UPDATE people SET name = 'JOHN' WHERE id = 1");
    assert_eq!(t.commit(vec![guarded("john")], &by_name).unwrap_err().kind, Kind::Stale);
    t.commit(vec![guarded("JOHN")], &by_name).unwrap();
}

fn a_guard_tells_trailing_blanks_apart(t: &Bench) {
    t.script(PEOPLE);
    t.script("UPDATE people SET pw = 'old ' WHERE id = 1");
    assert_eq!(t.commit(vec![new_password("old")], &people()).unwrap_err().kind, Kind::Stale);
    t.commit(vec![new_password("old ")], &people()).unwrap();
}

fn a_filter_matches_byte_for_byte(t: &Bench) {
    t.script(PEOPLE);
    t.script("INSERT INTO people VALUES (3, 'John', 'x', 12), (4, NULL, 'y', NULL)");
    let ids = |filter: Filter| {
        let (rows, _) = t.all(&Select::from("people", ["id"]).filter(filter).order(["id"]));
        rows.into_iter().map(|row| row[0].as_int().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(Filter::eq("name", "john")), [1]);
    assert_eq!(ids(Filter::is_in("name", ["John", "jane", "JANE"])), [2, 3]);
    assert_eq!(ids(Filter::is_in("name", Vec::<String>::new())), [0; 0]);
    assert_eq!(ids(Filter::eq("name", Value::Null)), [4]);
    assert_eq!(ids(Filter::Null("seen".into())), [2, 4]);
    assert_eq!(ids(Filter::eq("seen", 12).and(Filter::eq("name", "John"))), [3]);
    assert_eq!(ids(Filter::eq("seen", 12).and(Filter::eq("name", "john"))), [0; 0]);
    assert_eq!(ids(Filter::And(vec![])), [1, 2, 3, 4]);
    // Databases take the number from the front of a text.
    assert_eq!(ids(Filter::eq("seen", "12abc")), [0; 0]);
    assert_eq!(ids(Filter::eq("id", "john")), [0; 0]);
}

fn a_volatile_field_is_written_but_not_guarded(t: &Bench) {
    t.script(PEOPLE);
    let before = rec([("pw", Value::from("old")), ("seen", Value::Int(77))]);
    let after = rec([("pw", Value::from("new")), ("seen", Value::Int(5))]);
    t.commit(vec![update("people", rec([("id", 1)]), before, after)], &people()).unwrap();
    assert_eq!(t.value("SELECT seen FROM people WHERE id = 1").as_deref(), Some("5"));
}

fn volatile_fields_alone_are_written_and_missed_only_with_their_record(t: &Bench) {
    t.script(PEOPLE);
    let seen = |id: i64| update("people", rec([("id", id)]), rec([("seen", 5)]), rec([("seen", 9)]));
    t.commit(vec![seen(1)], &people()).unwrap();
    assert_eq!(t.value("SELECT seen FROM people WHERE id = 1").as_deref(), Some("9"));
    t.commit(vec![seen(1)], &people()).unwrap();
    assert_eq!(t.commit(vec![seen(3)], &people()).unwrap_err().kind, Kind::Stale);
}

fn nulls_are_guarded_and_written(t: &Bench) {
    t.script(PEOPLE);
    let set = |before: Value, after: Value| {
        update("people", rec([("id", 2)]), rec([("name", before)]), rec([("name", after)]))
    };
    t.commit(vec![set("jane".into(), Value::Null)], &people()).unwrap();
    assert_eq!(t.value("SELECT name FROM people WHERE id = 2"), None);
    assert_eq!(t.commit(vec![set("".into(), "x".into())], &people()).unwrap_err().kind, Kind::Stale);
    t.commit(vec![set(Value::Null, "".into())], &people()).unwrap();
    assert_eq!(t.value("SELECT name FROM people WHERE id = 2").as_deref(), Some(""));
}

fn hostile_text_goes_in_and_comes_out(t: &Bench) {
    t.script(PEOPLE);
    for text in ["'; DROP TABLE people; --", "back\\slash\\", "ünï ✓ 𝄞", "line\nbreak\ttab", "%_?:x $1", "\"`"] {
        let pw = t.value("SELECT pw FROM people WHERE id = 1").unwrap();
        t.commit(vec![update("people", rec([("id", 1)]), rec([("pw", pw.as_str())]), rec([("pw", text)]))], &people())
            .unwrap();
        let query = Select::from("people", ["id"]).filter(Filter::eq("pw", text));
        assert_eq!(t.all(&query).0, [[Value::Int(1)]], "{text}");
        let (rows, _) = t.all(&Select::from("people", ["pw"]).filter(Filter::eq("id", 1)));
        assert_eq!(rows, [[Value::from(text)]]);
    }
}

const TWINS: &str = "CREATE TABLE twins (name VARCHAR(20), n INTEGER);
    INSERT INTO twins VALUES ('a', 1), ('a', 1), ('b', 2);";

fn one_of_two_identical_records_is_updated(t: &Bench) {
    t.script(TWINS);
    let change = update("twins", rec([("name", "a")]), rec([("n", 1)]), rec([("n", 9)]));
    t.commit(vec![change], &facts(&[("twins", &[])])).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM twins WHERE n = 9").as_deref(), Some("1"));
    assert_eq!(t.value("SELECT count(*) FROM twins WHERE n = 1").as_deref(), Some("1"));
}

fn one_of_two_identical_records_is_deleted(t: &Bench) {
    t.script(TWINS);
    let twin = rec([("name", Value::from("a")), ("n", Value::Int(1))]);
    t.commit(vec![delete("twins", twin.clone(), twin)], &facts(&[("twins", &[])])).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM twins").as_deref(), Some("2"));
    assert_eq!(t.value("SELECT count(*) FROM twins WHERE name = 'a'").as_deref(), Some("1"));
}

fn a_record_is_inserted_once(t: &Bench) {
    t.script(PEOPLE);
    let new = || insert("people", rec([("id", Value::Int(7)), ("name", "max".into()), ("pw", Value::Null)]));
    t.commit(vec![new()], &people()).unwrap();
    assert_eq!(t.value("SELECT name FROM people WHERE id = 7").as_deref(), Some("max"));
    assert_eq!(t.commit(vec![new()], &people()).unwrap_err().kind, Kind::Stale);
    // Without a declared key it is the database that notices.
    let refused = t.commit(vec![new()], &facts(&[("people", &[])])).unwrap_err();
    assert!(refused.kind.exit() != 0 && t.value("SELECT count(*) FROM people").as_deref() == Some("3"), "{refused}");
}

const FAMILY: &str = "CREATE TABLE parent (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20));
    CREATE TABLE child (id INTEGER NOT NULL PRIMARY KEY, parent INTEGER, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
    INSERT INTO parent VALUES (1, 'a'), (2, 'b');
    INSERT INTO child VALUES (10, 1), (11, 1), (12, NULL);";

fn family() -> latchlift_plugin_api::Facts {
    facts(&[("parent", &["id"]), ("child", &["id"])])
}

fn without_parent(id: i64, name: &str) -> Change {
    delete("parent", rec([("id", id)]), rec([("id", Value::Int(id)), ("name", name.into())]))
}

fn a_record_others_refer_to_is_not_deleted(t: &Bench) {
    t.script(FAMILY);
    let refused = t.commit(vec![without_parent(1, "a")], &family()).unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert!(refused.message.contains("2 records of `child`"), "{refused}");
    assert_eq!(t.value("SELECT count(*) FROM child").as_deref(), Some("3"));
    assert_eq!(t.value("SELECT count(*) FROM parent").as_deref(), Some("2"));
    t.commit(vec![without_parent(2, "b")], &family()).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM parent").as_deref(), Some("1"));
}

fn records_others_refer_to_are_not_purged(t: &Bench) {
    t.script(FAMILY);
    let purge = |id: i64| purge("parent", Filter::eq("id", id), false);
    assert_eq!(t.commit(vec![purge(1)], &family()).unwrap_err().kind, Kind::Refused);
    assert_eq!(t.value("SELECT count(*) FROM child").as_deref(), Some("3"));
    t.commit(vec![purge(2)], &family()).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM parent").as_deref(), Some("1"));
}

fn children_may_go_before_their_parent_in_one_step(t: &Bench) {
    t.script(FAMILY);
    let children = purge("child", Filter::eq("parent", 1), true);
    t.commit(vec![children, without_parent(1, "a")], &family()).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM child").as_deref(), Some("1"));
    assert_eq!(t.value("SELECT count(*) FROM parent").as_deref(), Some("1"));
}

fn purge(collection: &str, filter: Filter, keep: bool) -> Change {
    Change::Purge { collection: collection.into(), filter, count: 1, keep }
}

fn purged_rows_are_kept_where_asked(t: &Bench) {
    t.script(FAMILY);
    let mine = || Filter::eq("parent", 1);
    let changes = vec![purge("child", mine(), true), purge("child", Filter::Null("parent".into()), false)];
    let receipt = t.commit(changes, &family()).unwrap();
    let row = |id: i64| rec([("id", id), ("parent", 1)]);
    assert_eq!(receipt.kept, [vec![row(10), row(11)], vec![]]);
    assert_eq!(t.value("SELECT count(*) FROM child").as_deref(), Some("0"));
    let back = receipt.kept.into_iter().flatten().map(|row| insert("child", row)).collect();
    t.commit(back, &family()).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM child WHERE parent = 1").as_deref(), Some("2"));
}

fn a_witness_who_objects_rolls_back(t: &Bench) {
    t.script(FAMILY);
    let before = t.database.dump().unwrap();
    let mut kept = 0;
    let mut witness = |receipt: Receipt| {
        kept = receipt.kept[0].len();
        Err(Error::new(Kind::Failed, "the journal is full"))
    };
    let refused = t.store.commit(&step(vec![purge("child", Filter::All, true)]), &family(), &mut witness).unwrap_err();
    assert_eq!((refused.message.as_str(), kept), ("the journal is full", 3));
    assert!(before == t.database.dump().unwrap(), "something changed");
}

fn a_failure_in_the_middle_rolls_back_the_whole_step(t: &Bench) {
    t.script(PEOPLE);
    let before = t.database.dump().unwrap();
    let second = update("people", rec([("id", 2)]), rec([("pw", "not hers")]), rec([("pw", "new")]));
    assert_eq!(t.commit(vec![new_password("old"), second], &people()).unwrap_err().kind, Kind::Stale);
    assert!(before == t.database.dump().unwrap(), "something changed");
}

fn the_standing_follows_the_data(t: &Bench) {
    t.script(PEOPLE);
    let gone = delete("people", rec([("id", 2)]), rec([("id", Value::Int(2)), ("name", "jane".into())]));
    let new = insert("people", rec([("id", Value::Int(3)), ("name", "max".into())]));
    let plan = step(vec![new_password("old"), gone, new]);
    let standing = || t.store.standing(&plan, &people()).unwrap();
    assert_eq!(standing(), Standing::Untouched);
    t.script("UPDATE people SET pw = 'new' WHERE id = 1");
    assert_eq!(standing(), Standing::Mixed);
    t.script("UPDATE people SET pw = 'old' WHERE id = 1");
    t.commit(plan.changes.clone(), &people()).unwrap();
    assert_eq!(standing(), Standing::Applied);
    t.script("UPDATE people SET pw = 'NEW' WHERE id = 1");
    assert_eq!(standing(), Standing::Mixed);
}

fn a_locked_database_is_said_to_be_locked(t: &Bench) {
    t.script(PEOPLE);
    let _held = t.hold("UPDATE people SET seen = 99 WHERE id = 1");
    let refused = t.commit(vec![new_password("old")], &people()).unwrap_err();
    assert_eq!(refused.kind, Kind::Locked, "{refused}");
    assert!(refused.help.is_some_and(|help| help.contains("--lock-timeout")));
}

/// Six thousand rows, which is more than a page.
fn many(t: &Bench, table: &str) {
    let rows = |from: i64| {
        let rows = (from..from + 500)
            .map(|i| format!("({i}, 'n{}', {})", i % 3, if i % 2 == 0 { "NULL".into() } else { (i % 5).to_string() }));
        rows.collect::<Vec<_>>().join(", ")
    };
    let inserts: String = (0..12).map(|i| format!("INSERT INTO {table} VALUES {};", rows(i * 500))).collect();
    t.script(&inserts);
}

/// The ids in the order of the query, which is the same in pages of any size.
fn paged_ids(t: &Bench, query: &Select) -> Vec<i64> {
    let (rows, pages) = t.all(query);
    assert!(rows.len() == 6000 && pages > 1, "{} rows in {pages} pages", rows.len());
    let (in_small, pages) = t.all(&Select { limit: 700, ..query.clone() });
    assert_eq!((&in_small, pages), (&rows, 9));
    rows.into_iter().map(|row| row[0].as_int().unwrap()).collect()
}

fn each_once(mut ids: Vec<i64>) {
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..6000), "rows were lost or came twice");
}

fn six_thousand_rows_come_in_pages_in_order(t: &Bench) {
    t.script("CREATE TABLE many (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(9), n INTEGER)");
    many(t, "many");
    assert!(paged_ids(t, &Select::from("many", ["id"]).order(["id"])).into_iter().eq(0..6000));
    let filter = Filter::Range { field: "id".into(), from: Some(Value::Int(3000)), to: None };
    let (rows, _) = t.all(&Select { limit: 700, ..Select::from("many", ["id"]).order(["id"]).filter(filter) });
    assert!(rows.into_iter().map(|row| row[0].as_int().unwrap()).eq(3000..6000));
}

fn rows_of_equal_order_are_not_lost_between_pages(t: &Bench) {
    t.script("CREATE TABLE many (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(9), n INTEGER)");
    many(t, "many");
    each_once(paged_ids(t, &Select { limit: 999, ..Select::from("many", ["id"]).order(["name"]) }));
}

fn nulls_are_not_lost_between_pages(t: &Bench) {
    t.script("CREATE TABLE many (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(9), n INTEGER)");
    many(t, "many");
    let query = Select::from("many", ["id", "n"]).order(["n", "name"]);
    each_once(paged_ids(t, &query));
    let (rows, _) = t.all(&query);
    let n: Vec<Option<i64>> = rows.iter().map(|row| row[1].as_int()).collect();
    assert!(n.is_sorted(), "null comes first");
}

fn rows_without_a_key_come_in_pages(t: &Bench) {
    t.script("CREATE TABLE many (id INTEGER, name VARCHAR(9), n INTEGER)");
    many(t, "many");
    each_once(paged_ids(t, &Select::from("many", ["id"])));
    each_once(paged_ids(t, &Select { limit: 999, ..Select::from("many", ["id"]).order(["name"]) }));
}

fn six_thousand_rows_come_in_the_tables_own_order(t: &Bench) {
    t.script("CREATE TABLE many (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(9), n INTEGER)");
    many(t, "many");
    assert!(paged_ids(t, &Select::from("many", ["id"])).into_iter().eq(0..6000));
}

fn values_are_counted_byte_for_byte(t: &Bench) {
    t.script(PEOPLE);
    t.script("INSERT INTO people VALUES (3, 'John', 'x', 1), (4, 'john', 'y', 1), (5, NULL, 'y', 1), (6, 'john ', 'y', NULL)");
    let mut reader = t.store.reader().unwrap();
    let mut counts = |field: &str, filter| {
        let mut counts = reader.count_by("people", field, &filter).unwrap();
        counts.sort_by_key(|(value, _)| value.to_text());
        counts
    };
    let expected = [(Value::Null, 1), ("John".into(), 1), ("jane".into(), 1), ("john".into(), 2), ("john ".into(), 1)];
    assert_eq!(counts("name", Filter::All), expected);
    assert_eq!(counts("seen", Filter::eq("name", "john")), [(Value::Int(1), 2)]);
}

fn a_range_is_closed_and_leaves_out_null(t: &Bench) {
    t.script(PEOPLE);
    t.script("INSERT INTO people VALUES (3, 'x', 'x', 5), (4, 'y', 'y', 6)");
    let count = |from: Option<i64>, to: Option<i64>| {
        let range = Filter::Range { field: "seen".into(), from: from.map(Value::Int), to: to.map(Value::Int) };
        t.all(&Select::from("people", ["id"]).filter(range)).0.len()
    };
    assert_eq!([count(Some(1), Some(5)), count(Some(6), None), count(None, Some(4)), count(None, None)], [2, 1, 1, 3]);
}

fn a_missing_table_or_column_is_an_unknown_schema(t: &Bench) {
    t.script(PEOPLE);
    let mut reader = t.store.reader().unwrap();
    assert_eq!(reader.columns("persons").unwrap(), None);
    let names: Vec<String> = reader.columns("people").unwrap().unwrap().into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["id", "name", "pw", "seen"]);
    let mut kind = |query: Select| reader.select(&query).unwrap_err().kind;
    assert_eq!(kind(Select::from("persons", ["id"])), Kind::UnknownSchema);
    assert_eq!(kind(Select::from("people", ["hash"])), Kind::UnknownSchema);
    assert_eq!(kind(Select::from("people", ["id"]).filter(Filter::eq("hash", 1))), Kind::UnknownSchema);
}

fn a_list_is_no_value(t: &Bench) {
    t.script(PEOPLE);
    let list = update("people", rec([("id", 1)]), rec([("pw", "old")]), rec([("pw", Value::List(vec![]))]));
    assert!(t.commit(vec![list], &people()).is_err());
    assert_eq!(t.value("SELECT pw FROM people WHERE id = 1").as_deref(), Some("old"));
}

fn a_reader_sees_one_moment(t: &Bench) {
    t.script(PEOPLE);
    if t.database.dialect == Dialect::Sqlite {
        // Only with a log beside the file can others write while somebody reads.
        t.script("PRAGMA journal_mode = wal");
    }
    let mut reader = t.store.reader().unwrap();
    let mut count = || reader.select(&Select::from("people", ["id"])).unwrap().rows.len();
    assert_eq!(count(), 2);
    t.script("INSERT INTO people VALUES (9, 'late', 'x', NULL)");
    assert_eq!(count(), 2);
}
