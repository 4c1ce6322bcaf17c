//! Writing: the changes of a step, each guarded before and read back after.
//!
//! ```text
//! for each change:  guard ── the record is as the plan read it, else stale
//!                   write ── one statement, which must touch exactly one record
//!                   read back ── the record is as the plan says, else the whole step rolls back
//! ```
//!
//! The read-back catches what no guard can: type affinity, truncation, triggers.

use super::query::push_where;
use super::{Database, Open, Reference, Statement, Table};
use crate::error::{Error, Kind, Result};
use crate::store::{Receipt, Standing, stale, steady};
use latchlift_plugin_api::{Change, Facts, Filter, Key, Record, Step, Value};
use std::sync::Arc;

/// Carries out a step inside the open transaction. The caller commits, or rolls back on an error.
///
/// # Errors
/// [`Kind::Stale`] where a guard fails, [`Kind::Conflict`] where the database altered what was written,
/// [`Kind::Refused`] where another record still refers to one that goes; the database's own.
pub fn write<D: Database>(open: &mut Open<D>, step: &Step, facts: &Facts) -> Result<Receipt> {
    let mut receipt = Receipt::default();
    for change in &step.changes {
        crate::fault::point("sql.write")?;
        let mut kept = vec![];
        match change {
            Change::Insert { collection, after, .. } => insert(open, facts, collection, after, change)?,
            Change::Update { collection, key, before, after } => {
                update(open, facts, collection, (key, before, after), change)?;
            }
            Change::Delete { collection, key, before } => delete(open, facts, collection, (key, before), change)?,
            Change::Purge { collection, filter, keep, .. } => {
                kept = purge(open, collection, (filter, *keep), change)?;
            }
            Change::Move { .. } => return Err(Error::new(Kind::Plugin, "the plan moves a document in a database")),
        }
        receipt.kept.push(kept);
    }
    Ok(receipt)
}

/// How the database stands against a step.
///
/// # Errors
/// The database's.
pub fn standing<D: Database>(open: &mut Open<D>, step: &Step, facts: &Facts) -> Result<Standing> {
    let mut parts = Vec::new();
    for change in &step.changes {
        parts.push(change_standing(open, change, facts)?);
    }
    Ok(Standing::of_step(step, parts))
}

/// `None` where the change fits both states.
fn change_standing<D: Database>(open: &mut Open<D>, change: &Change, facts: &Facts) -> Result<Option<Standing>> {
    let known = |there: bool, yes: Standing, no: Standing| Ok(Some(if there { yes } else { no }));
    match change {
        Change::Insert { collection, after, .. } => {
            let table = open.known_table(collection)?;
            let there = count_record(open, collection, &table, facts, after)? > 0;
            let key = key_of(facts, collection, after);
            if !there && !key.is_empty() && count_record(open, collection, &table, facts, &key)? > 0 {
                return Ok(Some(Standing::Mixed));
            }
            known(there, Standing::Applied, Standing::Untouched)
        }
        Change::Update { collection, key, before, after } => {
            let table = open.known_table(collection)?;
            let old = merged(&key.fields, before);
            let new = merged(&key.fields, after);
            let is_old = count_record(open, collection, &table, facts, &old)? > 0;
            let is_new = count_record(open, collection, &table, facts, &new)? > 0;
            Ok(match (is_old, is_new) {
                (true, true) => None,
                (true, false) => Some(Standing::Untouched),
                (false, true) => Some(Standing::Applied),
                (false, false) => Some(Standing::Mixed),
            })
        }
        Change::Delete { collection, key, before } => {
            let table = open.known_table(collection)?;
            if count_record(open, collection, &table, facts, before)? > 0 {
                return Ok(Some(Standing::Untouched));
            }
            known(count_record(open, collection, &table, facts, &key.fields)? == 0, Standing::Applied, Standing::Mixed)
        }
        Change::Purge { collection, filter, count, .. } => {
            let table = open.known_table(collection)?;
            let left = count_where(open, collection, &table, filter)?;
            Ok(if left > 0 { Some(Standing::Untouched) } else { (*count > 0).then_some(Standing::Applied) })
        }
        Change::Move { .. } => Ok(Some(Standing::Mixed)),
    }
}

fn insert<D: Database>(
    open: &mut Open<D>,
    facts: &Facts,
    collection: &str,
    after: &Record,
    change: &Change,
) -> Result<()> {
    let table = prepared(open, collection)?;
    let key = key_of(facts, collection, after);
    if !key.is_empty() && count_record(open, collection, &table, facts, &key)? > 0 {
        return Err(stale(change, "has gained a record of this name"));
    }
    refuse_unfilled(collection, &table, after)?;
    let twins = count_record(open, collection, &table, facts, after)?;
    let database = &open.database;
    let mut statement = Statement::new(format!("INSERT INTO {} (", database.relation(collection)));
    statement.join(", ", after.fields(), |statement, field| {
        statement.push(&database.quote(field));
    });
    statement.push(")").push(database.overriding()).push(" VALUES (");
    let mut values = Vec::new();
    for (field, value) in after.iter() {
        values.push((table.column(collection, field)?, value));
    }
    statement.join(", ", values, |statement, (column, value)| database.writing(statement, column, value));
    statement.push(")");
    open.database.execute(&statement)?;
    match count_record(open, collection, &table, facts, after)? == twins + 1 {
        true => Ok(()),
        false => Err(altered(collection)),
    }
}

/// A newer release of the app may have added a column that has to be filled in, with what only that release knows.
fn refuse_unfilled(collection: &str, table: &Table, after: &Record) -> Result<()> {
    let given = |name: &str| after.get(name).is_some();
    let unfilled = table.columns.iter().find(|column| !column.nullable && !column.has_default && !given(&column.name));
    match unfilled {
        None => Ok(()),
        Some(column) => {
            let message =
                format!("`{collection}` has a column `{}` that needs a value the plugin does not know", column.name);
            Err(Error::new(Kind::UnknownSchema, message)
                .help("this release of the app is newer than the plugin; look for a newer plugin"))
        }
    }
}

fn update<D: Database>(
    open: &mut Open<D>,
    facts: &Facts,
    collection: &str,
    (key, before, after): (&Key, &Record, &Record),
    change: &Change,
) -> Result<()> {
    let table = prepared(open, collection)?;
    let guard = merged(&key.fields, &steady(facts, collection, before));
    let lock = open.database.locking();
    let was = matching(open, collection, &table, &guard, lock)?;
    expect_one(was.len() as u64, facts, collection, change)?;
    let goal = merged(&key.fields, after);
    // Where nothing but volatile fields changes, the record itself is what its guard finds, and no twin of the goal.
    let twins = match steady(facts, collection, &goal) == guard {
        true => 0,
        false => count_record(open, collection, &table, facts, &goal)?,
    };
    let mut statement = Statement::new(format!("UPDATE {} SET ", open.database.relation(collection)));
    let mut values = Vec::new();
    for (field, value) in after.iter() {
        values.push((table.column(collection, field)?, value));
    }
    let database = &open.database;
    statement.join(", ", values, |statement, (column, value)| {
        statement.push(&database.quote(&column.name)).push(" = ");
        database.writing(statement, column, value);
    });
    touch_one(open, &mut statement, collection, &table, &guard, change)?;
    let is = matching(open, collection, &table, &goal, "")?;
    match (was.as_slice(), is.as_slice()) {
        _ if is.len() as u64 != twins + 1 => Err(altered(collection)),
        ([was], [is]) => refuse_side_effects(facts, collection, &table, (was, is), after),
        // Of records that nothing tells apart, nobody can say which one was touched.
        _ => Ok(()),
    }
}

/// A trigger may have altered what nobody asked for: rights, for example. It would be committed with the rest, and no undo
/// would know of it.
fn refuse_side_effects(
    facts: &Facts,
    collection: &str,
    table: &Table,
    (was, is): (&Record, &Record),
    asked: &Record,
) -> Result<()> {
    let may_move = |field: &str| asked.get(field).is_some() || table.renewed.iter().any(|name| name == field);
    let moved = steady(facts, collection, is)
        .0
        .into_iter()
        .find(|(field, value)| !may_move(field) && was.get(field) != Some(value));
    match moved {
        None => Ok(()),
        Some((field, _)) => {
            let message =
                format!("a trigger of the database altered `{field}` of `{collection}`, which was not asked for");
            let help = "look at the triggers of that table, and remove the one that does it first";
            Err(Error::new(Kind::Conflict, message).help(help))
        }
    }
}

fn delete<D: Database>(
    open: &mut Open<D>,
    facts: &Facts,
    collection: &str,
    (key, before): (&Key, &Record),
    change: &Change,
) -> Result<()> {
    let table = prepared(open, collection)?;
    let guard = merged(&key.fields, &steady(facts, collection, before));
    let twins = count_exact(open, collection, &table, &guard)?;
    expect_one(twins, facts, collection, change)?;
    for reference in open.database.references(collection)? {
        refuse_referred(open, collection, &table, &exactly(&guard), &reference)?;
    }
    let mut statement = Statement::new(format!("DELETE FROM {}", open.database.relation(collection)));
    touch_one(open, &mut statement, collection, &table, &guard, change)?;
    match count_exact(open, collection, &table, &guard)? + 1 == twins {
        true => Ok(()),
        false => Err(altered(collection)),
    }
}

fn purge<D: Database>(
    open: &mut Open<D>,
    collection: &str,
    (filter, keep): (&Filter, bool),
    change: &Change,
) -> Result<Vec<Record>> {
    let table = prepared(open, collection)?;
    for reference in open.database.references(collection)? {
        refuse_referred(open, collection, &table, filter, &reference)?;
    }
    let kept = if keep { rows(open, collection, &table, filter)? } else { vec![] };
    let mut statement = Statement::new(format!("DELETE FROM {}", open.database.relation(collection)));
    push_where(&open.database, &mut statement, collection, &table, filter)?;
    let gone = open.database.execute(&statement)?;
    if keep && gone != kept.len() as u64 {
        // Somebody added or removed one in between; what goes must be exactly what undo can bring back.
        return Err(stale(change, "has changed"));
    }
    match count_where(open, collection, &table, filter)? {
        0 => Ok(kept),
        _ => Err(altered(collection)),
    }
}

/// The table, if it exists and takes part in transactions.
fn prepared<D: Database>(open: &mut Open<D>, collection: &str) -> Result<Arc<Table>> {
    let table = open.known_table(collection)?;
    open.database.transactional(collection)?;
    Ok(table)
}

/// Runs an UPDATE or DELETE on one of the records that are exactly like `guard`.
fn touch_one<D: Database>(
    open: &mut Open<D>,
    statement: &mut Statement,
    collection: &str,
    table: &Table,
    guard: &Record,
    change: &Change,
) -> Result<()> {
    let columns = columns_of(table, collection, guard)?;
    let Open { database, .. } = open;
    database.one_row(statement, collection, &mut |statement| push_record(database, statement, &columns));
    match database.execute(statement)? {
        1 => Ok(()),
        _ => Err(stale(change, "has changed")),
    }
}

/// Fails unless the guard found one record; of a collection without a key, at least one.
fn expect_one(found: u64, facts: &Facts, collection: &str, change: &Change) -> Result<()> {
    let keyed = facts.collection(collection).is_some_and(|collection| !collection.key.is_empty());
    match found {
        0 => Err(stale(change, "has changed")),
        1 => Ok(()),
        _ if !keyed => Ok(()),
        _ => Err(Error::new(Kind::Conflict, format!("`{collection}` holds {found} records of the same key"))),
    }
}

fn count_record<D: Database>(
    open: &mut Open<D>,
    collection: &str,
    table: &Table,
    facts: &Facts,
    record: &Record,
) -> Result<u64> {
    count_exact(open, collection, table, &steady(facts, collection, record))
}

/// How many rows have exactly these values, once the values are in the form they read back in.
fn count_exact<D: Database>(open: &mut Open<D>, collection: &str, table: &Table, record: &Record) -> Result<u64> {
    let columns = columns_of(table, collection, record)?;
    let mut statement = Statement::new(format!("SELECT count(*) FROM {} WHERE ", open.database.relation(collection)));
    push_record(&open.database, &mut statement, &columns);
    counted(open, &statement)
}

fn count_where<D: Database>(open: &mut Open<D>, collection: &str, table: &Table, filter: &Filter) -> Result<u64> {
    let mut statement = Statement::new(format!("SELECT count(*) FROM {}", open.database.relation(collection)));
    push_where(&open.database, &mut statement, collection, table, filter)?;
    counted(open, &statement)
}

fn counted<D: Database>(open: &mut Open<D>, statement: &Statement) -> Result<u64> {
    let rows = open.database.query(statement)?;
    let count = rows.first().and_then(|row| row.first()).and_then(Value::as_int).unwrap_or_default();
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The whole rows that match a filter.
fn rows<D: Database>(open: &mut Open<D>, collection: &str, table: &Table, filter: &Filter) -> Result<Vec<Record>> {
    let mut statement = whole_rows(&open.database, collection, table);
    push_where(&open.database, &mut statement, collection, table, filter)?;
    records(open, table, &statement)
}

/// The whole rows that have exactly these values, once the values are in the form they read back in.
fn matching<D: Database>(
    open: &mut Open<D>,
    collection: &str,
    table: &Table,
    record: &Record,
    lock: &str,
) -> Result<Vec<Record>> {
    let columns = columns_of(table, collection, record)?;
    let mut statement = whole_rows(&open.database, collection, table);
    push_record(&open.database, statement.push(" WHERE "), &columns);
    statement.push(lock);
    records(open, table, &statement)
}

fn whole_rows<D: Database>(database: &D, collection: &str, table: &Table) -> Statement {
    let reading: Vec<String> = table.columns.iter().map(|column| database.reading(column)).collect();
    Statement::new(format!("SELECT {} FROM {}", reading.join(", "), database.relation(collection)))
}

fn records<D: Database>(open: &mut Open<D>, table: &Table, statement: &Statement) -> Result<Vec<Record>> {
    let names = || table.columns.iter().map(|column| column.name.clone());
    let rows = open.database.query(statement)?;
    Ok(rows.into_iter().map(|row| Record(names().zip(row).collect())).collect())
}

type Columns<'a> = Vec<(&'a latchlift_plugin_api::Column, &'a Value)>;

fn columns_of<'a>(table: &'a Table, collection: &str, record: &'a Record) -> Result<Columns<'a>> {
    record.iter().map(|(field, value)| Ok((table.column(collection, field)?, value))).collect()
}

fn push_record<D: Database>(database: &D, statement: &mut Statement, columns: &Columns<'_>) {
    statement.join(" AND ", columns, |statement, (column, value)| match database.comparable(column) {
        true => database.lookup(statement, column, &database.stored(column, value)),
        false => {
            let null = if **value == Value::Null { " IS NULL" } else { " IS NOT NULL" };
            statement.push(&database.quote(&column.name)).push(null);
        }
    });
}

/// Fails where records of another table still refer to those that match.
fn refuse_referred<D: Database>(
    open: &mut Open<D>,
    collection: &str,
    table: &Table,
    filter: &Filter,
    by: &Reference,
) -> Result<()> {
    let database = &open.database;
    let tuple = |names: &[String]| names.iter().map(|name| database.quote(name)).collect::<Vec<_>>().join(", ");
    let mut statement = Statement::new(format!(
        "SELECT count(*) FROM {} WHERE ({}) IN (SELECT {} FROM {}",
        database.relation(&by.from),
        tuple(&by.columns),
        tuple(&by.to),
        database.relation(collection)
    ));
    push_where(database, &mut statement, collection, table, filter)?;
    statement.push(")");
    match counted(open, &statement)? {
        0 => Ok(()),
        left => Err(referred(collection, by, left)),
    }
}

/// The filter for records with exactly these values.
fn exactly(record: &Record) -> Filter {
    Filter::And(record.iter().map(|(field, value)| Filter::eq(field, value.clone())).collect())
}

fn referred(collection: &str, by: &Reference, left: u64) -> Error {
    let message = format!("{left} records of `{}` still refer to a record of `{collection}` that would go", by.from);
    Error::new(Kind::Refused, message)
        .help("this release of the app keeps more about accounts than the plugin knows; look for a newer plugin")
}

fn altered(collection: &str) -> Error {
    Error::new(
        Kind::Conflict,
        format!(
            "the database did not keep what was written to `{collection}`: a trigger, or a column too small for it"
        ),
    )
}

/// The declared key fields of a record; none where the collection declares none or the record lacks one.
fn key_of(facts: &Facts, collection: &str, record: &Record) -> Record {
    let names = facts.collection(collection).map_or(&[][..], |collection| &collection.key);
    let fields: Option<Vec<_>> = names.iter().map(|name| Some((name.clone(), record.get(name)?.clone()))).collect();
    Record(fields.unwrap_or_default())
}

/// The first record's fields, with the second's values where it has them, and the second's other fields.
fn merged(first: &Record, second: &Record) -> Record {
    let mut fields: Vec<_> = first.0.iter().filter(|(name, _)| second.get(name).is_none()).cloned().collect();
    fields.extend(second.0.iter().cloned());
    Record(fields)
}
