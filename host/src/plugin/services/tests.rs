use super::*;
use crate::plugin::load::Remote;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RSlice, RStr};
use latchlift_plugin_api::abi::{Host, PluginAbi, PluginAbi_TO, abi_stable};
use latchlift_plugin_api::{
    Account, Column, Context, File, Located, Output, Page, Plan, Plugin, Probe, Reader, Request,
};
use latchlift_plugin_api::{Settings, Value};

/// A plugin that asks for everything there is, each by its own verb, and reports the answers as a plan's warnings.
#[derive(Default)]
struct Curious;

impl Plugin for Curious {
    const FACTS: &'static str = "app = \"curious\"";

    fn locate(&self, _: &Settings, files: &dyn Files) -> api::Result<Vec<Located>> {
        files.text("/run/secret").map(|_| vec![])
    }

    fn probe(&self, reader: &dyn Reader) -> api::Result<Probe> {
        Ok(Probe { version: reader.column_names("people")?.join(" "), ..Probe::default() })
    }

    fn read(&self, _: &Context<'_>, request: &Request, output: &mut dyn Output) -> api::Result<()> {
        let name = request.target()?.name.clone();
        output.emit(Batch::Accounts(vec![Account { name: name.into(), ..Account::default() }]))
    }

    fn plan(&self, context: &Context<'_>, request: &Request) -> api::Result<Plan> {
        let Context { reader, secrets } = context;
        let (filter, handle, kdf) = (Filter::eq("name", "john"), Handle(7), Kdf::Bcrypt { cost: 4 });
        let query = Select::from("people", ["id"]).filter(filter.clone());
        let said = match request.verb.as_str() {
            "kind" => format!("{:?} {:?}", reader.kind("")?, reader.kind("files")?),
            "select" => format!("{:?}", reader.select(&Select { store: "db".into(), ..query })?.rows),
            "count_by" => format!("{:?}", reader.count_by("db", "people", "role", &filter)?),
            "columns" => format!("{:?}", reader.columns("", "absent")?.map(|columns| columns.len())),
            "document" => format!("{:?}", reader.document("files", "auth")?),
            "files" => format!("{:?}", reader.files("files", "*.json")?.len()),
            "lines" => format!("{:?}", reader.lines("files", "log", "login")?),
            "derive" => format!("{:?}", secrets.derive(handle, &kdf)?.digest),
            "verify" => format!("{:?}", secrets.verify(handle, &kdf, b"salt", b"digest")?),
            "locked" => format!("{:?}", reader.select(&Select::from("locked", ["id"]))?),
            "wrapped" => {
                let failed = |error: api::Error| api::Error { message: format!("people: {}", error.message), ..error };
                format!("{:?}", reader.select(&Select::from("locked", ["id"])).map_err(failed)?)
            }
            "own" => {
                let _ = reader.select(&Select::from("locked", ["id"]));
                return Err(api::Error::refused("the account is the last administrator", Some("allow-last-admin")));
            }
            "crash" => format!("{:?}", reader.select(&Select::from("crash", ["id"]))?),
            "elsewhere" => format!("{:?}", reader.kind("elsewhere")?),
            "panic" => panic!("at the {}", "disco"),
            _ => return Err(latchlift_plugin_api::unknown_verb(request)),
        };
        Ok(Plan::new(said))
    }
}

struct InProcess(Curious);

impl PluginAbi for InProcess {
    fn call(&self, host: &Host<'_>, method: RStr<'_>, body: RSlice<'_, u8>) -> Answer {
        api::abi::dispatch(&self.0, "1.2.3", host, method, body)
    }
}

/// A store that answers with what it was asked.
struct Echo;

impl StoreReader for Echo {
    fn select(&mut self, query: &Select) -> Result<Page> {
        match query.collection.as_str() {
            "locked" => Err(Error::new(Kind::Locked, "Homarr held its database locked for 5 seconds: /srv/db")
                .help("docker stop homarr")
                .note("nothing was changed")),
            "crash" => panic!("a bug in the store"),
            name => Ok(Page {
                rows: vec![vec![Value::from(name), Value::from(format!("{:?}", query.filter))]],
                ..Page::default()
            }),
        }
    }

    fn count_by(&mut self, collection: &str, field: &str, _: &Filter) -> Result<Vec<(Value, u64)>> {
        Ok(vec![(Value::from(format!("{collection}.{field}")), 3)])
    }

    fn columns(&mut self, collection: &str) -> Result<Option<Vec<Column>>> {
        let column = |name: &str| Column { name: name.into(), ..Column::default() };
        Ok((collection == "people").then(|| vec![column("id"), column("name")]))
    }

    fn document(&mut self, name: &str) -> Result<Option<String>> {
        Ok(Some(format!("document {name}")))
    }

    fn files(&mut self, glob: &str) -> Result<Vec<File>> {
        Ok(vec![File { path: glob.into(), ..File::default() }])
    }

    fn lines(&mut self, file: &str, text: &str) -> Result<Vec<String>> {
        Ok(vec![format!("{text} in {file}")])
    }

    fn notice(&self) -> Option<String> {
        Some("opened in a hurry".into())
    }
}

struct Vault;

impl Secrets for Vault {
    fn derive(&self, password: Handle, _: &Kdf) -> api::Result<Derived> {
        Ok(Derived { salt: vec![], digest: vec![password.0 as u8] })
    }

    fn verify(&self, password: Handle, _: &Kdf, salt: &[u8], digest: &[u8]) -> api::Result<bool> {
        Ok(password == Handle(7) && salt == b"salt" && digest == b"digest")
    }
}

fn services() -> Services<'static> {
    let services = Services::new(&Vault, &Nothing);
    services.store("db", StoreKind::Mysql, Box::new(Echo)).store("files", StoreKind::Documents, Box::new(Echo))
}

fn plan(services: &Services<'_>, verb: &str) -> api::Result<String> {
    let remote = Remote::of(PluginAbi_TO::from_value(InProcess(Curious), TD_Opaque));
    let request = Request { verb: verb.into(), ..Request::default() };
    remote.call::<_, Plan>(services, "plan", &request).map(|plan| plan.summary)
}

#[test]
fn every_service_answers_across_the_waist() {
    let expected = [
        ("kind", "Mysql Documents"),
        ("select", r#"[[Text("people"), Text("Eq(\"name\", Text(\"john\"))")]]"#),
        ("count_by", r#"[(Text("people.role"), 3)]"#),
        ("columns", "None"),
        ("document", r#"Some("document auth")"#),
        ("files", "1"),
        ("lines", r#"["login in log"]"#),
        ("derive", "[7]"),
        ("verify", "true"),
    ];
    for (service, answer) in expected {
        assert_eq!(plan(&services(), service).unwrap(), answer, "{service}");
    }
}

#[test]
fn batches_reach_the_outbox_and_a_closed_one_stops_the_plugin() {
    let remote = Remote::of(PluginAbi_TO::from_value(InProcess(Curious), TD_Opaque));
    let target = api::Target { name: "john".into(), ..api::Target::default() };
    let request = Request { target: Some(target), ..Request::default() };
    let (outbox, inbox) = std::sync::mpsc::sync_channel(1);
    remote.call::<_, ()>(&services().output(Outbox::Taken(outbox)), "read", &request).unwrap();
    let Batch::Accounts(accounts) = decode(&inbox.recv().unwrap()).unwrap() else {
        panic!("only accounts were asked for")
    };
    assert_eq!(accounts[0].name, api::Known::Is("john".to_owned()));

    let (outbox, inbox) = std::sync::mpsc::sync_channel(1);
    drop(inbox);
    assert!(remote.call::<_, ()>(&services().output(Outbox::Taken(outbox)), "read", &request).is_err());
    assert!(remote.call::<_, ()>(&services(), "read", &request).is_err(), "nobody asked for an answer");
}

#[test]
fn a_host_failure_that_a_plugin_passes_on_keeps_its_kind_and_advice() {
    for (verb, message) in [
        ("locked", "Homarr held its database locked for 5 seconds: /srv/db"),
        ("wrapped", "people: Homarr held its database locked for 5 seconds: /srv/db"),
    ] {
        let services = services();
        let error = services.blame(plan(&services, verb).unwrap_err());
        assert_eq!((error.kind, error.message.as_str()), (Kind::Locked, message));
        assert_eq!(error.help.as_deref(), Some("docker stop homarr"));
        assert_eq!(error.note.as_deref(), Some("nothing was changed"));
    }
}

#[test]
fn a_plugins_own_refusal_is_not_mistaken_for_an_earlier_failure() {
    let services = services();
    let error = services.blame(plan(&services, "own").unwrap_err());
    assert_eq!((error.kind, error.help.as_deref()), (Kind::Refused, Some("if you mean it, say --allow-last-admin")));
}

#[test]
fn what_a_call_was_not_given_is_the_plugins_mistake() {
    let elsewhere = plan(&services(), "elsewhere").unwrap_err();
    assert_eq!(elsewhere.kind, api::Kind::Contract);
    assert_eq!(elsewhere.message, "the plugin asked for the store `elsewhere`, which it did not locate");
    let none = plan(&Services::none(), "kind").unwrap_err();
    assert_eq!(none.message, "the plugin asked for a store where it has none");
    let secret = plan(&Services::none(), "derive").unwrap_err();
    assert_eq!(secret.message, "the plugin asked for a password where there is none");
}

#[test]
fn a_panic_on_either_side_is_an_error_and_not_the_end() {
    assert_eq!(plan(&services(), "panic").unwrap_err().message, "the plugin panicked: at the disco");
    let error = plan(&services(), "crash").unwrap_err();
    assert_eq!(error.message, "latchlift failed while it answered the plugin's `select`");
}

#[test]
fn what_a_person_should_know_about_the_stores_is_collected() {
    assert_eq!(services().notices(), ["opened in a hurry", "opened in a hurry"]);
}

#[test]
fn a_service_nobody_knows_is_unsupported() {
    let error = api::abi::understand::<()>(Services::none().call("teleport", &[])).unwrap_err();
    assert_eq!(error.kind, api::Kind::Unsupported);
}
