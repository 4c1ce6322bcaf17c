//! `user list`, `user show`, and the account of a verdict: everything that is known of an account.

use crate::accounts::{Accounts, Stored};
use crate::belongings::Belongings;
use crate::everybody;
use crate::groups::{Groups, Index, Memberships};
use crate::schema::{self, API_KEY, BOARD, INVITE, LINK, Layout, SESSION};
use crate::sign_in::Logins;
use latchlift_plugin_api::{
    Account, Batch, Batches, Cell, Context, Count, Filter, Known, Output, Reader, Reason, Request, Result, Select,
    StoreKind, Value,
};
use std::collections::BTreeMap;

/// Reports all accounts.
///
/// # Errors
/// The store's, or an unknown layout.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let logins = Logins::of(&accounts);
    let details = Details::load(context.reader, &layout, &accounts, None, request)?;
    // A list has no room for notes, so this one stands beside it.
    for reason in &details.everybody {
        output.emit(Batch::Note(reason.message.clone()))?;
    }
    let mut batches = Batches::accounts(output);
    for i in 0..accounts.people.len() {
        batches.push(details.account(&logins, i))?;
    }
    batches.finish()
}

/// Reports the accounts that the target means.
///
/// # Errors
/// As [`list`], or there is no such account.
pub fn show(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let layout = schema::detect(context.reader)?;
    let accounts = Accounts::load(context.reader, &layout, request)?;
    let logins = Logins::of(&accounts);
    let meant = logins.meant(request.target()?)?;
    let details = Details::load(context.reader, &layout, &accounts, Some(&meant), request)?;
    let mut belongings = Belongings::load(context.reader, &layout, &accounts, &meant, request.now)?;
    let mut batches = Batches::accounts(output);
    for i in meant {
        let mut account = details.account(&logins, i);
        account.extra.extend(belongings.of(&account.id));
        account.extra.extend(details.permissions(i).map(|may| ("permissions".to_owned(), may)));
        batches.push(account)?;
    }
    batches.finish()
}

/// How much belongs to an account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    sessions: u32,
    api_keys: u32,
    invites: u32,
    links: u32,
    boards: u32,
}

/// What other tables say about accounts.
pub struct Details {
    groups: Groups,
    members: Memberships,
    /// What keeps everybody out.
    everybody: Vec<Reason>,
    /// By place; empty for accounts that were not asked for.
    counts: Vec<Counts>,
}

impl Details {
    /// Reads them, for all accounts or for some.
    ///
    /// # Errors
    /// The store's.
    pub fn load(
        reader: &dyn Reader,
        layout: &Layout,
        accounts: &Accounts,
        some: Option<&[usize]>,
        request: &Request,
    ) -> Result<Details> {
        let index = some.map_or_else(|| Index::of_all(accounts), |some| Index::of_some(accounts, some));
        let mine = |field: &str| match some {
            Some(some) => Filter::is_in(field, some.iter().map(|i| &accounts.people[*i].id)),
            None => Filter::All,
        };
        let groups = Groups::load(reader, layout)?;
        let members = Memberships::load(reader, &index, &groups, mine("user_id"))?;
        let mut counts = vec![Counts::default(); accounts.people.len()];
        // A server counts better than it sends rows. SQLite sends nothing, and sorts in order to count.
        let counts_itself = layout.kind != StoreKind::Sqlite || some.is_some();
        let mut tally = |table: &str, field: &str, filter: Filter, of: fn(&mut Counts) -> &mut u32| -> Result<()> {
            let mut expected = 0;
            let mut add = |id: &Cell<'_>, n: u64| {
                if let Some(i) = id.as_str().and_then(|id| index.of_next(id, &mut expected)) {
                    let count = of(&mut counts[i as usize]);
                    *count = count.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
                }
                Ok(())
            };
            match counts_itself {
                true => reader.each_count(&Count { store: "", collection: table, field, filter: &filter }, add),
                false => reader.each_cells(Select::from(table, [field]).filter(filter), |row| add(&row[0], 1)),
            }
        };
        let live = Filter::Range {
            field: "expires".to_owned(),
            from: Some(schema::live_from(layout.kind, request.now)),
            to: None,
        };
        tally(SESSION, "user_id", live.and(mine("user_id")), |counts| &mut counts.sessions)?;
        tally(API_KEY, "user_id", mine("user_id"), |counts| &mut counts.api_keys)?;
        if layout.invites {
            tally(INVITE, "creator_id", mine("creator_id"), |counts| &mut counts.invites)?;
        }
        if layout.links {
            tally(LINK, "user_id", mine("user_id"), |counts| &mut counts.links)?;
        }
        if layout.boards {
            tally(BOARD, "creator_id", mine("creator_id"), |counts| &mut counts.boards)?;
        }
        Ok(Details { groups, members, everybody: everybody::reasons(reader, layout)?, counts })
    }

    /// What the account's groups let it do besides administering.
    fn permissions(&self, i: usize) -> Option<String> {
        let mut all: Vec<&str> =
            self.members.of(i, &self.groups).flat_map(|group| &group.permissions).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Everything about one account.
    pub fn account(&self, logins: &Logins<'_>, i: usize) -> Account {
        let person = &logins.accounts.people[i];
        let groups = self.members.of(i, &self.groups);
        let counts = self.counts.get(i).copied().unwrap_or_default();
        let mut reasons = logins.reasons(i);
        let can_sign_in = logins.can_sign_in(i, &reasons);
        reasons.extend(self.everybody.iter().cloned());
        Account {
            id: person.id.clone(),
            name: person.name.clone().into(),
            email: person.email.clone().into(),
            provider: person.provider.to_string().into(),
            admin: Known::Is(self.groups.all_are_admins() || groups.clone().any(|group| group.admin)),
            has_password: Known::Is(person.stored != Stored::Missing),
            hash: describe(person.stored),
            can_sign_in,
            reasons,
            sessions: Known::Is(counts.sessions.into()),
            tokens: Known::Is(counts.api_keys.into()),
            groups: Known::Is(groups.map(|group| group.name.clone()).collect()),
            extra: extra(counts),
            ..Account::default()
        }
    }
}

fn describe(stored: Stored) -> Known<String> {
    match stored {
        Stored::Missing => Known::Nothing,
        Stored::Unreadable => Known::Is("unreadable".to_owned()),
        Stored::Bcrypt(cost) => Known::Is(format!("bcrypt {cost}")),
    }
}

fn extra(counts: Counts) -> BTreeMap<String, String> {
    let all = [("boards", counts.boards), ("invites", counts.invites), ("linked_logins", counts.links)];
    all.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n.to_string())).collect()
}

/// How many rows of `table` match, in all.
///
/// # Errors
/// The store's.
pub fn total(reader: &dyn Reader, table: &str, field: &str, filter: &Filter) -> Result<u64> {
    Ok(reader.count_by("", table, field, filter)?.iter().map(|(_, n): &(Value, u64)| n).sum())
}
