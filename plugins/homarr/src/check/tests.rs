//! What `app check` finds: rows in, findings out.

use crate::schema::{GROUP, INVITE, MEMBER, ONBOARDING, PERMISSION, SESSION, USER};
use crate::testing::{Store, homarr, request, settings};
use latchlift_plugin_api::{Batch, Check, Request, Severity, StoreKind, Value};

fn checked(store: &Store, request: &Request) -> Check {
    match store.read(request).unwrap().as_slice() {
        [Batch::Check(check)] => check.clone(),
        other => panic!("not one check: {other:?}"),
    }
}

fn codes(check: &Check) -> Vec<(&str, Severity)> {
    check.findings.iter().map(|finding| (finding.code.as_str(), finding.severity)).collect()
}

#[test]
fn a_sound_instance_has_nothing_serious() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "admin").member("g-admin", "1");
    let check = checked(&store, &request("app.check", ""));
    assert_eq!((codes(&check), check.accounts), (vec![("layout", Severity::Note)], 1));
    assert_eq!(check.version.as_deref(), Some("1.71.0 or newer"));
}

#[test]
fn everything_wrong_is_found_worst_first() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "Root").user("2", "bob").user("3", "bob").member("g-admin", "1");
    store.row(USER, [("id", "4".into()), ("name", "eve".into()), ("provider", "credentials".into())]);
    store.session("x", "99", Value::Int(1)).row(MEMBER, [("group_id", "gone".into()), ("user_id", "2".into())]);
    store.table(ONBOARDING, &["id", "step"]);
    let check = checked(&store, &request("app.check", ""));
    let expected = [
        ("no_admin", Severity::Serious),
        ("name_case", Severity::Serious),
        ("shadowed", Severity::Serious),
        ("setup_pending", Severity::Serious),
        ("duplicate", Severity::Warning),
        ("no_password", Severity::Warning),
        ("orphan", Severity::Warning),
        ("orphan", Severity::Warning),
        ("ended_sessions", Severity::Note),
        ("layout", Severity::Note),
    ];
    assert_eq!(codes(&check), expected);
    assert_eq!(check.findings[0].fix, ["user", "fix-names"]);
    assert_eq!(check.findings[6].evidence.as_deref(), Some(SESSION));
}

#[test]
fn a_lock_out_without_any_administrator_offers_a_free_name() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "admin");
    assert_eq!(checked(&store, &request("app.check", "")).findings[0].fix, ["admin", "recreate", "rescue"]);
    store.outside("2", "alice", "oidc").member("g-admin", "2");
    assert_eq!(codes(&checked(&store, &request("app.check", "")))[0], ("no_local_admin", Severity::Warning));
}

#[test]
fn mariadb_is_told_by_its_own_collations() {
    let mut store = homarr(StoreKind::Mysql);
    store.user("1", "admin").member("g-admin", "1");
    store.collate("utf8mb4_uca1400_ai_ci");
    assert_eq!(codes(&checked(&store, &request("app.check", "")))[0], ("mariadb", Severity::Serious));
}

#[test]
fn a_salt_that_is_not_the_hashes_is_found() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "admin").member("g-admin", "1").add_column(USER, "salt");
    assert_eq!(codes(&checked(&store, &request("app.check", "")))[0], ("stale_salt", Severity::Warning));
}

#[test]
fn an_open_wizard_is_closed_by_a_new_administrator() {
    let mut store = homarr(StoreKind::Sqlite);
    store.table(ONBOARDING, &["id", "step"]);
    store.user("1", "admin").member("g-admin", "1");
    let check = checked(&store, &request("app.check", ""));
    assert_eq!(codes(&check)[0], ("setup_pending", Severity::Serious));
    assert_eq!(check.findings[0].fix, ["admin", "recreate", "rescue", "--allow-existing-admin"]);
}

/// A database with an administrator, on which nothing is to be said but its layout.
fn sound(kind: StoreKind) -> Store {
    let mut store = homarr(kind);
    store.user("1", "admin").member("g-admin", "1");
    store
}

#[test]
fn mariadb_is_told_by_its_list_of_settings() {
    const VARIABLES: &str = "information_schema.SYSTEM_VARIABLES";
    let mut store = sound(StoreKind::Mysql);
    store.table(VARIABLES, &["VARIABLE_NAME", "GLOBAL_VALUE"]);
    store.row(VARIABLES, [("VARIABLE_NAME", "VERSION".into()), ("GLOBAL_VALUE", "10.11.6-MariaDB".into())]);
    let check = checked(&store, &request("app.check", ""));
    assert_eq!(codes(&check)[0], ("mariadb", Severity::Serious));
    assert_eq!(check.findings[0].evidence.as_deref(), Some("version 10.11.6-MariaDB"));
    let message = &check.findings[0].message;
    assert!(message.contains("no change of an account helps"), "{message}");
}

fn with_migrations(count: i64, newest: i64) -> Store {
    let mut store = sound(StoreKind::Sqlite);
    store.table("__drizzle_migrations", &["hash", "created_at"]);
    for n in 0..count {
        store.row("__drizzle_migrations", [("created_at", Value::Int(newest - n))]);
    }
    store
}

#[test]
fn migrations_are_counted_and_compared_with_the_tables() {
    let found = |store: &Store, request: &Request| -> Vec<(String, Severity)> {
        let findings = checked(store, request).findings.into_iter();
        findings.map(|finding| (finding.code, finding.severity)).collect()
    };
    let asked = request("app.check", "");
    let own = |codes: &[(&str, Severity)]| codes.iter().map(|(code, s)| ((*code).to_owned(), *s)).collect::<Vec<_>>();
    assert_eq!(found(&with_migrations(42, 1_783_786_658_943), &asked), own(&[("layout", Severity::Note)]));
    let mut older = with_migrations(41, 1_779_300_000_000);
    older.drop_column(USER, "enable_right_click_on_widgets");
    let behind = own(&[("migrations_missing", Severity::Note), ("layout", Severity::Note)]);
    assert_eq!(found(&older, &asked), behind);
    let off = Request { settings: settings(&[("DB_MIGRATIONS_DISABLED", "true")]), ..request("app.check", "") };
    assert_eq!(found(&older, &off)[0], ("migrations_missing".to_owned(), Severity::Warning));
    let mut half = with_migrations(42, 1_783_786_658_943);
    half.drop_column(USER, "enable_right_click_on_widgets");
    assert_eq!(found(&half, &asked)[0], ("migration_incomplete".to_owned(), Severity::Serious));
}

#[test]
fn the_files_owner_and_mode_are_looked_at() {
    let found = |uid, mode, puid: &str| -> Vec<String> {
        let mut store = sound(StoreKind::Sqlite);
        store.file(uid, mode);
        let asked = Request { settings: settings(&[("PUID", puid)]), ..request("app.check", "") };
        let findings = checked(&store, &asked).findings.into_iter();
        findings.map(|finding| finding.code).filter(|code| code.starts_with("file")).collect()
    };
    assert_eq!(found(0, 0o640, "0"), ["file"]);
    assert_eq!(found(1000, 0o644, "1000"), ["file"]);
    assert_eq!(found(0, 0o644, "1000"), ["file_owner", "file"]);
    assert_eq!(found(0, 0o666, ""), ["file_writable", "file"]);
    assert_eq!(found(0, 0o444, ""), ["file_read_only", "file"]);
}

#[test]
fn every_record_that_leads_nowhere_is_found() {
    let mut store = sound(StoreKind::Sqlite);
    store.row(INVITE, [("id", "i".into()), ("creator_id", "gone".into())]);
    store.row(GROUP, [("id", "g".into()), ("name", "family".into()), ("owner_id", "gone".into())]);
    store.row(PERMISSION, [("group_id", "gone".into()), ("permission", "admin".into())]);
    let check = checked(&store, &request("app.check", ""));
    let orphans = check.findings.iter().filter(|finding| finding.code == "orphan");
    let places: Vec<&str> = orphans.filter_map(|finding| finding.evidence.as_deref()).collect();
    assert_eq!(places, [INVITE, GROUP, PERMISSION]);
}

#[test]
fn accounts_that_share_an_address_are_named() {
    let mut store = sound(StoreKind::Sqlite);
    for (id, provider, email) in [("2", "credentials", "jo@x.org"), ("3", "oidc", "JO@x.org"), ("4", "ldap", "")] {
        let cells = [("id", id.into()), ("name", format!("person{id}").into()), ("provider", provider.into())];
        let [a, b, c] = cells;
        store.row(USER, [a, b, c, ("email", email.into())]);
    }
    let check = checked(&store, &request("app.check", ""));
    let shared = check.findings.iter().find(|finding| finding.code == "shared_email").unwrap();
    assert_eq!(shared.evidence.as_deref(), Some("`person2` and `person3`"));
}

#[test]
fn names_that_collide_are_told_apart_from_names_that_do_not() {
    let mut store = sound(StoreKind::Sqlite);
    store.user("2", "John").user("3", "jane").user("4", "Jane");
    let check = checked(&store, &request("app.check", ""));
    let cases: Vec<(&str, String)> = check
        .findings
        .iter()
        .filter(|finding| finding.code == "name_case")
        .map(|finding| (finding.evidence.as_deref().unwrap(), finding.fix.join(" ")))
        .collect();
    assert_eq!(
        cases,
        [("`John`", "user fix-names John".to_owned()), ("`Jane`", "user rename --id 4 jane2".to_owned())]
    );
}
