//! Reading a store: queries as data, and the read-only view a plugin gets.

mod bytes;
mod stream;

pub use bytes::{CountBytes, PageBytes};

use crate::abi;
use crate::error::Result;
use crate::value::{Cell, Record, Value};
use serde::{Deserialize, Serialize};

/// Rows that match, byte for byte. Searching by likeness is the host's, over accounts, with one rule for every app.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// Every row.
    #[default]
    All,
    /// The field equals the value; null equals null.
    Eq(String, Value),
    /// The field is one of the values.
    In(String, Vec<Value>),
    /// The field lies between the bounds, both included; a missing bound is open. Compared as the store orders it.
    Range {
        /// The field compared.
        field: String,
        /// The lowest value, included.
        #[serde(with = "bound")]
        from: Option<Value>,
        /// The highest value, included.
        #[serde(with = "bound")]
        to: Option<Value>,
    },
    /// The field is null (in a document: null or absent).
    Null(String),
    /// All of these hold.
    And(Vec<Filter>),
}

/// A bound that is null is not a bound that is missing, though MessagePack writes both alike: there it goes in a list.
mod bound {
    use super::Value;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bound: &Option<Value>, to: S) -> Result<S::Ok, S::Error> {
        match to.is_human_readable() {
            true => bound.serialize(to),
            false => bound.as_slice().serialize(to),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
        match from.is_human_readable() {
            true => Option::deserialize(from),
            false => Vec::deserialize(from).map(|mut bound: Vec<Value>| bound.pop()),
        }
    }
}

impl Filter {
    /// `field` equals `value`.
    pub fn eq(field: impl Into<String>, value: impl Into<Value>) -> Filter {
        Filter::Eq(field.into(), value.into())
    }

    /// `field` is one of `values`.
    pub fn is_in<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Filter {
        Filter::In(field.into(), values.into_iter().map(Into::into).collect())
    }

    /// Both this and `other`.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        match self {
            Filter::All => other,
            Filter::And(mut all) => {
                all.push(other);
                Filter::And(all)
            }
            one => Filter::And(vec![one, other]),
        }
    }

    /// The fields the filter looks at.
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Filter::All => vec![],
            Filter::Eq(field, _) | Filter::In(field, _) | Filter::Null(field) => vec![field],
            Filter::Range { field, .. } => vec![field],
            Filter::And(all) => all.iter().flat_map(Filter::fields).collect(),
        }
    }
}

/// A query for some columns of some rows of one collection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Select {
    /// The named store; empty for the app's only or first one.
    pub store: String,
    /// The table, or `document#/pointer`.
    pub collection: String,
    /// The fields wanted, in the order the rows give them.
    pub columns: Vec<String>,
    /// A text column whose comparison key is wanted as one more, last field, named `@same`: two rows with equal keys are
    /// equal to the store's own `=` on that column (a case-insensitive collation folds letters, a binary one nothing).
    pub same: Option<String>,
    /// Which rows.
    pub filter: Filter,
    /// The fields that order the rows: the collection's key, so that paging is stable. Empty means the store's own
    /// order, which for a document is the order it is written in. A document ignores this: its order is meaning.
    pub order: Vec<String>,
    /// The most rows per page; 0 lets the host choose. A caller that wants one row asks for one.
    pub limit: u32,
    /// Where the previous page ended, as that page said; empty for the first.
    #[serde(with = "serde_bytes")]
    pub after: Vec<u8>,
}

impl Select {
    /// A query for `columns` of all rows of `collection` in the app's first store.
    pub fn from<C: Into<String>>(collection: impl Into<String>, columns: impl IntoIterator<Item = C>) -> Select {
        Select {
            collection: collection.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            ..Select::default()
        }
    }

    /// The query for rows that match `filter` too.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Select {
        self.filter = std::mem::take(&mut self.filter).and(filter);
        self
    }

    /// The query with its rows in the order of these fields.
    #[must_use]
    pub fn order<C: Into<String>>(mut self, fields: impl IntoIterator<Item = C>) -> Select {
        self.order = fields.into_iter().map(Into::into).collect();
        self
    }

    /// The query with the store's comparison key of `column` as field `@same`.
    #[must_use]
    pub fn same(mut self, column: impl Into<String>) -> Select {
        self.same = Some(column.into());
        self
    }
}

/// The field that [`Select::same`] adds.
pub const SAME: &str = "@same";

/// Some rows, with their column names once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Page {
    /// The names of the fields, in the order of each row.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// What to give as [`Select::after`] for the next page; empty at the end.
    #[serde(with = "serde_bytes")]
    pub next: Vec<u8>,
}

/// A column of a table, or a field found in the first record of a document's collection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// The type as the store declares it, lower case; empty in documents.
    pub kind: String,
    /// Whether null is allowed.
    pub nullable: bool,
    /// Whether the store fills in a value when none is given.
    pub has_default: bool,
    /// The collation of text columns where the store names one (`utf8mb4_general_ci`).
    pub collation: Option<String>,
}

/// What kind of store it is; values that have no common form (times) are written in the store's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StoreKind {
    /// An SQLite file.
    #[default]
    Sqlite,
    /// MariaDB or MySQL.
    Mysql,
    /// PostgreSQL.
    Postgres,
    /// A directory of JSON and YAML documents.
    Documents,
}

/// A file beside a store's documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct File {
    /// The path below the store's directory, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// The owner's numeric id.
    pub uid: u32,
    /// The group's numeric id.
    pub gid: u32,
    /// Permission bits, without the file type.
    pub mode: u32,
    /// Last change, seconds since 1970 UTC.
    pub modified: i64,
}

/// The read-only view of an instance's stores, within one snapshot. It is gone before a plan is shown.
pub trait Reader {
    /// The kind of the named store; `""` is the first.
    ///
    /// # Errors
    /// There is no such store.
    fn kind(&self, store: &str) -> Result<StoreKind>;

    /// One page of rows.
    ///
    /// # Errors
    /// The store fails, or has no such collection or column.
    fn select(&self, query: &Select) -> Result<Page>;

    /// How many rows that match `filter` have each value of `field`.
    ///
    /// # Errors
    /// As [`Reader::select`].
    fn count_by(&self, store: &str, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>>;

    /// The columns of a collection, or `None` where it does not exist.
    ///
    /// # Errors
    /// The store fails.
    fn columns(&self, store: &str, collection: &str) -> Result<Option<Vec<Column>>>;

    /// A whole document's text, or `None` where it does not exist. A path below the store's directory.
    ///
    /// # Errors
    /// The store holds no documents, the path leads outside, the file cannot be read or is not UTF-8.
    fn document(&self, store: &str, name: &str) -> Result<Option<String>>;

    /// The files that match a glob (`*` and `?` within one path component).
    ///
    /// # Errors
    /// As [`Reader::document`].
    fn files(&self, store: &str, glob: &str) -> Result<Vec<File>>;

    /// The lines of a file that contain `text`, oldest first, at most 10,000 of the newest.
    ///
    /// # Errors
    /// As [`Reader::document`].
    fn lines(&self, store: &str, file: &str, text: &str) -> Result<Vec<String>>;

    /// The lower-case hex SHA-256 of a document's bytes, whatever they are, or `None` where it does not exist: the guard of
    /// a [`Move`](crate::Change::Move).
    ///
    /// # Errors
    /// The store holds no documents, the path leads outside, or the file cannot be read.
    fn digest(&self, store: &str, name: &str) -> Result<Option<String>> {
        Ok(self.document(store, name)?.map(|text| crate::random::sha256(text.as_bytes())))
    }

    /// The bytes in which a [`Page`] travels, for [`each_cells`](#method.each_cells), which reads them without taking
    /// them apart first.
    ///
    /// # Errors
    /// As [`Reader::select`], and whatever `take` answers.
    fn page_bytes(&self, query: &Select, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        take(&abi::encode(&self.select(query)?)?)
    }

    /// The bytes in which the answer of [`Reader::count_by`] travels, for [`each_count`](#method.each_count).
    ///
    /// # Errors
    /// As [`Reader::select`], and whatever `take` answers.
    fn count_bytes(&self, query: &Count<'_>, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        take(&abi::encode(&self.count_by(query.store, query.collection, query.field, query.filter)?)?)
    }
}

/// What to count: see [`Reader::count_by`].
#[derive(Clone, Copy, Debug)]
pub struct Count<'a> {
    /// The named store; empty for the app's only or first one.
    pub store: &'a str,
    /// The table, or `document#/pointer`.
    pub collection: &'a str,
    /// The field whose values are counted.
    pub field: &'a str,
    /// Which rows.
    pub filter: &'a Filter,
}

impl dyn Reader + '_ {
    /// Calls `each` with every row of the query, page after page.
    ///
    /// # Errors
    /// As [`Reader::select`], and whatever `each` answers.
    pub fn each(&self, mut query: Select, mut each: impl FnMut(Record) -> Result<()>) -> Result<()> {
        loop {
            let page = self.select(&query)?;
            for row in page.rows {
                each(Record(page.columns.iter().cloned().zip(row).collect()))?;
            }
            if page.next.is_empty() {
                return Ok(());
            }
            query.after = page.next;
        }
    }

    /// Calls `each` with every row's values in the order of [`Select::columns`] (then `@same`, if asked for).
    /// Spares the names, which counts at a hundred thousand rows.
    ///
    /// # Errors
    /// As [`Reader::select`], and whatever `each` answers.
    pub fn each_row(&self, query: Select, mut each: impl FnMut(Vec<Value>) -> Result<()>) -> Result<()> {
        self.each_cells(query, |row| each(row.iter_mut().map(|cell| std::mem::take(cell).into()).collect()))
    }

    /// As [`each_row`](#method.each_row) with borrowed cells, which spares the copies too.
    ///
    /// # Errors
    /// As [`Reader::select`], and whatever `each` answers.
    pub fn each_cells(&self, mut query: Select, mut each: impl FnMut(&mut [Cell<'_>]) -> Result<()>) -> Result<()> {
        loop {
            let mut next = Vec::new();
            self.page_bytes(&query, &mut |bytes| {
                next = stream::page(bytes, &mut each)?;
                Ok(())
            })?;
            if next.is_empty() {
                return Ok(());
            }
            query.after = next;
        }
    }

    /// Calls `each` with every value of the field and how many rows have it. See [`Reader::count_by`].
    ///
    /// # Errors
    /// As [`Reader::select`], and whatever `each` answers.
    pub fn each_count(&self, count: &Count<'_>, mut each: impl FnMut(&Cell<'_>, u64) -> Result<()>) -> Result<()> {
        self.count_bytes(count, &mut |bytes| stream::counts(bytes, &mut each))
    }

    /// Every row of the query.
    ///
    /// # Errors
    /// As [`Reader::select`].
    pub fn all(&self, query: Select) -> Result<Vec<Record>> {
        let mut rows = Vec::new();
        self.each(query, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row of the query, if there is one.
    ///
    /// # Errors
    /// As [`Reader::select`].
    pub fn first(&self, mut query: Select) -> Result<Option<Record>> {
        query.limit = 1;
        let page = self.select(&query)?;
        Ok(page.rows.into_iter().next().map(|row| Record(page.columns.into_iter().zip(row).collect())))
    }

    /// The names of a collection's columns in the first store; none where it does not exist.
    ///
    /// # Errors
    /// The store fails.
    pub fn column_names(&self, collection: &str) -> Result<Vec<String>> {
        Ok(self.columns("", collection)?.unwrap_or_default().into_iter().map(|column| column.name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_is_null_is_not_missing() {
        let bounds = [None, Some(Value::Null), Some(Value::Int(1)), Some(Value::List(vec![]))];
        for from in bounds {
            let filter = Filter::Range { field: "a".to_owned(), from, to: None };
            let json = serde_json::to_string(&filter).unwrap();
            assert_eq!(abi::decode::<Filter>(&abi::encode(&filter).unwrap()).unwrap(), filter, "{json}");
        }
        let filter = Filter::Range { field: "a".to_owned(), from: Some(Value::Int(1)), to: None };
        let json = r#"{"Range":{"field":"a","from":{"Int":1},"to":null}}"#;
        assert_eq!(serde_json::to_string(&filter).unwrap(), json);
        assert_eq!(serde_json::from_str::<Filter>(json).unwrap(), filter);
    }
}
