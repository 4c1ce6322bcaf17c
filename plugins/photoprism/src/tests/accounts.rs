//! What the verbs that make and change accounts plan.

use super::*;

pub fn with(verb: &str, name: &str, keys: &[(&str, &str)]) -> Request {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Request { keys, ..request(verb, name) }
}

pub fn allowed(mut request: Request) -> Request {
    request.options.allow = vec!["last-admin".to_owned()];
    request
}

/// 240915 with a second administrator and bob, signed in and with an app password.
pub fn peopled() -> Fake {
    let mut store = sqlite();
    store.table("auth_users_shares", "user_uid! share_uid! perm");
    store.table("auth_clients", CLIENTS);
    user(&mut store, 4, "alice", &[("user_role", "admin".into()), ("user_email", "alice@example.org".into())]);
    user(&mut store, 5, "bob", &[("webdav", 1.into())]);
    for id in [4, 5] {
        hash(&mut store, &uid(id), 1);
        store.add("auth_users_details", &[("user_uid", uid(id).into())]);
        store.add("auth_users_settings", &[("user_uid", uid(id).into())]);
    }
    store.add("auth_users_shares", &[("user_uid", uid(5).into()), ("share_uid", "asmf7s0za6xztwm1".into())]);
    session(&mut store, "b1", &uid(5), "local".into(), "default", "");
    session(&mut store, "b2", &uid(5), "application".into(), "default", "");
    session(&mut store, "b3", &uid(5), "application".into(), "session", "b2");
    session(&mut store, "a1", ADMIN, "local".into(), "default", "");
    store
}

#[test]
fn a_new_account_is_filled_as_photoprism_fills_it_and_signs_in() {
    let store = peopled();
    let keys =
        [("role", "guest"), ("email", "Zoe@Example.org"), ("webdav", "yes"), ("expires", "2025-01-01T00:00:00Z")];
    let made = plan(&store, &with("user.add", " Zoe.Smith ", &keys)).unwrap();
    assert!(made.accounts[0].should_sign_in && made.warnings.is_empty(), "{:?}", made.warnings);
    let after = store.after(&made);
    let zoe = show(&after, "zoe.smith");
    assert_eq!((zoe.can_sign_in, zoe.admin), (Known::Is(true), Known::Is(false)));
    assert_eq!((zoe.email, zoe.display_name), (Known::Is("zoe@example.org".into()), Known::Is("Zoe Smith".into())));
    assert_eq!(zoe.extra["row_id"], "6");
    let field = |name: &str| after.value("auth_users", name, ("id", 6.into())).unwrap();
    assert_eq!(field("expires_at"), "2025-01-01 00:00:00+00:00".into());
    assert_eq!(
        (field("webdav"), field("invite_token"), field("auth_provider")),
        (1.into(), "".into(), "default".into())
    );
    for (table, field, zero) in
        [("auth_users_details", "birth_year", 0.into()), ("auth_users_settings", "ui_theme", "".into())]
    {
        assert!(after.value(table, "created_at", ("user_uid", zoe.id.clone().into())).is_some(), "{table}");
        assert_eq!(after.value(table, field, ("user_uid", zoe.id.clone().into())), Some(zero), "{table}");
    }
    assert!(verdict(&after, "Zoe.Smith", 1).matches);
}

#[test]
fn an_account_needs_a_role_of_its_edition_a_free_name_and_a_free_address() {
    let mut store = peopled();
    let kind =
        |store: &Fake, name: &str, keys: &[(&str, &str)]| plan(store, &with("user.add", name, keys)).unwrap_err().kind;
    assert_eq!(kind(&store, "zoe", &[]), Kind::Usage);
    for role in ["", "visitor", "king"] {
        assert_eq!(kind(&store, "zoe", &[("role", role)]), Kind::Usage, "{role}");
    }
    assert_eq!(kind(&new(StoreKind::Sqlite, "ce"), "zoe", &[("role", "viewer")]), Kind::Usage);
    assert_eq!(kind(&store, "zoe", &[("role", "guest"), ("email", "alice@example.org")]), Kind::Conflict);
    assert_eq!(kind(&store, "zoe", &[("role", "guest"), ("email", "nonsense")]), Kind::Usage);
    assert_eq!(kind(&store, "BOB", &[("role", "guest")]), Kind::Conflict);
    for bad in ["visitor", "a,b", "csmf7s0tmxw1uzj1"] {
        assert_eq!(kind(&store, bad, &[("role", "guest")]), Kind::Usage, "{bad}");
    }
    let gone = [("deleted_at", "2024-11-01 12:00:00+00:00".into()), ("auth_method", "2fa".into())];
    user(&mut store, 6, "frank", &gone);
    hash(&mut store, &uid(6), 1);
    let refused = plan(&store, &with("user.add", "Frank", &[("role", "guest")])).unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
    for word in ["role `user`", "old password", "second factor"] {
        assert!(refused.message.contains(word), "{}", refused.message);
    }
    assert!(refused.help.unwrap().contains("latchlift user restore frank"));
}

#[test]
fn mariadb_finds_names_without_their_accents_so_they_are_taken() {
    let mut store = new(StoreKind::Mysql, "plus");
    user(&mut store, 5, "jürgen", &[]);
    let refused = plan(&store, &with("user.add", "jurgen", &[("role", "guest")])).unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
}

#[test]
fn an_account_without_password_is_somebody_elses_to_check() {
    let store = peopled();
    let add = |keys: &[(&str, &str)]| {
        let mut request = with("user.add", "zoe", &[keys, &[("role", "guest")]].concat());
        request.password = None;
        plan(&store, &request)
    };
    assert_eq!(add(&[]).unwrap_err().kind, Kind::Usage);
    assert_eq!(add(&[("provider", "oidc")]).unwrap_err().kind, Kind::Usage);
    assert_eq!(add(&[("provider", "oidc"), ("auth-id", "abc")]).unwrap_err().kind, Kind::Usage);
    let made = add(&[("provider", "oidc"), ("auth-id", "subject-9")]).unwrap();
    assert_eq!(show(&store.after(&made), "zoe").can_sign_in, Known::Nothing);
    let none = add(&[("provider", "none")]).unwrap();
    assert!(!none.accounts[0].should_sign_in);
    let old = plan(&old(), &with("user.add", "zoe", &[("role", "user"), ("provider", "oidc"), ("auth-id", "subject")]));
    assert_eq!(old.unwrap_err().kind, Kind::Unsupported);
}

#[test]
fn a_subject_that_sqlite_would_make_a_number_of_is_refused_or_kept_exactly() {
    let mut store = peopled();
    for column in &mut store.tables.get_mut("auth_users").unwrap().columns {
        column.kind = if column.name == "auth_id" { "varbinary(255)" } else { "varchar(200)" }.to_owned();
    }
    let set = |id: &str| plan(&store, &with("user.set", "bob", &[("auth-id", id)]));
    for bad in ["108223344556677889900", "007", "12345e67"] {
        assert_eq!(set(bad).unwrap_err().kind, Kind::Refused, "{bad}");
    }
    let kept = store.after(&set("12345").unwrap());
    assert_eq!(kept.value("auth_users", "auth_id", ("id", 5.into())), Some(12_345.into()));
    assert!(set("subject-9").is_ok());
}

#[test]
fn another_account_loses_the_subject_that_moves() {
    let mut store = peopled();
    user(&mut store, 6, "olga", &[("auth_provider", "oidc".into()), ("auth_id", "subject-9".into())]);
    let moved = plan(&store, &with("user.set", "bob", &[("provider", "oidc"), ("auth-id", "subject-9")])).unwrap();
    assert!(moved.warnings.iter().any(|warning| warning.starts_with("olga had this auth-id")), "{:?}", moved.warnings);
    // Another kind of server may know somebody else by the same id.
    let ldap = plan(&store, &with("user.set", "bob", &[("provider", "ldap"), ("auth-id", "subject-9")])).unwrap();
    assert!(!ldap.warnings.iter().any(|warning| warning.contains("had this auth-id")), "{:?}", ldap.warnings);
    let after = store.after(&moved);
    assert_eq!(after.value("auth_users", "auth_provider", ("id", 6.into())), Some("none".into()));
    assert_eq!(after.value("auth_users", "auth_id", ("id", 6.into())), Some("".into()));
}

#[test]
fn new_rights_end_sign_ins_and_new_addresses_do_not() {
    let store = peopled();
    let set = |keys: &[(&str, &str)], options: Options| {
        plan(&store, &Request { options, ..with("user.set", "bob", keys) }).unwrap()
    };
    assert_eq!(left(&store, &set(&[("email", "bob@example.org")], Options::default())).len(), 4);
    let rights = set(&[("webdav", "no")], Options::default());
    assert_eq!(left(&store, &rights), ["a1", "b2", "b3"]);
    assert!(rights.warnings[0].contains("1 app password stays"), "{:?}", rights.warnings);
    let tokens = set(&[("webdav", "no")], Options { tokens: true, ..Options::default() });
    assert_eq!((left(&store, &tokens), tokens.warnings.len()), (vec!["a1".to_owned()], 0));
    let kept = set(&[("webdav", "no")], Options { keep_sessions: true, ..Options::default() });
    assert_eq!(left(&store, &kept).len(), 4);
    assert!(set(&[("webdav", "yes"), ("login", "yes")], Options::default()).is_empty());
}

#[test]
fn what_an_account_may_no_longer_do_is_said() {
    let mut store = peopled();
    let off = plan(&store, &with("user.set", "bob", &[("login", "no")])).unwrap();
    assert!(off.warnings[0].starts_with("bob cannot sign in after this"), "{:?}", off.warnings);
    let role = plan(&store, &with("user.set", "admin", &[("role", "guest")])).unwrap();
    assert!(role.warnings.iter().any(|warning| warning.contains("superadmin=no")), "{:?}", role.warnings);
    user(&mut store, 6, "heidi", &[("auth_method", "2fa".into())]);
    store.add("passcodes", &[("uid", uid(6).into()), ("key_type", "totp".into())]);
    let none = store.after(&plan(&store, &with("user.set", "heidi", &[("provider", "none")])).unwrap());
    assert_eq!(none.value("auth_users", "auth_method", ("id", 6.into())), Some("default".into()));
    assert!(none.tables["passcodes"].rows.is_empty());
}

#[test]
fn admin_says_both_and_a_super_administrator_of_another_role_is_pointed_out() {
    let store = peopled();
    let after = |name: &str, keys: &[(&str, &str)]| store.after(&plan(&store, &with("user.set", name, keys)).unwrap());
    let field = |store: &Fake, name: &str, id: i64| store.value("auth_users", name, ("id", id.into())).unwrap();
    let bob = after("bob", &[("admin", "yes")]);
    assert_eq!((field(&bob, "super_admin", 5), field(&bob, "user_role", 5)), (1.into(), "admin".into()));
    let admin = after("admin", &[("admin", "no")]);
    assert_eq!((field(&admin, "super_admin", 1), field(&admin, "user_role", 1)), (0.into(), "user".into()));
    let viewer = after("admin", &[("admin", "no"), ("role", "viewer")]);
    assert_eq!(field(&viewer, "user_role", 1), "viewer".into());
    let made = store.after(&plan(&store, &with("user.add", "zoe", &[("admin", "yes"), ("role", "admin")])).unwrap());
    assert_eq!(show(&made, "zoe").admin, Known::Is(true));
    let odd = plan(&store, &with("user.add", "zoe", &[("superadmin", "yes"), ("role", "guest")])).unwrap();
    assert!(odd.warnings.iter().any(|warning| warning.contains("superadmin=no")), "{:?}", odd.warnings);
}

#[test]
fn a_column_that_a_release_lacks_is_not_set() {
    let refused = plan(&peopled(), &with("user.set", "bob", &[("scope", "photos")])).unwrap_err();
    assert_eq!(refused.kind, Kind::Unsupported);
}

#[test]
fn a_search_by_the_number_of_a_row_is_answered_with_it() {
    let store = peopled();
    let searched = |ids: &[&str]| {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let batches = read(&store, &Request { ids, ..request("user.list", "") }).unwrap();
        let accounts = batches.into_iter().flat_map(|batch| match batch {
            Batch::Accounts(accounts) => accounts,
            other => panic!("{other:?}"),
        });
        accounts.filter_map(|account| account.extra.get("row_id").cloned()).collect::<Vec<_>>()
    };
    assert_eq!(searched(&["5"]), ["5"]);
    assert!(searched(&["bob"]).is_empty() && searched(&[]).is_empty());
}
