//! Users added, changed, renamed and removed, and what else the command line can do to an account.

use super::directory::*;
use latchlift_plugin_api::*;
use serde_json::{Value as Json, json};

const LEGACY: &str = "2026.9.4";
const ROWS: &str = "auth_provider.homeassistant#/data/users";

fn keys(verb: &str, name: &str, keys: &[(&str, &str)]) -> Request {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Request { keys, ..request(verb, name) }
}

fn with(request: Request, change: impl Fn(&mut Options)) -> Request {
    let mut request = request;
    change(&mut request.options);
    request
}

fn waived(request: Request) -> Request {
    with(request, |options| options.allow.push("last-admin".into()))
}

fn by_id(request: Request, id: &str) -> Request {
    let target = Target { id: Some(id.into()), ..request.target.clone().unwrap_or_default() };
    Request { target: Some(target), ..request }
}

fn list<'a>(directory: &'a Directory, list: &str) -> &'a Vec<Json> {
    directory.documents["auth"]["data"][list].as_array().unwrap()
}

fn texts(records: &[Json], field: &str) -> Vec<String> {
    records.iter().map(|record| record.pointer(field).unwrap().as_str().unwrap_or("null").to_owned()).collect()
}

fn rows(directory: &Directory) -> Vec<String> {
    texts(directory.documents["auth_provider.homeassistant"]["data"]["users"].as_array().unwrap(), "/username")
}

fn names(directory: &Directory) -> Vec<String> {
    texts(list(directory, "credentials"), "/data/username")
}

fn documents(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.changes[0].collection().split('#').next().unwrap()).collect()
}

fn refused(directory: &Directory, request: &Request) -> Kind {
    plan(directory, request).unwrap_err().kind
}

/// Ann owns the place, Bob does not, and each has sessions, a token, a second factor and a person.
fn home() -> Directory {
    let mut directory = directory(&[("1", "ann", true), ("2", "bob", false)]);
    directory.user(0)["is_owner"] = true.into();
    for user in ["1", "2"] {
        directory.token(&format!("browser{user}"), user, Some("normal"), Some("http://x/"));
        directory.token(&format!("long{user}"), user, Some("long_lived_access_token"), None);
    }
    directory.put("auth_module.totp", 1, json!({"users": {"2": "GEZDGNBVGY3TQOJQ", "1": "GEZDGNBVGY3TQOJQ"}}));
    let person = |id: &str| json!({"id": format!("p{id}"), "name": "P", "user_id": id, "device_trackers": []});
    directory.put("person", 2, json!({"items": [person("1"), person("2")]}));
    directory
}

#[test]
fn a_new_user_is_there_before_the_password_entry() {
    let home = home();
    let add = keys("user.add", " Zoë ", &[("role", "read-only"), ("local-only", "yes"), ("person", "yes")]);
    let plan = plan(&home, &add).unwrap();
    assert_eq!(documents(&plan), ["auth", "auth_provider.homeassistant", "person"]);
    let after = applied(&home, &plan);
    let made = account(&after, &plan.accounts[0].id);
    assert_eq!(made.name, Known::Is("zoë".into()));
    assert_eq!((made.role, made.can_sign_in), (Known::Is("system-read-only".into()), true.into()));
    let user = &list(&after, "users")[2];
    assert_eq!((&user["name"], &user["local_only"], &user["is_owner"]), (&"Zoë".into(), &true.into(), &false.into()));
    let person = &after.documents["person"]["data"]["items"][2];
    assert_eq!((&person["id"], &person["user_id"], &person["name"]), (&"zoe".into(), &user["id"], &"Zoë".into()));
    assert!(verdict(&after, "ZOË").matches);
    assert!(plan.warnings[0].contains("kept as `zoë`"));
}

#[test]
fn a_new_user_needs_a_name_of_its_own() {
    let home = home();
    assert_eq!(refused(&home, &request("user.add", "ANN")), Kind::Conflict);
    assert_eq!(refused(&home, &request("user.add", "  ")), Kind::Usage);
    let mut orphan = home.clone();
    orphan.push(ROWS, json!({"username": "eve", "password": OLD}));
    let without = Request { password: None, ..request("user.add", "eve") };
    assert_eq!(refused(&orphan, &without), Kind::Conflict);
    let after = applied(&orphan, &plan(&orphan, &request("user.add", "eve")).unwrap());
    assert_eq!((rows(&after).len(), verdict(&after, "eve").matches), (3, true));
    let mut early = home.clone();
    early.documents.get_mut("auth").unwrap()["data"]["groups"] = json!([]);
    assert_eq!(refused(&early, &request("user.add", "eve")), Kind::Refused);
    assert!(plan(&early, &keys("user.add", "eve", &[("role", "admin")])).is_ok());
}

#[test]
fn a_user_without_password_gets_one_later() {
    let home = home();
    let plan1 = plan(&home, &Request { password: None, ..request("user.add", "eve") }).unwrap();
    let after = applied(&home, &plan1);
    assert_eq!(codes(&account(&after, &plan1.accounts[0].id).reasons), ["password_entry_missing!"]);
    let after = applied(&after, &plan(&after, &request("password.reset", "eve")).unwrap());
    assert!(verdict(&after, "eve").matches);
}

#[test]
fn properties_change_and_nothing_else() {
    let home = home();
    let set = |values: &[(&str, &str)]| plan(&home, &keys("user.set", "bob", values)).unwrap();
    let after = applied(&home, &set(&[("display-name", "Robert"), ("role", "admin"), ("local-only", "yes")]));
    let user = &list(&after, "users")[1];
    assert_eq!(
        (&user["name"], &user["group_ids"], &user["local_only"]),
        (&"Robert".into(), &json!(["system-admin"]), &true.into())
    );
    assert_eq!(list(&after, "refresh_tokens").len(), 4);
    assert!(set(&[("active", "yes"), ("role", "user"), ("person", "yes"), ("local-only", "no")]).is_empty());
    let off = applied(&home, &set(&[("active", "no")]));
    assert_eq!(texts(list(&off, "refresh_tokens"), "/id"), ["browser1", "long1", "long2"]);
    assert_eq!(codes(&account(&off, "2").reasons), ["disabled!", "mfa"]);
    let unlinked = applied(&home, &set(&[("person", "no"), ("display-name", "")]));
    assert_eq!(unlinked.documents["person"]["data"]["items"][1]["user_id"], Json::Null);
    assert_eq!(list(&unlinked, "users")[1]["name"], Json::Null);
}

#[test]
fn the_last_administrator_and_the_only_owner_stay() {
    let mut home = home();
    for request in [
        keys("user.set", "ann", &[("active", "no")]),
        request("admin.revoke", "ann"),
        request("user.remove", "ann"),
        request("password.remove", "ann"),
    ] {
        assert_eq!(refused(&home, &request), Kind::Refused, "{:?}", request.verb);
        assert!(plan(&home, &waived(request)).is_ok());
    }
    assert_eq!(refused(&home, &waived(keys("user.set", "ann", &[("role", "user")]))), Kind::Refused);
    // A second owner and administrator makes the first one like any other.
    home.user(1)["is_owner"] = true.into();
    for verb in ["admin.revoke", "user.remove", "password.remove"] {
        assert!(plan(&home, &request(verb, "ann")).is_ok(), "{verb}");
    }
    // But not one who cannot sign in.
    home.push(ROWS, json!({"username": "bob", "password": "none"}));
    assert_eq!(refused(&home, &request("user.remove", "ann")), Kind::Refused);
}

#[test]
fn rights_are_taken_and_own_groups_stay() {
    let mut home = home();
    home.push("auth#/data/groups", json!({"id": "own", "name": "Own", "policy": {"entities": true}}));
    home.user(1)["group_ids"] = json!(["system-admin", "own"]);
    let after = applied(&home, &plan(&home, &request("admin.revoke", "bob")).unwrap());
    assert_eq!(list(&after, "users")[1]["group_ids"], json!(["system-users", "own"]));
    assert!(plan(&after, &request("admin.revoke", "bob")).unwrap().is_empty());
    let two =
        applied(&home, &plan(&home, &with(request("admin.grant", "bob"), |options| options.owner = true)).unwrap());
    let after = applied(&two, &plan(&two, &request("admin.revoke", "ann")).unwrap());
    assert_eq!((&list(&after, "users")[0]["is_owner"], account(&after, "1").admin), (&false.into(), false.into()));
}

#[test]
fn a_rename_leads_to_its_user_at_every_moment() {
    for version in ["2026.11.0", LEGACY] {
        let mut home = home().version(version);
        home.documents.get_mut("auth").unwrap()["data"]["credentials"][1]["data"]["username"] = "Bob".into();
        home.documents.get_mut("auth_provider.homeassistant").unwrap()["data"]["users"][1]["username"] = "Bob".into();
        // Outer white space in another name keeps the old releases comparing exactly.
        home.push(ROWS, json!({"username": " x", "password": OLD}));
        for new in ["robert", "bob"] {
            let rename = Request { new_name: Some(new.into()), ..request("user.rename", "Bob") };
            let plan = plan(&home, &rename).unwrap();
            assert_eq!(documents(&plan), ["auth", "auth_provider.homeassistant", "auth"]);
            let mut now = home.clone();
            for step in &plan.steps {
                now.apply(step);
                let name = rows(&now)[1].clone();
                assert_eq!(verdict(&now, &name).account.map(|account| account.id), Some("2".to_owned()));
            }
            let after = applied(&home, &plan);
            assert_eq!(
                (names(&after), rows(&after)),
                (vec!["ann".into(), new.into()], vec!["ann".into(), new.into(), " x".into()])
            );
            assert_eq!(list(&after, "credentials")[1]["id"], "c-2", "tokens know their credential by its id");
        }
    }
}

#[test]
fn a_name_is_given_once() {
    let mut home = home();
    let rename = |new: &str| Request { new_name: Some(new.into()), ..request("user.rename", "bob") };
    assert_eq!(refused(&home, &rename("Ann")), Kind::Conflict);
    assert_eq!(refused(&home, &rename(" ")), Kind::Usage);
    assert!(plan(&home, &rename("bob")).unwrap().is_empty());
    home.push(ROWS, json!({"username": "Eve", "password": OLD}));
    assert_eq!(refused(&home, &rename("eve")), Kind::Conflict);
    home.documents.get_mut("auth").unwrap()["data"]["credentials"][1]["auth_provider_type"] = "command_line".into();
    assert_eq!(refused(&home, &rename("robert")), Kind::Refused);
}

#[test]
fn a_removed_user_leaves_nothing_behind() {
    let home = home();
    let remove = plan(&home, &request("user.remove", "bob")).unwrap();
    assert_eq!(documents(&remove), ["auth_provider.homeassistant", "auth", "auth_module.totp", "person"]);
    let after = applied(&home, &remove);
    assert_eq!((names(&after), rows(&after)), (vec!["ann".to_owned()], vec!["ann".to_owned()]));
    assert_eq!(texts(list(&after, "users"), "/id"), ["1"]);
    assert_eq!(texts(list(&after, "refresh_tokens"), "/id"), ["browser1", "long1"]);
    assert_eq!(after.documents["auth_module.totp"]["data"]["users"], json!({"1": "GEZDGNBVGY3TQOJQ"}));
    assert_eq!(after.documents["person"]["data"]["items"][1]["user_id"], Json::Null);
    assert_eq!(after.documents["person"]["data"]["items"][0]["user_id"], "1");
}

#[test]
fn an_entry_of_somebody_else_of_the_same_name_stays() {
    let mut home = home();
    home.documents.get_mut("auth").unwrap()["data"]["credentials"][1]["data"]["username"] = "ANN".into();
    let after = applied(&home, &plan(&home, &by_id(request("user.remove", ""), "2")).unwrap());
    assert!(verdict(&after, "ann").account.is_some_and(|account| account.id == "1"));
    assert_eq!(rows(&after), ["ann", "bob"], "the entry `bob` led nowhere before");
}

#[test]
fn nobody_gets_in_as_somebody_who_is_being_removed() {
    // Without the entry `ann` names are no longer compared exactly, and `Ann` would lead to the user who is not gone yet.
    for verb in ["user.remove", "password.remove"] {
        let mut home = directory(&[("1", "ann", false), ("2", "Ann", false), ("3", "eve", true)]).version(LEGACY);
        home.user(2)["is_owner"] = true.into();
        let plan = plan(&home, &by_id(request(verb, ""), "1")).unwrap();
        let mut now = home.clone();
        for step in &plan.steps {
            now.apply(step);
            let told = verdict(&now, "Ann");
            let user = told.account.map(|account| account.id).unwrap_or_default();
            let barred = codes(&told.reasons).contains(&"disabled!".to_owned());
            assert!(user == "2" || barred, "{verb}: {user}");
        }
        let after = applied(&home, &plan);
        assert!(list(&after, "users").iter().all(|user| user["is_active"] == true));
        assert_eq!(
            (rows(&after), names(&after)),
            (vec!["Ann".to_owned(), "eve".into()], vec!["Ann".to_owned(), "eve".into()])
        );
    }
}

#[test]
fn what_is_left_of_a_user_can_be_removed() {
    let mut home = home();
    home.push(ROWS, json!({"username": "Gone", "password": OLD}));
    home.push("auth#/data/credentials", json!({"id": "cx", "user_id": "9", "auth_provider_type": "homeassistant", "auth_provider_id": null, "data": {"username": "other"}}));
    home.token("tx", "9", Some("normal"), Some("http://x/"));
    let after = applied(&home, &plan(&home, &request("user.remove", "gone")).unwrap());
    assert_eq!(rows(&after), ["ann", "bob"]);
    let after = applied(&after, &plan(&after, &by_id(request("user.remove", ""), "9")).unwrap());
    assert_eq!((list(&after, "credentials").len(), list(&after, "refresh_tokens").len()), (2, 4));
    assert_eq!(refused(&after, &by_id(request("user.remove", ""), "9")), Kind::NotFound);
    assert_eq!(refused(&after, &request("user.remove", "gone")), Kind::NotFound);
}

#[test]
fn a_removed_password_takes_credential_and_sessions_and_comes_back_by_id() {
    let mut home = home();
    home.documents.get_mut("auth").unwrap()["data"]["refresh_tokens"][3]["credential_id"] = "c-2".into();
    home.token("long3", "2", Some("long_lived_access_token"), None);
    let remove = plan(&home, &request("password.remove", "bob")).unwrap();
    assert_eq!(documents(&remove), ["auth_provider.homeassistant", "auth"]);
    let after = applied(&home, &remove);
    assert_eq!((names(&after), rows(&after)), (vec!["ann".to_owned()], vec!["ann".to_owned()]));
    assert_eq!(texts(list(&after, "refresh_tokens"), "/id"), ["browser1", "long1", "long3"]);
    assert_eq!(codes(&account(&after, "2").reasons), ["credential_missing!", "mfa"]);
    assert!(plan(&after, &by_id(request("password.remove", ""), "2")).unwrap().is_empty());
    let back = plan(&after, &by_id(request("password.reset", "Bob"), "2")).unwrap();
    assert!(verdict(&applied(&after, &back), "bob").account.is_some_and(|account| account.id == "2"));
    assert_eq!(refused(&after, &by_id(request("password.reset", "ann"), "2")), Kind::Conflict);
}

#[test]
fn a_token_is_made_once_and_signed() {
    let home = home();
    let issue =
        plan(&home, &keys("token.issue", "bob", &[("name", "phone"), ("expires", "2027-11-18T11:06:40Z")])).unwrap();
    let after = applied(&home, &issue);
    let row = list(&after, "refresh_tokens").last().unwrap();
    assert_eq!((&row["user_id"], &row["client_name"]), (&"2".into(), &"phone".into()));
    assert_eq!(row["access_token_expiration"].to_string(), "31536000.0");
    let (id, key) = (row["id"].as_str().unwrap(), row["jwt_key"].as_str().unwrap());
    let token = &issue.reveals[0].value;
    assert_eq!(*token, crate::codes::access_token(id, key, Time(1_795_000_000_000), 31_536_000));
    assert!(
        !format!("{:?}", issue.warnings).contains(token) && !issue.next_steps.iter().any(|next| next.contains(token))
    );
    let again = keys("token.issue", "bob", &[("name", "phone")]);
    assert_eq!(refused(&after, &again), Kind::Conflict);
    assert_eq!(refused(&home, &keys("token.issue", "bob", &[("expires", "never")])), Kind::Usage);
    assert_eq!(refused(&home, &keys("token.issue", "bob", &[("expires", "2020-01-01T00:00:00Z")])), Kind::Usage);
    // The token itself names its row as well as its id does, and is not repeated.
    for typed in [token.as_str(), row["token"].as_str().unwrap(), id] {
        let show = Request { ids: vec![typed.into()], target: None, ..request("session.show", "") };
        let found = read(&after, &show).unwrap();
        assert!(matches!(&found[0], Batch::Sessions(found) if found.len() == 1 && found[0].id == *id));
        let revoke = Request { ids: vec![typed.into()], target: None, ..request("token.revoke", "") };
        assert_eq!(list(&applied(&after, &plan(&after, &revoke).unwrap()), "refresh_tokens").len(), 4);
    }
    let unknown = Request { ids: vec!["x".repeat(128)], target: None, ..request("token.revoke", "") };
    assert!(!plan(&after, &unknown).unwrap().warnings[0].contains("xx"));
}

#[test]
fn tokens_end_alone_and_by_how_long_they_lay_unused() {
    let mut home = home();
    let listed = read(&home, &Request { target: None, ..request("token.list", "") }).unwrap();
    assert!(
        matches!(&listed[0], Batch::Tokens(all) if all.len() == 2 && all.iter().all(|one| one.kind == "long_lived"))
    );
    let after = applied(&home, &plan(&home, &request("token.revoke", "bob")).unwrap());
    assert_eq!(texts(list(&after, "refresh_tokens"), "/id"), ["browser1", "long1", "browser2"]);
    let session = Request { ids: vec!["browser1".into()], target: None, ..request("token.revoke", "") };
    assert_eq!(refused(&home, &session), Kind::Refused);
    // Made twenty days ago, and one of them used five days ago.
    home.documents.get_mut("auth").unwrap()["data"]["refresh_tokens"][0]["last_used_at"] =
        "2026-11-13T00:00:00+00:00".into();
    let unused = |verb: &str, days: u64| {
        with(Request { target: None, ..request(verb, "") }, |options| options.unused_for = Some(days * 86400))
    };
    let ends = |request: &Request| list(&applied(&home, &plan(&home, request).unwrap()), "refresh_tokens").len();
    assert_eq!((ends(&unused("session.revoke", 10)), ends(&unused("session.revoke", 3))), (3, 2));
    assert_eq!((ends(&unused("session.revoke", 30)), ends(&unused("token.revoke", 10))), (4, 2));
    let listed = read(&home, &unused("session.list", 10)).unwrap();
    assert!(matches!(&listed[0], Batch::Sessions(some) if some.len() == 3));
}

#[test]
fn bans_are_listed_and_cleared_one_by_one() {
    let mut home = home();
    home.documents.insert("ip_bans".into(), json!({
        "127.0.0.1": {"banned_at": "2026-11-21T02:00:00+00:00"}, "2001:db8::5": {"banned_at": "2026-11-21T02:00:00+00:00"},
        "192.0.2.1": null,
    }));
    let Batch::Bans(bans) = read(&home, &Request { target: None, ..request("ban.list", "") }).unwrap().remove(0) else {
        panic!("no bans")
    };
    assert_eq!(bans.iter().map(|ban| ban.note.is_some()).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(bans[0].banned_at.value().map(ToString::to_string).as_deref(), Some("2026-11-21T02:00:00Z"));
    let clear =
        Request { ids: vec!["2001:DB8::5".into(), "10.0.0.9".into()], target: None, ..request("ban.clear", "") };
    let some = plan(&home, &clear).unwrap();
    assert!(some.warnings.iter().any(|warning| warning == "10.0.0.9 is not banned"));
    assert!(some.warnings.iter().any(|warning| warning.starts_with("127.0.0.1 stays banned")));
    assert_eq!(applied(&home, &some).documents["ip_bans"].as_object().unwrap().len(), 2);
    let all = with(Request { target: None, ..request("ban.clear", "") }, |options| options.all = true);
    assert_eq!(applied(&home, &plan(&home, &all).unwrap()).documents["ip_bans"], json!({}));
    home.documents.insert("ip_bans".into(), json!(["127.0.0.1"]));
    assert_eq!(refused(&home, &clear), Kind::Conflict);
    let aside = plan(&home, &all).unwrap();
    assert!(!applied(&home, &aside).documents.contains_key("ip_bans"), "what cannot be read goes aside as a whole");
    home.documents.remove("ip_bans");
    assert!(plan(&home, &all).unwrap().is_empty());
}

#[test]
fn failed_sign_ins_of_both_logs_are_told_newest_first() {
    let mut home = home();
    let line = |day: u32, what: &str| {
        format!("2026-11-{day} 02:00:00.123 WARNING (MainThread) [homeassistant.components.http.ban] {what}\n")
    };
    let attempt = "Login attempt or request with invalid authentication from x (192.0.2.9). Requested URL: '/'. (curl)";
    home.texts.insert("home-assistant.log.1".into(), line(19, attempt));
    home.texts
        .insert("home-assistant.log".into(), line(20, "Banned IP 192.0.2.9 for too many login attempts") + "noise\n");
    let Batch::Logins(logins) = read(&home, &Request { target: None, ..request("login.list", "") }).unwrap().remove(0)
    else {
        panic!("no logins")
    };
    assert_eq!(logins.iter().map(|login| login.status.as_str()).collect::<Vec<_>>(), ["banned", "failed"]);
    assert_eq!(read(&home, &request("login.list", "ann")).unwrap_err().kind, Kind::Unsupported);
}

#[test]
fn a_first_start_again_moves_all_of_it_in_order() {
    let home = home();
    let restart = plan(&home, &Request { target: None, ..request("onboarding.restart", "") }).unwrap();
    let moved: Vec<&str> = restart.steps.iter().map(|step| step.changes[0].collection()).collect();
    assert_eq!(moved, ["auth_provider.homeassistant", "auth", "auth_module.totp", "onboarding"]);
    assert!(restart.warnings[0].contains("`latchlift password reset ann`"), "{:?}", restart.warnings);
    let mut now = home.clone();
    restart.steps.iter().for_each(|step| now.apply(step));
    assert_eq!(now.documents.keys().collect::<Vec<_>>(), ["person"]);
    assert!(plan(&now, &request("onboarding.restart", "")).unwrap().is_empty());
}

#[test]
fn the_one_who_keeps_a_name_is_chosen() {
    for version in ["2026.11.0", LEGACY] {
        for (keep, other) in [("1", "2"), ("2", "1")] {
            let mut home =
                directory(&[("1", "Jane", false), ("2", "jane", false), ("3", "eve", true)]).version(version);
            home.documents.get_mut("auth_provider.homeassistant").unwrap()["data"]["users"][0]["password"] =
                "first".into();
            let fix = with(Request { target: None, ..request("user.fix-names", "") }, |options| {
                options.keep = Some(keep.into())
            });
            let plan = plan(&home, &fix).unwrap();
            let mut now = home.clone();
            for step in &plan.steps {
                now.apply(step);
                for name in ["jane", "Jane", "jane-2"] {
                    let told = verdict(&now, name);
                    let user = told.account.map(|account| account.id).unwrap_or_default();
                    let barred = codes(&told.reasons).contains(&"disabled!".to_owned());
                    assert!(
                        user != other || barred || name == "jane-2" || step == &plan.steps[0],
                        "{version} {keep} {name}"
                    );
                }
            }
            let after = applied(&home, &plan);
            let found = |id: &str| account(&after, id).name.value().cloned().unwrap();
            assert_eq!((found(keep), found(other)), ("jane".to_owned(), "jane-2".to_owned()));
            let first = after.documents["auth_provider.homeassistant"]["data"]["users"][0].clone();
            assert_eq!(first, json!({"username": if keep == "1" { "jane" } else { "jane-2" }, "password": "first"}));
            assert!(list(&after, "users").iter().all(|user| user["is_active"] == true));
            assert_eq!(list(&after, "credentials").len(), 3);
        }
    }
}

#[test]
fn one_name_is_mended_alone() {
    let mut home = directory(&[("1", "Ann", false), ("2", "BOB", false), ("3", "eve", true)]).version(LEGACY);
    home.push(ROWS, json!({"username": " x", "password": OLD}));
    let one = plan(&home, &request("user.fix-names", "ann")).unwrap();
    assert_eq!(documents(&one), ["auth", "auth_provider.homeassistant", "auth"], "names are still compared exactly");
    let after = applied(&home, &one);
    assert_eq!(
        (rows(&after), names(&after)[0].as_str()),
        (vec!["ann".into(), "BOB".into(), "eve".into(), " x".into()], "ann")
    );
    assert_eq!(refused(&home, &request("user.fix-names", "zoe")), Kind::NotFound);
}
