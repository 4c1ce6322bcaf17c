use super::*;
use latchlift_plugin_api::abi::abi_stable::sabi_trait::TD_Opaque;
use latchlift_plugin_api::abi::abi_stable::std_types::{RSlice, RStr};
use latchlift_plugin_api::abi::{Answer, Host, PluginAbi, PluginAbi_TO, RemoteHost, answer};
use latchlift_plugin_api::{Account, Output};
use std::os::unix::fs::PermissionsExt;

/// A plugin that says what it is told to say.
struct Scripted {
    hello: Hello,
    plan: fn() -> Answer,
}

impl PluginAbi for Scripted {
    fn call(&self, host: &Host<'_>, method: RStr<'_>, _: RSlice<'_, u8>) -> Answer {
        match method.as_str() {
            "hello" => answer(Ok(self.hello.clone())),
            "read" => endless(host),
            _ => (self.plan)(),
        }
    }
}

/// Answers until nobody listens, and passes on why.
fn endless(host: &Host<'_>) -> Answer {
    let mut output = RemoteHost(host);
    for name in 0.. {
        let account = Account { id: name.to_string(), ..Account::default() };
        if let Err(error) = output.emit(Batch::Accounts(vec![account])) {
            return answer::<()>(Err(error));
        }
    }
    answer(Ok(()))
}

const FACTS: &str = "app = \"homarr\"\ntitle = \"Homarr\"\n";

fn hello(low: u32, high: u32, facts: &str) -> Hello {
    Hello { protocol_min: low, protocol_max: high, facts: facts.into(), version: "1.2.3".into() }
}

fn plugin(hello: Hello, plan: fn() -> Answer) -> Result<Loaded> {
    let object = PluginAbi_TO::from_value(Scripted { hello, plan }, TD_Opaque);
    greet(Remote::of(object), Path::new("/p/liblatchlift_homarr.so")).map(|(loaded, _)| loaded)
}

fn nothing() -> Answer {
    answer(Ok(Plan::default()))
}

#[test]
fn a_plugin_says_who_it_is() {
    let loaded = plugin(hello(1, PROTOCOL, FACTS), nothing).unwrap();
    assert_eq!((loaded.facts.app.as_str(), loaded.version.as_str()), ("homarr", "1.2.3"));
    assert!(plugin(hello(1, PROTOCOL + 5, FACTS), nothing).is_ok(), "a newer plugin may understand older messages too");
}

#[test]
fn messages_nobody_has_in_common_are_refused_with_what_to_update() {
    let newer = plugin(hello(PROTOCOL + 1, PROTOCOL + 2, FACTS), nothing).unwrap_err();
    let expected = format!("speaks protocol {} to {}; this latchlift needs", PROTOCOL + 1, PROTOCOL + 2);
    assert!(newer.message.contains(&expected), "{newer}");
    assert_eq!((newer.kind, newer.help.as_deref()), (Kind::Plugin, Some("install a newer latchlift package")));
    let older = plugin(hello(0, 0, FACTS), nothing).unwrap_err();
    assert_eq!(older.help.as_deref(), Some("install a newer plugin package"));
}

#[test]
fn facts_that_make_no_sense_are_refused() {
    let error = plugin(hello(1, 1, "app = 5"), nothing).unwrap_err();
    assert!(error.message.starts_with("plugin /p/liblatchlift_homarr.so has facts that make no sense"), "{error}");
    assert!(!error.message.contains('\n'), "{error}");
}

#[test]
fn the_sidecar_must_state_the_same_facts_but_may_be_written_differently() {
    let dir = tempfile::tempdir().unwrap();
    let sidecar = dir.path().join("liblatchlift_homarr.toml");
    let trust = Trust::of_this_process().unwrap();
    let loaded = plugin(hello(1, 1, FACTS), nothing).unwrap();
    let verdict = |text: &str| {
        std::fs::write(&sidecar, text).unwrap();
        std::fs::set_permissions(&sidecar, std::fs::Permissions::from_mode(0o644)).unwrap();
        read_sidecar(&sidecar, &trust, None).and_then(|facts| agree(&loaded, &sidecar, &facts))
    };
    verdict("# a comment\ntitle = 'Homarr'\napp = 'homarr'").unwrap();
    let error = verdict("app = \"homarr\"\ntitle = \"Homarr 2\"").unwrap_err();
    assert!(error.message.contains("do not state the same facts"), "{error}");
    assert!(verdict("app = \"jellyfin\"").unwrap_err().message.contains("is for `jellyfin`"));
}

#[test]
fn a_change_of_an_unknown_kind_is_refused_and_the_plugin_named() {
    fn teleport() -> Answer {
        let change = [("teleport", std::collections::BTreeMap::from([("collection", "people")]))];
        let step = std::collections::BTreeMap::from([("changes", [std::collections::BTreeMap::from(change)])]);
        answer(Ok(std::collections::BTreeMap::from([("steps", [step])])))
    }
    let error = plugin(hello(1, 1, FACTS), teleport).unwrap();
    let error = error.plan(&Services::none(), &Request::default()).unwrap_err();
    assert_eq!(error.kind, Kind::Plugin);
    assert!(error.message.starts_with("plugin homarr 1.2.3: a message cannot be understood"), "{error}");
    assert_eq!(error.help.as_deref(), Some("see which plugin this is with `latchlift plugin show homarr`"));
}

#[test]
fn a_panic_is_a_broken_contract_and_the_plugin_named() {
    fn panicked() -> Answer {
        answer::<()>(Err(api::Error::new(api::Kind::Contract, "the plugin panicked: boom")))
    }
    let loaded = plugin(hello(1, 1, FACTS), panicked).unwrap();
    let error = loaded.plan(&Services::none(), &Request::default()).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Plugin, "plugin homarr 1.2.3: the plugin panicked: boom"));
}

#[test]
fn what_a_plugin_says_about_accounts_is_left_as_it_is() {
    fn unknown() -> Answer {
        answer::<()>(Err(api::Error::no_account("jon")))
    }
    let loaded = plugin(hello(1, 1, FACTS), unknown).unwrap();
    let error = loaded.plan(&Services::none(), &Request::default()).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::NotFound, "no account named `jon`"));
}

#[test]
fn a_plugin_that_never_ends_about_one_account_is_stopped() {
    let loaded = plugin(hello(1, 1, FACTS), nothing).unwrap();
    let mut taken = 0;
    let error = loaded.read_one(Services::none(), &Request::default(), &mut |_| {
        taken += 1;
        Ok(())
    });
    assert_eq!((error.unwrap_err().message.contains("far more than was asked for"), taken), (true, 0));
}

#[test]
fn what_takes_the_batches_may_want_no_more_and_its_own_reason_comes_back() {
    let loaded = plugin(hello(1, 1, FACTS), nothing).unwrap();
    let mut seen = 0;
    let read = loaded.read(Services::none(), Request::default(), &mut |_| {
        seen += 1;
        if seen < 3 { Ok(()) } else { Err(Error::new(Kind::Interrupted, "enough")) }
    });
    let error = read.unwrap_err();
    assert_eq!((seen, error.kind, error.message.as_str()), (3, Kind::Interrupted, "enough"));
}
