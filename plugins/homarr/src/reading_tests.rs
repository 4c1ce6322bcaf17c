//! What is read: rows in, exact answers out.

use crate::schema::{API_KEY, BOARD, INVITE, LINK, PERMISSION, USER};
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
        let link = [("user_id", "2".into()), ("provider", "oidc".into()), ("provider_account_id", "sub-2".into())];
        store.row(LINK, link).table(BOARD, &["id", "name", "creator_id"]);
        for board in ["home", "lab"] {
            store.row(BOARD, [("id", board.into()), ("name", board.into()), ("creator_id", "1".into())]);
        }
        store.row(PERMISSION, [("group_id", "g-all".into()), ("permission", "board-create".into())]);
        let listed = accounts(&store, &request("user.list", ""));
        let admin = &listed[0];
        // A session that ends this very moment is still taken, one that ended a second ago is not.
        assert_eq!((admin.sessions, admin.tokens, admin.admin), (Known::Is(1), Known::Is(1), Known::Is(true)));
        assert_eq!(admin.groups, Known::Is(vec!["everyone".to_owned(), "credentials-admin".to_owned()]));
        assert_eq!((admin.can_sign_in, admin.hash.clone()), (Known::Is(true), Known::Is("bcrypt 10".to_owned())));
        assert_eq!((admin.extra["invites"].as_str(), admin.extra["boards"].as_str()), ("1", "2"));
        let alice = &listed[1];
        assert_eq!(
            (alice.admin, alice.can_sign_in, alice.has_password),
            (Known::Is(false), Known::Nothing, Known::Is(false))
        );
        assert_eq!((alice.reasons[0].code.as_str(), alice.reasons[0].blocking), ("provider", false));
        let mut shown = accounts(&store, &request("user.show", "Admin "));
        let more = ["board_names", "permissions"].map(|name| shown[0].extra.remove(name).unwrap());
        assert_eq!((more, &shown[..]), (["home, lab".to_owned(), "board-create".to_owned()], &listed[..1]));
        assert_eq!(accounts(&store, &request("user.show", "alice"))[0].extra["linked_to"], "oidc sub-2");
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
fn what_keeps_everybody_out_is_said_of_every_account_and_changes_nothing_else() {
    let mut store = homarr(StoreKind::Mysql);
    store.user("1", "admin").user("2", "bob").member("g-admin", "1");
    let told = |store: &Store, verb, name| -> Vec<Vec<String>> {
        let of = |account: Account| account.reasons.into_iter().map(|reason| reason.code).collect();
        let batches = store.read(&request(verb, name)).unwrap().into_iter();
        batches
            .filter_map(|batch| if let Batch::Accounts(all) = batch { Some(all) } else { None })
            .flatten()
            .map(of)
            .collect()
    };
    assert_eq!(told(&store, "user.list", ""), [[], []] as [[&str; 0]; 2]);
    store.collate("utf8mb4_uca1400_ai_ci");
    assert_eq!(told(&store, "user.list", ""), [["mariadb"], ["mariadb"]]);
    assert_eq!(told(&store, "user.show", "bob"), [["mariadb"]]);
    let beside = store.read(&request("user.list", "")).unwrap().remove(0);
    assert!(matches!(beside, Batch::Note(note) if note.contains("MariaDB")));
    // The account itself is as it was, or the rule of the last administrator would no longer protect anybody.
    let shown = verdict(&store, "bob", 1);
    assert_eq!((shown.can_sign_in, shown.reasons[0].blocking), (true.into(), false));
    assert_eq!(store.plan(&request("user.remove", "admin")).unwrap_err().kind, latchlift_plugin_api::Kind::Refused);
    let plan = store.plan(&Request { password: Some(Handle(2)), ..request("password.reset", "bob") }).unwrap();
    assert!(plan.warnings[0].contains("MariaDB"), "{:?}", plan.warnings);
    let mut store = homarr(StoreKind::Sqlite);
    store.table(crate::schema::ONBOARDING, &["id", "step"]).user("1", "admin");
    assert_eq!(told(&store, "user.list", ""), [["setup_pending"]]);
}
