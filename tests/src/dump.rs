//! A store's whole content as text in a fixed order, and what differs between two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One record: its fields as text.
pub type Row = BTreeMap<String, String>;

/// Everything a store holds, by table or by list in a document, each in a fixed order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dump(pub BTreeMap<String, Vec<Row>>);

/// One record that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The table or list it is in.
    pub collection: String,
    /// The record before; absent if it is new.
    pub before: Option<Row>,
    /// The record after; absent if it is gone.
    pub after: Option<Row>,
}

impl Dump {
    /// Adds a record.
    pub fn add(&mut self, collection: &str, row: Row) {
        self.0.entry(collection.to_owned()).or_default().push(row);
    }

    /// The dump with the records of each collection in a fixed order: for stores where order has no meaning.
    #[must_use]
    pub fn sorted(mut self) -> Dump {
        self.0.values_mut().for_each(|rows| rows.sort());
        self
    }

    /// The records of a collection.
    pub fn rows(&self, collection: &str) -> &[Row] {
        self.0.get(collection).map_or(&[], Vec::as_slice)
    }

    /// What differs. Records with the same values in the fields `keys` names for their collection are the same record.
    pub fn differences<'a>(&self, after: &Dump, keys: impl Fn(&str) -> &'a [&'a [&'a str]]) -> Vec<Difference> {
        let names: BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        let mut found = Vec::new();
        for name in names {
            let (gone, new) = only_in_one(self.rows(name), after.rows(name));
            pair(name, gone, new, keys(name), &mut found);
        }
        found
    }
}

fn only_in_one(before: &[Row], after: &[Row]) -> (Vec<Row>, Vec<Row>) {
    let mut new = after.to_vec();
    let mut gone = Vec::new();
    for row in before {
        match new.iter().position(|other| other == row) {
            Some(place) => drop(new.remove(place)),
            None => gone.push(row.clone()),
        }
    }
    (gone, new)
}

fn pair(name: &str, gone: Vec<Row>, mut new: Vec<Row>, keys: &[&[&str]], found: &mut Vec<Difference>) {
    for row in gone {
        let same = |key: &&[&str], other: &Row| key.iter().all(|field| row.get(*field) == other.get(*field));
        let place = keys.iter().find_map(|key| new.iter().position(|other| same(key, other)));
        let after = place.map(|place| new.remove(place));
        found.push(Difference { collection: name.to_owned(), before: Some(row), after });
    }
    found.extend(new.into_iter().map(|row| Difference { collection: name.to_owned(), before: None, after: Some(row) }));
}

impl Difference {
    /// The fields that differ; all of them for a record that is new or gone.
    pub fn fields(&self) -> Vec<&str> {
        static EMPTY: Row = Row::new();
        let (before, after) = (self.before.as_ref().unwrap_or(&EMPTY), self.after.as_ref().unwrap_or(&EMPTY));
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        names.into_iter().filter(|name| before.get(*name) != after.get(*name)).map(String::as_str).collect()
    }

    /// A field of the record, as it was, or as it is where it is new.
    pub fn field(&self, name: &str) -> Option<&str> {
        let row = self.before.as_ref().or(self.after.as_ref())?;
        row.get(name).map(String::as_str)
    }

    /// Whether the record is gone.
    pub fn is_gone(&self) -> bool {
        self.after.is_none()
    }

    /// Whether the record is new.
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// Whether the record is in both and differs only in these fields.
    pub fn only(&self, fields: &[&str]) -> bool {
        self.before.is_some() && self.after.is_some() && self.fields().iter().all(|field| fields.contains(field))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.before.as_ref().or(self.after.as_ref());
        match (&self.before, &self.after) {
            (Some(_), Some(_)) => write!(f, "{}: changed", self.collection)?,
            (Some(_), None) => write!(f, "{}: gone", self.collection)?,
            (None, _) => write!(f, "{}: new", self.collection)?,
        }
        write!(f, " {:?} of {:?}", self.fields(), row)
    }
}
