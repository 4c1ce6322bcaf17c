use super::directory::*;
use latchlift_plugin_api::*;
use serde_json::json;

const LEGACY: &str = "2026.9.4";

#[test]
fn who_has_credential_and_entry_can_sign_in() {
    let mut directory = directory(&[("1", "ann", true), ("2", "Bob", false)]);
    directory.token("t1", "1", Some("normal"), Some("http://x/"));
    directory.token("t2", "1", None, Some("http://x/"));
    directory.token("t3", "1", Some("long_lived_access_token"), None);
    directory.token("t4", "1", None, None);
    directory.put(
        "person",
        2,
        json!({"items": [{"id": "a", "name": "Ann A", "user_id": "1"}, {"id": "b", "name": "B"}]}),
    );
    let ann = account(&directory, "1");
    assert_eq!(ann.name.value().map(String::as_str), Some("ann"));
    // Both browser sessions have ended by themselves.
    assert_eq!((ann.can_sign_in, ann.admin, ann.sessions, ann.tokens), (true.into(), true.into(), 0.into(), 1.into()));
    assert_eq!(ann.role, Known::Is("system-admin".into()));
    assert_eq!(ann.groups, Known::Is(vec!["Administrators".into()]));
    assert_eq!(ann.hash, Known::Is("bcrypt 4".into()));
    assert_eq!(ann.extra.get("person").map(String::as_str), Some("Ann A"));
    assert_eq!(ann.last_login.value().map(ToString::to_string).as_deref(), Some("2026-11-01T00:00:00Z"));
    let bob = account(&directory, "2");
    assert_eq!((bob.can_sign_in, bob.admin, codes(&bob.reasons)), (true.into(), false.into(), vec![]));
}

#[test]
fn a_hash_that_takes_for_ever_keeps_out() {
    let mut directory = directory(&[("1", "ann", true)]);
    // Of cost 31.
    let hash = "JDJiJDMxJENDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQy5FNVlQTzlrbXl1Ukd5aDBYb3VRWWI0WU1KS3Z5T2VX";
    directory.put("auth_provider.homeassistant", 1, json!({"users": [{"username": "ann", "password": hash}]}));
    let ann = account(&directory, "1");
    assert_eq!((&ann.can_sign_in, codes(&ann.reasons)), (&false.into(), vec!["hash_slow!".to_owned()]));
    assert_eq!(ann.reasons[0].fix, ["password", "reset", "ann"]);
}

#[test]
fn every_cause_of_a_lock_out_has_its_reason() {
    let mut directory = directory(&[
        ("1", "ann", true),
        ("2", "bob", false),
        ("3", "cyd", false),
        ("4", "dan", false),
        ("5", "ann", false),
    ]);
    directory.user(0)["is_active"] = false.into();
    directory.user(0)["local_only"] = true.into();
    directory.put(
        "auth_provider.homeassistant",
        1,
        json!({"users": [
            {"username": "ann", "password": OLD}, {"username": "cyd", "password": "bm8gaGFzaA=="},
            {"username": "DAN", "password": OLD}, {"username": "dan", "password": OLD},
        ]}),
    );
    directory.push("auth#/data/users", json!({"id": "6", "name": "Eve", "is_owner": false, "is_active": true, "system_generated": false, "group_ids": ["system-admin"]}));
    directory.push("auth#/data/users", json!({"id": "7", "name": "Content", "is_owner": false, "is_active": true, "system_generated": true, "group_ids": []}));
    let reasons = |id| codes(&account(&directory, id).reasons);
    assert_eq!(reasons("1"), ["disabled!", "local_only"]);
    assert_eq!(reasons("2"), ["password_entry_missing!"]);
    assert_eq!(reasons("3"), ["hash_unreadable!"]);
    assert_eq!(reasons("4"), ["duplicate"]);
    assert_eq!(reasons("5"), ["shadowed!"]);
    assert_eq!(reasons("6"), ["credential_missing!"]);
    assert_eq!(account(&directory, "6").reasons[0].fix, ["password", "reset", "eve", "--id", "6"]);
    assert_eq!(account(&directory, "2").reasons[0].fix, ["password", "reset", "bob"]);
    let keep = ["user", "fix-names", "--keep", "4", "dan"];
    assert_eq!(account(&directory, "4").reasons[0].fix, keep, "a reset leaves both entries");
    // Two users answer to `ann`, so the name alone would not do.
    directory.documents.get_mut("auth_provider.homeassistant").unwrap()["data"]["users"][0]["password"] = "x".into();
    assert_eq!(account(&directory, "1").reasons[1].fix, ["password", "reset", "ann", "--id", "1"]);
    assert!(accounts(&directory).iter().all(|account| account.id != "7"), "the app's own users are hidden");
    let system = Options { system: true, ..Options::default() };
    let all = read(&directory, &Request { options: system, ..request("user.list", "") }).unwrap();
    assert!(matches!(&all[0], Batch::Accounts(all) if all.len() == 7 && codes(&all[6].reasons) == ["system!"]));
}

#[test]
fn repeated_names_were_compared_letter_by_letter_until_2026_10() {
    let new = directory(&[("1", "Maria", false), ("2", "maria", false), ("3", "Jo", false)]);
    let old = new.clone().version(LEGACY);
    assert_eq!(codes(&account(&old, "1").reasons), ["name_case"]);
    assert_eq!(codes(&account(&old, "2").reasons), Vec::<String>::new());
    assert_eq!(codes(&account(&old, "3").reasons), ["name_case"]);
    assert_eq!(codes(&account(&new, "1").reasons), ["duplicate"]);
    assert_eq!(codes(&account(&new, "2").reasons), ["shadowed!", "duplicate"]);
    assert_eq!(codes(&account(&new, "3").reasons), Vec::<String>::new());
    // Without a second spelling, older releases fold names too.
    let calm = directory(&[("1", "Maria", false)]).version(LEGACY);
    assert_eq!(account(&calm, "1").reasons, vec![]);
}

#[test]
fn the_settings_decide_too() {
    let mut directory = directory(&[("1", "ann", true)]);
    directory.put("auth_module.totp", 1, json!({"users": {"1": "SECRET", "gone": "LEFT"}}));
    directory.put("auth_module.notify", 1, json!({"users": {"1": {"notify_service": "phone", "target": null}}}));
    let ann = account(&directory, "1");
    assert_eq!((ann.mfa, ann.can_sign_in), (Known::Is(vec!["totp".into()]), true.into()));
    assert_eq!(ann.reasons[0].fix, ["mfa", "disable", "ann"]);
    let yaml =
        "homeassistant:\n  auth_providers:\n    - type: trusted_networks\n  auth_mfa_modules:\n    - type: notify\n";
    directory.texts.insert("configuration.yaml".into(), yaml.into());
    let ann = account(&directory, "1");
    assert_eq!(codes(&ann.reasons), ["provider_disabled!", "mfa"]);
    assert_eq!(ann.mfa, Known::Is(vec!["notify".into()]));
    let mfa = read(&directory, &Request { target: None, ..request("mfa.status", "") }).unwrap();
    let Batch::Mfa(mfa) = &mfa[0] else { panic!("{mfa:?}") };
    let told: Vec<_> = mfa.iter().map(|mfa| (mfa.account_id.as_str(), mfa.method.as_str(), mfa.enabled)).collect();
    assert_eq!(told, [("1", "totp", false), ("gone", "totp", false), ("1", "notify", true)]);
    assert!(mfa.iter().all(|mfa| mfa.secrets.is_empty()));
}

#[test]
fn a_totp_secret_is_told_when_asked_for() {
    let mut directory = directory(&[("1", "ann", true)]);
    directory.put("auth_module.totp", 1, json!({"users": {"1": "SECRET"}}));
    let options = Options { show_secrets: true, ..Options::default() };
    let mfa = read(&directory, &Request { options, ..request("mfa.status", "Ann") }).unwrap();
    let Batch::Mfa(mfa) = &mfa[0] else { panic!("{mfa:?}") };
    let url = "otpauth://totp/Home%20Assistant:ann%20shown?secret=SECRET&issuer=Home%20Assistant";
    assert_eq!(mfa[0].secrets.get("otpauth").map(String::as_str), Some(url));
}

#[test]
fn a_user_of_another_provider_is_not_judged() {
    let mut directory = directory(&[("1", "ann", true)]);
    directory.push(
        "auth#/data/users",
        json!({"id": "2", "name": "Cmd", "is_owner": false, "is_active": true, "system_generated": false}),
    );
    directory.push("auth#/data/credentials", json!({"id": "c", "user_id": "2", "auth_provider_type": "command_line", "auth_provider_id": null, "data": {"username": "cmd"}}));
    assert_eq!(codes(&account(&directory, "2").reasons), ["provider_disabled!"]);
    let yaml = "homeassistant:\n  auth_providers:\n    - type: homeassistant\n    - type: command_line\n";
    directory.texts.insert("configuration.yaml".into(), yaml.into());
    let cmd = account(&directory, "2");
    assert_eq!((cmd.can_sign_in, codes(&cmd.reasons)), (Known::Nothing, vec!["provider".to_owned()]));
    assert_eq!((cmd.name, cmd.provider), (Known::Is("cmd".into()), Known::Is("command_line".into())));
    let refused = plan(&directory, &request("password.reset", "cmd")).unwrap_err();
    assert_eq!((refused.kind, refused.help.unwrap().contains("--convert")), (Kind::Refused, true));
    let options = Options { convert: true, ..Options::default() };
    let converted = plan(&directory, &Request { options, ..request("password.reset", "cmd") }).unwrap();
    assert!(verdict(&applied(&directory, &converted), "CMD").matches);
}

#[test]
fn converting_never_sets_the_password_of_somebody_else_of_the_name() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.push("auth#/data/users", json!({"id": "3", "name": "Cmd", "is_active": true}));
    directory.push(
        "auth#/data/credentials",
        json!({"id": "c", "user_id": "3", "auth_provider_type": "command_line", "data": {"username": "Bob"}}),
    );
    let mut wanted = request("password.reset", "");
    wanted.target.as_mut().unwrap().id = Some("3".into());
    wanted.options.convert = true;
    let refused = plan(&directory, &wanted).unwrap_err();
    assert_eq!(refused.kind, Kind::Conflict);
    assert!(refused.help.unwrap().contains("`latchlift user rename bob --id 2 NEW`"));
}

#[test]
fn password_check_walks_the_login_and_not_the_list() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    let new = plan(&directory, &request("password.reset", "ann")).unwrap();
    let after = applied(&directory, &new);
    assert!(!verdict(&directory, "ann").matches);
    let told = verdict(&after, "  ANN ");
    assert_eq!((told.matches, told.can_sign_in, told.account.unwrap().id.as_str()), (true, true.into(), "1"));
    // The last of two entries is asked, whichever the person means.
    let mut twice = after.clone();
    twice.push("auth_provider.homeassistant#/data/users", json!({"username": "ANN", "password": OLD}));
    assert!(!verdict(&twice, "ann").matches);
    assert_eq!(codes(&verdict(&twice, "ann").reasons), ["duplicate"]);
    // An entry without a user lets in a stranger; that is the truth about it.
    let mut orphan = after.clone();
    orphan.documents.get_mut("auth").unwrap()["data"]["credentials"] = json!([]);
    let told = verdict(&orphan, "ann");
    assert_eq!((told.account, told.can_sign_in, codes(&told.reasons)), (None, true.into(), vec!["orphan".to_owned()]));
    assert_eq!(read(&after, &request("password.check", "zoe")).unwrap_err().kind, Kind::NotFound);
    directory.put("auth_provider.homeassistant", 1, json!({"users": []}));
    assert_eq!(codes(&verdict(&directory, "ann").reasons), ["password_entry_missing!"]);
}

#[test]
fn a_name_in_the_wrong_letters_is_explained_in_legacy_mode() {
    let directory = directory(&[("1", "Maria", false), ("2", "maria", false)]).version(LEGACY);
    let told = verdict(&directory, "MARIA");
    assert_eq!(
        (told.matches, told.can_sign_in, codes(&told.reasons)),
        (false, false.into(), vec!["name_case!".to_owned()])
    );
    assert_eq!(verdict(&directory, "Maria").account.unwrap().id, "1");
    let ambiguous = plan(&directory, &request("password.reset", "maria")).unwrap_err();
    assert_eq!((ambiguous.kind, ambiguous.candidates.len()), (Kind::Ambiguous, 2));
}

#[test]
fn sessions_have_kinds_and_ends() {
    let mut directory = directory(&[("1", "ann", true)]);
    directory.token("t1", "1", Some("normal"), Some("http://x/"));
    directory.token("t2", "1", Some("long_lived_access_token"), None);
    directory.token("t3", "1", Some("system"), None);
    let told = read(&directory, &Request { target: None, ..request("session.list", "") }).unwrap();
    let Batch::Sessions(told) = &told[0] else { panic!("{told:?}") };
    let kinds: Vec<_> = told.iter().map(|one| (one.id.as_str(), one.kind.as_str(), one.expired)).collect();
    assert_eq!(kinds, [("t1", "browser", true), ("t2", "long_lived", true)]);
    assert_eq!(told[0].expires_at, Known::Is(Time(1_793_491_200_500)));
    assert_eq!(told[1].expires_at.value().map(ToString::to_string).as_deref(), Some("2026-11-01T00:30:00Z"));
    let one = read(&directory, &request("session.list", "zoe")).unwrap_err();
    assert_eq!(one.kind, Kind::NotFound);
}

/// Verbs that read, and verbs that plan.
const READ: [&str; 9] = [
    "user.list",
    "user.show",
    "password.check",
    "session.list",
    "session.show",
    "token.list",
    "mfa.status",
    "login.list",
    "ban.list",
];
const PLAN: [&str; 16] = [
    "user.add",
    "user.set",
    "user.rename",
    "user.remove",
    "user.fix-names",
    "password.reset",
    "password.remove",
    "admin.recreate",
    "admin.grant",
    "admin.revoke",
    "session.revoke",
    "token.issue",
    "token.revoke",
    "mfa.disable",
    "ban.clear",
    "onboarding.restart",
];

fn findings(directory: &Directory) -> Vec<String> {
    match read(directory, &Request { target: None, ..request("app.check", "") }).unwrap().pop() {
        Some(Batch::Check(check)) => {
            check.findings.into_iter().map(|f| format!("{:?} {}", f.severity, f.code)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_of_the_future_are_refused_by_every_verb_and_found() {
    for document in ["auth", "auth_provider.homeassistant"] {
        let mut directory = directory(&[("1", "ann", true)]);
        directory.put(document, 2, json!({"users": {}}));
        for verb in READ {
            assert_eq!(read(&directory, &request(verb, "ann")).unwrap_err().kind, Kind::UnknownSchema, "{verb}");
        }
        for verb in PLAN {
            assert_eq!(plan(&directory, &request(verb, "ann")).unwrap_err().kind, Kind::UnknownSchema, "{verb}");
        }
        assert!(findings(&directory).contains(&"Serious unreadable_file".to_owned()));
    }
    assert_eq!(crate::HomeAssistant.probe(&Directory::default()).unwrap_err().kind, Kind::UnknownSchema);
    let mut minor = directory(&[("1", "ann", true)]);
    minor.documents.get_mut("auth").unwrap()["minor_version"] = 2.into();
    assert_eq!(read(&minor, &request("user.list", "")).unwrap_err().kind, Kind::UnknownSchema);
}

#[test]
fn damaged_account_files_are_found_and_left_alone() {
    for document in ["auth", "auth_provider.homeassistant"] {
        let mut directory = directory(&[("1", "ann", true)]);
        directory.breaks(document);
        assert!(crate::HomeAssistant.probe(&directory).is_ok());
        assert_eq!(findings(&directory)[0], "Serious unreadable_file");
        let free = ["login.list", "ban.list"];
        for verb in READ.into_iter().filter(|verb| !free.contains(verb)) {
            assert_eq!(read(&directory, &request(verb, "ann")).unwrap_err().kind, Kind::Conflict, "{verb}");
        }
        let free = ["ban.clear", "onboarding.restart"];
        for verb in PLAN.into_iter().filter(|verb| !free.contains(verb)) {
            assert_eq!(plan(&directory, &request(verb, "ann")).unwrap_err().kind, Kind::Conflict, "{verb}");
        }
        assert_eq!(plan(&directory, &request("onboarding.restart", "")).unwrap().steps.len(), 3);
    }
}

#[test]
fn damaged_files_of_second_factors_stop_nobody_else() {
    for (name, broken) in [("auth_module.totp", true), ("auth_module.notify", false)] {
        let mut directory = directory(&[("1", "ann", true)]);
        match broken {
            true => directory.breaks(name),
            false => directory.put(name, 7, json!({"users": {}})),
        }
        assert_eq!(account(&directory, "1").can_sign_in, true.into());
        assert!(plan(&directory, &request("password.reset", "ann")).is_ok());
        for verb in ["mfa.status", "mfa.disable"] {
            let refused = match verb {
                "mfa.status" => read(&directory, &request(verb, "ann")).map(|_| ()),
                _ => plan(&directory, &request(verb, "ann")).map(|_| ()),
            };
            assert!(matches!(refused.unwrap_err().kind, Kind::Conflict | Kind::UnknownSchema), "{verb}");
        }
        assert!(findings(&directory).contains(&"Serious unreadable_file".to_owned()));
    }
}

#[test]
fn files_from_before_minor_versions_and_groups_are_read() {
    let mut directory = directory(&[("1", "ann", false)]);
    let auth = directory.documents.get_mut("auth").unwrap();
    auth.as_object_mut().unwrap().remove("minor_version");
    auth["data"].as_object_mut().unwrap().remove("groups");
    directory.user(0).as_object_mut().unwrap().remove("group_ids");
    directory.user(0).as_object_mut().unwrap().remove("local_only");
    // The app makes everybody an administrator when it finds no groups.
    assert_eq!(account(&directory, "1").admin, true.into());
}

#[test]
fn the_name_shown_is_not_the_name_to_sign_in_with() {
    let directory = directory(&[("1", "ann", true)]);
    let help = read(&directory, &request("user.show", "Ann Shown")).unwrap_err().help;
    assert_eq!(help.as_deref(), Some("that is the name shown; the sign-in name is `ann`"));
}
