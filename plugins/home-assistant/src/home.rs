//! Everything in the account files that decides who gets in, read once into a compact form.

use crate::groups::Groups;
use crate::heirs::Heirs;
use crate::house::House;
use crate::names::{Names, is_normal, normalise};
use crate::schema::{self, CREDENTIALS, Layout, NOTIFY, PEOPLE, PROVIDER, ROWS, TOKENS, TOTP, USERS};
use crate::sessions::{TokenKind, milliseconds, token_kind};
use crate::settings::Settings;
use latchlift_plugin_api::{Count, Filter, Reader, Result, Select, Time, Value};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// A user, joined with what other files say about it.
#[derive(Debug)]
pub struct User {
    pub id: Rc<str>,
    /// The name shown; people do not sign in with it.
    pub display: Option<Box<str>>,
    /// Which of [`Groups::sets`].
    pub groups: usize,
    pub owner: bool,
    pub active: bool,
    pub system: bool,
    pub local_only: bool,
    pub totp: bool,
    pub notify: bool,
    /// Its credentials, in order.
    pub credentials: Vec<usize>,
    /// Refresh tokens of browsers and apps.
    pub sessions: u64,
    /// Long-lived access tokens.
    pub tokens: u64,
    /// When the newest of its sessions was made.
    pub last_login: Option<Time>,
    /// The person it is.
    pub person: Option<Box<str>>,
}

/// What leads from a provider's sign-in to a user.
#[derive(Debug)]
pub struct Credential {
    pub id: Box<str>,
    pub user: usize,
    /// The provider's type.
    pub provider: Rc<str>,
    /// The sign-in name; empty where the provider has none.
    pub username: Rc<str>,
}

/// A password entry, without the password.
#[derive(Debug)]
pub struct Row {
    pub username: Rc<str>,
    /// bcrypt's cost, where the hash can be read.
    pub cost: Option<u32>,
}

/// The account files of one config directory.
#[derive(Debug)]
pub struct Home {
    pub layout: Layout,
    pub settings: Settings,
    pub groups: Groups,
    pub users: Vec<User>,
    pub credentials: Vec<Credential>,
    pub rows: Vec<Row>,
    pub names: Names,
    /// Credentials of users that do not exist, as `(id, user id)`.
    pub stray_credentials: Vec<(String, String)>,
    /// Tokens of users that do not exist, likewise, but for those that the app does not look at.
    pub stray_tokens: Vec<(String, String)>,
    /// What holds for everybody.
    pub house: House,
    by_id: HashMap<Rc<str>, usize>,
    folded_rows: OnceCell<HashMap<String, Vec<usize>>>,
    folded_users: OnceCell<HashMap<String, Vec<usize>>>,
    orphans: OnceCell<Vec<usize>>,
    heirs: OnceCell<Heirs>,
}

impl Home {
    /// Reads users, groups, credentials, password entries and second factors.
    ///
    /// # Errors
    /// As [`Layout::look`], an account file cannot be used, or the store fails.
    pub fn read(reader: &dyn Reader) -> Result<Home> {
        let layout = Layout::look(reader)?;
        layout.needs(&schema::ACCOUNT_FILES)?;
        let rows = if layout.rows { read_rows(reader)? } else { vec![] };
        let names = Names::new(rows.iter().map(|row| &row.username), layout.has_legacy_mode);
        let mut home = Home {
            layout,
            settings: Settings::read(reader),
            groups: Groups::default(),
            users: vec![],
            credentials: vec![],
            rows,
            names,
            stray_credentials: vec![],
            stray_tokens: vec![],
            house: House::default(),
            by_id: HashMap::new(),
            folded_rows: OnceCell::new(),
            folded_users: OnceCell::new(),
            orphans: OnceCell::new(),
            heirs: OnceCell::new(),
        };
        if home.layout.auth {
            home.groups = Groups::read(reader)?;
            home.read_users(reader)?;
            home.read_credentials(reader)?;
            home.link_names();
            home.read_stray_tokens(reader)?;
        }
        home.read_factors(reader)?;
        home.house = House::new(&home, reader);
        Ok(home)
    }

    /// Counts sessions and tokens; a session that has ended by itself is none.
    ///
    /// # Errors
    /// The store fails.
    pub fn with_tokens(self, reader: &dyn Reader, now: Time) -> Result<Home> {
        self.with_tokens_of(reader, now, Filter::All)
    }

    /// Counts the sessions and tokens of some users, named by a filter over tokens.
    ///
    /// # Errors
    /// The store fails.
    pub fn with_tokens_of(mut self, reader: &dyn Reader, now: Time, filter: Filter) -> Result<Home> {
        if !self.layout.auth {
            return Ok(self);
        }
        let columns = ["/user_id", "/token_type", "/client_id", "/created_at", "/expire_at"];
        reader.each_row(Select::from(TOKENS, columns).filter(filter), |row| {
            let [user, kind, client, created, end] = &row[..] else { return Ok(()) };
            let Some(index) = user.as_str().and_then(|id| self.index(id)) else { return Ok(()) };
            let user = &mut self.users[index];
            match token_kind(kind, client) {
                TokenKind::Normal => {
                    let ended = milliseconds(end).is_some_and(|end| Time(end) < now);
                    user.sessions += u64::from(!ended);
                    user.last_login = user.last_login.max(created.as_str().and_then(Time::parse));
                }
                TokenKind::LongLived => user.tokens += 1,
                TokenKind::System => {}
            }
            Ok(())
        })?;
        Ok(self)
    }

    /// Joins persons.
    ///
    /// # Errors
    /// The store fails.
    pub fn with_people(mut self, reader: &dyn Reader) -> Result<Home> {
        if !self.layout.people || reader.columns("", PEOPLE)?.is_none() {
            return Ok(self);
        }
        reader.each_row(Select::from(PEOPLE, ["/user_id", "/name"]), |row| {
            if let Some(index) = row[0].as_str().and_then(|id| self.index(id)) {
                self.users[index].person = row[1].as_str().map(Box::from);
            }
            Ok(())
        })?;
        Ok(self)
    }

    fn read_users(&mut self, reader: &dyn Reader) -> Result<()> {
        let columns = ["/id", "/name", "/group_ids", "/is_owner", "/is_active", "/system_generated", "/local_only"];
        reader.each_row(Select::from(USERS, columns), |row| {
            let [id, name, groups, flags @ ..] = &row[..] else { return Ok(()) };
            let flag = |n: usize| flags.get(n).and_then(Value::as_bool).unwrap_or_default();
            let id: Rc<str> = id.as_str().unwrap_or_default().into();
            self.by_id.insert(Rc::clone(&id), self.users.len());
            self.users.push(User {
                id,
                display: name.as_str().map(Box::from),
                groups: self.groups.set(groups),
                owner: flag(0),
                active: flag(1),
                system: flag(2),
                local_only: flag(3),
                totp: false,
                notify: false,
                credentials: vec![],
                sessions: 0,
                tokens: 0,
                last_login: None,
                person: None,
            });
            Ok(())
        })
    }

    fn read_credentials(&mut self, reader: &dyn Reader) -> Result<()> {
        let columns = ["/id", "/user_id", "/auth_provider_type", "/data/username"];
        let mut providers: Vec<Rc<str>> = vec![];
        reader.each_row(Select::from(CREDENTIALS, columns), |row| {
            let text = |n: usize| row.get(n).and_then(Value::as_str).unwrap_or_default();
            let Some(user) = self.index(text(1)) else {
                self.stray_credentials.push((text(0).to_owned(), text(1).to_owned()));
                return Ok(());
            };
            let known = providers.iter().find(|known| ***known == *text(2)).cloned();
            let provider = known.unwrap_or_else(|| {
                providers.push(text(2).into());
                text(2).into()
            });
            self.users[user].credentials.push(self.credentials.len());
            self.credentials.push(Credential { id: text(0).into(), user, provider, username: self.shared(text(3)) });
            Ok(())
        })
    }

    /// The text of a name, shared with the newest password entry where it is the same: mostly both files agree.
    fn shared(&self, username: &str) -> Rc<str> {
        match self.rows.get(self.names.get(username).last) {
            Some(row) if *row.username == *username => Rc::clone(&row.username),
            _ => username.into(),
        }
    }

    /// A sign-in ends at the first credential of its name, in the order of users and not of credentials.
    fn link_names(&mut self) {
        for user in &self.users {
            for &credential in &user.credentials {
                if *self.credentials[credential].provider == *PROVIDER {
                    self.names.link(&self.credentials[credential].username, credential);
                }
            }
        }
    }

    fn read_stray_tokens(&mut self, reader: &dyn Reader) -> Result<()> {
        let is_stray = |user: Option<&str>| user.and_then(|id| self.index(id)).is_none();
        let (mut strays, filter) = (false, Filter::All);
        let count = Count { store: "", collection: TOKENS, field: "/user_id", filter: &filter };
        reader.each_count(&count, |user, _| {
            strays |= is_stray(user.as_str());
            Ok(())
        })?;
        if !strays {
            return Ok(());
        }
        let mut stray = vec![];
        reader.each_row(Select::from(TOKENS, ["/user_id", "/id"]), |row| {
            if is_stray(row[0].as_str()) {
                stray.push((row[1].clone(), row[0].to_text().unwrap_or_default()));
            }
            Ok(())
        })?;
        // The app skips tokens without a key before it looks for their users, so they do no harm.
        let ids = stray.iter().map(|(id, _)| id.clone());
        let filter = Filter::In("/id".into(), ids.collect()).and(Filter::Null("/jwt_key".into()));
        let keyless = reader.all(Select::from(TOKENS, ["/id"]).filter(filter))?;
        let keyless: HashSet<Option<String>> = keyless.iter().map(|row| row.text("/id")).collect();
        let harmful = stray.into_iter().map(|(id, user)| (id.to_text(), user)).filter(|(id, _)| !keyless.contains(id));
        self.stray_tokens = harmful.map(|(id, user)| (id.unwrap_or_default(), user)).collect();
        Ok(())
    }

    fn read_factors(&mut self, reader: &dyn Reader) -> Result<()> {
        for (collection, exists) in [(TOTP, self.layout.totp), (NOTIFY, self.layout.notify)] {
            if !exists {
                continue;
            }
            reader.each_row(Select::from(collection, ["@key"]), |row| {
                if let Some(index) = row[0].as_str().and_then(|id| self.index(id)) {
                    let user = &mut self.users[index];
                    *(if collection == TOTP { &mut user.totp } else { &mut user.notify }) = true;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The user of this id.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The credentials of a user for passwords kept here.
    pub fn password_credentials(&self, user: usize) -> impl Iterator<Item = usize> + '_ {
        let own = self.users[user].credentials.iter().copied();
        own.filter(|credential| *self.credentials[*credential].provider == *PROVIDER)
    }

    /// The ids of a user's groups.
    pub fn group_ids(&self, user: &User) -> &[String] {
        &self.groups.sets[user.groups]
    }

    /// Whether the user is in the group of administrators, as the app sees it after its start.
    pub fn in_admins(&self, user: &User) -> bool {
        (self.groups.everyone_admin && !user.system) || self.group_ids(user).iter().any(|id| self.groups.is_admins(id))
    }

    /// Whether the user may administer.
    pub fn is_admin(&self, user: &User) -> bool {
        user.owner || (user.active && self.in_admins(user))
    }

    /// The password entries whose names are the same as `name` but for letter case and outer white space.
    pub fn rows_like(&self, name: &str) -> &[usize] {
        let index = self.folded_rows.get_or_init(|| {
            let mut index: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, row) in self.rows.iter().enumerate() {
                index.entry(normalise(&row.username)).or_default().push(at);
            }
            index
        });
        index.get(&normalise(name)).map_or(&[], Vec::as_slice)
    }

    /// The users who sign in with `name` in any letter case, through any provider that has names.
    pub fn users_like(&self, name: &str) -> &[usize] {
        let index = self.folded_users.get_or_init(|| {
            let mut index: HashMap<String, Vec<usize>> = HashMap::new();
            for credential in self.credentials.iter().filter(|credential| !credential.username.is_empty()) {
                let users = index.entry(normalise(&credential.username)).or_default();
                if !users.contains(&credential.user) {
                    users.push(credential.user);
                }
            }
            index
        });
        index.get(&normalise(name)).map_or(&[], Vec::as_slice)
    }

    /// The password entries that lead to no user, one of each name: whoever signs in with one becomes a new administrator.
    pub fn orphans(&self) -> &[usize] {
        self.orphans.get_or_init(|| {
            let mut seen = HashSet::new();
            let mut is_new = |name: &str| seen.insert(self.names.key(name));
            let leads_nowhere = |name: &str| self.names.get(name).credential.is_none();
            let rows = self.rows.iter().enumerate();
            rows.filter(|(_, row)| leads_nowhere(&row.username) && is_new(&row.username)).map(|(at, _)| at).collect()
        })
    }

    /// The names of [`Home::orphans`].
    pub fn orphan_names(&self) -> impl Iterator<Item = &str> + '_ {
        self.orphans().iter().map(|row| &*self.rows[*row].username)
    }

    /// Who may have which of [`Home::orphans`].
    pub fn heirs(&self) -> &Heirs {
        self.heirs.get_or_init(|| Heirs::new(self))
    }

    /// Whether any stored name is written otherwise than it is compared.
    pub fn has_unusual_names(&self) -> bool {
        self.rows.iter().any(|row| !is_normal(&row.username))
            || self.credentials.iter().any(|known| *known.provider == *PROVIDER && !is_normal(&known.username))
    }
}

fn read_rows(reader: &dyn Reader) -> Result<Vec<Row>> {
    let mut rows = vec![];
    reader.each_row(Select::from(ROWS, ["/username", "/password"]), |row| {
        let text = |n: usize| row.get(n).and_then(Value::as_str).unwrap_or_default();
        rows.push(Row { username: text(0).into(), cost: schema::decode(text(1)).map(|hash| hash.cost) });
        Ok(())
    })?;
    Ok(rows)
}
