//! Answers read where they lie: each row is handed on as it is met, in one buffer for all.
//!
//! A list of a hundred thousand accounts is a million cells, so the two common kinds, text and integers, are read here
//! directly; everything else goes the usual way.

use crate::error::{Error, Kind, Result};
use crate::value::{Cell, Value};
use rmp::Marker;
use rmp::decode::{self, NumValueReadError, ValueReadError};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::fmt;
use std::io::Cursor;

/// Hands each row of a [`Page`](super::Page)'s bytes to `each`; gives the page's `next`.
pub(super) fn page<'b>(bytes: &'b [u8], each: &mut dyn FnMut(&mut [Cell<'b>]) -> Result<()>) -> Result<Vec<u8>> {
    let (mut from, mut next) = (Packed(bytes), serde_bytes::ByteBuf::new());
    for _ in 0..decode::read_map_len(&mut from.0).map_err(unreadable)? {
        match from.text()? {
            "rows" => from.rows(each)?,
            "next" => next = from.other()?,
            _ => drop(from.other::<IgnoredAny>()?),
        }
    }
    Ok(next.into_vec())
}

/// Hands each pair of the bytes of a `Vec<(Value, u64)>` to `each`.
pub(super) fn counts(bytes: &[u8], each: &mut dyn FnMut(&Cell<'_>, u64) -> Result<()>) -> Result<()> {
    let mut from = Packed(bytes);
    for _ in 0..from.items()? {
        if from.items()? != 2 {
            return Err(unreadable("a count is a value and a number"));
        }
        let cell = from.cell()?;
        each(&cell, from.other()?)?;
    }
    Ok(())
}

/// MessagePack, read from the front.
struct Packed<'b>(&'b [u8]);

impl<'b> Packed<'b> {
    fn items(&mut self) -> Result<u32> {
        decode::read_array_len(&mut self.0).map_err(unreadable)
    }

    fn rows(&mut self, each: &mut dyn FnMut(&mut [Cell<'b>]) -> Result<()>) -> Result<()> {
        let mut cells = Vec::new();
        for _ in 0..self.items()? {
            cells.clear();
            for _ in 0..self.items()? {
                cells.push(self.cell()?);
            }
            each(&mut cells)?;
        }
        Ok(())
    }

    fn cell(&mut self) -> Result<Cell<'b>> {
        let marker = self.0.first().map(|byte| Marker::from_u8(*byte));
        Ok(match marker.ok_or_else(|| unreadable("it ends early"))? {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Cell::Text(self.text()?),
            Marker::Null => {
                self.0 = &self.0[1..];
                Cell::default()
            }
            Marker::FixPos(_) | Marker::FixNeg(_) => self.int()?,
            Marker::U8 | Marker::U16 | Marker::U32 | Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => {
                self.int()?
            }
            _ => Cell::Other(self.other()?),
        })
    }

    fn int(&mut self) -> Result<Cell<'b>> {
        let n = decode::read_int(&mut self.0).map_err(|why: NumValueReadError| unreadable(why))?;
        Ok(Cell::Other(Value::Int(n)))
    }

    fn text(&mut self) -> Result<&'b str> {
        let length = decode::read_str_len(&mut self.0).map_err(|why: ValueReadError| unreadable(why))? as usize;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(|| unreadable("it ends early"))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(unreadable)
    }

    /// A value of any kind, the usual way.
    fn other<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut reader = rmp_serde::Deserializer::new(Cursor::new(self.0));
        let value = T::deserialize(&mut reader).map_err(unreadable)?;
        let read = usize::try_from(reader.position()).unwrap_or(usize::MAX);
        self.0 = self.0.get(read..).unwrap_or_default();
        Ok(value)
    }
}

fn unreadable(why: impl fmt::Display) -> Error {
    Error::new(Kind::Contract, format!("a message cannot be understood: {why}"))
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
    fn cells_of_every_kind_and_size_read_as_they_were_written() {
        let texts = [0, 1, 31, 32, 255, 256, 70_000].map(|n| Value::from("ü".repeat(n)));
        let ints = [0, 127, 128, 255, 256, 70_000, i64::MAX, -1, -32, -33, -129, -40_000, i64::MIN].map(Value::Int);
        let others = [
            Value::Null,
            Value::Bool(true),
            Value::UInt(u64::MAX),
            Value::UInt(3),
            Value::Float(-0.5),
            Value::Number("1E5".into()),
            Value::Bytes(vec![0, 255]),
            Value::List(vec![Value::Null, "x".into()]),
            Value::Map(vec![("k".into(), Value::Int(1))]),
        ];
        let row: Vec<Value> = texts.into_iter().chain(ints).chain(others).collect();
        let bytes = encode(&Page { rows: vec![row.clone(); 2], ..Page::default() }).unwrap();
        let mut seen = vec![];
        page(&bytes, &mut |row| {
            seen.push(row.iter_mut().map(|cell| Value::from(std::mem::take(cell))).collect::<Vec<_>>());
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [row.clone(), row]);
        for short in 0..bytes.len() {
            assert!(page(&bytes[..short], &mut |_| Ok(())).is_err(), "cut after {short} bytes");
        }
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
