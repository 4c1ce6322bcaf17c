//! What the plugin plans.

use super::*;

#[test]
fn a_reset_writes_the_hash_new_tokens_and_ends_browser_sessions_only() {
    let mut store = sqlite();
    for (id, provider, method, parent) in [
        ("a1", Value::from("local"), "default", ""),
        ("a2", "oidc".into(), "default", ""),
        ("a3", Value::Null, "", ""),
        ("a4", "local".into(), "session", "a1"),
        ("b1", "application".into(), "default", ""),
        ("b2", "application".into(), "session", "b1"),
        ("c1", "client".into(), "oauth2", ""),
        ("c2", "client".into(), "session", "a2"),
    ] {
        session(&mut store, id, ADMIN, provider, method, parent);
    }
    session(&mut store, "v1", "u000000000000002", "link".into(), "default", "");
    let mut request = request("password.reset", "Admin");
    request.password = Some(Handle(3));
    let first = plan(&store, &request).unwrap();
    assert_eq!(left(&store, &first), ["b1", "b2", "c1", "v1"]);
    let after = store.after(&first);
    assert!(verdict(&after, "admin", 3).matches && !verdict(&after, "admin", 1).matches);
    let [token, before] = [&after, &store].map(|store| store.value("auth_users", "preview_token", ("id", 1.into())));
    assert!(token != before && token.unwrap().as_int().is_none());
    let updated = after.value("passwords", "updated_at", ("uid", ADMIN.into()));
    assert_eq!(updated, Some("2024-11-21 14:40:00+00:00".into()));
    assert!(first.accounts[0].should_sign_in && first.warnings.is_empty() && !first.next_steps.is_empty());
    request.options.tokens = true;
    assert_eq!(left(&store, &plan(&store, &request).unwrap()), ["c1", "v1"]);
    request.options.keep_sessions = true;
    assert_eq!(left(&store, &plan(&store, &request).unwrap()).len(), 7);
    request.options.tokens = false;
    assert_eq!(left(&store, &plan(&store, &request).unwrap()).len(), 9);
}

#[test]
fn old_layouts_keep_their_visitors_and_their_time_form() {
    let mut store = old();
    session(&mut store, "t1", ADMIN, "".into(), "", "");
    session(&mut store, "t2", "u000000000000002", "".into(), "", "");
    let plan_of_sqlite = plan(&store, &request("password.reset", "admin")).unwrap();
    assert_eq!(left(&store, &plan_of_sqlite), ["t2"]);
    let mut mysql = new(StoreKind::Mysql, "ce");
    user(&mut mysql, 5, "grace", &[("user_role", "guest".into())]);
    let after = mysql.after(&plan(&mysql, &request("password.reset", "grace")).unwrap());
    let made = after.value("passwords", "created_at", ("uid", uid(5).into()));
    assert_eq!(made, Some("2024-11-21 14:40:00".into()));
}

#[test]
fn accounts_of_other_systems_are_refused_unless_converted() {
    let mut store = sqlite();
    user(&mut store, 5, "olivia", &[("auth_provider", "ldap".into())]);
    user(&mut store, 6, "niaj", &[("auth_provider", "none".into())]);
    assert_eq!(plan(&store, &request("password.reset", "olivia")).unwrap_err().kind, Kind::Refused);
    let niaj = plan(&store, &request("password.reset", "niaj")).unwrap();
    assert!(niaj.warnings[0].contains("latchlift password reset niaj --convert"), "{:?}", niaj.warnings);
    for name in ["olivia", "niaj"] {
        let mut request = request("password.reset", name);
        request.options.convert = true;
        let after = store.after(&plan(&store, &request).unwrap());
        assert_eq!(show(&after, name).can_sign_in, Known::Is(true), "{name}");
    }
}

#[test]
fn a_reset_mends_the_name_when_asked_and_free() {
    let mut store = sqlite();
    user(&mut store, 5, "Maria", &[]);
    let mut request = request("password.reset", "maria");
    assert!(plan(&store, &request).unwrap().warnings[0].contains("latchlift user fix-names"));
    request.options.fix_name = true;
    let mended = plan(&store, &request).unwrap();
    assert_eq!((mended.accounts[0].name.as_str(), mended.warnings.len()), ("maria", 0));
    assert_eq!(show(&store.after(&mended), "maria").can_sign_in, Known::Is(true));
}

#[test]
fn a_check_goes_the_way_of_the_login() {
    let mut store = sqlite();
    user(&mut store, 5, "Maria", &[]);
    hash(&mut store, &uid(5), 1);
    let right = verdict(&store, "  ADMIN ", 1);
    assert_eq!((right.matches, right.can_sign_in), (true, Known::Is(true)));
    let wrong = verdict(&store, "admin", 2);
    assert_eq!((wrong.matches, wrong.can_sign_in), (false, Known::Is(false)));
    let maria = verdict(&store, "Maria", 1);
    assert_eq!((maria.account.is_none(), maria.reasons[0].code.as_str()), (true, reason::NAME_CASE));
    assert_eq!(read(&store, &request("password.check", "none")).unwrap_err().kind, Kind::NotFound);
    let mut by_id = request("password.check", "");
    by_id.target = Some(Target { id: Some(uid(5)), ..Target::default() });
    let Batch::Verdict(by_id) = read(&store, &by_id).unwrap().remove(0) else { panic!() };
    assert_eq!((by_id.matches, by_id.can_sign_in), (true, Known::Is(false)));
}

fn without_admin() -> Fake {
    let mut store = sqlite();
    store.tables.get_mut("auth_users").unwrap().rows.retain(|row| row[0] != Value::Int(1));
    store
}

#[test]
fn a_missing_administrator_is_made_anew() {
    let store = without_admin();
    let made = plan(&store, &request("admin.recreate", "Boss")).unwrap();
    let after = store.after(&made);
    let boss = show(&after, "boss");
    assert_eq!((boss.can_sign_in, boss.admin), (Known::Is(true), Known::Is(true)));
    assert_eq!(boss.extra["row_id"], "1");
    for table in ["auth_users_details", "auth_users_settings"] {
        assert!(after.value(table, "updated_at", ("user_uid", boss.id.clone().into())).is_some());
    }
    assert!(verdict(&after, "boss", 1).matches);
}

#[test]
fn the_former_administrators_id_is_taken_over() {
    let mut store = without_admin();
    store.table("users", "id user_uid user_name role_admin");
    store.add("users", &[("id", 1.into()), ("user_uid", ADMIN.into())]);
    let made = plan(&store, &request("admin.recreate", "admin")).unwrap();
    assert_eq!(made.accounts[0].id, ADMIN);
    assert!(verdict(&store.after(&made), "admin", 1).matches);
}

#[test]
fn a_broken_administrator_is_repaired_under_its_own_name() {
    let mut store = without_admin();
    let broken = [
        ("user_uid", ADMIN.into()),
        ("user_role", "".into()),
        ("can_login", 0.into()),
        ("auth_provider", "none".into()),
        ("deleted_at", "2024-11-01 12:00:00+00:00".into()),
        ("expires_at", "2024-11-01 12:00:00+00:00".into()),
    ];
    user(&mut store, 1, "chief", &broken);
    let refused = plan(&store, &request("admin.recreate", "admin")).unwrap_err();
    assert_eq!((refused.kind, refused.help.as_deref()), (Kind::Refused, Some("`latchlift admin recreate chief`")));
    let repaired = plan(&store, &request("admin.recreate", "Chief")).unwrap();
    assert_eq!(show(&store.after(&repaired), "chief").can_sign_in, Known::Is(true));
    assert!(repaired.warnings.is_empty(), "{:?}", repaired.warnings);
}

#[test]
fn recreating_is_refused_while_an_administrator_can_sign_in_or_the_name_is_taken() {
    let store = sqlite();
    assert_eq!(plan(&store, &request("admin.recreate", "admin")).unwrap_err().kind, Kind::Refused);
    let mut meant = request("admin.recreate", "admin");
    meant.options.allow = vec!["existing-admin".to_owned()];
    assert!(!plan(&store, &meant).unwrap().is_empty());
    let mut store = without_admin();
    user(&mut store, 5, "boss", &[]);
    assert_eq!(plan(&store, &request("admin.recreate", "boss")).unwrap_err().kind, Kind::Conflict);
    for bad in ["visitor", "a,b"] {
        assert_eq!(plan(&store, &request("admin.recreate", bad)).unwrap_err().kind, Kind::Usage, "{bad}");
    }
}

#[test]
fn granting_writes_three_fields_and_nothing_twice() {
    let mut store = sqlite();
    user(&mut store, 5, "bob", &[("can_login", 0.into())]);
    hash(&mut store, &uid(5), 1);
    let granted = plan(&store, &request("admin.grant", "bob")).unwrap();
    let after = store.after(&granted);
    let bob = show(&after, "bob");
    assert_eq!((bob.admin, bob.can_sign_in), (Known::Is(true), Known::Is(true)));
    assert!(plan(&after, &request("admin.grant", "bob")).unwrap().is_empty());
    let mut system = request("admin.grant", "");
    system.target = Some(Target { id: Some("u000000000000001".to_owned()), ..Target::default() });
    assert_eq!(plan(&store, &system).unwrap_err().kind, Kind::Refused);
}

#[test]
fn names_are_mended_all_or_none() {
    let mut store = sqlite();
    user(&mut store, 5, "Maria", &[]);
    user(&mut store, 6, "O'Neil", &[]);
    let mended = store.after(&plan(&store, &request("user.fix-names", "")).unwrap());
    assert_eq!(mended.value("auth_users", "user_name", ("id", 5.into())), Some("maria".into()));
    assert_eq!(mended.value("auth_users", "user_name", ("id", 6.into())), Some("oneil".into()));
    assert!(plan(&mended, &request("user.fix-names", "")).unwrap().is_empty());
    user(&mut store, 7, "maria", &[("deleted_at", "2024-11-01 12:00:00+00:00".into())]);
    let collision = plan(&store, &request("user.fix-names", "")).unwrap_err();
    assert_eq!((collision.kind, collision.candidates.len()), (Kind::Conflict, 2));
}

fn passcode(store: &mut Fake, uid: &str, activated: Value) {
    let row = [
        ("uid", uid.into()),
        ("key_type", "totp".into()),
        ("key_url", "otpauth://totp/x?period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".into()),
        ("recovery_code", "r3c0very12ab".into()),
        ("activated_at", activated),
    ];
    store.add("passcodes", &row);
}

#[test]
fn a_second_factor_is_reported_and_switched_off_with_its_passcode() {
    let mut store = sqlite();
    user(&mut store, 5, "heidi", &[("auth_method", "2fa".into())]);
    user(&mut store, 6, "rupert", &[]);
    hash(&mut store, &uid(5), 1);
    passcode(&mut store, &uid(5), "2024-11-02 10:00:31+00:00".into());
    passcode(&mut store, &uid(6), Value::Null);
    let heidi = show(&store, "heidi");
    assert_eq!((heidi.can_sign_in, heidi.reasons[0].code.as_str()), (Known::Is(true), reason::MFA));
    let mut status = request("mfa.status", "");
    let Batch::Mfa(all) = read(&store, &status).unwrap().remove(0) else { panic!() };
    let seen: Vec<(bool, bool)> = all.iter().map(|mfa| (mfa.enabled, mfa.note.is_some())).collect();
    assert_eq!(seen, [(true, false), (false, true)]);
    assert!(all.iter().all(|mfa| mfa.secrets.is_empty()));
    status.options.show_secrets = true;
    let Batch::Mfa(all) = read(&store, &status).unwrap().remove(0) else { panic!() };
    assert_eq!(all[0].secrets["recovery_code"], "r3c0very12ab");
    assert_eq!(all[0].secrets["secret"], "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(all[0].secrets["otpauth"], "otpauth://totp/x?period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(all[0].secrets["code"].len(), 6);
    let notes =
        all.iter().map(|mfa| mfa.note.as_deref().is_some_and(|note| note.contains("the recovery code switches")));
    assert_eq!(notes.collect::<Vec<_>>(), [true, false]);
    let after = store.after(&plan(&store, &request("mfa.disable", "heidi")).unwrap());
    assert_eq!(after.value("auth_users", "auth_method", ("id", 5.into())), Some("default".into()));
    assert_eq!(after.tables["passcodes"].rows.len(), 1);
    assert!(plan(&after, &request("mfa.disable", "heidi")).unwrap().is_empty());
    assert_eq!(plan(&old(), &request("mfa.disable", "admin")).unwrap_err().kind, Kind::Unsupported);
}

#[test]
fn sign_ins_end_by_id_by_account_all_or_only_those_that_are_over() {
    let mut store = sqlite();
    user(&mut store, 5, "bob", &[]);
    session(&mut store, "a1", ADMIN, "local".into(), "default", "");
    session(&mut store, "b1", &uid(5), "application".into(), "default", "");
    session(&mut store, "b2", &uid(5), "application".into(), "session", "b1");
    session(&mut store, "b3", &uid(5), "local".into(), "default", "");
    session(&mut store, "v1", "u000000000000002", "link".into(), "default", "");
    store.tables.get_mut("auth_sessions").unwrap().rows[4][7] = 1_700_000_000.into();
    let revoke = |name: &str, ids: &[&str], options: Options| {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        left(&store, &plan(&store, &Request { ids, options, ..request("session.revoke", name) }).unwrap())
    };
    assert_eq!(revoke("bob", &[], Options::default()), ["a1", "b1", "b2", "v1"]);
    assert_eq!(revoke("bob", &[], Options { tokens: true, ..Options::default() }), ["a1", "v1"]);
    assert_eq!(revoke("", &["sessb1"], Options::default()), ["a1", "b3", "v1"]);
    assert_eq!(revoke("", &[&fingerprint("a1")], Options::default()), ["b1", "b2", "b3", "v1"]);
    assert_eq!(revoke("", &[], Options { all: true, ..Options::default() }), ["b1", "b2", "v1"]);
    assert_eq!(revoke("", &[], Options { expired: true, ..Options::default() }), ["a1", "b1", "b2", "b3"]);
    assert_eq!(revoke("", &["unknown"], Options::default()).len(), 5);
    assert_eq!(plan(&store, &request("session.revoke", "")).unwrap_err().kind, Kind::Usage);
    let Batch::Sessions(all) = read(&store, &request("session.list", "bob")).unwrap().remove(0) else { panic!() };
    let kinds: Vec<&str> = all.iter().map(|session| session.kind.as_str()).collect();
    assert_eq!(kinds, ["app_password", "app_password_session", "browser"]);
    assert_eq!(all[0].id, "sessb1");
}

#[test]
fn a_token_that_is_the_key_is_never_shown() {
    let mut store = old();
    session(&mut store, "598e0c76663f93e5", ADMIN, "".into(), "", "");
    store.tables.get_mut("auth_sessions").unwrap().rows[0][11] = "".into();
    let Batch::Sessions(all) = read(&store, &request("session.list", "")).unwrap().remove(0) else { panic!() };
    assert_eq!(all[0].id, fingerprint("598e0c76663f93e5"));
}

#[test]
fn a_check_of_the_app_finds_what_is_wrong_worst_first() {
    let mut store = new(StoreKind::Sqlite, "ce");
    store.tables.get_mut("auth_users").unwrap().rows[1][12] = 0.into();
    store.tables.get_mut("passwords").unwrap().rows.clear();
    user(&mut store, 5, "Maria", &[]);
    hash(&mut store, "uskpyqgonegonego", 1);
    hash(&mut store, "ssmf7s0pclbeydpu", 1);
    let env = SettingsFile {
        format: "env".to_owned(),
        values: [("PHOTOPRISM_AUTH_MODE".to_owned(), "public".to_owned())].into(),
        ..SettingsFile::default()
    };
    let request = Request { settings: Settings(vec![env]), ..request("app.check", "") };
    let Batch::Check(check) = read(&store, &request).unwrap().remove(0) else { panic!() };
    let codes: Vec<&str> = check.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(check.accounts, 2);
    for code in ["no_admin", "name_case", "no_password", "role", "orphan_password", "public_mode", "initial_admin"] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    assert_eq!(check.findings[0].severity, Severity::Serious);
    let orphan = check.findings.iter().find(|finding| finding.code == "orphan_password").unwrap();
    assert_eq!(orphan.evidence.as_deref(), Some("uskpyqgonegonego"));
    let none = check.findings.iter().find(|finding| finding.code == "no_admin").unwrap();
    assert_eq!(none.fix, ["admin", "recreate", "admin"]);
}
