//! Values and records: what every store's cells become on their way to a plugin and back.

mod coding;

pub use coding::Cell;

use serde::{Deserialize, Serialize};
use std::fmt;

/// One cell of a store, in the store's own kind.
///
/// The journal tags each with its kind, so that it can tell text from a number and infinity from null. MessagePack has
/// kinds of its own, which spare the tags a hundred thousand rows at a time; only what it lacks is tagged there.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// SQL `NULL`, JSON `null`.
    #[default]
    Null,
    /// A boolean; SQLite and MySQL store it as 0 or 1.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer above `i64::MAX`.
    UInt(u64),
    /// A binary floating point number.
    Float(f64),
    /// A number kept as its digits: decimals, and JSON numbers such as `1800.0` or `1E5`.
    Number(String),
    /// Text in UTF-8. Dates and times of SQL stores arrive as text, in the store's own form.
    Text(String),
    /// Bytes that are not valid UTF-8.
    Bytes(Vec<u8>),
    /// A JSON or YAML sequence.
    List(Vec<Value>),
    /// A JSON or YAML mapping, in its order.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The text, or the digits of a number; `None` for null, bytes that are not text, lists and maps.
    ///
    /// Columns with a numeric affinity give a number where the app wrote text that looks like one, so apps that keep
    /// text in such columns read it through here.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Int(n) => Some(n.to_string()),
            Value::UInt(n) => Some(n.to_string()),
            Value::Float(n) => Some(n.to_string()),
            Value::Bool(b) => Some(b.to_string()),
            _ => None,
        }
    }

    /// The text, borrowed; `None` for every other kind.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, from whatever kind holds one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            Value::UInt(n) => i64::try_from(*n).ok(),
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Float(n) if n.fract() == 0.0 && n.abs() < 9e15 => Some(*n as i64),
            Value::Number(text) | Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The truth value as SQL stores and JSON write it; null is `None`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::Text(text) if text == "true" || text == "t" => Some(true),
            Value::Text(text) if text == "false" || text == "f" => Some(false),
            other => other.as_int().map(|n| n != 0),
        }
    }

    /// Whether this is null or empty text, which apps that write "zero values" treat alike.
    pub fn is_blank(&self) -> bool {
        matches!(self, Value::Null) || matches!(self, Value::Text(text) if text.is_empty())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Int(n)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl fmt::Display for Value {
    /// For people: text as it is, null as `null`, bytes as `0x` and hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bytes(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
            Value::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Value::Map(entries) => {
                f.write_str("{")?;
                for (i, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            other => f.write_str(&other.to_text().unwrap_or_default()),
        }
    }
}

/// Named values in order: a row of a table, or the fields of a document's record.
///
/// In a table a field is a column name. In a document it is a JSON pointer below the record (`/data/username`), the
/// empty pointer for the whole record, or `@key` and `@value` for an entry of a map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record(pub Vec<(String, Value)>);

impl Record {
    /// A record without fields.
    pub fn new() -> Record {
        Record::default()
    }

    /// The record with one more field.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Value>) -> Record {
        self.0.push((field.into(), value.into()));
        self
    }

    /// The value of `field`, if the record has it.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// The value of `field` as text; `None` where it is absent, null or not text. See [`Value::to_text`].
    pub fn text(&self, field: &str) -> Option<String> {
        self.get(field)?.to_text()
    }

    /// The value of `field` as borrowed text.
    pub fn str(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_str()
    }

    /// The value of `field` as an integer.
    pub fn int(&self, field: &str) -> Option<i64> {
        self.get(field)?.as_int()
    }

    /// The value of `field` as a boolean.
    pub fn bool(&self, field: &str) -> Option<bool> {
        self.get(field)?.as_bool()
    }

    /// Whether the record has no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names of the fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl<F: Into<String>, V: Into<Value>, const N: usize> From<[(F, V); N]> for Record {
    fn from(fields: [(F, V); N]) -> Record {
        Record(fields.into_iter().map(|(field, value)| (field.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> Vec<Value> {
        vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(-1),
            Value::Int(i64::MAX),
            Value::UInt(u64::MAX),
            Value::UInt(1),
            Value::Float(f64::INFINITY),
            Value::Float(0.1),
            Value::Float(1.0),
            Value::Number("1E5".into()),
            Value::Text("ü".into()),
            Value::Text("Null".into()),
            Value::Bytes(vec![0xff, 0]),
            Value::Bytes(b"text".to_vec()),
            Value::List(vec![Value::Null, Value::List(vec![Value::Number("1.0".into())])]),
            Value::Map(vec![("b".into(), Value::Int(1)), ("a".into(), Value::Map(vec![])), ("b".into(), Value::Null)]),
            Value::Map(vec![("Number".into(), Value::Text("1".into()))]),
        ]
    }

    #[test]
    fn every_kind_survives_the_journal_and_the_waist() {
        let values = one_of_each();
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Value>>(&json).unwrap(), values);
        let packed = rmp_serde::to_vec_named(&values).unwrap();
        assert_eq!(rmp_serde::from_slice::<Vec<Value>>(&packed).unwrap(), values);
        let cells = rmp_serde::from_slice::<Vec<Cell<'_>>>(&packed).unwrap();
        assert_eq!(cells.into_iter().map(Value::from).collect::<Vec<_>>(), values);
    }

    #[test]
    fn the_journal_tags_every_kind() {
        let values =
            vec![Value::Null, Value::Int(1), Value::Float(1.5), Value::Text("a".into()), Value::Bytes(vec![7])];
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(json, r#"["Null",{"Int":1},{"Float":"1.5"},{"Text":"a"},{"Bytes":[7]}]"#);
    }

    #[test]
    fn the_waist_tags_only_what_messagepack_lacks() {
        let packed = |value: &Value| rmp_serde::to_vec_named(value).unwrap();
        assert_eq!(packed(&Value::Null), b"\xc0");
        assert_eq!(packed(&Value::Int(5)), b"\x05");
        assert_eq!(packed(&"ab".into()), b"\xa2ab");
        assert_eq!(packed(&Value::Number("1".into())), b"\x81\xa6Number\xa11");
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        assert!(serde_json::from_str::<Value>(r#"{"Decimal128":"1"}"#).is_err());
        let unknown: [&[u8]; 4] =
            [b"\x81\xaaDecimal128\xa11", b"\x80", b"\x82\xa6Number\xa11\xa6Number\xa12", b"\xd4\x01\x00"];
        for packed in unknown {
            assert!(rmp_serde::from_slice::<Value>(packed).is_err(), "{packed:?}");
            assert!(rmp_serde::from_slice::<Cell<'_>>(packed).is_err(), "{packed:?}");
        }
    }
}
