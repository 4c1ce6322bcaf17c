//! What else `user show` says of an account: its boards, its invitations and its people at the OIDC provider, by name.

use crate::accounts::Accounts;
use crate::schema::{self, BOARD, GROUP, INVITE, LINK, Layout};
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
        if layout.boards {
            let rows = reader.all(Select::from(BOARD, ["creator_id", "name"]).filter(mine("creator_id")))?;
            all.list("board_names", "creator_id", &rows, |row| row.text("name"));
        }
        let rows = reader.all(Select::from(GROUP, ["owner_id", "name"]).filter(mine("owner_id")))?;
        all.list("groups_owned", "owner_id", &rows, |row| row.text("name"));
        if layout.links {
            let columns = ["user_id", "provider", "provider_account_id"];
            let rows = reader.all(Select::from(LINK, columns).filter(mine("user_id")))?;
            all.list("linked_to", "user_id", &rows, |row| {
                Some(format!("{} {}", row.text("provider")?, row.text("provider_account_id")?))
            });
        }
        if layout.invites {
            let columns = ["creator_id", "expiration_date"];
            let rows = reader.all(Select::from(INVITE, columns).filter(mine("creator_id")))?;
            all.ended_invites(&rows, now);
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

    fn ended_invites(&mut self, rows: &[Record], now: Time) {
        let mut ended: HashMap<String, u64> = HashMap::new();
        let has_ended =
            |row: &&Record| row.get("expiration_date").and_then(schema::invite_expiry).is_some_and(|at| at < now);
        for row in rows.iter().filter(has_ended) {
            *ended.entry(row.text("creator_id").unwrap_or_default()).or_default() += 1;
        }
        for (account, n) in ended {
            self.0.entry(account).or_default().insert("invites_ended".to_owned(), n.to_string());
        }
    }

    /// Those of one account.
    pub fn of(&mut self, id: &str) -> BTreeMap<String, String> {
        self.0.remove(id).unwrap_or_default()
    }
}
