//! What is MariaDB's and MySQL's own.

use crate::bench::{Bench, facts, mysql_server, step, update};
use latchlift::error::Kind;
use latchlift::store::Store;
use latchlift::store::mysql::Mysql;
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

fn open(server: Server, password: &str) -> Mysql {
    Mysql::new(server, Some(password.to_owned().into()), Duration::from_secs(1))
}

#[test]
fn a_guard_tells_letters_apart_in_every_character_set() {
    for (charset, collation) in [
        ("utf8mb4", "utf8mb4_general_ci"),
        ("utf8mb4", "utf8mb4_unicode_ci"),
        ("utf8mb4", "utf8mb4_unicode_nopad_ci"),
        ("utf8mb4", "utf8mb4_bin"),
        ("utf8mb3", "utf8mb3_general_ci"),
        ("latin1", "latin1_swedish_ci"),
    ] {
        let t = Bench::mysql_with(charset, collation);
        t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(50), pw VARCHAR(50), KEY (name))");
        t.script("INSERT INTO people VALUES (1, 'JOHN', 'a'), (2, 'Jürgen', 'b')");
        let set =
            |name: &str, pw: &str| update("people", rec([("name", name)]), rec([("pw", pw)]), rec([("pw", "new")]));
        let by_name = facts(&[("people", &["name"])]);
        for wrong in ["john", "JOHN ", "jürgen", "Jurgen", "√ not latin 𝄞"] {
            assert_eq!(t.commit(vec![set(wrong, "a")], &by_name).unwrap_err().kind, Kind::Stale, "{collation} {wrong}");
        }
        t.commit(vec![set("JOHN", "a"), set("Jürgen", "b")], &by_name).unwrap();
        let (rows, _) = t.all(&Select::from("people", ["name"]).filter(Filter::eq("name", "Jürgen")));
        assert_eq!(rows, [[Value::from("Jürgen")]], "{collation}");
    }
}

#[test]
fn a_lookup_uses_the_index() {
    for charset in ["utf8mb4", "latin1"] {
        let t = Bench::mysql_with(charset, &format!("{charset}_general_ci"));
        t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(50), KEY (name))");
        t.script("INSERT INTO people SELECT seq, concat('n', seq) FROM seq_1_to_20000");
        let server = servers::mariadb().unwrap();
        let mut admin = admin(server);
        use ::mysql::prelude::Queryable;
        let rows_read = |admin: &mut ::mysql::Conn| -> u64 {
            let row: Option<(String, u64)> =
                admin.query_first("SHOW GLOBAL STATUS LIKE 'Handler_read_rnd_next'").unwrap();
            row.unwrap().1
        };
        let mut reader = t.store.reader().unwrap();
        let query = Select::from("people", ["id"]).filter(Filter::eq("name", "n777"));
        assert_eq!(reader.select(&query).unwrap().rows, [[Value::Int(777)]]);
        // Other tests read as well, so the quietest of several tries counts.
        let read = |_| {
            let before = rows_read(&mut admin);
            reader.select(&query).unwrap();
            rows_read(&mut admin) - before
        };
        assert!((0..20).map(read).min().unwrap() < 10_000, "{charset}: the whole table was read");
    }
}

fn admin(server: &servers::Server) -> ::mysql::Conn {
    let options = ::mysql::OptsBuilder::new().user(Some("root")).socket(Some(server.socket.to_string_lossy()));
    ::mysql::Conn::new(options).unwrap()
}

#[test]
fn every_kind_of_column_is_read_guarded_and_restored() {
    let t = Bench::mysql();
    t.script(
        "SET sql_mode = ''; CREATE TABLE people (id BIGINT UNSIGNED PRIMARY KEY, small TINYINT(1), yr YEAR, bits BIT(10),
           money DECIMAL(12,2), f FLOAT, d DOUBLE, born DATE, at DATETIME, fine DATETIME(3), stamp TIMESTAMP NULL, t TIME,
           token VARBINARY(20), fixed BINARY(4), raw LONGBLOB, note LONGTEXT, role ENUM('user','admin'), tags SET('a','b'),
           doc JSON, address INET6);
         INSERT INTO people VALUES (18446744073709551615, 1, 2026, 513, 12.30, 0.1, 0.1, '0000-00-00', '0000-00-00 00:00:00',
           '2026-01-02 03:04:05.6', '2026-01-02 03:04:05', '-12:30:00', 'abc', x'00ff', x'ff00fe', 'länger', 'admin', 'a,b',
           '{\"k\": [1, 2]}', '::1')",
    );
    let before = t.database.dump().unwrap();
    let names: Vec<String> =
        t.store.reader().unwrap().columns("people").unwrap().unwrap().into_iter().map(|c| c.name).collect();
    let (rows, _) = t.all(&Select::from("people", names.clone()));
    let row = Record(names.into_iter().zip(rows.into_iter().next().unwrap()).collect());
    let seen = |name: &str| row.get(name).unwrap().clone();
    assert_eq!(seen("id"), Value::UInt(u64::MAX));
    assert_eq!((seen("small"), seen("bits"), seen("yr")), (Value::Int(1), Value::Int(513), Value::Int(2026)));
    assert_eq!((seen("money"), seen("d")), (Value::Number("12.30".into()), Value::Float(0.1)));
    assert_eq!((seen("born"), seen("at")), ("0000-00-00".into(), "0000-00-00 00:00:00".into()));
    assert_eq!((seen("fine"), seen("stamp")), ("2026-01-02 03:04:05.600".into(), "2026-01-02 03:04:05".into()));
    assert_eq!((seen("t"), seen("token"), seen("address")), ("-12:30:00".into(), "abc".into(), "::1".into()));
    assert_eq!((seen("fixed"), seen("raw")), (Value::Bytes(vec![0, 255, 0, 0]), Value::Bytes(vec![255, 0, 254])));
    assert_eq!((seen("note"), seen("role"), seen("tags")), ("länger".into(), "admin".into(), "a,b".into()));
    let key = Record(vec![("id".into(), seen("id"))]);
    t.commit(vec![delete("people", key, row.clone())], &people()).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM people").as_deref(), Some("0"));
    t.commit(vec![insert("people", row)], &people()).unwrap();
    assert!(before == t.database.dump().unwrap(), "the record came back changed");
}

#[test]
fn zero_dates_are_guarded_and_written() {
    let t = Bench::mysql();
    t.script(
        "SET sql_mode = ''; CREATE TABLE people (id INT PRIMARY KEY, at DATETIME NOT NULL);
        INSERT INTO people VALUES (1, '0000-00-00 00:00:00')",
    );
    let set =
        |before: &str, after: &str| update("people", rec([("id", 1)]), rec([("at", before)]), rec([("at", after)]));
    let (zero, now) = ("0000-00-00 00:00:00", "2026-11-21 10:00:00");
    assert_eq!(t.commit(vec![set(now, zero)], &people()).unwrap_err().kind, Kind::Stale);
    t.commit(vec![set(zero, now)], &people()).unwrap();
    t.commit(vec![set(now, zero)], &people()).unwrap();
    assert_eq!(t.value("SELECT count(*) FROM people WHERE at = 0").as_deref(), Some("1"));
}

#[test]
fn zero_stays_zero_in_a_column_that_counts_by_itself() {
    let t = Bench::mysql();
    t.script("CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9))");
    t.commit(vec![insert("people", rec([("id", Value::Int(0)), ("name", "x".into())]))], &people()).unwrap();
    assert_eq!(t.value("SELECT id FROM people").as_deref(), Some("0"));
}

#[test]
fn times_are_utc_whatever_the_server_says() {
    let t = Bench::mysql();
    t.script(
        "SET time_zone = '+05:00'; CREATE TABLE people (id INT PRIMARY KEY, at TIMESTAMP NULL);
        INSERT INTO people VALUES (1, '2026-01-01 05:00:00')",
    );
    assert_eq!(t.all(&Select::from("people", ["at"])).0, [[Value::from("2026-01-01 00:00:00")]]);
}

#[test]
fn floats_are_written_but_not_guarded() {
    let t = Bench::mysql();
    t.script(
        "CREATE TABLE people (id INT PRIMARY KEY, f FLOAT, pw VARCHAR(9)); INSERT INTO people VALUES (1, 0.3, 'old')",
    );
    let both = |f: f64, pw: &str| rec([("f", Value::Float(f)), ("pw", pw.into())]);
    t.commit(vec![update("people", rec([("id", 1)]), both(0.25, "old"), both(0.1, "new"))], &people()).unwrap();
    assert_eq!(t.value("SELECT concat(f, pw) FROM people").as_deref(), Some("0.1new"));
    let purge = |f: f64| {
        let filter = Filter::eq("f", Value::Float(f));
        let purge = Change::Purge { collection: "people".into(), filter, count: 1, keep: false };
        t.commit(vec![purge], &people()).unwrap();
        t.value("SELECT count(*) FROM people")
    };
    // A filter still compares: not being guarded must not mean that everything goes.
    assert_eq!(purge(0.7).as_deref(), Some("1"));
    assert_eq!(purge(f64::from(0.1f32)).as_deref(), Some("0"));
}

#[test]
fn text_that_is_too_long_or_does_not_fit_changes_nothing() {
    let t = Bench::mysql_with("latin1", "latin1_swedish_ci");
    t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(5), n TINYINT); INSERT INTO people VALUES (1, 'john', 1)");
    for (field, before, after) in [
        ("name", Value::from("john"), Value::from("johannes")),
        ("name", "john".into(), "✓".into()),
        ("n", Value::Int(1), Value::Int(1000)),
        ("n", Value::Int(1), "many".into()),
    ] {
        let change = update("people", rec([("id", 1)]), rec([(field, before)]), rec([(field, after.clone())]));
        assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Conflict, "{after}");
    }
    assert_eq!(t.value("SELECT concat(name, n) FROM people").as_deref(), Some("john1"));
}

#[test]
fn a_range_may_end_in_what_the_columns_character_set_has_not() {
    for (charset, collation) in [("latin1", "latin1_swedish_ci"), ("latin1", "latin1_bin"), ("utf8mb4", "utf8mb4_bin")]
    {
        let t = Bench::mysql_with(charset, collation);
        t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO people VALUES (1, 'jürgen'), (2, '???????'), (3, '?')");
        let found = |name: &str| {
            let range = Filter::Range { field: "name".into(), from: Some(name.into()), to: Some(name.into()) };
            t.all(&Select::from("people", ["id"]).filter(range)).0.len()
        };
        assert_eq!([found("jürgen"), found("Дмитрий"), found("✓")], [1, 0, 0], "{collation}");
    }
}

#[test]
fn a_trigger_that_alters_what_was_written_rolls_back() {
    let t = Bench::mysql();
    t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO people VALUES (1, 'john')");
    t.script("CREATE TRIGGER shout BEFORE UPDATE ON people FOR EACH ROW SET NEW.name = upper(NEW.name)");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Conflict);
    assert_eq!(t.value("SELECT name FROM people").as_deref(), Some("john"));
}

#[test]
fn a_trigger_that_alters_what_was_not_asked_for_rolls_back() {
    let t = Bench::mysql();
    t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), admin INT); INSERT INTO people VALUES (1, 'john', 0)");
    t.script("CREATE TRIGGER crown BEFORE UPDATE ON people FOR EACH ROW SET NEW.admin = 1");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    let refused = t.commit(vec![change], &people()).unwrap_err();
    assert_eq!((refused.kind, refused.message.contains("`admin`")), (Kind::Conflict, true), "{}", refused.message);
    assert_eq!(t.value("SELECT concat(name, admin) FROM people").as_deref(), Some("john0"));
}

#[test]
fn a_time_that_the_server_renews_is_no_side_effect() {
    let t = Bench::mysql();
    t.script(
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), \
         seen TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE current_timestamp())",
    );
    t.script("INSERT INTO people (id, name) VALUES (1, 'john')");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    t.commit(vec![change], &people()).unwrap();
    assert_eq!(t.value("SELECT concat(name, seen > '2021-01-01') FROM people").as_deref(), Some("max1"));
}

#[test]
fn a_trigger_that_forbids_is_a_conflict() {
    let t = Bench::mysql();
    t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO people VALUES (1, 'john')");
    t.script("CREATE TRIGGER no BEFORE UPDATE ON people FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Conflict);
}

#[test]
fn a_table_that_cannot_roll_back_is_refused() {
    let t = Bench::mysql();
    for engine in ["MyISAM", "Aria", "MEMORY"] {
        t.script(&format!("CREATE OR REPLACE TABLE people (id INT PRIMARY KEY, name VARCHAR(9)) ENGINE = {engine}"));
        t.script("INSERT INTO people VALUES (1, 'john')");
        let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
        let refused = t.commit(vec![change], &people()).unwrap_err();
        assert_eq!(refused.kind, Kind::Refused);
        assert!(refused.help.unwrap().contains("ALTER TABLE `people` ENGINE = InnoDB"));
        assert_eq!(t.value("SELECT name FROM people").as_deref(), Some("john"));
    }
}

#[test]
fn a_view_is_read_and_not_written() {
    let t = Bench::mysql();
    t.script(
        "CREATE TABLE real_people (id INT PRIMARY KEY, name VARCHAR(9)); INSERT INTO real_people VALUES (1, 'john');
        CREATE VIEW people AS SELECT * FROM real_people",
    );
    assert_eq!(t.all(&Select::from("people", ["name"])).0, [[Value::from("john")]]);
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    assert_eq!(t.commit(vec![change], &people()).unwrap_err().kind, Kind::Refused);
}

#[test]
fn a_foreign_key_of_several_columns_is_understood() {
    let t = Bench::mysql();
    t.script(
        "CREATE TABLE people (a INT, b INT, PRIMARY KEY (a, b)); INSERT INTO people VALUES (1, 1), (1, 2);
        CREATE TABLE pets (x INT, y INT, FOREIGN KEY (y, x) REFERENCES people (a, b) ON DELETE CASCADE);
        INSERT INTO pets VALUES (2, 1)",
    );
    let by_both = facts(&[("people", &["a", "b"])]);
    let gone = |b: i64| delete("people", rec([("a", 1), ("b", b)]), rec([("a", 1), ("b", b)]));
    assert_eq!(t.commit(vec![gone(2)], &by_both).unwrap_err().kind, Kind::Refused);
    t.commit(vec![gone(1)], &by_both).unwrap();
}

#[test]
fn a_computed_column_is_left_to_the_database() {
    let t = Bench::mysql();
    t.script(
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9), shout VARCHAR(9) AS (upper(name)) STORED,
        made DATETIME DEFAULT CURRENT_TIMESTAMP); INSERT INTO people (id, name, made) VALUES (1, 'john', '2026-01-01')",
    );
    let purge = Change::Purge { collection: "people".into(), filter: Filter::All, count: 1, keep: true };
    let receipt = t.commit(vec![purge], &people()).unwrap();
    let back = receipt.kept.into_iter().flatten().map(|row| insert("people", row)).collect();
    t.commit(back, &people()).unwrap();
    assert_eq!(t.value("SELECT concat(shout, made) FROM people").as_deref(), Some("JOHN2026-01-01 00:00:00"));
}

#[test]
fn same_says_what_the_servers_equality_says() {
    let t = Bench::mysql();
    let names = ["john", "JOHN", "john  ", "jöhn", "john\t", "", " ", "straße", "strasse", "i", "ı", "😀", "😃"];
    for collation in
        ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "utf8mb4_unicode_520_nopad_ci", "latin1_german2_ci"]
    {
        let charset = collation.split('_').next().unwrap();
        let names: Vec<&str> =
            names.into_iter().filter(|name| charset != "latin1" || name.chars().all(|c| (c as u32) < 256)).collect();
        t.script(&format!("CREATE OR REPLACE TABLE people (id INT PRIMARY KEY, name VARCHAR(50)) CHARSET {charset} COLLATE {collation}"));
        let values: Vec<String> = names.iter().enumerate().map(|(i, name)| format!("({i}, '{name}')")).collect();
        t.script(&format!("SET NAMES utf8mb4; INSERT INTO people VALUES {}", values.join(", ")));
        let (rows, _) = t.all(&Select::from("people", ["name"]).same("name").order(["id"]));
        let said = t.database.rows("SELECT a.id, b.id, a.name = b.name FROM people a, people b").unwrap();
        assert_eq!(said.len(), names.len() * names.len());
        for pair in said {
            let [a, b, equal] = [0, 1, 2].map(|i| pair[i].as_ref().unwrap().parse::<usize>().unwrap());
            assert_eq!(rows[a][1] == rows[b][1], equal == 1, "{collation}: {} and {}", rows[a][0], rows[b][0]);
        }
    }
}

#[test]
fn pages_of_a_folding_key_lose_nobody() {
    let t = Bench::mysql();
    t.script(
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9));
        INSERT INTO people VALUES (1, 'john'), (2, 'JOHN'), (3, 'John'), (4, 'jane')",
    );
    let (rows, pages) = t.all(&Select { limit: 1, ..Select::from("people", ["id"]).order(["name"]) });
    assert_eq!((rows.into_iter().flatten().collect::<Vec<_>>(), pages), ([4, 1, 2, 3].map(Value::Int).to_vec(), 5));
}

#[test]
fn a_wrong_password_is_explained() {
    let t = Bench::mysql();
    let refused = open(mysql_server(&t.database), "hunter2").reader().err().unwrap();
    assert_eq!(refused.kind, Kind::Denied);
    assert!(refused.message.contains(USER) && !refused.message.contains("hunter2"), "{refused}");
    assert!(refused.help.unwrap().contains("not that of an account"));
}

#[test]
fn a_database_or_server_that_is_not_there_is_unreachable() {
    let t = Bench::mysql();
    let server = mysql_server(&t.database);
    let kind = |server: Server| open(server, PASSWORD).reader().err().unwrap().kind;
    assert_eq!(kind(Server { database: "nowhere".into(), ..server.clone() }), Kind::Unreachable);
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    assert_eq!(kind(Server { port: free, ..server.clone() }), Kind::Unreachable);
    assert_eq!(kind(Server { socket: Some("/nowhere/sock".into()), ..server.clone() }), Kind::Unreachable);
    assert_eq!(kind(Server { tls: Some("require".into()), ..server }), Kind::Unreachable);
}

#[test]
fn a_server_that_says_nothing_is_given_up_on() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let server = Server { host: "127.0.0.1".into(), port, user: "x".into(), database: "x".into(), ..Server::default() };
    let began = Instant::now();
    let refused = open(server, "x").reader().err().unwrap();
    assert_eq!(refused.kind, Kind::Unreachable);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_socket_works_like_the_port() {
    let t = Bench::mysql();
    t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9)); INSERT INTO people VALUES (1, 'john')");
    let socket = servers::mariadb().unwrap().socket.display().to_string();
    let server = Server { host: String::new(), port: 0, socket: Some(socket.clone()), ..mysql_server(&t.database) };
    let store = open(server, PASSWORD);
    assert!(store.place().starts_with(&format!("mysql://{USER}@localhost/")) && store.place().ends_with(&socket));
    assert_eq!(
        store.reader().unwrap().select(&Select::from("people", ["name"])).unwrap().rows,
        [[Value::from("john")]]
    );
}

#[test]
fn a_commit_nobody_answers_is_an_unknown_outcome() {
    use ::mysql::prelude::Queryable;
    let t = Bench::mysql();
    t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9)); INSERT INTO people VALUES (1, 'john')");
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    let database = mysql_server(&t.database).database;
    let mut witness = |_| {
        let mut admin = admin(servers::mariadb().unwrap());
        let mine = format!("SELECT id FROM information_schema.processlist WHERE db = '{database}'");
        for id in admin.query::<u64, _>(mine).unwrap() {
            admin.query_drop(format!("KILL {id}")).unwrap();
        }
        Ok(())
    };
    let lost = t.store.commit(&step(vec![change]), &people(), &mut witness).unwrap_err();
    assert_eq!(lost.kind, Kind::Unfinished, "{lost}");
}

#[test]
fn a_user_who_may_only_read_is_denied() {
    use ::mysql::prelude::Queryable;
    let t = Bench::mysql();
    t.script("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(9)); INSERT INTO people VALUES (1, 'john')");
    let server = mysql_server(&t.database);
    let mut admin = admin(servers::mariadb().unwrap());
    let user = format!("reader_{}", server.database);
    admin.query_drop(format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY 'pw'")).unwrap();
    admin.query_drop(format!("GRANT SELECT ON {}.* TO {user}@'127.0.0.1'", server.database)).unwrap();
    let store = open(Server { user, ..server }, "pw");
    assert_eq!(store.reader().unwrap().select(&Select::from("people", ["id"])).unwrap().rows.len(), 1);
    let change = update("people", rec([("id", 1)]), rec([("name", "john")]), rec([("name", "max")]));
    let denied = store.commit(&step(vec![change]), &people(), &mut |_| Ok(())).unwrap_err();
    assert_eq!(denied.kind, Kind::Denied, "{denied}");
}
