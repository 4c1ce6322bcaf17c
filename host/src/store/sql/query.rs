//! Reading: a [`Select`] as SQL, page after page.

use super::{Database, Natural, Open, Statement, Table};
use crate::error::{Error, Kind, Result};
use crate::store::{NEXT_PAGES, PAGE, PageAsBytes, StoreReader};
use latchlift_plugin_api::{Column, CountBytes, Filter, Page, PageBytes, SAME, Select, Value, abi};
use std::collections::HashMap;

impl<D: Database> StoreReader for Open<D> {
    fn select(&mut self, query: &Select) -> Result<Page> {
        Ok(abi::decode(&self.select_bytes(query)?.bytes)?)
    }

    fn select_bytes(&mut self, query: &Select) -> Result<PageAsBytes> {
        let table = self.known_table(&query.collection)?;
        let order = order(&self.database, &table, query)?;
        let most = if query.after.is_empty() { PAGE } else { NEXT_PAGES };
        let limit = if query.limit == 0 { most } else { query.limit.min(most) };
        let statement = page_statement(&self.database, &table, query, &order, limit)?;
        let mut columns = query.columns.clone();
        columns.extend(query.same.as_ref().map(|_| SAME.to_owned()));
        let (mut page, mut rows, mut next) = (PageBytes::new(&columns)?, 0, vec![]);
        self.database.query_each(&statement, &mut |row| {
            rows += 1;
            let (cells, place) = row.split_at(columns.len());
            if rows == limit && !table.natural.is_empty() {
                next = abi::encode(&place)?;
            }
            Ok(page.row(cells)?)
        })?;
        if rows == limit && table.natural.is_empty() {
            next = abi::encode(&vec![seen(query)? + i64::from(limit)])?;
        }
        Ok(PageAsBytes { bytes: page.end(&next)?, next })
    }

    fn count_by(&mut self, collection: &str, field: &str, filter: &Filter) -> Result<Vec<(Value, u64)>> {
        Ok(abi::decode(&self.count_bytes(collection, field, filter)?)?)
    }

    fn count_bytes(&mut self, collection: &str, field: &str, filter: &Filter) -> Result<Vec<u8>> {
        let table = self.known_table(collection)?;
        let column = table.column(collection, field)?;
        if !self.database.groups_exactly(column) {
            return self.count_here(collection, column, &table, filter);
        }
        let column = self.database.grouping(column);
        let mut statement =
            Statement::new(format!("SELECT {column}, count(*) FROM {}", self.database.relation(collection)));
        push_where(&self.database, &mut statement, collection, &table, filter)?;
        statement.push(" GROUP BY 1");
        let mut counts = CountBytes::default();
        self.database.query_each(&statement, &mut |row| {
            let [value, count] = row else { return Ok(()) };
            let rows = count.as_int().and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
            Ok(counts.count(value, rows)?)
        })?;
        Ok(counts.end()?)
    }

    fn columns(&mut self, collection: &str) -> Result<Option<Vec<Column>>> {
        Ok(self.table(collection)?.map(|table| table.columns.clone()))
    }
}

impl<D: Database> Open<D> {
    /// As [`StoreReader::count_bytes`], where the database would be slow to tell values apart: its rows are counted as
    /// they come.
    fn count_here(&mut self, collection: &str, column: &Column, table: &Table, filter: &Filter) -> Result<Vec<u8>> {
        let relation = self.database.relation(collection);
        let mut statement = Statement::new(format!("SELECT {} FROM {relation}", self.database.reading(column)));
        push_where(&self.database, &mut statement, collection, table, filter)?;
        let (mut places, mut counted) = (HashMap::new(), Vec::<(Value, u64)>::new());
        self.database.query_each(&statement, &mut |row| {
            let Some(cell) = row.first_mut() else { return Ok(()) };
            // An index hands out equal values in a row.
            if let (Some((Value::Text(last), rows)), Some(text)) = (counted.last_mut(), cell.as_str())
                && last == text
            {
                *rows += 1;
                return Ok(());
            }
            let value = Value::from(std::mem::take(cell));
            let key = match &value {
                Value::Bytes(bytes) => Some(bytes.clone()),
                other => other.as_str().map(|text| text.as_bytes().to_vec()),
            };
            let place = *places.entry(key).or_insert(counted.len());
            match counted.get_mut(place) {
                Some((_, rows)) => *rows += 1,
                None => counted.push((value, 1)),
            }
            Ok(())
        })?;
        let mut counts = CountBytes::default();
        counted.into_iter().try_for_each(|(value, rows)| counts.count(&value.into(), rows))?;
        Ok(counts.end()?)
    }
}

/// One expression that orders the rows, and how its value is read and bound.
struct Order {
    expression: String,
    reading: String,
    column: Option<Column>,
}

/// What orders the rows: the query's fields, then the table's own order, which tells rows with equal fields apart, so
/// that no page begins in the middle of them.
fn order<D: Database>(database: &D, table: &Table, query: &Select) -> Result<Vec<Order>> {
    let mut order = Vec::new();
    for field in &query.order {
        let column = table.column(&query.collection, field)?.clone();
        order.push(Order {
            expression: database.quote(field),
            reading: database.reading(&column),
            column: Some(column),
        });
    }
    let own =
        table.natural.iter().filter(|own| query.order.iter().all(|field| database.quote(field) != own.expression));
    let own: Vec<Order> =
        own.cloned().map(|Natural { expression, reading }| Order { expression, reading, column: None }).collect();
    order.extend(own);
    if table.natural.is_empty() && !order.is_empty() {
        // Rows are counted off here, so those that the fields leave equal need an order that does not change.
        order.extend(table.columns.iter().map(|column| {
            let expression = database.grouping(column);
            Order { reading: expression.clone(), expression, column: None }
        }));
    }
    Ok(order)
}

/// How many rows the pages before held, of a table without an order of its own.
fn seen(query: &Select) -> Result<i64> {
    if query.after.is_empty() {
        return Ok(0);
    }
    let after: Vec<i64> = abi::decode(&query.after).map_err(|_| another_query())?;
    after.first().copied().ok_or_else(another_query)
}

fn another_query() -> Error {
    Error::new(Kind::Plugin, "the plugin asked for a page of another query")
}

fn page_statement<D: Database>(
    database: &D,
    table: &Table,
    query: &Select,
    order: &[Order],
    limit: u32,
) -> Result<Statement> {
    let name = &query.collection;
    let mut wanted = Vec::new();
    for field in &query.columns {
        wanted.push(database.reading(table.column(name, field)?));
    }
    if let Some(field) = &query.same {
        wanted.push(database.same(table.column(name, field)?));
    }
    let counted_off = table.natural.is_empty();
    if !counted_off {
        // The order's values end each row, so that the last row says where the next page begins.
        wanted.extend(order.iter().map(|by| by.reading.clone()));
    }
    // Each gets a name that no column has, for `ORDER BY name` would mean the text that was read and not the column.
    let named =
        wanted.iter().enumerate().map(|(i, wanted)| format!("{wanted} AS {}", database.quote(&format!("@{i}"))));
    let named: Vec<String> = named.collect();
    let mut statement = Statement::new(format!("SELECT {} FROM {}", named.join(", "), database.relation(name)));
    push_where(database, &mut statement, name, table, &query.filter)?;
    if !query.after.is_empty() && !counted_off {
        let after: Vec<Value> = abi::decode(&query.after)?;
        statement.push(if query.filter == Filter::All { " WHERE " } else { " AND " });
        push_after(database, &mut statement, order, &after)?;
    }
    let as_scanned = query.order.is_empty() && query.filter == Filter::All && database.scans_in_order();
    if !order.is_empty() && !as_scanned {
        statement.push(" ORDER BY ");
        statement.join(", ", order, |statement, by| {
            let nullable = by.column.as_ref().is_some_and(|column| column.nullable);
            statement.push(&by.expression).push(if nullable { database.nulls_first() } else { "" });
        });
    }
    statement.push(&format!(" LIMIT {limit}"));
    if counted_off {
        statement.push(&format!(" OFFSET {}", seen(query)?));
    }
    Ok(statement)
}

/// Appends the condition that the rows come after a place: `(a, b) > (?, ?)`.
fn push_after<D: Database>(database: &D, statement: &mut Statement, order: &[Order], after: &[Value]) -> Result<()> {
    if after.len() != order.len() {
        return Err(another_query());
    }
    let place: Vec<(&Order, &Value)> = order.iter().zip(after).collect();
    if after.contains(&Value::Null) || !database.compares_rows() {
        push_after_each(database, statement, &place);
        return Ok(());
    }
    if let [(first, value), _, ..] = place.as_slice() {
        // Says nothing new, but lets an index serve where the database would not use one for the pair.
        statement.push(&first.expression).push(" >= ");
        push_place(database, statement, first, value);
        statement.push(" AND ");
    }
    statement.push("(");
    statement.join(", ", order, |statement, by| {
        statement.push(&by.expression);
    });
    statement.push(") > (");
    statement.join(", ", place, |statement, (by, value)| push_place(database, statement, by, value));
    statement.push(")");
    Ok(())
}

/// The same field by field: `(a > ? OR a = ? AND b > ?)`, where a null comes before everything:
/// `(a IS NOT NULL OR a IS NULL AND b > ?)`.
fn push_after_each<D: Database>(database: &D, statement: &mut Statement, place: &[(&Order, &Value)]) {
    statement.push("(");
    statement.join(" OR ", 0..place.len(), |statement, last| {
        statement.join(" AND ", place[..=last].iter().enumerate(), |statement, (i, (by, value))| {
            let beyond = i == last;
            statement.push(&by.expression);
            match (*value == &Value::Null, beyond) {
                (true, true) => drop(statement.push(" IS NOT NULL")),
                (true, false) => drop(statement.push(" IS NULL")),
                (false, _) => {
                    statement.push(if beyond { " > " } else { " = " });
                    push_place(database, statement, by, value);
                }
            }
        });
    });
    statement.push(")");
}

fn push_place<D: Database>(database: &D, statement: &mut Statement, by: &Order, value: &Value) {
    match &by.column {
        Some(column) => database.writing(statement, column, value),
        None => database.place(statement, value.clone()),
    }
}

/// Appends ` WHERE ...` for a filter, or nothing for all rows.
///
/// # Errors
/// The table lacks a column the filter names.
pub fn push_where<D: Database>(
    database: &D,
    statement: &mut Statement,
    name: &str,
    table: &Table,
    filter: &Filter,
) -> Result<()> {
    if *filter == Filter::All {
        return Ok(());
    }
    statement.push(" WHERE ");
    push_filter(database, statement, name, table, filter)
}

fn push_filter<D: Database>(
    database: &D,
    statement: &mut Statement,
    name: &str,
    table: &Table,
    filter: &Filter,
) -> Result<()> {
    match filter {
        Filter::All => {
            statement.push("1 = 1");
        }
        Filter::Eq(field, value) => database.lookup(statement, table.column(name, field)?, value),
        Filter::In(_, values) if values.is_empty() => {
            statement.push("1 = 0");
        }
        Filter::In(field, values) => {
            push_any(database, statement, table.column(name, field)?, values);
        }
        Filter::Range { field, from, to } => {
            let column = table.column(name, field)?;
            let bounds =
                [(" >= ", from), (" <= ", to)].into_iter().filter_map(|(op, bound)| Some((op, bound.as_ref()?)));
            statement.push(&format!("({} IS NOT NULL", database.quote(field)));
            for (op, bound) in bounds {
                statement.push(" AND ").push(&database.quote(field)).push(op);
                database.bound(statement, column, bound);
            }
            statement.push(")");
        }
        Filter::Null(field) => {
            let column = table.column(name, field)?;
            statement.push(&database.quote(&column.name)).push(" IS NULL");
        }
        Filter::And(all) => {
            statement.push("(");
            for (i, one) in all.iter().enumerate() {
                if i > 0 {
                    statement.push(" AND ");
                }
                push_filter(database, statement, name, table, one)?;
            }
            statement.push(if all.is_empty() { "1 = 1)" } else { ")" });
        }
    }
    Ok(())
}

/// Appends "one of these" as a balanced tree: SQLite refuses a chain of more than a thousand ORs.
fn push_any<D: Database>(database: &D, statement: &mut Statement, column: &Column, values: &[Value]) {
    match values {
        [one] => database.lookup(statement, column, one),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            statement.push("(");
            push_any(database, statement, column, left);
            statement.push(" OR ");
            push_any(database, statement, column, right);
            statement.push(")");
        }
    }
}
