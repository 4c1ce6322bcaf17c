//! Homarr: the schema of each release, people, and its login.

use super::{FUTURE, Instance, PAST, Person, Role, Story, Target, made_up, names_in, sql_time};
use crate::db::{Cell, Database, Dialect};
use crate::dump::{Difference, Dump};
use crate::{Result, crypt, schema};
use std::collections::BTreeMap;
use std::path::Path;

const SCHEMA: &str = include_str!("../../fixtures/homarr.sql");
const BETA: &str = include_str!("../../fixtures/homarr-beta.sql");

/// How many migrations have run, and when the newest was made.
type Migrations = (u32, i64);
/// Per release its migrations on SQLite, MySQL and PostgreSQL.
const RELEASES: [(&str, [Option<Migrations>; 3]); 5] = [
    ("1.0.0", [Some((21, 1_736_510_755_691)), Some((21, 1_736_514_409_126)), None]),
    ("1.7.0", [Some((28, 1_739_915_486_467)), Some((28, 1_739_915_526_818)), None]),
    ("1.43.0", [Some((35, 1_760_968_503_571)), Some((37, 1_760_968_518_445)), Some((3, 1_760_968_530_084))]),
    ("1.59.0", [Some((36, 1_775_399_918_831)), Some((38, 1_775_399_941_430)), Some((4, 1_775_399_963_041))]),
    ("1.74.0", [Some((42, 1_783_786_658_943)), Some((44, 1_783_852_800_000)), Some((10, 1_783_786_677_702))]),
];
/// PostgreSQL came with this release.
const FIRST_POSTGRES: (&str, Migrations) = ("1.35.0", (1, 1_754_853_510_707));
/// Homarr names no character set, so its tables have the database's.
const COLLATIONS: [(&str, &str); 3] =
    [("utf8mb4", "utf8mb4_general_ci"), ("latin1", "latin1_swedish_ci"), ("utf8mb4", "utf8mb4_unicode_ci")];

/// Every release with another layout of the account tables, on every database it knows.
pub fn targets() -> Vec<Target> {
    let target = |version: &str, dialect: Dialect, collation: &str| Target {
        app: "homarr",
        version: version.to_owned(),
        store: dialect.word(),
        variant: collation.to_owned(),
        known: version != "0.15.0",
        genuine: None,
    };
    let mut all = vec![target("0.15.0", Dialect::Sqlite, "")];
    for (place, (version, [_, _, postgres])) in RELEASES.iter().enumerate() {
        all.push(target(version, Dialect::Sqlite, ""));
        all.push(target(version, Dialect::MySql, COLLATIONS[place % COLLATIONS.len()].1));
        all.extend(postgres.map(|_| target(version, Dialect::Postgres, "")));
    }
    all.push(target(FIRST_POSTGRES.0, Dialect::Postgres, ""));
    all
}

/// The genuine stores in a folder: `v1.74.0.sqlite`, `v1.74.0-mysql.sql`.
///
/// # Errors
/// The folder cannot be read.
pub fn genuine(folder: &Path) -> Result<Vec<Target>> {
    let targets = names_in(folder)?.into_iter().filter_map(|name| {
        let (stem, ending) = name.strip_prefix('v')?.rsplit_once('.')?;
        let (version, store) = match (stem.rsplit_once('-'), ending) {
            (None, "sqlite") => (stem, "sqlite"),
            (Some((version, "mysql")), "sql") => (version, "mysql"),
            (Some((version, "postgresql")), "sql") => (version, "postgres"),
            _ => return None,
        };
        Some(Target {
            app: "homarr",
            version: version.to_owned(),
            store,
            variant: "genuine".to_owned(),
            known: true,
            genuine: Some(folder.join(&name)),
        })
    });
    Ok(targets.collect())
}

struct Homarr {
    database: Database,
    people: Vec<Person>,
}

/// Makes a Homarr database and fills it.
///
/// # Errors
/// A server cannot be had, or refuses what it is given.
pub fn seed(target: &Target, story: Story, directory: &Path) -> Result<Box<dyn Instance>> {
    let file = directory.join("homarr/db/db.sqlite");
    std::fs::create_dir_all(directory.join("homarr/db"))?;
    if let Some(store) = &target.genuine {
        return open_genuine(target, story, store, &file);
    }
    let database = match target.store {
        "sqlite" => Database::sqlite(file),
        "mysql" => {
            let (charset, collation) = collation(&target.variant);
            Database::mysql(charset, collation, target.version == "1.7.0")?
        }
        _ => Database::postgres()?,
    };
    let dialect = database.dialect;
    let template = if target.known { SCHEMA } else { BETA };
    database.script(&schema::render(template, dialect, &target.version, types(dialect)))?;
    let mut homarr = Homarr { database, people: vec![] };
    if target.known {
        let mut seeds = Seeds::new(dialect, &target.version);
        seeds.story(story)?;
        homarr.database.script(&seeds.sql)?;
        homarr.people = seeds.people;
    }
    Ok(Box::new(homarr))
}

/// Who is in a story.
pub fn cast(target: &Target, story: Story) -> Vec<&'static str> {
    let mut seeds = Seeds::new(Dialect::Sqlite, &target.version);
    // Whatever keeps the story from being told keeps every case from running, and is said there.
    let _ = if target.genuine.is_some() { seeds.complete(story) } else { seeds.story(story) };
    let genuine = GENUINE.iter().filter(|(who, ..)| story == Story::Collision || !JANES.contains(who));
    let genuine = genuine.map(|(who, ..)| *who).filter(|_| target.genuine.is_some());
    seeds.people.iter().map(|person| person.who).chain(genuine).collect()
}

fn collation(name: &str) -> (&'static str, &'static str) {
    COLLATIONS.into_iter().find(|(_, collation)| *collation == name).unwrap_or(COLLATIONS[0])
}

fn types(dialect: Dialect) -> &'static [(&'static str, &'static str)] {
    match dialect {
        Dialect::Sqlite => &[
            ("id", "text"),
            ("text", "text"),
            ("blob", "blob"),
            ("short", "text"),
            ("token", "text"),
            ("scheme", "text"),
            ("bool", "integer"),
            ("true", "true"),
            ("false", "false"),
            ("small", "integer"),
            ("int", "integer"),
            ("time_null", "integer"),
            ("time", "integer"),
        ],
        Dialect::MySql => &[
            ("id", "varchar(64)"),
            ("text", "text"),
            ("blob", "longblob"),
            ("short", "varchar(64)"),
            ("token", "varchar(512)"),
            ("scheme", "varchar(5)"),
            ("bool", "boolean"),
            ("true", "true"),
            ("false", "false"),
            ("small", "smallint"),
            ("int", "int"),
            ("time_null", "timestamp NULL"),
            ("time", "timestamp"),
        ],
        Dialect::Postgres => &[
            ("id", "varchar(64)"),
            ("text", "text"),
            ("blob", "bytea"),
            ("short", "varchar(64)"),
            ("token", "varchar(512)"),
            ("scheme", "varchar(5)"),
            ("bool", "boolean"),
            ("true", "true"),
            ("false", "false"),
            ("small", "smallint"),
            ("int", "integer"),
            ("time_null", "timestamp"),
            ("time", "timestamp"),
        ],
    }
}

/// The statements that fill a database, as they are collected.
struct Seeds<'a> {
    dialect: Dialect,
    version: &'a str,
    sql: String,
    people: Vec<Person>,
    /// The groups of a genuine store by name; ours have ids made of their names.
    groups: BTreeMap<String, String>,
}

impl Seeds<'_> {
    fn new(dialect: Dialect, version: &str) -> Seeds<'_> {
        Seeds { dialect, version, sql: String::new(), people: vec![], groups: BTreeMap::new() }
    }

    fn story(&mut self, story: Story) -> Result<()> {
        self.neighbours();
        for (place, group) in ["everyone", "credentials-admin", "homarr-admins", "family"].iter().enumerate() {
            self.group(group, place as i64);
        }
        let usable_admin = story != Story::NoAdmin;
        self.person("admin", "admin", "credentials", Some("Adm1n!Passw0rd"), "2b", usable_admin)?;
        self.sessions("admin", 2, 1);
        self.api_key("admin")?;
        self.bob()?;
        // Where names are compared without regard to letter case, John does get in.
        let locked_out = self.dialect != Dialect::MySql;
        self.person("john", "John", "credentials", Some("John!secret1"), "2b", !usable_admin && locked_out)?;
        self.sessions("john", 1, 0);
        self.person("maria", "maria", "credentials", Some("Maria!secret1"), "2a", false)?;
        self.person("maria-sso", "maria", "oidc", None, "", false)?;
        self.sessions("maria-sso", 1, 0);
        self.person("olga", "olga", "oidc", None, "", true)?;
        self.person("leo", "leo", "ldap", None, "", false)?;
        self.odd_passwords(usable_admin)?;
        if story == Story::Collision {
            self.person("Jane", "Jane", "credentials", Some("JaneUpper!1"), "2b", false)?;
            self.person("jane", "jane", "credentials", Some("janeLower!1"), "2b", false)?;
        }
        self.permissions();
        self.belongings_of_bob();
        self.migrations();
        Ok(())
    }

    /// What the story has and a genuine store lacks, in the rows Homarr itself would make.
    fn complete(&mut self, story: Story) -> Result<()> {
        self.bob()?;
        self.odd_passwords(story != Story::NoAdmin)?;
        let integration = [("id", Cell::Text(cuid("pihole"))), ("name", "Pi-hole".into()), ("url", "http://pi".into())];
        self.insert("integration", &[&integration[..], &[("kind", "piHole".into())]].concat());
        self.belongings_of_bob();
        Ok(())
    }

    fn bob(&mut self) -> Result<()> {
        self.person("bob", "bob", "credentials", Some("Bob!secret1"), "2b", false)?;
        self.sessions("bob", 2, 1);
        self.api_key("bob")
    }

    /// People whom something about their password tells from others.
    fn odd_passwords(&mut self, usable_admin: bool) -> Result<()> {
        self.person("nora", "nora", "credentials", None, "", !usable_admin)?;
        self.person("juergen", "jürgen", "credentials", Some("Pässwörd mit ß"), "2b", false)?;
        self.person("yuri", "yuri", "credentials", Some("Yuri!secret1"), "2y", false)?;
        self.person("long", "quincy", "credentials", Some(&"q".repeat(80)), "2b", false)?;
        self.person("ursel", "ursel", "credentials", None, "", false)?;
        self.unreadable("ursel");
        Ok(())
    }

    fn group_id(&self, name: &str) -> String {
        self.groups.get(name).cloned().unwrap_or_else(|| cuid(name))
    }

    fn insert(&mut self, table: &str, cells: &[(&str, Cell)]) {
        self.sql += &self.dialect.insert(table, cells);
    }

    fn since(&self, version: &str) -> bool {
        schema::order(self.version) >= schema::order(version)
    }

    fn neighbours(&mut self) {
        let id = |words: &str| Cell::Text(cuid(words));
        self.insert("search_engine", &[("id", id("engine")), ("name", "Docs".into()), ("short", "d".into())]);
        let integration = [("id", id("pihole")), ("name", "Pi-hole".into()), ("url", "http://pi".into())];
        self.insert("integration", &[&integration[..], &[("kind", "piHole".into())]].concat());
        self.insert(
            "onboarding",
            &[("id", id("onboarding")), ("step", "finish".into()), ("previous_step", "settings".into())],
        );
        self.insert("serverSetting", &[("setting_key", "board".into()), ("value", r#"{"json": {"a\\b": 1}}"#.into())]);
    }

    fn group(&mut self, name: &str, place: i64) {
        let mut cells = vec![("id", Cell::Text(cuid(name))), ("name", name.into())];
        if self.since("1.7.0") {
            cells.push(("position", Cell::Int(if name == "everyone" { -1 } else { place })));
        }
        self.insert("group", &cells);
    }

    fn person(
        &mut self,
        who: &'static str,
        name: &str,
        provider: &str,
        password: Option<&str>,
        prefix: &str,
        admin: bool,
    ) -> Result<()> {
        let id = cuid(who);
        let hash = password.map(|password| crypt::hash(password, prefix)).transpose()?;
        let mut cells = vec![
            ("id", id.clone().into()),
            ("name", name.into()),
            ("email", Cell::from((who != "nora").then(|| format!("{who}@example.org")))),
            ("password", hash.clone().into()),
            ("provider", provider.into()),
        ];
        if self.groups.is_empty() {
            cells.push(("default_search_engine_id", cuid("engine").into()));
        }
        if !self.since("1.59.0") {
            cells.push(("salt", hash.map(|hash| hash[..29].to_owned()).into()));
        }
        self.insert("user", &cells);
        if provider == "oidc" {
            let cells = [("user_id", id.clone().into()), ("type", "oidc".into()), ("provider", "oidc".into())];
            self.insert("account", &[&cells[..], &[("provider_account_id", who.into())]].concat());
        }
        let groups = ["everyone", "family", if provider == "oidc" { "homarr-admins" } else { "credentials-admin" }];
        for group in &groups[..if admin { 3 } else { 2 }] {
            self.insert("groupMember", &[("group_id", self.group_id(group).into()), ("user_id", id.clone().into())]);
        }
        let (name, provider, password) = (name.to_owned(), provider.to_owned(), password.map(str::to_owned));
        self.people.push(Person { who, id, name, provider, password, admin, ..Person::default() });
        Ok(())
    }

    fn unreadable(&mut self, who: &str) {
        let (user, hash) = (self.dialect.name("user"), self.dialect.literal(&"not a hash".into()));
        let id = self.dialect.literal(&cuid(who).into());
        self.sql += &format!("UPDATE {user} SET password = {hash} WHERE id = {id};\n");
    }

    fn sessions(&mut self, who: &str, live: usize, ended: usize) {
        for place in 0..live + ended {
            let expires = if place < live { FUTURE } else { PAST };
            let token = made_up(&format!("session {who} {place}"), 96);
            let expires = self.time(expires);
            let cells = [("session_token", token.into()), ("user_id", cuid(who).into()), ("expires", expires)];
            self.insert("session", &cells);
        }
        let person = self.people.iter_mut().find(|person| person.who == who);
        person.into_iter().for_each(|person| (person.sessions, person.ended) = (live + ended, ended));
    }

    fn api_key(&mut self, who: &str) -> Result<()> {
        let hash = crypt::hash(&made_up(who, 48), "2b")?;
        let mut cells = vec![("id", Cell::Text(made_up(&format!("key {who}"), 8))), ("user_id", cuid(who).into())];
        if !self.since("1.59.0") {
            cells.push(("salt", hash[..29].into()));
        }
        cells.push(("api_key", hash.into()));
        self.insert("apiKey", &cells);
        self.people.iter_mut().filter(|person| person.who == who).for_each(|person| person.tokens = 1);
        Ok(())
    }

    fn permissions(&mut self) {
        for (group, permission) in
            [("credentials-admin", "admin"), ("homarr-admins", "admin"), ("family", "board-view-all")]
        {
            let cells = [("group_id", cuid(group).into()), ("permission", permission.into())];
            self.insert("groupPermission", &cells);
        }
    }

    /// One of everything that refers to an account.
    fn belongings_of_bob(&mut self) {
        let (bob, board) = (Cell::Text(cuid("bob")), Cell::Text(cuid("board")));
        self.insert("board", &[("id", board.clone()), ("name", "bobs".into()), ("creator_id", bob.clone())]);
        let permission = ("permission", Cell::from("modify"));
        let cells = [("board_id", board.clone()), ("user_id", bob.clone()), permission.clone()];
        self.insert("boardUserPermission", &cells);
        let integration = ("integration_id", Cell::Text(cuid("pihole")));
        self.insert("integrationUserPermission", &[integration, ("user_id", bob.clone()), permission]);
        let media = [("id", Cell::Text(cuid("media"))), ("name", "logo.png".into()), ("creator_id", bob.clone())];
        let content = [("content", "png".into()), ("content_type", "image/png".into()), ("size", Cell::Int(3))];
        self.insert("media", &[&media[..], &content[..]].concat());
        for (words, expires) in [("invite", FUTURE), ("old invite", PAST)] {
            let (token, expires) = (made_up(words, 40), self.invite_time(expires));
            let cells = [("id", cuid(words).into()), ("token", token.into()), ("creator_id", bob.clone())];
            self.insert("invite", &[&cells[..], &[("expiration_date", expires)]].concat());
        }
        let link = [("user_id", bob.clone()), ("type", "oidc".into()), ("provider", "oidc".into())];
        let sub = [("provider_account_id", Cell::from("bob")), ("access_token", "at-bob".into())];
        self.insert("account", &[&link[..], &sub[..]].concat());
        if self.since("1.43.0") {
            let section = Cell::Text(cuid("section"));
            self.insert("section", &[("id", section.clone()), ("board_id", board), ("kind", "category".into())]);
            self.insert("section_collapse_state", &[("user_id", bob.clone()), ("section_id", section)]);
        }
        if self.since("1.74.0") {
            let widget = [("id", Cell::Text(cuid("widget"))), ("name", "Weather".into()), ("url", "http://w".into())];
            self.insert("custom_widget_definition", &[&widget[..], &[("creator_id", bob)]].concat());
        }
        let (group, owner) = (self.dialect.name("group"), self.dialect.literal(&cuid("bob").into()));
        let family = self.dialect.literal(&self.group_id("family").into());
        self.sql += &format!("UPDATE {group} SET owner_id = {owner} WHERE id = {family};\n");
    }

    /// Sessions count milliseconds in SQLite.
    fn time(&self, millis: i64) -> Cell {
        if self.dialect == Dialect::Sqlite { millis.into() } else { sql_time(millis).into() }
    }

    /// Invites count seconds.
    fn invite_time(&self, millis: i64) -> Cell {
        if self.dialect == Dialect::Sqlite { (millis / 1000).into() } else { sql_time(millis).into() }
    }

    fn migrations(&mut self) {
        let column = match self.dialect {
            Dialect::Sqlite => 0,
            Dialect::MySql => 1,
            Dialect::Postgres => 2,
        };
        let release = RELEASES.iter().find(|(version, _)| *version == self.version);
        let (count, newest) = release.and_then(|(_, counts)| counts[column]).unwrap_or(FIRST_POSTGRES.1);
        let table = match self.dialect {
            Dialect::Postgres => "drizzle\".\"__drizzle_migrations",
            _ => "__drizzle_migrations",
        };
        for place in 0..count {
            let at = newest - i64::from(count - 1 - place) * 86_400_000;
            self.insert(
                table,
                &[("hash", made_up(&format!("migration {place}"), 64).into()), ("created_at", at.into())],
            );
        }
    }
}

/// An id of the shape Homarr makes: 24 lower-case letters and digits, a letter first.
fn cuid(words: &str) -> String {
    format!("c{}", made_up(words, 23))
}

/// The people in the genuine stores, as their README names them.
const GENUINE: [(&str, &str, &str, Option<&str>, bool); 9] = [
    ("admin", "admin", "credentials", Some("Adm1n!Passw0rd"), true),
    ("adminuser", "AdminUser", "credentials", Some("AdminUser#2024"), true),
    ("john", "John", "credentials", Some("John!secret1"), false),
    ("maria", "maria", "credentials", Some("Maria!secret1"), false),
    ("Jane", "Jane", "credentials", Some("JaneUpper!1"), false),
    ("jane", "jane", "credentials", Some("janeLower!1"), false),
    ("olga", "alice", "oidc", None, true),
    ("maria-sso", "maria", "oidc", None, false),
    ("leo", "Carol", "ldap", None, false),
];

/// The two who share a name once it is folded.
const JANES: [&str; 2] = ["Jane", "jane"];

/// A genuine store with the story told in it: who of the story is missing is added, and the two Janes go where nobody is
/// to share a name.
fn open_genuine(target: &Target, story: Story, store: &Path, file: &Path) -> Result<Box<dyn Instance>> {
    let database = match target.store {
        "sqlite" => {
            super::copy_file(store, file)?;
            Database::sqlite(file.to_owned())
        }
        "mysql" => Database::mysql("utf8mb4", "utf8mb4_general_ci", false)?,
        _ => Database::postgres()?,
    };
    if target.store != "sqlite" {
        database.load(store)?;
    }
    let mut homarr = Homarr { database, people: vec![] };
    homarr.database.script(&homarr.completion(&target.version, story)?)?;
    for (who, name, provider, password, admin) in GENUINE {
        let admin = admin && (story != Story::NoAdmin || provider != "credentials");
        homarr.people.extend(homarr.find_genuine(who, name, provider, password, admin)?);
    }
    let mut seeds = Seeds::new(homarr.database.dialect, &target.version);
    seeds.complete(story)?;
    homarr.people.extend(seeds.people);
    Ok(Box::new(homarr))
}

impl Homarr {
    /// The statements that tell the rest of the story in a genuine store.
    fn completion(&self, version: &str, story: Story) -> Result<String> {
        let dialect = self.database.dialect;
        let mut seeds = Seeds::new(dialect, version);
        let groups = self.database.rows(&format!("SELECT name, id FROM {}", dialect.name("group")))?;
        seeds.groups = groups.into_iter().filter_map(|row| Some((row[0].clone()?, row[1].clone()?))).collect();
        let (members, user) = (dialect.name("groupMember"), dialect.name("user"));
        if story != Story::Collision {
            let everybody = self.users("id, name", "provider = 'credentials'")?;
            let janes = everybody.into_iter().filter(|row| row[1].as_deref().is_some_and(|name| JANES.contains(&name)));
            for id in janes.filter_map(|mut row| row.remove(0)) {
                let id = dialect.literal(&id.into());
                seeds.sql +=
                    &format!("DELETE FROM {members} WHERE user_id = {id};\nDELETE FROM {user} WHERE id = {id};\n");
            }
        }
        if story == Story::NoAdmin {
            let id = dialect.literal(&seeds.group_id("credentials-admin").into());
            seeds.sql += &format!("DELETE FROM {members} WHERE group_id = {id};\n");
        }
        seeds.complete(story)?;
        Ok(seeds.sql)
    }

    fn find_genuine(
        &self,
        who: &'static str,
        name: &str,
        provider: &str,
        password: Option<&str>,
        admin: bool,
    ) -> Result<Option<Person>> {
        let rows = self.users("id, name", &format!("provider = '{provider}'"))?;
        let id = rows.into_iter().find(|row| row[1].as_deref() == Some(name)).and_then(|mut row| row.remove(0));
        let Some(id) = id else { return Ok(None) };
        let person = Person {
            who,
            id,
            name: name.to_owned(),
            password: password.map(str::to_owned),
            provider: provider.to_owned(),
            admin,
            ..Person::default()
        };
        let dump = self.dump()?;
        let sessions = self.count(&dump, &person, Role::Session);
        let tokens = self.count(&dump, &person, Role::Token);
        Ok(Some(Person { sessions, tokens, ..person }))
    }

    fn users(&self, columns: &str, condition: &str) -> Result<Vec<Vec<Option<String>>>> {
        self.database.rows(&format!("SELECT {columns} FROM {} WHERE {condition}", self.database.dialect.name("user")))
    }

    /// Homarr's login: the typed name in lower case, the first row with that name and the provider `credentials`, its
    /// hash. Its bcrypt refuses `$2y$`, and the form refuses what is empty.
    fn log_in(&self, name: &str, password: &str) -> Result<bool> {
        if name.is_empty() || password.is_empty() {
            return Ok(false);
        }
        let name = self.database.dialect.literal(&name.to_lowercase().into());
        let condition = format!("name = {name} AND provider = 'credentials' LIMIT 1");
        let hash = self.users("password", &condition)?.into_iter().next().and_then(|mut row| row.remove(0));
        match hash {
            Some(hash) if !hash.starts_with("$2y$") => crypt::verify(password, &hash),
            _ => Ok(false),
        }
    }
}

impl Instance for Homarr {
    fn location(&self) -> Result<String> {
        Ok(format!("homarr:{}", self.database.location()?))
    }

    fn store_password(&self) -> Option<&str> {
        self.database.password()
    }

    fn database(&self) -> Option<&Database> {
        Some(&self.database)
    }

    fn people(&self) -> &[Person] {
        &self.people
    }

    fn sign_in(&self, logins: &[(&str, &str)]) -> Result<Vec<bool>> {
        logins.iter().map(|(name, password)| self.log_in(name, password)).collect()
    }

    fn dump(&self) -> Result<Dump> {
        self.database.dump()
    }

    fn keys(&self, collection: &str) -> &'static [&'static [&'static str]] {
        match collection {
            "session" => &[&["session_token"]],
            "groupMember" => &[&["group_id", "user_id"]],
            "groupPermission" => &[&["group_id", "permission"]],
            "account" => &[&["provider", "provider_account_id"]],
            "boardUserPermission" => &[&["board_id", "user_id", "permission"]],
            "integrationUserPermission" => &[&["integration_id", "user_id", "permission"]],
            "section_collapse_state" => &[&["user_id", "section_id"]],
            _ => &[&["id"]],
        }
    }

    fn role(&self, difference: &Difference) -> Role {
        match difference.collection.as_str() {
            "user" | "groupMember" | "groupPermission" | "group" => Role::Account,
            "session" => Role::Session,
            "apiKey" => Role::Token,
            "invite" => Role::Invite,
            _ => Role::Other,
        }
    }

    fn belongs(&self, difference: &Difference, person: &Person) -> bool {
        let field = match difference.collection.as_str() {
            "user" => "id",
            "invite" => "creator_id",
            _ => "user_id",
        };
        difference.field(field) == Some(&format!("'{}'", person.id))
    }

    fn volatile(&self, _: &str) -> &'static [&'static str] {
        &[]
    }

    fn is_admin(&self, person: &Person) -> Result<bool> {
        let quote = |name| self.database.dialect.name(name);
        let sql = format!(
            "SELECT count(*) FROM {} m JOIN {} p ON p.group_id = m.group_id \
             WHERE p.permission = 'admin' AND m.user_id = '{}'",
            quote("groupMember"),
            quote("groupPermission"),
            person.id
        );
        Ok(self.database.value(&sql)?.as_deref() != Some("0"))
    }
}
