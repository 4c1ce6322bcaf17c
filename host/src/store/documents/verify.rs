//! Reading back: a new document must say exactly what the plan says.

use super::change::Touched;
use super::collection::{AT, KEY, RAW, Shape};
use super::json::Json;
use super::records::Records;
use super::splice::{Slot, layout};
use super::text;
use crate::error::{Error, Kind, Result};
use std::collections::BTreeSet;

/// What one collection must be after the step. Holds nothing of the old text, which is gone by then.
pub struct Expected {
    collection: String,
    pointer: Vec<String>,
    shape: Shape,
    count: usize,
    /// Records and fields, and the tokens of their values.
    fields: Vec<(usize, String, Option<String>)>,
}

impl Expected {
    pub fn of(touched: &Touched<'_>) -> Expected {
        let removed: BTreeSet<usize> = touched.removed.keys().copied().collect();
        let places: Vec<Option<u64>> = touched.inserted.iter().map(|inserted| inserted.insertion.at).collect();
        let slots = layout(touched.records.elements.len(), &removed, &places);
        let mut now = vec![None; touched.records.elements.len()];
        let mut fields = vec![];
        for (at, slot) in slots.iter().enumerate() {
            match slot {
                Slot::Old(old) => now[*old] = Some(at),
                Slot::New(new) => {
                    let inserted = &touched.inserted[*new];
                    fields.push((at, String::new(), text::token_of(&inserted.value)));
                    let key = inserted.key.clone().filter(|_| touched.records.shape == Shape::Map);
                    fields.extend(key.map(|key| (at, KEY.to_owned(), text::token_of(&key.into()))));
                }
            }
        }
        for updated in &touched.updated {
            let Some(at) = now[updated.record] else { continue };
            let planned = updated.after.iter().filter(|(field, _)| *field != RAW && *field != AT);
            fields.extend(planned.map(|(field, value)| (at, field.to_owned(), text::token_of(value))));
        }
        let (collection, pointer) = (touched.collection.clone(), touched.pointer.clone());
        Expected { collection, pointer, shape: touched.records.shape, count: slots.len(), fields }
    }

    /// Compares a new document with what it must be.
    pub fn verify(&self, json: &Json) -> Result<()> {
        let different = |what: &str| {
            let message = format!("the new `{}` {what}, which is not what was planned", self.collection);
            Err(Error::new(Kind::Conflict, message).help("report it with the output of this command"))
        };
        let records = match json.container(&self.pointer) {
            Some(container) => Records::new(json, container, self.shape),
            None => return different("would be missing"),
        };
        if records.elements.len() != self.count {
            return different(&format!("would have {} records", records.elements.len()));
        }
        for (at, field, token) in &self.fields {
            let found = records.find(*at, &[field])?.first().copied().flatten();
            if token.as_deref() != Some(&*text::token(json, found)) {
                return different(&format!("would have another `{field}`"));
            }
        }
        Ok(())
    }
}
