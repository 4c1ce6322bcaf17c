//! What is planned and reported about app passwords, clients and the record of sign-ins.

use super::*;

fn with(verb: &str, name: &str, keys: &[(&str, &str)], ids: &[&str]) -> Request {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Request { keys, ids: ids.iter().map(|id| (*id).to_owned()).collect(), ..request(verb, name) }
}

fn store() -> Fake {
    let mut store = sqlite();
    store.table("auth_clients", CLIENTS);
    user(&mut store, 5, "bob", &[]);
    hash(&mut store, &uid(5), 1);
    store
}

fn sessions_of(batches: Vec<Batch>) -> Vec<Session> {
    let rows = batches.into_iter().flat_map(|batch| match batch {
        Batch::Sessions(rows) | Batch::Tokens(rows) => rows,
        other => panic!("{other:?}"),
    });
    rows.collect()
}

fn clients_of(batches: Vec<Batch>) -> Vec<Client> {
    let rows = batches.into_iter().flat_map(|batch| match batch {
        Batch::Clients(rows) => rows,
        other => panic!("{other:?}"),
    });
    rows.collect()
}

#[test]
fn an_app_password_is_stored_as_its_hash_with_the_accounts_own_tokens() {
    let store = store();
    let issued = plan(&store, &with("token.issue", "bob", &[("name", "Phone"), ("scope", "WebDAV")], &[])).unwrap();
    let secret = issued.reveals[0].value.clone();
    assert_eq!((issued.reveals.len(), issued.reveals[0].kind.as_str(), secret.len()), (1, "app_password", 27));
    assert!(!format!("{:?}", issued.steps).contains(&secret), "the secret is in the plan");
    let after = store.after(&issued);
    let field = |name: &str| after.value("auth_sessions", name, ("id", sha256(secret.as_bytes()).into()));
    assert_eq!(field("auth_provider"), Some("application".into()));
    assert_eq!(field("user_uid"), Some(uid(5).into()));
    // The number that SQLite made of a token is copied as it is.
    assert_eq!(field("preview_token"), Some(12_345_678.into()));
    assert_eq!(field("auth_scope"), Some("webdav".into()));
    assert_eq!(field("sess_expires"), Some((NOW.seconds() + 31_536_000).into()));
    let listed = sessions_of(read(&after, &request("token.list", "bob")).unwrap());
    assert_eq!(
        (listed.len(), listed[0].kind.as_str(), listed[0].client.value().unwrap().as_str()),
        (1, "app_password", "Phone")
    );
    assert_eq!(listed[0].scope, Known::Is("webdav".into()));
    let by_secret = plan(&after, &with("token.revoke", "", &[], &[&secret])).unwrap();
    assert!(left(&after, &by_secret).is_empty());
    let shown = sessions_of(read(&after, &with("session.show", "", &[], &[&secret])).unwrap());
    assert_eq!(shown[0].id, listed[0].id);
}

#[test]
fn an_access_token_belongs_to_nobody_and_may_never_end() {
    let store = store();
    let issued = plan(&store, &with("token.issue", "", &[("expires", "never")], &[])).unwrap();
    assert_eq!((issued.reveals[0].kind.as_str(), issued.reveals[0].value.len()), ("access_token", 48));
    let after = store.after(&issued);
    let row = &sessions_of(read(&after, &request("token.list", "")).unwrap())[0];
    assert_eq!(
        (row.kind.as_str(), &row.expires_at, &row.account_id),
        ("access_token", &Known::Nothing, &Known::Nothing)
    );
    let all = Options { all: true, ..Options::default() };
    let ended = plan(&after, &Request { options: all, ..request("token.revoke", "") }).unwrap();
    assert!(left(&after, &ended).is_empty());
    let past = plan(&store, &with("token.issue", "", &[("expires", "2020-01-01T00:00:00Z")], &[]));
    assert_eq!(past.unwrap_err().kind, Kind::Usage);
}

#[test]
fn tokens_end_by_account_by_id_and_by_age_with_what_was_opened_with_them() {
    let mut store = store();
    session(&mut store, "b1", &uid(5), "application".into(), "default", "");
    session(&mut store, "b2", &uid(5), "application".into(), "session", "b1");
    session(&mut store, "b3", &uid(5), "local".into(), "default", "");
    session(&mut store, "a1", ADMIN, "application".into(), "default", "");
    session(&mut store, "c1", "", "client".into(), "oauth2", "");
    let revoke = |name: &str, ids: &[&str], options: Options| {
        left(&store, &plan(&store, &Request { options, ..with("token.revoke", name, &[], ids) }).unwrap())
    };
    assert_eq!(revoke("bob", &[], Options::default()), ["a1", "b3", "c1"]);
    assert_eq!(revoke("", &["sessb1"], Options::default()), ["a1", "b3", "c1"]);
    // A browser's sign-in is no token.
    assert_eq!(revoke("", &["sessb3"], Options::default()).len(), 5);
    assert_eq!(revoke("", &[], Options { all: true, ..Options::default() }), ["b3", "c1"]);
    let unused = |span| Options { unused_for: Some(span), ..Options::default() };
    assert_eq!(revoke("", &[], unused(900)), ["b3", "c1"]);
    assert_eq!(revoke("", &[], unused(86_400)).len(), 5);
    assert_eq!(plan(&store, &request("token.revoke", "")).unwrap_err().kind, Kind::Usage);
    let tokens = sessions_of(read(&store, &Request { options: unused(900), ..request("token.list", "") }).unwrap());
    assert_eq!(tokens.len(), 2);
}

#[test]
fn layouts_without_tokens_and_clients_say_so() {
    let store = old();
    let withdrawn = PhotoPrism.probe(&store).unwrap().withdrawn;
    for verb in ["token.list", "token.issue", "token.revoke", "client.list", "client.add", "login.clear", "mfa.disable"]
    {
        assert!(withdrawn.contains_key(verb), "{verb}");
    }
    assert_eq!(plan(&store, &request("token.issue", "admin")).unwrap_err().kind, Kind::Unsupported);
    assert_eq!(plan(&store, &request("client.add", "Frame")).unwrap_err().kind, Kind::Unsupported);
}

#[test]
fn a_client_gets_a_secret_that_only_its_hash_is_kept_of() {
    let store = store();
    let keys = [("scope", "photos albums"), ("expires", "3600"), ("tokens", "0"), ("account", "bob")];
    let added = plan(&store, &with("client.add", "Frame", &keys, &[])).unwrap();
    let secret = added.reveals[0].value.clone();
    let after = store.after(&added);
    let client = clients_of(read(&after, &request("client.list", "")).unwrap()).remove(0);
    assert_eq!((client.name, client.scope), (Known::Is("Frame".into()), Known::Is("albums photos".into())));
    assert_eq!((client.account_id, client.expires_in), (Known::Is(uid(5)), Known::Is(3600)));
    assert_eq!((client.enabled, client.extra["most_tokens"].as_str()), (Known::Is(true), "any number"));
    let hash = after.value("passwords", "hash", ("uid", client.id.clone().into())).unwrap().to_text().unwrap();
    assert!(hash.starts_with("$2a$12$") && bcrypt::verify(&secret, &hash).unwrap());
    let other = plan(&after, &with("client.set", "", &[("new-secret", "yes")], &[&client.id])).unwrap();
    let changed = after.after(&other);
    let hash = changed.value("passwords", "hash", ("uid", client.id.clone().into())).unwrap().to_text().unwrap();
    assert!(!bcrypt::verify(&secret, &hash).unwrap() && bcrypt::verify(&other.reveals[0].value, &hash).unwrap());
    let gone = after.after(&plan(&after, &with("client.remove", "", &[], &[&client.id])).unwrap());
    assert!(gone.tables["auth_clients"].rows.is_empty());
    assert_eq!(gone.value("passwords", "hash", ("uid", client.id.into())), None);
    for keys in [[("expires", "2678401")], [("expires", "never")], [("account", "nobody")]] {
        assert!(plan(&store, &with("client.add", "Frame", &keys, &[])).is_err(), "{keys:?}");
    }
    let nobody = plan(&store, &with("client.add", "Frame", &[("account", "nobody")], &[])).unwrap_err();
    assert_eq!(nobody.kind, Kind::NotFound);
    assert!(nobody.message.contains("`nobody`") && !nobody.message.contains("Frame"), "{}", nobody.message);
    let newer = plan(&store, &with("client.add", "Frame", &[("role", "service")], &[])).unwrap();
    assert!(newer.warnings.iter().any(|warning| warning.contains("`service`")), "{:?}", newer.warnings);
}

#[test]
fn a_client_that_may_do_less_loses_its_tokens() {
    let mut store = store();
    let client = [
        ("client_uid", "cframe".into()),
        ("client_name", "Frame".into()),
        ("auth_enabled", 1.into()),
        ("auth_scope", "*".into()),
    ];
    store.add("auth_clients", &client);
    for (id, client) in [("c1", "cframe"), ("c2", "cother")] {
        session(&mut store, id, "", "client".into(), "oauth2", "");
        let table = store.tables.get_mut("auth_sessions").unwrap();
        let at = table.columns.iter().position(|column| column.name == "client_uid").unwrap();
        table.rows.last_mut().unwrap()[at] = client.into();
    }
    let set = |keys: &[(&str, &str)]| plan(&store, &with("client.set", "", keys, &["cframe"])).unwrap();
    assert_eq!(left(&store, &set(&[("enabled", "no")])), ["c2"]);
    assert_eq!(left(&store, &set(&[("scope", "metrics")])), ["c2"]);
    assert_eq!(left(&store, &set(&[("name", "Frames")])).len(), 2);
    assert!(set(&[("enabled", "yes"), ("scope", "*")]).is_empty());
    assert_eq!(left(&store, &plan(&store, &with("client.remove", "", &[], &["cframe"])).unwrap()), ["c2"]);
    let missing = plan(&store, &with("client.set", "", &[], &["secret-in-the-wrong-place"])).unwrap_err();
    assert!(missing.kind == Kind::NotFound && !missing.message.contains("secret-in"));
    let shown = clients_of(read(&store, &with("client.show", "", &[], &["cframe"])).unwrap());
    assert_eq!(shown[0].tokens, Known::Is(1));
}

fn logins_of(batches: Vec<Batch>) -> Vec<Login> {
    let rows = batches.into_iter().flat_map(|batch| match batch {
        Batch::Logins(rows) => rows,
        Batch::Note(_) => vec![],
        other => panic!("{other:?}"),
    });
    rows.collect()
}

#[test]
fn the_record_of_sign_ins_is_listed_newest_first_and_cleared() {
    let mut store = store();
    store.table(
        "audit_logins",
        "client_ip! login_name! login_realm! login_status error_repeated login_at failed_at banned_at",
    );
    for (ip, name, status, field, at) in [
        ("172.19.0.1", "bob", "OK", "login_at", "2024-11-19 07:15:00+00:00"),
        ("192.0.2.7", "nobody", "Failed", "failed_at", "2024-11-20 07:15:00+00:00"),
    ] {
        let row = [("client_ip", ip.into()), ("login_name", name.into()), ("login_realm", "api".into())];
        store.add("audit_logins", &[&row[..], &[("login_status", status.into()), (field, at.into())]].concat());
    }
    let all = logins_of(read(&store, &request("login.list", "")).unwrap());
    let names: Vec<_> = all.iter().map(|login| login.account.value().unwrap().as_str()).collect();
    assert_eq!(names, ["nobody", "bob"]);
    assert_eq!(logins_of(read(&store, &request("login.list", "NOBODY")).unwrap()).len(), 1);
    let cleared = plan(&store, &request("login.clear", "")).unwrap();
    assert!(matches!(&cleared.steps[0].changes[0], Change::Purge { keep: true, count: 2, .. }));
    assert!(store.after(&cleared).tables["audit_logins"].rows.is_empty());
}

#[test]
fn other_editions_show_what_accounts_and_sign_ins_tell() {
    let mut store = store();
    user(&mut store, 6, "carol", &[("login_at", "2024-11-19 07:15:00+00:00".into())]);
    session(&mut store, "b1", &uid(5), "local".into(), "default", "");
    let table = store.tables.get_mut("auth_sessions").unwrap();
    let at = table.columns.iter().position(|column| column.name == "login_at").unwrap();
    table.rows[0][at] = "2024-11-20 07:15:00+00:00".into();
    let batches = read(&store, &request("login.list", "")).unwrap();
    assert!(matches!(&batches[0], Batch::Note(note) if note.contains("Plus and Pro")));
    let statuses: Vec<String> = logins_of(batches).into_iter().map(|login| login.status).collect();
    assert_eq!(statuses, ["signed in", "OK"]);
    let table = store.tables.get_mut("auth_sessions").unwrap();
    let ends = table.columns.iter().position(|column| column.name == "sess_expires").unwrap();
    table.rows[0][ends] = (NOW.seconds() - 1).into();
    let statuses = logins_of(read(&store, &request("login.list", "")).unwrap()).into_iter().map(|login| login.status);
    assert_eq!(statuses.collect::<Vec<_>>(), ["ended", "OK"]);
    assert_eq!(plan(&store, &request("login.clear", "")).unwrap_err().kind, Kind::Unsupported);
    assert_eq!(read(&store, &request("login.list", "nobody")).unwrap_err().kind, Kind::NotFound);
}

#[test]
fn accounts_of_the_old_table_are_listed_and_let_nobody_in() {
    let mut store = store();
    let legacy = Options { legacy: true, ..Options::default() };
    assert!(listed(&store, legacy.clone()).is_empty());
    store.table("users", "id! user_uid user_name full_name role_admin deleted_at");
    for (id, name, deleted) in
        [(-1, "", Value::Null), (1, "admin", Value::Null), (2, "bob", "2020-01-01 00:00:00".into())]
    {
        let row =
            [("id", id.into()), ("user_uid", uid(id).into()), ("user_name", name.into()), ("role_admin", 1.into())];
        store.add("users", &[&row[..], &[("deleted_at", deleted)]].concat());
    }
    let names = |options: Options| -> Vec<String> {
        listed(&store, options).iter().map(|account| account.name.value().cloned().unwrap_or_default()).collect()
    };
    assert_eq!(names(legacy.clone()), ["admin"]);
    assert_eq!(names(Options { deleted: true, system: true, ..legacy.clone() }), ["", "admin", "bob"]);
    assert_eq!(listed(&store, legacy)[0].can_sign_in, Known::Is(false));
}

#[test]
fn a_check_says_when_the_settings_choose_another_database() {
    let store = store();
    let file = |path: &str, format: &str, name: &str, value: &str| SettingsFile {
        path: path.to_owned(),
        format: format.to_owned(),
        values: [(name.to_owned(), value.to_owned())].into(),
    };
    let codes = |files: Vec<SettingsFile>| -> Vec<String> {
        let request = Request { settings: Settings(files), ..request("app.check", "") };
        let Batch::Check(check) = read(&store, &request).unwrap().remove(0) else { panic!() };
        check.findings.into_iter().map(|finding| finding.code).collect()
    };
    let env = || file(".env", "env", "PHOTOPRISM_DATABASE_DRIVER", "mysql");
    assert!(codes(vec![env()]).contains(&"wrong_store".to_owned()));
    let both = codes(vec![env(), file("options.yml", "yaml", "DatabaseDriver", "sqlite")]);
    assert!(both.contains(&"driver_beaten".to_owned()) && !both.contains(&"wrong_store".to_owned()), "{both:?}");
    assert!(codes(vec![]).contains(&"never_used".to_owned()));
    let password = codes(vec![file(".env", "env", "PHOTOPRISM_ADMIN_PASSWORD", "secret-1")]);
    assert!(password.contains(&"initial_password".to_owned()));
}

#[test]
fn a_sign_in_whose_key_became_a_number_is_found_by_its_token() {
    let mut store = old();
    user(&mut store, 5, "bob", &[]);
    for (id, short) in [(Value::Int(12_345_678), "sesswhole"), (Value::Float(1.2345e71), "sessbroken")] {
        let row = [("id", id), ("user_uid", uid(5).into()), ("ref_id", short.into()), ("sess_expires", 0.into())];
        store.add("auth_sessions", &row);
    }
    for (token, short) in [("12345678", "sesswhole"), ("12345e67", "sessbroken")] {
        let shown = sessions_of(read(&store, &with("session.show", "", &[], &[token])).unwrap());
        assert_eq!(shown.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), [short]);
        assert_eq!(left(&store, &plan(&store, &with("session.revoke", "", &[], &[token])).unwrap()).len(), 1);
    }
}
