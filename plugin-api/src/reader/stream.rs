//! Answers read where they lie: each row is handed on as it is met, in one buffer for all.

use crate::error::{Error, Kind, Result};
use crate::value::Cell;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Hands each row of a [`Page`](super::Page)'s bytes to `each`; gives the page's `next`.
pub(super) fn page(bytes: &[u8], each: &mut dyn FnMut(&mut [Cell<'_>]) -> Result<()>) -> Result<Vec<u8>> {
    let mut stopped = None;
    let read = PageOf { each, stopped: &mut stopped }.deserialize(&mut rmp_serde::Deserializer::from_read_ref(bytes));
    finished(read, stopped)
}

/// Hands each pair of the bytes of a `Vec<(Value, u64)>` to `each`.
pub(super) fn counts(bytes: &[u8], each: &mut dyn FnMut(&Cell<'_>, u64) -> Result<()>) -> Result<()> {
    let mut stopped = None;
    let read = CountsOf { each, stopped: &mut stopped }.deserialize(&mut rmp_serde::Deserializer::from_read_ref(bytes));
    finished(read, stopped)
}

fn finished<T>(read: std::result::Result<T, rmp_serde::decode::Error>, stopped: Option<Error>) -> Result<T> {
    read.map_err(|why| {
        stopped.unwrap_or_else(|| Error::new(Kind::Contract, format!("a message cannot be understood: {why}")))
    })
}

/// Keeps the error of a callback, because serde's own can carry only its text.
fn stop<T, E: serde::de::Error>(stopped: &mut Option<Error>, result: Result<T>) -> std::result::Result<T, E> {
    result.map_err(|error| {
        *stopped = Some(error);
        E::custom("stopped")
    })
}

struct PageOf<'f> {
    each: &'f mut dyn FnMut(&mut [Cell<'_>]) -> Result<()>,
    stopped: &'f mut Option<Error>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Rows,
    Next,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for PageOf<'_> {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<Vec<u8>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageOf<'_> {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<Vec<u8>, A::Error> {
        let (each, stopped) = (self.each, self.stopped);
        let mut next = serde_bytes::ByteBuf::new();
        while let Some(field) = fields.next_key()? {
            match field {
                Field::Rows => fields.next_value_seed(RowsOf { each: &mut *each, stopped: &mut *stopped })?,
                Field::Next => next = fields.next_value()?,
                Field::Other => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(next.into_vec())
    }
}

struct RowsOf<'f> {
    each: &'f mut dyn FnMut(&mut [Cell<'_>]) -> Result<()>,
    stopped: &'f mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for RowsOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsOf<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> std::result::Result<(), A::Error> {
        let mut cells = Vec::new();
        while rows.next_element_seed(RowInto(&mut cells))?.is_some() {
            stop(self.stopped, (self.each)(&mut cells))?;
        }
        Ok(())
    }
}

/// Puts a row's cells into a buffer.
struct RowInto<'c, 'de>(&'c mut Vec<Cell<'de>>);

impl<'de> DeserializeSeed<'de> for RowInto<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowInto<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> std::result::Result<(), A::Error> {
        self.0.clear();
        while let Some(cell) = row.next_element()? {
            self.0.push(cell);
        }
        Ok(())
    }
}

struct CountsOf<'f> {
    each: &'f mut dyn FnMut(&Cell<'_>, u64) -> Result<()>,
    stopped: &'f mut Option<Error>,
}

impl<'de> DeserializeSeed<'de> for CountsOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for CountsOf<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("counts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut counts: A) -> std::result::Result<(), A::Error> {
        while let Some((cell, count)) = counts.next_element::<(Cell<'de>, u64)>()? {
            stop(self.stopped, (self.each)(&cell, count))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::encode;
    use crate::{Page, Value};

    #[test]
    fn rows_come_in_order_and_the_place_of_the_next_page_after_them() {
        let columns = vec!["a".to_owned(), "b".to_owned()];
        let rows = vec![vec!["x".into(), Value::Null], vec![Value::Int(7), Value::Number("1.50".into())]];
        let bytes = encode(&Page { columns, rows: rows.clone(), next: vec![1, 2] }).unwrap();
        let mut seen = vec![];
        let next = page(&bytes, &mut |row| {
            seen.push(row.iter_mut().map(|cell| Value::from(std::mem::take(cell))).collect::<Vec<_>>());
            Ok(())
        });
        assert_eq!((next.unwrap(), seen), (vec![1, 2], rows));
    }

    #[test]
    fn the_callers_own_error_comes_back() {
        let page_of = Page { rows: vec![vec![Value::Null]; 3], ..Page::default() };
        let mut met = 0;
        let why = page(&encode(&page_of).unwrap(), &mut |_| {
            met += 1;
            Err(Error::new(Kind::Refused, "enough"))
        });
        assert_eq!((why.unwrap_err(), met), (Error::new(Kind::Refused, "enough"), 1));
        assert_eq!(page(b"\xc1", &mut |_| Ok(())).unwrap_err().kind, Kind::Contract);
    }

    #[test]
    fn counts_come_in_order() {
        let bytes = encode(&vec![(Value::from("a"), 1u64), (Value::Null, 2)]).unwrap();
        let mut seen = vec![];
        let read = counts(&bytes, &mut |cell, n| {
            seen.push((cell.to_text(), n));
            Ok(())
        });
        assert_eq!((read, seen), (Ok(()), vec![(Some("a".to_owned()), 1), (None, 2)]));
    }
}
