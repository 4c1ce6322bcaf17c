//! Values from JSON text and back, in the style the text is written in.

use super::check;
use super::json::{Element, Json, Span};
use latchlift_plugin_api::Value;
use std::borrow::Cow;
use std::collections::HashSet;

/// What a quoted text says.
pub fn unquote(raw: &str) -> Cow<'_, str> {
    let inner = &raw[1..raw.len() - 1];
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let (character, length) = unescape(&rest[at..]);
        text.push(character);
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character of an escape and the escape's length; the text has been checked.
fn unescape(escape: &str) -> (char, usize) {
    let unit = |at: usize| u32::from_str_radix(&escape[at..at + 4], 16).unwrap_or(0xfffd);
    match escape.as_bytes()[1] {
        b'b' => ('\u{8}', 2),
        b'f' => ('\u{c}', 2),
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'u' => match unit(2) {
            high @ 0xd800..0xdc00 => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (unit(8).wrapping_sub(0xdc00) & 0x3ff);
                (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
            }
            code => (char::from_u32(code).unwrap_or('\u{fffd}'), 6),
        },
        other => (other as char, 2),
    }
}

/// The value at a span.
pub fn value(json: &Json, span: Span) -> Value {
    let raw = json.raw(span);
    match json.kind(span) {
        b'"' => Value::Text(unquote(raw).into_owned()),
        b'{' => Value::Map(members(json, span)),
        b'[' => Value::List(json.elements(span).map(|item| value(json, item.value())).collect()),
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'n' => Value::Null,
        _ => number(raw),
    }
}

fn members(json: &Json, object: Span) -> Vec<(String, Value)> {
    let member = |element: Element| (json.key(element).into_owned(), value(json, element.value()));
    last_of_each(json, json.elements(object).collect()).into_iter().map(member).collect()
}

/// The members of an object without those that a later one of the same key hides.
pub fn last_of_each(json: &Json, mut members: Vec<Element>) -> Vec<Element> {
    let mut seen = HashSet::with_capacity(members.len());
    members.reverse();
    members.retain(|member| seen.insert(json.key(*member)));
    members.reverse();
    members
}

/// Whole numbers as integers; every other number keeps its digits, so that `1800.0` and `1E5` stay what they are.
pub fn number(raw: &str) -> Value {
    match (raw.parse::<i64>(), raw.parse::<u64>()) {
        (Ok(0), _) if raw != "0" => Value::Number(raw.to_owned()),
        (Ok(n), _) => Value::Int(n),
        (_, Ok(n)) => Value::UInt(n),
        _ => Value::Number(raw.to_owned()),
    }
}

/// One text for all ways to write the value at a span: equal values have equal tokens. Absent is null.
pub fn token(json: &Json, span: Option<Span>) -> Cow<'_, str> {
    let Some(span) = span else { return Cow::Borrowed("null") };
    let raw = json.raw(span);
    match json.kind(span) {
        b'{' | b'[' => Cow::Owned(compact(&value(json, span))),
        b'"' if raw.contains('\\') => Cow::Owned(compact(&value(json, span))),
        _ => Cow::Borrowed(raw),
    }
}

/// The token of a value: what JSON would say on one line without spaces.
fn compact(value: &Value) -> String {
    let mut text = String::new();
    Style::default().write(value, None, &mut text);
    text
}

/// The token of a value, or `None` where JSON cannot say it.
pub fn token_of(value: &Value) -> Option<String> {
    writable(value).then(|| compact(value))
}

/// Whether JSON can say this: no bytes, no infinity.
pub fn writable(value: &Value) -> bool {
    match value {
        Value::Bytes(_) => false,
        Value::Float(n) => n.is_finite(),
        Value::Number(text) => check::is_number(text),
        Value::List(items) => items.iter().all(writable),
        Value::Map(members) => members.iter().all(|(_, value)| writable(value)),
        _ => true,
    }
}

/// How a document is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// One level of indentation; `None` where the document is on one line.
    pub unit: Option<String>,
    /// Ends a line.
    pub newline: &'static str,
    /// Between a key and its value.
    pub colon: String,
    /// Between elements on one line.
    pub comma: String,
    /// Whether characters outside ASCII are escaped.
    pub ascii: bool,
}

impl Default for Style {
    fn default() -> Style {
        Style { unit: None, newline: "\n", colon: ":".into(), comma: ",".into(), ascii: false }
    }
}

impl Style {
    /// The style of a document, by its outermost value.
    pub fn of(json: &Json) -> Style {
        let elements: Vec<Element> = json.elements(json.root()).take(2).collect();
        let Some(first) = elements.first() else {
            return Style { unit: Some("  ".into()), colon: ": ".into(), comma: ", ".into(), ..Style::default() };
        };
        let lead = &json.text()[json.root().start as usize + 1..first.start as usize];
        let colon = colon(json, *first);
        let comma = match elements.get(1) {
            Some(second) if !lead.contains('\n') => between(json, *first, *second).to_owned(),
            _ => if colon.ends_with(' ') { ", " } else { "," }.to_owned(),
        };
        let unit = lead.rfind('\n').map(|at| lead[at + 1..].to_owned());
        Style {
            newline: if lead.contains("\r\n") { "\r\n" } else { "\n" },
            colon,
            comma,
            // Python's own writer, which indents by four where it is asked to, escapes unless told otherwise; what replaced it
            // indents by two and never does.
            ascii: (json.escaped || unit.as_deref() == Some("    ")) && json.text().is_ascii(),
            unit,
        }
    }

    /// Appends a value; `indent` is what its line begins with, `None` to keep it on one line.
    pub fn write(&self, value: &Value, indent: Option<&str>, out: &mut String) {
        match value {
            Value::Null | Value::Bytes(_) => out.push_str("null"),
            Value::Text(text) => self.write_text(text, out),
            Value::List(items) => self.write_all(items.iter(), ['[', ']'], indent, out, |item, inner, out| {
                self.write(item, inner, out);
            }),
            Value::Map(members) => self.write_all(members.iter(), ['{', '}'], indent, out, |member, inner, out| {
                self.write_member(&member.0, &member.1, inner, out);
            }),
            Value::Float(n) => out.push_str(&format!("{n:?}")),
            scalar => out.push_str(&scalar.to_text().unwrap_or_default()),
        }
    }

    /// Appends a member of an object.
    pub fn write_member(&self, key: &str, value: &Value, indent: Option<&str>, out: &mut String) {
        self.write_text(key, out);
        out.push_str(&self.colon);
        self.write(value, indent, out);
    }

    fn write_all<T>(
        &self,
        items: impl ExactSizeIterator<Item = T>,
        [open, close]: [char; 2],
        indent: Option<&str>,
        out: &mut String,
        mut write: impl FnMut(T, Option<&str>, &mut String),
    ) {
        let filled = items.len() > 0;
        let outer = indent.filter(|_| filled).map(|indent| format!("{}{indent}", self.newline));
        let inner = indent.map(|indent| format!("{indent}{}", self.unit.as_deref().unwrap_or("")));
        out.push(open);
        for (i, item) in items.enumerate() {
            match (&outer, i) {
                (Some(_), 0) | (None, 0) => {}
                (Some(_), _) => out.push(','),
                (None, _) => out.push_str(&self.comma),
            }
            if let (Some(_), Some(inner)) = (&outer, &inner) {
                out.push_str(self.newline);
                out.push_str(inner);
            }
            write(item, inner.as_deref(), out);
        }
        out.push_str(outer.as_deref().unwrap_or(""));
        out.push(close);
    }

    fn write_text(&self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c if c < ' ' || (self.ascii && !(' '..='~').contains(&c)) => {
                    c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

/// What stands between the first member found and its key.
fn colon(json: &Json, first: Element) -> String {
    let member = match json.is_object(json.root()) {
        true => Some(first),
        false => json.elements(first.value()).next().filter(|_| json.is_object(first.value())),
    };
    match member {
        Some(member) => json.text()[json.key_span(member).end as usize..member.value as usize].to_owned(),
        None => ": ".to_owned(),
    }
}

/// The text between two neighbours.
pub fn between(json: &Json, left: Element, right: Element) -> &str {
    &json.text()[left.end as usize..right.start as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let json = Json::parse(text.to_owned()).unwrap();
        let style = Style::of(&json);
        let mut out = String::new();
        style.write(&json.value(json.root()), style.unit.as_ref().map(|_| ""), &mut out);
        out
    }

    #[test]
    fn a_document_is_rewritten_in_its_own_style() {
        for text in [
            "{\n  \"version\": 1,\n  \"data\": {\n    \"users\": [],\n    \"n\": 1800.0,\n    \"ü\": null\n  }\n}",
            "{\n    \"a\": [\n        1E5,\n        {}\n    ],\n    \"b\": \"\\u00fc\\ud83d\\ude00\\u007f\"\n}",
            "{\"a\":[1,2],\"b\":{\"c\":true}}",
            "{\"a\": [1, 2], \"b\": {\"c\": false}}",
            "{\r\n\t\"a\": [\r\n\t\t1,\r\n\t\t2\r\n\t]\r\n}",
            "[\n {\n  \"a\" : \"\\\"\\\\\\n\\u0001\"\n }\n]",
        ] {
            assert_eq!(rewritten(text), text);
        }
    }

    #[test]
    fn numbers_keep_what_they_are() {
        assert_eq!(number("5"), Value::Int(5));
        assert_eq!(number("18446744073709551615"), Value::UInt(u64::MAX));
        for text in ["-0", "1.0", "1E5", "123456789012345678901234567890"] {
            assert_eq!(number(text), Value::Number(text.into()));
        }
        assert_eq!(token_of(&Value::Float(1800.0)).unwrap(), "1800.0");
        assert_eq!(token_of(&Value::Float(f64::NAN)), None);
        assert_eq!(token_of(&Value::Number("0x10".into())), None);
        assert_eq!(token_of(&Value::Bytes(vec![1])), None);
    }

    #[test]
    fn equal_values_have_equal_tokens_however_they_are_written() {
        let json =
            Json::parse(r#"["\u00fc\/", "ü/", { "a" : [ 1 ] }, {"a":[1]}, {"a":0,"a":[1]}]"#.to_owned()).unwrap();
        let tokens: Vec<String> =
            json.elements(json.root()).map(|item| token(&json, Some(item.value())).into_owned()).collect();
        assert_eq!(tokens[0], tokens[1]);
        assert_eq!((&tokens[2], &tokens[2]), (&tokens[3], &tokens[4]));
    }
}
