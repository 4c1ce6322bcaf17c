//! PhotoPrism: the schema of each release, people, and its login.

use super::{FUTURE, Instance, PAST, Person, Role, Story, Target, made_up, names_in, sql_time};
use crate::db::{Cell, Database, Dialect};
use crate::dump::{Difference, Dump};
use crate::{Result, crypt, schema};
use std::path::Path;

const SCHEMA: &str = include_str!("../../fixtures/photoprism.sql");
const LEGACY: &str = include_str!("../../fixtures/photoprism-legacy.sql");

/// Releases with another layout of the account tables, and the collation their database gets: PhotoPrism names none.
/// The last one was only looked up in the text of newer releases; its number stands for all since 2025.
const RELEASES: [(&str, &str); 6] = [
    ("221118", "utf8mb4_unicode_ci"),
    ("230502", "utf8mb4_general_ci"),
    ("240420", "latin1_swedish_ci"),
    ("240711", "utf8mb4_unicode_ci"),
    ("240915", "utf8mb4_general_ci"),
    ("250707", "utf8mb4_uca1400_ai_ci"),
];
const ADMIN_UID: &str = "uskpyqo5u9hshpmz";

/// Every release with another layout of the account tables, on both databases.
pub fn targets() -> Vec<Target> {
    let target = |version: &str, dialect: Dialect, collation: &str| Target {
        app: "photoprism",
        version: version.to_owned(),
        store: dialect.word(),
        variant: collation.to_owned(),
        known: version != "220901",
        genuine: None,
    };
    let mut all = vec![target("220901", Dialect::Sqlite, ""), target("220901", Dialect::MySql, "utf8mb4_unicode_ci")];
    for (version, collation) in RELEASES {
        all.push(target(version, Dialect::Sqlite, ""));
        all.push(target(version, Dialect::MySql, collation));
    }
    all
}

/// The genuine stores in a folder: `240915-index.db`, `240915-mariadb.sql`.
///
/// # Errors
/// The folder cannot be read.
pub fn genuine(folder: &Path) -> Result<Vec<Target>> {
    let targets = names_in(folder)?.into_iter().filter_map(|name| {
        let (version, kind) = name.split_once('-')?;
        let store = match kind {
            "index.db" => "sqlite",
            "mariadb.sql" => "mysql",
            _ => return None,
        };
        Some(Target {
            app: "photoprism",
            version: version.to_owned(),
            store,
            variant: "genuine".to_owned(),
            known: schema::order(version) >= vec![221_102],
            genuine: Some(folder.join(&name)),
        })
    });
    Ok(targets.collect())
}

struct PhotoPrism {
    database: Database,
    people: Vec<Person>,
}

/// Makes a PhotoPrism database and fills it.
///
/// # Errors
/// A server cannot be had, or refuses what it is given.
pub fn seed(target: &Target, story: Story, directory: &Path) -> Result<Box<dyn Instance>> {
    let file = directory.join("photoprism/storage/index.db");
    std::fs::create_dir_all(directory.join("photoprism/storage"))?;
    if let Some(store) = &target.genuine {
        return open_genuine(target, store, &file);
    }
    let database = match target.store {
        "sqlite" => Database::sqlite(file),
        _ => {
            let charset = target.variant.split('_').next().unwrap_or_default();
            Database::mysql(charset, &target.variant, schema::order(&target.version) < vec![240_000])?
        }
    };
    let auto = match database.dialect {
        Dialect::Sqlite => "integer primary key autoincrement",
        _ => "int NOT NULL AUTO_INCREMENT PRIMARY KEY",
    };
    let template = if target.known { SCHEMA } else { LEGACY };
    database.script(&schema::render(template, database.dialect, &target.version, &[("auto", auto)]))?;
    let mut photoprism = PhotoPrism { database, people: vec![] };
    if target.known {
        let dialect = photoprism.database.dialect;
        let mut seeds = Seeds { dialect, version: &target.version, sql: String::new(), people: vec![], next: 2 };
        seeds.story(story)?;
        photoprism.database.script(&seeds.sql)?;
        photoprism.people = seeds.people;
    }
    Ok(Box::new(photoprism))
}

/// Who is in a story.
pub fn cast(target: &Target, story: Story) -> Vec<&'static str> {
    let dialect = Dialect::Sqlite;
    let mut seeds = Seeds { dialect, version: &target.version, sql: String::new(), people: vec![], next: 2 };
    // Whatever keeps the story from being told keeps every case from running, and is said there.
    let _ = seeds.story(story);
    seeds.people.iter().map(|person| person.who).collect()
}

/// What is particular about somebody.
#[derive(Clone, Copy)]
struct Traits {
    role: &'static str,
    provider: &'static str,
    super_admin: bool,
    can_login: bool,
    expired: bool,
    deleted: bool,
    mfa: bool,
}

const GUEST: Traits = Traits {
    role: "guest",
    provider: "default",
    super_admin: false,
    can_login: true,
    expired: false,
    deleted: false,
    mfa: false,
};
const ADMIN: Traits = Traits { role: "admin", ..GUEST };

/// The statements that fill a database, as they are collected.
struct Seeds<'a> {
    dialect: Dialect,
    version: &'a str,
    sql: String,
    people: Vec<Person>,
    next: i64,
}

impl Seeds<'_> {
    fn story(&mut self, story: Story) -> Result<()> {
        self.system_rows();
        self.version_row();
        let first = Traits { provider: "local", super_admin: true, ..ADMIN };
        let first = if story == Story::NoAdmin { Traits { deleted: true, ..first } } else { first };
        self.person("admin", "admin", Some("photoprism-Admin1"), "2a", first)?;
        self.sessions("admin", 2, 1);
        self.app_password("admin");
        let guest = if self.since("240420") { GUEST } else { Traits { role: "user", ..GUEST } };
        self.person("bob", "bob", Some("mysecret-bob"), "2a", guest)?;
        self.sessions("bob", 2, 1);
        self.app_password("bob");
        self.person("john", "John", Some("John-secret-1"), "2a", guest)?;
        self.sessions("john", 1, 0);
        self.person("maria", "maria", Some("Maria-secret-1"), "2b", guest)?;
        self.person("maria-sso", "maria", None, "", Traits { provider: "oidc", ..guest })?;
        self.person("nora", "nora", None, "", guest)?;
        self.person("olga", "olga", None, "", Traits { provider: "oidc", ..guest })?;
        self.person("leo", "leo", None, "", Traits { provider: "ldap", ..guest })?;
        self.person("none", "niaj", Some("Niaj-none-123"), "2a", Traits { provider: "none", ..guest })?;
        self.person("juergen", "jürgen", Some("Pässwörd mit ß"), "2a", guest)?;
        self.person("yuri", "yuri", Some("Yuri-secret-1"), "2y", guest)?;
        self.person("dora", "dora", Some("Dora-secret-1"), "2a", Traits { can_login: false, ..guest })?;
        self.person("eve", "eve", Some("Eve-secret-12"), "2a", Traits { expired: true, ..guest })?;
        self.person("fred", "fred", Some("Fred-secret-1"), "2a", Traits { deleted: true, ..guest })?;
        self.person("rolf", "rolf", Some("Rolf-secret-1"), "2a", Traits { role: "contributor", ..guest })?;
        if self.since("240420") {
            self.person("tina", "tina", Some("Tina-secret-1"), "2a", Traits { mfa: true, ..guest })?;
        }
        self.person("ursel", "ursel", None, "", guest)?;
        let ursel = self.uid("ursel");
        self.password_row(&ursel, "not a hash");
        if story == Story::Collision {
            self.person("Jane", "Jane", Some("JaneUpper!1"), "2a", guest)?;
            self.person("jane", "jane", Some("janeLower!1"), "2a", guest)?;
        }
        self.leftovers();
        self.strangers()
    }

    /// Accounts of before 221102 that nobody reads any more, and the record of sign-ins that Plus keeps.
    fn leftovers(&mut self) {
        if !self.since("230502") {
            for (id, name, admin, deleted) in
                [(1, "admin", true, false), (2, "bob", false, false), (3, "old", false, true)]
            {
                let deleted = if deleted { self.time(PAST, "") } else { Cell::Null };
                let cells = [
                    ("id", Cell::Int(id)),
                    ("user_uid", format!("urhm{}z", made_up(name, 11)).into()),
                    ("user_name", name.into()),
                    ("full_name", format!("The old {name}").into()),
                    ("role_admin", admin.into()),
                    ("deleted_at", deleted),
                ];
                self.insert("users", &cells);
            }
        }
        if self.has_logins() {
            for (ip, name, status, day) in
                [("172.19.0.1", "bob", "OK", 2), ("192.0.2.7", "nobody", "Failed", 3), ("192.0.2.7", "bob", "OK", 1)]
            {
                let at = self.time(PAST + day * 86_400_000, "");
                let column = if status == "OK" { "login_at" } else { "failed_at" };
                let cells = [
                    ("client_ip", ip.into()),
                    ("login_name", name.into()),
                    ("login_realm", "api".into()),
                    ("login_status", status.into()),
                    ("error_repeated", Cell::Int(i64::from(status != "OK"))),
                    (column, at),
                ];
                self.insert("audit_logins", &cells);
            }
        }
    }

    fn insert(&mut self, table: &str, cells: &[(&str, Cell)]) {
        self.sql += &self.dialect.insert(table, cells);
    }

    fn since(&self, version: &str) -> bool {
        schema::order(self.version) >= schema::order(version)
    }

    /// Whether the release stands for one of Plus, with its table of sign-ins.
    fn has_logins(&self) -> bool {
        self.version == "240711"
    }

    /// SQLite keeps the zone, and a fraction where the database layer itself set the time.
    fn time(&self, millis: i64, fraction: &str) -> Cell {
        let plain = sql_time(millis);
        match self.dialect {
            Dialect::Sqlite => format!("{plain}{fraction}+00:00").into(),
            _ => plain.into(),
        }
    }

    fn uid(&self, who: &str) -> String {
        match who {
            "admin" => ADMIN_UID.to_owned(),
            // A letter among the digits, or SQLite takes the text for a number.
            _ => format!("uskv{}z{}", made_up(who, 5), made_up(&format!("more {who}"), 6)),
        }
    }

    fn system_rows(&mut self) {
        for (id, uid, provider, name, role) in
            [(-1, "u000000000000001", "none", "Unknown", ""), (-2, "u000000000000002", "link", "Visitor", "visitor")]
        {
            let provider = if self.since("230502") { provider } else { "" };
            self.insert(
                "auth_users",
                &[
                    ("id", Cell::Int(id)),
                    ("user_uid", uid.into()),
                    ("auth_provider", provider.into()),
                    ("user_name", "".into()),
                    ("display_name", name.into()),
                    ("user_role", role.into()),
                    ("super_admin", false.into()),
                    ("can_login", false.into()),
                    ("webdav", false.into()),
                    ("ref_id", format!("user{}", made_up(uid, 8)).into()),
                ],
            );
        }
    }

    fn version_row(&mut self) {
        if self.since("230502") {
            let version = format!("{}-e1280b2fb-Linux-AMD64", self.version);
            let at = self.time(PAST, ".123456789");
            // Before `guest` came with 240420, only other editions had a role for who is no administrator.
            let edition = if self.since("240420") && !self.has_logins() { "ce" } else { "plus" };
            let cells = [("version", version.into()), ("edition", edition.into()), ("updated_at", at)];
            self.insert("versions", &cells);
        }
    }

    fn person(
        &mut self,
        who: &'static str,
        name: &str,
        password: Option<&str>,
        prefix: &str,
        traits: Traits,
    ) -> Result<()> {
        let uid = self.uid(who);
        let id = if who == "admin" { 1 } else { self.next };
        self.next += i64::from(who != "admin");
        // Up to 221118 only the provider of other editions was ever written.
        let provider = if self.since("230502") || traits.provider != "default" { traits.provider } else { "" };
        let mut cells = vec![
            ("id", Cell::Int(id)),
            ("user_uuid", "".into()),
            ("user_uid", uid.clone().into()),
            ("auth_provider", provider.into()),
            ("user_name", name.into()),
            ("display_name", format!("The {name}").into()),
            ("user_email", format!("{who}@example.org").into()),
            ("user_role", traits.role.into()),
            ("super_admin", traits.super_admin.into()),
            ("can_login", traits.can_login.into()),
            ("webdav", traits.super_admin.into()),
            ("invite_token", "".into()),
            ("preview_token", format!("p{}", made_up(who, 7)).into()),
            ("ref_id", format!("user{}", made_up(who, 8)).into()),
            ("created_at", self.time(PAST, ".138396073")),
            ("updated_at", self.time(PAST, ".138396073")),
            ("expires_at", if traits.expired { self.time(PAST, "") } else { Cell::Null }),
            ("deleted_at", if traits.deleted { self.time(PAST, ".5") } else { Cell::Null }),
        ];
        if traits.mfa {
            cells.push(("auth_method", "2fa".into()));
        }
        if traits.provider == "oidc" {
            cells.push(("auth_id", format!("subject-{who}").into()));
        }
        self.insert("auth_users", &cells);
        for table in ["auth_users_details", "auth_users_settings"] {
            self.insert(table, &[("user_uid", uid.clone().into())]);
        }
        if let Some(password) = password {
            self.password_row(&uid, &crypt::hash(password, prefix)?);
        }
        if traits.mfa {
            self.passcode(&uid, name);
        }
        self.people.push(Person {
            who,
            id: uid,
            name: name.to_owned(),
            password: password.map(str::to_owned),
            provider: traits.provider.to_owned(),
            admin: traits.super_admin || traits.role == "admin",
            ..Person::default()
        });
        Ok(())
    }

    fn password_row(&mut self, uid: &str, hash: &str) {
        let (made, changed) = (self.time(PAST, ".25"), self.time(PAST, ".75"));
        let cells = [("uid", uid.into()), ("hash", hash.into()), ("created_at", made), ("updated_at", changed)];
        self.insert("passwords", &cells);
    }

    fn passcode(&mut self, uid: &str, name: &str) {
        let url = format!("otpauth://totp/PhotoPrism:{name}?period=30&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
        let (at, code) = (self.time(PAST, ""), "r3c0very12ab");
        self.insert(
            "passcodes",
            &[
                ("uid", uid.into()),
                ("key_type", "totp".into()),
                ("key_url", url.into()),
                ("recovery_code", code.into()),
                ("verified_at", at.clone()),
                ("activated_at", at),
            ],
        );
    }

    fn sessions(&mut self, who: &'static str, live: usize, ended: usize) {
        for place in 0..live + ended {
            let expires = if place < live { FUTURE } else { PAST } / 1000;
            self.session(who, &format!("session {who} {place}"), "local", "default", "", expires);
        }
        let person = self.people.iter_mut().find(|person| person.who == who);
        person.into_iter().for_each(|person| (person.sessions, person.ended) = (live + ended, ended));
    }

    /// An app password and a session opened with it, where the release has them.
    fn app_password(&mut self, who: &'static str) {
        if self.since("240420") {
            let words = format!("app {who}");
            self.session(who, &words, "application", "default", "", FUTURE / 1000);
            let parent = made_up(&words, 64);
            self.session(who, &format!("child {who}"), "application", "session", &parent, FUTURE / 1000);
            let person = self.people.iter_mut().find(|person| person.who == who);
            person.into_iter().for_each(|person| (person.tokens, person.children) = (1, 1));
        }
    }

    fn session(&mut self, who: &str, words: &str, provider: &str, method: &str, parent: &str, expires: i64) {
        let hashed = self.since("240420");
        let plain = !self.since("230502");
        let mut cells = vec![
            ("id", Cell::Text(made_up(words, if hashed { 64 } else { 48 }))),
            ("user_uid", self.uid(who).into()),
            ("user_name", who.into()),
            ("client_ip", "172.19.0.1".into()),
            ("auth_provider", if plain { "" } else { provider }.into()),
            ("auth_method", if plain { "" } else { method }.into()),
            ("auth_id", parent.into()),
            // Who has been idle for longer than the time-out is signed out, too.
            ("last_active", Cell::Int(jiff::Timestamp::now().as_second())),
            ("sess_expires", expires.into()),
            ("sess_timeout", Cell::Int(604_800)),
            ("preview_token", format!("p{}", made_up(who, 7)).into()),
            ("user_agent", "Mozilla/5.0".into()),
            ("ref_id", format!("sess{}", made_up(words, 8)).into()),
            ("login_at", self.time(PAST, "")),
            ("created_at", self.time(PAST, "")),
        ];
        if provider == "application" {
            cells.push(("client_name", "Phone".into()));
        }
        self.insert("auth_sessions", &cells);
    }

    /// A visitor's session, a share link with a password, a client with a secret: nothing of theirs may move.
    fn strangers(&mut self) -> Result<()> {
        let hash = crypt::hash("link-password-1", "2a")?;
        self.password_row("ssmf7s0pclbeydpu", &hash);
        let link = [("link_uid", "ssmf7s0pclbeydpu".into()), ("link_token", "kkp5gmgxu2".into())];
        self.insert("links", &[&link[..], &[("has_password", true.into())]].concat());
        self.insert(
            "auth_sessions",
            &[
                ("id", made_up("visitor", if self.since("240420") { 64 } else { 48 }).into()),
                ("user_uid", "u000000000000002".into()),
                ("auth_provider", if self.since("230502") { "link" } else { "" }.into()),
                ("sess_expires", Cell::Int(FUTURE / 1000)),
                ("data_json", r#"{"tokens":["kkp5gmgxu2"],"shares":["asmf7s0za6xztwm1"]}"#.into()),
            ],
        );
        if self.since("240420") {
            let hash = crypt::hash("client-secret-1", "2a")?;
            self.password_row("csmf7s0tmxw1uzj1", &hash);
            let client = [("client_uid", "csmf7s0tmxw1uzj1".into()), ("client_name", "Monitoring".into())];
            self.insert("auth_clients", &[&client[..], &[("auth_enabled", true.into())]].concat());
            self.insert(
                "auth_sessions",
                &[
                    ("id", made_up("client", 64).into()),
                    ("client_uid", "csmf7s0tmxw1uzj1".into()),
                    ("auth_provider", "client".into()),
                    ("auth_method", "oauth2".into()),
                    ("sess_expires", Cell::Int(FUTURE / 1000)),
                ],
            );
        }
        Ok(())
    }
}

/// The people in the genuine stores, as their README names them.
const GENUINE: [(&str, &str, Option<&str>); 21] = [
    ("admin", "admin", Some("photoprism-Admin1")),
    ("alice", "alice", Some("Alice-Secret-42")),
    ("bob", "bob", Some("mysecret-bob")),
    ("carol", "carol", Some("Viewer-Pass-77")),
    ("dave", "dave", Some("guest-Dave-99")),
    ("erin", "erin", Some("Erin-uploads-1")),
    ("fred", "frank", Some("Frank-was-here-1")),
    ("nora", "grace", None),
    ("tina", "heidi", Some("Heidi-2fa-pass")),
    ("olga", "ivan", None),
    ("judy", "judy", Some("Judy-local-pass")),
    ("dora", "mallory", Some("Mallory-nologin-1")),
    ("none", "niaj", Some("Niaj-none-123")),
    ("leo", "olivia", None),
    ("eve", "peggy", Some("Peggy-expired-1")),
    ("juergen", "jürgen", Some("Pässwörd mit Leerzeichen ✓")),
    ("ursel", "quentin", None),
    ("rupert", "rupert", Some("Rupert-pending-2fa")),
    ("trent", "trent@example.org", Some("Trent-mail-name-1")),
    ("num", "num", Some("Numeric-token-1")),
    ("oldhash", "oldhash", Some("Created-before-231011")),
];

fn open_genuine(target: &Target, store: &Path, file: &Path) -> Result<Box<dyn Instance>> {
    let database = if target.store == "sqlite" {
        super::copy_file(store, file)?;
        Database::sqlite(file.to_owned())
    } else {
        let database = Database::mysql("utf8mb4", "utf8mb4_unicode_ci", false)?;
        database.load(store)?;
        database
    };
    let mut photoprism = PhotoPrism { database, people: vec![] };
    for (who, name, password) in GENUINE.into_iter().filter(|_| target.known) {
        photoprism.people.extend(photoprism.find_genuine(who, name, password)?);
    }
    Ok(Box::new(photoprism))
}

/// One row of `auth_users`, with what the login looks at.
struct Found {
    id: i64,
    uid: String,
    name: String,
    provider: String,
    role: String,
    super_admin: bool,
    can_login: bool,
    expired: bool,
    deleted: bool,
}

impl PhotoPrism {
    fn find_genuine(&self, who: &'static str, name: &str, password: Option<&str>) -> Result<Option<Person>> {
        let name_literal = self.database.dialect.literal(&name.into());
        let Some(found) = self.users(&format!("user_name = {name_literal}"))?.into_iter().next() else {
            return Ok(None);
        };
        let person = Person {
            who,
            id: found.uid,
            name: name.to_owned(),
            password: password.map(str::to_owned),
            provider: found.provider,
            admin: found.super_admin || found.role == "admin",
            ..Person::default()
        };
        let dump = self.dump()?;
        let (sessions, tokens) = (self.count(&dump, &person, Role::Session), self.count(&dump, &person, Role::Token));
        Ok(Some(Person { sessions, tokens, ..person }))
    }

    fn users(&self, condition: &str) -> Result<Vec<Found>> {
        let rows = self.database.rows(&format!(
            "SELECT id, user_uid, user_name, auth_provider, user_role, super_admin, can_login, \
             {} , {} FROM auth_users WHERE {condition} ORDER BY id LIMIT 1",
            self.has_passed("expires_at"),
            "deleted_at IS NOT NULL AND deleted_at > '0001-01-02'"
        ))?;
        let found = rows.into_iter().map(|row| {
            let text = |place: usize| row[place].clone().unwrap_or_default();
            let yes = |place: usize| text(place) == "1";
            Found {
                id: text(0).parse().unwrap_or_default(),
                uid: text(1),
                name: text(2),
                provider: text(3),
                role: text(4),
                super_admin: yes(5),
                can_login: yes(6),
                expired: yes(7),
                deleted: yes(8),
            }
        });
        Ok(found.collect())
    }

    /// Whether a time column holds a time that has passed. A zero time was never set.
    fn has_passed(&self, column: &str) -> String {
        let now = sql_time(jiff::Timestamp::now().as_millisecond());
        format!("({column} IS NOT NULL AND {column} > '0001-01-02' AND {column} < '{now}')")
    }

    /// The first row of three values, as text.
    fn one(&self, sql: &str) -> Result<Option<[String; 3]>> {
        let row = self.database.rows(sql)?.into_iter().next();
        let texts = row.map(|row| row.into_iter().map(Option::unwrap_or_default).collect::<Vec<String>>());
        Ok(texts.and_then(|texts| texts.try_into().ok()))
    }

    fn since_240711(&self) -> Result<bool> {
        Ok(self.database.columns("auth_sessions")?.iter().any(|column| column == "auth_issuer"))
    }

    /// The newest edition that opened the database; none before there was such a table.
    fn edition(&self) -> Result<Option<String>> {
        if self.database.columns("versions")?.is_empty() {
            return Ok(None);
        }
        self.database.value("SELECT edition FROM versions ORDER BY updated_at DESC LIMIT 1")
    }

    /// PhotoPrism's local login, up to the second factor.
    fn log_in(&self, typed: &str, password: &str) -> Result<bool> {
        let name = sanitised(typed);
        if name.is_empty() || typed.trim().len() > 64 {
            return Ok(false);
        }
        let name = self.database.dialect.literal(&name.into());
        let Some(user) = self.users(&format!("user_name = {name}"))?.into_iter().next() else { return Ok(false) };
        let provider = match user.provider.as_str() {
            "" if user.id == -2 => "link",
            "" if user.id == 1 => "local",
            "" if !user.name.is_empty() => "default",
            "" => "none",
            other => other,
        };
        // Before there was a table of versions the login did not look at it.
        let allowed = matches!(provider, "default" | "local")
            || provider == "oidc" && self.since_240711()?
            || self.database.columns("versions")?.is_empty();
        let known = user.super_admin || self.knows_role(&user.role)?;
        let open = user.id > 0 && !user.deleted && (user.can_login || user.super_admin);
        if !(allowed && known && open) || user.expired && !user.super_admin {
            return Ok(false);
        }
        let sql = format!("SELECT hash FROM passwords WHERE uid = '{}'", user.uid);
        let hash = self.database.rows(&sql)?.into_iter().next().and_then(|mut row| row.remove(0));
        hash.map_or(Ok(false), |hash| crypt::verify(password.trim(), &hash))
    }

    fn knows_role(&self, role: &str) -> Result<bool> {
        let community = ["admin", "visitor", "guest"].contains(&role);
        Ok(community || !role.is_empty() && self.edition()?.is_none_or(|edition| edition != "ce"))
    }
}

/// What PhotoPrism makes of a typed name.
fn sanitised(typed: &str) -> String {
    let kept = typed.trim().chars().filter(|c| !c.is_control() && !"\"'()#&$,+=`~?|*/:;<>{}".contains(*c));
    kept.collect::<String>().to_lowercase()
}

/// What PhotoPrism stores in place of a token.
fn sha256(secret: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether an app password ends in its check character: CRC-32 of what is before it, counted in letters and digits.
fn is_app_password(text: &str) -> bool {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    if text.len() != 27 || [6, 13, 20].iter().any(|dash| text.as_bytes()[*dash] != b'-') {
        return false;
    }
    let crc = text.as_bytes()[..26]
        .iter()
        .fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))));
    text.as_bytes()[26] == LETTERS[!crc as usize % LETTERS.len()]
}

impl Instance for PhotoPrism {
    fn location(&self) -> Result<String> {
        Ok(format!("photoprism:{}", self.database.location()?))
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
            "passwords" => &[&["uid"]],
            "passcodes" => &[&["uid", "key_type"]],
            "auth_users_details" | "auth_users_settings" => &[&["user_uid"]],
            "auth_users_shares" => &[&["user_uid", "share_uid"]],
            "auth_clients" => &[&["client_uid"]],
            "links" => &[&["link_uid"]],
            "audit_logins" => &[&["client_ip", "login_name", "login_realm"]],
            _ => &[&["id"]],
        }
    }

    fn role(&self, difference: &Difference) -> Role {
        match difference.collection.as_str() {
            "auth_users" | "passwords" => Role::Account,
            "passcodes" => Role::Mfa,
            "auth_sessions" => match difference.field("auth_provider").unwrap_or_default().trim_matches('\'') {
                "application" | "access_token" | "client" => Role::Token,
                _ => Role::Session,
            },
            _ => Role::Other,
        }
    }

    fn belongs(&self, difference: &Difference, person: &Person) -> bool {
        let field =
            if matches!(difference.collection.as_str(), "passwords" | "passcodes") { "uid" } else { "user_uid" };
        difference.field(field) == Some(&format!("'{}'", person.id))
    }

    /// PhotoPrism writes these itself whenever a password changes or somebody signs in.
    fn volatile(&self, collection: &str) -> &'static [&'static str] {
        match collection {
            "auth_users" => &["updated_at", "login_at", "preview_token", "download_token"],
            "passwords" | "passcodes" => &["updated_at"],
            "auth_sessions" => &["last_active", "updated_at", "client_ip", "user_agent"],
            _ => &[],
        }
    }

    fn totp_secret(&self, person: &Person) -> Result<Option<String>> {
        let url = self.database.value(&format!("SELECT key_url FROM passcodes WHERE uid = '{}'", person.id))?;
        let secret = url.as_deref().and_then(|url| url.split("secret=").nth(1)?.split('&').next());
        Ok(secret.map(str::to_owned))
    }

    fn accepts_token(&self, secret: &str) -> Result<Option<bool>> {
        let row = self.one(&format!(
            "SELECT user_uid, auth_provider, auth_scope FROM auth_sessions WHERE id = '{}' \
             AND (sess_expires <= 0 OR sess_expires > {})",
            sha256(secret),
            jiff::Timestamp::now().as_second()
        ))?;
        let Some(row) = row else { return Ok(Some(false)) };
        let well_formed = match row[1].as_str() {
            "application" => is_app_password(secret) && !row[0].is_empty(),
            "access_token" => secret.len() == 48 && secret.chars().all(|c| c.is_ascii_hexdigit()),
            _ => false,
        };
        Ok(Some(well_formed && !row[2].is_empty()))
    }

    fn accepts_client(&self, id: &str, secret: &str) -> Result<Option<bool>> {
        let id = self.database.dialect.literal(&id.into());
        let client = self.one(&format!(
            "SELECT client_uid, client_name, auth_expires FROM auth_clients WHERE client_uid = {id} AND auth_enabled = 1 \
             AND auth_method = 'oauth2' AND auth_scope <> ''"
        ))?;
        let hash = self.one(&format!("SELECT hash, hash, hash FROM passwords WHERE uid = {id}"))?;
        match (client, hash) {
            (Some(client), Some(hash)) if !client[1].is_empty() && secret.len() == 32 => {
                Ok(Some(crypt::verify(secret, &hash[0])?))
            }
            _ => Ok(Some(false)),
        }
    }

    fn is_admin(&self, person: &Person) -> Result<bool> {
        let sql = format!(
            "SELECT count(*) FROM auth_users WHERE user_uid = '{}' AND (super_admin = 1 OR user_role = 'admin')",
            person.id
        );
        Ok(self.database.value(&sql)?.as_deref() != Some("0"))
    }
}
