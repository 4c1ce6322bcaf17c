//! How SQLite takes names and values, and gives values.

use latchlift_plugin_api::{Cell, Value};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// A name in double quotes.
pub fn quote(name: &str) -> String {
    let parts: Vec<String> = name.split('.').map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
    parts.join(".")
}

/// A value as SQLite gives it.
pub fn cell(cell: ValueRef<'_>) -> Cell<'_> {
    Cell::Other(match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Real(n) => Value::Float(n),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => return Cell::Text(text),
            Err(_) => Value::Bytes(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    })
}

/// A value as SQLite binds it.
pub struct Bound<'a>(pub &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Bool(yes) => ValueRef::Integer(i64::from(*yes)),
            Value::Int(n) => ValueRef::Integer(*n),
            Value::Float(n) => ValueRef::Real(*n),
            Value::Text(text) | Value::Number(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::UInt(_) | Value::List(_) | Value::Map(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("SQLite has no such kind of value".into()));
            }
        }))
    }
}
