//! Who administers, and that somebody does.

use super::*;
use latchlift_plugin_api::delete;

fn left(group: &str, user: &str) -> Change {
    let row = Record::from([("group_id", group), ("user_id", user)]);
    delete(MEMBER, row.clone(), row)
}

fn to_group(name: &str, user: &str) -> Request {
    let mut asked = request("admin.grant", user);
    asked.options.group = Some(name.to_owned());
    asked
}

#[test]
fn rights_go_with_every_group_that_gives_them() {
    let mut store = people(StoreKind::Sqlite);
    store.row(GROUP, [("id", "g-b".into()), ("name", "bosses".into()), ("position", Value::Int(2))]);
    for permission in ["admin", "admin", "board-create"] {
        store.row(PERMISSION, [("group_id", "g-b".into()), ("permission", permission.into())]);
    }
    store.member("g-b", "3").member("g-admin", "3");
    let plan = store.plan(&request("admin.revoke", "jane")).unwrap();
    assert_eq!(changes(&plan), [left("g-admin", "3"), left("g-b", "3")]);
    assert!(plan.warnings.iter().any(|warning| warning.contains("board-create")), "{:?}", plan.warnings);
    assert!(store.plan(&request("admin.revoke", "maria")).is_err());
    assert!(store.plan(&request("admin.revoke", "john")).unwrap().is_empty());
}

#[test]
fn nobody_takes_the_last_administrator_by_accident() {
    let store = people(StoreKind::Sqlite);
    let mut set = request("user.set", "admin");
    set.keys.insert("admin".into(), "no".into());
    let mut leave = request("user.set", "admin");
    leave.keys.insert("leave-group".into(), "credentials-admin".into());
    let verbs = ["admin.revoke", "user.remove", "password.remove"].map(|verb| request(verb, "admin"));
    for mut asked in verbs.into_iter().chain([set, leave]) {
        let error = store.plan(&asked).unwrap_err();
        let help = error.help.unwrap_or_default();
        assert!(error.kind == Kind::Refused && help.contains("--allow-last-admin"), "{:?}: {help}", asked.verb);
        asked.options.allow.push("last-admin".into());
        let plan = store.plan(&asked).unwrap();
        assert!(!plan.is_empty() && plan.warnings[0].contains("last administrator"), "{:?}", plan.warnings);
    }
}

#[test]
fn an_administrator_who_cannot_sign_in_is_no_successor() {
    let mut store = people(StoreKind::Sqlite);
    store.member("g-admin", "2");
    assert_eq!(store.plan(&request("user.remove", "admin")).unwrap_err().kind, Kind::Refused);
    assert!(!store.plan(&request("user.remove", "john")).unwrap().is_empty());
    store.member("g-admin", "3");
    assert!(!store.plan(&request("user.remove", "admin")).unwrap().is_empty());
}

#[test]
fn of_another_systems_administrators_one_has_to_stay() {
    let mut store = homarr(StoreKind::Sqlite);
    store.outside("1", "alice", "oidc").member("g-admin", "1").user("2", "bob");
    assert_eq!(store.plan(&request("user.remove", "alice")).unwrap_err().kind, Kind::Refused);
    store.outside("3", "leo", "ldap").member("g-admin", "3");
    assert!(!store.plan(&request("user.remove", "alice")).unwrap().is_empty());
    store.member("g-admin", "2");
    let error = store.plan(&request("user.remove", "bob")).unwrap_err();
    assert!(error.message.contains("signs in through"), "{error}");
}

#[test]
fn the_account_behind_a_removed_one_comes_forward() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("1", "root").user("2", "root").member("g-admin", "1").member("g-admin", "2");
    let first = Request { target: by_id("1"), ..request("user.remove", "") };
    assert!(!store.plan(&first).unwrap().is_empty());
    let unlock = Request { target: by_id("1"), ..request("password.remove", "") };
    assert_eq!(store.plan(&unlock).unwrap_err().kind, Kind::Refused);
}

fn by_id(id: &str) -> Option<latchlift_plugin_api::Target> {
    Some(latchlift_plugin_api::Target { id: Some(id.to_owned()), ..Default::default() })
}

#[test]
fn while_everyone_administers_nobody_loses_that() {
    let mut store = people(StoreKind::Sqlite);
    store.row(PERMISSION, [("group_id", "g-all".into()), ("permission", "admin".into())]);
    let error = store.plan(&request("admin.revoke", "jane")).unwrap_err();
    assert!(error.kind == Kind::Refused && error.message.contains("everyone"), "{error}");
}

#[test]
fn a_group_that_the_provider_sends_may_administer() {
    let mut store = people(StoreKind::Postgres);
    let plan = store.plan(&to_group(" sso-admins ", "")).unwrap();
    let made = changes(&plan);
    let Change::Insert { after: group, .. } = &made[0] else { panic!("{:?}", made[0]) };
    let id = group.text("id").unwrap();
    let row = Record::from([("id", id.as_str()), ("name", "sso-admins")]).with("owner_id", Value::Null);
    let expected =
        [insert(GROUP, row.with("position", 2)), one(PERMISSION, &[("group_id", &id), ("permission", "admin")])];
    assert_eq!(made, expected);
    store.row(GROUP, [("id", "g-s".into()), ("name", "sso".into()), ("position", Value::Int(2))]).member("g-s", "3");
    let plan = store.plan(&to_group("sso", "john")).unwrap();
    let expected = [
        one(PERMISSION, &[("group_id", "g-s"), ("permission", "admin")]),
        one(MEMBER, &[("group_id", "g-s"), ("user_id", "2")]),
    ];
    assert_eq!(changes(&plan), expected);
    assert!(plan.warnings.iter().any(|warning| warning.contains("jane")), "{:?}", plan.warnings);
    assert!(store.plan(&to_group("credentials-admin", "")).unwrap().is_empty());
}

#[test]
fn groups_that_cannot_be_meant_are_refused() {
    let store = people(StoreKind::Sqlite);
    assert_eq!(store.plan(&to_group("Everyone", "")).unwrap_err().kind, Kind::Refused);
    assert_eq!(store.plan(&to_group(" ", "")).unwrap_err().kind, Kind::Usage);
    assert_eq!(store.plan(&to_group(&"x".repeat(65), "")).unwrap_err().kind, Kind::Usage);
    assert_eq!(store.plan(&request("admin.grant", "")).unwrap_err().kind, Kind::Usage);
    let alike = store.plan(&to_group("Credentials-Admin", "")).unwrap();
    assert!(alike.warnings[0].contains("letter for letter"), "{:?}", alike.warnings);
    assert!(people(StoreKind::Mysql).plan(&to_group("Credentials-Admin", "")).unwrap().is_empty());
}

#[test]
fn an_owner_that_is_gone_is_left_as_it_is() {
    let mut store = homarr(StoreKind::Sqlite);
    store.table(GROUP, &["id", "name", "owner_id", "position"]);
    store.row(GROUP, [("id", "g-admin".into()), ("name", "credentials-admin".into()), ("owner_id", "lost".into())]);
    let plan = store.plan(&Request { password: Some(Handle(2)), ..request("admin.recreate", "rescue") }).unwrap();
    let touched: Vec<String> = changes(&plan).iter().map(|change| change.collection().to_owned()).collect();
    assert_eq!(touched, [USER, MEMBER]);
}

#[test]
fn who_loses_a_group_to_a_new_administrator_is_named() {
    let mut store = homarr(StoreKind::Sqlite);
    store.table(GROUP, &["id", "name", "owner_id", "position"]).user("1", "admin").member("g-admin", "1");
    store.row(GROUP, [("id", "g-admin".into()), ("name", "credentials-admin".into()), ("owner_id", "1".into())]);
    let mut asked = Request { password: Some(Handle(2)), ..request("admin.recreate", "boss") };
    asked.options.allow = vec!["existing-admin".to_owned()];
    let plan = store.plan(&asked).unwrap();
    assert!(changes(&plan).iter().any(|change| change.collection() == GROUP));
    let told =
        "`admin` no longer owns the group `credentials-admin`, the new account does; that takes no rights from `admin`";
    assert_eq!(plan.warnings, [told]);
}
