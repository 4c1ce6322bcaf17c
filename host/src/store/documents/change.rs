//! The changes of a step, resolved against a document: which records, and whether they are as the plan read them.
//!
//! All keys and filters see the document as it was before the step.

use super::collection::{AT, Address, RAW, Shape};
use super::format::{Format, Loaded};
use super::records::{self, Guard, Records};
use super::splice::{Content, Insertion};
use crate::error::{Error, Kind, Result};
use crate::store::stale;
use latchlift_plugin_api::plan::Key;
use latchlift_plugin_api::{Change, Facts, Record, Step, Value};
use std::collections::BTreeMap;

/// What a step does to one collection. The numbers of changes are those of the step.
pub struct Touched<'j> {
    pub collection: String,
    pub pointer: Vec<String>,
    pub records: Records<'j>,
    format: Format,
    /// By record: the change that removes it.
    pub removed: BTreeMap<usize, usize>,
    pub inserted: Vec<Inserted>,
    pub updated: Vec<Updated>,
}

/// A record that comes.
pub struct Inserted {
    pub insertion: Insertion,
    pub key: Option<String>,
    pub value: Value,
}

/// A record that changes, and to what.
pub struct Updated {
    pub change: usize,
    pub record: usize,
    pub after: Record,
}

/// Resolves a step, whose changes are all of this document.
pub fn resolve<'j>(document: &'j Loaded, step: &Step, facts: &Facts) -> Result<Vec<Touched<'j>>> {
    let json = &document.json;
    let mut all: Vec<Touched<'j>> = vec![];
    for (n, change) in step.changes.iter().enumerate() {
        let pointer = Address::parse(change.collection())?.pointer;
        let Some(container) = json.container(&pointer) else {
            match change {
                Change::Purge { .. } => continue,
                _ => return Err(stale(change, "is no longer in the document, or was never")),
            }
        };
        let shape = records::shape(json, container, change)?;
        let known = all.iter().position(|touched| touched.pointer == pointer && touched.records.shape == shape);
        let at = known.unwrap_or_else(|| {
            let records = Records::new(json, container, shape);
            all.push(Touched::new(change.collection(), pointer, records, document.format));
            all.len() - 1
        });
        all[at].add(n, change, facts)?;
    }
    Ok(all)
}

impl<'j> Touched<'j> {
    fn new(collection: &str, pointer: Vec<String>, records: Records<'j>, format: Format) -> Touched<'j> {
        let collection = collection.to_owned();
        Touched { collection, pointer, records, format, removed: BTreeMap::new(), inserted: vec![], updated: vec![] }
    }

    fn add(&mut self, n: usize, change: &Change, facts: &Facts) -> Result<()> {
        let guard = Guard { facts, collection: change.collection() };
        match change {
            Change::Insert { after, at, .. } => self.insert(change, after, *at),
            Change::Update { key, before, after, .. } => {
                let record = self.locate(change, key, before, guard)?;
                self.updated.push(Updated { change: n, record, after: after.clone() });
                Ok(())
            }
            Change::Delete { key, before, .. } => {
                let record = self.locate(change, key, before, guard)?;
                self.remove(n, record)
            }
            Change::Purge { filter, .. } => {
                for record in records::matching(&self.records, filter)? {
                    self.removed.entry(record).or_insert(n);
                }
                Ok(())
            }
            Change::Move { from, .. } => {
                Err(Error::new(Kind::Plugin, format!("the plan moves `{from}` in a step with other changes")))
            }
        }
    }

    fn remove(&mut self, n: usize, record: usize) -> Result<()> {
        match self.removed.insert(record, n) {
            None => Ok(()),
            Some(_) => {
                let message = format!("the plan deletes the same record of `{}` twice in one step", self.collection);
                Err(Error::new(Kind::Plugin, message))
            }
        }
    }

    fn insert(&mut self, change: &Change, after: &Record, at: Option<u64>) -> Result<()> {
        let at = at.or_else(|| after.int(AT).and_then(|at| u64::try_from(at).ok()));
        let inserted = match after.str(RAW) {
            Some(raw) => self.restored(raw, after, at)?,
            None => {
                let (key, value) = records::assemble(after)?;
                let content = Content::New { key: key.clone(), value: value.clone() };
                Inserted { insertion: Insertion { at, content }, key, value }
            }
        };
        if let Some(key) = inserted.key.as_deref().filter(|_| self.records.shape == Shape::Map) {
            let taken = self.records.group(&Record::new().with(super::collection::KEY, key))?;
            if taken.iter().any(|record| !self.removed.contains_key(record)) {
                return Err(stale(change, "got an entry of the same key"));
            }
        }
        self.inserted.push(inserted);
        Ok(())
    }

    /// A record as the text it was; an entry of a map may come with its key beside it.
    fn restored(&self, raw: &str, after: &Record, at: Option<u64>) -> Result<Inserted> {
        let unreadable = || Error::new(Kind::Conflict, "the record to put back is not what was removed");
        let (key, value) = self.format.read_raw(raw).ok_or_else(unreadable)?;
        let content = match (&key, after.str(super::collection::KEY)) {
            (None, Some(name)) if self.records.shape == Shape::Map => {
                let (key, value) = (Some(name.to_owned()), value.clone());
                return Ok(Inserted {
                    insertion: Insertion { at, content: Content::New { key: key.clone(), value: value.clone() } },
                    key,
                    value,
                });
            }
            _ => Content::Raw(raw.to_owned()),
        };
        match key.is_some() == (self.records.shape == Shape::Map) {
            true => Ok(Inserted { insertion: Insertion { at, content }, key, value }),
            false => Err(unreadable()),
        }
    }

    /// The record a key names. An ordinal beyond the records of that key names the only one that is as the plan says:
    /// undo writes it where other records of the same key came or went with the plan.
    fn locate(&mut self, change: &Change, key: &Key, before: &Record, guard: Guard<'_>) -> Result<usize> {
        let group = self.records.group(&key.fields)?;
        if let Some(record) = group.get(key.ordinal as usize) {
            return match self.records.agrees(*record, before, guard)? {
                true => Ok(*record),
                false => Err(stale(change, "changed")),
            };
        }
        let mut fitting = vec![];
        for record in group {
            if self.records.agrees(record, before, guard)? {
                fitting.push(record);
            }
        }
        let text = |record: &usize| self.records.json.raw(self.records.elements[*record].value());
        match (fitting.first(), fitting.last()) {
            // Of identical twins any will do; the last is the one that came last.
            (Some(first), Some(last)) if fitting.iter().all(|twin| text(twin) == text(first)) => Ok(*last),
            _ => Err(stale(change, "changed")),
        }
    }
}
