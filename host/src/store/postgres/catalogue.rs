//! What the catalogue says of tables and of the keys between them.

use super::columns::quote;
use super::{Relation, Session};
use crate::error::Result;
use crate::store::sql::{Database, Natural, Reference, Statement, Table};
use latchlift_plugin_api::{Column, Value};

impl Session {
    /// The tables, in this order; `None` where there is none. The search path decides what a bare name means.
    pub fn described(&mut self, tables: &[String]) -> Result<Vec<Option<Table>>> {
        let asked: Vec<String> = (0..tables.len()).map(|i| format!("({i}, ${}::text)", i + 1)).collect();
        // A generated column can be neither written nor restored.
        let text = format!(
            "SELECT asked.place, n.nspname::text, c.relname::text, c.relkind::text, a.attname::text, \
             format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.atthasdef OR a.attidentity <> '', \
             nullif(l.collname::text, 'default') FROM (VALUES {}) AS asked (place, name) \
             JOIN pg_class c ON c.oid = to_regclass(asked.name) JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_collation l ON l.oid = a.attcollation \
             WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY asked.place, a.attnum",
            asked.join(", ")
        );
        let values = tables.iter().map(|table| self.quote(table).into()).collect();
        let mut found: Vec<Option<Table>> = vec![None; tables.len()];
        for row in self.query(&Statement { text, values })? {
            let place = row[0].as_int().and_then(|place| usize::try_from(place).ok());
            let Some((table, name)) = place.and_then(|place| found.get_mut(place).zip(tables.get(place))) else {
                continue;
            };
            let table = table.get_or_insert_with(|| {
                let relation = relation(&row[1..4]);
                let natural = natural(&relation);
                self.relations.insert(name.clone(), relation);
                Table { natural, ..Table::default() }
            });
            table.columns.push(column(&row[4..]));
        }
        Ok(found)
    }

    /// The foreign keys that point at a table.
    pub fn referring(&mut self, table: &str) -> Result<Vec<Reference>> {
        let text = "SELECT n.nspname::text, c.relname::text, c.relkind::text, k.oid::text, \
             CASE WHEN pg_table_is_visible(c.oid) THEN c.relname::text ELSE n.nspname || '.' || c.relname END, \
             a.attname::text, b.attname::text \
             FROM pg_constraint k CROSS JOIN unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(here, there, place) \
             JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.here \
             JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.there \
             WHERE k.contype = 'f' AND k.confrelid = to_regclass($1::text) AND k.conparentid = 0 \
             ORDER BY 5, k.oid, u.place";
        let statement = Statement { text: text.to_owned(), values: vec![self.quote(table).into()] };
        let mut found: Vec<(String, Reference)> = Vec::new();
        for row in self.query(&statement)? {
            let [key, from, column, to] = [3, 4, 5, 6].map(|i| text_of(&row[i]));
            self.relations.entry(from.clone()).or_insert_with(|| relation(&row[..3]));
            match found.last_mut() {
                Some((last, reference)) if *last == key => {
                    reference.columns.push(column);
                    reference.to.push(to);
                }
                _ => found.push((key, Reference { from, columns: vec![column], to: vec![to] })),
            }
        }
        Ok(found.into_iter().map(|(_, reference)| reference).collect())
    }
}

/// A relation from its schema, name and kind.
fn relation(cells: &[Value]) -> Relation {
    let [schema, name, kind] = [0, 1, 2].map(|i| text_of(&cells[i]));
    Relation { name: format!("{}.{}", quote(&schema), quote(&name)), kind }
}

/// The order of a table's rows. The parts of a partitioned table, and what a view looks at, have places of their own.
fn natural(relation: &Relation) -> Vec<Natural> {
    let ctid = (relation.kind == "r").then(|| Natural { expression: "ctid".into(), reading: "ctid::text".into() });
    ctid.into_iter().collect()
}

/// A column from its name, its type, whether it may be null, whether it has a default, and its collation.
fn column(cells: &[Value]) -> Column {
    Column {
        name: text_of(&cells[0]),
        kind: text_of(&cells[1]),
        nullable: cells[2].as_bool().unwrap_or_default(),
        has_default: cells[3].as_bool().unwrap_or_default(),
        collation: cells[4].to_text(),
    }
}

fn text_of(cell: &Value) -> String {
    cell.to_text().unwrap_or_default()
}
