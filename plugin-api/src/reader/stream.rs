//! Answers read where they lie: each row is handed on as it is met, in one buffer for all.
//!
//! A list of a hundred thousand accounts is a million cells, so the two common kinds, text and integers, are read here
//! directly; everything else goes the usual way.

use crate::error::Result;
use crate::packed::{Packed, unreadable};
use crate::value::Cell;
use serde::de::IgnoredAny;

/// Hands each row of a [`Page`](super::Page)'s bytes to `each`; gives the page's `next`.
pub(super) fn page<'b>(bytes: &'b [u8], each: &mut dyn FnMut(&mut [Cell<'b>]) -> Result<()>) -> Result<Vec<u8>> {
    let (mut from, mut next) = (Packed(bytes), serde_bytes::ByteBuf::new());
    for _ in 0..from.entries()? {
        match from.text()? {
            "rows" => rows(&mut from, each)?,
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

fn rows<'b>(from: &mut Packed<'b>, each: &mut dyn FnMut(&mut [Cell<'b>]) -> Result<()>) -> Result<()> {
    let mut cells = Vec::new();
    for _ in 0..from.items()? {
        cells.clear();
        for _ in 0..from.items()? {
            cells.push(from.cell()?);
        }
        each(&mut cells)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::encode;
    use crate::error::{Error, Kind};
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
