//! How MariaDB and MySQL compare, read and write each kind of column.
//!
//! A value is bound as its column's kind wants it, for the server converts freely: to it the text `12abc` equals the
//! number 12, and `john` equals `JOHN`.

use crate::store::sql::Statement;
use latchlift_plugin_api::{Cell, Column, Value};
use mysql::consts::ColumnType;

/// The kinds of column that are treated alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Integer,
    Bit,
    Decimal,
    Float,
    Text,
    Binary,
    /// Dates and times, JSON, addresses: read and compared as the text the server shows.
    Shown,
}

impl Family {
    pub fn of(column: &Column) -> Family {
        let kind = column.kind.as_str();
        let word = kind.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        match word {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => Family::Integer,
            "bit" => Family::Bit,
            "decimal" => Family::Decimal,
            "float" | "double" => Family::Float,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Family::Binary,
            _ if column.collation.is_some() => Family::Text,
            _ => Family::Shown,
        }
    }
}

/// A name in backquotes.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The expression that reads a column.
pub fn reading(column: &Column) -> String {
    let name = quote(&column.name);
    match Family::of(column) {
        // Dates as text, because `0000-00-00` is none; JSON for the same reason as it is compared.
        Family::Shown => format!("CAST({name} AS CHAR)"),
        Family::Bit => format!("CAST({name} AS UNSIGNED)"),
        _ => name,
    }
}

/// The expression that reads a column without folding letters.
pub fn grouping(column: &Column) -> String {
    match Family::of(column) {
        Family::Text => bytes(column),
        _ => reading(column),
    }
}

/// The bytes of a text column in UTF-8, whatever it is kept in; a latin1 column's own bytes would differ from ours.
fn bytes(column: &Column) -> String {
    format!("CAST(CONVERT({} USING utf8mb4) AS BINARY)", quote(&column.name))
}

/// The expression that is equal where the server's `=` is.
pub fn same(column: &Column) -> String {
    let name = quote(&column.name);
    let collation = column.collation.as_deref().unwrap_or_default();
    match Family::of(column) {
        // Collations compare as if the shorter text had spaces at its end, but for those that say otherwise.
        Family::Text if collation.contains("nopad") || collation.contains("_0900_") => {
            format!("HEX(WEIGHT_STRING({name}))")
        }
        Family::Text => format!("HEX(WEIGHT_STRING(RTRIM({name})))"),
        Family::Binary => format!("HEX({name})"),
        Family::Shown => reading(column),
        _ => format!("CAST({name} AS CHAR)"),
    }
}

/// Appends a placeholder. Bytes go as hexadecimal digits: a parameter counts as text, and these are none.
pub fn push_value(statement: &mut Statement, value: Value) {
    match value {
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            statement.bind(Value::Text(digits));
            statement.push("UNHEX(?)");
        }
        other => {
            statement.bind(other);
            statement.push("?");
        }
    }
}

/// Appends a comparison that an index can serve, and that is exact.
pub fn push_lookup(statement: &mut Statement, column: &Column, value: &Value) {
    let value = stored(column, value);
    match (Family::of(column), &value) {
        (Family::Text, Value::Text(_)) => {
            statement.push(&format!("({} = ", quote(&column.name)));
            push_collated(statement, column, value.clone());
            statement.push(" AND ");
            push_exact(statement, column, &value);
            statement.push(")");
        }
        _ => push_exact(statement, column, &value),
    }
}

/// Appends text in the column's own character set: what does not exist there is an error otherwise, where it only
/// cannot be equal. The index still serves, for the collation stays the column's.
fn push_collated(statement: &mut Statement, column: &Column, value: Value) {
    let (charset, collation) = charset(column);
    if charset == "utf8mb4" {
        return push_value(statement, value);
    }
    statement.push("CONVERT(");
    push_value(statement, value);
    statement.push(&format!(" USING {charset}) COLLATE {collation}"));
}

/// A column's character set and its collation, which begins with it.
fn charset(column: &Column) -> (&str, &str) {
    let collation = column.collation.as_deref().unwrap_or_default();
    (collation.split('_').next().unwrap_or_default(), collation)
}

/// Appends a bound of a range. One that the column's character set cannot hold bounds nothing: it would come out as question
/// marks, and find the rows that once lost their letters in the same way.
pub fn push_bound(statement: &mut Statement, column: &Column, value: &Value) {
    let value = stored(column, value);
    let (charset, _) = charset(column);
    match (Family::of(column), &value) {
        (Family::Text, Value::Text(_)) if charset != "utf8mb4" => {
            statement.push("IF(BINARY CONVERT(CONVERT(");
            push_value(statement, value.clone());
            statement.push(&format!(" USING {charset}) USING utf8mb4) = BINARY "));
            push_value(statement, value.clone());
            statement.push(", ");
            push_collated(statement, column, value);
            statement.push(", NULL)");
        }
        _ => push_value(statement, value),
    }
}

/// Appends an exact comparison.
pub fn push_exact(statement: &mut Statement, column: &Column, value: &Value) {
    let value = stored(column, value);
    let name = quote(&column.name);
    match (Family::of(column), &value) {
        (_, Value::Null) => drop(statement.push(&format!("{name} IS NULL"))),
        (Family::Integer | Family::Bit, Value::Int(_) | Value::UInt(_))
        | (Family::Float, Value::Float(_) | Value::Int(_) | Value::UInt(_)) => {
            statement.push(&format!("{name} = "));
            push_value(statement, value);
        }
        (Family::Decimal, Value::Number(_)) => {
            statement.push(&format!("{name} = CAST("));
            push_value(statement, value);
            statement.push(" AS DECIMAL(65,30))");
        }
        (Family::Text, Value::Text(_)) => push_bytes(statement, &bytes(column), value),
        (Family::Binary, Value::Text(_) | Value::Bytes(_)) => push_bytes(statement, &name, value),
        (Family::Shown, Value::Text(_)) => {
            push_bytes(statement, &format!("CAST({} AS BINARY)", reading(column)), value);
        }
        // No such column holds a value of that kind.
        _ => drop(statement.push("1 = 0")),
    }
}

fn push_bytes(statement: &mut Statement, expression: &str, value: Value) {
    statement.push(expression).push(" = CAST(");
    push_value(statement, value);
    statement.push(" AS BINARY)");
}

/// The value in the form it reads back in.
pub fn stored(column: &Column, value: &Value) -> Value {
    let value = match value {
        Value::Bool(yes) => Value::Int(i64::from(*yes)),
        other => other.clone(),
    };
    match (Family::of(column), &value) {
        (Family::Integer | Family::Bit, Value::Text(_) | Value::Number(_) | Value::Float(_)) => whole(&value),
        (Family::Decimal, Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_)) => {
            let digits = value.to_text().filter(|text| text.parse::<f64>().is_ok_and(f64::is_finite));
            digits.map_or(value, Value::Number)
        }
        (Family::Text | Family::Binary | Family::Shown, Value::Int(_) | Value::UInt(_) | Value::Number(_)) => {
            Value::from(value.to_text())
        }
        (Family::Shown, Value::Text(text)) => Value::Text(with_fraction(&column.kind, text)),
        _ => value,
    }
}

fn whole(value: &Value) -> Value {
    let big = value.to_text().and_then(|text| text.parse().ok()).map(Value::UInt);
    value.as_int().map(Value::Int).or(big).unwrap_or_else(|| value.clone())
}

/// A time with the digits of a second its column keeps: `12:00:00` in a `datetime(3)` reads `12:00:00.000`. Digits that
/// are not zero are never dropped.
fn with_fraction(kind: &str, text: &str) -> String {
    let has_time = ["datetime", "timestamp", "time"].iter().any(|word| kind.starts_with(word));
    if !has_time || !text.contains(':') {
        return text.to_owned();
    }
    let kept = kind.split(['(', ')']).nth(1).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let (time, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    if kept.max(fraction.len()) == 0 { time.to_owned() } else { format!("{time}.{fraction:0<kept$}") }
}

/// A value as the driver binds it.
pub fn bound(value: &Value) -> Option<mysql::Value> {
    Some(match value {
        Value::Null => mysql::Value::NULL,
        Value::Bool(yes) => mysql::Value::Int(i64::from(*yes)),
        Value::Int(n) => mysql::Value::Int(*n),
        Value::UInt(n) => mysql::Value::UInt(*n),
        Value::Float(n) => mysql::Value::Double(*n),
        Value::Number(text) | Value::Text(text) => mysql::Value::Bytes(text.as_bytes().to_vec()),
        Value::Bytes(bytes) => mysql::Value::Bytes(bytes.clone()),
        Value::List(_) | Value::Map(_) => return None,
    })
}

/// A value as the driver reads it from a column of that type.
pub fn cell<'c>(cell: &'c mysql::Value, kind: ColumnType) -> Cell<'c> {
    Cell::Other(match cell {
        mysql::Value::NULL => Value::Null,
        mysql::Value::Int(n) => Value::Int(*n),
        mysql::Value::UInt(n) => i64::try_from(*n).map_or(Value::UInt(*n), Value::Int),
        mysql::Value::Float(n) => Value::Float(f64::from(*n)),
        mysql::Value::Double(n) => Value::Float(*n),
        mysql::Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if matches!(kind, ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL) => {
                Value::Number(text.to_owned())
            }
            Ok(text) => return Cell::Text(text),
            Err(_) => Value::Bytes(bytes.clone()),
        },
        // Dates are read as text; see `reading`.
        date @ (mysql::Value::Date(..) | mysql::Value::Time(..)) => Value::Text(date.as_sql(true).replace('\'', "")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: &str) -> Column {
        let text = ["char", "text", "enum"].iter().any(|word| kind.contains(word));
        let collation = text.then(|| "utf8mb4_general_ci".to_owned());
        Column { name: "c".into(), kind: kind.into(), collation, ..Column::default() }
    }

    #[test]
    fn a_time_has_the_digits_its_column_keeps_and_loses_none() {
        assert_eq!(with_fraction("datetime", "2026-01-01 00:00:00"), "2026-01-01 00:00:00");
        assert_eq!(with_fraction("datetime", "2026-01-01 00:00:00.000"), "2026-01-01 00:00:00");
        assert_eq!(with_fraction("datetime", "2026-01-01 00:00:00.250"), "2026-01-01 00:00:00.25");
        assert_eq!(with_fraction("timestamp(3)", "2026-01-01 00:00:00"), "2026-01-01 00:00:00.000");
        assert_eq!(with_fraction("date", "2026-01-01"), "2026-01-01");
        assert_eq!(with_fraction("json", "{\"a:b\":1.0}"), "{\"a:b\":1.0}");
    }

    #[test]
    fn a_value_takes_the_form_of_its_column() {
        assert_eq!(stored(&column("int(11)"), &"12".into()), Value::Int(12));
        assert_eq!(stored(&column("bigint(20) unsigned"), &"18446744073709551615".into()), Value::UInt(u64::MAX));
        assert_eq!(stored(&column("int(11)"), &"12abc".into()), "12abc".into());
        assert_eq!(stored(&column("tinyint(1)"), &true.into()), Value::Int(1));
        assert_eq!(stored(&column("varchar(9)"), &Value::Int(7)), "7".into());
        assert_eq!(stored(&column("decimal(10,2)"), &Value::Int(7)), Value::Number("7".into()));
    }

    #[test]
    fn a_number_column_never_equals_text_that_is_no_number() {
        let mut statement = Statement::default();
        push_lookup(&mut statement, &column("int(11)"), &"12abc".into());
        assert_eq!(statement, Statement::new("1 = 0"));
    }
}
