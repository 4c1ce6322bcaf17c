//! Apps with people in them.
//!
//! The same story is told in every app, as far as it has room for it: who can sign in, who cannot, and why. Each app
//! also answers whether a name and password get in, by its own rules and never by latchlift's code.

pub mod homarr;
pub mod home_assistant;
pub mod json;
pub mod photoprism;

use crate::Result;
use crate::db::Database;
use crate::dump::{Difference, Dump};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Somebody in an app.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Who it is in the story: `admin`, `john`. The same in all apps.
    pub who: &'static str,
    /// The app's own id.
    pub id: String,
    /// The sign-in name as stored.
    pub name: String,
    /// The password, where there is one.
    pub password: Option<String>,
    /// The word for `--provider`.
    pub provider: String,
    /// How many places it is signed in at, ended ones included.
    pub sessions: usize,
    /// How many of these have ended by themselves.
    pub ended: usize,
    /// How many API keys, app passwords and long-lived tokens it has.
    pub tokens: usize,
    /// How many sign-ins were opened with these and end with them.
    pub children: usize,
    /// Whether it administers the app.
    pub admin: bool,
}

/// Which people are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Everybody whose name is nobody else's under any folding, but for the two marias, whose provider differs.
    Usual,
    /// And Jane and jane.
    Collision,
    /// Only people who cannot administer the app, and administrators who cannot sign in.
    NoAdmin,
}

/// One app of one version with one kind of store.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The app, as its plugin is called.
    pub app: &'static str,
    /// The release whose layout it has.
    pub version: String,
    /// The kind of store: `sqlite`, `mysql`, `postgres`, `json`.
    pub store: &'static str,
    /// What only some targets differ in: a collation, where it comes from.
    pub variant: String,
    /// Whether latchlift knows this layout. It must refuse the others.
    pub known: bool,
    /// The genuine store it is a copy of, if any.
    pub genuine: Option<PathBuf>,
}

impl Target {
    /// How it is called in test ids.
    pub fn id(&self) -> String {
        let variant = if self.variant.is_empty() { String::new() } else { format!("-{}", self.variant) };
        format!("{}/{}/{}{variant}", self.app, self.version, self.store)
    }

    /// Whether it needs no server.
    pub fn embedded(&self) -> bool {
        matches!(self.store, "sqlite" | "json")
    }
}

/// A running story: an app's store with people in it.
pub trait Instance: Send + Sync {
    /// What stands after `--app`: `homarr:/tmp/x/db.sqlite`.
    ///
    /// # Errors
    /// The server cannot be had.
    fn location(&self) -> Result<String>;

    /// The store's password, where it asks for one.
    fn store_password(&self) -> Option<&str> {
        None
    }

    /// The database it is in, where it is in one.
    fn database(&self) -> Option<&Database> {
        None
    }

    /// Everybody.
    fn people(&self) -> &[Person];

    /// Whether each name and password gets in, by the app's own rules. Second factors come after that.
    ///
    /// # Errors
    /// The store cannot be read.
    fn sign_in(&self, logins: &[(&str, &str)]) -> Result<Vec<bool>>;

    /// Everything in the store.
    ///
    /// # Errors
    /// It cannot be read.
    fn dump(&self) -> Result<Dump>;

    /// The bytes of the store's documents, by path: where every byte must stay that is not planned to change.
    ///
    /// # Errors
    /// One cannot be read.
    fn documents(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        Ok(BTreeMap::new())
    }

    /// The fields that make a record of this collection the same record; several sets where each may change.
    fn keys(&self, collection: &str) -> &'static [&'static [&'static str]];

    /// What a record is to the rules of recovery.
    fn role(&self, difference: &Difference) -> Role;

    /// Whether the record belongs to the person.
    fn belongs(&self, difference: &Difference, person: &Person) -> bool;

    /// Fields of this collection that the app rewrites in normal use, so that undo may leave them as they are.
    fn volatile(&self, collection: &str) -> &'static [&'static str];

    /// How many of the person's records there are of this role.
    fn count(&self, dump: &Dump, person: &Person, role: Role) -> usize {
        let rows = dump.0.iter().flat_map(|(collection, rows)| rows.iter().map(move |row| (collection, row)));
        let records = rows.map(|(collection, row)| Difference {
            collection: collection.clone(),
            before: Some(row.clone()),
            after: Some(row.clone()),
        });
        records.filter(|record| self.role(record) == role && self.belongs(record, person)).count()
    }

    /// Whether the app takes this token; nothing where the story does not know its rules.
    ///
    /// # Errors
    /// The store cannot be read.
    fn accepts_token(&self, _secret: &str) -> Result<Option<bool>> {
        Ok(None)
    }

    /// Whether the app lets the OAuth2 client of this id and secret in; nothing where it has none.
    ///
    /// # Errors
    /// The store cannot be read.
    fn accepts_client(&self, _id: &str, _secret: &str) -> Result<Option<bool>> {
        Ok(None)
    }

    /// The secret of the person's authenticator app, where the store keeps it readable.
    ///
    /// # Errors
    /// The store cannot be read.
    fn totp_secret(&self, person: &Person) -> Result<Option<String>> {
        let _ = person;
        Ok(None)
    }

    /// Makes the app refuse these addresses.
    ///
    /// # Errors
    /// It cannot.
    fn refuse(&self, addresses: &[&str]) -> Result<()> {
        Err(format!("this app does not refuse {}", addresses.join(", ")).into())
    }

    /// The addresses the app refuses, sorted.
    ///
    /// # Errors
    /// The store cannot be read.
    fn refused(&self) -> Result<Vec<String>> {
        Ok(vec![])
    }

    /// Whether the app would let the person administer it.
    ///
    /// # Errors
    /// The store cannot be read.
    fn is_admin(&self, person: &Person) -> Result<bool>;
}

/// What a record is to the rules of recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An account's name, rights, password.
    Account,
    /// A place somebody is signed in at; ended ones included.
    Session,
    /// An API key, an app password, a long-lived token, and a sign-in opened with one.
    Token,
    /// A second factor.
    Mfa,
    /// An invitation to make an account.
    Invite,
    /// Anything else.
    Other,
}

impl dyn Instance + '_ {
    /// Somebody of the story.
    pub fn person(&self, who: &str) -> Option<&Person> {
        self.people().iter().find(|person| person.who == who)
    }

    /// Whether one name and password get in.
    ///
    /// # Errors
    /// As [`Instance::sign_in`].
    pub fn signs_in(&self, name: &str, password: &str) -> Result<bool> {
        Ok(self.sign_in(&[(name, password)])?[0])
    }
}

/// Every app, version and store there is a story for.
///
/// # Errors
/// `LATCHLIFT_FIXTURES` names a folder that cannot be read.
pub fn targets() -> Result<Vec<Target>> {
    let mut all = homarr::targets();
    all.extend(photoprism::targets());
    all.extend(home_assistant::targets());
    if let Some(folder) = std::env::var_os("LATCHLIFT_FIXTURES") {
        let folder = PathBuf::from(folder);
        all.extend(homarr::genuine(&folder.join("homarr"))?);
        all.extend(photoprism::genuine(&folder.join("photoprism"))?);
        all.extend(home_assistant::genuine(&folder.join("home-assistant"))?);
    }
    Ok(all)
}

/// Who is in a story, where that is known without making a store.
pub fn cast(target: &Target, story: Story) -> Option<Vec<&'static str>> {
    match target.app {
        "homarr" => Some(homarr::cast(target, story)),
        _ if target.genuine.is_some() => None,
        "photoprism" => Some(photoprism::cast(target, story)),
        _ => Some(home_assistant::cast(target, story)),
    }
}

/// Whether a story can be told of a target: a genuine store has the people it has, and few can be brought into another.
pub fn tells(target: &Target, story: Story) -> bool {
    target.genuine.is_none() || story == Story::Usual || target.app == "homarr"
}

/// What an app asks for besides: PhotoPrism gives no new account a role of its own accord.
pub fn required(target: &Target, verb: &str) -> &'static str {
    match (target.app, verb) {
        ("photoprism", "user.add") if crate::schema::order(&target.version) < vec![240_420] => "role=user",
        ("photoprism", "user.add") => "role=guest",
        _ => "",
    }
}

/// Makes the store of a target in a directory of its own and fills it.
///
/// # Errors
/// A server cannot be had, or refuses what it is given.
pub fn seed(target: &Target, story: Story, directory: &Path) -> Result<Box<dyn Instance>> {
    match target.app {
        "homarr" => homarr::seed(target, story, directory),
        "photoprism" => photoprism::seed(target, story, directory),
        _ => home_assistant::seed(target, story, directory),
    }
}

/// A string of lower-case hex that is always the same for the same words, for ids and tokens.
pub(crate) fn made_up(words: &str, length: usize) -> String {
    use sha2::{Digest, Sha256};
    let mut hex = String::new();
    for round in 0.. {
        if hex.len() >= length {
            break;
        }
        hex.extend(Sha256::digest(format!("{words}{round}")).iter().map(|byte| format!("{byte:02x}")));
    }
    hex.truncate(length);
    hex
}

/// The names in a folder, in order; none where it is missing.
pub(crate) fn names_in(folder: &Path) -> Result<Vec<String>> {
    if !folder.exists() {
        return Ok(vec![]);
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// A time that has passed, in milliseconds: 2020-01-01.
pub(crate) const PAST: i64 = 1_577_836_800_000;
/// A time to come, in milliseconds, still in range of MariaDB's `timestamp`: 2037-06-01.
pub(crate) const FUTURE: i64 = 2_127_427_200_000;

/// `YYYY-MM-DD HH:MM:SS` in UTC.
pub(crate) fn sql_time(millis: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Copies a file so that it can be written: what is genuine may be read-only.
pub(crate) fn copy_file(from: &Path, to: &Path) -> Result<()> {
    std::fs::write(to, std::fs::read(from)?)?;
    Ok(())
}
