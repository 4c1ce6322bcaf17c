//! Collections in a document: which records there are, and the fields of each.

use super::json::{Element, Json, Span};
use super::text;
use crate::error::{Error, Kind, Result};
use std::borrow::Cow;
use std::sync::Arc;

/// The field that holds the key of a map's entry.
pub const KEY: &str = "@key";
/// The field that holds the value of a map's entry, or an item of a list of scalars.
pub const VALUE: &str = "@value";
/// The field that holds a record as the text it was. See [`crate::store::Receipt::texts`].
pub const RAW: &str = "@raw";
/// The field that holds where a record was in its collection.
pub const AT: &str = "@at";

/// `document#/pointer`, taken apart.
pub struct Address {
    pub document: String,
    pub pointer: Vec<String>,
}

impl Address {
    pub fn parse(collection: &str) -> Result<Address> {
        let (document, pointer) = collection.split_once('#').ok_or_else(|| {
            Error::new(Kind::Plugin, format!("the plugin named `{collection}`, which is not `document#/pointer`"))
        })?;
        Ok(Address { document: document.to_owned(), pointer: parse_pointer(pointer)? })
    }
}

/// The names along a JSON pointer (RFC 6901).
pub fn parse_pointer(pointer: &str) -> Result<Vec<String>> {
    if pointer.is_empty() {
        return Ok(vec![]);
    }
    let names = pointer.strip_prefix('/').ok_or_else(|| {
        Error::new(Kind::Plugin, format!("the plugin named `{pointer}`, which is neither a JSON pointer nor a field"))
    })?;
    Ok(names.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect())
}

/// A JSON pointer to the member of that name.
pub fn pointer_to(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// What the records of a collection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The items of a list.
    List,
    /// The members of an object, each with its key.
    Map,
    /// One object, a single record.
    Single,
}

impl Shape {
    /// The shape of the container, seen by someone who uses these fields: an object is a map for those who ask for its
    /// keys and values, and one record for all others. `None` for a scalar.
    pub fn of<'a>(json: &Json, container: Span, fields: impl IntoIterator<Item = &'a str>) -> Option<Shape> {
        match json.kind(container) {
            b'[' => Some(Shape::List),
            b'{' if fields.into_iter().any(|field| field == KEY || field == VALUE) => Some(Shape::Map),
            b'{' => Some(Shape::Single),
            _ => None,
        }
    }

    /// The records in the document's order.
    pub fn records(self, json: &Json, container: Span) -> Arc<[Element]> {
        match self {
            Shape::List => json.all(container),
            Shape::Map => text::last_of_each(json, json.elements(container).collect()).into(),
            Shape::Single => Arc::new([Element { start: container.start, value: container.start, end: container.end }]),
        }
    }
}

/// Some fields of records, found in one walk through each.
pub struct Fields {
    keys: Vec<usize>,
    tree: Branch,
    count: usize,
}

/// The fields at and below one place.
#[derive(Default)]
struct Branch {
    wanted: Vec<usize>,
    below: Vec<(String, Branch)>,
}

impl Fields {
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, shape: Shape) -> Result<Fields> {
        let mut fields = Fields { keys: vec![], tree: Branch::default(), count: 0 };
        for name in names {
            match name {
                KEY if shape == Shape::Map => fields.keys.push(fields.count),
                VALUE if shape != Shape::Single => fields.tree.wanted.push(fields.count),
                _ => fields.tree.add(&parse_pointer(name)?, fields.count),
            }
            fields.count += 1;
        }
        Ok(fields)
    }

    /// Where each field is, in the order of the names; `None` where the record lacks it.
    pub fn find(&self, json: &Json, record: Element, found: &mut Vec<Option<Span>>) {
        found.clear();
        found.resize(self.count, None);
        self.keys.iter().for_each(|n| found[*n] = Some(json.key_span(record)));
        self.tree.find(json, record.value(), found);
    }
}

impl Branch {
    fn add(&mut self, pointer: &[String], field: usize) {
        let Some((name, rest)) = pointer.split_first() else { return self.wanted.push(field) };
        let at = self.below.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.below.push((name.clone(), Branch::default()));
            self.below.len() - 1
        });
        self.below[at].1.add(rest, field);
    }

    fn find(&self, json: &Json, span: Span, found: &mut [Option<Span>]) {
        self.wanted.iter().for_each(|n| found[*n] = Some(span));
        if self.below.is_empty() {
            return;
        }
        let keyed = json.is_object(span);
        for (i, element) in json.elements(span).enumerate() {
            let name = if keyed { json.key(element) } else { Cow::Owned(i.to_string()) };
            if let Some((_, branch)) = self.below.iter().find(|(known, _)| *known == name) {
                // An earlier member of the same key is hidden as a whole, with what only it has.
                branch.forget(found);
                branch.find(json, element.value(), found);
            }
        }
    }

    fn forget(&self, found: &mut [Option<Span>]) {
        self.wanted.iter().for_each(|n| found[*n] = None);
        self.below.iter().for_each(|(_, branch)| branch.forget(found));
    }
}

/// The fields a reader may ask for: those of the first record. An object is both a map and a record, so it has both.
pub fn columns(json: &Json, container: Span) -> Option<Vec<String>> {
    let members = |span: Span| json.elements(span).map(|m| pointer_to(&json.key(m))).collect::<Vec<_>>();
    let first = json.elements(container).next();
    let mut names = match (json.kind(container), first) {
        (b'[', None) => vec![],
        (b'[', Some(item)) if json.is_object(item.value()) => members(item.value()),
        (b'[', Some(_)) => vec![VALUE.to_owned()],
        (b'{', _) => [vec![KEY.to_owned(), VALUE.to_owned()], members(container)].concat(),
        _ => return None,
    };
    if json.is_object(container) && json.elements(container).all(|member| json.is_object(member.value())) {
        names.extend(first.into_iter().flat_map(|member| members(member.value())));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, names: &[&str]) -> Vec<Vec<Option<String>>> {
        let json = Json::parse(text.to_owned()).unwrap();
        let shape = Shape::of(&json, json.root(), names.iter().copied()).unwrap();
        let fields = Fields::new(names.iter().copied(), shape).unwrap();
        let mut found = vec![];
        let row = |record: Element| {
            fields.find(&json, record, &mut found);
            found.iter().map(|span| span.map(|span| json.raw(span).to_owned())).collect()
        };
        shape.records(&json, json.root()).iter().copied().map(row).collect()
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect()
    }

    #[test]
    fn each_shape_gives_its_records() {
        let list = r#"[{"id":"a","data":{"n":1}},{"id":"b"}]"#;
        assert_eq!(rows(list, &["/data/n", "/id"]), [some(&["1", "\"a\""]), some(&["", "\"b\""])]);
        assert_eq!(rows(list, &[""])[1], some(&[r#"{"id":"b"}"#]));
        assert_eq!(rows(r#"["x","y"]"#, &["@value"]), [some(&["\"x\""]), some(&["\"y\""])]);
        let map = r#"{"k":{"a":1},"l":{"a":2}}"#;
        assert_eq!(rows(map, &["@key", "/a"]), [some(&["\"k\"", "1"]), some(&["\"l\"", "2"])]);
        assert_eq!(rows(map, &["/k/a"]), [some(&["1"])], "pointers alone make an object one record");
        assert_eq!(rows(r#"[{"g":["p","q"]}]"#, &["/g/1"]), [some(&["\"q\""])]);
    }

    #[test]
    fn of_equal_keys_the_last_counts() {
        assert_eq!(rows(r#"{"a":{"x":1},"a":{"y":2}}"#, &["/a/x", "/a/y"]), [some(&["", "2"])]);
        assert_eq!(rows(r#"{"a":1,"b":2,"a":3}"#, &["@key", "@value"]), [some(&["\"b\"", "2"]), some(&["\"a\"", "3"])]);
    }

    #[test]
    fn pointers_and_names_are_told_apart() {
        assert_eq!(parse_pointer("/a~1b/~0/").unwrap(), ["a/b", "~", ""]);
        assert_eq!(pointer_to("a/~b"), "/a~1~0b");
        assert_eq!(parse_pointer("id").unwrap_err().kind, Kind::Plugin);
        assert_eq!(Address::parse("users").err().unwrap().kind, Kind::Plugin);
        assert!(Fields::new(["@key"], Shape::List).is_err());
    }
}
