use super::directory::*;
use latchlift_plugin_api::*;
use serde_json::json;

fn check(directory: &Directory) -> Check {
    match read(directory, &Request { target: None, ..request("app.check", "") }).unwrap().pop() {
        Some(Batch::Check(check)) => check,
        other => panic!("{other:?}"),
    }
}

fn found(directory: &Directory) -> Vec<String> {
    check(directory).findings.into_iter().map(|finding| format!("{:?} {}", finding.severity, finding.code)).collect()
}

fn healthy() -> Directory {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.user(0)["is_owner"] = true.into();
    let file = |path: &str| File { path: path.into(), uid: 1000, mode: 0o600, ..File::default() };
    directory.files =
        vec![file(".storage/auth"), file(".storage/auth_provider.homeassistant"), file(".storage/person")];
    directory
}

#[test]
fn a_healthy_home_has_no_findings() {
    let mut directory = healthy();
    directory.token("t", "1", Some("normal"), Some("http://x/"));
    let check = check(&directory);
    assert_eq!((check.findings, check.accounts, check.version.as_deref()), (vec![], 2, Some("2026.11.0")));
    assert_eq!(check.newest_login.value().map(ToString::to_string).as_deref(), Some("2026-11-01T00:00:00Z"));
}

#[test]
fn what_crashes_the_start_is_serious() {
    let mut directory = healthy();
    directory.user(1)["group_ids"] = json!(["gone"]);
    directory.push(
        "auth#/data/credentials",
        json!({"id": "c9", "user_id": "9", "auth_provider_type": "homeassistant", "data": {"username": "x"}}),
    );
    directory.token("t9", "9", Some("normal"), Some("http://x/"));
    let serious = ["unknown_group", "credential_without_user", "token_without_user"];
    assert_eq!(found(&directory), serious.map(|code| format!("Serious {code}")));
    // Tokens without a key are skipped before their users are looked for.
    directory.documents.get_mut("auth").unwrap()["data"]["refresh_tokens"][0]
        .as_object_mut()
        .unwrap()
        .remove("jwt_key");
    assert_eq!(found(&directory).len(), 2);
}

#[test]
fn open_doors_are_serious() {
    let mut directory = healthy();
    directory.push("auth_provider.homeassistant#/data/users", json!({"username": "zoe", "password": OLD}));
    assert_eq!(found(&directory), ["Serious orphan"]);
    directory.documents.remove("auth");
    directory.files.push(File {
        path: ".storage/auth.corrupt.2026-11-01T00:00:00+00:00".into(),
        uid: 1000,
        ..File::default()
    });
    let told = found(&directory);
    for code in ["auth_missing", "corrupt_file"] {
        assert!(told.contains(&format!("Serious {code}")), "{code} in {told:?}");
    }
}

#[test]
fn an_entry_that_is_a_users_in_other_letters_is_not_mended_by_removing_the_user() {
    let mut directory = healthy().version("2024.3.3");
    directory.push("auth_provider.homeassistant#/data/users", json!({"username": "BOB", "password": OLD}));
    let orphan = check(&directory).findings.remove(0);
    assert_eq!((orphan.code.as_str(), orphan.fix.join(" ")), ("orphan", "user fix-names --keep 2 bob".to_owned()));
    let mend = Request {
        options: Options { keep: Some("2".into()), ..Options::default() },
        ..request("user.fix-names", "bob")
    };
    let after = applied(&directory, &plan(&directory, &mend).unwrap());
    assert_eq!(found(&after), [""; 0], "and it does mend it");
    assert_eq!(accounts(&after).len(), 2);
}

#[test]
fn entries_of_one_user_that_differ_in_letters_are_mended_for_that_user() {
    let keep = "user fix-names --keep 1";
    for version in ["2026.11.0", "2026.9.4"] {
        let mut directory = healthy().version(version);
        directory.push("auth_provider.homeassistant#/data/users", json!({"username": "Ann", "password": OLD}));
        let fixes: Vec<_> = check(&directory).findings.into_iter().map(|finding| finding.fix.join(" ")).collect();
        assert!(!fixes.is_empty() && fixes.iter().all(|fix| fix.starts_with(keep)), "{version}: {fixes:?}");
        let refused = plan(&directory, &request("user.fix-names", "")).unwrap_err();
        assert!(refused.help.unwrap().ends_with(&format!("`latchlift {keep} ann`")));
        assert!(refused.candidates.iter().all(|one| !one.id.is_empty()));
        for name in ["", "ann"] {
            let options = Options { keep: Some("1".into()), ..Options::default() };
            let mend = Request { options, ..request("user.fix-names", name) };
            assert_eq!(found(&applied(&directory, &plan(&directory, &mend).unwrap())), [""; 0], "{version}: {name}");
        }
    }
    // Entries that nobody could keep can only be taken away.
    let mut directory = healthy();
    for name in ["zoe", "Zoe"] {
        directory.push("auth_provider.homeassistant#/data/users", json!({"username": name, "password": OLD}));
    }
    let refused = plan(&directory, &request("user.fix-names", "")).unwrap_err();
    assert_eq!((refused.candidates, refused.help.unwrap().ends_with("`latchlift user remove zoe`")), (vec![], true));
}

#[test]
fn missing_files_are_serious_and_name_their_fix() {
    for (name, code, fix) in [
        ("auth", "auth_missing", "onboarding restart"),
        ("auth_provider.homeassistant", "passwords_missing", "password reset ann"),
    ] {
        let mut directory = healthy();
        directory.documents.remove(name);
        let findings = check(&directory).findings;
        let finding = findings.into_iter().find(|finding| finding.code == code).unwrap();
        assert_eq!((finding.severity, finding.fix.join(" ")), (Severity::Serious, fix.to_owned()));
    }
}

#[test]
fn a_file_put_aside_comes_with_the_command_that_brings_it_back() {
    let path = ".storage/auth.corrupt.2026-11-01T00:00:00+00:00";
    let said = |directory: &Directory| {
        let findings = check(directory).findings;
        findings.into_iter().find(|finding| finding.code == "corrupt_file").map(|finding| finding.message).unwrap()
    };
    let mut directory = healthy();
    directory.files.push(File { path: path.into(), uid: 1000, ..File::default() });
    assert!(said(&directory).ends_with("It is empty: take it from a backup instead"), "{}", said(&directory));
    directory.files.last_mut().unwrap().size = 20;
    directory.texts.insert(path.into(), "{\"version\": 1".into());
    // What has been begun under its name since is kept.
    let (aside, back) = ("mv -n .storage/auth .storage/auth.before-restore", format!("mv -n {path} .storage/auth"));
    assert!(said(&directory).contains(&format!("`{aside} && {back}`")), "{}", said(&directory));
    directory.files.retain(|file| file.path != ".storage/auth");
    assert!(said(&directory).contains(&format!("`{back}`")), "{}", said(&directory));
}

#[test]
fn lock_outs_are_serious_and_name_their_fix() {
    let mut directory = healthy();
    directory.put("auth_provider.homeassistant", 1, json!({"users": []}));
    let findings = check(&directory).findings;
    let told: Vec<_> = findings.iter().map(|finding| (finding.code.as_str(), finding.fix.join(" "))).collect();
    assert_eq!(
        told,
        [
            ("no_admin", "password reset ann".to_owned()),
            ("password_entry_missing", "password reset ann".to_owned()),
            ("password_entry_missing", "password reset bob".to_owned()),
        ]
    );
    let mut directory = healthy();
    directory.user(0)["is_owner"] = false.into();
    let finding = check(&directory).findings.remove(0);
    assert_eq!((finding.code.as_str(), finding.fix.join(" ")), ("no_owner", "admin grant ann --owner".to_owned()));
    // An owner who is switched off is one again once switched on; granting what it has would change nothing.
    let mut directory = healthy();
    directory.user(0)["is_active"] = false.into();
    let finding = check(&directory).findings.remove(0);
    assert_eq!((finding.code.as_str(), finding.fix.join(" ")), ("no_owner", "user set ann active=yes".to_owned()));
}

#[test]
fn files_of_another_owner_or_open_to_others_are_found() {
    let mut directory = healthy();
    directory.files[0].uid = 0;
    directory.files[1].mode = 0o644;
    directory.files[2].mode = 0o644;
    assert_eq!(found(&directory), ["Serious file_owner", "Warning file_mode"]);
}

#[test]
fn settings_that_switch_something_off_are_found() {
    let mut directory = healthy();
    directory.put("auth_module.totp", 1, json!({"users": {"1": "S"}}));
    let yaml = "homeassistant:\n  auth_providers:\n  - type: trusted_networks\n  auth_mfa_modules: []\n";
    directory.texts.insert("configuration.yaml".into(), yaml.into());
    assert_eq!(
        found(&directory),
        ["Serious no_admin", "Serious provider_disabled", "Warning mfa_off", "Note trusted_networks",]
    );
}

#[test]
fn names_and_bans_and_persons_are_looked_at() {
    let mut directory = healthy();
    directory.documents.insert("ip_bans".into(), json!({"127.0.0.1": {"banned_at": "2026-11-21T02:00:00+00:00"}}));
    directory.put("person", 2, json!({"items": [{"id": "x", "name": "X", "user_id": "gone"}]}));
    directory.documents.get_mut("auth").unwrap()["data"]["credentials"][1]["data"]["username"] = "Bob".into();
    assert_eq!(found(&directory), ["Serious banned", "Note person_without_user", "Note names_not_normal"]);
}

#[test]
fn many_of_a_kind_are_counted() {
    let mut directory = healthy();
    for n in 0..25 {
        directory
            .push("auth_provider.homeassistant#/data/users", json!({"username": format!("z{n}"), "password": OLD}));
    }
    let findings = check(&directory).findings;
    assert_eq!((findings.len(), findings[10].message.as_str()), (11, "and 15 more of the same kind"));
}

#[test]
fn files_that_are_no_json_are_found_and_not_tripped_over() {
    for (name, severity, accounts) in [
        ("auth", Severity::Serious, true),
        ("auth_provider.homeassistant", Severity::Serious, true),
        ("auth_module.totp", Severity::Serious, false),
        ("person", Severity::Warning, false),
        ("http", Severity::Warning, false),
    ] {
        let mut directory = healthy();
        directory.breaks(name);
        let finding = check(&directory).findings.remove(0);
        assert_eq!((finding.code.as_str(), finding.severity), ("unreadable_file", severity), "{name}");
        assert_eq!((finding.evidence, finding.fix.len()), (Some(format!(".storage/{name}")), 0), "no command mends it");
        let told = "restore it from a backup or mend it by hand; only where neither is possible, `latchlift onboarding restart`";
        assert_eq!(finding.message.contains(told), accounts, "{name}: {}", finding.message);
    }
}

#[test]
fn findings_name_the_command_that_mends_them() {
    let mut directory = healthy();
    directory.user(0)["local_only"] = true.into();
    directory.user(1)["group_ids"] = json!(["gone"]);
    directory.push("auth_provider.homeassistant#/data/users", json!({"username": "zoe", "password": OLD}));
    directory.token("t9", "9", Some("normal"), Some("http://x/"));
    directory.documents.insert("ip_bans".into(), json!({"192.0.2.1": null}));
    let fixes: Vec<_> = check(&directory).findings.into_iter().map(|finding| finding.fix.join(" ")).collect();
    assert!(check(&directory).findings.iter().all(|finding| finding.evidence.is_some()), "each says where it is seen");
    let wanted = [
        "user set bob role=user",
        "user remove --id 9",
        "user remove zoe",
        "ban clear 192.0.2.1",
        "user set ann local-only=no",
    ];
    wanted.iter().for_each(|fix| assert!(fixes.contains(&(*fix).to_owned()), "{fix} in {fixes:?}"));
    // And they do mend it.
    let set = Request { keys: [("role".to_owned(), "user".to_owned())].into(), ..request("user.set", "bob") };
    let after = applied(&directory, &plan(&directory, &set).unwrap());
    assert!(!found(&after).contains(&"Serious unknown_group".to_owned()));
}

#[test]
fn files_put_aside_say_how_they_come_back() {
    let mut directory = healthy();
    let path = ".storage/auth.corrupt.2026-11-01T00:00:00+00:00";
    directory.files.push(File { path: path.into(), size: 9, ..File::default() });
    for (text, told) in [("{\"a\": 1", "is cut off"), ("{}\0\0", "zero bytes"), ("{\"a\" 1}\n", "looks whole")] {
        directory.texts.insert(path.into(), text.into());
        let message = check(&directory).findings.remove(0).message;
        assert!(message.contains(told), "{message}");
        assert_eq!(message.contains("mv "), told != "zero bytes", "{message}");
    }
}

#[test]
fn proxies_that_look_like_networks_are_found_where_they_count() {
    let mut directory = healthy();
    let proxies = json!(["172.30.33.0/32", "10.0.0.5"]);
    let stable = json!({"use_x_forwarded_for": true, "trusted_proxies": proxies, "error": null});
    directory.put("http", 3, json!({"stable": stable, "pending": null}));
    assert_eq!(found(&directory), ["Serious proxy_masks"]);
    directory.put("http", 3, json!({"stable": stable, "pending": {"trusted_proxies": [], "error": null}}));
    assert_eq!(found(&directory), Vec::<String>::new(), "the next start tries the pending settings");
    directory.put("http", 3, json!({"stable": stable, "pending": {"error": "not_promoted"}}));
    assert_eq!(found(&directory), ["Serious proxy_masks", "Note http_not_promoted"]);
    // Before 2026.8 the file was only a copy, and configuration.yaml decides.
    directory.put("http", 1, json!({"trusted_proxies": proxies, "use_x_forwarded_for": true}));
    assert_eq!(found(&directory), Vec::<String>::new());
    let yaml = "http:\n  use_x_forwarded_for: true\n  trusted_proxies:\n    - 10.0.0.0/32\n";
    directory.texts.insert("configuration.yaml".into(), yaml.into());
    assert_eq!(found(&directory), ["Serious proxy_masks"]);
}

#[test]
fn what_users_left_behind_is_found() {
    let mut directory = healthy();
    for user in ["1", "gone"] {
        let path = format!(".storage/frontend.user_data_{user}");
        directory.files.push(File { path, uid: 1000, mode: 0o644, ..File::default() });
    }
    directory.files.push(File { path: ".HA_RESTORE".into(), ..File::default() });
    assert_eq!(found(&directory), ["Warning restore_pending", "Note settings_left_over"]);
    for n in 0..201 {
        directory.token(&format!("t{n}"), "1", Some("normal"), Some("http://x/"));
    }
    assert!(found(&directory).contains(&"Note stale_sessions".to_owned()));
}
