//! A resolved step as splices of a JSON text, and what undo will need.

use super::change::{Touched, Updated};
use super::collection::{AT, KEY, RAW, Shape, VALUE, parse_pointer};
use super::json::{Element, Json, Span, space_end};
use super::splice::{Content, Edit, Insertion, Splice, arrange};
use super::text::{self, Style};
use crate::error::{Error, Kind, Result};
use crate::store::Receipt;
use latchlift_plugin_api::{Change, Record, Step, Value};
use std::collections::{BTreeMap, HashSet};

/// Collects the splices of a step.
struct Writer<'j> {
    json: &'j Json,
    style: Style,
    /// What happens to the elements of a container, by where it starts.
    edits: BTreeMap<u32, Edit>,
    splices: Vec<Splice>,
    receipt: Receipt,
}

/// A receipt for a step of which nothing is known yet.
pub fn receipt(step: &Step) -> Receipt {
    let count = step.changes.len();
    Receipt { kept: vec![vec![]; count], places: vec![None; count], texts: vec![None; count], made: None }
}

/// The splices that make the step, and the receipt.
pub fn splices(json: &Json, touched: &[Touched<'_>], step: &Step) -> Result<(Vec<Splice>, Receipt)> {
    let mut writer =
        Writer { json, style: Style::of(json), edits: BTreeMap::new(), splices: vec![], receipt: receipt(step) };
    for one in touched {
        writer.records(one)?;
        one.updated.iter().try_for_each(|updated| writer.update(one, updated))?;
    }
    for one in touched.iter().filter(|one| !one.removed.is_empty()) {
        writer.remember(one, step);
    }
    for edit in writer.edits.values() {
        writer.splices.extend(edit.splices(json, &writer.style)?);
    }
    Ok((arrange(writer.splices)?, writer.receipt))
}

impl Writer<'_> {
    fn edit(&mut self, container: Span) -> Result<&mut Edit> {
        unambiguous(self.json, container)?;
        let json = self.json;
        Ok(self.edits.entry(container.start).or_insert_with(|| Edit::new(json, container)))
    }

    /// The records that come and go.
    fn records(&mut self, touched: &Touched<'_>) -> Result<()> {
        if touched.removed.is_empty() && touched.inserted.is_empty() {
            return Ok(());
        }
        let edit = self.edit(touched.records.container)?;
        edit.removed.extend(touched.removed.keys());
        edit.inserted.extend(touched.inserted.iter().map(|inserted| inserted.insertion.clone()));
        Ok(())
    }

    /// Keeps what went, with its place.
    fn remember(&mut self, touched: &Touched<'_>, step: &Step) {
        let Some(edit) = self.edits.get(&touched.records.container.start) else { return };
        for (record, raw) in edit.raws(self.json) {
            let Some(change) = touched.removed.get(&record) else { continue };
            note_removed(&mut self.receipt, step, *change, record, raw);
        }
    }

    fn update(&mut self, touched: &Touched<'_>, updated: &Updated) -> Result<()> {
        let record = touched.records.elements[updated.record];
        let was = updated.after.str(RAW).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let mut old = Old::default();
        for (field, value) in updated.after.iter().filter(|(field, _)| *field != RAW && *field != AT) {
            if !text::writable(value) {
                let message = format!("the plugin gave a value for `{field}` that a document cannot hold");
                return Err(Error::new(Kind::Plugin, message));
            }
            let raw = restored(&was, field, value);
            match field {
                KEY if touched.records.shape == Shape::Map => self.rename(touched, record, value)?,
                "" | VALUE => self.replace(record.value(), field, value, raw, &mut old),
                _ => self.member(record.value(), field, value, raw, &mut old)?,
            }
        }
        self.receipt.texts[updated.change] = old.text();
        Ok(())
    }

    fn rename(&mut self, touched: &Touched<'_>, record: Element, value: &Value) -> Result<()> {
        let taken = value.as_str().is_none_or(|key| self.json.member(touched.records.container, key).is_some());
        if taken {
            let message = format!("`{}` has an entry named `{value}` already", touched.collection);
            return Err(Error::new(Kind::Conflict, message));
        }
        unambiguous(self.json, touched.records.container)?;
        let mut text = String::new();
        self.style.write(value, None, &mut text);
        self.splice(self.json.key_span(record), text);
        Ok(())
    }

    /// Sets the member of a record that a pointer leads to.
    fn member(&mut self, record: Span, field: &str, value: &Value, raw: Option<Raw>, old: &mut Old) -> Result<()> {
        let pointer = parse_pointer(field)?;
        let (parents, name) = pointer.split_at(pointer.len().saturating_sub(1));
        let name = name.first().map(String::as_str).unwrap_or_default();
        let parent = self.json.find(record, parents).filter(|span| self.json.kind(*span) != b'n');
        let Some(parent) = parent else {
            let message = format!("a record has no place for `{field}`: what would hold it is missing");
            return Err(Error::new(Kind::Conflict, message));
        };
        (0..=parents.len())
            .filter_map(|n| self.json.find(record, &parents[..n]))
            .try_for_each(|span| unambiguous(self.json, span))?;
        let present = self.json.find(parent, &pointer[parents.len()..]);
        match (present, raw) {
            (Some(span), Some(Raw::Absent)) => self.take_out(parent, span),
            (Some(span), raw) => {
                self.replace(span, field, value, raw, old);
                Ok(())
            }
            (None, Some(Raw::Absent)) => Ok(()),
            (None, _) if !self.json.is_object(parent) => {
                Err(Error::new(Kind::Conflict, format!("a record's `{field}` is not in an object")))
            }
            (None, _) => {
                old.absent(field);
                let content = Content::New { key: Some(name.to_owned()), value: value.clone() };
                self.edit(parent)?.inserted.push(Insertion { at: None, content });
                Ok(())
            }
        }
    }

    fn take_out(&mut self, parent: Span, member: Span) -> Result<()> {
        let edit = self.edit(parent)?;
        let at = edit.elements.iter().position(|element| element.value == member.start);
        edit.removed.extend(at);
        Ok(())
    }

    fn replace(&mut self, span: Span, field: &str, value: &Value, raw: Option<Raw>, old: &mut Old) {
        let was = self.json.raw(span);
        if self.rendered(span, &self.json.value(span)) != was {
            old.present(field, was);
        }
        let text = match raw {
            Some(Raw::Text(raw)) => raw,
            _ => self.rendered(span, value),
        };
        self.splice(span, text);
    }

    /// A value as it would be written at this place.
    fn rendered(&self, span: Span, value: &Value) -> String {
        let was = self.json.raw(span);
        let filled_line = matches!(self.json.kind(span), b'[' | b'{') && was.len() > 2 && !was.contains('\n');
        let indent = self.style.unit.as_ref().filter(|_| !filled_line).map(|_| self.line_indent(span.start as usize));
        let mut text = String::new();
        self.style.write(value, indent, &mut text);
        text
    }

    fn line_indent(&self, at: usize) -> &str {
        let line = &self.json.text()[self.json.text()[..at].rfind('\n').map_or(0, |n| n + 1)..];
        &line[..space_end(line.as_bytes(), 0)]
    }

    fn splice(&mut self, span: Span, text: String) {
        let range = span.range();
        self.splices.push(Splice { start: range.start, end: range.end, text });
    }
}

/// Notes a record that goes, as its change asks.
pub fn note_removed(receipt: &mut Receipt, step: &Step, change: usize, place: usize, raw: &str) {
    match step.changes[change] {
        Change::Purge { keep: true, .. } => {
            let at = Value::Int(i64::try_from(place).unwrap_or(i64::MAX));
            receipt.kept[change].push(Record::new().with(RAW, raw).with(AT, at));
        }
        Change::Delete { .. } => {
            receipt.places[change] = Some(place as u64);
            receipt.texts[change] = Some(raw.to_owned());
        }
        _ => {}
    }
}

/// How a field was before an update, where writing its value again would not give the same bytes.
#[derive(Clone, Debug, PartialEq)]
enum Raw {
    Text(String),
    Absent,
}

/// The fields of an update that undo must restore from their text: a JSON object, null for what was absent.
#[derive(Default)]
struct Old(BTreeMap<String, Option<String>>);

impl Old {
    fn absent(&mut self, field: &str) {
        self.0.insert(field.to_owned(), None);
    }

    fn present(&mut self, field: &str, raw: &str) {
        self.0.insert(field.to_owned(), Some(raw.to_owned()));
    }

    fn text(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| serde_json::to_string(&self.0).ok()).flatten()
    }
}

/// The text to restore a field from, if it says what the plan says.
fn restored(was: &BTreeMap<String, Option<String>>, field: &str, value: &Value) -> Option<Raw> {
    match was.get(field)? {
        None => (*value == Value::Null).then_some(Raw::Absent),
        Some(raw) => {
            let json = Json::parse(raw.clone()).ok()?;
            let same = text::token_of(value).is_some_and(|token| token == *text::token(&json, Some(json.root())));
            same.then(|| Raw::Text(json.raw(json.root()).to_owned()))
        }
    }
}

/// An object with the same key twice is not written to: what the app reads there is a guess.
pub fn unambiguous(json: &Json, container: Span) -> Result<()> {
    let mut seen = HashSet::new();
    if !json.is_object(container) {
        return Ok(());
    }
    match json.elements(container).map(|member| json.key(member)).find(|key| !seen.insert(key.clone())) {
        Some(key) => {
            let message = format!("the document has the key `{key}` twice in one object; it is not clear which counts");
            Err(Error::new(Kind::Conflict, message).help("remove one of the two by hand"))
        }
        None => Ok(()),
    }
}
