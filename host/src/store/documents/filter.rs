//! Filters over records, byte for byte.

use super::json::{Element, Json, Span};
use super::text;
use latchlift_plugin_api::{Filter, Value};
use memchr::memmem::Finder;
use std::cmp::Ordering;
use std::collections::HashSet;

/// A filter made ready: values as tokens, fields as numbers.
pub enum Test {
    Always,
    Never,
    Token(usize, String),
    OneOf(usize, HashSet<String>),
    Range { field: usize, from: Option<Value>, to: Option<Value> },
    All(Vec<Test>),
}

impl Test {
    /// Makes a filter ready; `field` answers the number under which a field will be found.
    pub fn new(filter: &Filter, field: &mut dyn FnMut(&str) -> usize) -> Test {
        match filter {
            Filter::All => Test::Always,
            Filter::Eq(name, value) => match text::token_of(value) {
                Some(token) => Test::Token(field(name), token),
                None => Test::Never,
            },
            Filter::In(name, values) => Test::OneOf(field(name), values.iter().filter_map(text::token_of).collect()),
            Filter::Range { field: name, from, to } => {
                Test::Range { field: field(name), from: from.clone(), to: to.clone() }
            }
            Filter::Null(name) => Test::Token(field(name), "null".to_owned()),
            Filter::And(all) => Test::All(all.iter().map(|filter| Test::new(filter, field)).collect()),
        }
    }

    /// Whether a record with these fields matches. Absent counts as null.
    pub fn holds(&self, json: &Json, found: &[Option<Span>]) -> bool {
        match self {
            Test::Always => true,
            Test::Never => false,
            Test::Token(field, token) => text::token(json, found[*field]) == *token,
            Test::OneOf(field, tokens) => tokens.contains(&*text::token(json, found[*field])),
            Test::Range { field, from, to } => found[*field].is_some_and(|span| {
                let value = json.value(span);
                let fits = |bound: &Option<Value>, wrong: Ordering| match bound {
                    Some(bound) => order(&value, bound).is_some_and(|order| order != wrong),
                    None => value != Value::Null,
                };
                fits(from, Ordering::Less) && fits(to, Ordering::Greater)
            }),
            Test::All(all) => all.iter().all(|test| test.holds(json, found)),
        }
    }
}

/// The most texts that are looked for one by one.
const FEW: usize = 8;

/// Texts of which a matching record holds at least one: taking a record apart costs many times as much as looking whether it
/// has any of them, and most have none.
pub struct Hint(Option<Vec<Finder<'static>>>);

impl Hint {
    pub fn of(test: &Test) -> Hint {
        let finders =
            |texts: Vec<&String>| texts.iter().map(|text| Finder::new(text.as_bytes()).into_owned()).collect();
        Hint(texts(test).map(finders))
    }

    /// Whether a record is worth taking apart. An escape may stand for any character, so a record with one always is.
    pub fn fits(&self, json: &Json, record: Element) -> bool {
        let Some(finders) = &self.0 else { return true };
        let text = json.raw(Span { start: record.start, end: record.end }).as_bytes();
        finders.iter().any(|finder| finder.find(text).is_some()) || memchr::memchr(b'\\', text).is_some()
    }
}

/// The texts of which a match holds one, where that is known. What is absent counts as null, so null is no such text.
fn texts(test: &Test) -> Option<Vec<&String>> {
    let quoted = |token: &&String| token.starts_with('"');
    match test {
        Test::Token(_, token) => Some(token).filter(quoted).map(|token| vec![token]),
        Test::OneOf(_, tokens) if tokens.len() <= FEW => {
            tokens.iter().map(|token| Some(token).filter(quoted)).collect()
        }
        Test::All(all) => all.iter().find_map(texts),
        _ => None,
    }
}

/// The order of two texts by their bytes, or of two numbers; values of other or different kinds have none.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let whole = |value: &Value| match value {
        Value::Int(n) => Some(i128::from(*n)),
        Value::UInt(n) => Some(i128::from(*n)),
        _ => None,
    };
    let number = |value: &Value| match value {
        Value::Float(n) => Some(*n),
        Value::Number(text) => text.parse().ok(),
        other => whole(other).map(|n| n as f64),
    };
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        _ => match (whole(left), whole(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => number(left)?.partial_cmp(&number(right)?),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::collection::{Fields, Shape};
    use super::*;

    fn matching(filter: Filter) -> Vec<usize> {
        let list = r#"[{"n":1,"t":"a"},{"n":1.0,"t":"\u0062"},{"n":null},{"t":"B","n":20}]"#;
        let json = Json::parse(list.to_owned()).unwrap();
        let mut names: Vec<String> = vec![];
        let test = Test::new(&filter, &mut |name| {
            names.push(name.to_owned());
            names.len() - 1
        });
        let fields = Fields::new(names.iter().map(String::as_str), Shape::List).unwrap();
        let hint = Hint::of(&test);
        let mut found = vec![];
        let mut hits = vec![];
        for (i, record) in json.elements(json.root()).enumerate() {
            fields.find(&json, record, &mut found);
            if test.holds(&json, &found) {
                assert!(hint.fits(&json, record), "a hint leaves out no match");
                hits.push(i);
            }
        }
        hits
    }

    fn range(field: &str, from: Option<Value>, to: Option<Value>) -> Filter {
        Filter::Range { field: field.into(), from, to }
    }

    #[test]
    fn values_match_byte_for_byte() {
        assert_eq!(matching(Filter::All), [0, 1, 2, 3]);
        assert_eq!(matching(Filter::eq("/n", 1)), [0], "1.0 is not 1");
        assert_eq!(matching(Filter::eq("/n", Value::Float(1.0))), [1]);
        assert_eq!(matching(Filter::eq("/t", "b")), [1], "letter case counts, the way of writing does not");
        assert_eq!(matching(Filter::eq("/t", Value::Bytes(vec![b'b']))), [0; 0]);
        assert_eq!(matching(Filter::Null("/n".into())), [2]);
        assert_eq!(matching(Filter::eq("/t", Value::Null)), [2], "absent is null");
        assert_eq!(matching(Filter::is_in("/t", ["a", "B", "zz"])), [0, 3]);
        assert_eq!(matching(Filter::eq("/t", "a").and(Filter::eq("/n", 2))), [0; 0]);
    }

    #[test]
    fn a_hint_passes_over_records_that_cannot_match() {
        let json = Json::parse(r#"[{"id":"a"},{"id":"b"},{"id":"\u0061"},{}]"#.to_owned()).unwrap();
        let fitting = |filter: Filter| -> Vec<usize> {
            let hint = Hint::of(&Test::new(&filter, &mut |_| 0));
            (0..4).filter(|n| hint.fits(&json, json.elements(json.root()).nth(*n).unwrap())).collect()
        };
        assert_eq!(fitting(Filter::eq("/id", "a")), [0, 2], "an escape may be any character");
        assert_eq!(fitting(Filter::is_in("/id", ["a", "b"])), [0, 1, 2]);
        assert_eq!(fitting(Filter::eq("/n", 1).and(Filter::eq("/id", "b"))), [1, 2]);
        for all in [Filter::All, Filter::Null("/id".into()), Filter::eq("/id", 1)] {
            assert_eq!(fitting(all), [0, 1, 2, 3]);
        }
        let many: Vec<String> = (0..=FEW).map(|n| n.to_string()).collect();
        assert_eq!(fitting(Filter::is_in("/id", &many)), [0, 1, 2, 3]);
    }

    #[test]
    fn ranges_include_their_bounds_and_leave_out_null() {
        assert_eq!(matching(range("/n", Some(Value::Int(1)), None)), [0, 1, 3]);
        assert_eq!(matching(range("/n", None, Some(Value::Float(1.0)))), [0, 1]);
        assert_eq!(matching(range("/t", Some("B".into()), Some("a".into()))), [0, 3]);
        assert_eq!(matching(range("/t", None, None)), [0, 1, 3]);
        assert_eq!(matching(range("/t", Some(Value::Int(0)), None)), [0; 0]);
    }
}
