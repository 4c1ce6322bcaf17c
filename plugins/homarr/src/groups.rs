//! Groups and what follows from being in them: in Homarr an administrator is a member of a group that may `admin`.

use crate::accounts::{Accounts, Person};
use crate::schema::{ADMIN, ADMIN_GROUP, EVERYONE, GROUP, Layout, MEMBER, PERMISSION};
use latchlift_plugin_api::{Filter, Reader, Result, Select, StoreKind};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

/// The most characters of a group's name. Upstream: packages/validation/src/group.ts.
pub const NAME_LENGTH: usize = 64;

/// One row of `group`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The owner's id, which gives no rights.
    pub owner: Option<String>,
    /// The place in the list of groups, where the layout has one.
    pub position: Option<i64>,
    /// Whether its members are administrators.
    pub admin: bool,
    /// What else its members may do.
    pub permissions: Vec<String>,
}

/// All groups of an instance, in the database's own order.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// The groups.
    pub all: Vec<Group>,
    /// Whether group names are compared without regard to the case of letters.
    folds_case: bool,
}

impl Groups {
    /// Reads them.
    ///
    /// # Errors
    /// The store's.
    pub fn load(reader: &dyn Reader, layout: &Layout) -> Result<Groups> {
        let mut permissions = permissions(reader)?;
        let columns = ["id", "name", "owner_id"].into_iter().chain(layout.position.then_some("position"));
        let mut all = Vec::new();
        reader.each(Select::from(GROUP, columns), |row| {
            let id = row.text("id").unwrap_or_default();
            let mut may = permissions.remove(&id).unwrap_or_default();
            let all_of_it = may.len();
            may.retain(|permission| permission != ADMIN);
            all.push(Group {
                name: row.text("name").unwrap_or_default(),
                owner: row.text("owner_id"),
                position: row.int("position"),
                admin: may.len() < all_of_it,
                permissions: may,
                id,
            });
            Ok(())
        })?;
        Ok(Groups { all, folds_case: layout.kind == StoreKind::Mysql })
    }

    /// The group of this name. On MySQL names that differ only in letter case cannot both exist, so case is ignored.
    pub fn named(&self, name: &str) -> Option<&Group> {
        let exact = self.all.iter().find(|group| group.name == name);
        exact.or_else(|| self.alike(name).filter(|_| self.folds_case))
    }

    /// A group whose name is this one in another letter case.
    pub fn alike(&self, name: &str) -> Option<&Group> {
        let wanted = name.to_lowercase();
        self.all.iter().find(|group| group.name.to_lowercase() == wanted)
    }

    /// The reserved group `everyone`.
    pub fn everyone(&self) -> Option<&Group> {
        self.named(EVERYONE)
    }

    /// The group that the setup wizard makes for the first administrator.
    pub fn of_the_wizard(&self) -> Option<&Group> {
        self.named(ADMIN_GROUP)
    }

    /// The groups whose members are administrators.
    pub fn admins(&self) -> impl Iterator<Item = &Group> {
        self.all.iter().filter(|group| group.admin)
    }

    /// Whether every account is an administrator, because each sign-in adds it to `everyone`.
    pub fn all_are_admins(&self) -> bool {
        self.everyone().is_some_and(|group| group.admin)
    }

    /// The position of a new group: after all others.
    pub fn next_position(&self) -> i64 {
        self.all.iter().filter_map(|group| group.position).max().map_or(1, |last| last.saturating_add(1))
    }
}

/// Each group's permissions, each once: their table has no key.
fn permissions(reader: &dyn Reader) -> Result<HashMap<String, Vec<String>>> {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    reader.each(Select::from(PERMISSION, ["group_id", "permission"]), |row| {
        let of_group = all.entry(row.text("group_id").unwrap_or_default()).or_default();
        of_group.extend(row.text("permission").filter(|permission| !of_group.contains(permission)));
        Ok(())
    })?;
    Ok(all)
}

/// Who is in which group, as places in the lists of accounts and groups.
#[derive(Clone, Debug, Default)]
pub struct Memberships {
    /// Account and group, sorted.
    pairs: Vec<(u32, u32)>,
    /// How many memberships lead to no account or no group.
    pub orphans: u64,
}

impl Memberships {
    /// Reads those that match `filter`.
    ///
    /// # Errors
    /// The store's.
    pub fn load(reader: &dyn Reader, accounts: &Index<'_>, groups: &Groups, filter: Filter) -> Result<Memberships> {
        let group_ids: HashMap<&str, u32> = (0..).zip(&groups.all).map(|(i, group)| (group.id.as_str(), i)).collect();
        let (mut found, mut expected) = (Memberships::default(), 0);
        reader.each_cells(Select::from(MEMBER, ["user_id", "group_id"]).filter(filter), |row| {
            let place = |cell: usize| row.get(cell).and_then(|cell| cell.as_str());
            let user = place(0).and_then(|id| accounts.of_next(id, &mut expected));
            match (user, place(1).and_then(|id| group_ids.get(id))) {
                (Some(user), Some(group)) => found.pairs.push((user, *group)),
                _ => found.orphans += 1,
            }
            Ok(())
        })?;
        found.pairs.sort_unstable();
        Ok(found)
    }

    /// The groups of one account.
    pub fn of<'g>(&self, account: usize, groups: &'g Groups) -> impl ExactSizeIterator<Item = &'g Group> + Clone {
        let start = self.pairs.partition_point(|(user, _)| (*user as usize) < account);
        let end = start + self.pairs[start..].iter().take_while(|(user, _)| *user as usize == account).count();
        self.pairs[start..end].iter().map(|(_, group)| &groups.all[*group as usize])
    }
}

/// Where the account of an id is.
pub struct Index<'a> {
    people: &'a [Person],
    /// The places of those that are looked for, where not all are.
    some: Option<&'a [usize]>,
    /// Made when it is needed: see [`Index::of_next`].
    places: OnceCell<HashMap<&'a str, u32>>,
}

impl<'a> Index<'a> {
    /// Of all accounts.
    pub fn of_all(accounts: &'a Accounts) -> Index<'a> {
        Index { people: &accounts.people, some: None, places: OnceCell::new() }
    }

    /// Of some accounts.
    pub fn of_some(accounts: &'a Accounts, which: &'a [usize]) -> Index<'a> {
        Index { some: Some(which), ..Index::of_all(accounts) }
    }

    /// Where the account of this id is.
    pub fn of(&self, id: &str) -> Option<u32> {
        let place = |i: usize| (self.people[i].id.as_str(), u32::try_from(i).unwrap_or(u32::MAX));
        let places = self.places.get_or_init(|| match self.some {
            Some(some) => some.iter().map(|i| place(*i)).collect(),
            None => (0..self.people.len()).map(place).collect(),
        });
        places.get(id).copied()
    }

    /// As [`Index::of`], for ids that mostly come in the order of the accounts, as memberships do: looks at the account
    /// after the last one found before it searches.
    pub fn of_next(&self, id: &str, expected: &mut u32) -> Option<u32> {
        let found = match self.people.get(*expected as usize) {
            Some(person) if self.some.is_none() && person.id == id => *expected,
            _ => self.of(id)?,
        };
        *expected = found.saturating_add(1);
        Some(found)
    }
}

/// The groups one account is in.
///
/// # Errors
/// The store's.
pub fn of_account<'g>(reader: &dyn Reader, groups: &'g Groups, account: &str) -> Result<Vec<&'g Group>> {
    let rows = reader.all(Select::from(MEMBER, ["group_id"]).filter(Filter::eq("user_id", account)))?;
    let ids: HashSet<String> = rows.iter().filter_map(|row| row.text("group_id")).collect();
    Ok(groups.all.iter().filter(|group| ids.contains(&group.id)).collect())
}

/// Which accounts are administrators.
///
/// # Errors
/// The store's.
pub fn admins(reader: &dyn Reader, accounts: &Accounts, groups: &Groups) -> Result<Vec<usize>> {
    if groups.all_are_admins() {
        return Ok((0..accounts.people.len()).collect());
    }
    let ids: Vec<&str> = groups.admins().map(|group| group.id.as_str()).collect();
    let mut found = members(reader, accounts, &ids)?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The accounts in any of these groups.
///
/// # Errors
/// The store's.
pub fn members(reader: &dyn Reader, accounts: &Accounts, groups: &[&str]) -> Result<Vec<usize>> {
    if groups.is_empty() {
        return Ok(vec![]);
    }
    let rows =
        reader.all(Select::from(MEMBER, ["user_id"]).filter(Filter::is_in("group_id", groups.iter().copied())))?;
    let ids: HashSet<String> = rows.iter().filter_map(|row| row.text("user_id")).collect();
    let people = accounts.people.iter().enumerate();
    Ok(people.filter(|(_, person)| ids.contains(&person.id)).map(|(i, _)| i).collect())
}
