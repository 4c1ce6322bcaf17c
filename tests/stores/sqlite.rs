//! What is SQLite's own.

use crate::bench::{Bench, PATIENCE, facts, update};
use latchlift::error::Kind;
use latchlift::store::Store;
use latchlift::store::sqlite::Sqlite;
use latchlift_plugin_api::plan::insert;
use latchlift_plugin_api::{Filter, Record, Select, Value};
use std::path::{Path, PathBuf};

fn rec<V: Into<Value>, const N: usize>(fields: [(&str, V); N]) -> Record {
    Record::from(fields)
}

#[test]
fn text_that_a_numeric_column_would_turn_into_a_number_is_refused() {
    let t = Bench::sqlite();
    t.script("CREATE TABLE people (id INTEGER PRIMARY KEY, token VARBINARY(64)); INSERT INTO people VALUES (1, 'abc')");
    let set = |after: &str| update("people", rec([("id", 1)]), rec([("token", "abc")]), rec([("token", after)]));
    let refused = t.commit(vec![set("12345e67")], &facts(&[("people", &["id"])])).unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
    assert_eq!(t.value("SELECT token FROM people").as_deref(), Some("abc"));
    t.commit(vec![set("x2345e67")], &facts(&[("people", &["id"])])).unwrap();
}

#[test]
fn a_number_in_a_text_column_is_told_from_its_digits() {
    let t = Bench::sqlite();
    t.script("CREATE TABLE people (id INTEGER PRIMARY KEY, token BLOB); INSERT INTO people VALUES (1, 5)");
    let set = |before: Value| update("people", rec([("id", 1)]), rec([("token", before)]), rec([("token", "x")]));
    assert_eq!(t.commit(vec![set("5".into())], &facts(&[("people", &["id"])])).unwrap_err().kind, Kind::Stale);
    t.commit(vec![set(Value::Int(5))], &facts(&[("people", &["id"])])).unwrap();
}

/// What a crash in the middle of a change leaves behind: a copy of database and journal in that moment.
fn crash(t: &Bench) -> PathBuf {
    t.script("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)");
    let names: Vec<String> = (0..3000).map(|i| format!("({i}, 'somebody of a certain length {i}')")).collect();
    t.script(&format!("INSERT INTO people VALUES {}", names.join(", ")));
    // With next to no cache the change spills into the file long before it is committed.
    let path = t.database.file().unwrap();
    let writer = rusqlite::Connection::open(path).unwrap();
    writer.execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE people SET name = 'nobody'").unwrap();
    let journal = |path: &Path| PathBuf::from(format!("{}-journal", path.display()));
    let crashed = path.with_file_name("crashed.sqlite");
    std::fs::copy(path, &crashed).unwrap();
    std::fs::copy(journal(path), journal(&crashed)).unwrap();
    assert!(std::fs::read(&crashed).unwrap().windows(6).any(|part| part == b"nobody"), "nothing was spilled");
    crashed
}

/// Reads what a crash left, which is rolled back with a word about it.
fn recovered(store: &Sqlite) {
    let mut reader = store.reader().unwrap();
    assert!(reader.notice().is_some_and(|notice| notice.contains("rolled it back")));
    assert_eq!(reader.count_by("people", "name", &Filter::eq("name", "nobody")).unwrap(), []);
    assert_eq!(reader.select(&Select::from("people", ["name"])).unwrap().rows.len(), 2000);
}

#[test]
fn a_crashed_apps_journal_is_rolled_back_and_reported() {
    let (one, other) = (Bench::sqlite(), Bench::sqlite());
    recovered(&Sqlite::new(crash(&one), PATIENCE));
    // A connection for writing would roll it back without a word.
    let mut store = Sqlite::new(crash(&other), PATIENCE);
    store.expect_commit();
    recovered(&store);
}

#[test]
fn a_crashed_apps_journal_is_found_behind_a_link_too() {
    let (there, here) = (Bench::sqlite(), tempfile::tempdir().unwrap());
    let link = here.path().join("link.sqlite");
    std::os::unix::fs::symlink(crash(&there), &link).unwrap();
    let mut store = Sqlite::new(link, PATIENCE);
    store.expect_commit();
    recovered(&store);
}

#[test]
fn an_app_that_crashes_after_the_first_look_is_noticed_at_the_second() {
    let t = Bench::sqlite();
    let (crashed, path) = (crash(&t), t.database.file().unwrap().with_file_name("app.sqlite"));
    std::fs::copy(t.database.file().unwrap(), &path).unwrap();
    let mut store = Sqlite::new(path.clone(), PATIENCE);
    store.expect_commit();
    assert_eq!(store.reader().unwrap().notice(), None);
    let journal = |path: &Path| PathBuf::from(format!("{}-journal", path.display()));
    std::fs::copy(journal(&crashed), journal(&path)).unwrap();
    std::fs::copy(&crashed, &path).unwrap();
    recovered(&store);
}

#[test]
fn a_commit_that_somebody_keeps_from_ending_is_rolled_back_and_can_be_done_later() {
    let mut t = Bench::sqlite();
    t.script(PEOPLE);
    t.store.expect_commit();
    let reader = rusqlite::Connection::open(t.database.file().unwrap()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM people").unwrap();
    let change = || update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    let facts = facts(&[("people", &["id"])]);
    assert_eq!(t.commit(vec![change()], &facts).unwrap_err().kind, Kind::Locked);
    drop(reader);
    assert_eq!((names(&t), beside(&t)), (vec![vec!["john".into()]], vec![]));
    t.commit(vec![change()], &facts).unwrap();
    assert_eq!(names(&t), [["max".into()]]);
}

#[test]
fn a_file_that_was_overwritten_is_opened_anew() {
    let mut t = Bench::sqlite();
    t.script(PEOPLE);
    let path = t.database.file().unwrap().to_owned();
    // A backup that SQLite could not tell from the database: as many changes and as many pages.
    let backup = Bench::sqlite();
    backup.script(&PEOPLE.replace("john", "jane"));
    t.store.expect_commit();
    assert_eq!(names(&t), [["john".into()]]);
    std::fs::write(&path, std::fs::read(backup.database.file().unwrap()).unwrap()).unwrap();
    assert_eq!(names(&t), [["jane".into()]]);
}

/// What was left beside the database.
fn beside(t: &Bench) -> Vec<&'static str> {
    let path = t.database.file().unwrap().display();
    ["-journal", "-wal", "-shm"].into_iter().filter(|end| std::fs::exists(format!("{path}{end}")).unwrap()).collect()
}

const PEOPLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO people VALUES (1, 'john')";

fn names(t: &Bench) -> Vec<Vec<Value>> {
    t.all(&Select::from("people", ["name"])).0
}

/// Looks at the one name there is, changes it and looks again, as a command does.
fn rename(t: &mut Bench) {
    t.store.expect_commit();
    assert_eq!(names(t), [["john".into()]]);
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    t.commit(vec![change], &facts(&[("people", &["id"])])).unwrap();
    assert_eq!(names(t), [["max".into()]]);
}

#[test]
fn one_connection_looks_writes_and_looks_again_and_sees_what_others_do_meanwhile() {
    let mut t = Bench::sqlite();
    t.script(PEOPLE);
    rename(&mut t);
    assert_eq!(beside(&t), [""; 0]);
    t.script("ALTER TABLE people ADD COLUMN admin INTEGER; UPDATE people SET name = 'jane', admin = 1");
    assert_eq!(t.all(&Select::from("people", ["name", "admin"])).0, [["jane".into(), Value::Int(1)]]);
    t.script("DROP TABLE people");
    assert_eq!(t.store.reader().unwrap().columns("people").unwrap(), None);
}

#[test]
fn a_file_that_was_replaced_is_opened_anew() {
    let mut t = Bench::sqlite();
    t.script(PEOPLE);
    let path = t.database.file().unwrap().to_owned();
    let backup = path.with_file_name("backup.sqlite");
    std::fs::copy(&path, &backup).unwrap();
    rename(&mut t);
    std::fs::rename(&backup, &path).unwrap();
    rename(&mut t);
    assert_eq!(t.value("SELECT name FROM people").as_deref(), Some("max"));
}

#[test]
fn a_write_ahead_log_is_written_back_and_gone_afterwards() {
    let mut t = Bench::sqlite();
    t.script(&format!("PRAGMA journal_mode = WAL; {PEOPLE}"));
    assert_eq!(beside(&t), [""; 0]);
    rename(&mut t);
    assert_eq!(beside(&t), [""; 0]);
    let bytes = std::fs::read(t.database.file().unwrap()).unwrap();
    assert!(bytes.windows(3).any(|part| part == b"max"), "the change is only in the log");
}

#[test]
fn between_two_looks_nothing_is_held() {
    let mut t = Bench::sqlite();
    t.script(PEOPLE);
    t.store.expect_commit();
    assert_eq!(names(&t), [["john".into()]]);
    let before = std::fs::read(t.database.file().unwrap()).unwrap();
    let held = t.hold("UPDATE people SET name = 'jane'");
    assert_eq!(names(&t), [["john".into()]]);
    drop(held);
    assert_eq!(std::fs::read(t.database.file().unwrap()).unwrap(), before);
}

#[test]
fn a_record_whose_other_end_is_gone_is_refused_in_words() {
    let t = Bench::sqlite();
    t.script("CREATE TABLE people (id INTEGER PRIMARY KEY); CREATE TABLE rooms (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES people (id))");
    let facts = facts(&[("rooms", &["id"])]);
    let refused = t.commit(vec![insert("rooms", rec([("id", 1), ("owner", 9)]))], &facts).unwrap_err();
    assert!(refused.kind == Kind::Conflict && refused.message.contains("one that is not there"), "{refused}");
    assert_eq!(t.value("SELECT count(*) FROM rooms").as_deref(), Some("0"));
}

#[test]
fn a_trigger_that_alters_what_was_written_rolls_back() {
    let t = Bench::sqlite();
    t.script(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO people VALUES (1, 'john');
         CREATE TRIGGER shout AFTER UPDATE ON people BEGIN UPDATE people SET name = upper(name) WHERE id = new.id; END",
    );
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    assert_eq!(t.commit(vec![change], &facts(&[("people", &["id"])])).unwrap_err().kind, Kind::Conflict);
    assert_eq!(t.value("SELECT name FROM people").as_deref(), Some("john"));
}

#[test]
fn a_trigger_that_alters_what_was_not_asked_for_rolls_back() {
    let t = Bench::sqlite();
    t.script(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, admin INTEGER); INSERT INTO people VALUES (1, 'john', 0);
         CREATE TRIGGER crown AFTER UPDATE OF name ON people BEGIN UPDATE people SET admin = 1 WHERE id = new.id; END",
    );
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    let refused = t.commit(vec![change], &facts(&[("people", &["id"])])).unwrap_err();
    assert_eq!((refused.kind, refused.message.contains("`admin`")), (Kind::Conflict, true), "{}", refused.message);
    assert_eq!(t.value("SELECT name || admin FROM people").as_deref(), Some("john0"));
}

#[test]
fn a_column_that_folds_letters_folds_them_in_same_and_not_in_counts() {
    let t = Bench::sqlite();
    t.script(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, nick TEXT);
        INSERT INTO people VALUES (1, 'john', 'j'), (2, 'JOHN', 'J')",
    );
    let mut counts = t.store.reader().unwrap().count_by("people", "name", &Filter::All).unwrap();
    counts.sort_by_key(|(value, _)| value.to_text());
    assert_eq!(counts, [("JOHN".into(), 1), ("john".into(), 1)]);
    let same = |field: &str| {
        let (rows, _) = t.all(&Select::from("people", ["id"]).same(field).order(["id"]));
        rows[0][1] == rows[1][1]
    };
    assert!(!same("nick"));
    assert!(same("name"));
}

#[test]
fn bytes_that_are_no_text_go_in_and_come_out() {
    let t = Bench::sqlite();
    t.script("CREATE TABLE people (id INTEGER PRIMARY KEY, token BLOB)");
    let bytes = Value::Bytes(vec![0, 0xff, 0xfe]);
    t.commit(
        vec![insert("people", rec([("id", Value::Int(1)), ("token", bytes.clone())]))],
        &facts(&[("people", &["id"])]),
    )
    .unwrap();
    assert_eq!(t.value("SELECT hex(token) FROM people").as_deref(), Some("00FFFE"));
    assert_eq!(t.all(&Select::from("people", ["token"])).0, [[bytes]]);
}

#[test]
fn a_table_without_rowids_is_read_and_written() {
    let t = Bench::sqlite();
    t.script(
        "CREATE TABLE keys (a TEXT, b TEXT, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
        INSERT INTO keys VALUES ('x', 'y', '1'), ('x', 'z', '2')",
    );
    let change = update("keys", rec([("a", "x"), ("b", "z")]), rec([("c", "2")]), rec([("c", "3")]));
    t.commit(vec![change], &facts(&[("keys", &["a", "b"])])).unwrap();
    assert_eq!(t.all(&Select { limit: 1, ..Select::from("keys", ["c"]) }).0, [[Value::from("1")], [Value::from("3")]]);
}

#[test]
fn what_is_no_database_is_said_to_be_none() {
    let t = Bench::sqlite();
    let path = t.database.file().unwrap();
    let open = || Sqlite::new(path.to_owned(), PATIENCE).reader().err().unwrap();
    assert_eq!(open().kind, Kind::Unreachable);
    assert!(!path.exists(), "a database was created");
    std::fs::write(path, "not a database at all, but long enough to look for a header in").unwrap();
    assert_eq!(open().kind, Kind::UnknownSchema);
}

#[test]
fn a_foreign_key_that_names_no_column_means_the_primary_key() {
    let t = Bench::sqlite();
    t.script(
        "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT);
         CREATE TABLE keepsakes (owner TEXT REFERENCES people ON DELETE CASCADE);
         INSERT INTO people VALUES ('a', 'Ann'); INSERT INTO keepsakes VALUES ('a')",
    );
    // What the plan knows of the record need not hold the column that is referred to.
    let gone = latchlift_plugin_api::delete("people", rec([("id", "a")]), rec([("name", "Ann")]));
    let refused = t.commit(vec![gone.clone()], &facts(&[("people", &["id"])])).unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert_eq!(t.value("SELECT count(*) FROM keepsakes").as_deref(), Some("1"));
    t.script("DELETE FROM keepsakes");
    t.commit(vec![gone], &facts(&[("people", &["id"])])).unwrap();
}
