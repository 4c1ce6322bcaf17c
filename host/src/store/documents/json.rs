//! JSON as spans of its own text.
//!
//! A tree of values takes several times the room of the text and forgets how the text was written. So a document stays
//! the text it is: [`Json::parse`] checks all of it against RFC 8259, and everything else walks it again, where needed,
//! knowing it is well formed.
//!
//! An object with the same key twice is read as most parsers do: the last one counts.

use super::check::{Checked, Long, check};
use super::text;
use latchlift_plugin_api::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

/// Part of a document: one value, or a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One item of a list, or one member of an object with its key. The two offsets before `value` are equal in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    pub start: u32,
    pub value: u32,
    pub end: u32,
}

impl Element {
    pub fn value(self) -> Span {
        Span { start: self.value, end: self.end }
    }
}

/// Where a text is not JSON, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub line: usize,
    pub column: usize,
    pub why: &'static str,
}

/// A document, checked.
pub struct Json {
    text: String,
    root: Span,
    /// Whether a character outside ASCII is written as `\u....` somewhere.
    pub escaped: bool,
    /// The long lists and objects, by where they begin.
    long: Vec<Long>,
    /// The containers found so far: looking for one walks the whole document.
    containers: RwLock<HashMap<Vec<String>, Option<Span>>>,
}

impl Json {
    /// Checks a text.
    pub fn parse(text: String) -> Result<Json, Malformed> {
        match check(&text) {
            Ok(Checked { root, escaped, long }) => {
                Ok(Json { text, root, escaped, long, containers: RwLock::default() })
            }
            Err((at, why)) => Err(malformed(&text, at, why)),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }

    pub fn root(&self) -> Span {
        self.root
    }

    pub fn raw(&self, span: Span) -> &str {
        &self.text[span.range()]
    }

    /// The first byte of a value, which tells its kind.
    pub fn kind(&self, span: Span) -> u8 {
        self.text.as_bytes()[span.start as usize]
    }

    pub fn is_object(&self, span: Span) -> bool {
        self.kind(span) == b'{'
    }

    /// The items of a list or the members of an object, as written; none of a scalar.
    pub fn elements(&self, container: Span) -> Elements<'_> {
        if let Some(long) = self.long(container) {
            return Elements::Known(long.elements.iter());
        }
        let bytes = self.text.as_bytes();
        match self.kind(container) {
            open @ (b'{' | b'[') => {
                let at = space_end(bytes, container.start as usize + 1);
                Elements::Walk { bytes, at, keyed: open == b'{' }
            }
            // The end of the text holds no element.
            _ => Elements::Walk { bytes, at: bytes.len(), keyed: false },
        }
    }

    /// All elements of a container at once.
    pub fn all(&self, container: Span) -> Arc<[Element]> {
        match self.long(container) {
            Some(long) => Arc::clone(&long.elements),
            None => self.elements(container).collect(),
        }
    }

    fn long(&self, container: Span) -> Option<&Long> {
        let found = self.long.binary_search_by_key(&container.start, |long| long.span.start);
        found.ok().map(|at| &self.long[at])
    }

    /// The key of an object's member, with its quotes.
    pub fn key_span(&self, member: Element) -> Span {
        Span { start: member.start, end: string_end(self.text.as_bytes(), member.start as usize) as u32 }
    }

    /// The key of an object's member.
    pub fn key(&self, member: Element) -> Cow<'_, str> {
        text::unquote(self.raw(self.key_span(member)))
    }

    /// The member of an object with that key: the last, if there are several.
    pub fn member(&self, object: Span, key: &str) -> Option<Element> {
        if !self.is_object(object) {
            return None;
        }
        self.elements(object).filter(|member| self.key(*member) == key).last()
    }

    /// The value a pointer leads to.
    pub fn find(&self, from: Span, pointer: &[String]) -> Option<Span> {
        pointer.iter().try_fold(from, |span, name| match self.kind(span) {
            b'[' => Some(self.elements(span).nth(name.parse().ok()?)?.value()),
            _ => Some(self.member(span, name)?.value()),
        })
    }

    /// The list or object that a pointer leads to from the outermost value; null counts as absent.
    pub fn container(&self, pointer: &[String]) -> Option<Span> {
        if let Some(known) = self.containers.read().unwrap_or_else(PoisonError::into_inner).get(pointer) {
            return *known;
        }
        let found = self.find(self.root, pointer).filter(|span| self.kind(*span) != b'n');
        self.containers.write().unwrap_or_else(PoisonError::into_inner).insert(pointer.to_vec(), found);
        found
    }

    pub fn value(&self, span: Span) -> Value {
        text::value(self, span)
    }
}

/// The elements of a list or an object: those of a long one are known, a short one is walked. What is in a short one is short.
pub enum Elements<'a> {
    Known(std::slice::Iter<'a, Element>),
    Walk { bytes: &'a [u8], at: usize, keyed: bool },
}

impl Iterator for Elements<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        let (bytes, at, keyed) = match self {
            Elements::Known(elements) => return elements.next().copied(),
            Elements::Walk { bytes, at, keyed } => (*bytes, at, *keyed),
        };
        let start = *at;
        if matches!(bytes.get(start), None | Some(b']' | b'}')) {
            return None;
        }
        let mut value = start;
        if keyed {
            let colon = space_end(bytes, string_end(bytes, start));
            value = space_end(bytes, colon + 1);
        }
        let end = value_end(bytes, value);
        *at = space_end(bytes, end);
        if bytes.get(*at) == Some(&b',') {
            *at = space_end(bytes, *at + 1);
        }
        Some(Element { start: start as u32, value: value as u32, end: end as u32 })
    }
}

/// Where white space ends.
pub fn space_end(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Where a well-formed string ends, closing quote included.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        match bytes[at] {
            b'"' => return at + 1,
            _ => at += 2,
        }
    }
    bytes.len()
}

/// Where a well-formed value ends.
fn value_end(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'"') => string_end(bytes, start),
        Some(b'{' | b'[') => container_end(bytes, start),
        _ => {
            let stops = |b: &u8| matches!(b, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
            bytes[start..].iter().position(stops).map_or(bytes.len(), |n| start + n)
        }
    }
}

fn container_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn malformed(text: &str, at: usize, why: &'static str) -> Malformed {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    Malformed { line, column, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn a_mistake_is_located_by_line_and_column() {
        let wrong = Json::parse("{\n  \"ü\": x\n}".to_owned()).err().unwrap();
        assert_eq!((wrong.line, wrong.column, wrong.why), (2, 8, "a value is missing"));
    }

    #[test]
    fn long_lists_are_known_as_a_walk_would_find_them() {
        let item = |n: usize| format!(r#"{{ "id": "{n}", "in": [ {n}, "]}}\"", {{}} ] }}"#);
        let items: Vec<String> = (0..1000).map(item).collect();
        let doc = json(&format!(r#"{{"short": [1, 2], "long": [ {} ], "last": {{"a": 1}}}}"#, items.join(" ,\n")));
        let list = doc.container(&["long".to_owned()]).unwrap();
        for container in [doc.root(), list] {
            let at = space_end(doc.text().as_bytes(), container.start as usize + 1);
            let walk = Elements::Walk { bytes: doc.text().as_bytes(), at, keyed: container == doc.root() };
            assert!(matches!(doc.elements(container), Elements::Known(_)));
            assert_eq!(walk.collect::<Vec<_>>(), *doc.all(container));
        }
        assert_eq!(doc.all(list).len(), 1000);
    }

    #[test]
    fn pointers_lead_through_lists_and_objects() {
        let doc = json(r#"{"a": [{"b/c": 1}, {"b/c": 2}], "a~": "x", "d": 1, "d": 2}"#);
        let find = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
            doc.find(doc.root(), &names).map(|span| doc.raw(span))
        };
        assert_eq!(find(&["a", "1", "b/c"]), Some("2"));
        assert_eq!(find(&["a~"]), Some("\"x\""));
        assert_eq!(find(&["d"]), Some("2"), "of two equal keys the last counts");
        assert_eq!(find(&["a", "2"]), None);
        assert_eq!(find(&["a~", "x"]), None);
    }
}
