//! How documents stand against a step: as before it, as after it, or neither.
//!
//! A step of one document is written by one rename, so it is there as a whole or not at all.

use super::collection::{Address, RAW, Shape};
use super::commit::one_document;
use super::format::{Format, Loaded};
use super::records::{self, Guard, Records};
use super::{Documents, removal};
use crate::atomic;
use crate::error::Result;
use crate::store::Standing;
use latchlift_plugin_api::{Change, Facts, Record, Step};
use std::collections::HashMap;

/// Opened collections by pointer and shape.
type Known<'j> = HashMap<(Vec<String>, Shape), Records<'j>>;

impl Documents {
    /// How the store stands. See [`crate::store::Store::standing`].
    pub(super) fn compare(&self, step: &Step, facts: &Facts) -> Result<Standing> {
        if let [Change::Move { from, to, sha256 }] = &step.changes[..] {
            return self.moved(from, to, sha256);
        }
        if let Some((name, sha256)) = removal::of(step) {
            return self.removed(name, sha256);
        }
        let Some(name) = one_document(step)? else { return Ok(Standing::Applied) };
        let document = self.declared(&name)?;
        let path = atomic::resolve(&self.path_of(document)?)?;
        let loaded = self.cache.read(Format::of(document)?, &path)?.map(|(loaded, _)| loaded);
        let (mut standings, mut known) = (vec![], HashMap::new());
        for change in &step.changes {
            standings.push(match &loaded {
                Some(loaded) => standing(loaded, change, facts, &mut known)?,
                None => missing(change),
            });
        }
        Ok(Standing::of_step(step, standings))
    }

    fn moved(&self, from: &str, to: &str, sha256: &str) -> Result<Standing> {
        let is_it = |name: &str| -> Result<Option<bool>> {
            Ok(atomic::digest(&self.named(name)?)?.map(|digest| digest == sha256))
        };
        Ok(match (is_it(from)?, is_it(to)?) {
            (Some(true), None) => Standing::Untouched,
            // The app may have begun a new document under the old name.
            (None | Some(false), Some(true)) => Standing::Applied,
            _ => Standing::Mixed,
        })
    }
}

/// The standing of a change whose document or collection is not there.
fn missing(change: &Change) -> Option<Standing> {
    match change {
        Change::Insert { .. } => Some(Standing::Untouched),
        Change::Delete { .. } => Some(Standing::Applied),
        Change::Purge { count, .. } => (*count > 0).then_some(Standing::Applied),
        Change::Update { .. } | Change::Move { .. } => Some(Standing::Mixed),
    }
}

fn standing<'j>(loaded: &'j Loaded, change: &Change, facts: &Facts, known: &mut Known<'j>) -> Result<Option<Standing>> {
    let (json, pointer) = (&loaded.json, Address::parse(change.collection())?.pointer);
    let Some(container) = json.container(&pointer) else { return Ok(missing(change)) };
    let shape = records::shape(json, container, change)?;
    let records = known.entry((pointer, shape)).or_insert_with(|| Records::new(json, container, shape));
    let guard = Guard { facts, collection: change.collection() };
    Ok(match change {
        Change::Insert { after, .. } => Some(inserted(records, after, loaded.format, guard)?),
        Change::Update { key, before, after, .. } => {
            let was = match records.group(&key.fields)?.get(key.ordinal as usize) {
                Some(record) => records.agrees(*record, before, guard)?,
                None => false,
            };
            let is = any(records, &renamed(&key.fields, after), after, guard)?;
            match (was, is) {
                (true, true) => None,
                (true, false) => Some(Standing::Untouched),
                (false, true) => Some(Standing::Applied),
                (false, false) => Some(Standing::Mixed),
            }
        }
        Change::Delete { key, before, .. } => match any(records, &key.fields, before, guard)? {
            true => Some(Standing::Untouched),
            false => Some(Standing::Applied),
        },
        Change::Purge { filter, count, .. } => match records::matching(records, filter)?.is_empty() {
            true => (*count > 0).then_some(Standing::Applied),
            false => Some(Standing::Untouched),
        },
        Change::Move { .. } => Some(Standing::Mixed),
    })
}

/// The key of a record once an update has been written, which may change it.
fn renamed(key: &Record, after: &Record) -> Record {
    Record(key.iter().map(|(name, value)| (name.to_owned(), after.get(name).unwrap_or(value).clone())).collect())
}

/// Whether some record of that key is as `expected` says.
fn any(records: &mut Records<'_>, key: &Record, expected: &Record, guard: Guard<'_>) -> Result<bool> {
    for record in records.group(key)? {
        if records.agrees(record, expected, guard)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn inserted(records: &mut Records<'_>, after: &Record, format: Format, guard: Guard<'_>) -> Result<Standing> {
    let expected = match after.str(RAW).and_then(|raw| format.read_raw(raw)) {
        Some((key, value)) => {
            let key = key.map(|key| Record::new().with(super::collection::KEY, key)).unwrap_or_default();
            key.with("", value)
        }
        None => after.clone(),
    };
    // The key of a map finds the entry at once; a list is searched.
    let key = match (records.shape, expected.get(super::collection::KEY)) {
        (Shape::Map, Some(key)) => Record::new().with(super::collection::KEY, key.clone()),
        _ => declared_key(&expected, guard),
    };
    Ok(if any(records, &key, &expected, guard)? { Standing::Applied } else { Standing::Untouched })
}

/// The declared key fields that a record gives; none where it does not give all of them.
fn declared_key(record: &Record, guard: Guard<'_>) -> Record {
    let names = guard.facts.collection(guard.collection).map_or(&[][..], |known| &known.key);
    let fields: Option<Vec<_>> = names.iter().map(|name| Some((name.clone(), record.get(name)?.clone()))).collect();
    Record(fields.unwrap_or_default())
}
