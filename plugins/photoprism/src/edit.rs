//! Changes of one row of `auth_users`, field by field.

use crate::schema::{Layout, USERS};
use crate::user::User;
use crate::{find, ids};
use latchlift_plugin_api::{Change, Reader, Record, Request, Result, Time, Value, update};

/// New values for an account's row. Fields that the layout lacks, and values that mean the same, are left out.
pub struct Edit<'a> {
    layout: &'a Layout,
    row: Record,
    fields: Vec<(String, Value, Value)>,
}

impl<'a> Edit<'a> {
    /// An edit of this account's row that changes nothing yet.
    ///
    /// # Errors
    /// The store's.
    pub fn of(reader: &dyn Reader, layout: &'a Layout, user: &User) -> Result<Edit<'a>> {
        Ok(Edit { layout, row: find::record(reader, layout, user)?, fields: vec![] })
    }

    /// Sets a field.
    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.row.get(field) {
            Some(before) if !means_the_same(before, &value) => {
                self.fields.push((field.to_owned(), before.clone(), value));
            }
            _ => {}
        }
    }

    /// Draws new tokens for thumbnails and downloads, as PhotoPrism does with each new password.
    pub fn renew_tokens(&mut self, request: &Request) {
        for field in ["preview_token", "download_token"] {
            self.set(field, ids::token(&request.random));
        }
    }

    /// The change, if there is one, with the time of it.
    pub fn change(mut self, now: Time) -> Option<Change> {
        if self.fields.is_empty() {
            return None;
        }
        self.set("updated_at", self.layout.time(now));
        let key = Record::new().with("id", self.row.get("id").cloned().unwrap_or_default());
        update(USERS, key, self.fields)
    }
}

/// PhotoPrism treats null and its zero values alike, and databases store yes and no as numbers.
fn means_the_same(before: &Value, after: &Value) -> bool {
    match after {
        _ if before.is_blank() && after.is_blank() => true,
        Value::Int(n) => before.as_int() == Some(*n),
        _ => before == after,
    }
}
