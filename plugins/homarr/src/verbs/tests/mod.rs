//! Plans: rows in, exact changes out.

mod accounts;
mod endings;
mod rights;

use crate::schema::{API_KEY, GROUP, MEMBER, ONBOARDING, PERMISSION, SESSION, USER};
use crate::testing::{HASH, NEW_HASH, Store, homarr, request, settings};
use latchlift_plugin_api::{
    Change, Facts, Filter, Handle, Kind, Plan, Record, Request, StoreKind, Value, fingerprint, insert, purge, update,
};

fn changes(plan: &Plan) -> Vec<Change> {
    plan.steps.iter().flat_map(|step| step.changes.clone()).collect()
}

fn set(table: &str, id: &str, fields: &[(&str, &str, &str)]) -> Change {
    let fields = fields.iter().map(|(field, before, after)| (*field, Value::from(*before), Value::from(*after)));
    update(table, Record::from([("id", id)]), fields).unwrap()
}

fn one(table: &str, fields: &[(&str, &str)]) -> Change {
    insert(table, Record(fields.iter().map(|(field, value)| ((*field).to_owned(), Value::from(*value))).collect()))
}

fn reset(name: &str) -> Request {
    Request { password: Some(Handle(2)), ..request("password.reset", name) }
}

/// John with capitals, jane, maria twice, and an administrator.
fn people(kind: StoreKind) -> Store {
    let mut store = homarr(kind);
    store.user("1", "admin").user("2", "John").user("3", "jane").user("4", "maria").outside("5", "maria", "oidc");
    store.member("g-admin", "1").member("g-all", "1").member("g-all", "2");
    let soon = if kind == StoreKind::Sqlite { Value::Int(1_795_300_000_000) } else { "2026-11-22 00:00:00".into() };
    let past = if kind == StoreKind::Sqlite { Value::Int(1_795_200_000_000) } else { "2026-11-20 00:00:00".into() };
    store.session("tok-a", "1", soon.clone()).session("tok-b", "1", past).session("tok-c", "2", soon);
    store.row(API_KEY, [("id", "k".into()), ("api_key", HASH.into()), ("user_id", "1".into())]);
    store
}

#[test]
fn a_reset_writes_the_hash_and_ends_all_sessions() {
    let plan = people(StoreKind::Sqlite).plan(&reset("ADMIN")).unwrap();
    let expected =
        [set(USER, "1", &[("password", HASH, NEW_HASH)]), purge(SESSION, Filter::eq("user_id", "1"), 2).unwrap()];
    assert_eq!(changes(&plan), expected);
    assert!(plan.accounts[0].should_sign_in && plan.accounts[0].name == "admin");
    assert!(plan.warnings.len() == 1 && plan.warnings[0].contains("API key"), "{:?}", plan.warnings);
}

#[test]
fn the_salt_follows_the_hash_where_the_column_exists() {
    let mut store = people(StoreKind::Sqlite);
    store.add_column(USER, "salt");
    let plan = store.plan(&reset("jane")).unwrap();
    let salt = update(
        USER,
        Record::from([("id", "3")]),
        [("password", HASH.into(), NEW_HASH.into()), ("salt", Value::Null, NEW_HASH[..29].into())],
    );
    assert_eq!(changes(&plan), [salt.unwrap()]);
}

#[test]
fn sessions_can_be_kept_and_api_keys_ended() {
    let mut asked = reset("admin");
    asked.options.keep_sessions = true;
    asked.options.tokens = true;
    let plan = people(StoreKind::Sqlite).plan(&asked).unwrap();
    let expected =
        [set(USER, "1", &[("password", HASH, NEW_HASH)]), purge(API_KEY, Filter::eq("user_id", "1"), 1).unwrap()];
    assert_eq!(changes(&plan), expected);
}

#[test]
fn a_reset_says_that_a_name_with_capitals_still_locks_out_and_can_mend_it() {
    let store = people(StoreKind::Sqlite);
    let plan = store.plan(&reset("john")).unwrap();
    assert!(plan.warnings[0].contains("add --fix-name"), "{:?}", plan.warnings);
    let mut asked = reset("john");
    asked.options.fix_name = true;
    let plan = store.plan(&asked).unwrap();
    assert_eq!(changes(&plan)[0], set(USER, "2", &[("password", HASH, NEW_HASH), ("name", "John", "john")]));
    assert!(plan.warnings.is_empty() && plan.accounts[0].name == "john");
}

#[test]
fn a_name_is_not_mended_onto_another_account() {
    let mut store = people(StoreKind::Sqlite);
    store.user("6", "Jane");
    let mut asked = reset("Jane");
    assert_eq!(store.plan(&asked).unwrap_err().kind, Kind::Ambiguous);
    asked.options.fix_name = true;
    asked.target.as_mut().unwrap().id = Some("6".into());
    let plan = store.plan(&asked).unwrap();
    assert_eq!(changes(&plan), [set(USER, "6", &[("password", HASH, NEW_HASH)])]);
    assert!(plan.warnings.iter().any(|warning| warning.contains("stays as it is")), "{:?}", plan.warnings);
}

#[test]
fn an_account_from_oidc_is_refused_unless_it_is_converted() {
    let mut store = people(StoreKind::Sqlite);
    store.outside("7", "alice", "oidc");
    assert_eq!(store.plan(&reset("alice")).unwrap_err().kind, Kind::Refused);
    let mut asked = reset("alice");
    asked.options.convert = true;
    let fields =
        [("password", Value::Null, NEW_HASH.into()), ("provider", Value::from("oidc"), Value::from("credentials"))];
    let plan = store.plan(&asked).unwrap();
    assert_eq!(changes(&plan), [update(USER, Record::from([("id", "7")]), fields).unwrap()]);
    // maria has an account with a password too: converting the other one would set the two against each other.
    asked.target = reset("maria").target;
    asked.target.as_mut().unwrap().provider = Some("oidc".into());
    assert_eq!(store.plan(&asked).unwrap_err().kind, Kind::Conflict);
}

#[test]
fn a_reset_says_that_password_sign_in_is_switched_off() {
    let asked = Request { settings: settings(&[("AUTH_PROVIDERS", "oidc")]), ..reset("jane") };
    let plan = people(StoreKind::Sqlite).plan(&asked).unwrap();
    assert!(plan.warnings[0].contains("AUTH_PROVIDERS"), "{:?}", plan.warnings);
}

#[test]
fn unknown_and_ambiguous_names_plan_nothing() {
    let store = people(StoreKind::Sqlite);
    assert_eq!(store.plan(&reset("nobody")).unwrap_err().kind, Kind::NotFound);
    assert_eq!(store.plan(&reset("maria")).unwrap_err().candidates.len(), 2);
    let mut by_id = reset("whatever");
    by_id.target.as_mut().unwrap().id = Some("99".into());
    assert_eq!(store.plan(&by_id).unwrap_err().kind, Kind::NotFound);
}

#[test]
fn sessions_end_by_account_by_fingerprint_and_by_age() {
    let store = people(StoreKind::Mysql);
    let plan = store.plan(&request("session.revoke", "admin")).unwrap();
    assert_eq!(changes(&plan), [purge(SESSION, Filter::eq("user_id", "1"), 2).unwrap()]);
    let ids = Request { ids: vec![fingerprint("tok-c"), "0123456789ab".into()], ..request("session.revoke", "") };
    let plan = store.plan(&ids).unwrap();
    assert_eq!(changes(&plan), [purge(SESSION, Filter::is_in("session_token", ["tok-c"]), 1).unwrap()]);
    assert_eq!(plan.warnings, ["no session has the id `0123456789ab`"]);
    let mut old = request("session.revoke", "");
    old.options.expired = true;
    let to = Some(Value::from("2026-11-21 03:46:59"));
    let ended = Filter::Range { field: "expires".into(), from: None, to };
    assert_eq!(changes(&store.plan(&old).unwrap()), [purge(SESSION, ended, 1).unwrap()]);
    let mut all = request("session.revoke", "");
    all.options.all = true;
    assert_eq!(changes(&store.plan(&all).unwrap()), [purge(SESSION, Filter::All, 3).unwrap()]);
    assert_eq!(store.plan(&request("session.revoke", "")).unwrap_err().kind, Kind::Usage);
    assert!(store.plan(&request("session.revoke", "jane")).unwrap().is_empty());
    let none = Request { ids: vec!["0123456789ab".into()], ..request("session.revoke", "") };
    assert!(store.plan(&none).unwrap().is_empty());
}

#[test]
fn an_administrator_who_can_sign_in_is_reason_to_refuse_another() {
    let store = people(StoreKind::Sqlite);
    let error = store.plan(&request("admin.recreate", "rescue")).unwrap_err();
    assert!(error.kind == Kind::Refused && error.help.unwrap().contains("--allow-existing-admin"));
    let mut anyway = request("admin.recreate", "rescue");
    anyway.options.allow.push("existing-admin".into());
    assert!(!store.plan(&anyway).unwrap().is_empty());
}

#[test]
fn a_new_administrator_takes_over_the_wizards_group() {
    let mut store = homarr(StoreKind::Sqlite);
    store.user("2", "Root").member("g-admin", "2");
    let plan = store.plan(&Request { password: Some(Handle(2)), ..request("admin.recreate", " Rescue ") }).unwrap();
    let id = plan.accounts[0].id.clone();
    let owner = update(GROUP, Record::from([("id", "g-admin")]), [("owner_id", Value::Null, id.as_str().into())]);
    let user = [("id", id.as_str()), ("name", "rescue"), ("provider", "credentials"), ("password", NEW_HASH)];
    let expected = [
        one(USER, &user),
        owner.unwrap(),
        one(MEMBER, &[("group_id", "g-admin"), ("user_id", &id)]),
        one(MEMBER, &[("group_id", "g-all"), ("user_id", &id)]),
    ];
    assert_eq!((changes(&plan), plan.steps.len()), (expected.to_vec(), 1));
    assert!(id.len() == 24 && id.starts_with(|c: char| c.is_ascii_lowercase()));
    // Root is an administrator that letter case keeps out: there is an easier way.
    assert!(plan.warnings[0].contains("`latchlift user fix-names`"), "{:?}", plan.warnings);
}

#[test]
fn a_new_administrator_gets_a_group_and_a_finished_wizard_where_they_are_missing() {
    let mut store = homarr(StoreKind::Postgres);
    store.table(GROUP, &["id", "name", "owner_id", "position"]).table(PERMISSION, &["group_id", "permission"]);
    store.table(ONBOARDING, &["id", "step", "previous_step"]);
    store.row(GROUP, [("id", "f".into()), ("name", "family".into()), ("position", Value::Int(4))]);
    store.row(ONBOARDING, [("id", "o".into()), ("step", "user".into())]);
    store.add_column(USER, "salt");
    let plan = store.plan(&Request { password: Some(Handle(2)), ..request("admin.recreate", "rescue") }).unwrap();
    let made = changes(&plan);
    let id = plan.accounts[0].id.clone();
    let Change::Insert { after: group, .. } = &made[1] else { panic!("{:?}", made[1]) };
    let group_id = group.text("id").unwrap();
    let user = [
        ("id", id.as_str()),
        ("name", "rescue"),
        ("provider", "credentials"),
        ("password", NEW_HASH),
        ("salt", &NEW_HASH[..29]),
    ];
    let row = Record::from([("id", group_id.as_str()), ("name", "credentials-admin"), ("owner_id", &id)]);
    let expected = [
        one(USER, &user),
        insert(GROUP, row.with("position", 5)),
        one(PERMISSION, &[("group_id", &group_id), ("permission", "admin")]),
        one(MEMBER, &[("group_id", &group_id), ("user_id", &id)]),
        set(ONBOARDING, "o", &[("step", "user", "finish")]),
    ];
    assert_eq!(made, expected);
}

#[test]
fn a_new_administrators_name_must_be_free_in_every_spelling_and_provider() {
    let mut store = homarr(StoreKind::Sqlite);
    store.outside("1", "Carol", "ldap");
    let error = store.plan(&request("admin.recreate", "carol")).unwrap_err();
    assert!(error.kind == Kind::Refused && error.help.unwrap().contains("latchlift admin grant Carol"));
    assert_eq!(store.plan(&request("admin.recreate", " ab ")).unwrap_err().kind, Kind::Usage);
}

#[test]
fn a_lost_permission_is_given_back_and_whom_it_raises_is_said() {
    let mut store = homarr(StoreKind::Sqlite);
    store.table(PERMISSION, &["group_id", "permission"]);
    store.user("1", "old").member("g-admin", "1").user("2", "new");
    let plan = store.plan(&request("admin.grant", "new")).unwrap();
    let expected = [
        one(PERMISSION, &[("group_id", "g-admin"), ("permission", "admin")]),
        one(MEMBER, &[("group_id", "g-admin"), ("user_id", "2")]),
    ];
    assert_eq!(changes(&plan), expected);
    assert!(plan.warnings[0].contains("old"), "{:?}", plan.warnings);
    let plan = store.plan(&request("admin.grant", "old")).unwrap();
    assert_eq!(changes(&plan), expected[..1]);
}

#[test]
fn granting_uses_the_groups_there_are() {
    let mut store = people(StoreKind::Sqlite);
    let plan = store.plan(&request("admin.grant", "jane")).unwrap();
    assert_eq!(changes(&plan), [one(MEMBER, &[("group_id", "g-admin"), ("user_id", "3")])]);
    assert!(store.plan(&request("admin.grant", "admin")).unwrap().is_empty());
    let mut outside = request("admin.grant", "maria");
    outside.target.as_mut().unwrap().provider = Some("oidc".into());
    let plan = store.plan(&outside).unwrap();
    assert!(plan.warnings[0].contains("OIDC"), "{:?}", plan.warnings);
    store.table(GROUP, &["id", "name", "owner_id"]).table(PERMISSION, &["group_id", "permission"]);
    store.row(GROUP, [("id", "x".into()), ("name", "bosses".into())]);
    store.row(PERMISSION, [("group_id", "x".into()), ("permission", "admin".into())]);
    let plan = store.plan(&request("admin.grant", "jane")).unwrap();
    assert_eq!(changes(&plan), [one(MEMBER, &[("group_id", "x"), ("user_id", "3")])]);
}

#[test]
fn names_are_mended_all_together_or_not_at_all() {
    let mut store = people(StoreKind::Sqlite);
    store.user("6", "Äda ").outside("7", "Carol", "ldap");
    let plan = store.plan(&request("user.fix-names", "")).unwrap();
    assert_eq!(
        changes(&plan),
        [set(USER, "2", &[("name", "John", "john")]), set(USER, "6", &[("name", "Äda ", "äda")])]
    );
    store.user("8", "JANE");
    let error = store.plan(&request("user.fix-names", "")).unwrap_err();
    let ids: Vec<&str> = error.candidates.iter().map(|candidate| candidate.id.as_str()).collect();
    assert_eq!((error.kind, ids), (Kind::Conflict, vec!["3", "8"]));
    assert!(homarr(StoreKind::Sqlite).plan(&request("user.fix-names", "")).unwrap().is_empty());
}

#[test]
fn a_name_from_oidc_is_no_obstacle_to_mending() {
    let mut store = homarr(StoreKind::Sqlite);
    store.outside("1", "bob", "oidc").user("2", "Bob");
    let plan = store.plan(&request("user.fix-names", "")).unwrap();
    assert_eq!(changes(&plan), [set(USER, "2", &[("name", "Bob", "bob")])]);
}

#[test]
fn no_verb_works_on_an_unknown_layout() {
    let mut store = people(StoreKind::Sqlite);
    store.add_column(USER, "emailVerified");
    let facts = Facts::parse(include_str!("../../../plugin.toml")).unwrap();
    let doing = facts.verbs.iter().filter(|(_, support)| support.support != latchlift_plugin_api::Level::None);
    let reading = ["app.check", "password.check"];
    for verb in doing.map(|(verb, _)| verb.as_str()) {
        let reads = reading.contains(&verb) || verb.ends_with(".list") || verb.ends_with(".show");
        let asked = Request { new_name: Some("robert".into()), ..request(verb, "admin") };
        let kind = if reads { store.read(&asked).unwrap_err().kind } else { store.plan(&asked).unwrap_err().kind };
        assert_eq!(kind, Kind::UnknownSchema, "{verb}");
    }
}

#[test]
fn every_table_that_a_plan_may_touch_is_declared_with_its_key() {
    let facts = Facts::parse(include_str!("../../../plugin.toml")).unwrap();
    for (table, key) in [
        (USER, &["id"][..]),
        (SESSION, &["session_token"]),
        (API_KEY, &["id"]),
        (GROUP, &["id"]),
        (MEMBER, &["group_id", "user_id"]),
        (PERMISSION, &[]),
        (ONBOARDING, &["id"]),
    ] {
        assert_eq!(facts.collection(table).unwrap().key, key, "{table}");
    }
    for holding in &crate::holdings::HOLDINGS {
        assert_eq!(facts.collection(holding.table).unwrap().key, holding.key, "{}", holding.table);
    }
    assert!(facts.collection(SESSION).unwrap().secret_key);
}

#[test]
fn an_account_of_no_known_provider_is_offered_a_password_and_nothing_elsewhere() {
    let mut store = people(StoreKind::Sqlite);
    store.outside("7", "alice", "").outside("8", "zoe", "saml");
    let refused = store.plan(&reset("alice")).unwrap_err();
    assert_eq!(refused.message, "`alice` signs in through an unknown provider: Homarr keeps no password for it");
    assert_eq!(refused.help.unwrap(), "make it an account with a password in Homarr: add --convert");
    let converted = |name| {
        let mut asked = reset(name);
        asked.options.convert = true;
        store.plan(&asked).unwrap().warnings
    };
    assert_eq!(converted("alice"), ["the account no longer belongs to an unknown provider"]);
    assert_eq!(converted("zoe"), ["the account no longer belongs to the unknown provider `saml`"]);
    // No provider sends names or groups for it.
    let rename = Request { new_name: Some("alicia".to_owned()), ..request("user.rename", "alice") };
    for asked in [rename, request("admin.grant", "alice")] {
        assert_eq!(store.plan(&asked).unwrap().warnings, [""; 0]);
    }
    let locked = store.plan(&request("password.remove", "alice")).unwrap_err();
    assert_eq!(locked.help.unwrap(), "what would keep it out for good: `latchlift user remove alice`");
}
