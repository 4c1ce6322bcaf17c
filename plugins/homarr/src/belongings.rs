//! What else `user show` says of an account: its boards, its invitations and its people at the OIDC provider, by name.

use crate::accounts::Accounts;
use crate::schema::{self, BOARD, GROUP, INVITE, LINK, Layout};
use crate::sign_in::count;
use latchlift_plugin_api::{Filter, Reader, Record, Result, Select, Time};
use std::collections::{BTreeMap, HashMap};

/// Lines per account, by what they are called.
#[derive(Default)]
pub struct Belongings(HashMap<String, BTreeMap<String, String>>);

impl Belongings {
    /// Reads those of these accounts, with one query per table.
    ///
    /// # Errors
    /// The store's.
    pub fn load(
        reader: &dyn Reader,
        layout: &Layout,
        accounts: &Accounts,
        which: &[usize],
        now: Time,
    ) -> Result<Belongings> {
        let mine = |field: &str| Filter::is_in(field, which.iter().map(|i| &accounts.people[*i].id));
        let mut all = Belongings::default();
        if schema::has_columns(reader, BOARD, &["name", "creator_id"])? {
            let rows = reader.all(Select::from(BOARD, ["creator_id", "name"]).filter(mine("creator_id")))?;
            all.list("boards", "creator_id", &rows, |row| row.text("name"));
        }
        let rows = reader.all(Select::from(GROUP, ["owner_id", "name"]).filter(mine("owner_id")))?;
        all.list("groups_owned", "owner_id", &rows, |row| row.text("name"));
        if layout.links {
            let columns = ["user_id", "provider", "provider_account_id"];
            let rows = reader.all(Select::from(LINK, columns).filter(mine("user_id")))?;
            all.list("linked_logins", "user_id", &rows, |row| {
                Some(format!("{} {}", row.text("provider")?, row.text("provider_account_id")?))
            });
        }
        if layout.invites {
            let columns = ["creator_id", "expiration_date"];
            let rows = reader.all(Select::from(INVITE, columns).filter(mine("creator_id")))?;
            all.invites(&rows, now);
        }
        Ok(all)
    }

    fn list(&mut self, name: &str, field: &str, rows: &[Record], of: impl Fn(&Record) -> Option<String>) {
        for row in rows {
            let (Some(account), Some(text)) = (row.text(field), of(row)) else { continue };
            let listed = self.0.entry(account).or_default().entry(name.to_owned()).or_default();
            if !listed.is_empty() {
                *listed += ", ";
            }
            *listed += &text;
        }
    }

    fn invites(&mut self, rows: &[Record], now: Time) {
        let mut made: HashMap<String, (u64, u64)> = HashMap::new();
        for row in rows {
            let made = made.entry(row.text("creator_id").unwrap_or_default()).or_default();
            let ends = row.get("expiration_date").and_then(schema::invite_expiry);
            match ends.is_some_and(|ends| ends < now) {
                true => made.1 += 1,
                false => made.0 += 1,
            }
        }
        for (account, (open, ended)) in made {
            let text = match ended {
                0 => open.to_string(),
                ended => format!("{} ({} ended)", count(open + ended, "invitation"), ended),
            };
            self.0.entry(account).or_default().insert("invites".to_owned(), text);
        }
    }

    /// Those of one account.
    pub fn of(&mut self, id: &str) -> BTreeMap<String, String> {
        self.0.remove(id).unwrap_or_default()
    }
}
