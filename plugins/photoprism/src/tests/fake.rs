//! A store in memory, and secrets that are not secret.

use latchlift_plugin_api::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub struct Fake {
    pub kind: StoreKind,
    pub tables: BTreeMap<String, Table>,
}

#[derive(Clone, Default)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

impl Fake {
    /// A table of these columns, without rows. Names ending in `!` take no null and have no default.
    pub fn table(&mut self, name: &str, columns: &str) {
        let column = |name: &str| Column {
            name: name.trim_end_matches('!').to_owned(),
            nullable: !name.ends_with('!'),
            collation: (self.kind == StoreKind::Mysql && name == "user_name").then(|| "utf8mb4_unicode_ci".to_owned()),
            ..Column::default()
        };
        let columns = columns.split_whitespace().map(column).collect();
        self.tables.insert(name.to_owned(), Table { columns, rows: vec![] });
    }

    /// One more row; fields left out are null.
    pub fn add(&mut self, table: &str, fields: &[(&str, Value)]) {
        let table = self.tables.get_mut(table).expect("the test made the table");
        for (name, _) in fields {
            assert!(table.columns.iter().any(|column| column.name == *name), "no column {name}");
        }
        let value = |column: &Column| {
            fields.iter().find(|(name, _)| *name == column.name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let row = table.columns.iter().map(value).collect();
        table.rows.push(row);
    }

    /// The value of a field in the first row where another field has this value.
    pub fn value(&self, table: &str, field: &str, whose: (&str, Value)) -> Option<Value> {
        let table = &self.tables[table];
        let row = table.rows.iter().find(|row| row[table.at(whose.0)] == whose.1)?;
        Some(row[table.at(field)].clone())
    }

    /// The store after a plan.
    pub fn after(&self, plan: &Plan) -> Fake {
        let mut store = self.clone();
        for change in plan.steps.iter().flat_map(|step| &step.changes) {
            store.write(change);
        }
        store
    }

    fn write(&mut self, change: &Change) {
        let kind = self.kind;
        let table = self.tables.get_mut(change.collection()).expect("the plan names a known table");
        let exact = |table: &Table, row: &[Value], fields: &Record| fields.iter().all(|(f, v)| row[table.at(f)] == *v);
        let one = |table: &Table, key: &Record, before: &Record| {
            let rows = table.rows.iter();
            rows.clone().position(|row| exact(table, row, key) && exact(table, row, before)).expect("the guard holds")
        };
        match change {
            Change::Insert { after, .. } => {
                let row = table.columns.iter().map(|c| after.get(&c.name).cloned().unwrap_or_default()).collect();
                table.rows.push(row);
            }
            Change::Update { key, before, after, .. } => {
                let at = one(table, &key.fields, before);
                for (field, value) in after.iter() {
                    let column = table.at(field);
                    table.rows[at][column] = value.clone();
                }
            }
            Change::Delete { key, before, .. } => {
                let at = one(table, &key.fields, before);
                table.rows.remove(at);
            }
            Change::Purge { filter, count, .. } => {
                let goes: Vec<bool> = table.rows.iter().map(|row| holds(kind, table, row, filter)).collect();
                assert_eq!(goes.iter().filter(|goes| **goes).count() as u64, *count, "{filter:?}");
                let mut goes = goes.into_iter();
                table.rows.retain(|_| !goes.next().unwrap());
            }
            Change::Move { .. } => panic!("a database has no documents"),
        }
    }
}

impl Table {
    fn at(&self, field: &str) -> usize {
        self.columns.iter().position(|column| column.name == field).unwrap_or_else(|| panic!("no column {field}"))
    }
}

/// How the fake orders values; MariaDB's names regardless of case.
fn order(kind: StoreKind, field: &str, one: &Value, two: &Value) -> Ordering {
    let fold = kind == StoreKind::Mysql && field == "user_name";
    let key = |value: &Value| {
        let text = value.to_text().unwrap_or_default();
        if fold { text.trim_end().to_lowercase().replace('ü', "u") } else { text }
    };
    match (one.as_int(), two.as_int()) {
        (Some(one), Some(two)) => one.cmp(&two),
        _ => key(one).cmp(&key(two)),
    }
}

fn holds(kind: StoreKind, table: &Table, row: &[Value], filter: &Filter) -> bool {
    let at = |field: &str| &row[table.at(field)];
    match filter {
        Filter::All => true,
        Filter::Eq(field, value) => at(field) == value,
        Filter::In(field, values) => values.contains(at(field)),
        Filter::Null(field) => *at(field) == Value::Null,
        Filter::And(all) => all.iter().all(|one| holds(kind, table, row, one)),
        Filter::Range { field, from, to } => {
            let above = from.as_ref().is_none_or(|from| order(kind, field, at(field), from).is_ge());
            let below = to.as_ref().is_none_or(|to| order(kind, field, at(field), to).is_le());
            *at(field) != Value::Null && above && below
        }
    }
}

impl Reader for Fake {
    fn kind(&self, _: &str) -> Result<StoreKind> {
        Ok(self.kind)
    }

    fn select(&self, query: &Select) -> Result<Page> {
        let table = self.tables.get(&query.collection).unwrap_or_else(|| panic!("no table {}", query.collection));
        let mut rows: Vec<&Vec<Value>> =
            table.rows.iter().filter(|row| holds(self.kind, table, row, &query.filter)).collect();
        rows.sort_by(|one, two| {
            let fields = query.order.iter().map(|field| (field, table.at(field)));
            fields.fold(Ordering::Equal, |so_far, (field, at)| so_far.then(order(self.kind, field, &one[at], &two[at])))
        });
        if query.limit > 0 {
            rows.truncate(query.limit as usize);
        }
        let row = |row: &Vec<Value>| {
            let mut values: Vec<Value> = query.columns.iter().map(|field| row[table.at(field)].clone()).collect();
            if let Some(field) = &query.same {
                let text = row[table.at(field)].to_text().unwrap_or_default();
                let key = text.trim_end().to_lowercase().replace('ü', "u");
                values.push(Value::Bytes(key.into_bytes()));
            }
            values
        };
        Ok(Page { columns: query.columns.clone(), rows: rows.into_iter().map(row).collect(), next: vec![] })
    }

    fn count_by(&self, _: &str, _: &str, _: &str, _: &Filter) -> Result<Vec<(Value, u64)>> {
        panic!("not asked for")
    }

    fn columns(&self, _: &str, collection: &str) -> Result<Option<Vec<Column>>> {
        Ok(self.tables.get(collection).map(|table| table.columns.clone()))
    }

    fn document(&self, _: &str, _: &str) -> Result<Option<String>> {
        panic!("a database has no documents")
    }

    fn files(&self, _: &str, _: &str) -> Result<Vec<File>> {
        panic!("a database has no files")
    }

    fn lines(&self, _: &str, _: &str, _: &str) -> Result<Vec<String>> {
        panic!("a database has no files")
    }
}

/// Handle 1 is the right password and 2 another; a digest is the handle, over and over.
pub struct Plain;

impl Secrets for Plain {
    fn derive(&self, password: Handle, _: &Kdf) -> Result<Derived> {
        Ok(Derived { salt: vec![7; 16], digest: vec![u8::try_from(password.0).unwrap(); 24] })
    }

    fn verify(&self, password: Handle, _: &Kdf, _: &[u8], digest: &[u8]) -> Result<bool> {
        Ok(digest.iter().all(|byte| u32::from(*byte) == password.0))
    }
}

/// Keeps what a verb reports.
#[derive(Default)]
pub struct Kept(pub Vec<Batch>);

impl Output for Kept {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.0.push(batch);
        Ok(())
    }
}
