//! What the server's catalogue says of tables and of the keys between them.

use super::Session;
use super::columns::quote;
use crate::error::Result;
use crate::store::sql::{Database, Natural, Reference, Statement, Table};
use latchlift_plugin_api::{Column, Value};
use std::collections::HashMap;

/// A foreign key and the table it points at.
pub struct ForeignKey {
    /// The table it points at.
    pub to: String,
    /// Where it is.
    pub reference: Reference,
}

/// The tables found in one schema, by name.
type Found = HashMap<String, Table>;

impl Session {
    /// The tables, in this order; `None` where there is none.
    pub fn described(&mut self, tables: &[String]) -> Result<Vec<Option<Table>>> {
        let places: Vec<(String, String)> = tables.iter().map(|table| self.place_of(table)).collect();
        let mut schemas: HashMap<&str, Found> = HashMap::new();
        for (schema, _) in &places {
            if !schemas.contains_key(schema.as_str()) {
                let names = places.iter().filter(|(of, _)| of == schema).map(|(_, name)| name);
                schemas.insert(schema, self.columns_of(schema, names)?);
            }
        }
        Ok(places.iter().map(|(schema, name)| named(&schemas[schema.as_str()], name).cloned()).collect())
    }

    fn columns_of<'a>(&mut self, schema: &str, names: impl Iterator<Item = &'a String>) -> Result<Found> {
        let mut values: Vec<Value> = vec![schema.into()];
        values.extend(names.map(Value::from));
        let text = format!(
            "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE, COLUMN_KEY, EXTRA, \
             COLUMN_DEFAULT IS NOT NULL OR EXTRA LIKE '%auto_increment%' \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN ({}) \
             ORDER BY TABLE_NAME, ORDINAL_POSITION",
            vec!["?"; values.len() - 1].join(", ")
        );
        let mut found = Found::new();
        for row in self.query(&Statement { text, values })? {
            let [table, name, kind, collation, nullable, key, extra, has_default] = row.map_cells();
            let table = found.entry(table).or_default();
            if key == "PRI" {
                table.natural.push(Natural { expression: quote(&name), reading: quote(&name) });
            }
            // What the database computes itself can be neither written nor restored. `DEFAULT_GENERATED` is a default.
            if extra.to_uppercase().split("DEFAULT_GENERATED").any(|extra| extra.contains("GENERATED")) {
                continue;
            }
            if extra.to_lowercase().contains("on update") {
                table.renewed.push(name.clone());
            }
            let collation = Some(collation).filter(|collation| !collation.is_empty());
            let (kind, nullable, has_default) = (kind.to_lowercase(), nullable == "YES", has_default == "1");
            table.columns.push(Column { name, kind, nullable, has_default, collation });
        }
        Ok(found)
    }

    /// The foreign keys within this database, read all at once when first asked for: the catalogue has to look at every
    /// table to find those that point at one.
    pub fn foreign_keys(&mut self) -> Result<&[ForeignKey]> {
        if self.keys.is_none() {
            self.keys = Some(self.read_foreign_keys()?);
        }
        Ok(self.keys.as_deref().unwrap_or_default())
    }

    /// Those within this database: to find any that come from elsewhere, the server would have to open every table of
    /// every database it has.
    fn read_foreign_keys(&mut self) -> Result<Vec<ForeignKey>> {
        let database = self.target.server.database.clone();
        let rows = self.ask(
            "SELECT CONSTRAINT_NAME, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME \
             FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_SCHEMA = ? \
             ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
            &[&database, &database],
        )?;
        let mut keys: Vec<(String, ForeignKey)> = Vec::new();
        for row in rows {
            let [name, from, column, to, to_column] = row.map_cells();
            match keys.last_mut() {
                Some((last, key)) if *last == name && key.reference.from == from => {
                    key.reference.columns.push(column);
                    key.reference.to.push(to_column);
                }
                _ => {
                    let reference = Reference { from, columns: vec![column], to: vec![to_column] };
                    keys.push((name, ForeignKey { to, reference }));
                }
            }
        }
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    }

    /// The engine of a table and what kind of table it is; both empty where there is none.
    pub fn engine(&mut self, table: &str) -> Result<[String; 2]> {
        let (schema, name) = self.place_of(table);
        let sql = "SELECT ENGINE, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?";
        Ok(self.ask(sql, &[&schema, &name])?.pop().unwrap_or_default().map_cells())
    }

    /// The schema and the name of a table: `drizzle.migrations`, or a table of this database.
    pub fn place_of(&self, table: &str) -> (String, String) {
        let (schema, name) = table.split_once('.').unwrap_or((&self.target.server.database, table));
        (schema.to_owned(), name.to_owned())
    }

    fn ask(&mut self, text: &str, names: &[&str]) -> Result<Vec<Vec<Value>>> {
        self.query(&Statement { text: text.to_owned(), values: names.iter().map(|&name| name.into()).collect() })
    }
}

/// The table of that name. A server may keep names in lower case, however they were written when the table was made.
fn named<'a>(found: &'a Found, name: &str) -> Option<&'a Table> {
    let table = found.get(name).or_else(|| found.get(&name.to_lowercase()));
    table.filter(|table| !table.columns.is_empty())
}

/// A row of the catalogue.
trait Cells {
    /// The cells as text; null is empty.
    fn map_cells<const N: usize>(self) -> [String; N];
}

impl Cells for Vec<Value> {
    fn map_cells<const N: usize>(self) -> [String; N] {
        let mut cells = self.into_iter();
        std::array::from_fn(|_| cells.next().and_then(|cell| cell.to_text()).unwrap_or_default())
    }
}
