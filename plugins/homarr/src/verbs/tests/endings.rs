//! What ends for good: passwords, API keys, invitations. And names that are decided.

use super::*;
use crate::schema::INVITE;
use latchlift_plugin_api::Target;

#[test]
fn a_password_goes_with_its_salt_and_sessions() {
    let mut store = people(StoreKind::Sqlite);
    store.add_column(USER, "salt");
    let plan = store.plan(&request("password.remove", "john")).unwrap();
    let expected = [
        update(USER, Record::from([("id", "2")]), [("password", HASH.into(), Value::Null)]).unwrap(),
        purge(SESSION, Filter::eq("user_id", "2"), 1).unwrap(),
    ];
    assert_eq!(changes(&plan), expected);
    store.outside("7", "alice", "oidc");
    assert_eq!(store.plan(&request("password.remove", "alice")).unwrap_err().kind, Kind::Refused);
    store.row(USER, [("id", "8".into()), ("name", "nora".into()), ("provider", "credentials".into())]);
    assert!(store.plan(&request("password.remove", "nora")).unwrap().is_empty());
}

#[test]
fn api_keys_end_by_account_by_id_by_the_key_itself_and_all() {
    let store = people(StoreKind::Sqlite);
    let ids = |id: &str| Request { ids: vec![id.into()], ..request("token.revoke", "") };
    let plan = store.plan(&request("token.revoke", "admin")).unwrap();
    assert_eq!(changes(&plan), [purge(API_KEY, Filter::eq("user_id", "1"), 1).unwrap()]);
    for id in ["k", "k.0123456789abcdef"] {
        let plan = store.plan(&ids(id)).unwrap();
        assert_eq!(changes(&plan), [purge(API_KEY, Filter::is_in("id", ["k"]), 1).unwrap()]);
    }
    let none = store.plan(&ids("lost.0123456789abcdef")).unwrap();
    assert!(none.is_empty() && !none.warnings[0].contains("0123456789abcdef"), "{:?}", none.warnings);
    let mut old = request("token.revoke", "");
    old.options.expired = true;
    assert!(store.plan(&old).unwrap().is_empty());
    assert_eq!(store.plan(&request("token.revoke", "")).unwrap_err().kind, Kind::Usage);
    let mut unused = request("token.revoke", "admin");
    unused.options.unused_for = Some(1);
    assert_eq!(store.plan(&unused).unwrap_err().kind, Kind::Unsupported);
}

#[test]
fn invitations_end_by_account_by_id_by_token_and_by_age() {
    let mut store = people(StoreKind::Sqlite);
    for (id, ends) in [("i", 1_795_300_000), ("old", 1_795_232_819)] {
        let token = format!("token-{id}");
        let cells = [("id", id.into()), ("token", token.into()), ("creator_id", "1".into())];
        let [a, b, c] = cells;
        store.row(INVITE, [a, b, c, ("expiration_date", Value::Int(ends))]);
    }
    let plan = store.plan(&request("invite.revoke", "admin")).unwrap();
    assert_eq!(changes(&plan), [purge(INVITE, Filter::eq("creator_id", "1"), 2).unwrap()]);
    for id in ["i", "token-i"] {
        let plan = store.plan(&Request { ids: vec![id.into()], ..request("invite.revoke", "") }).unwrap();
        assert_eq!(changes(&plan), [purge(INVITE, Filter::is_in("id", ["i"]), 1).unwrap()]);
    }
    let mut old = request("invite.revoke", "");
    old.options.expired = true;
    let ended = Filter::Range { field: "expiration_date".into(), from: None, to: Some(Value::Int(1_795_232_819)) };
    assert_eq!(changes(&store.plan(&old).unwrap()), [purge(INVITE, ended, 1).unwrap()]);
    assert!(store.plan(&request("invite.revoke", "jane")).unwrap().is_empty());
    assert_eq!(store.plan(&request("invite.revoke", "")).unwrap_err().kind, Kind::Usage);
}

#[test]
fn who_keeps_a_name_leaves_a_free_one_to_the_others() {
    let mut store = people(StoreKind::Sqlite);
    store.user("6", "Jane").user("7", "JANE ").user("8", "jane2");
    let keep = |id: &str, name: &str| {
        let mut asked = request("user.fix-names", name);
        asked.options.keep = Some(id.to_owned());
        store.plan(&asked)
    };
    let plan = keep("6", "jane").unwrap();
    let expected = [
        set(USER, "6", &[("name", "Jane", "jane")]),
        set(USER, "3", &[("name", "jane", "jane3")]),
        set(USER, "7", &[("name", "JANE ", "jane4")]),
    ];
    assert_eq!(changes(&plan), expected);
    let all = keep("3", "").unwrap();
    assert_eq!(changes(&all).len(), 3, "John's name is mended too, and jane's stays");
    assert!(all.warnings.iter().any(|warning| warning.contains("`jane3`")), "{:?}", all.warnings);
    assert_eq!(keep("99", "").unwrap_err().kind, Kind::NotFound);
    assert_eq!(keep("2", "jane").unwrap_err().kind, Kind::Usage);
    assert_eq!(keep("5", "").unwrap_err().kind, Kind::Usage);
}

#[test]
fn one_name_is_mended_while_others_collide() {
    let mut store = people(StoreKind::Sqlite);
    store.user("6", "Jane").outside("7", "john", "oidc");
    let plan = store.plan(&request("user.fix-names", "john")).unwrap();
    assert_eq!(changes(&plan), [set(USER, "2", &[("name", "John", "john")])]);
    let error = store.plan(&request("user.fix-names", "jane")).unwrap_err();
    assert!(error.message.contains("today `jane` (id 3) can sign in"), "{error}");
    assert!(error.help.unwrap().contains("`latchlift user fix-names jane --keep 3`"));
    let outside = Target { provider: Some("oidc".into()), ..request("", "john").target.unwrap() };
    let asked = Request { target: Some(outside), ..request("user.fix-names", "") };
    assert_eq!(store.plan(&asked).unwrap_err().kind, Kind::Refused);
}

#[test]
fn of_several_shared_names_one_is_decided_at_a_time() {
    let mut store = people(StoreKind::Sqlite);
    store.user("6", "Jane");
    let help = |store: &Store| store.plan(&request("user.fix-names", "")).unwrap_err().help.unwrap();
    assert!(help(&store).contains("`latchlift user fix-names --keep 3`"), "{}", help(&store));
    store.user("7", "Ann  Lee").user("8", "ann  lee");
    let told = help(&store);
    assert!(told.contains("`latchlift user fix-names jane --keep 3`"), "{told}");
}

#[test]
fn only_invitations_that_still_work_are_told_of() {
    let mut store = people(StoreKind::Sqlite);
    let invite = |store: &mut Store, id: &str, ends: i64| {
        let [a, b, c] = [("id", id.into()), ("token", id.into()), ("creator_id", "1".into())];
        store.row(INVITE, [a, b, c, ("expiration_date", Value::Int(ends))]);
    };
    let warnings = |store: &Store| {
        let mut asked = Request { password: Some(Handle(2)), ..request("password.reset", "admin") };
        asked.options.tokens = true;
        store.plan(&asked).unwrap().warnings.join("; ")
    };
    invite(&mut store, "old", 1_795_232_819);
    assert!(!warnings(&store).contains("invitation"), "{}", warnings(&store));
    invite(&mut store, "i", 1_795_300_000);
    let told = warnings(&store);
    assert!(told.contains("1 invitation ") && told.contains("`latchlift invite revoke --account-id 1`"), "{told}");
}
