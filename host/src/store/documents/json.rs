//! JSON as spans of its own text.
//!
//! A tree of values takes several times the room of the text and forgets how the text was written. So a document stays
//! the text it is: [`Json::parse`] checks all of it against RFC 8259, and everything else walks it again, where needed,
//! knowing it is well formed.
//!
//! An object with the same key twice is read as most parsers do: the last one counts.

use super::text;
use latchlift_plugin_api::Value;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

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
    /// The containers found so far: looking for one walks the whole document.
    containers: RefCell<HashMap<Vec<String>, Option<Span>>>,
}

impl Json {
    /// Checks a text.
    pub fn parse(text: String) -> Result<Json, Malformed> {
        match check(&text) {
            Ok((root, escaped)) => Ok(Json { text, root, escaped, containers: RefCell::default() }),
            Err((at, why)) => Err(malformed(&text, at, why)),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
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
        let bytes = self.text.as_bytes();
        match self.kind(container) {
            open @ (b'{' | b'[') => {
                Elements { bytes, at: space_end(bytes, container.start as usize + 1), keyed: open == b'{' }
            }
            // The end of the text holds no element.
            _ => Elements { bytes, at: bytes.len(), keyed: false },
        }
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
        if let Some(known) = self.containers.borrow().get(pointer) {
            return *known;
        }
        let found = self.find(self.root, pointer).filter(|span| self.kind(*span) != b'n');
        self.containers.borrow_mut().insert(pointer.to_vec(), found);
        found
    }

    pub fn value(&self, span: Span) -> Value {
        text::value(self, span)
    }
}

/// Walks the elements of a list or an object.
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    keyed: bool,
}

impl Iterator for Elements<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        let start = self.at;
        if matches!(self.bytes.get(start), None | Some(b']' | b'}')) {
            return None;
        }
        let mut value = start;
        if self.keyed {
            let colon = space_end(self.bytes, string_end(self.bytes, start));
            value = space_end(self.bytes, colon + 1);
        }
        let end = value_end(self.bytes, value);
        self.at = space_end(self.bytes, end);
        if self.bytes.get(self.at) == Some(&b',') {
            self.at = space_end(self.bytes, self.at + 1);
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
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
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

/// The deepest nesting read: deeper than any app writes, shallow enough for the stack.
const DEEPEST: usize = 400;

type Check<T> = Result<T, (usize, &'static str)>;

fn check(text: &str) -> Check<(Span, bool)> {
    if u32::try_from(text.len()).is_err() {
        return Err((0, "it is larger than 4 GiB"));
    }
    let mut checker = Checker { bytes: text.as_bytes(), at: 0, escaped: false };
    if text.starts_with('\u{feff}') {
        return Err((0, "it begins with a byte order mark"));
    }
    checker.space();
    let start = checker.at as u32;
    checker.value(0)?;
    let root = Span { start, end: checker.at as u32 };
    checker.space();
    match checker.at == text.len() {
        true => Ok((root, checker.escaped)),
        false => checker.bad("there is something after the end"),
    }
}

fn malformed(text: &str, at: usize, why: &'static str) -> Malformed {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    Malformed { line, column, why }
}

struct Checker<'a> {
    bytes: &'a [u8],
    at: usize,
    escaped: bool,
}

impl Checker<'_> {
    fn bad<T>(&self, why: &'static str) -> Check<T> {
        Err((self.at, if self.at >= self.bytes.len() { "it ends too early" } else { why }))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        self.at = space_end(self.bytes, self.at);
    }

    fn value(&mut self, depth: usize) -> Check<()> {
        match self.peek() {
            Some(b'{') => self.container(depth, b'}'),
            Some(b'[') => self.container(depth, b']'),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.bad("a value is missing"),
        }
    }

    fn container(&mut self, depth: usize, close: u8) -> Check<()> {
        if depth == DEEPEST {
            return self.bad("it is nested too deeply");
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.key()?;
            }
            self.value(depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b) if b == close => break self.at += 1,
                _ => return self.bad("a comma or a closing bracket is missing"),
            }
            self.space();
        }
        Ok(())
    }

    fn key(&mut self) -> Check<()> {
        if self.peek() != Some(b'"') {
            return self.bad("a key in double quotes is missing");
        }
        self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return self.bad("a colon is missing");
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn string(&mut self) -> Check<()> {
        self.at += 1;
        loop {
            let plain = |b: &u8| *b != b'"' && *b != b'\\' && *b >= 0x20;
            self.at += self.bytes[self.at..].iter().take_while(|b| plain(b)).count();
            match self.peek() {
                Some(b'"') => break self.at += 1,
                Some(b'\\') => self.escape()?,
                _ => return self.bad("a control character in a text must be escaped"),
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Check<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => return self.unicode(),
            _ => return self.bad("an escape that JSON does not know"),
        }
        Ok(())
    }

    /// `\uXXXX`, or two of them for a character beyond the first 65,536.
    fn unicode(&mut self) -> Check<()> {
        let unit = self.hex(self.at)?;
        let mut length = 6;
        if (0xd800..0xdc00).contains(&unit) {
            let low = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
            if !low || !(0xdc00..0xe000).contains(&self.hex(self.at + 6)?) {
                return self.bad("half of a surrogate pair");
            }
            length = 12;
        } else if (0xdc00..0xe000).contains(&unit) {
            return self.bad("half of a surrogate pair");
        }
        self.escaped |= unit >= 0x80;
        self.at += length;
        Ok(())
    }

    fn hex(&self, at: usize) -> Check<u32> {
        let digits = self.bytes.get(at + 2..at + 6).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match digits {
            Some(digits) => Ok(digits.iter().fold(0, |n, d| n * 16 + (*d as char).to_digit(16).unwrap_or(0))),
            None => self.bad("an escape that JSON does not know"),
        }
    }

    fn number(&mut self) -> Check<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Check<()> {
        let count = self.bytes[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { self.bad("a digit is missing") } else { Ok(()) }
    }

    fn word(&mut self, word: &[u8]) -> Check<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.bad("a value is missing");
        }
        self.at += word.len();
        Ok(())
    }
}

/// Whether a text is one JSON number.
pub fn is_number(text: &str) -> bool {
    let mut checker = Checker { bytes: text.as_bytes(), at: 0, escaped: false };
    checker.number().is_ok() && checker.at == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn what_the_standard_allows_is_read() {
        for text in ["0", "-0.5e+3", " [ ] ", "{}", r#""\ud83d\ude00\/""#, "[1,2 ,\t3]", r#"{"a":{"a":[{}]}}"#, "null"]
        {
            assert!(Json::parse(text.to_owned()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        let bad = [
            "",
            " ",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "[1,]",
            "{\"a\":1,}",
            "[1 2]",
            "{\"a\" 1}",
            "{a:1}",
            "'a'",
            "nul",
            "NaN",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"",
            "[",
            "{",
            "[}",
            "1 1",
            "\u{feff}1",
            "// x\n1",
            "\"\\",
        ];
        for text in bad {
            assert!(Json::parse(text.to_owned()).is_err(), "{text:?}");
        }
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        assert!(Json::parse(deep).is_err());
    }

    #[test]
    fn a_mistake_is_located_by_line_and_column() {
        let wrong = Json::parse("{\n  \"ü\": x\n}".to_owned()).err().unwrap();
        assert_eq!((wrong.line, wrong.column, wrong.why), (2, 8, "a value is missing"));
    }

    #[test]
    fn our_scanner_agrees_with_another_parser() {
        let mut seed = 7u64;
        let parts = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\"", "1", "-0", "1e5", "true", "null", " ", "\n"];
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(super::super::tests::next(&mut seed) % 9) {
                text += parts[(super::super::tests::next(&mut seed) % parts.len() as u64) as usize];
            }
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            assert_eq!(Json::parse(text.clone()).is_ok(), theirs, "{text:?}");
        }
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
