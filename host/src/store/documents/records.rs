//! The records of one collection, for those who compare and change them.

use super::collection::{AT, Fields, KEY, RAW, Shape, VALUE};
use super::json::{Element, Json, Span};
use super::text;
use crate::error::{Error, Kind, Result};
use crate::store::guarded;
use latchlift_plugin_api::{Change, Facts, Filter, Record, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Records by their key fields: the fields, and for each combination of their values where the records are.
type Index = HashMap<Vec<String>, Vec<usize>>;

/// The records of a collection.
pub struct Records<'j> {
    pub json: &'j Json,
    pub container: Span,
    pub shape: Shape,
    pub elements: Arc<[Element]>,
    indexes: HashMap<Vec<String>, Index>,
}

impl<'j> Records<'j> {
    pub fn new(json: &'j Json, container: Span, shape: Shape) -> Records<'j> {
        let elements = shape.records(json, container);
        Records { json, container, shape, elements, indexes: HashMap::new() }
    }

    /// Where some fields of a record are.
    pub fn find(&self, record: usize, names: &[&str]) -> Result<Vec<Option<Span>>> {
        let mut found = vec![];
        Fields::new(names.iter().copied(), self.shape)?.find(self.json, self.elements[record], &mut found);
        Ok(found)
    }

    /// The records with these key fields, in order. The second look with the same fields costs nothing.
    pub fn group(&mut self, key: &Record) -> Result<Vec<usize>> {
        let names: Vec<String> = key.fields().map(str::to_owned).collect();
        if !self.indexes.contains_key(&names) {
            let index = self.index(&names)?;
            self.indexes.insert(names.clone(), index);
        }
        let tokens: Option<Vec<String>> = key.iter().map(|(_, value)| text::token_of(value)).collect();
        let index = &self.indexes[&names];
        Ok(tokens.and_then(|tokens| index.get(&tokens).cloned()).unwrap_or_default())
    }

    fn index(&self, names: &[String]) -> Result<Index> {
        let fields = Fields::new(names.iter().map(String::as_str), self.shape)?;
        let (mut index, mut found) = (Index::new(), vec![]);
        for (i, record) in self.elements.iter().enumerate() {
            fields.find(self.json, *record, &mut found);
            let tokens = found.iter().map(|span| text::token(self.json, *span).into_owned()).collect();
            index.entry(tokens).or_default().push(i);
        }
        Ok(index)
    }

    /// Whether the fields of a record that the collection guards are as `expected` says.
    pub fn agrees(&self, record: usize, expected: &Record, guard: Guard<'_>) -> Result<bool> {
        let fields: Vec<(&str, &Value)> = guard.fields(expected).collect();
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let found = self.find(record, &names)?;
        Ok(fields.iter().zip(found).all(|((name, value), span)| {
            let hidden = guard.below(name);
            match (hidden.is_empty(), span) {
                (false, Some(span)) => without(self.json.value(span), &hidden) == without((*value).clone(), &hidden),
                _ => text::token_of(value).is_some_and(|token| token == *text::token(self.json, span)),
            }
        }))
    }
}

/// Which fields of a collection count when records are compared: all but the volatile ones.
#[derive(Clone, Copy)]
pub struct Guard<'f> {
    pub facts: &'f Facts,
    pub collection: &'f str,
}

impl<'f> Guard<'f> {
    fn fields<'r>(&self, record: &'r Record) -> impl Iterator<Item = (&'r str, &'r Value)>
    where
        'f: 'r,
    {
        guarded(self.facts, self.collection, record).filter(|(name, _)| *name != RAW && *name != AT)
    }

    /// The volatile fields inside `field`, as the names that lead to them.
    fn below(&self, field: &str) -> Vec<Vec<String>> {
        let volatile = self.facts.collection(self.collection).map_or(&[][..], |known| &known.volatile);
        let field = if field == VALUE { "" } else { field };
        let inner = |name: &String| name.strip_prefix(field).filter(|rest| rest.starts_with('/')).map(str::to_owned);
        volatile.iter().filter_map(inner).filter_map(|rest| super::collection::parse_pointer(&rest).ok()).collect()
    }
}

/// The token of a value without the members these pointers lead to.
fn without(mut value: Value, pointers: &[Vec<String>]) -> Option<String> {
    pointers.iter().for_each(|pointer| remove(&mut value, pointer));
    text::token_of(&value)
}

fn remove(value: &mut Value, pointer: &[String]) {
    let (Value::Map(members), Some((name, rest))) = (value, pointer.split_first()) else { return };
    match rest {
        [] => members.retain(|(known, _)| known != name),
        _ => members.iter_mut().filter(|(known, _)| known == name).for_each(|(_, inner)| remove(inner, rest)),
    }
}

/// The fields of a change, by which an object is seen as a map or as one record.
pub fn shape(json: &Json, container: Span, change: &Change) -> Result<Shape> {
    let fields: Vec<&str> = match change {
        Change::Update { key, before, after, .. } => {
            key.fields.fields().chain(before.fields()).chain(after.fields()).collect()
        }
        // One object alone cannot be inserted or removed, so an object is a map here.
        Change::Insert { .. } | Change::Delete { .. } | Change::Purge { .. } | Change::Move { .. } => vec![KEY],
    };
    Shape::of(json, container, fields).ok_or_else(|| not_a_collection(change.collection()))
}

pub fn not_a_collection(collection: &str) -> Error {
    Error::new(Kind::UnknownSchema, format!("`{collection}` is neither a list nor an object"))
}

/// A new record's key, where it goes into a map, and its value: the fields put together.
pub fn assemble(record: &Record) -> Result<(Option<String>, Value)> {
    let mut key = None;
    let mut whole = None;
    let mut members = Value::Map(vec![]);
    for (field, value) in record.iter() {
        match field {
            KEY => key = value.as_str().map(str::to_owned),
            RAW | AT => {}
            "" | VALUE => whole = Some(value.clone()),
            pointer => put(&mut members, &super::collection::parse_pointer(pointer)?, value.clone())
                .ok_or_else(|| Error::new(Kind::Plugin, format!("the new record's `{pointer}` has no place")))?,
        }
    }
    let value = whole.unwrap_or(members);
    match text::writable(&value) {
        true => Ok((key, value)),
        false => Err(Error::new(Kind::Plugin, "the plugin gave a value that a document cannot hold")),
    }
}

/// Puts a value where a pointer leads, making the objects on the way.
fn put(into: &mut Value, pointer: &[String], value: Value) -> Option<()> {
    let Value::Map(members) = into else { return None };
    let (name, rest) = pointer.split_first()?;
    let at = members.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        members.push((name.clone(), Value::Map(vec![])));
        members.len() - 1
    });
    match rest {
        [] => members[at].1 = value,
        _ => put(&mut members[at].1, rest, value)?,
    }
    Some(())
}

/// The records that match a filter.
pub fn matching(records: &Records<'_>, filter: &Filter) -> Result<Vec<usize>> {
    let mut names: Vec<String> = vec![];
    let test = super::filter::Test::new(filter, &mut |name| {
        names.push(name.to_owned());
        names.len() - 1
    });
    let fields = Fields::new(names.iter().map(String::as_str), records.shape)?;
    let hint = super::filter::Hint::of(&test);
    let mut found = vec![];
    let mut hits = vec![];
    for (i, record) in records.elements.iter().enumerate().filter(|(_, record)| hint.fits(records.json, **record)) {
        fields.find(records.json, *record, &mut found);
        if test.holds(records.json, &found) {
            hits.push(i);
        }
    }
    Ok(hits)
}
