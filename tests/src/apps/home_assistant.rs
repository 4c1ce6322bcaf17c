//! Home Assistant: config directories of several ages, people, and its own code as the judge of logins.

use super::json::{Json, Style, object, raw};
use super::{FUTURE, Instance, PAST, Person, Role, Story, Target, made_up, names_in};
use crate::dump::{Difference, Dump, Row};
use crate::{Result, crypt, embedded_only, workspace};
use base64::Engine;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

const BASE64: base64::engine::GeneralPurpose = base64::engine::general_purpose::STANDARD;

/// What a release writes.
#[derive(Clone, Copy)]
struct Age {
    version: &'static str,
    style: Style,
    /// `local_only`, `credential_id` and other keys that came over the years.
    modern: bool,
    /// Since 2024.2.
    expire_at: bool,
    /// Since 2025.10.
    run_lock: bool,
    /// The version of `auth` itself.
    auth_version: u32,
}

const BANS: &str = "ip_bans.yaml";

const NEW: Style = Style { indent: 2, ascii: false };
/// A file keeps the style and the fields of the release that last had something to write to it, so a directory of
/// 2022.8 may well hold files of years before.
const OLD: Style = Style { indent: 4, ascii: true };

const AGES: [Age; 4] = [
    Age { version: "2022.8", style: OLD, modern: false, expire_at: false, run_lock: false, auth_version: 1 },
    Age { version: "2024.3", style: NEW, modern: true, expire_at: true, run_lock: false, auth_version: 1 },
    Age { version: "2026.11", style: NEW, modern: true, expire_at: true, run_lock: true, auth_version: 1 },
    Age { version: "2099.1", style: NEW, modern: true, expire_at: true, run_lock: true, auth_version: 2 },
];

/// Every age of config directory.
pub fn targets() -> Vec<Target> {
    let target = |age: Age| Target {
        app: "home-assistant",
        version: age.version.to_owned(),
        store: "json",
        variant: String::new(),
        known: age.auth_version == 1,
        genuine: None,
    };
    AGES.into_iter().map(target).collect()
}

/// The genuine directories in a folder, one per release.
///
/// # Errors
/// The folder cannot be read.
pub fn genuine(folder: &Path) -> Result<Vec<Target>> {
    let names = names_in(folder)?.into_iter().filter(|name| folder.join(name).join(".storage").is_dir());
    let target = |name: String| Target {
        app: "home-assistant",
        version: name.clone(),
        store: "json",
        variant: "genuine".to_owned(),
        known: true,
        genuine: Some(folder.join(name)),
    };
    Ok(names.map(target).collect())
}

struct HomeAssistant {
    directory: PathBuf,
    people: Vec<Person>,
}

/// Makes a config directory and fills it.
///
/// # Errors
/// It cannot be written.
pub fn seed(target: &Target, story: Story, directory: &Path) -> Result<Box<dyn Instance>> {
    let directory = directory.join("homeassistant");
    if let Some(store) = &target.genuine {
        return open_genuine(store, &directory);
    }
    let mut seeds = Seeds::new(target);
    seeds.story(story)?;
    let ha = HomeAssistant { people: std::mem::take(&mut seeds.people), directory };
    seeds.write(&ha)?;
    Ok(Box::new(ha))
}

/// Who is in a story.
pub fn cast(target: &Target, story: Story) -> Vec<&'static str> {
    let mut seeds = Seeds::new(target);
    // Whatever keeps the story from being told keeps every case from running, and is said there.
    let _ = seeds.story(story);
    seeds.people.iter().map(|person| person.who).collect()
}

/// The records of a directory, as they are collected.
struct Seeds {
    age: Age,
    people: Vec<Person>,
    users: Vec<Json>,
    credentials: Vec<Json>,
    tokens: Vec<Json>,
    rows: Vec<Json>,
}

/// What is particular about somebody.
#[derive(Clone, Copy, Default)]
struct Traits {
    group: &'static str,
    owner: bool,
    inactive: bool,
    local_only: bool,
    /// Signs in with the provider `command_line`, so no password is kept.
    elsewhere: bool,
    no_row: bool,
}

const USERS: Traits =
    Traits { group: "system-users", owner: false, inactive: false, local_only: false, elsewhere: false, no_row: false };
const ADMINS: Traits = Traits { group: "system-admin", ..USERS };

impl Seeds {
    fn new(target: &Target) -> Seeds {
        let age = AGES.into_iter().find(|age| age.version == target.version).unwrap_or(AGES[0]);
        Seeds { age, people: vec![], users: vec![], credentials: vec![], tokens: vec![], rows: vec![] }
    }

    fn story(&mut self, story: Story) -> Result<()> {
        self.system_user();
        let admin = match story {
            Story::NoAdmin => Traits { inactive: true, ..ADMINS },
            _ => Traits { owner: true, ..ADMINS },
        };
        self.person("admin", "admin", Some("admin-pass-1"), "2b", admin)?;
        self.tokens("admin", 2, 1, 1);
        self.person("bob", "bob", Some("bob-pass-1"), "2b", USERS)?;
        self.tokens("bob", 2, 1, 1);
        self.person("john", "John", Some("john-pass-1"), "2b", USERS)?;
        self.tokens("john", 1, 0, 0);
        self.person("maria", "maria", Some("maria-pass-1"), "2a", USERS)?;
        self.person("maria-sso", "maria", None, "", Traits { elsewhere: true, ..USERS })?;
        self.person("nora", "nora", None, "", Traits { no_row: true, ..USERS })?;
        self.person("juergen", "jürgen", Some("Pässwörd mit ß"), "2b", USERS)?;
        self.person("yuri", "yuri", Some("yuri-pass-1"), "2y", USERS)?;
        self.person("long", "quincy", Some(&"q".repeat(80)), "2b", USERS)?;
        self.person("dora", "dora", Some("dora-pass-1"), "2b", Traits { inactive: true, ..USERS })?;
        self.person("lola", "lola", Some("lola-pass-1"), "2b", Traits { local_only: true, ..USERS })?;
        self.person("tina", "tina", Some("tina-pass-1"), "2b", USERS)?;
        self.tokens("tina", 1, 0, 0);
        self.person("ursel", "ursel", None, "", USERS)?;
        self.rows.push(object([("username", "ursel".into()), ("password", BASE64.encode("not a hash").into())]));
        if story == Story::Collision {
            self.person("Jane", "Jane", Some("JaneUpper!1"), "2b", USERS)?;
            self.person("jane", "jane", Some("janeLower!1"), "2b", USERS)?;
        }
        Ok(())
    }

    fn system_user(&mut self) {
        let id = uuid("content");
        let user = self.user(&id, "Home Assistant Content", &Traits { group: "system-read-only", ..USERS }, true);
        self.users.push(user);
        let token = self.token(&id, "content", "system", None, None);
        self.tokens.push(token);
    }

    fn user(&self, id: &str, name: &str, traits: &Traits, system: bool) -> Json {
        let mut user = object([
            ("id", id.into()),
            ("group_ids", vec![Json::from(traits.group)].into()),
            ("is_owner", traits.owner.into()),
            ("is_active", (!traits.inactive).into()),
            ("name", name.into()),
            ("system_generated", system.into()),
        ]);
        if self.age.modern || traits.local_only {
            user = user.with("local_only", traits.local_only);
        }
        user
    }

    fn person(
        &mut self,
        who: &'static str,
        name: &str,
        password: Option<&str>,
        prefix: &str,
        traits: Traits,
    ) -> Result<()> {
        let id = uuid(who);
        let provider = if traits.elsewhere { "command_line" } else { "homeassistant" };
        self.users.push(self.user(&id, &format!("The {name}"), &traits, false));
        self.credentials.push(object([
            ("id", uuid(&format!("credential {who}")).into()),
            ("user_id", id.clone().into()),
            ("auth_provider_type", provider.into()),
            ("auth_provider_id", raw("null")),
            ("data", object([("username", name.into())])),
        ]));
        if let (Some(password), false) = (password, traits.no_row) {
            let hash = BASE64.encode(crypt::hash(password, prefix)?);
            self.rows.push(object([("username", name.into()), ("password", hash.into())]));
        }
        self.people.push(Person {
            who,
            id,
            name: name.to_owned(),
            password: password.map(str::to_owned),
            provider: provider.to_owned(),
            admin: traits.owner || traits.group == "system-admin" && !traits.inactive,
            ..Person::default()
        });
        Ok(())
    }

    fn tokens(&mut self, who: &'static str, live: usize, ended: usize, long_lived: usize) {
        let id = uuid(who);
        // Before there was an end date, a sign-in never ended by itself.
        let ended = if self.age.expire_at { ended } else { 0 };
        for place in 0..live + ended {
            let end = if place < live { FUTURE } else { PAST };
            let token = self.token(&id, &format!("{who} {place}"), "normal", Some("http://ha.local/"), Some(end));
            self.tokens.push(token);
        }
        for place in 0..long_lived {
            let words = format!("{who} long {place}");
            let token = self.token(&id, &words, "long_lived_access_token", None, None);
            self.tokens.push(token);
        }
        let person = self.people.iter_mut().find(|person| person.who == who);
        person.into_iter().for_each(|person| {
            (person.sessions, person.ended, person.tokens) = (live + ended, ended, long_lived);
        });
    }

    fn token(&self, user: &str, words: &str, kind: &str, client: Option<&str>, end: Option<i64>) -> Json {
        let name = (kind == "long_lived_access_token").then_some(words);
        // Second ones of a kind have lain unused for months.
        let [made, used] = match words.ends_with(" 1") {
            true => ["2026-05-02T10:00:00.123456+00:00", "2026-06-02T11:00:00.654321+00:00"],
            false => ["2026-11-20T10:00:00.123456+00:00", "2026-11-20T11:00:00.654321+00:00"],
        };
        let mut token = object([
            ("id", uuid(&format!("token {words}")).into()),
            ("user_id", user.into()),
            ("client_id", client.into()),
            ("client_name", name.into()),
            ("client_icon", raw("null")),
            ("token_type", kind.into()),
            ("created_at", made.into()),
            ("access_token_expiration", raw(if name.is_some() { "315360000.0" } else { "1800.0" })),
            ("token", made_up(&format!("token {words}"), 128).into()),
            ("jwt_key", made_up(&format!("jwt {words}"), 128).into()),
            ("last_used_at", used.into()),
            ("last_used_ip", "192.168.1.20".into()),
        ]);
        if self.age.expire_at {
            let end = end.map(|millis| raw(format!("{}.25", millis / 1000)));
            token = token.with("expire_at", end);
        }
        if self.age.modern {
            token = token.with("credential_id", raw("null")).with("version", "2024.3.3");
        }
        token
    }

    fn write(self, ha: &HomeAssistant) -> Result<()> {
        let age = self.age;
        std::fs::create_dir_all(ha.storage())?;
        std::fs::write(ha.directory.join(".HA_VERSION"), format!("{}.0", age.version))?;
        std::fs::write(ha.directory.join("configuration.yaml"), "homeassistant:\n  name: Home\ndefault_config:\n")?;
        if age.run_lock {
            let lock = format!(r#"{{"pid": 1, "version": 1, "ha_version": "{}.0", "start_ts": 1.5}}"#, age.version);
            std::fs::write(ha.directory.join(".ha_run.lock"), lock)?;
        }
        let group = |id: &str, name: &str| object([("id", id.into()), ("name", name.into())]);
        let groups = vec![
            group("system-admin", "Administrators"),
            group("system-users", "Users"),
            group("system-read-only", "Read Only"),
        ];
        let people = ["admin", "bob"].map(person_entry);
        let auth = object([
            ("users", self.users.into()),
            ("groups", groups.into()),
            ("credentials", self.credentials.into()),
            ("refresh_tokens", self.tokens.into()),
        ]);
        let done = ["user", "core_config", "analytics", "integration"].map(Json::from).to_vec();
        let totp = Json::Map(vec![(uuid("tina"), "75UE5IZQZ45NHBXUH5WWFOEIIV7TVVPM".into())]);
        ha.write("auth", age.auth_version, 0o600, age, auth)?;
        ha.write("auth_provider.homeassistant", 1, 0o600, age, object([("users", self.rows.into())]))?;
        ha.write("auth_module.totp", 1, 0o600, age, object([("users", totp)]))?;
        ha.write("onboarding", 4, 0o600, age, object([("done", done.into())]))?;
        ha.write("person", 2, 0o644, age, object([("items", people.to_vec().into())]))?;
        ha.write("http.auth", 1, 0o644, age, object([("content_user", uuid("content").into())]))
    }
}

fn person_entry(who: &str) -> Json {
    object([("id", who.into()), ("name", format!("The {who}").into()), ("user_id", uuid(who).into())])
        .with("device_trackers", vec![])
}

/// An id of the shape Home Assistant makes: 32 lower-case hex digits.
fn uuid(words: &str) -> String {
    made_up(words, 32)
}

/// The people in the genuine directories, as their README names them.
const GENUINE: [(&str, &str, &str, bool); 9] = [
    ("admin", "owner", "owner-pass-1", true),
    ("adam", "adam", "adam-pass-1", true),
    ("bob", "nora", "nora-pass-1", false),
    ("rita", "rita", "rita-pass-1", false),
    ("dora", "ivan", "ivan-pass-1", false),
    ("lola", "lola", "lola-pass-1", false),
    ("tina", "tina", "tina-pass-1", true),
    ("mia", "mia", "mia-pass-1", false),
    ("long", "quincy", "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü-tail-1", false),
];

fn open_genuine(store: &Path, directory: &Path) -> Result<Box<dyn Instance>> {
    copy_directory(store, directory)?;
    let mut ha = HomeAssistant { directory: directory.to_owned(), people: vec![] };
    let dump = ha.dump()?;
    for (who, name, password, admin) in GENUINE {
        let credential = dump
            .rows("auth#/data/credentials")
            .iter()
            .find(|row| row.get("/data/username").map(String::as_str) == Some(&format!("\"{name}\"")));
        let Some(credential) = credential else { continue };
        let person = Person {
            who,
            id: credential["/user_id"].trim_matches('"').to_owned(),
            name: name.to_owned(),
            password: Some(password.to_owned()),
            provider: "homeassistant".to_owned(),
            admin,
            ..Person::default()
        };
        let (sessions, tokens) = (ha.count(&dump, &person, Role::Session), ha.count(&dump, &person, Role::Token));
        ha.people.push(Person { sessions, tokens, ..person });
    }
    Ok(Box::new(ha))
}

/// Copies a config directory so that it can be written, with the modes the app gives its files.
pub(crate) fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for name in names_in(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        if source.is_dir() {
            copy_directory(&source, &target)?;
        } else {
            super::copy_file(&source, &target)?;
            let private = name.starts_with("auth") || name == "onboarding";
            std::fs::set_permissions(&target, PermissionsExt::from_mode(if private { 0o600 } else { 0o644 }))?;
        }
    }
    Ok(())
}

impl HomeAssistant {
    fn storage(&self) -> PathBuf {
        self.directory.join(".storage")
    }

    fn write(&self, name: &str, version: u32, mode: u32, age: Age, data: Json) -> Result<()> {
        let mut envelope = object([("version", raw(version.to_string()))]);
        if age.modern {
            envelope = envelope.with("minor_version", raw("1"));
        }
        let path = self.storage().join(name);
        std::fs::write(&path, envelope.with("key", name).with("data", data).write(age.style))?;
        Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?)
    }
}

impl Instance for HomeAssistant {
    fn location(&self) -> Result<String> {
        Ok(format!("home-assistant:{}", self.directory.display()))
    }

    fn people(&self) -> &[Person] {
        &self.people
    }

    /// Asks Home Assistant itself. Only `make check`, on a machine without it, falls back on its rules restated here.
    fn sign_in(&self, logins: &[(&str, &str)]) -> Result<Vec<bool>> {
        let own = self.by_the_rules(logins)?;
        if embedded_only() && !oracle_python().is_file() {
            return Ok(own);
        }
        let real = ask_home_assistant(&self.directory, logins)?;
        if real != own {
            return Err(format!("the restated rules say {own:?} of {logins:?}, Home Assistant says {real:?}").into());
        }
        Ok(real)
    }

    fn dump(&self) -> Result<Dump> {
        let mut dump = Dump::default();
        for (path, bytes) in self.documents()? {
            let meta = std::fs::metadata(self.directory.join(&path))?;
            let about =
                [("path", path.clone()), ("mode", format!("{:o}", meta.mode())), ("uid", meta.uid().to_string())];
            dump.add("files", about.map(|(name, value)| (name.to_owned(), value)).into());
            match serde_json::from_slice(&bytes) {
                Ok(json) if path.starts_with(".storage/") => {
                    flatten(&mut dump, path.trim_start_matches(".storage/"), json)
                }
                _ if path == BANS => entries(&mut dump, &String::from_utf8_lossy(&bytes)),
                _ => dump.add(&path, [("text".to_owned(), String::from_utf8_lossy(&bytes).into_owned())].into()),
            }
        }
        Ok(dump)
    }

    fn documents(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeMap::new();
        for folder in ["", ".storage/"] {
            for name in names_in(&self.directory.join(folder))? {
                let path = self.directory.join(folder).join(&name);
                if path.is_file() {
                    found.insert(format!("{folder}{name}"), std::fs::read(path)?);
                }
            }
        }
        Ok(found)
    }

    fn keys(&self, collection: &str) -> &'static [&'static [&'static str]] {
        match collection {
            // Either may change, but hardly both at once.
            "auth_provider.homeassistant#/data/users" => &[&["/username"], &["/password"]],
            "auth_module.totp#/data/users" | "auth_module.notify#/data/users" | "ip_bans#" => &[&["@key"]],
            "files" => &[&["path"]],
            _ => &[&["/id"]],
        }
    }

    fn role(&self, difference: &Difference) -> Role {
        match difference.collection.as_str() {
            "auth#/data/users" | "auth#/data/credentials" | "auth_provider.homeassistant#/data/users" => Role::Account,
            "auth#/data/refresh_tokens" => match difference.field("/token_type") {
                Some("\"normal\"") => Role::Session,
                Some("\"long_lived_access_token\"") => Role::Token,
                _ => Role::Other,
            },
            "auth_module.totp#/data/users" | "auth_module.notify#/data/users" => Role::Mfa,
            _ => Role::Other,
        }
    }

    fn belongs(&self, difference: &Difference, person: &Person) -> bool {
        let (field, value) = match difference.collection.as_str() {
            "auth#/data/users" => ("/id", format!("\"{}\"", person.id)),
            "auth_provider.homeassistant#/data/users" => ("/username", format!("\"{}\"", person.name)),
            "auth_module.totp#/data/users" | "auth_module.notify#/data/users" => ("@key", person.id.clone()),
            _ => ("/user_id", format!("\"{}\"", person.id)),
        };
        difference.field(field) == Some(&value)
    }

    fn volatile(&self, _: &str) -> &'static [&'static str] {
        &[]
    }

    fn totp_secret(&self, person: &Person) -> Result<Option<String>> {
        let dump = self.dump()?;
        let own = dump.rows("auth_module.totp#/data/users").iter().find(|row| row["@key"] == person.id);
        Ok(own.map(|row| row["@value"].trim_matches('"').to_owned()))
    }

    /// As Home Assistant itself appends them.
    fn refuse(&self, addresses: &[&str]) -> Result<()> {
        let entry = |address: &&str| format!("\n{address}:\n  banned_at: '2026-11-21T02:05:10.123456+00:00'\n");
        Ok(std::fs::write(self.directory.join(BANS), addresses.iter().map(entry).collect::<String>())?)
    }

    fn refused(&self) -> Result<Vec<String>> {
        let text = std::fs::read_to_string(self.directory.join(BANS)).unwrap_or_default();
        let keys = text.lines().filter(|line| !line.is_empty() && !line.starts_with(' '));
        let mut refused: Vec<String> =
            keys.map(|line| line.trim_end_matches(':').trim_matches('\'').to_owned()).collect();
        refused.sort();
        Ok(refused)
    }

    fn is_admin(&self, person: &Person) -> Result<bool> {
        let dump = self.dump()?;
        let id = format!("\"{}\"", person.id);
        let Some(user) = dump.rows("auth#/data/users").iter().find(|row| row["/id"] == id) else { return Ok(false) };
        let active = user["/is_active"] == "true";
        Ok(user["/is_owner"] == "true" || active && user["/group_ids"].contains("\"system-admin\""))
    }
}

/// The entries of `ip_bans.yaml`, each the lines below its address.
fn entries(dump: &mut Dump, text: &str) {
    let collection = dump.0.entry("ip_bans#".to_owned()).or_default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.starts_with(' ') {
            false => collection.push([("@key".to_owned(), line.trim_end_matches(':').to_owned())].into()),
            true => collection.last_mut().into_iter().for_each(|row| _ = row.insert("".to_owned(), line.to_owned())),
        }
    }
}

/// Lists become collections of records, maps of scalars too; what is left is one record.
fn flatten(dump: &mut Dump, name: &str, json: serde_json::Value) {
    let mut rest = Row::new();
    let serde_json::Value::Object(envelope) = json else { return };
    for (key, value) in envelope {
        let (serde_json::Value::Object(data), "data") = (&value, key.as_str()) else {
            rest.insert(format!("/{key}"), value.to_string());
            continue;
        };
        for (key, value) in data {
            let collection = format!("{name}#/data/{key}");
            match value {
                serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_object) => {
                    // An empty list is not an absent one.
                    dump.0.entry(collection.clone()).or_default();
                    items.iter().for_each(|item| dump.add(&collection, fields(item)));
                }
                serde_json::Value::Object(entries) => {
                    dump.0.entry(collection.clone()).or_default();
                    for (key, value) in entries {
                        let row = [("@key", key.clone()), ("@value", value.to_string())];
                        dump.add(&collection, row.map(|(name, value)| (name.to_owned(), value)).into());
                    }
                }
                other => drop(rest.insert(format!("/data/{key}"), other.to_string())),
            }
        }
    }
    dump.add(&format!("{name}#"), rest);
}

/// The fields of an object by JSON pointer.
fn fields(item: &serde_json::Value) -> Row {
    let mut row = Row::new();
    let mut todo = vec![(String::new(), item)];
    while let Some((pointer, value)) = todo.pop() {
        match value {
            serde_json::Value::Object(inner) => {
                todo.extend(inner.iter().map(|(key, value)| (format!("{pointer}/{key}"), value)));
            }
            other => drop(row.insert(pointer, other.to_string())),
        }
    }
    row
}

/// Home Assistant's rules, restated: the last password entry with the name decides, then the first credential with it.
impl HomeAssistant {
    fn by_the_rules(&self, logins: &[(&str, &str)]) -> Result<Vec<bool>> {
        let dump = self.dump()?;
        let text = |row: &Row, field: &str| -> String {
            row.get(field).and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default()
        };
        let entries: Vec<(String, String)> = dump
            .rows("auth_provider.homeassistant#/data/users")
            .iter()
            .map(|row| (text(row, "/username"), text(row, "/password")))
            .collect();
        let exact = !self.ignores_legacy_names()? && is_legacy(&entries);
        let fold = |name: &str| if exact { name.to_owned() } else { normalised(name) };
        let credentials = dump.rows("auth#/data/credentials");
        let mut answers = Vec::new();
        for (name, password) in logins {
            let name = fold(name);
            let entry = entries.iter().rev().find(|(username, _)| fold(username) == name);
            let hash = entry.and_then(|(_, password)| String::from_utf8(BASE64.decode(password).ok()?).ok());
            let matches = hash.map_or(Ok(false), |hash| crypt::verify(password, &hash))?;
            let credential = credentials.iter().find(|row| {
                text(row, "/auth_provider_type") == "homeassistant" && fold(&text(row, "/data/username")) == name
            });
            let id = credential.map(|row| text(row, "/user_id"));
            let user = dump.rows("auth#/data/users").iter().find(|row| Some(text(row, "/id")) == id);
            let active = user.is_none_or(|row| row.get("/is_active").is_none_or(|active| active == "true"));
            answers.push(matches && active);
        }
        Ok(answers)
    }

    /// Releases from 2026.10 compare names folded whatever is stored.
    fn ignores_legacy_names(&self) -> Result<bool> {
        let version = std::fs::read_to_string(self.directory.join(".HA_VERSION"))?;
        Ok(crate::schema::order(version.trim()) >= vec![2026, 10])
    }
}

/// Names that fold to the same or have outer blanks make every comparison an exact one.
fn is_legacy(entries: &[(String, String)]) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    entries.iter().any(|(name, _)| !seen.insert(normalised(name)) || name.trim() != name)
}

/// Python's `strip().casefold()`, as far as the story's names go: lower case, and `ß` as `ss`.
fn normalised(name: &str) -> String {
    name.trim().to_lowercase().replace('ß', "ss")
}

/// The Python that has Home Assistant.
pub(crate) fn oracle_python() -> PathBuf {
    let venv = std::env::var_os("LATCHLIFT_HA_VENV").map(PathBuf::from);
    venv.unwrap_or_else(|| workspace().join("target/ha-venv")).join("bin/python")
}

/// Asks the one Python that has Home Assistant loaded; it ends when its input does, which is when this process ends.
fn ask_home_assistant(directory: &Path, logins: &[(&str, &str)]) -> Result<Vec<bool>> {
    static PYTHON: OnceLock<Mutex<Option<Child>>> = OnceLock::new();
    let mut python = PYTHON.get_or_init(Mutex::default).lock().map_err(|_| "a test died while asking")?;
    if python.is_none() {
        let started = Command::new(oracle_python())
            .arg(workspace().join("tests/oracle/ha_login.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        *python = Some(started.map_err(|why| format!("no Home Assistant to ask ({why}); `make setup` installs it"))?);
    }
    let child = python.as_mut().ok_or("no Python")?;
    let request = serde_json::json!({ "dir": directory, "logins": logins });
    writeln!(child.stdin.as_mut().ok_or("Python without input")?, "{request}")?;
    let mut line = String::new();
    // One answer to each question, so the reader never takes more than this line.
    BufReader::new(child.stdout.as_mut().ok_or("Python without output")?).read_line(&mut line)?;
    let answer: serde_json::Value = serde_json::from_str(&line)?;
    let Some(answers) = answer["logins"].as_array() else {
        return Err(format!("Home Assistant cannot open {}: {}", directory.display(), answer["error"]).into());
    };
    Ok(answers.iter().map(|answer| answer["in"] == true).collect())
}
