//! A small database in memory, the way the host shows one to a plugin.

use crate::accounts::{Person, Stored};
use crate::schema::{API_KEY, GROUP, INVITE, LINK, MEMBER, ONBOARDING, PERMISSION, SESSION, USER};
use latchlift_plugin_api::{
    Batch, Column, Context, Derived, Error, File, Filter, Handle, Kdf, Kind, Options, Output, Page, Plan, Plugin,
    Random, Reader, Request, Result, SAME, Secrets, Select, Settings, SettingsFile, StoreKind, Target, Time, Value,
};
use std::collections::BTreeMap;

/// 2026-11-21 03:47:00 UTC.
pub const NOW: Time = Time(1_795_232_820_000);
/// The hash of the password that [`Handle`] 1 stands for, as [`Store`]'s secrets make it.
pub const HASH: &str = "$2b$10$.OC/.OC/.OC/.OC/.OC/.O.OC/.OC/.OC/.OC/.OC/.OC/.OC/.OC";
/// That of handle 2.
pub const NEW_HASH: &str = "$2b$10$.eGA.eGA.eGA.eGA.eGA.e.eGA.eGA.eGA.eGA.eGA.eGA.eGA.eG";

#[derive(Clone, Default)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// Tables with rows; its pages hold two rows, so that every reading has to page.
#[derive(Clone, Default)]
pub struct Store {
    kind: StoreKind,
    tables: BTreeMap<String, Table>,
    collation: Option<String>,
    file: Option<File>,
}

impl Store {
    pub fn new(kind: StoreKind) -> Store {
        Store { kind, ..Store::default() }
    }

    pub fn table(&mut self, name: &str, columns: &[&str]) -> &mut Store {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        self.tables.insert(name.to_owned(), Table { columns, rows: vec![] });
        self
    }

    /// Says whose the database's file is, and its mode.
    pub fn file(&mut self, uid: u32, mode: u32) {
        self.file = Some(File { path: "db.sqlite".into(), uid, mode, ..File::default() });
    }

    pub fn drop_table(&mut self, name: &str) {
        self.tables.remove(name);
    }

    pub fn collate(&mut self, collation: &str) {
        self.collation = Some(collation.to_owned());
    }

    pub fn drop_column(&mut self, table: &str, column: &str) {
        let table = self.tables.get_mut(table).unwrap();
        let at = table.columns.iter().position(|name| name == column).unwrap();
        table.columns.remove(at);
        table.rows.iter_mut().for_each(|row| drop(row.remove(at)));
    }

    pub fn add_column(&mut self, table: &str, column: &str) {
        let table = self.tables.get_mut(table).unwrap();
        table.columns.push(column.to_owned());
        table.rows.iter_mut().for_each(|row| row.push(Value::Null));
    }

    /// Adds a row; columns left out are null.
    pub fn row<const N: usize>(&mut self, table: &str, cells: [(&str, Value); N]) -> &mut Store {
        let table = self.tables.get_mut(table).unwrap();
        assert!(cells.iter().all(|(name, _)| table.columns.iter().any(|column| column == name)));
        let cell = |column: &String| cells.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone());
        table.rows.push(table.columns.iter().map(|column| cell(column).unwrap_or_default()).collect());
        self
    }

    /// Adds an account with the password of handle 1.
    pub fn user(&mut self, id: &str, name: &str) -> &mut Store {
        self.row(
            USER,
            [("id", id.into()), ("name", name.into()), ("provider", "credentials".into()), ("password", HASH.into())],
        )
    }

    /// Adds an account of another provider.
    pub fn outside(&mut self, id: &str, name: &str, provider: &str) -> &mut Store {
        self.row(USER, [("id", id.into()), ("name", name.into()), ("provider", provider.into())])
    }

    pub fn member(&mut self, group: &str, user: &str) -> &mut Store {
        self.row(MEMBER, [("group_id", group.into()), ("user_id", user.into())])
    }

    pub fn session(&mut self, token: &str, user: &str, expires: Value) -> &mut Store {
        self.row(SESSION, [("session_token", token.into()), ("user_id", user.into()), ("expires", expires)])
    }

    fn of(&self, name: &str) -> Result<&Table> {
        self.tables.get(name).ok_or_else(|| Error::unknown_schema(format!("no table `{name}`")))
    }

    pub fn plan(&self, request: &Request) -> Result<Plan> {
        crate::Homarr.plan(&Context { reader: self, secrets: self }, request)
    }

    pub fn read(&self, request: &Request) -> Result<Vec<Batch>> {
        let mut batches = Collected::default();
        crate::Homarr.read(&Context { reader: self, secrets: self }, request, &mut batches)?;
        Ok(batches.0)
    }
}

impl Table {
    fn at(&self, column: &str) -> Result<usize> {
        let missing = || Error::unknown_schema(format!("no column `{column}`"));
        self.columns.iter().position(|name| name == column).ok_or_else(missing)
    }

    fn matches(&self, row: &[Value], filter: &Filter) -> Result<bool> {
        Ok(match filter {
            Filter::All => true,
            Filter::Eq(field, value) => row[self.at(field)?] == *value,
            Filter::In(field, values) => values.contains(&row[self.at(field)?]),
            Filter::Range { field, from, to } => {
                let cell = &row[self.at(field)?];
                from.as_ref().is_none_or(|from| less_or_equal(from, cell))
                    && to.as_ref().is_none_or(|to| less_or_equal(cell, to))
            }
            Filter::Null(field) => row[self.at(field)?] == Value::Null,
            Filter::And(all) => {
                let mut every = true;
                for one in all {
                    every &= self.matches(row, one)?;
                }
                every
            }
        })
    }
}

fn less_or_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a <= b,
        (Value::Text(a), Value::Text(b)) => a <= b,
        _ => panic!("{a:?} and {b:?} are not of one kind"),
    }
}

impl Reader for Store {
    fn kind(&self, _: &str) -> Result<StoreKind> {
        Ok(self.kind)
    }

    fn select(&self, query: &Select) -> Result<Page> {
        let table = self.of(&query.collection)?;
        assert!(query.order.is_empty(), "the order of the login is the store's own");
        let mut found = Vec::new();
        for row in &table.rows {
            if !table.matches(row, &query.filter)? {
                continue;
            }
            let mut cells = Vec::new();
            for column in &query.columns {
                cells.push(row[table.at(column)?].clone());
            }
            if let Some(same) = &query.same {
                let key = row[table.at(same)?].to_text();
                cells.push(key.map_or(Value::Null, |key| Value::Bytes(key.to_uppercase().into_bytes())));
            }
            found.push(cells);
        }
        let limit = if query.limit == 0 { 2 } else { query.limit as usize };
        let start = query.after.first().map_or(0, |at| usize::from(*at));
        let end = found.len().min(start + limit);
        let next = if end < found.len() { vec![u8::try_from(end).unwrap()] } else { vec![] };
        let columns = query.columns.iter().cloned().chain(query.same.as_ref().map(|_| SAME.to_owned()));
        Ok(Page { columns: columns.collect(), rows: found[start..end].to_vec(), next })
    }

    fn count_by(&self, _: &str, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>> {
        let table = self.of(collection)?;
        let mut counts: Vec<(Value, u64)> = Vec::new();
        for row in &table.rows {
            if !table.matches(row, filter)? {
                continue;
            }
            let cell = &row[table.at(field)?];
            match counts.iter_mut().find(|(value, _)| value == cell) {
                Some((_, n)) => *n += 1,
                None => counts.push((cell.clone(), 1)),
            }
        }
        Ok(counts)
    }

    fn columns(&self, _: &str, collection: &str) -> Result<Option<Vec<Column>>> {
        let Some(table) = self.tables.get(collection) else { return Ok(None) };
        let column =
            |name: &String| Column { name: name.clone(), collation: self.collation.clone(), ..Column::default() };
        Ok(Some(table.columns.iter().map(column).collect()))
    }

    fn document(&self, _: &str, _: &str) -> Result<Option<String>> {
        Err(Error::new(Kind::Contract, "a database has no documents"))
    }

    fn files(&self, _: &str, _: &str) -> Result<Vec<File>> {
        Ok(self.file.clone().into_iter().collect())
    }

    fn lines(&self, _: &str, _: &str, _: &str) -> Result<Vec<String>> {
        Ok(vec![])
    }
}

/// Not bcrypt, but different for each password.
impl Secrets for Store {
    fn derive(&self, password: Handle, kdf: &Kdf) -> Result<Derived> {
        assert_eq!(*kdf, Kdf::Bcrypt { cost: 10 });
        let digit = u8::try_from(password.0).unwrap();
        Ok(Derived { salt: vec![digit; 16], digest: vec![digit; 23] })
    }

    fn verify(&self, password: Handle, _: &Kdf, _: &[u8], digest: &[u8]) -> Result<bool> {
        Ok(digest.iter().all(|byte| u32::from(*byte) == password.0))
    }
}

#[derive(Default)]
struct Collected(Vec<Batch>);

impl Output for Collected {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.0.push(batch);
        Ok(())
    }
}

/// Homarr's newest tables with its usual groups and finished wizard, and no account.
pub fn homarr(kind: StoreKind) -> Store {
    let mut store = Store::new(kind);
    store
        .table(
            USER,
            &[
                "id",
                "name",
                "email",
                "password",
                "provider",
                "open_search_in_new_tab",
                "ddg_bangs",
                "completed_manage_tour",
                "enable_right_click_on_widgets",
            ],
        )
        .table(SESSION, &["session_token", "user_id", "expires"])
        .table(API_KEY, &["id", "api_key", "user_id"])
        .table(GROUP, &["id", "name", "owner_id", "position"])
        .table(MEMBER, &["group_id", "user_id"])
        .table(PERMISSION, &["group_id", "permission"])
        .table(ONBOARDING, &["id", "step", "previous_step"])
        .table(INVITE, &["id", "token", "expiration_date", "creator_id"])
        .table(LINK, &["user_id", "type", "provider", "provider_account_id"]);
    store
        .row(GROUP, [("id", "g-all".into()), ("name", "everyone".into()), ("position", Value::Int(-1))])
        .row(GROUP, [("id", "g-admin".into()), ("name", "credentials-admin".into()), ("position", Value::Int(1))])
        .row(PERMISSION, [("group_id", "g-admin".into()), ("permission", "admin".into())])
        .row(ONBOARDING, [("id", "o".into()), ("step", "finish".into())]);
    store
}

/// An account with a good hash.
pub fn person(id: &str, name: &str) -> Person {
    Person {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        provider: "credentials".into(),
        stored: Stored::Bcrypt(10),
        ..Person::default()
    }
}

/// An environment file.
pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings(vec![SettingsFile { path: ".env".into(), format: "env".into(), values }])
}

/// A request about an account, with the password of handle 1.
pub fn request(verb: &str, name: &str) -> Request {
    Request {
        verb: verb.into(),
        target: (!name.is_empty()).then(|| Target { name: name.to_owned(), ..Target::default() }),
        password: Some(Handle(1)),
        options: Options::default(),
        now: NOW,
        random: Random::new(vec![7; 32]),
        ..Request::default()
    }
}
