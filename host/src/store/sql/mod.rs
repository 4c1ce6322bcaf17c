//! What the SQL stores share: queries and guarded writes, written once over what each database does its own way.
//!
//! A [`Database`] is an open connection with its dialect. `query` turns a [`Select`](latchlift_plugin_api::Select) into
//! SQL, `write` carries out the changes of a step.

pub mod query;
pub mod write;

use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::{Cell, Column, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// SQL text with the values it binds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// The text, with the database's placeholders.
    pub text: String,
    /// The values, in the order of the placeholders.
    pub values: Vec<Value>,
}

impl Statement {
    /// A statement that begins with `text`.
    pub fn new(text: impl Into<String>) -> Statement {
        Statement { text: text.into(), values: vec![] }
    }

    /// Appends text.
    pub fn push(&mut self, text: &str) -> &mut Statement {
        self.text.push_str(text);
        self
    }

    /// Binds one more value and gives its number, from 1.
    pub fn bind(&mut self, value: Value) -> usize {
        self.values.push(value);
        self.values.len()
    }

    /// Appends the parts with `separator` between them.
    pub fn join<T>(
        &mut self,
        separator: &str,
        parts: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Statement, T),
    ) {
        for (i, part) in parts.into_iter().enumerate() {
            if i > 0 {
                self.push(separator);
            }
            each(self, part);
        }
    }
}

/// A table as the database describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// What gives the rows in the order an unordered query meets them, and names each row uniquely: SQLite's rowid,
    /// PostgreSQL's ctid, MySQL's primary key. Empty where a table has nothing of the kind.
    pub natural: Vec<Natural>,
    /// The columns that the database writes anew by itself at each change of a row.
    pub renewed: Vec<String>,
}

/// One part of a table's own order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Natural {
    /// The expression to order by, quoted.
    pub expression: String,
    /// The expression to read it with.
    pub reading: String,
}

/// A foreign key that points at a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The table that refers.
    pub from: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The columns they refer to.
    pub to: Vec<String>,
}

/// An open connection, in a transaction, with what its database does its own way.
pub trait Database: Send {
    /// Runs a query.
    ///
    /// # Errors
    /// The database's, as [`Kind::Locked`], [`Kind::Denied`], [`Kind::Unreachable`] or [`Kind::Failed`].
    fn query(&mut self, statement: &Statement) -> Result<Vec<Vec<Value>>> {
        let mut all = Vec::new();
        self.query_each(statement, &mut |row| {
            all.push(row.iter_mut().map(|cell| std::mem::take(cell).into()).collect());
            Ok(())
        })?;
        Ok(all)
    }

    /// Runs a query and hands each row to `each` as it comes.
    ///
    /// # Errors
    /// As [`Database::query`], and whatever `each` answers.
    fn query_each(&mut self, statement: &Statement, each: &mut dyn FnMut(&mut [Cell<'_>]) -> Result<()>) -> Result<()>;

    /// Runs a statement that writes; gives how many rows it matched.
    ///
    /// # Errors
    /// As [`Database::query`].
    fn execute(&mut self, statement: &Statement) -> Result<u64>;

    /// Describes tables, in the order asked for; `None` where there is none. A name may carry a schema:
    /// `drizzle.__drizzle_migrations`.
    ///
    /// # Errors
    /// As [`Database::query`].
    fn describe(&mut self, tables: &[String]) -> Result<Vec<Option<Table>>>;

    /// The foreign keys that point at a table.
    ///
    /// # Errors
    /// As [`Database::query`].
    fn references(&mut self, table: &str) -> Result<Vec<Reference>>;

    /// Refuses a table that cannot take part in a transaction.
    ///
    /// # Errors
    /// [`Kind::Refused`] with the reason.
    fn transactional(&mut self, table: &str) -> Result<()> {
        let _ = table;
        Ok(())
    }

    /// Whether a query for a whole table gives its rows in the table's own order without being told to, so that a page
    /// need not sort all that follow it.
    fn scans_in_order(&self) -> bool {
        false
    }

    /// Whether a comparison of rows, `(a, b) > (?, ?)`, is served by an index of both.
    fn compares_rows(&self) -> bool {
        true
    }

    /// A quoted name; a dot separates schema and table.
    fn quote(&self, name: &str) -> String;

    /// The quoted name of a table that was described or found by [`Database::references`]: with its schema where the
    /// database has such.
    fn relation(&self, table: &str) -> String {
        self.quote(table)
    }

    /// Appends a place in a table's own order, as [`Natural::reading`] gave it.
    fn place(&self, statement: &mut Statement, value: Value);

    /// The expression that reads a column in the form values have here.
    fn reading(&self, column: &Column) -> String;

    /// The expression whose value differs between any two different values, where the database's `GROUP BY` would fold
    /// letters; reads like [`Database::reading`].
    fn grouping(&self, column: &Column) -> String {
        self.reading(column)
    }

    /// Whether the database tells any two values apart quickly when it counts them. Where it does not, its rows are
    /// counted here.
    fn groups_exactly(&self, column: &Column) -> bool {
        let _ = column;
        true
    }

    /// Appends a comparison of a column with a value that is exact, byte for byte, and holds for null and null.
    fn exact(&self, statement: &mut Statement, column: &Column, value: &Value);

    /// Whether a column's values can be compared for equality at all; of the others a guard sees only whether they are
    /// null.
    fn comparable(&self, column: &Column) -> bool {
        let _ = column;
        true
    }

    /// Appends the same comparison in a form an index can serve.
    fn lookup(&self, statement: &mut Statement, column: &Column, value: &Value);

    /// Appends a value as it is written into a column.
    fn writing(&self, statement: &mut Statement, column: &Column, value: &Value);

    /// Appends a value that a column is compared with as the database orders it.
    fn bound(&self, statement: &mut Statement, column: &Column, value: &Value) {
        self.writing(statement, column, value);
    }

    /// What stands between the columns and the values of an INSERT, so that values the database would make itself are
    /// taken as given.
    fn overriding(&self) -> &'static str {
        ""
    }

    /// What keeps the rows that a SELECT finds from being changed by others until the transaction ends.
    fn locking(&self) -> &'static str {
        " FOR UPDATE"
    }

    /// What puts null before every value in an ORDER BY, where the database would put it last.
    fn nulls_first(&self) -> &'static str {
        ""
    }

    /// The expression whose value is equal for two rows just when the database's own `=` says the column is.
    fn same(&self, column: &Column) -> String;

    /// Appends the condition or clause that makes an UPDATE or DELETE touch at most one of the rows `filter` matches.
    /// `statement` ends before `WHERE`.
    fn one_row(&self, statement: &mut Statement, table: &str, filter: &mut dyn FnMut(&mut Statement));

    /// How a value written into a column reads back.
    fn stored(&self, column: &Column, value: &Value) -> Value;
}

/// An open database that remembers how its tables look.
pub struct Open<D> {
    /// The connection.
    pub database: D,
    tables: HashMap<String, Option<Arc<Table>>>,
    expected: Vec<String>,
}

impl<D: Database> Open<D> {
    /// Wraps a connection.
    pub fn new(database: D) -> Open<D> {
        Open { database, tables: HashMap::new(), expected: vec![] }
    }

    /// Wraps a connection to a server, over which these tables will most likely be asked for. They are described together
    /// with the first one: a server answers one long question much faster than many short ones.
    pub fn expecting<T: Into<String>>(database: D, tables: impl IntoIterator<Item = T>) -> Open<D> {
        Open { expected: tables.into_iter().map(Into::into).collect(), ..Open::new(database) }
    }

    /// Forgets how the tables look.
    pub fn forget(&mut self) {
        self.tables.clear();
    }

    /// The table, or `None` where there is none.
    ///
    /// # Errors
    /// The database's.
    pub fn table(&mut self, name: &str) -> Result<Option<Arc<Table>>> {
        if let Some(known) = self.tables.get(name) {
            return Ok(known.clone());
        }
        let mut names = std::mem::take(&mut self.expected);
        names.push(name.to_owned());
        names.sort_unstable();
        names.dedup();
        let found = self.database.describe(&names)?;
        self.tables.extend(names.into_iter().zip(found.into_iter().map(|table| table.map(Arc::new))));
        Ok(self.tables.get(name).cloned().flatten())
    }

    /// The table, which must exist.
    ///
    /// # Errors
    /// [`Kind::UnknownSchema`] where it does not; the database's.
    pub fn known_table(&mut self, name: &str) -> Result<Arc<Table>> {
        let missing = || Error::new(Kind::UnknownSchema, format!("this database has no table `{name}`"));
        self.table(name)?.ok_or_else(missing)
    }
}

impl Table {
    /// The column of that name.
    ///
    /// # Errors
    /// [`Kind::UnknownSchema`] where there is none.
    pub fn column(&self, table: &str, name: &str) -> Result<&Column> {
        let missing = || Error::new(Kind::UnknownSchema, format!("table `{table}` has no column `{name}`"));
        self.columns.iter().find(|column| column.name == name).ok_or_else(missing)
    }
}
