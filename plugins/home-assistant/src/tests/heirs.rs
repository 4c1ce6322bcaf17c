//! Users who lost their credentials while their password entries are still there.

use super::directory::*;
use latchlift_plugin_api::*;
use serde_json::{Value as Json, json};

const ROWS: &str = "auth_provider.homeassistant#/data/users";

/// Olivia the owner has lost the credential of the entry `owner`; Adam has his.
fn robbed() -> Directory {
    let mut directory = directory(&[("1", "owner", true), ("2", "adam", true)]);
    directory.user(0)["is_owner"] = true.into();
    directory.user(0)["name"] = "Olivia".into();
    credentials(&mut directory).remove(0);
    directory
}

fn credentials(directory: &mut Directory) -> &mut Vec<Json> {
    directory.documents.get_mut("auth").unwrap()["data"]["credentials"].as_array_mut().unwrap()
}

fn without_sign_in(directory: &mut Directory, id: &str, name: &str) {
    directory
        .push("auth#/data/users", json!({"id": id, "name": name, "is_active": true, "group_ids": ["system-users"]}));
}

fn help(refused: Error) -> String {
    refused.help.unwrap_or_default()
}

fn fixes(directory: &Directory, code: &str) -> Vec<String> {
    let checked = read(directory, &Request { target: None, ..request("app.check", "") }).unwrap();
    let Some(Batch::Check(check)) = checked.into_iter().next() else { panic!("no check") };
    check.findings.iter().filter(|finding| finding.code == code).map(|finding| finding.fix.join(" ")).collect()
}

fn recreate(name: &str) -> Request {
    let options = Options { allow: vec!["existing-admin".into()], ..Options::default() };
    Request { options, ..request("admin.recreate", name) }
}

#[test]
fn a_lost_credential_is_given_back_by_the_name_of_the_entry() {
    let directory = robbed();
    let adoption = "password reset owner --id 1";
    for refused in [
        read(&directory, &request("user.show", "Owner")).unwrap_err(),
        plan(&directory, &request("password.reset", "owner")).unwrap_err(),
        plan(&directory, &recreate("OWNER")).unwrap_err(),
    ] {
        assert!(help(refused.clone()).contains(&format!("`latchlift {adoption}`")), "{refused:?}");
    }
    for code in ["orphan", "credential_missing"] {
        assert_eq!(fixes(&directory, code), [adoption], "{code}");
    }
    assert_eq!(verdict(&directory, "owner").reasons[0].fix.join(" "), adoption);
    // And it does: the same user, and no open door any more.
    let target = Target { name: "owner".into(), id: Some("1".into()), provider: None };
    let reset = plan(&directory, &Request { target: Some(target), ..request("password.reset", "") }).unwrap();
    let after = applied(&directory, &reset);
    assert!(verdict(&after, "owner").account.is_some_and(|account| account.id == "1"));
    assert_eq!((accounts(&after).len(), fixes(&after, "orphan").len()), (2, 0));
}

#[test]
fn the_user_shown_by_the_name_of_the_entry_is_meant() {
    let mut directory = robbed();
    without_sign_in(&mut directory, "3", "Grandma");
    // Nobody is shown as `owner`, so it may be either's.
    let refused = plan(&directory, &request("password.reset", "owner")).unwrap_err();
    assert!(help(refused.clone()).contains("(Olivia (1), Grandma (3))"), "{refused:?}");
    assert_eq!(
        (fixes(&directory, "orphan"), fixes(&directory, "credential_missing")),
        (vec![String::new()], vec![String::new(); 2])
    );
    // Only an administrator is what somebody who recreates one may have lost.
    let refused = plan(&directory, &recreate("owner")).unwrap_err();
    assert!(refused.message.contains("Olivia (1)") && !refused.message.contains("Grandma"), "{refused:?}");
    directory.user(0)["name"] = "Olivia OWNER".into();
    assert_eq!(fixes(&directory, "orphan"), ["password reset owner --id 1"]);
    assert_eq!(account(&directory, "3").reasons[0].fix.join(" "), "password reset grandma --id 3");
}

#[test]
fn several_entries_are_not_one_users() {
    let mut directory = robbed();
    directory.push(ROWS, json!({"username": "mallory", "password": OLD}));
    assert_eq!(fixes(&directory, "orphan"), ["", ""]);
    assert_eq!(account(&directory, "1").reasons[0].fix, [""; 0]);
    directory.user(0)["name"] = "owner".into();
    assert_eq!(fixes(&directory, "orphan"), ["password reset owner --id 1", "user remove mallory"]);
}

#[test]
fn an_entry_is_taken_over_where_no_administrator_lost_one() {
    let mut directory = directory(&[("1", "ann", true)]);
    without_sign_in(&mut directory, "3", "Grandma");
    directory.push(ROWS, json!({"username": "zoe", "password": OLD}));
    assert!(plan(&directory, &recreate("zoe")).is_ok());
    // Whom a network lets in has no name either, and is meant where nobody else is.
    let mut directory = directory.clone();
    directory.documents.get_mut("auth").unwrap()["data"]["users"].as_array_mut().unwrap().pop();
    without_sign_in(&mut directory, "4", "Tom");
    let trusted =
        json!({"id": "c", "user_id": "4", "auth_provider_type": "trusted_networks", "data": {"user_id": "4"}});
    directory.push("auth#/data/credentials", trusted);
    assert_eq!(fixes(&directory, "orphan"), ["password reset zoe --id 4"]);
}
