//! A config directory in memory: enough of a documents store to plan against, and to apply plans step by step.

use latchlift_plugin_api::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// A well-formed hash of cost 4, as stored, which no password of these tests matches.
pub const OLD: &str = "JDJiJDA0JGFiY2RlZmdoaWprbG1ub3BxcnN0dXVlMXA4cEdxM2x6WW9QUEtTbHJyZi5MSkpPc2FYcjlX";

#[derive(Clone, Default)]
pub struct Directory {
    pub documents: BTreeMap<String, Json>,
    pub texts: BTreeMap<String, String>,
    pub files: Vec<File>,
}

/// A directory with these users: `(id, name of the password entry and credential, in the group of administrators)`.
pub fn directory(users: &[(&str, &str, bool)]) -> Directory {
    let mut directory = Directory::default();
    let group = |admin| if admin { "system-admin" } else { "system-users" };
    let made: Vec<Json> = users.iter().map(|(id, name, admin)| json!({
        "id": id, "group_ids": [group(*admin)], "is_owner": false, "is_active": true, "name": format!("{name} shown"),
        "system_generated": false, "local_only": false,
    })).collect();
    let credentials: Vec<Json> = users
        .iter()
        .map(|(id, name, _)| {
            json!({
                "id": format!("c-{id}"), "user_id": id, "auth_provider_type": "homeassistant", "auth_provider_id": null,
                "data": {"username": name},
            })
        })
        .collect();
    let rows: Vec<Json> = users.iter().map(|(_, name, _)| json!({"username": name, "password": OLD})).collect();
    let groups = json!([{"id": "system-admin", "name": "Administrators"}, {"id": "system-users", "name": "Users"}]);
    let auth = json!({"users": made, "groups": groups, "credentials": credentials, "refresh_tokens": []});
    directory.put("auth", 1, auth);
    directory.put("auth_provider.homeassistant", 1, json!({"users": rows}));
    directory.put("onboarding", 4, json!({"done": ["user", "core_config", "analytics", "integration"]}));
    directory.texts.insert(".HA_VERSION".into(), "2026.11.0".into());
    directory
}

impl Directory {
    pub fn put(&mut self, name: &str, version: u32, data: Json) {
        let envelope = json!({"version": version, "minor_version": 1, "key": name, "data": data});
        self.documents.insert(name.to_owned(), envelope);
    }

    pub fn version(mut self, version: &str) -> Directory {
        self.texts.insert(".HA_VERSION".into(), version.into());
        self
    }

    pub fn user(&mut self, n: usize) -> &mut Json {
        &mut self.documents.get_mut("auth").unwrap()["data"]["users"][n]
    }

    pub fn push(&mut self, collection: &str, record: Json) {
        self.at(collection).as_array_mut().unwrap().push(record);
    }

    pub fn token(&mut self, id: &str, user: &str, kind: Option<&str>, client: Option<&str>) {
        let mut token = json!({
            "id": id, "user_id": user, "client_id": client, "client_name": null,
            "created_at": "2026-11-01T00:00:00.000000+00:00", "access_token_expiration": 1800.0,
            "last_used_at": null, "last_used_ip": null, "expire_at": 1_793_491_200.5, "jwt_key": "k", "token": "t",
        });
        if let Some(kind) = kind {
            token["token_type"] = kind.into();
        }
        self.push("auth#/data/refresh_tokens", token);
    }

    /// What the host says of a file that is no JSON; one is a text that is `broken`.
    fn readable(&self, collection: &str) -> Result<()> {
        let name = collection.split('#').next().unwrap();
        match self.documents.get(name) {
            Some(Json::String(_)) => Err(Error::new(Kind::Conflict, format!("{name} is not valid JSON"))),
            _ => Ok(()),
        }
    }

    /// Damages a document.
    pub fn breaks(&mut self, name: &str) {
        self.documents.insert(name.to_owned(), "broken".into());
    }

    fn at(&mut self, collection: &str) -> &mut Json {
        let (document, pointer) = collection.split_once('#').unwrap();
        self.documents.get_mut(document).unwrap().pointer_mut(pointer).unwrap()
    }

    fn records(&self, collection: &str) -> Option<Vec<(Option<String>, Json)>> {
        let (document, pointer) = collection.split_once('#').unwrap();
        Some(match self.documents.get(document)?.pointer(pointer)? {
            Json::Array(items) => items.iter().map(|item| (None, item.clone())).collect(),
            Json::Object(map) if pointer.is_empty() && document != "ip_bans" => vec![(None, Json::Object(map.clone()))],
            Json::Object(map) => map.iter().map(|(key, value)| (Some(key.clone()), value.clone())).collect(),
            _ => panic!("{collection} is no collection"),
        })
    }

    /// Writes a step as the host would: all guards first, and only one document.
    pub fn apply(&mut self, step: &Step) {
        let document = |change: &Change| change.collection().split('#').next().unwrap().to_owned();
        assert!(step.changes.len() == 1 || !step.changes.iter().any(|change| matches!(change, Change::Move { .. })));
        let first = document(&step.changes[0]);
        assert!(step.changes.iter().all(|change| document(change) == first), "a step touches one document");
        let facts = Facts::parse(include_str!("../../plugin.toml")).unwrap();
        if let (false, Some(declared)) = (self.documents.contains_key(&first), facts.document(&first)) {
            self.documents.insert(first, serde_json::from_str(declared.envelope.as_deref().unwrap()).unwrap());
        }
        let before = self.clone();
        let mut doomed: Vec<(String, usize)> = vec![];
        for change in &step.changes {
            let collection = change.collection().to_owned();
            let declared = facts.collection(&collection).is_some() || facts.document(&collection).is_some();
            assert!(declared, "{collection} is declared");
            match change {
                Change::Insert { after, .. } => self.insert(&collection, after),
                Change::Update { key, before: was, after, .. } => {
                    let place = before.place(&collection, key, was);
                    for (field, value) in after.iter() {
                        put(&mut self.at(&collection).as_array_mut().unwrap()[place], field, value);
                    }
                }
                Change::Delete { key, before: was, .. } => {
                    doomed.push((collection.clone(), before.place(&collection, key, was)))
                }
                Change::Purge { filter, count, .. } => {
                    let all = before.records(&collection).unwrap();
                    let hit = |at: &usize| matches(&all[*at], filter);
                    let places: Vec<usize> = (0..all.len()).filter(hit).collect();
                    assert_eq!(places.len() as u64, *count);
                    doomed.extend(places.into_iter().map(|place| (collection.clone(), place)));
                }
                Change::Move { from, sha256, .. } => {
                    assert_eq!(Some(sha256), self.digest("", from).unwrap().as_ref());
                    self.documents.remove(from);
                }
            }
        }
        doomed.sort();
        for (collection, place) in doomed.into_iter().rev() {
            match self.at(&collection) {
                Json::Array(items) => _ = items.remove(place),
                Json::Object(map) => {
                    let key = map.keys().nth(place).unwrap().clone();
                    map.remove(&key);
                }
                _ => panic!("{collection} is no collection"),
            }
        }
    }

    fn insert(&mut self, collection: &str, after: &Record) {
        let mut record = json!({});
        after.iter().for_each(|(field, value)| put(&mut record, field, value));
        self.push(collection, record);
    }

    fn place(&self, collection: &str, key: &Key, was: &Record) -> usize {
        let all = self.records(collection).unwrap();
        let named = |at: &usize| key.fields.iter().all(|(field, value)| field_of(&all[*at], field) == *value);
        let place = (0..all.len()).filter(named).nth(key.ordinal as usize).expect("the record is there");
        was.iter().for_each(|(field, value)| assert_eq!(field_of(&all[place], field), *value, "guard of {field}"));
        place
    }
}

/// Sets what a pointer leads to, making the objects on the way.
fn put(record: &mut Json, pointer: &str, value: &Value) {
    let place = pointer[1..].split('/').fold(record, |record, name| &mut record[name]);
    *place = to_json(value);
}

fn field_of((key, value): &(Option<String>, Json), field: &str) -> Value {
    match field {
        "@key" => key.clone().into(),
        "@value" => to_value(value),
        pointer => value.pointer(pointer).map_or(Value::Null, to_value),
    }
}

fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Number(n.to_string()), Value::Int),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(to_value).collect()),
        Json::Object(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), to_value(value))).collect()),
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::Text(text) => text.clone().into(),
        Value::Number(digits) => serde_json::from_str(digits).unwrap(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(entries) => Json::Object(entries.iter().map(|(key, value)| (key.clone(), to_json(value))).collect()),
        other => panic!("{other:?} is no JSON"),
    }
}

fn matches(record: &(Option<String>, Json), filter: &Filter) -> bool {
    match filter {
        Filter::All => true,
        Filter::Eq(field, value) => field_of(record, field) == *value,
        Filter::In(field, values) => values.contains(&field_of(record, field)),
        Filter::Null(field) => field_of(record, field) == Value::Null,
        Filter::And(all) => all.iter().all(|one| matches(record, one)),
        Filter::Range { .. } => panic!("no query here has a range"),
    }
}

impl Reader for Directory {
    fn kind(&self, _: &str) -> Result<StoreKind> {
        Ok(StoreKind::Documents)
    }

    fn select(&self, query: &Select) -> Result<Page> {
        self.readable(&query.collection)?;
        let missing = || Error::new(Kind::Failed, format!("there is no {}", query.collection));
        let all = self.records(&query.collection).ok_or_else(missing)?;
        let hits: Vec<_> = all.iter().filter(|record| matches(record, &query.filter)).collect();
        let start = query.after.first().map_or(0, |start| usize::from(*start));
        // Small pages, so that every query here goes over several.
        let end = hits.len().min(start + if query.limit == 0 { 2 } else { query.limit as usize });
        let row =
            |record: &&(Option<String>, Json)| query.columns.iter().map(|field| field_of(record, field)).collect();
        let next = if end < hits.len() { vec![end as u8] } else { vec![] };
        Ok(Page { columns: query.columns.clone(), rows: hits[start..end].iter().map(row).collect(), next })
    }

    fn count_by(&self, _: &str, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>> {
        let mut counts: Vec<(Value, u64)> = vec![];
        for record in self.records(collection).unwrap().iter().filter(|record| matches(record, filter)) {
            let value = field_of(record, field);
            match counts.iter_mut().find(|(known, _)| *known == value) {
                Some((_, count)) => *count += 1,
                None => counts.push((value, 1)),
            }
        }
        Ok(counts)
    }

    fn columns(&self, _: &str, collection: &str) -> Result<Option<Vec<Column>>> {
        self.readable(collection)?;
        let keyed = |records: Vec<(Option<String>, Json)>| records.iter().any(|(key, _)| key.is_some());
        let column = || Column { name: "@key".into(), ..Column::default() };
        let empty = |collection: &str| self.documents[collection.split('#').next().unwrap()].is_object();
        let is_map = |records| keyed(records) || empty(collection);
        Ok(self.records(collection).map(|records| if is_map(records) { vec![column()] } else { vec![] }))
    }

    fn document(&self, _: &str, name: &str) -> Result<Option<String>> {
        Ok(self.texts.get(name).cloned().or_else(|| Some(self.documents.get(name)?.to_string())))
    }

    fn files(&self, _: &str, glob: &str) -> Result<Vec<File>> {
        let fits = |file: &&File| match glob.strip_suffix('*') {
            Some(start) => file.path.starts_with(start),
            None => file.path == glob,
        };
        Ok(self.files.iter().filter(fits).cloned().collect())
    }

    fn lines(&self, _: &str, file: &str, text: &str) -> Result<Vec<String>> {
        let all = self.texts.get(file).map(String::as_str).unwrap_or_default();
        Ok(all.lines().filter(|line| line.contains(text)).map(str::to_owned).collect())
    }
}

/// Hashes that are right where salt and digest are the handle's number.
struct Numbers;

impl Secrets for Numbers {
    fn derive(&self, password: Handle, _: &Kdf) -> Result<Derived> {
        Ok(Derived { salt: vec![password.0 as u8; 16], digest: vec![password.0 as u8; 24] })
    }

    fn verify(&self, password: Handle, _: &Kdf, _: &[u8], digest: &[u8]) -> Result<bool> {
        Ok(digest.iter().all(|byte| *byte == password.0 as u8))
    }
}

#[derive(Default)]
struct Batches(Vec<Batch>);

impl Output for Batches {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.0.push(batch);
        Ok(())
    }
}

/// A request about the account of this name, with the password that stands for number 7.
pub fn request(verb: &str, name: &str) -> Request {
    Request {
        verb: verb.into(),
        target: Some(Target { name: name.into(), ..Target::default() }),
        password: Some(Handle(7)),
        now: Time(1_795_000_000_000),
        random: Random::new(vec![1; 32]),
        ..Request::default()
    }
}

pub fn plan(directory: &Directory, request: &Request) -> Result<Plan> {
    crate::HomeAssistant.plan(&Context { reader: directory, secrets: &Numbers }, request)
}

pub fn read(directory: &Directory, request: &Request) -> Result<Vec<Batch>> {
    let mut output = Batches::default();
    crate::HomeAssistant.read(&Context { reader: directory, secrets: &Numbers }, request, &mut output)?;
    Ok(output.0)
}

/// The directory after a plan. After each step nobody may be let in as a new administrator who was not before.
pub fn applied(directory: &Directory, plan: &Plan) -> Directory {
    let doors = |directory: &Directory| -> Vec<String> {
        let home = crate::home::Home::read(directory).unwrap();
        home.orphan_names().map(str::to_owned).collect()
    };
    let (open, mut now) = (doors(directory), directory.clone());
    for step in &plan.steps {
        now.apply(step);
        for door in doors(&now) {
            assert!(open.contains(&door), "`{door}` makes administrators half-way through: {}", plan.summary);
        }
    }
    now
}

pub fn accounts(directory: &Directory) -> Vec<Account> {
    let batches = read(directory, &Request { target: None, ..request("user.list", "") }).unwrap();
    batches.into_iter().flat_map(|batch| if let Batch::Accounts(some) = batch { some } else { vec![] }).collect()
}

pub fn account(directory: &Directory, id: &str) -> Account {
    accounts(directory).into_iter().find(|account| account.id == id).expect("the account is listed")
}

/// Whether name and password number 7 get in.
pub fn verdict(directory: &Directory, name: &str) -> Verdict {
    match read(directory, &request("password.check", name)).unwrap().pop() {
        Some(Batch::Verdict(verdict)) => verdict,
        other => panic!("{other:?}"),
    }
}

/// The codes of an account's reasons, with `!` where they keep it out.
pub fn codes(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(|why| format!("{}{}", why.code, if why.blocking { "!" } else { "" })).collect()
}
