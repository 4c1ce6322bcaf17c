//! Accounts come, change and go.

use super::*;
use crate::schema::{BOARD, INVITE, LINK};
use latchlift_plugin_api::{Target, delete};

fn with_keys(verb: &str, name: &str, keys: &[(&str, &str)]) -> Request {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Request { keys, password: (verb == "user.add").then_some(Handle(2)), ..request(verb, name) }
}

fn rename(name: &str, new: &str) -> Request {
    Request { new_name: Some(new.to_owned()), ..request("user.rename", name) }
}

/// Leaves a group, as a plan says it.
fn left(group: &str, user: &str) -> Change {
    let row = Record::from([("group_id", group), ("user_id", user)]);
    delete(MEMBER, row.clone(), row)
}

#[test]
fn a_new_account_is_in_everyone_and_where_it_was_asked_to_be() {
    let store = people(StoreKind::Sqlite);
    let keys = [("email", "jo@example.org"), ("admin", "yes"), ("group", "credentials-admin")];
    let plan = store.plan(&with_keys("user.add", " Joanna ", &keys)).unwrap();
    let id = plan.accounts[0].id.clone();
    let user = [
        ("id", id.as_str()),
        ("name", "joanna"),
        ("provider", "credentials"),
        ("password", NEW_HASH),
        ("email", "jo@example.org"),
    ];
    let expected = [
        one(USER, &user),
        one(MEMBER, &[("group_id", "g-admin"), ("user_id", &id)]),
        one(MEMBER, &[("group_id", "g-all"), ("user_id", &id)]),
    ];
    assert_eq!(changes(&plan), expected);
    assert!(plan.accounts[0].should_sign_in && plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn a_new_account_may_wait_for_its_password() {
    let mut store = people(StoreKind::Sqlite);
    store.add_column(USER, "salt");
    let asked = Request { password: None, ..request("user.add", "joanna") };
    let plan = store.plan(&asked).unwrap();
    let Change::Insert { after, .. } = &changes(&plan)[0] else { panic!("no account") };
    assert!(after.get("password").is_none() && after.get("salt").is_none());
    assert!(!plan.accounts[0].should_sign_in && plan.warnings[0].contains("password reset joanna"));
    let plan = store.plan(&with_keys("user.add", "joanna", &[])).unwrap();
    let Change::Insert { after, .. } = &changes(&plan)[0] else { panic!("no account") };
    assert_eq!(after.text("salt").as_deref(), Some(&NEW_HASH[..29]));
}

#[test]
fn a_name_is_new_in_every_spelling_and_provider() {
    let mut store = people(StoreKind::Sqlite);
    store.outside("7", "Carol", "ldap");
    for name in ["john", "JANE", " carol "] {
        let error = store.plan(&with_keys("user.add", name, &[])).unwrap_err();
        assert!(error.kind == Kind::Refused && !error.candidates.is_empty(), "{name}: {error}");
        let error = store.plan(&rename("maria", name)).unwrap_err();
        assert_eq!(error.kind, Kind::Ambiguous);
        let error = store.plan(&rename("admin", name)).unwrap_err();
        assert!(error.kind == Kind::Refused && !error.candidates.is_empty(), "{name}: {error}");
    }
    assert_eq!(store.plan(&with_keys("user.add", "jo", &[])).unwrap_err().kind, Kind::Usage);
    assert_eq!(store.plan(&rename("jane", "jo")).unwrap_err().kind, Kind::Usage);
}

#[test]
fn a_name_may_change_only_its_letter_case() {
    let store = people(StoreKind::Sqlite);
    let plan = store.plan(&rename("john", "JOHN")).unwrap();
    assert_eq!(changes(&plan), [set(USER, "2", &[("name", "John", "john")])]);
    assert!(plan.warnings.is_empty() && store.plan(&rename("jane", "Jane")).unwrap().is_empty());
}

#[test]
fn a_name_from_ldap_does_not_last() {
    let mut store = people(StoreKind::Sqlite);
    store.outside("7", "carol", "ldap");
    let plan = store.plan(&rename("carol", "caroline")).unwrap();
    assert!(plan.warnings.iter().any(|warning| warning.contains("LDAP sends its own name")), "{:?}", plan.warnings);
}

#[test]
fn a_new_address_is_not_a_verified_one() {
    let mut store = people(StoreKind::Sqlite);
    store.add_column(USER, "email_verified");
    let plan = store.plan(&with_keys("user.set", "jane", &[("email", "jane@example.org")])).unwrap();
    let fields = [("email", Value::Null, "jane@example.org".into()), ("email_verified", Value::Null, Value::Null)];
    assert_eq!(changes(&plan), [update(USER, Record::from([("id", "3")]), fields).unwrap()]);
    assert!(store.plan(&with_keys("user.set", "jane", &[("email", "")])).unwrap().is_empty());
    assert_eq!(store.plan(&with_keys("user.set", "jane", &[("email", "jane")])).unwrap_err().kind, Kind::Usage);
}

#[test]
fn groups_are_joined_and_left() {
    let mut store = people(StoreKind::Sqlite);
    store.row(GROUP, [("id", "g-f".into()), ("name", "family".into()), ("position", Value::Int(2))]);
    store.member("g-f", "3");
    let keys = [("group", "everyone, family"), ("admin", "yes")];
    let plan = store.plan(&with_keys("user.set", "jane", &keys)).unwrap();
    let joined = ["g-all", "g-admin"].map(|group| one(MEMBER, &[("group_id", group), ("user_id", "3")]));
    assert_eq!(changes(&plan), joined);
    let plan = store.plan(&with_keys("user.set", "jane", &[("leave-group", "family")])).unwrap();
    assert_eq!(changes(&plan), [left("g-f", "3")]);
    let plan = store.plan(&with_keys("user.set", "john", &[("leave-group", "everyone")])).unwrap();
    assert_eq!(changes(&plan), [left("g-all", "2")]);
    assert!(plan.warnings.iter().any(|warning| warning.contains("every sign-in")), "{:?}", plan.warnings);
    for wrong in [
        &[("group", "nobody")][..],
        &[("group", "family"), ("leave-group", "family")],
        &[("group", " , ")],
        &[("group", "credentials-admin"), ("admin", "no")],
    ] {
        assert_eq!(store.plan(&with_keys("user.set", "jane", wrong)).unwrap_err().kind, Kind::Usage, "{wrong:?}");
    }
}

#[test]
fn a_group_with_a_comma_in_its_name_is_found() {
    let mut store = people(StoreKind::Sqlite);
    store.row(GROUP, [("id", "g-c".into()), ("name", "one, two".into()), ("position", Value::Int(2))]);
    let plan = store.plan(&with_keys("user.set", "jane", &[("group", "one, two")])).unwrap();
    assert_eq!(changes(&plan), [one(MEMBER, &[("group_id", "g-c"), ("user_id", "3")])]);
}

#[test]
fn an_account_of_oidc_becomes_one_with_a_password() {
    let mut store = people(StoreKind::Sqlite);
    store.outside("7", "alice", "oidc");
    let asked = |name: &str| with_keys("user.set", name, &[("provider", "credentials")]);
    let plan = store.plan(&asked("alice")).unwrap();
    assert_eq!(changes(&plan), [set(USER, "7", &[("provider", "oidc", "credentials")])]);
    assert!(plan.warnings.iter().any(|warning| warning.contains("password reset alice")), "{:?}", plan.warnings);
    assert!(store.plan(&asked("jane")).unwrap().is_empty());
    let mut maria = asked("maria");
    maria.target.as_mut().unwrap().provider = Some("oidc".into());
    let error = store.plan(&maria).unwrap_err();
    assert!(error.kind == Kind::Conflict && error.help.unwrap().contains("user rename --id 5 maria2"));
}

#[test]
fn a_removed_account_takes_along_what_is_its_own() {
    let mut store = people(StoreKind::Sqlite);
    store.table(BOARD, &["id", "name", "creator_id"]).table("media", &["id", "content", "creator_id"]);
    store.row(BOARD, [("id", "b".into()), ("name", "home".into()), ("creator_id", "2".into())]);
    store.row(BOARD, [("id", "c".into()), ("name", "other".into()), ("creator_id", "3".into())]);
    store.table("section_collapse_state", &["user_id", "section_id", "collapsed"]);
    let section = [("user_id", "2".into()), ("section_id", "s".into()), ("collapsed", Value::Int(1))];
    store.row("section_collapse_state", section.clone());
    store.row(INVITE, [("id", "i".into()), ("token", "t".into()), ("creator_id", "2".into())]);
    store.row(LINK, [("user_id", "2".into()), ("provider", "oidc".into()), ("provider_account_id", "sub".into())]);
    store.row(GROUP, [("id", "g-f".into()), ("name", "family".into()), ("owner_id", "2".into())]);
    let plan = store.plan(&request("user.remove", "john")).unwrap();
    let gone: Vec<(String, String)> = changes(&plan).iter().map(told).collect();
    let expected = [
        ("purge", SESSION),
        ("delete", MEMBER),
        ("delete", LINK),
        ("delete", INVITE),
        ("update", GROUP),
        ("update", BOARD),
        ("delete", "section_collapse_state"),
        ("delete", USER),
    ];
    assert_eq!(gone, expected.map(|(what, table)| (what.to_owned(), table.to_owned())));
    let all = changes(&plan);
    assert_eq!(all[0], purge(SESSION, Filter::eq("user_id", "2"), 1).unwrap());
    assert_eq!(all[5], update(BOARD, Record::from([("id", "b")]), [("creator_id", "2".into(), Value::Null)]).unwrap());
    let whole = Record(section.map(|(field, value)| (field.to_owned(), value)).to_vec());
    assert_eq!(all[6], delete("section_collapse_state", Record::from([("user_id", "2"), ("section_id", "s")]), whole));
    let Change::Delete { before, .. } = all.last().unwrap() else { panic!("no account goes") };
    assert_eq!((before.fields().count(), before.text("password").as_deref()), (9, Some(HASH)));
}

fn told(change: &Change) -> (String, String) {
    let what = match change {
        Change::Delete { .. } => "delete",
        Change::Update { .. } => "update",
        Change::Purge { keep: false, .. } => "purge",
        _ => "something else",
    };
    (what.to_owned(), change.collection().to_owned())
}

#[test]
fn an_empty_word_is_no_answer_to_who_administers() {
    let store = people(StoreKind::Sqlite);
    for (verb, name) in [("user.set", "admin"), ("user.add", "joanna")] {
        let error = store.plan(&with_keys(verb, name, &[("admin", "")])).unwrap_err();
        assert!(error.kind == Kind::Usage && error.message.contains("yes or no"), "{verb}: {error}");
    }
}

#[test]
fn a_removed_account_loses_its_place_among_those_of_its_name() {
    let mut store = people(StoreKind::Sqlite);
    store.user("6", "dup").user("7", "dup");
    let id = |id: &str| Target { id: Some(id.into()), ..Target::default() };
    let remove = |id_of: &str| Request { target: Some(id(id_of)), ..request("user.remove", "") };
    assert!(store.plan(&remove("6")).unwrap().warnings.iter().any(|warning| warning.contains("comes first")));
    for other in ["7", "3"] {
        assert!(store.plan(&remove(other)).unwrap().warnings.is_empty());
    }
}
