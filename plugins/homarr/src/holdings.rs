//! What belongs to an account in other tables, and what becomes of it when the account goes.

use crate::report::total;
use crate::schema::{API_KEY, BOARD, GROUP, INVITE, LINK, MEMBER, SESSION};
use latchlift_plugin_api::{Change, Filter, Reader, Record, Result, Select, Value, delete, purge, update};
use std::collections::BTreeMap;

/// What becomes of a record when the account it refers to goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is a sign-in or a key, and ends for good.
    Ends,
    /// It goes with the account.
    Goes,
    /// It stays and forgets the account.
    Stays,
}

/// A column that refers to accounts.
pub struct Holding {
    /// The table.
    pub table: &'static str,
    /// The column with the account's id.
    pub field: &'static str,
    /// The columns that name a record.
    pub key: &'static [&'static str],
    /// What becomes of the record.
    pub fate: Fate,
}

const fn holding(table: &'static str, field: &'static str, key: &'static [&'static str], fate: Fate) -> Holding {
    Holding { table, field, key, fate }
}

/// Every foreign key to `user`. Homarr's database follows it by itself when a user is deleted; a plan says it record by
/// record, so that it can be seen and taken back. Upstream: packages/db/schema, 1.0.0 to 1.74.0; the last two came later.
pub const HOLDINGS: [Holding; 12] = [
    holding(SESSION, "user_id", &["session_token"], Fate::Ends),
    holding(API_KEY, "user_id", &["id"], Fate::Ends),
    holding(MEMBER, "user_id", &["group_id", "user_id"], Fate::Goes),
    holding(LINK, "user_id", &["provider", "provider_account_id"], Fate::Goes),
    holding(INVITE, "creator_id", &["id"], Fate::Goes),
    holding("boardUserPermission", "user_id", &["board_id", "user_id", "permission"], Fate::Goes),
    holding("integrationUserPermission", "user_id", &["integration_id", "user_id", "permission"], Fate::Goes),
    holding(GROUP, "owner_id", &["id"], Fate::Stays),
    holding(BOARD, "creator_id", &["id"], Fate::Stays),
    holding("media", "creator_id", &["id"], Fate::Stays),
    holding("section_collapse_state", "user_id", &["user_id", "section_id"], Fate::Goes),
    holding("custom_widget_definition", "creator_id", &["id"], Fate::Stays),
];

impl Holding {
    /// The columns of the table; none where this layout does not have it.
    ///
    /// # Errors
    /// The store's.
    pub fn columns(&self, reader: &dyn Reader) -> Result<Option<Vec<String>>> {
        let columns = reader.column_names(self.table)?;
        let has = |name: &str| columns.iter().any(|column| column == name);
        let here = has(self.field) && self.key.iter().all(|name| has(name));
        Ok(here.then_some(columns))
    }

    /// What is to be done to this table when the account goes; `names` gets what the records are called.
    ///
    /// # Errors
    /// The store's.
    pub fn release(
        &self,
        reader: &dyn Reader,
        account: &str,
        names: &mut BTreeMap<String, String>,
    ) -> Result<Vec<Change>> {
        let Some(columns) = self.columns(reader)? else { return Ok(vec![]) };
        let mine = Filter::eq(self.field, account);
        if self.fate == Fate::Ends {
            let n = total(reader, self.table, self.field, &mine)?;
            return Ok(purge(self.table, mine, n).into_iter().collect());
        }
        // Of what stays only key and name are read: a picture need not travel to forget who made it.
        let mut wanted = columns;
        if self.fate == Fate::Stays {
            wanted.retain(|column| column == "name" || self.key.contains(&column.as_str()));
        }
        let rows = reader.all(Select::from(self.table, wanted).filter(mine))?;
        names.extend(rows.iter().filter_map(|row| Some((row.text("id")?, row.text("name")?))));
        Ok(rows.into_iter().filter_map(|row| self.of_row(row, account)).collect())
    }

    fn of_row(&self, row: Record, account: &str) -> Option<Change> {
        let key =
            Record(self.key.iter().filter_map(|name| Some(((*name).to_owned(), row.get(name)?.clone()))).collect());
        match self.fate {
            Fate::Goes => Some(delete(self.table, key, row)),
            _ => update(self.table, key, [(self.field, Value::from(account), Value::Null)]),
        }
    }
}
