//! How values travel: tagged with their kind in formats for people, as MessagePack's own kinds between host and plugin.

use super::Value;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// The form of the journal: each value tagged with its kind.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Value", rename = "Value")]
enum Tagged {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(#[serde(with = "float_text")] f64),
    Number(String),
    Text(String),
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// JSON has no infinity and no NaN, so floats travel as text wherever the format is for people.
mod float_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{value:?}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format!("`{text}` is not a number")))
    }
}

/// The tags of the kinds that MessagePack lacks: each is a mapping with one entry.
const NUMBER: &str = "Number";
const MAP: &str = "Map";
/// Small unsigned integers only; MessagePack itself tells those above `i64::MAX` from the signed ones.
const UINT: &str = "UInt";

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            return Tagged::serialize(self, to);
        }
        match self {
            Value::Null => to.serialize_unit(),
            Value::Bool(yes) => to.serialize_bool(*yes),
            Value::Int(n) => to.serialize_i64(*n),
            Value::UInt(n) if i64::try_from(*n).is_err() => to.serialize_u64(*n),
            Value::UInt(n) => tagged(to, UINT, n),
            Value::Float(n) => to.serialize_f64(*n),
            Value::Number(digits) => tagged(to, NUMBER, digits),
            Value::Text(text) => to.serialize_str(text),
            Value::Bytes(bytes) => to.serialize_bytes(bytes),
            Value::List(items) => to.collect_seq(items),
            Value::Map(entries) => tagged(to, MAP, entries),
        }
    }
}

fn tagged<S: Serializer, T: Serialize>(to: S, tag: &str, value: &T) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(1))?;
    map.serialize_entry(tag, value)?;
    map.end()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        match from.is_human_readable() {
            true => Tagged::deserialize(from),
            false => from.deserialize_any(Packed(PhantomData)),
        }
    }
}

/// One cell of a page, with its text where the page has it: for reading a hundred thousand rows of which little is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Text, borrowed.
    Text(&'a str),
    /// Everything else, and text that could not be borrowed.
    Other(Value),
}

impl Cell<'_> {
    /// The text, borrowed; `None` for every other kind.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            Cell::Other(value) => value.as_str(),
        }
    }

    /// The integer, from whatever kind holds one. See [`Value::as_int`].
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Cell::Text(text) => text.parse().ok(),
            Cell::Other(value) => value.as_int(),
        }
    }

    /// The text, or the digits of a number. See [`Value::to_text`].
    pub fn to_text(&self) -> Option<String> {
        match self {
            Cell::Text(text) => Some((*text).to_owned()),
            Cell::Other(value) => value.to_text(),
        }
    }

    /// The text, without a copy where there is one to take.
    pub fn into_text(self) -> Option<String> {
        match self {
            Cell::Other(Value::Text(text)) => Some(text),
            other => other.to_text(),
        }
    }

    /// Whether this is null or empty text.
    pub fn is_blank(&self) -> bool {
        match self {
            Cell::Text(text) => text.is_empty(),
            Cell::Other(value) => value.is_blank(),
        }
    }
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Value {
        match cell {
            Cell::Text(text) => Value::Text(text.to_owned()),
            Cell::Other(value) => value,
        }
    }
}

impl Default for Cell<'_> {
    fn default() -> Self {
        Cell::Other(Value::Null)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(text)
    }
}

impl From<Value> for Cell<'_> {
    fn from(value: Value) -> Self {
        Cell::Other(value)
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Text(text) if !to.is_human_readable() => to.serialize_str(text),
            Cell::Text(text) => Value::from(*text).serialize(to),
            Cell::Other(value) => value.serialize(to),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Cell<'a>, D::Error> {
        match from.is_human_readable() {
            true => Tagged::deserialize(from).map(Cell::Other),
            false => from.deserialize_any(Packed(PhantomData)),
        }
    }
}

/// What text becomes: the one thing in which a value and a cell differ.
trait Holds<'de>: From<Value> {
    fn text(text: &'de str) -> Self;
}

impl<'de> Holds<'de> for Value {
    fn text(text: &'de str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl<'de: 'a, 'a> Holds<'de> for Cell<'a> {
    fn text(text: &'de str) -> Cell<'a> {
        Cell::Text(text)
    }
}

/// Reads MessagePack's own kinds.
struct Packed<T>(PhantomData<T>);

impl<'de, T: Holds<'de>> Visitor<'de> for Packed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(Value::Null.into())
    }

    fn visit_bool<E>(self, yes: bool) -> Result<T, E> {
        Ok(Value::Bool(yes).into())
    }

    fn visit_i64<E>(self, n: i64) -> Result<T, E> {
        Ok(Value::Int(n).into())
    }

    fn visit_u64<E>(self, n: u64) -> Result<T, E> {
        Ok(i64::try_from(n).map_or(Value::UInt(n), Value::Int).into())
    }

    fn visit_f64<E>(self, n: f64) -> Result<T, E> {
        Ok(Value::Float(n).into())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<T, E> {
        Ok(T::text(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(Value::Text(text.to_owned()).into())
    }

    fn visit_string<E>(self, text: String) -> Result<T, E> {
        Ok(Value::Text(text).into())
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<T, E> {
        Ok(Value::Bytes(bytes.to_vec()).into())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<T, E> {
        Ok(Value::Bytes(bytes).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<T, A::Error> {
        let value = match entries.next_key::<String>()?.as_deref() {
            Some(NUMBER) => Value::Number(entries.next_value()?),
            Some(MAP) => Value::Map(entries.next_value()?),
            Some(UINT) => Value::UInt(entries.next_value()?),
            Some(tag) => return Err(A::Error::unknown_variant(tag, &[NUMBER, MAP, UINT])),
            None => return Err(A::Error::invalid_value(Unexpected::Map, &self)),
        };
        match entries.next_key::<IgnoredAny>()? {
            None => Ok(value.into()),
            Some(_) => Err(A::Error::custom("a value of two kinds")),
        }
    }
}
