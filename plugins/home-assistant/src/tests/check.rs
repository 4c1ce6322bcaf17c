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
    for code in ["auth_missing", "corrupt_file", "orphan", "no_accounts"] {
        assert!(told.contains(&format!("Serious {code}")), "{code} in {told:?}");
    }
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
