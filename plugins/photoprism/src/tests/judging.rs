//! What the plugin reports.

use super::*;

#[test]
fn the_facts_are_well_formed_and_every_collection_has_a_key() {
    let facts = Facts::parse(PhotoPrism::FACTS).unwrap();
    assert!(facts.collections.iter().all(|collection| !collection.key.is_empty()));
    assert!(facts.verbs.values().all(|verb| verb.support == Level::Full || verb.reason.is_some()));
}

#[test]
fn layouts_are_known_by_their_columns_and_older_ones_refused() {
    assert_eq!(PhotoPrism.probe(&sqlite()).unwrap().version, "240915 plus");
    let probe = PhotoPrism.probe(&old()).unwrap();
    assert_eq!(probe.version, "221102 to 221118");
    assert!(probe.withdrawn.contains_key("mfa.disable"));
    let mut legacy = Fake::default();
    legacy.table("users", "id user_uid user_name role_admin");
    legacy.table("passwords", "uid hash created_at updated_at");
    for store in [legacy, Fake::default()] {
        assert_eq!(PhotoPrism.probe(&store).unwrap_err().kind, Kind::UnknownSchema);
        assert_eq!(plan(&store, &request("password.reset", "admin")).unwrap_err().kind, Kind::UnknownSchema);
    }
}

#[test]
fn every_cause_of_a_locked_door_is_named_with_what_opens_it() {
    let mut store = new(StoreKind::Sqlite, "ce");
    type Case<'a> = (&'a str, &'a [(&'a str, Value)], &'a str, &'a [&'a str]);
    let cases: [Case<'_>; 12] = [
        (
            "frank",
            &[("deleted_at", "2024-11-01 12:00:00.7+00:00".into())],
            reason::DELETED,
            &["user", "restore", "frank"],
        ),
        ("mallory", &[("can_login", 0.into())], reason::DISABLED, &["user", "set", "mallory", "login=yes"]),
        (
            "mary",
            &[("can_login", 0.into()), ("user_role", "admin".into())],
            reason::DISABLED,
            // Granting would make a super administrator of an administrator, which is more than she was.
            &["user", "set", "mary", "login=yes"],
        ),
        (
            "peggy",
            &[("expires_at", "2024-11-10 00:00:00+00:00".into())],
            reason::EXPIRED,
            &["user", "set", "peggy", "expires=never"],
        ),
        ("niaj", &[("auth_provider", "none".into())], reason::PROVIDER, &["password", "reset", "niaj", "--convert"]),
        (
            "olivia",
            &[("auth_provider", "ldap".into())],
            reason::PROVIDER,
            &["password", "reset", "olivia", "--convert"],
        ),
        ("carol", &[("user_role", "viewer".into())], reason::ROLE, &["user", "set", "carol", "role=guest"]),
        ("nobody", &[("user_role", "".into())], reason::ROLE, &["user", "set", "nobody", "role=guest"]),
        ("Maria", &[], reason::NAME_CASE, &["user", "fix-names"]),
        ("o'neil", &[], reason::NAME_INVALID, &["user", "fix-names"]),
        ("ursula", &[("user_uid", "nonsense".into())], crate::sign_in::UID_INVALID, &[]),
        ("heidi", &[("auth_method", "2fa".into())], reason::MFA, &["mfa", "disable", "heidi"]),
    ];
    for (i, (name, fields, _, _)) in cases.iter().enumerate() {
        let id = 100 + i as i64;
        let mut fields = fields.to_vec();
        if !fields.iter().any(|(field, _)| *field == "user_role") {
            fields.push(("user_role", "guest".into()));
        }
        user(&mut store, id, name, &fields);
        let of = fields.iter().find(|(field, _)| *field == "user_uid").and_then(|(_, uid)| uid.to_text());
        hash(&mut store, &of.unwrap_or_else(|| uid(id)), 1);
    }
    for (name, _, code, fix) in cases {
        let account = show(&store, name);
        assert_eq!(account.can_sign_in, Known::Is(false), "{name}");
        assert_eq!(codes(&account), [code], "{name}");
        assert_eq!(account.reasons.iter().find(|reason| reason.blocking).unwrap().fix, fix, "{name}");
    }
    user(&mut store, 200, &"x".repeat(65), &[("user_role", "guest".into())]);
    user(&mut store, 201, "grace", &[("user_role", "guest".into())]);
    assert!(codes(&show(&store, &"x".repeat(65))).contains(&reason::NAME_INVALID));
    let grace = show(&store, "grace");
    assert_eq!(codes(&grace), [reason::NO_PASSWORD]);
    assert_eq!(grace.reasons[0].fix, ["password", "reset", "grace"]);
    store.add("passwords", &[("uid", uid(201).into()), ("hash", "md5:nonsense".into())]);
    assert_eq!(codes(&show(&store, "grace")), [reason::HASH_UNREADABLE]);
    assert_eq!(show(&store, "admin").can_sign_in, Known::Is(true));
}

#[test]
fn one_account_shows_every_property_and_its_secrets_only_on_request() {
    let mut store = sqlite();
    user(
        &mut store,
        5,
        "bob",
        &[("webdav", 0.into()), ("user_attr", "vip".into()), ("invite_token", "inv1tetk".into())],
    );
    store.add("auth_users_settings", &[("user_uid", uid(5).into()), ("ui_theme", "lavender".into())]);
    let bob = show(&store, "bob");
    assert_eq!((bob.extra["user_attr"].as_str(), bob.extra["webdav"].as_str()), ("vip", "0"));
    assert_eq!(bob.extra["preferences_ui_theme"], "lavender");
    assert!(!bob.extra.contains_key("invite_token") && !bob.extra.contains_key("user_name"), "{:?}", bob.extra);
    let mut asked = request("user.show", "bob");
    asked.options.show_secrets = true;
    let Batch::Accounts(all) = read(&store, &asked).unwrap().remove(0) else { panic!() };
    assert_eq!(
        (all[0].extra["invite_token"].as_str(), all[0].extra["preview_token"].as_str()),
        ("inv1tetk", "12345678")
    );
}

#[test]
fn a_super_administrator_is_spared_role_expiry_and_the_switch() {
    let mut store = new(StoreKind::Sqlite, "ce");
    let fields = [
        ("super_admin", 1.into()),
        ("can_login", 0.into()),
        ("user_role", "viewer".into()),
        ("expires_at", "2020-01-01 00:00:00+00:00".into()),
    ];
    user(&mut store, 5, "root", &fields);
    hash(&mut store, &uid(5), 1);
    assert_eq!(show(&store, "root").can_sign_in, Known::Is(true));
}

#[test]
fn a_provider_keeps_nobody_out_before_230502() {
    let (mut before, mut since) = (old(), sqlite());
    for store in [&mut before, &mut since] {
        user(store, 5, "niaj", &[("auth_provider", "none".into())]);
        user(store, 6, "bob", &[]);
        hash(store, &uid(5), 1);
    }
    assert_eq!(show(&before, "niaj").can_sign_in, Known::Is(true));
    assert_eq!(codes(&show(&since, "niaj")), [reason::PROVIDER]);
    let shut = |store: &Fake| {
        let keys = [("provider".to_owned(), "none".to_owned())].into();
        plan(store, &Request { keys, ..request("user.set", "bob") })
    };
    let refused = shut(&before).unwrap_err();
    assert_eq!(refused.kind, Kind::Unsupported);
    assert!(refused.help.unwrap().contains("login=no") && shut(&since).is_ok());
}

#[test]
fn an_account_that_ends_at_the_zero_time_has_expired() {
    let mut store = sqlite();
    for (id, name, ends) in [(5, "bob", "0001-01-01 00:00:00+00:00"), (6, "eve", "0000-00-00 00:00:00")] {
        user(&mut store, id, name, &[("expires_at", ends.into()), ("deleted_at", ends.into())]);
        hash(&mut store, &uid(id), 1);
        assert_eq!(codes(&show(&store, name)), [reason::EXPIRED], "{ends}");
    }
}

#[test]
fn an_unknown_edition_and_plus_know_more_roles() {
    for mut store in [old(), sqlite()] {
        user(&mut store, 5, "bob", &[]);
        hash(&mut store, &uid(5), 1);
        assert_eq!(show(&store, "bob").can_sign_in, Known::Is(true));
    }
}

#[test]
fn openid_accounts_are_judged_by_what_the_release_can_do() {
    let mut store = sqlite();
    user(&mut store, 5, "ivan", &[("auth_provider", "oidc".into())]);
    let ivan = show(&store, "ivan");
    assert_eq!((ivan.can_sign_in, ivan.reasons[0].fix.len()), (Known::Nothing, 3));
    hash(&mut store, &uid(5), 1);
    assert_eq!(show(&store, "ivan").can_sign_in, Known::Is(true));
    let mut before = old();
    user(&mut before, 5, "ivan", &[("auth_provider", "oidc".into())]);
    hash(&mut before, &uid(5), 1);
    assert_eq!(show(&before, "ivan").can_sign_in, Known::Nothing);
}

#[test]
fn the_lowest_row_of_a_name_wins_and_mariadb_folds_letters() {
    let mut store = new(StoreKind::Mysql, "plus");
    for (id, name) in [(5, "jurgen"), (6, "jürgen"), (7, "Maria")] {
        user(&mut store, id, name, &[]);
        hash(&mut store, &uid(id), 1);
    }
    let shown = show(&store, "jürgen");
    assert_eq!(codes(&shown), [reason::SHADOWED]);
    assert_eq!(shown.reasons[0].message, format!("the login finds another account first: `jurgen`, id {}", uid(5)));
    assert_eq!(shown.reasons[0].fix, ["user", "rename", "--id", &uid(6), "jürgen-2"]);
    assert_eq!(show(&store, "maria").can_sign_in, Known::Is(true));
    let list = listed(&store, Options::default());
    let of = |name: &str| list.iter().find(|account| account.name == Known::Is(name.to_owned())).unwrap();
    assert_eq!(of("jürgen").reasons, shown.reasons);
    assert!(codes(of("jurgen")).is_empty() && codes(of("Maria")).is_empty());
    assert_eq!(verdict(&store, "JÜRGEN", 1).account.unwrap().id, uid(5));
}

#[test]
fn list_hides_deleted_and_system_rows_unless_asked_and_counts_sign_ins() {
    let mut store = sqlite();
    user(&mut store, 7, "frank", &[("deleted_at", "2024-11-01 12:00:00+00:00".into())]);
    session(&mut store, "a1", ADMIN, "local".into(), "default", "");
    session(&mut store, "b1", ADMIN, "application".into(), "default", "");
    session(&mut store, "b2", ADMIN, "application".into(), "session", "b1");
    assert_eq!(listed(&store, Options::default()).len(), 1);
    assert_eq!(listed(&store, Options { deleted: true, ..Options::default() }).len(), 2);
    assert_eq!(listed(&store, Options { deleted: true, system: true, ..Options::default() }).len(), 3);
    let admin = listed(&store, Options::default()).remove(0);
    assert_eq!((admin.sessions, admin.tokens), (Known::Is(1), Known::Is(1)));
    assert_eq!(admin.id, ADMIN);
    assert_eq!((admin.provider, admin.hash), (Known::Is("local".into()), Known::Is("bcrypt 12".into())));
    let shown = show(&store, "admin");
    assert_eq!((shown.sessions, shown.tokens), (Known::Is(1), Known::Is(1)));
    assert_eq!(shown.extra["row_id"], "1");
}

#[test]
fn names_are_found_in_any_case_by_id_and_never_guessed() {
    let mut store = sqlite();
    for (id, name) in [(5, "Frank"), (6, "frank"), (7, "mARIA 2"), (8, " blank ")] {
        user(&mut store, id, name, &[]);
    }
    let frank = plan(&store, &request("password.reset", "FRANK")).unwrap_err();
    assert_eq!((frank.kind, frank.candidates.len()), (Kind::Ambiguous, 2));
    assert_eq!(show(&store, "Maria 2").id, uid(7));
    assert_eq!(show(&store, "blank").id, uid(8));
    assert_eq!(read(&store, &request("user.show", "fran")).unwrap_err().kind, Kind::NotFound);
    let mut by_id = request("password.reset", "");
    by_id.target = Some(Target { id: Some(uid(5)), ..Target::default() });
    let plan = plan(&store, &by_id).unwrap();
    assert_eq!(plan.accounts[0].name, "Frank");
    assert!(plan.warnings.iter().any(|warning| warning.contains("frank")), "{:?}", plan.warnings);
}

#[test]
fn an_account_in_anothers_shadow_gets_a_free_name_and_comes_out_of_it() {
    let mut store = sqlite();
    for (id, name) in [(5, "maria"), (6, "maria"), (7, "maria-2"), (8, "maria")] {
        let deleted = [("deleted_at", Value::from("2024-11-01 12:00:00+00:00"))];
        user(&mut store, id, name, if id == 8 { &deleted } else { &[] });
        hash(&mut store, &uid(id), 1);
    }
    let all = listed(&store, Options { deleted: true, ..Options::default() });
    let reasons = |id: i64| &all.iter().find(|account| account.id == uid(id)).unwrap().reasons;
    assert_eq!(reasons(6)[0].fix, ["user", "rename", "--id", &uid(6), "maria-3"]);
    // A deleted account cannot be renamed.
    assert!(reasons(8).iter().any(|reason| reason.code == reason::SHADOWED && reason.fix.is_empty()));
    let target = Some(Target { id: Some(uid(6)), ..Target::default() });
    let rename = Request { target, new_name: Some("maria-3".to_owned()), ..request("user.rename", "") };
    let after = store.after(&plan(&store, &rename).unwrap());
    assert_eq!(show(&after, "maria-3").can_sign_in, Known::Is(true));
}

#[test]
fn without_row_1_the_account_of_that_name_stands_in_and_what_is_offered_works() {
    let found = |store: &Fake| -> (Severity, String, Vec<String>) {
        let Batch::Check(check) = read(store, &request("app.check", "")).unwrap().remove(0) else { panic!() };
        let finding = check.findings.into_iter().find(|finding| finding.code == "initial_admin").unwrap();
        (finding.severity, finding.message, finding.fix)
    };
    let recreated = |store: &Fake, fix: &[String]| {
        let allow = fix.iter().skip(3).map(|flag| flag.replace("--allow-", "")).collect();
        plan(store, &Request { options: Options { allow, ..Options::default() }, ..request("admin.recreate", &fix[2]) })
    };
    let mut store = sqlite();
    store.tables.get_mut("auth_users").unwrap().rows.remove(1);
    let (severity, message, fix) = found(&store);
    assert!(severity == Severity::Warning && message.ends_with("PhotoPrism makes one when it starts"), "{message}");
    assert_eq!(fix, ["admin", "recreate", "admin"]);
    recreated(&store, &fix).unwrap();
    // Whoever has the name is taken for it, and the name is no longer free.
    user(&mut store, 5, "admin", &[]);
    hash(&mut store, &uid(5), 1);
    let (severity, message, fix) = found(&store);
    assert!(severity == Severity::Warning && message.ends_with("that account is no administrator"), "{message}");
    assert!(message.contains("makes none") && message.contains(&uid(5)), "{message}");
    assert_eq!(fix, ["admin", "recreate", "admin-2"]);
    recreated(&store, &fix).unwrap();
    user(&mut store, 6, "alice", &[("user_role", "admin".into())]);
    hash(&mut store, &uid(6), 1);
    let (.., fix) = found(&store);
    assert_eq!(fix, ["admin", "recreate", "admin-2", "--allow-existing-admin"]);
    recreated(&store, &fix).unwrap();
    let standing = |fields: &[(&str, Value)]| {
        let mut store = store.clone();
        store.tables.get_mut("auth_users").unwrap().rows.retain(|row| row[0] != 5.into());
        user(&mut store, 5, "admin", fields);
        found(&store)
    };
    let admin = ("user_role", Value::from("admin"));
    let (severity, message, fix) = standing(std::slice::from_ref(&admin));
    assert!(severity == Severity::Note && message.ends_with("by the name") && fix.is_empty(), "{message}");
    let (_, message, fix) = standing(&[admin, ("deleted_at", "2024-11-01 12:00:00+00:00".into())]);
    assert!(message.contains("was deleted"), "{message}");
    assert_eq!(fix, ["user", "restore", "admin"]);
}

#[test]
fn a_hash_that_takes_for_ever_is_as_good_as_none() {
    let of_cost = |cost: u32| {
        let mut store = sqlite();
        user(&mut store, 5, "bob", &[]);
        let hash = Bcrypt::hash(&Plain, Handle(1), "2a", 12).unwrap().replace("$12$", &format!("${cost}$"));
        store.add("passwords", &[("uid", uid(5).into()), ("hash", hash.into())]);
        show(&store, "bob")
    };
    assert!(of_cost(16).reasons.is_empty());
    let bob = of_cost(17);
    assert_eq!((bob.can_sign_in, bob.reasons[0].code.as_str()), (true.into(), reason::HASH_SLOW));
    let bob = of_cost(31);
    assert_eq!((&bob.can_sign_in, codes(&bob)), (&false.into(), vec![reason::HASH_SLOW]));
    assert_eq!(bob.reasons[0].fix, ["password", "reset", "bob"]);
}
