//! Sign-ins named by their ids, or by the secrets themselves.

use crate::ids;
use crate::schema::Layout;
use crate::sessions::{CHUNK, Row, rows};
use latchlift_plugin_api::{Filter, Reader, Result, StoreKind, Time, Value, fingerprint};
use std::collections::HashSet;

/// What a person named by ids: short ids, fingerprints of keys, keys, or the secrets that browsers and programs send.
pub struct Named {
    shown: HashSet<String>,
    keys: HashSet<String>,
    /// Keys as the numbers that SQLite has made of them.
    numbers: Vec<Value>,
    /// Whether every row must be looked at: fingerprints are in no column, and not every table has short ids.
    scan: bool,
}

impl Named {
    /// What these ids name.
    pub fn of(layout: &Layout, ids: &[String]) -> Named {
        let typed = || ids.iter().map(|id| id.trim().to_owned());
        let secrets = typed().filter(|_| layout.hashed_sessions()).map(|secret| ids::session_id(&secret));
        let print = |id: &String| id.trim().len() == 12 && id.trim().bytes().all(|byte| byte.is_ascii_hexdigit());
        let scan = ids.iter().any(print) || !layout.sessions.iter().any(|column| column == "ref_id");
        let keys: HashSet<String> = typed().chain(secrets).collect();
        let numbers = match layout.kind {
            StoreKind::Sqlite => sorted(&keys).into_iter().filter_map(ids::as_number).collect(),
            _ => vec![],
        };
        Named { shown: typed().collect(), keys, numbers, scan }
    }

    /// The filters that find what is meant, so that not every row is read for a few.
    pub fn filters(&self) -> Vec<Filter> {
        match self.scan {
            true => vec![Filter::All],
            false => {
                let keys = sorted(&self.keys).into_iter().map(Value::from).chain(self.numbers.iter().cloned());
                vec![Filter::is_in("id", keys), Filter::is_in("ref_id", sorted(&self.shown))]
            }
        }
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Whether this row is meant.
    pub fn means(&self, row: &Row) -> bool {
        let key = || row.id.to_text().unwrap_or_default();
        self.shown.contains(&row.shown)
            || self.keys.contains(&key())
            || self.numbers.contains(&row.id)
            || self.scan && self.shown.contains(&fingerprint(&key()))
    }
}

fn sorted(texts: &HashSet<String>) -> Vec<&str> {
    let mut all: Vec<&str> = texts.iter().map(String::as_str).collect();
    all.sort_unstable();
    all
}

/// The rows that ids mean and the sessions made from them; every row that matches where no ids are given.
///
/// # Errors
/// The store's.
pub fn chosen(reader: &dyn Reader, layout: &Layout, ids: &[String], filter: Filter, now: Time) -> Result<Vec<Row>> {
    let named = Named::of(layout, ids);
    if named.is_empty() {
        return rows(reader, layout, filter, now);
    }
    let mut found: Vec<Row> = Vec::new();
    for one in named.filters() {
        found.extend(rows(reader, layout, filter.clone().and(one), now)?);
    }
    let keys: Vec<Value> = found.iter().filter(|row| named.means(row)).map(|row| row.id.clone()).collect();
    for some in keys.chunks(CHUNK) {
        found.extend(rows(reader, layout, filter.clone().and(Filter::is_in("auth_id", some.iter().cloned())), now)?);
    }
    let mut seen = HashSet::new();
    found.retain(|row| seen.insert(row.id.to_text().unwrap_or_default()));
    Ok(found)
}
