//! What holds for everybody, whoever they are.

use super::directory::*;
use latchlift_plugin_api::*;
use serde_json::json;

fn told(directory: &Directory, id: &str) -> (Known<bool>, Vec<String>, String) {
    let account = account(directory, id);
    let fix = account.reasons.first().map(|why| why.fix.join(" ")).unwrap_or_default();
    (account.can_sign_in, codes(&account.reasons), fix)
}

#[test]
fn nobody_signs_in_where_the_app_does_not_start() {
    let sound = directory(&[("1", "ann", true), ("2", "bob", false)]);
    let out = |directory: &Directory, fix: &str| {
        for id in ["1", "2"] {
            assert_eq!(told(directory, id), (false.into(), vec!["no_start!".to_owned()], fix.to_owned()));
        }
        let reset = plan(directory, &request("password.reset", "ann")).unwrap();
        assert!(reset.warnings[0].contains("crashes at its start"), "{:?}", reset.warnings);
        assert_eq!(verdict(&applied(directory, &reset), "ann").can_sign_in, false.into());
        // The accounts themselves are sound: no other administrator is needed.
        assert_eq!(plan(directory, &request("admin.recreate", "zoe")).unwrap_err().kind, Kind::Refused);
    };
    let mut group = sound.clone();
    group.user(0)["group_ids"] = json!(["system-admin", "nix"]);
    group.user(1)["group_ids"] = json!(["nix"]);
    out(&group, "user set ann role=admin");
    assert!(account(&group, "1").reasons[0].message.ends_with(", and 1 more of the kind"));

    // An owner who is in no other group is none the less one.
    group.user(0)["group_ids"] = json!(["nix"]);
    group.user(0)["is_owner"] = true.into();
    assert_eq!(told(&group, "1").2, "user set ann role=admin");
    let set = Request { keys: [("role".to_owned(), "admin".to_owned())].into(), ..request("user.set", "ann") };
    let mended = applied(&group, &plan(&group, &set).unwrap());
    assert_eq!(told(&mended, "1").2, "user set bob role=user", "one mended, one to go");

    let mut credential = sound.clone();
    let stray = json!({"id": "c9", "user_id": "9", "auth_provider_type": "homeassistant", "data": {"username": "x"}});
    credential.push("auth#/data/credentials", stray);
    out(&credential, "user remove --id 9");

    let mut token = sound.clone();
    token.token("t1", "1", Some("normal"), Some("http://x/"));
    token.token("t9", "9", Some("normal"), Some("http://x/"));
    out(&token, "user remove --id 9");
    // The app skips tokens without a key before it looks for their users.
    let tokens = &mut token.documents.get_mut("auth").unwrap()["data"]["refresh_tokens"];
    tokens[1].as_object_mut().unwrap().remove("jwt_key");
    assert_eq!(told(&token, "1").0, true.into());
}

#[test]
fn what_keeps_the_app_from_starting_comes_before_what_keeps_a_user_out() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.user(0)["group_ids"] = json!(["nix"]);
    directory.user(1)["is_active"] = false.into();
    assert_eq!(codes(&account(&directory, "2").reasons), ["no_start!", "disabled!"]);
    // The app's own users are nobody's to sign in with, and no verb changes them.
    directory.user(0)["system_generated"] = true.into();
    assert_eq!(told(&directory, "2"), (false.into(), vec!["no_start!".into(), "disabled!".into()], String::new()));
}

#[test]
fn a_ban_over_which_old_releases_do_not_start_leaves_it_open() {
    let mut directory = directory(&[("1", "ann", true)]);
    directory.documents.insert("ip_bans".into(), json!({"192.0.2.1": null}));
    assert_eq!(told(&directory, "1").0, true.into());
    let fix = "ban clear 192.0.2.1".to_owned();
    assert_eq!(told(&directory.version("2024.3.3"), "1"), (Known::Unknown, vec!["no_start".into()], fix));
}

#[test]
fn second_factors_of_a_future_release_are_not_taken_for_none() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.user(1)["is_active"] = false.into();
    directory.put("auth_module.totp", 7, json!({"users": {}}));
    let ann = account(&directory, "1");
    assert_eq!(
        (ann.can_sign_in, ann.mfa, codes(&ann.reasons)),
        (Known::Unknown, Known::Unknown, vec!["mfa_unreadable".to_owned()])
    );
    assert!(plan(&directory, &request("password.reset", "ann")).is_ok());
    assert_eq!(account(&directory, "2").can_sign_in, false.into());
    assert_eq!(verdict(&directory, "ann").can_sign_in, false.into(), "the password is wrong, whatever else is asked");
    // A module that is not loaded asks for nothing.
    directory.texts.insert("configuration.yaml".into(), "homeassistant:\n  auth_mfa_modules: []\n".into());
    assert_eq!(account(&directory, "1").can_sign_in, true.into());
}

#[test]
fn settings_that_are_not_understood_leave_it_open() {
    let mut directory = directory(&[("1", "ann", true)]);
    for (yaml, why) in [
        ("homeassistant: {auth_providers: [{type: homeassistant}]}\n", "not understood"),
        ("homeassistant: !include_dir_merge_named gone\n", "not understood"),
    ] {
        directory.texts.insert("configuration.yaml".into(), yaml.into());
        assert_eq!(told(&directory, "1"), (Known::Unknown, vec!["settings_unread".into()], String::new()));
        assert!(account(&directory, "1").reasons[0].message.contains(why), "{yaml}");
        let checked = read(&directory, &Request { target: None, ..request("app.check", "") }).unwrap();
        let Some(Batch::Check(check)) = checked.into_iter().next() else { panic!("no check") };
        let unread: Vec<_> = check.findings.iter().filter(|finding| finding.code == "settings_unread").collect();
        assert!(unread[0].message.contains(why), "{yaml}: {unread:?}");
        assert!(check.findings.iter().all(|finding| finding.code != "provider_disabled"), "{yaml}");
    }
    let reset = plan(&directory, &request("password.reset", "ann")).unwrap();
    assert_eq!(verdict(&applied(&directory, &reset), "ann").can_sign_in, Known::Unknown);
    // The recovery mode, in which Home Assistant starts then, takes passwords.
    directory.texts.insert("configuration.yaml".into(), "homeassistant:\n  auth_providers:\n\t- type: ldap\n".into());
    assert_eq!(account(&directory, "1").can_sign_in, true.into());
    let checked = read(&directory, &Request { target: None, ..request("app.check", "") }).unwrap();
    let Some(Batch::Check(check)) = checked.into_iter().next() else { panic!("no check") };
    assert!(check.findings.iter().any(|finding| finding.message.contains("not valid YAML")));
}
