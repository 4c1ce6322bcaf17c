//! Changes of one row, field by field.

use crate::schema::{CLIENTS, Layout, USERS};
use crate::user::User;
use crate::{find, ids};
use latchlift_plugin_api::{Change, Reader, Record, Request, Result, Time, Value, update};

/// New values for a row. Fields that the layout lacks, and values that mean the same, are left out.
pub struct Edit<'a> {
    layout: &'a Layout,
    table: &'static str,
    key: &'static str,
    row: Record,
    fields: Vec<(String, Value, Value)>,
}

impl<'a> Edit<'a> {
    /// An edit of this account's row that changes nothing yet.
    ///
    /// # Errors
    /// The store's.
    pub fn of(reader: &dyn Reader, layout: &'a Layout, user: &User) -> Result<Edit<'a>> {
        Ok(Edit { layout, table: USERS, key: "id", row: find::record(reader, layout, user)?, fields: vec![] })
    }

    /// An edit of this client's whole row that changes nothing yet.
    pub fn client(layout: &'a Layout, row: Record) -> Edit<'a> {
        Edit { layout, table: CLIENTS, key: "client_uid", row, fields: vec![] }
    }

    /// Sets a field.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        let value = value.into();
        self.fields.retain(|(name, _, _)| name != field);
        if let Some(before) = self.row.get(field).filter(|before| !means_the_same(before, &value)) {
            self.fields.push((field.to_owned(), before.clone(), value));
        }
    }

    /// Draws new tokens for thumbnails and downloads, as PhotoPrism does with each new password.
    pub fn renew_tokens(&mut self, request: &Request) {
        for field in ["preview_token", "download_token"] {
            self.set(field, ids::token(&request.random));
        }
    }

    /// Whether one of these fields gets another value.
    pub fn touches(&self, fields: &[&str]) -> bool {
        self.fields.iter().any(|(name, _, _)| fields.contains(&name.as_str()))
    }

    /// The row as it will be.
    pub fn row(&self) -> Record {
        let new = |field: &str| self.fields.iter().find(|(name, _, _)| name == field).map(|(_, _, value)| value);
        Record(self.row.iter().map(|(name, old)| (name.to_owned(), new(name).unwrap_or(old).clone())).collect())
    }

    /// The change, if there is one, with the time of it.
    pub fn change(mut self, now: Time) -> Option<Change> {
        if self.fields.is_empty() {
            return None;
        }
        self.set("updated_at", self.layout.time(now));
        let key = Record::new().with(self.key, self.row.get(self.key).cloned().unwrap_or_default());
        update(self.table, key, self.fields)
    }
}

/// PhotoPrism treats null and its zero values alike, and databases store yes and no as numbers.
fn means_the_same(before: &Value, after: &Value) -> bool {
    match after {
        _ if before.is_blank() && after.is_blank() => true,
        Value::Int(n) => before.as_int() == Some(*n),
        Value::Text(text) => before.to_text().as_ref() == Some(text),
        _ => before == after,
    }
}
