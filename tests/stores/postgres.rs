//! What is PostgreSQL's own.

use crate::bench::{Bench, facts, postgres_server, step, update};
use latchlift::error::Kind;
use latchlift::store::Store;
use latchlift::store::postgres::Postgres;
use latchlift_plugin_api::plan::{delete, insert};
use latchlift_plugin_api::{Change, Facts, Filter, Record, Select, Server, Value};
use latchlift_tests::servers::{self, PASSWORD, USER};
use std::time::{Duration, Instant};

fn rec<V: Into<Value>, const N: usize>(fields: [(&str, V); N]) -> Record {
    Record::from(fields)
}

fn people() -> Facts {
    facts(&[("people", &["id"])])
}

fn open(server: Server, password: &str) -> Postgres {
    Postgres::new(server, Some(password.to_owned().into()), Duration::from_secs(1))
}

#[test]
fn every_kind_of_column_is_read_guarded_and_restored() {
    let t = Bench::postgres();
    t.script(
        "CREATE TYPE \"Role\" AS ENUM ('user', 'admin'); CREATE DOMAIN short AS varchar(9);
         CREATE TABLE people (id uuid PRIMARY KEY, s smallint, i integer, b bigint, yes boolean, money numeric(12,2),
           f real, d double precision, born date, at timestamp, zone timestamptz(3), t time, span interval, raw bytea, c char(5),
           v varchar(20), role \"Role\", tags text[], doc jsonb, plain json, address inet, name short, n bigint GENERATED ALWAYS AS IDENTITY);
         INSERT INTO people VALUES ('0b8f0c2e-7c39-4f0a-9a55-3b1d0f6f2f11', -1, 2, 9007199254740993, true, 12.30, 0.1, 0.1,
           '0044-03-15 BC', '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05+05', '12:30', '1 day 02:00', '\\x00ff', 'ab', 'x',
           'admin', '{a,\"b c\"}', '{\"k\": [1, 2]}', '{\"k\":  1}', '::1', 'john')",
    );
    let before = t.database.dump().unwrap();
    let names: Vec<String> =
        t.store.reader().unwrap().columns("people").unwrap().unwrap().into_iter().map(|c| c.name).collect();
    let (rows, _) = t.all(&Select::from("people", names.clone()));
    let row = Record(names.into_iter().zip(rows.into_iter().next().unwrap()).collect());
    let seen = |name: &str| row.get(name).unwrap().clone();
    assert_eq!((seen("s"), seen("b"), seen("yes")), (Value::Int(-1), Value::Int(9007199254740993), Value::Bool(true)));
    assert_eq!((seen("born"), seen("at")), ("0044-03-15 BC".into(), "2026-01-02 03:04:05.678901".into()));
    assert_eq!((seen("zone"), seen("raw")), ("2026-01-01 22:04:05+00".into(), "\\x00ff".into()));
    assert_eq!((seen("d"), seen("money"), seen("role")), ("0.1".into(), "12.30".into(), "admin".into()));
    let key = Record(vec![("id".into(), seen("id"))]);
    t.commit(vec![delete("people", key, row.clone())], &people()).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM people").as_deref(), Some("0"));
    t.commit(vec![insert("people", row)], &people()).unwrap();
    assert!(before == t.database.dump().unwrap(), "the record came back changed");
}

#[test]
fn a_table_in_another_schema_is_found_by_its_full_name() {
    let t = Bench::postgres();
    t.script("CREATE SCHEMA drizzle; CREATE TABLE drizzle.__x (id int PRIMARY KEY, n text); INSERT INTO drizzle.__x VALUES (1, 'a');
        CREATE TABLE \"user\" (id text PRIMARY KEY); INSERT INTO \"user\" VALUES ('john')");
    assert_eq!(t.all(&Select::from("drizzle.__x", ["n"])).0, [[Value::from("a")]]);
    assert_eq!(t.all(&Select::from("user", ["id"])).0, [[Value::from("john")]]);
    assert_eq!(t.store.reader().unwrap().columns("__x").unwrap(), None);
    let change = update("drizzle.__x", rec([("id", 1)]), rec([("n", "a")]), rec([("n", "b")]));
    t.commit(vec![change], &facts(&[("drizzle.__x", &["id"])])).unwrap();
    assert_eq!(t.value("SELECT n FROM drizzle.__x").as_deref(), Some("b"));
}

#[test]
fn a_bare_name_means_the_first_schema_of_the_search_path() {
    let t = Bench::postgres();
    t.script("CREATE SCHEMA app; CREATE TABLE people (id int); CREATE TABLE app.people (id int); INSERT INTO app.people VALUES (7)");
    t.script(&format!("ALTER DATABASE {} SET search_path = app, public", postgres_server(&t.database).database));
    assert_eq!(t.all(&Select::from("people", ["id"])).0, [[Value::Int(7)]]);
    // The catalogue comes first in every search path; an app's own table still wins by being named in full.
    t.script("CREATE TABLE pets (id int PRIMARY KEY); CREATE TABLE toys (pet int REFERENCES pets); INSERT INTO pets VALUES (1); INSERT INTO toys VALUES (1)");
    let gone = delete("pets", rec([("id", 1)]), rec([("id", 1)]));
    assert_eq!(t.commit(vec![gone], &facts(&[("pets", &["id"])])).unwrap_err().kind, Kind::Refused);
}

#[test]
fn a_reference_from_another_schema_counts() {
    let t = Bench::postgres();
    t.script(
        "CREATE TABLE people (id int PRIMARY KEY); CREATE SCHEMA other; INSERT INTO people VALUES (1);
        CREATE TABLE other.pets (owner int REFERENCES people ON DELETE CASCADE); INSERT INTO other.pets VALUES (1)",
    );
    let refused = t.commit(vec![delete("people", rec([("id", 1)]), rec([("id", 1)]))], &people()).unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert!(refused.message.contains("other.pets"), "{refused}");
    let purge = Change::Purge { collection: "people".into(), filter: Filter::All, count: 1, keep: true };
    assert_eq!(t.commit(vec![purge], &people()).unwrap_err().kind, Kind::Refused);
}

#[test]
fn times_take_the_form_the_database_gives_them() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY, at timestamp, zone timestamptz); INSERT INTO people VALUES (1, NULL, NULL)");
    let after = rec([("at", "2026-01-01T10:00:00.500Z"), ("zone", "2026-01-01 10:00:00.000Z")]);
    let before = rec([("at", Value::Null), ("zone", Value::Null)]);
    t.commit(vec![update("people", rec([("id", 1)]), before, after)], &people()).unwrap();
    assert_eq!(
        t.all(&Select::from("people", ["at", "zone"])).0,
        [["2026-01-01 10:00:00.5", "2026-01-01 10:00:00+00"].map(Value::from)]
    );
}

#[test]
fn text_that_would_be_cut_to_fit_changes_nothing() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY, name varchar(5), n smallint); INSERT INTO people VALUES (1, 'john', 1)");
    for (field, before, after) in [
        ("name", Value::from("john"), Value::from("johannes")),
        ("n", Value::Int(1), Value::Int(70000)),
        ("n", Value::Int(1), "many".into()),
        ("name", "john".into(), "a\0b".into()),
    ] {
        let change = update("people", rec([("id", 1)]), rec([(field, before)]), rec([(field, after.clone())]));
        assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Conflict, "{after}");
    }
    let long = insert("people", rec([("id", Value::Int(2)), ("name", "johannes".into())]));
    assert_eq!(t.commit(vec![long], &people()).unwrap_err().kind, Kind::Conflict);
    assert_eq!(t.value("SELECT string_agg(name || n, ',') FROM people").as_deref(), Some("john1"));
}

#[test]
fn a_trigger_that_alters_what_was_written_rolls_back() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'john');
        CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END';
        CREATE TRIGGER shout BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION shout()");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Conflict);
    assert_eq!(t.value("SELECT name FROM people").as_deref(), Some("john"));
}

#[test]
fn a_trigger_that_alters_what_was_not_asked_for_rolls_back() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY, name text, admin boolean); INSERT INTO people VALUES (1, 'john', false);
        CREATE FUNCTION crown() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.admin := true; RETURN NEW; END';
        CREATE TRIGGER crown BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION crown()");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    let refused = t.commit(vec![change], &people()).unwrap_err();
    assert_eq!((refused.kind, refused.message.contains("`admin`")), (Kind::Conflict, true), "{}", refused.message);
    assert_eq!(t.value("SELECT name || admin FROM people").as_deref(), Some("johnfalse"));
}

#[test]
fn a_view_is_read_and_not_written() {
    let t = Bench::postgres();
    t.script(
        "CREATE TABLE real_people (id int PRIMARY KEY, name text); INSERT INTO real_people VALUES (1, 'john');
        CREATE VIEW people AS SELECT * FROM real_people",
    );
    assert_eq!(t.all(&Select::from("people", ["name"])).0, [[Value::from("john")]]);
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Refused);
}

#[test]
fn a_twin_in_a_partitioned_table_is_touched_once() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (name text, n int) PARTITION BY LIST (n); CREATE TABLE one PARTITION OF people FOR VALUES IN (1);
        CREATE TABLE two PARTITION OF people FOR VALUES IN (2); INSERT INTO people VALUES ('a', 1), ('a', 1), ('a', 2), ('a', 2)");
    let twin = rec([("name", Value::from("a")), ("n", Value::Int(1))]);
    t.commit(vec![delete("people", twin.clone(), twin)], &facts(&[("people", &[])])).unwrap();
    assert_eq!(t.value("SELECT string_agg(n::text, '' ORDER BY n) FROM people").as_deref(), Some("122"));
}

#[test]
fn rows_hidden_by_a_policy_are_an_error_and_not_absent() {
    let t = Bench::postgres();
    t.script(
        "CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'john');
        ALTER TABLE people ENABLE ROW LEVEL SECURITY; ALTER TABLE people FORCE ROW LEVEL SECURITY",
    );
    let mut reader = t.store.reader().unwrap();
    assert_eq!(reader.select(&Select::from("people", ["id"])).unwrap_err().kind, Kind::Denied);
}

#[test]
fn a_record_somebody_changes_in_between_is_stale_or_locked() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'john'), (2, 'jane')");
    // The first change takes the snapshot; the second finds its record changed since.
    let rename =
        |id: i64, before: &str| update("people", rec([("id", id)]), rec([("name", before)]), rec([("name", "max")]));
    t.script(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.7); RETURN NEW; END';
        CREATE TRIGGER slow BEFORE UPDATE ON people FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION slow()",
    );
    let refused = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(350));
            t.database.script("UPDATE people SET name = 'eve' WHERE id = 2").unwrap();
        });
        open(postgres_server(&t.database), PASSWORD)
            .commit(&step(vec![rename(1, "john"), rename(2, "jane")]), &people(), &mut |_| Ok(()))
            .unwrap_err()
    });
    assert_eq!(refused.kind, Kind::Stale, "{refused}");
    assert_eq!(t.value("SELECT string_agg(name, ',' ORDER BY id) FROM people").as_deref(), Some("john,eve"));
}

#[test]
fn a_wrong_password_is_explained() {
    let t = Bench::postgres();
    let refused = open(postgres_server(&t.database), "hunter2").reader().err().unwrap();
    assert_eq!(refused.kind, Kind::Denied);
    assert!(refused.message.contains(USER) && !refused.message.contains("hunter2"), "{refused}");
    assert!(refused.help.unwrap().contains("not that of an account"));
}

#[test]
fn a_database_or_server_that_is_not_there_is_unreachable() {
    let t = Bench::postgres();
    let server = postgres_server(&t.database);
    let kind = |server: Server| open(server, PASSWORD).reader().err().unwrap().kind;
    assert_eq!(kind(Server { database: "nowhere".into(), ..server.clone() }), Kind::Unreachable);
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    assert_eq!(kind(Server { port: free, ..server.clone() }), Kind::Unreachable);
    assert_eq!(kind(Server { socket: Some("/nowhere".into()), ..server.clone() }), Kind::Unreachable);
    assert_eq!(kind(Server { tls: Some("require".into()), ..server }), Kind::Unreachable);
}

#[test]
fn a_server_that_says_nothing_is_given_up_on() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let server = Server { host: "127.0.0.1".into(), port, user: "x".into(), database: "x".into(), ..Server::default() };
    let began = Instant::now();
    assert_eq!(open(server, "x").reader().err().unwrap().kind, Kind::Unreachable);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_socket_works_like_the_port() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (1)");
    let server = servers::postgres().unwrap();
    let directory = server.socket.display().to_string();
    for socket in [directory.clone(), format!("{directory}/.s.PGSQL.{}", server.port)] {
        let place = Server { host: String::new(), socket: Some(socket), ..postgres_server(&t.database) };
        let rows = open(place, PASSWORD).reader().unwrap().select(&Select::from("people", ["id"])).unwrap().rows;
        assert_eq!(rows, [[Value::Int(1)]]);
    }
}

#[test]
fn a_commit_nobody_answers_is_an_unknown_outcome() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'john')");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    let mut witness = |_| {
        t.script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'latchlift'");
        std::thread::sleep(Duration::from_millis(200));
        Ok(())
    };
    let lost = t.store.commit(&step(vec![change]), &people(), &mut witness).unwrap_err();
    assert_eq!(lost.kind, Kind::Unfinished, "{lost}");
    assert_eq!(t.value("SELECT name FROM people").as_deref(), Some("john"));
}

#[test]
fn a_user_who_may_only_read_is_denied() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id int PRIMARY KEY, name text); INSERT INTO people VALUES (1, 'john')");
    t.script("REVOKE UPDATE ON people FROM CURRENT_USER");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Denied);
}

#[test]
fn a_lookup_uses_the_index() {
    let t = Bench::postgres();
    t.script("CREATE TABLE people (id text PRIMARY KEY, n int); INSERT INTO people SELECT 'n' || i, i FROM generate_series(1, 20000) i; ANALYZE people");
    let scans = || t.value("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'people'");
    // A session reports what it did when it is gone, a moment later than the next one can look.
    std::thread::sleep(Duration::from_millis(1500));
    let before = scans();
    for _ in 0..3 {
        let (rows, _) = t.all(&Select::from("people", ["n"]).filter(Filter::eq("id", "n777")));
        assert_eq!(rows, [[Value::Int(777)]]);
    }
    let change = update("people", rec([("id", "n777")]), rec([("n", 777)]), rec([("n", 7)]));
    t.commit(vec![change], &people()).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(before, scans(), "the whole table was read");
}
