//! What the verbs that end accounts, rights and passwords plan, and what brings accounts back.

use super::accounts::{allowed, peopled, with};
use super::*;

#[test]
fn the_last_administrator_keeps_its_rights_unless_that_is_meant() {
    let store = peopled();
    for (verb, keys) in [
        ("user.set", &[("login", "no"), ("superadmin", "no")][..]),
        ("user.remove", &[]),
        ("user.purge", &[]),
        ("password.remove", &[]),
        ("admin.revoke", &[]),
    ] {
        let alone = store.after(&plan(&store, &with("admin.revoke", "alice", &[])).unwrap());
        let refused = plan(&alone, &with(verb, "admin", keys)).unwrap_err();
        assert_eq!(refused.kind, Kind::Refused, "{verb}");
        assert!(refused.help.unwrap().contains("--allow-last-admin"), "{verb}");
        assert!(!plan(&alone, &allowed(with(verb, "admin", keys))).unwrap().is_empty(), "{verb}");
        assert!(!plan(&store, &with(verb, "admin", keys)).unwrap().is_empty(), "{verb}");
    }
}

#[test]
fn revoked_rights_leave_an_ordinary_account_that_is_signed_out() {
    let store = peopled();
    let revoked = plan(&store, &with("admin.revoke", "admin", &[])).unwrap();
    assert!(left(&store, &revoked).iter().all(|id| id != "a1"));
    let after = store.after(&revoked);
    let admin = show(&after, "admin");
    assert_eq!(
        (admin.admin, admin.role, admin.can_sign_in),
        (Known::Is(false), Known::Is("user".into()), Known::Is(true))
    );
    assert!(plan(&after, &with("admin.revoke", "admin", &[])).unwrap().is_empty());
}

#[test]
fn a_name_changes_for_one_that_is_free() {
    let mut store = peopled();
    let rename = |store: &Fake, to: &str| {
        plan(store, &Request { new_name: Some(to.to_owned()), ..request("user.rename", "bob") })
    };
    let renamed = store.after(&rename(&store, "Robert").unwrap());
    assert_eq!(renamed.value("auth_users", "user_name", ("id", 5.into())), Some("robert".into()));
    assert!(rename(&store, "BOB").unwrap().is_empty());
    assert_eq!(rename(&store, "Alice").unwrap_err().kind, Kind::Conflict);
    assert_eq!(rename(&store, "visitor").unwrap_err().kind, Kind::Usage);
    user(&mut store, 6, "frank", &[("deleted_at", "2024-11-01 12:00:00+00:00".into())]);
    let deleted = rename(&store, "frank").unwrap_err();
    assert!(deleted.message.contains("deleted") && deleted.help.unwrap().contains("user purge frank"));
}

#[test]
fn a_removed_account_keeps_its_rows_and_comes_back_with_them() {
    let store = peopled();
    let removed = plan(&store, &request("user.remove", "bob")).unwrap();
    let after = store.after(&removed);
    assert_eq!(left(&store, &removed), ["a1"]);
    assert_eq!(codes(&show(&after, "bob")), [reason::DELETED]);
    assert!(after.value("passwords", "hash", ("uid", uid(5).into())).is_some());
    assert!(plan(&after, &request("user.remove", "bob")).unwrap().is_empty());
    for verb in ["user.set", "user.rename", "token.issue"] {
        assert_eq!(plan(&after, &with(verb, "bob", &[])).unwrap_err().kind, Kind::Refused, "{verb}");
    }
    let restored = plan(&after, &request("user.restore", "bob")).unwrap();
    assert!(restored.warnings[0].contains("its role `user` and its old password"), "{:?}", restored.warnings);
    assert_eq!(show(&after.after(&restored), "bob").can_sign_in, Known::Is(true));
    assert!(plan(&store, &request("user.restore", "bob")).unwrap().is_empty());
    let mut taken = after.clone();
    user(&mut taken, 9, "bob", &[]);
    assert_eq!(plan(&taken, &request("user.restore", "bob")).unwrap_err().kind, Kind::Conflict);
}

#[test]
fn a_purged_account_leaves_no_row_and_takes_nobody_elses() {
    let mut store = peopled();
    store.add(
        "auth_clients",
        &[("client_uid", "cbob".into()), ("user_uid", uid(5).into()), ("client_name", "Sync".into())],
    );
    store.add(
        "auth_clients",
        &[("client_uid", "cother".into()), ("user_uid", "".into()), ("client_name", "Frame".into())],
    );
    for client in ["cbob", "cother"] {
        hash(&mut store, client, 1);
    }
    let purged = plan(&store, &request("user.purge", "bob")).unwrap();
    let after = store.after(&purged);
    assert_eq!(left(&store, &purged), ["a1"]);
    for (table, field) in [
        ("auth_users", "user_uid"),
        ("auth_users_details", "user_uid"),
        ("auth_users_settings", "user_uid"),
        ("auth_users_shares", "user_uid"),
        ("passwords", "uid"),
        ("auth_clients", "user_uid"),
    ] {
        assert_eq!(after.value(table, field, (field, uid(5).into())), None, "{table}");
    }
    assert!(after.value("passwords", "hash", ("uid", "cother".into())).is_some());
    assert_eq!(after.value("passwords", "hash", ("uid", "cbob".into())), None);
    // Only what lets somebody in goes for good.
    let purges =
        purged.steps.iter().flat_map(|step| &step.changes).filter(|change| matches!(change, Change::Purge { .. }));
    assert!(purges.map(Change::collection).all(|collection| collection == "auth_sessions"));
}

#[test]
fn a_password_goes_with_the_sign_ins_it_opened() {
    let store = peopled();
    let removed = plan(&store, &request("password.remove", "bob")).unwrap();
    assert_eq!(left(&store, &removed), ["a1", "b2", "b3"]);
    assert!(removed.warnings[0].contains("app password"), "{:?}", removed.warnings);
    let after = store.after(&removed);
    assert_eq!(codes(&show(&after, "bob")), [reason::NO_PASSWORD]);
    assert!(plan(&after, &request("password.remove", "bob")).unwrap().is_empty());
    let admin = plan(&store, &request("password.remove", "admin")).unwrap();
    assert!(admin.warnings.iter().any(|warning| warning.contains("PHOTOPRISM_ADMIN_PASSWORD")), "{:?}", admin.warnings);
}

#[test]
fn starting_over_keeps_the_rows_that_are_photoprisms_links_and_clients() {
    let mut store = peopled();
    store.add("auth_users_details", &[("user_uid", "u000000000000001".into())]);
    for uid in ["ssmf7s0pclbeydpu", "csmf7s0tmxw1uzj1"] {
        hash(&mut store, uid, 1);
    }
    let after = store.after(&plan(&store, &request("onboarding.restart", "")).unwrap());
    let ids: Vec<_> = after.tables["auth_users"].rows.iter().map(|row| row[0].as_int().unwrap()).collect();
    assert_eq!(ids, [-1]);
    assert!(after.tables["auth_sessions"].rows.is_empty() && after.tables["auth_users_shares"].rows.is_empty());
    assert_eq!((after.tables["passwords"].rows.len(), after.tables["auth_users_details"].rows.len()), (2, 1));
    assert!(plan(&after, &request("onboarding.restart", "")).unwrap().is_empty());
}

#[test]
fn one_of_several_keeps_its_name_and_the_others_step_aside() {
    let mut store = peopled();
    user(&mut store, 6, "Bob", &[]);
    user(&mut store, 7, "BOB", &[("deleted_at", "2024-11-01 12:00:00+00:00".into())]);
    let fix = |target: Option<Target>, keep: Option<String>| {
        let options = Options { keep, ..Options::default() };
        plan(&store, &Request { target, options, ..request("user.fix-names", "") })
    };
    assert_eq!(fix(None, None).unwrap_err().kind, Kind::Conflict);
    let after = store.after(&fix(None, Some(uid(6))).unwrap());
    let name = |id: i64| after.value("auth_users", "user_name", ("id", id.into())).unwrap();
    assert_eq!([name(5), name(6), name(7)], ["bob-2".into(), "bob".into(), "bob-3".into()]);
    assert_eq!(fix(None, Some("nobody".to_owned())).unwrap_err().kind, Kind::NotFound);
    let one = Target { id: Some(uid(6)), ..Target::default() };
    assert_eq!(fix(Some(one), None).unwrap_err().kind, Kind::Conflict);
    let admin = Target { name: "admin".to_owned(), ..Target::default() };
    assert!(fix(Some(admin), None).unwrap().is_empty());
}

#[test]
fn each_change_of_rights_ends_browser_sign_ins_and_says_which_app_passwords_stay() {
    let mut store = peopled();
    let changed = [("auth_method", "2fa".into()), ("user_role", "user".into())];
    user(&mut store, 6, "heidi", &changed);
    hash(&mut store, &uid(6), 1);
    session(&mut store, "h1", &uid(6), "local".into(), "2fa", "");
    session(&mut store, "h2", &uid(6), "application".into(), "default", "");
    for (verb, keys) in [
        ("admin.grant", &[][..]),
        ("mfa.disable", &[]),
        ("user.set", &[("role", "viewer"), ("email", "h@example.org")]),
    ] {
        let planned = plan(&store, &with(verb, "heidi", keys)).unwrap();
        assert_eq!(left(&store, &planned), ["a1", "b1", "b2", "b3", "h2"], "{verb}");
        let said = &planned.warnings.iter().find(|warning| warning.contains("1 app password stays")).unwrap();
        assert!(said.contains("`latchlift token revoke heidi`"), "{verb}: {said}");
        assert!(planned.next_steps[0].contains("restart"), "{verb}");
    }
    let mut keeping = with("user.set", "heidi", &[("role", "viewer")]);
    keeping.options.keep_sessions = true;
    assert_eq!(left(&store, &plan(&store, &keeping).unwrap()).len(), 6);
    // What was set up and is not in force lets nobody in, nor out.
    store.add("passcodes", &[("uid", uid(5).into()), ("key_type", "totp".into())]);
    assert_eq!(left(&store, &plan(&store, &request("mfa.disable", "bob")).unwrap()).len(), 6);
}

#[test]
fn copies_of_a_name_follow_it_whichever_verb_changes_it() {
    let mut store = peopled();
    user(&mut store, 6, "Zoe", &[]);
    session(&mut store, "z1", &uid(6), "application".into(), "default", "");
    store.add(
        "auth_clients",
        &[("client_uid", "czoe".into()), ("user_uid", uid(6).into()), ("user_name", "Zoe".into())],
    );
    store.add("auth_clients", &[("client_uid", "cfree".into()), ("user_name", "Zoe".into())]);
    let copies = |plan: &Plan| {
        let after = store.after(plan);
        let name =
            |table: &str, key: (&str, Value)| after.value(table, "user_name", key).and_then(|name| name.to_text());
        [
            name("auth_sessions", ("id", "z1".into())),
            name("auth_clients", ("client_uid", "czoe".into())),
            name("auth_clients", ("client_uid", "cfree".into())),
        ]
        .map(Option::unwrap_or_default)
    };
    let renamed = Request { new_name: Some("susan".to_owned()), ..request("user.rename", "Zoe") };
    assert_eq!(copies(&plan(&store, &renamed).unwrap()), ["susan", "susan", "Zoe"]);
    assert_eq!(copies(&plan(&store, &request("user.fix-names", "")).unwrap()), ["zoe", "zoe", "Zoe"]);
    let mut reset = request("password.reset", "Zoe");
    reset.options.fix_name = true;
    assert_eq!(copies(&plan(&store, &reset).unwrap()), ["zoe", "zoe", "Zoe"]);
    // What ends needs no new name.
    reset.options.tokens = true;
    let ended = plan(&store, &reset).unwrap();
    let updated =
        |change: &&Change| matches!(change, Change::Update { collection, .. } if collection == "auth_sessions");
    assert_eq!(ended.steps[0].changes.iter().filter(updated).count(), 0);
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let store = peopled();
    for keys in [
        [("admin", "no"), ("superadmin", "yes")],
        [("admin", "yes"), ("superadmin", "no")],
        [("admin", "yes"), ("role", "guest")],
        [("admin", "no"), ("role", "Admin")],
    ] {
        for (verb, name) in [("user.set", "bob"), ("user.add", "zoe")] {
            let role = (verb == "user.add" && keys[1].0 != "role").then_some(("role", "guest"));
            let all: Vec<_> = keys.into_iter().chain(role).collect();
            let refused = plan(&store, &with(verb, name, &all)).unwrap_err();
            assert_eq!(refused.kind, Kind::Usage, "{keys:?}");
            assert!(refused.message.contains("contradict"), "{}", refused.message);
        }
    }
    for keys in [[("admin", "yes"), ("role", "admin")], [("admin", "no"), ("superadmin", "no")]] {
        assert!(plan(&store, &allowed(with("user.set", "alice", &keys))).is_ok(), "{keys:?}");
    }
}

#[test]
fn everybodys_sign_ins_end_in_few_statements_and_nobody_elses() {
    let mut store = peopled();
    for id in 10..60 {
        user(&mut store, id, &format!("user{id}"), &[]);
        session(&mut store, &format!("s{id}"), &uid(id), "local".into(), "default", "");
    }
    session(&mut store, "v1", "u000000000000002", "link".into(), "default", "");
    session(&mut store, "c1", "", "client".into(), "oauth2", "");
    let all = Options { all: true, ..Options::default() };
    let ended = plan(&store, &Request { options: all, ..request("session.revoke", "") }).unwrap();
    assert_eq!(left(&store, &ended), ["b2", "b3", "c1", "v1"]);
    assert_eq!((ended.steps[0].changes.len(), ended.summary.as_str()), (1, "End 52 sign-ins"));
}

#[test]
fn what_is_over_ends_by_its_date_with_what_was_made_from_it() {
    let mut store = peopled();
    let rows: [(&str, i64, i64, i64, &str); 4] = [
        ("e1", 1_700_000_000, 0, 5, ""),
        ("e2", -1, 100, 1_700_000_000, ""),
        ("e3", 0, 0, 5, "e1"),
        ("e4", -1, 0, 5, ""),
    ];
    for (id, expires, timeout, active, parent) in rows {
        let row: [(&str, Value); 8] = [
            ("id", id.into()),
            ("user_uid", uid(5).into()),
            ("auth_provider", "application".into()),
            ("auth_method", if parent.is_empty() { "default" } else { "session" }.into()),
            ("auth_id", parent.into()),
            ("sess_expires", expires.into()),
            ("sess_timeout", timeout.into()),
            ("last_active", active.into()),
        ];
        store.add("auth_sessions", &row);
    }
    let options = Options { expired: true, ..Options::default() };
    let revoke = |name: &str| plan(&store, &Request { options: options.clone(), ..request("session.revoke", name) });
    let ended = revoke("").unwrap();
    assert_eq!(left(&store, &ended), ["a1", "b1", "b2", "b3", "e4"]);
    assert_eq!((ended.steps[0].changes.len(), ended.summary.as_str()), (2, "End 3 sign-ins that are over"));
    assert_eq!(left(&store, &revoke("bob").unwrap()).len(), 5);
    assert!(revoke("admin").unwrap().is_empty());
}
