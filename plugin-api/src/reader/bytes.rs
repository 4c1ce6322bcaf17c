//! Answers written row by row, in the bytes in which they travel: for stores that need not hold a page in memory twice.

use crate::error::{Error, Kind, Result};
use crate::value::Cell;
use serde::Serialize;

/// A [`Page`](super::Page) in the making, as the host's stores write it.
#[derive(Debug)]
pub struct PageBytes(Growing);

impl PageBytes {
    /// A page without rows.
    ///
    /// # Errors
    /// It cannot be encoded, which is a bug.
    pub fn new(columns: &[String]) -> Result<PageBytes> {
        // A mapping with three entries, as a `Page` has.
        let mut bytes = vec![0x83];
        put(&mut bytes, "columns")?;
        put(&mut bytes, columns)?;
        put(&mut bytes, "rows")?;
        Ok(PageBytes(Growing::after(bytes)))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// As [`PageBytes::new`].
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.0.push(cells)
    }

    /// The bytes, with what to give as [`Select::after`](super::Select::after) for the next page.
    ///
    /// # Errors
    /// As [`PageBytes::new`].
    pub fn end(self, next: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = self.0.end()?;
        put(&mut bytes, "next")?;
        put(&mut bytes, serde_bytes::Bytes::new(next))?;
        Ok(bytes)
    }
}

/// The answer of [`Reader::count_by`](super::Reader::count_by) in the making.
#[derive(Debug)]
pub struct CountBytes(Growing);

impl Default for CountBytes {
    fn default() -> Self {
        CountBytes(Growing::after(vec![]))
    }
}

impl CountBytes {
    /// Adds a value and how many rows have it.
    ///
    /// # Errors
    /// It cannot be encoded, which is a bug.
    pub fn count(&mut self, value: &Cell<'_>, rows: u64) -> Result<()> {
        self.0.push(&(value, rows))
    }

    /// The bytes.
    ///
    /// # Errors
    /// As [`CountBytes::count`].
    pub fn end(self) -> Result<Vec<u8>> {
        self.0.end()
    }
}

/// An array whose length is known at its end.
#[derive(Debug)]
struct Growing {
    bytes: Vec<u8>,
    start: usize,
    items: usize,
}

impl Growing {
    /// An empty array after `bytes`, with room for any length in its head.
    fn after(mut bytes: Vec<u8>) -> Growing {
        let start = bytes.len();
        bytes.extend([0xdd, 0, 0, 0, 0]);
        Growing { bytes, start, items: 0 }
    }

    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<()> {
        self.items += 1;
        put(&mut self.bytes, item)
    }

    fn end(mut self) -> Result<Vec<u8>> {
        let items = u32::try_from(self.items).map_err(|_| cannot("more rows than a message can hold"))?;
        self.bytes[self.start + 1..self.start + 5].copy_from_slice(&items.to_be_bytes());
        Ok(self.bytes)
    }
}

fn put<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<()> {
    rmp_serde::encode::write_named(bytes, value).map_err(cannot)
}

fn cannot(why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Contract, format!("a message cannot be encoded: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::decode;
    use crate::{Page, Value};

    #[test]
    fn what_is_written_row_by_row_reads_as_a_page() {
        let columns = vec!["a".to_owned(), "b".to_owned()];
        let mut page = PageBytes::new(&columns).unwrap();
        page.row(&["x".into(), Value::Null.into()]).unwrap();
        page.row(&[Value::Bytes(vec![0xff]).into(), Value::from("y").into()]).unwrap();
        let rows = vec![vec!["x".into(), Value::Null], vec![Value::Bytes(vec![0xff]), "y".into()]];
        assert_eq!(decode::<Page>(&page.end(&[9]).unwrap()).unwrap(), Page { columns, rows, next: vec![9] });
        assert_eq!(decode::<Page>(&PageBytes::new(&[]).unwrap().end(&[]).unwrap()).unwrap(), Page::default());
    }

    #[test]
    fn what_is_written_count_by_count_reads_as_counts() {
        let mut counts = CountBytes::default();
        counts.count(&"x".into(), 70_000).unwrap();
        counts.count(&Value::Int(1).into(), 1).unwrap();
        let read: Vec<(Value, u64)> = decode(&counts.end().unwrap()).unwrap();
        assert_eq!(read, [("x".into(), 70_000), (Value::Int(1), 1)]);
    }
}
