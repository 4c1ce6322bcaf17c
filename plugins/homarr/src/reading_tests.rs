//! What is read: rows in, exact answers out.

use crate::schema::{API_KEY, INVITE, LINK, MEMBER, ONBOARDING, PERMISSION, SESSION, USER};
use crate::testing::{HASH, Store, homarr, request, settings};
use latchlift_plugin_api::{
    Account, Batch, Check, Handle, Kind, Known, Request, Session, Severity, StoreKind, Target, Time, Value, Verdict,
    fingerprint,
};

fn accounts(store: &Store, request: &Request) -> Vec<Account> {
    let batches = store.read(request).unwrap().into_iter();
    let of = |batch| if let Batch::Accounts(accounts) = batch { accounts } else { panic!("not accounts") };
    batches.flat_map(of).collect()
}

fn sessions(store: &Store, request: &Request) -> Vec<Session> {
    let batches = store.read(request).unwrap().into_iter();
    let of = |batch| if let Batch::Sessions(sessions) = batch { sessions } else { panic!("not sessions") };
    batches.flat_map(of).collect()
}

fn checked(store: &Store, request: &Request) -> Check {
    match store.read(request).unwrap().as_slice() {
        [Batch::Check(check)] => check.clone(),
        other => panic!("not one check: {other:?}"),
    }
}

fn verdict(store: &Store, name: &str, password: u32) -> Verdict {
    judged(store, &Request { password: Some(Handle(password)), ..request("password.check", name) })
}

fn judged(store: &Store, request: &Request) -> Verdict {
    match store.read(request).unwrap().as_slice() {
        [Batch::Verdict(verdict)] => verdict.clone(),
        other => panic!("not one verdict: {other:?}"),
    }
}

fn codes(check: &Check) -> Vec<(&str, Severity)> {
    check.findings.iter().map(|finding| (finding.code.as_str(), finding.severity)).collect()
}

#[test]
fn an_account_is_listed_with_all_that_belongs_to_it() {
    for kind in [StoreKind::Sqlite, StoreKind::Mysql, StoreKind::Postgres] {
        let mut store = homarr(kind);
        let time = |seconds: i64| match kind {
            StoreKind::Sqlite => Value::Int(seconds * 1000),
            StoreKind::Postgres => format!("{}.000", Time::from_seconds(seconds).sql()).into(),
            _ => Time::from_seconds(seconds).sql().into(),
        };
        store.user("1", "admin").member("g-admin", "1").member("g-all", "1").outside("2", "alice", "oidc");
        store.session("a", "1", time(1_795_232_820)).session("b", "1", time(1_795_232_819));
        store.row(API_KEY, [("id", "k".into()), ("user_id", "1".into())]);
        store.row(INVITE, [("id", "i".into()), ("creator_id", "1".into())]);
        store.row(LINK, [("user_id", "2".into()), ("provider", "oidc".into())]);
        let listed = accounts(&store, &request("user.list", ""));
        let admin = &listed[0];
        // A session that ends this very moment is still taken, one that ended a second ago is not.
        assert_eq!((admin.sessions, admin.tokens, admin.admin), (Known::Is(1), Known::Is(1), Known::Is(true)));
        assert_eq!(admin.groups, Known::Is(vec!["everyone".to_owned(), "credentials-admin".to_owned()]));
        assert_eq!((admin.can_sign_in, admin.hash.clone()), (Known::Is(true), Known::Is("bcrypt 10".to_owned())));
        assert_eq!(admin.extra["invites"], "1");
        let alice = &listed[1];
        assert_eq!(
            (alice.admin, alice.can_sign_in, alice.has_password),
            (Known::Is(false), Known::Nothing, Known::Is(false))
        );
        assert_eq!((alice.reasons[0].code.as_str(), alice.reasons[0].blocking), ("provider", false));
        let shown = accounts(&store, &request("user.show", "Admin "));
        assert_eq!(shown, listed[..1]);
    }
}

#[test]
fn all_accounts_of_a_name_are_shown() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "maria").outside("2", "Maria", "oidc").user("3", "bob");
    let ids = |request: &Request| accounts(&store, request).into_iter().map(|account| account.id).collect::<Vec<_>>();
    assert_eq!(ids(&request("user.show", "MARIA")), ["1", "2"]);
    let target = Target { name: "maria".into(), provider: Some("oidc".into()), ..Target::default() };
    assert_eq!(ids(&Request { target: Some(target), ..request("user.show", "") }), ["2"]);
    assert_eq!(store.read(&request("user.show", "mario")).unwrap_err().kind, Kind::NotFound);
}

#[test]
fn an_administrating_everyone_makes_all_administrators() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "bob").row(PERMISSION, [("group_id", "g-all".into()), ("permission", "admin".into())]);
    assert_eq!(accounts(&store, &request("user.list", ""))[0].admin, Known::Is(true));
    assert_eq!(codes(&checked(&store, &request("app.check", "")))[0], ("everyone_admin", Severity::Serious));
}

#[test]
fn sessions_are_named_by_fingerprint() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "bob").session("tok", "1", Value::Int(5000)).session("lost", "9", Value::Int(1_895_232_820_000));
    let listed = sessions(&store, &request("session.list", ""));
    assert_eq!((listed[0].id.clone(), listed[0].expired), (fingerprint("tok"), true));
    assert_eq!(listed[0].expires_at, Known::Is(Time(5000)));
    assert_eq!((listed[1].account.clone(), listed[1].expired), (Known::Nothing, false));
    assert_eq!(sessions(&store, &request("session.list", "BOB")).len(), 1);
}

#[test]
fn a_check_picks_the_account_that_the_login_picks() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "Jane").user("2", "jane");
    let right = verdict(&store, "Jane", 1);
    assert_eq!((right.account.unwrap().id.as_str(), right.matches, right.can_sign_in), ("2", true, Known::Is(true)));
    assert!(right.reasons[0].message.contains("id 1"), "{:?}", right.reasons);
    let wrong = verdict(&store, "jane", 2);
    assert_eq!((wrong.matches, wrong.can_sign_in), (false, Known::Is(false)));
    let by_id = Target { id: Some("1".into()), ..Target::default() };
    let jane = judged(&store, &Request { target: Some(by_id), ..request("password.check", "") });
    assert_eq!((jane.matches, jane.can_sign_in, jane.reasons[0].code.as_str()), (true, Known::Is(false), "name_case"));
}

#[test]
fn a_check_says_why_the_login_finds_nobody() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "John").outside("2", "alice", "oidc").user("3", "bob");
    let john = verdict(&store, "john", 1);
    assert_eq!((john.account, john.matches, john.can_sign_in), (None, false, Known::Is(false)));
    assert_eq!(
        (john.reasons[0].code.as_str(), &john.reasons[0].fix[..]),
        ("name_case", &["user", "fix-names"].map(String::from)[..])
    );
    assert_eq!(verdict(&store, "alice", 1).reasons[0].code, "provider");
    let blank = verdict(&store, " bob", 1);
    assert!(blank.account.is_none() && blank.reasons.iter().any(|reason| reason.message.contains("type `bob`")));
    assert_eq!(store.read(&request("password.check", "nobody")).unwrap_err().kind, Kind::NotFound);
}

#[test]
fn a_hash_that_homarr_rejects_matches_nothing() {
    let mut store = homarr(StoreKind::Sqlite);
    let hash = HASH.replacen("2b", "2y", 1);
    store.row(
        USER,
        [("id", "1".into()), ("name", "bob".into()), ("provider", "credentials".into()), ("password", hash.into())],
    );
    let bob = verdict(&store, "bob", 1);
    assert_eq!((bob.matches, bob.can_sign_in), (false, Known::Is(false)));
    assert_eq!(
        (bob.reasons[0].code.as_str(), bob.reasons[0].fix.join(" ")),
        ("hash_unreadable", "password reset bob".to_owned())
    );
}

#[test]
fn a_check_knows_that_passwords_are_switched_off() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "bob");
    let asked = Request { settings: settings(&[("AUTH_PROVIDERS", "oidc")]), ..request("password.check", "bob") };
    let bob = judged(&store, &asked);
    assert_eq!(
        (bob.matches, bob.can_sign_in, bob.reasons[0].code.as_str()),
        (true, Known::Is(false), "provider_disabled")
    );
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
