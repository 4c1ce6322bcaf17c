//! How PostgreSQL compares, reads and writes each kind of column.

use crate::error::{Error, Kind, Result};
use crate::store::sql::Statement;
use latchlift_plugin_api::{Cell, Column, Value};
use postgres::Row;
use postgres::types::Type;

/// A name in double quotes.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The kinds of column that are read as what they are; all others as text.
fn is_integer(kind: &str) -> bool {
    matches!(kind, "smallint" | "integer" | "bigint")
}

/// The expression that reads a column.
pub fn reading(column: &Column) -> String {
    let name = quote(&column.name);
    if is_integer(&column.kind) || column.kind == "boolean" { name } else { format!("{name}::text") }
}

/// The expression that is equal where PostgreSQL's `=` is. Its usual collations tell any two texts apart.
pub fn same(column: &Column) -> String {
    let name = quote(&column.name);
    let folds = column.kind.rsplit('.').next() == Some("citext");
    if folds { format!("lower({name}::text)") } else { format!("{name}::text") }
}

/// Whether the type has an equality that is cheap, that an index can serve, and that takes the value's text.
fn comparable(kind: &str, text: &str) -> Option<bool> {
    let word = kind.split('(').next().unwrap_or(kind);
    match word {
        "smallint" => Some(text.parse::<i16>().is_ok()),
        "integer" => Some(text.parse::<i32>().is_ok()),
        "bigint" => Some(text.parse::<i64>().is_ok()),
        "boolean" => Some(matches!(text, "true" | "false")),
        "uuid" => Some(is_uuid(text)),
        "text" | "character varying" | "citext" | "public.citext" | "name" => Some(true),
        _ => None,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Appends a comparison that an index can serve, and that is exact.
pub fn push_lookup(statement: &mut Statement, column: &Column, value: &Value) {
    let value = stored(column, value);
    let equality = shown(&value).and_then(|text| comparable(&column.kind, &text));
    match equality {
        None => push_exact(statement, column, &value),
        // Such a column cannot hold it; asking would be an error.
        Some(false) => drop(statement.push("false")),
        Some(true) => {
            let name = quote(&column.name);
            let n = statement.bind(value);
            // Without its length, which would cut the text to fit.
            let kind = column.kind.split('(').next().unwrap_or(&column.kind);
            statement
                .push(&format!("({name} = (${n}::text)::{kind} AND {name}::text IS NOT DISTINCT FROM ${n}::text)"));
        }
    }
}

/// Appends an exact comparison.
pub fn push_exact(statement: &mut Statement, column: &Column, value: &Value) {
    let name = quote(&column.name);
    match stored(column, value) {
        Value::Null => drop(statement.push(&format!("{name} IS NULL"))),
        value => {
            let n = statement.bind(value);
            statement.push(&format!("{name}::text IS NOT DISTINCT FROM ${n}::text"));
        }
    }
}

/// Appends a value as it is written into a column.
pub fn push_written(statement: &mut Statement, column: &Column, value: &Value) {
    let n = statement.bind(stored(column, value));
    statement.push(&format!("(${n}::text)::{}", column.kind));
}

/// The value in the form it reads back in.
pub fn stored(column: &Column, value: &Value) -> Value {
    let whole = || value.as_int().map(Value::Int);
    let text = || shown(value).map(Value::Text);
    let kind = column.kind.as_str();
    let read = match value {
        Value::Null => None,
        Value::Bool(_) if kind == "boolean" => None,
        Value::Bool(_) | Value::Text(_) | Value::Number(_) | Value::Float(_) | Value::Int(_) if is_integer(kind) => {
            whole()
        }
        Value::Int(0 | 1) | Value::Text(_) if kind == "boolean" => value.as_bool().map(Value::Bool),
        Value::Text(time) if kind.starts_with("timestamp") => Some(Value::Text(time_as_read(kind, time))),
        _ => text(),
    };
    read.unwrap_or_else(|| value.clone())
}

/// A time in PostgreSQL's own form: a blank between day and time, no zeros at the end of the second's digits, and the
/// zone where the column has one.
fn time_as_read(kind: &str, time: &str) -> String {
    let mut time = time.to_owned();
    if time.len() > 10 && time.as_bytes()[10] == b'T' {
        time.replace_range(10..11, " ");
    }
    let (clock, zone) = match (time.strip_suffix('Z'), time.strip_suffix("+00")) {
        (Some(clock), _) | (_, Some(clock)) => (clock, "+00"),
        _ => (time.as_str(), ""),
    };
    let clock = if clock.contains('.') { clock.trim_end_matches('0').trim_end_matches('.') } else { clock };
    let zone = if kind.ends_with("with time zone") { zone } else { "" };
    format!("{clock}{zone}")
}

/// A value as PostgreSQL writes it; nothing for null and for what no column holds.
fn shown(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null | Value::List(_) | Value::Map(_) => return None,
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\\x{digits}")
        }
        Value::Float(n) if n.is_infinite() => if *n > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        other => other.to_text()?,
    })
}

/// The values of a statement as the driver binds them: all as text.
///
/// # Errors
/// One is a list or a map.
pub fn parameters(statement: &Statement) -> Result<Vec<(Option<String>, Type)>> {
    let strange = || Error::new(Kind::Plugin, "the plugin gave a list or a map where a database has a value");
    let bound = statement.values.iter().map(|value| match value {
        Value::Null => Ok((None, Type::TEXT)),
        value => shown(value).map(|shown| (Some(shown), Type::TEXT)).ok_or_else(strange),
    });
    bound.collect()
}

/// A cell as the driver gives it.
///
/// # Errors
/// It is of a type that no query here reads.
pub fn cell(row: &Row, i: usize) -> std::result::Result<Cell<'_>, postgres::Error> {
    let value: Value = match *row.columns()[i].type_() {
        Type::INT2 => row.try_get::<_, Option<i16>>(i)?.map(i64::from).into(),
        Type::INT4 => row.try_get::<_, Option<i32>>(i)?.map(i64::from).into(),
        Type::INT8 => row.try_get::<_, Option<i64>>(i)?.into(),
        Type::BOOL => row.try_get::<_, Option<bool>>(i)?.into(),
        _ => return Ok(row.try_get::<_, Option<&str>>(i)?.map_or(Cell::Other(Value::Null), Cell::Text)),
    };
    Ok(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: &str) -> Column {
        Column { name: "c".into(), kind: kind.into(), ..Column::default() }
    }

    #[test]
    fn a_time_takes_the_form_it_reads_back_in() {
        let plain = |time| time_as_read("timestamp without time zone", time);
        assert_eq!(plain("2026-01-01T10:00:00.120Z"), "2026-01-01 10:00:00.12");
        assert_eq!(plain("2026-01-01 10:00:00.000"), "2026-01-01 10:00:00");
        assert_eq!(time_as_read("timestamp(3) with time zone", "2026-01-01 10:00:00Z"), "2026-01-01 10:00:00+00");
    }

    #[test]
    fn a_value_takes_the_form_of_its_column() {
        assert_eq!(stored(&column("integer"), &"12".into()), Value::Int(12));
        assert_eq!(stored(&column("boolean"), &Value::Int(1)), Value::Bool(true));
        assert_eq!(stored(&column("text"), &Value::Int(1)), "1".into());
        assert_eq!(stored(&column("bytea"), &Value::Bytes(vec![0, 255])), "\\x00ff".into());
        assert_eq!(stored(&column("double precision"), &Value::Float(f64::NEG_INFINITY)), "-Infinity".into());
    }

    #[test]
    fn what_a_column_cannot_hold_is_not_asked_for() {
        for (kind, text) in [("integer", "john"), ("smallint", "70000"), ("uuid", "john"), ("boolean", "maybe")] {
            let mut statement = Statement::default();
            push_lookup(&mut statement, &column(kind), &text.into());
            assert_eq!(statement, Statement::new("false"), "{kind}");
        }
    }
}
