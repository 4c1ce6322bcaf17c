use super::directory::*;
use latchlift_plugin_api::*;
use serde_json::{Value as Json, json};

const LEGACY: &str = "2026.9.4";
const ROWS: &str = "auth_provider.homeassistant#/data/users";

fn with(options: Options, request: Request) -> Request {
    Request { options, ..request }
}

fn by_id(verb: &str, name: &str, id: &str) -> Request {
    Request { target: Some(Target { name: name.into(), id: Some(id.into()), provider: None }), ..request(verb, name) }
}

fn rows(directory: &Directory) -> Vec<(&str, bool)> {
    let rows = directory.documents["auth_provider.homeassistant"]["data"]["users"].as_array().unwrap();
    rows.iter().map(|row| (row["username"].as_str().unwrap(), row["password"] == OLD)).collect()
}

fn list<'a>(directory: &'a Directory, list: &str) -> &'a Vec<Json> {
    directory.documents["auth"]["data"][list].as_array().unwrap()
}

fn tokens(directory: &Directory) -> Vec<&str> {
    list(directory, "refresh_tokens").iter().map(|token| token["id"].as_str().unwrap()).collect()
}

fn with_tokens() -> Directory {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.token("browser", "1", Some("normal"), Some("http://x/"));
    directory.token("ancient", "1", None, Some("http://x/"));
    directory.token("long", "1", Some("long_lived_access_token"), None);
    directory.token("system", "1", Some("system"), None);
    directory.token("untyped", "1", None, None);
    directory.token("other", "2", Some("normal"), Some("http://x/"));
    directory
}

#[test]
fn a_reset_ends_sessions_before_it_sets_the_password() {
    let directory = with_tokens();
    let reset = plan(&directory, &request("password.reset", "Ann")).unwrap();
    let collections: Vec<_> = reset.steps.iter().map(|step| step.changes[0].collection()).collect();
    assert_eq!(collections, ["auth#/data/refresh_tokens", ROWS]);
    assert!(reset.accounts[0].should_sign_in && reset.accounts[0].id == "1");
    let after = applied(&directory, &reset);
    assert_eq!(tokens(&after), ["long", "system", "untyped", "other"]);
    assert_eq!(rows(&after), [("ann", false), ("bob", true)]);
    assert!(verdict(&after, "ann").matches);
}

#[test]
fn a_reset_ends_as_much_as_was_asked_for() {
    let directory = with_tokens();
    let all = with(Options { tokens: true, ..Options::default() }, request("password.reset", "ann"));
    assert_eq!(tokens(&applied(&directory, &plan(&directory, &all).unwrap())), ["system", "untyped", "other"]);
    let none = with(Options { keep_sessions: true, ..Options::default() }, request("password.reset", "ann"));
    let none = plan(&directory, &none).unwrap();
    assert_eq!((none.steps.len(), none.warnings.len()), (1, 1));
}

#[test]
fn every_entry_of_a_name_gets_the_password() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    for name in ["ANN", "ann", " ann"] {
        directory.push(ROWS, json!({"username": name, "password": OLD}));
    }
    let after = applied(&directory, &plan(&directory, &request("password.reset", "ann")).unwrap());
    assert_eq!(rows(&after), [("ann", false), ("bob", true), ("ANN", false), ("ann", false), (" ann", false)]);
    // Where letters matter, only the entries of exactly this name are the account's.
    let directory = directory.version(LEGACY);
    let after = applied(&directory, &plan(&directory, &request("password.reset", "ann")).unwrap());
    assert_eq!(rows(&after), [("ann", false), ("bob", true), ("ANN", true), ("ann", false), (" ann", true)]);
}

#[test]
fn a_missing_entry_is_added() {
    let mut directory = directory(&[("1", "ann", true)]);
    directory.documents.remove("auth_provider.homeassistant");
    assert_eq!(account(&directory, "1").can_sign_in, false.into());
    let after = applied(&directory, &plan(&directory, &request("password.reset", "ann")).unwrap());
    assert_eq!(rows(&after), [("ann", false)]);
    assert_eq!(account(&after, "1").can_sign_in, true.into());
}

#[test]
fn an_entry_in_other_letters_is_taken_over_where_letters_matter() {
    let mut directory = directory(&[("1", "ann", true), ("2", "Bob", false), ("3", "bob ", false)]).version(LEGACY);
    directory.documents.get_mut("auth").unwrap()["data"]["credentials"][0]["data"]["username"] = "Ann".into();
    assert_eq!(codes(&account(&directory, "1").reasons), ["name_case!", "name_case"]);
    let after = applied(&directory, &plan(&directory, &request("password.reset", "ann")).unwrap());
    assert_eq!(rows(&after), [("Ann", false), ("Bob", true), ("bob ", true)]);
    assert!(verdict(&after, "Ann").matches);
}

#[test]
fn a_password_that_would_be_another_users_is_refused() {
    let directory = directory(&[("1", "ann", true), ("2", "ANN", false)]);
    let refused = plan(&directory, &by_id("password.reset", "", "2")).unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert!(plan(&directory, &by_id("password.reset", "", "1")).is_ok());
}

#[test]
fn a_user_without_a_name_gets_one_as_administrator() {
    let mut directory = directory(&[("1", "ann", false)]);
    directory.push("auth#/data/users", json!({"id": "9", "group_ids": [], "is_owner": true, "is_active": true, "name": "Eve", "system_generated": false}));
    let refused = plan(&directory, &by_id("password.reset", "", "9")).unwrap_err();
    assert_eq!(refused.help.as_deref(), Some("to give it one: `latchlift password reset NAME --id 9`"));
    let taken = plan(&directory, &by_id("admin.recreate", "Ann", "9")).unwrap_err();
    assert_eq!(taken.kind, Kind::Conflict);
    let made = plan(&directory, &by_id("admin.recreate", " Eve ", "9")).unwrap();
    let after = applied(&directory, &made);
    let eve = account(&after, "9");
    assert_eq!(
        (eve.name, eve.role, eve.can_sign_in),
        (Known::Is("eve".into()), Known::Is("owner".into()), true.into())
    );
    // What older releases do not write is left out where it would say nothing new.
    assert_eq!(after.documents["auth"]["data"]["users"][1].get("local_only"), None);
}

#[test]
fn fix_name_mends_both_files() {
    let directory = directory(&[("1", "Ann", true), ("2", "bob", false)]);
    let request = with(Options { fix_name: true, ..Options::default() }, request("password.reset", "ann"));
    for directory in [directory.clone(), directory.version("2024.3.3")] {
        let reset = plan(&directory, &request).unwrap();
        assert_eq!((reset.accounts[0].name.as_str(), reset.warnings.len()), ("ann", 0));
        let after = applied(&directory, &reset);
        assert_eq!(rows(&after), [("ann", false), ("bob", true)]);
        assert_eq!(list(&after, "credentials")[0]["data"]["username"], "ann");
    }
}

#[test]
fn fix_name_stays_away_where_letters_go_on_to_matter() {
    let directory = directory(&[("1", "Ann", true), ("2", "bob ", false)]).version(LEGACY);
    let request = with(Options { fix_name: true, ..Options::default() }, request("password.reset", "ann"));
    let reset = plan(&directory, &request).unwrap();
    assert_eq!(rows(&applied(&directory, &reset)), [("Ann", false), ("bob ", true)]);
    assert!(reset.warnings[0].contains("fix-names"), "{:?}", reset.warnings);
}

#[test]
fn fix_names_rewrites_the_entries_first() {
    let mut directory = directory(&[("1", "Ann ", true), ("2", "STRASSE", false), ("3", "cyd", false)]).version(LEGACY);
    directory.push(ROWS, json!({"username": "cyd", "password": "bGFzdA=="}));
    let fixed = plan(&directory, &request("user.fix-names", "")).unwrap();
    let collections: Vec<_> = fixed.steps.iter().map(|step| step.changes[0].collection()).collect();
    assert_eq!(collections, [ROWS, "auth#/data/credentials"]);
    let after = applied(&directory, &fixed);
    assert_eq!(rows(&after), [("ann", true), ("strasse", true), ("cyd", false)]);
    assert!(plan(&after, &request("user.fix-names", "")).unwrap().is_empty());
    assert!(accounts(&after).iter().all(|account| account.reasons.iter().all(|why| why.code != "name_case")));
}

#[test]
fn names_that_would_become_one_are_left_alone() {
    let mut directory = directory(&[("1", "Ann", true), ("2", "ann", false), ("3", "Bob", false)]);
    directory.push(ROWS, json!({"username": "BOB", "password": OLD}));
    let refused = plan(&directory, &request("user.fix-names", "")).unwrap_err();
    let who: Vec<_> = refused.candidates.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect();
    assert_eq!((refused.kind, who), (Kind::Conflict, vec![("1", "Ann"), ("2", "ann"), ("3", "Bob")]));
    assert!(refused.message.ends_with("no user's letter by letter: `BOB`"), "{}", refused.message);
}

#[test]
fn a_new_administrator_is_owner_where_there_is_none() {
    let mut directory = directory(&[("1", "ann", false)]);
    let made = plan(&directory, &request("admin.recreate", "Zoë")).unwrap();
    let Change::Insert { after, at: None, .. } = &made.steps[0].changes[0] else { panic!("{made:?}") };
    let keys: Vec<_> = after.fields().map(|field| &field[1..]).collect();
    assert_eq!(keys, ["id", "group_ids", "is_owner", "is_active", "name", "system_generated", "local_only"]);
    let after = applied(&directory, &made);
    let zoe = &made.accounts[0];
    assert_eq!((zoe.name.as_str(), zoe.id.len()), ("zoë", 32));
    assert_eq!(account(&after, &zoe.id).role, Known::Is("owner".into()));
    assert!(verdict(&after, "ZOË").can_sign_in == Known::Is(true));
    // With an owner who cannot sign in, the new one is an administrator.
    directory.user(0)["is_owner"] = true.into();
    directory.put("auth_provider.homeassistant", 1, json!({"users": []}));
    let made = plan(&directory, &request("admin.recreate", "zoe")).unwrap();
    assert_eq!(account(&applied(&directory, &made), &made.accounts[0].id).role, Known::Is("system-admin".into()));
}

#[test]
fn a_known_name_is_promoted_in_place() {
    let mut directory = directory(&[("1", "ann", false)]);
    directory.user(0)["is_active"] = false.into();
    directory.user(0)["local_only"] = true.into();
    directory.put("auth_provider.homeassistant", 1, json!({"users": []}));
    let after = applied(&directory, &plan(&directory, &request("admin.recreate", "ANN")).unwrap());
    assert_eq!(list(&after, "users").len(), 1);
    let ann = account(&after, "1");
    assert_eq!((ann.admin, ann.active, ann.reasons), (true.into(), true.into(), vec![]));
    assert!(verdict(&after, "ann").matches);
}

#[test]
fn an_owner_can_be_made_where_only_administrators_are_left() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.user(0)["is_owner"] = true.into();
    let wanted = with(Options { owner: true, ..Options::default() }, request("admin.recreate", "zoe"));
    let refused = plan(&directory, &wanted).unwrap_err();
    assert!(refused.message.starts_with("`ann` is an owner who can sign in"), "{}", refused.message);
    directory.user(0)["is_owner"] = false.into();
    let after = applied(&directory, &plan(&directory, &wanted).unwrap());
    assert!(after.documents["auth"]["data"]["users"][2]["is_owner"] == true);
}

#[test]
fn commands_survive_names_that_a_shell_would_take_apart() {
    for (name, command) in [("ann", "ann"), ("o'ann b", r"'o'\''ann b'"), ("-ann", "--id 1")] {
        let directory = directory(&[("1", name, true)]);
        let refused = plan(&directory, &request("admin.recreate", "zoe")).unwrap_err();
        let wanted = format!("`latchlift password reset {command}`");
        assert!(refused.message.ends_with(&wanted), "{} is not {wanted}", refused.message);
    }
}

#[test]
fn a_usable_administrator_is_not_doubled() {
    let directory = directory(&[("1", "ann", true)]);
    let refused = plan(&directory, &request("admin.recreate", "zoe")).unwrap_err();
    assert_eq!(refused.help.as_deref(), Some("if you mean it, say --allow-existing-admin"));
    assert!(refused.message.ends_with("for a new password: `latchlift password reset ann`"), "{}", refused.message);
    let allowed =
        with(Options { allow: vec!["existing-admin".into()], ..Options::default() }, request("admin.recreate", "zoe"));
    assert_eq!(plan(&directory, &allowed).unwrap().steps.len(), 2);
}

#[test]
fn an_entry_without_a_user_is_taken_over() {
    let mut directory = directory(&[("1", "ann", false)]);
    directory.push(ROWS, json!({"username": "Zoe", "password": OLD}));
    for directory in [directory.clone(), directory.version("2024.3.3")] {
        let made = plan(&directory, &request("admin.recreate", "zoe")).unwrap();
        let after = applied(&directory, &made);
        assert_eq!(rows(&after), [("ann", true), ("Zoe", false)]);
        assert_eq!(verdict(&after, "Zoe").account.unwrap().id, made.accounts[0].id);
    }
}

#[test]
fn a_lost_user_file_is_made_anew() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.documents.remove("auth");
    let made = plan(&directory, &request("admin.recreate", "ann")).unwrap();
    assert_eq!(made.warnings.len(), 2, "{:?}", made.warnings);
    let after = applied(&directory, &made);
    assert_eq!(verdict(&after, "ann").can_sign_in, true.into());
}

#[test]
fn granting_changes_the_group_and_only_when_asked_the_owner() {
    let directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    assert!(plan(&directory, &request("admin.grant", "ann")).unwrap().is_empty());
    let bob = account(&applied(&directory, &plan(&directory, &request("admin.grant", "BOB")).unwrap()), "2");
    assert_eq!((bob.admin, bob.role), (true.into(), Known::Is("system-admin".into())));
    let owner = with(Options { owner: true, ..Options::default() }, request("admin.grant", "ann"));
    assert_eq!(account(&applied(&directory, &plan(&directory, &owner).unwrap()), "1").role, Known::Is("owner".into()));
}

#[test]
fn the_apps_own_users_and_sessions_are_never_touched() {
    let mut directory = with_tokens();
    directory.user(1)["system_generated"] = true.into();
    for verb in ["password.reset", "admin.grant", "admin.recreate"] {
        let allow = Options { allow: vec!["existing-admin".into()], ..Options::default() };
        assert_eq!(plan(&directory, &with(allow, request(verb, "bob"))).unwrap_err().kind, Kind::Refused, "{verb}");
    }
    let system = Request { target: None, ids: vec!["system".into()], ..request("session.revoke", "") };
    assert_eq!(plan(&directory, &system).unwrap_err().kind, Kind::Refused);
}

#[test]
fn sessions_end_by_account_by_id_and_by_age() {
    let directory = with_tokens();
    let left = |request: &Request| {
        let after = applied(&directory, &plan(&directory, request).unwrap());
        tokens(&after).join(" ")
    };
    assert_eq!(left(&request("session.revoke", "ann")), "long system untyped other");
    let none = Request { target: None, ..request("session.revoke", "") };
    assert_eq!(left(&Request { ids: vec!["long".into()], ..none.clone() }), "browser ancient system untyped other");
    let all = Options { all: true, tokens: true, ..Options::default() };
    assert_eq!(left(&with(all, none.clone())), "system untyped");
    let expired = Options { expired: true, ..Options::default() };
    let early = Request { now: Time(1_700_000_000_000), ..none.clone() };
    assert_eq!(left(&with(expired.clone(), early)), "browser ancient long system untyped other");
    assert_eq!(left(&with(expired, none.clone())), "long system untyped");
    assert_eq!(plan(&directory, &none).unwrap_err().kind, Kind::Usage);
    let unknown = plan(&directory, &Request { ids: vec!["nope".into()], ..none }).unwrap();
    assert!(unknown.is_empty() && unknown.warnings == ["no session has the id nope"]);
}

#[test]
fn second_factors_go_from_both_files() {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    assert!(plan(&directory, &request("mfa.disable", "ann")).unwrap().is_empty());
    directory.put("auth_module.totp", 1, json!({"users": {"1": "SECRET", "2": "OTHER"}}));
    directory.put("auth_module.notify", 1, json!({"users": {"1": {"notify_service": "phone", "target": null}}}));
    let disabled = plan(&directory, &request("mfa.disable", "ann")).unwrap();
    assert_eq!(disabled.steps.len(), 2);
    let after = applied(&directory, &disabled);
    assert_eq!(after.documents["auth_module.totp"]["data"]["users"], json!({"2": "OTHER"}));
    assert_eq!(after.documents["auth_module.notify"]["data"]["users"], json!({}));
    let reset = plan(&directory, &request("password.reset", "ann")).unwrap();
    assert!(reset.warnings[0].contains("latchlift mfa disable ann"), "{:?}", reset.warnings);
}

#[test]
fn nothing_secret_is_in_what_people_read() {
    let directory = with_tokens();
    let reset = plan(&directory, &request("password.reset", "ann")).unwrap();
    let facts = Facts::parse(include_str!("../../plugin.toml")).unwrap();
    for change in reset.steps.iter().flat_map(|step| &step.changes) {
        if let Change::Update { collection, after, .. } = change {
            let secret = &facts.collection(collection).unwrap().secret;
            assert!(after.fields().all(|field| secret.iter().any(|known| known == field)), "{collection}");
        }
    }
    let said = [reset.warnings, reset.next_steps, vec![reset.summary]].concat().join(" ");
    assert!(!said.contains("JDJi"));
}

#[test]
fn the_next_step_is_right_whether_the_app_runs_or_not() {
    let mut directory = with_tokens();
    directory.put("auth_module.totp", 1, json!({"users": {"1": "S"}}));
    for verb in ["password.reset", "mfa.disable", "session.revoke"] {
        let next = &plan(&directory, &request(verb, "ann")).unwrap().next_steps[0];
        assert!(next.starts_with("start Home Assistant, or restart it where it runs"), "{verb}: {next}");
        assert!(!next.contains("docker start"), "{verb}: {next}");
    }
}
