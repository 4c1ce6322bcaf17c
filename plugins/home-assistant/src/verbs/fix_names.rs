//! `user fix-names`.

use super::START;
use super::records;
use super::rename::{second_credential, set_name};
use crate::accounts::{candidate, no_id};
use crate::home::Home;
use crate::names::{is_legacy, normalise};
use crate::schema::{CREDENTIALS, PROVIDER, ROWS, USERS};
use crate::sign_in::{quoted, title};
use latchlift_plugin_api::{
    Change, Context, Error, Key, Kind, Plan, Record, Request, Result, Target, Value, delete, update,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Plans to write every name, or one, as it is compared. Of password entries that are equal already only the last stays,
/// which is the one the login asks; the others alone would keep the exact comparison alive.
///
/// The entries come first: that ends the exact comparison, after which the credentials are found in either spelling. Where
/// it does not end, or another user has the name too, every credential gets a second one beforehand, as in `user rename`.
///
/// # Errors
/// Two names would become one, and it was not said whose it is.
pub fn fix_names(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let home = Home::read(context.reader)?;
    let keep = keeper(&home, request)?;
    let mut fix = Fix::default();
    let mut clashes = vec![];
    for (name, group) in groups(&home, &scope(&home, request)?) {
        match group.users.len() > 1 || group.spellings(&home).len() > 1 {
            false => fix.add(&home, &name, &group, None),
            true => match keep.filter(|user| group.users.contains(user)) {
                Some(user) => fix.add(&home, &name, &group, Some(user)),
                None => clashes.push((name, group)),
            },
        }
    }
    if !clashes.is_empty() {
        return Err(clash(&home, &clashes));
    }
    fix.plan(context, request, &home)
}

/// The refusal to make one name of several without a word on whose it is.
fn clash(home: &Home, clashes: &[(String, Group)]) -> Error {
    let message = "some names differ only in letter case or outer white space and would become one";
    let entries: Vec<String> = clashes.iter().flat_map(|(_, group)| group.unclaimed(home)).map(quoted_name).collect();
    let message = match &entries[..] {
        [] => message.to_owned(),
        entries => format!("{message}; password entries that are no user's letter by letter: {}", entries.join(", ")),
    };
    let users: BTreeSet<usize> = clashes.iter().flat_map(|(_, group)| group.users.iter().copied()).collect();
    let help = match &clashes[0] {
        (name, group) if group.users.is_empty() => format!(
            "the entries of the name `{name}` lead to no user; to take them away: `latchlift user remove {}`",
            quoted(name)
        ),
        (name, group) if group.users.len() == 1 => {
            let words = group.users.first().map(|user| keep(home, name, *user)).unwrap_or_default();
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("only one account has the name `{name}`; to make the entries its own: `latchlift {}`", words.join(" "))
        }
        _ => "say which account keeps the name, and the others get a number behind it: `latchlift user fix-names --keep ID`".to_owned(),
    };
    let candidates = users.into_iter().map(|user| candidate(home, user)).collect();
    Error { candidates, ..Error::new(Kind::Conflict, message).help(help) }
}

fn quoted_name(name: &str) -> String {
    format!("`{name}`")
}

/// The command that makes a name, and all password entries of it in any letters, a user's.
pub fn keep(home: &Home, name: &str, user: usize) -> Vec<String> {
    // A name that would be taken for a flag is left out, and all names are mended.
    let named = Some(name).filter(|name| !name.starts_with('-'));
    let words = ["user", "fix-names", "--keep", &*home.users[user].id];
    words.into_iter().chain(named).map(str::to_owned).collect()
}

/// The command that mends a name: where password entries differ in letters and only one user has the name, it says so, since
/// nobody else could keep it.
pub fn command(home: &Home, name: &str) -> Vec<String> {
    let spellings: BTreeSet<&str> = home.rows_like(name).iter().map(|row| &*home.rows[*row].username).collect();
    let has_password = |user: &&usize| home.password_credentials(**user).next().is_some();
    let users: Vec<usize> = home.users_like(name).iter().filter(has_password).copied().collect();
    match users[..] {
        [user] if spellings.len() > 1 => keep(home, &normalise(name), user),
        _ => ["user", "fix-names"].map(str::to_owned).to_vec(),
    }
}

/// The command that mends all names; where one user's stands in its way, for that user.
pub fn command_for_all(home: &Home) -> Vec<String> {
    let groups = groups(home, &None);
    let mut clashes = groups.values().filter(|group| group.users.len() > 1 || group.spellings(home).len() > 1);
    let users = clashes.next().filter(|_| clashes.next().is_none()).map(|group| &group.users);
    let sole = users.filter(|users| users.len() == 1).and_then(|users| users.first());
    let keep = sole.into_iter().flat_map(|user| ["--keep", &*home.users[*user].id]);
    ["user", "fix-names"].into_iter().chain(keep).map(str::to_owned).collect()
}

/// The user that `--keep` names.
fn keeper(home: &Home, request: &Request) -> Result<Option<usize>> {
    match &request.options.keep {
        None => Ok(None),
        Some(id) => home.index(id).map(Some).ok_or_else(|| no_id(id)),
    }
}

/// The names, as they are compared, that are to be mended; all of them if none was asked for.
fn scope(home: &Home, request: &Request) -> Result<Option<BTreeSet<String>>> {
    let named = |target: &&Target| !target.name.is_empty() || target.id.is_some();
    let Some(target) = request.target.as_ref().filter(named) else { return Ok(None) };
    let id = target.id.as_ref().map(|id| home.index(id).ok_or_else(|| no_id(id))).transpose()?;
    let Some(user) = id else {
        let name = normalise(&target.name);
        return match home.users_like(&name).is_empty() && home.rows_like(&name).is_empty() {
            true => Err(crate::accounts::nobody(home, &target.name)),
            false => Ok(Some(BTreeSet::from([name]))),
        };
    };
    Ok(Some(home.password_credentials(user).map(|own| normalise(&home.credentials[own].username)).collect()))
}

/// Everything that has one name, as names are compared.
#[derive(Default)]
struct Group {
    /// Password entries, in order.
    rows: Vec<usize>,
    /// Credentials, in order.
    credentials: Vec<usize>,
    /// Whose they are.
    users: BTreeSet<usize>,
}

fn groups(home: &Home, scope: &Option<BTreeSet<String>>) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (index, row) in home.rows.iter().enumerate() {
        groups.entry(normalise(&row.username)).or_default().rows.push(index);
    }
    for (index, known) in home.credentials.iter().enumerate().filter(|(_, known)| *known.provider == *PROVIDER) {
        let group = groups.entry(normalise(&known.username)).or_default();
        group.credentials.push(index);
        group.users.insert(known.user);
    }
    groups.retain(|name, _| scope.as_ref().is_none_or(|scope| scope.contains(name)));
    groups
}

impl Group {
    fn spellings<'h>(&self, home: &'h Home) -> BTreeSet<&'h str> {
        self.rows.iter().map(|row| &*home.rows[*row].username).collect()
    }

    /// The spellings of password entries that are no user's letter by letter.
    fn unclaimed<'h>(&self, home: &'h Home) -> Vec<&'h str> {
        self.spellings(home).into_iter().filter(|row| self.owner(home, row).is_none()).collect()
    }

    /// Whose name is spelled like this entry's.
    fn owner(&self, home: &Home, row: &str) -> Option<usize> {
        let own = self.credentials.iter().map(|own| &home.credentials[*own]);
        own.filter(|known| *known.username == *row).map(|known| known.user).next()
    }
}

/// What will be written.
#[derive(Default)]
struct Fix {
    /// Password entries by what they will be called; those without a name go.
    rows: BTreeMap<usize, Option<String>>,
    /// Credentials by what they will be called.
    credentials: BTreeMap<usize, String>,
    /// Users who get another name than the one they typed so far.
    losers: BTreeMap<usize, String>,
}

impl Fix {
    /// Mends one name; where several have it, for `keeper`, and the others get numbers.
    fn add(&mut self, home: &Home, name: &str, group: &Group, keeper: Option<usize>) {
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        for user in &group.users {
            let new = match keeper.is_none_or(|keeper| keeper == *user) {
                true => name.to_owned(),
                false => self.numbered(home, name),
            };
            if new != name {
                self.losers.insert(*user, new.clone());
            }
            names.insert(*user, new);
        }
        for own in &group.credentials {
            let known = &home.credentials[*own];
            if *known.username != *names[&known.user] {
                self.credentials.insert(*own, names[&known.user].clone());
            }
        }
        // An entry is whose spelling it has; the others are the keeper's.
        let fallback = keeper.or(group.users.first().copied());
        let owner = |row: &usize| group.owner(home, &home.rows[*row].username).or(fallback);
        let owners: BTreeSet<Option<usize>> = group.rows.iter().map(owner).collect();
        for user in owners {
            let own: Vec<usize> = group.rows.iter().copied().filter(|row| owner(row) == user).collect();
            let new = user.map_or(name, |user| &names[&user]);
            self.rows(home, &own, user.filter(|_| home.names.legacy).map(|user| (group, user)), new);
        }
    }

    /// Of the entries of one user the last stays, which the login asks; among exact spellings the user's own.
    fn rows(&mut self, home: &Home, rows: &[usize], exact: Option<(&Group, usize)>, new: &str) {
        let is_own = |row: &&usize| {
            exact.is_some_and(|(group, user)| group.owner(home, &home.rows[**row].username) == Some(user))
        };
        let last = rows.iter().rev().find(is_own).or(rows.last());
        for row in rows {
            match Some(row) == last {
                true if *home.rows[*row].username == *new => {}
                true => _ = self.rows.insert(*row, Some(new.to_owned())),
                false => _ = self.rows.insert(*row, None),
            }
        }
    }

    /// The name with the first number behind it that is nobody's.
    fn numbered(&self, home: &Home, name: &str) -> String {
        let free = |name: &String| {
            home.users_like(name).is_empty()
                && home.rows_like(name).is_empty()
                && !self.losers.values().any(|taken| taken == name)
        };
        (2..).map(|n| format!("{name}-{n}")).find(free).unwrap_or_default()
    }

    fn plan(self, context: &Context<'_>, request: &Request, home: &Home) -> Result<Plan> {
        if self.rows.is_empty() && self.credentials.is_empty() {
            return Ok(Plan::new("All names are stored as they are compared"));
        }
        let mut plan = Plan::new(self.summary(home));
        for (credential, new) in &self.credentials {
            plan = plan.about(&*home.users[home.credentials[*credential].user].id, new);
        }
        for (user, new) in &self.losers {
            plan = plan.warn(format!("{} signs in as `{new}` from now on", title(home, *user)));
        }
        let rows = self.row_changes(context, home)?;
        let mut named: Vec<Change> = self.credentials.iter().map(|(own, new)| set_name(home, *own, new)).collect();
        if self.losers.is_empty() && !self.stays_exact(home) {
            return Ok(plan.step(rows).step(named).then(START));
        }
        let mut first = vec![];
        let exact: HashMap<&str, usize> = home.credentials.iter().map(|known| (&*known.username, known.user)).collect();
        for (own, new) in &self.credentials {
            let known = &home.credentials[*own];
            // Where somebody else has the name to the letter, the entry leads to them meanwhile, and they are barred.
            if exact.get(new.as_str()).is_some_and(|user| *user != known.user) {
                continue;
            }
            let (gain, lose) = second_credential(&records::id(&request.random), &home.users[known.user].id, new);
            first.push(gain);
            named.push(lose);
        }
        // Until names and entries agree again, a password might get in as somebody else of the old name.
        for user in self.losers.keys().map(|user| &home.users[*user]).filter(|user| user.active) {
            let key = || Record::new().with("/id", &*user.id);
            first.extend(update(USERS, key(), [("/is_active", true.into(), false.into())]));
            named.extend(update(USERS, key(), [("/is_active", false.into(), true.into())]));
        }
        Ok(plan.step(first).step(rows).step(named).then(START))
    }

    /// Whether names are compared exactly even after the entries are rewritten.
    fn stays_exact(&self, home: &Home) -> bool {
        let after = home.rows.iter().enumerate().filter_map(|(index, row)| match self.rows.get(&index) {
            None => Some(&*row.username),
            Some(new) => new.as_deref(),
        });
        home.names.legacy && is_legacy(after)
    }

    fn summary(&self, home: &Home) -> String {
        let rows = self.rows.iter().filter_map(|(row, new)| Some((&*home.rows[*row].username, new.as_deref()?)));
        let own = self.credentials.iter().map(|(own, new)| (&*home.credentials[*own].username, new.as_str()));
        let names: BTreeSet<(&str, &str)> = rows.chain(own).collect();
        let shown: Vec<String> = names.iter().take(5).map(|(old, new)| format!("`{old}` to `{new}`")).collect();
        match (names.len(), names.len().saturating_sub(shown.len())) {
            (0, _) => "Remove password entries that are there twice".to_owned(),
            (_, 0) => format!("Rewrite names: {}", shown.join(", ")),
            (_, more) => format!("Rewrite names: {} and {more} more", shown.join(", ")),
        }
    }

    fn row_changes(&self, context: &Context<'_>, home: &Home) -> Result<Vec<Change>> {
        if self.rows.is_empty() {
            return Ok(vec![]);
        }
        // Which entry it is among those of its spelling, as records are named.
        let mut seen: HashMap<&str, u32> = HashMap::new();
        let mut places: HashMap<(&str, u32), usize> = HashMap::new();
        for (index, row) in home.rows.iter().enumerate() {
            let ordinal = seen.entry(&row.username).or_default();
            places.insert((&row.username, *ordinal), index);
            *ordinal += 1;
        }
        let spellings = self.rows.keys().map(|row| &*home.rows[*row].username).collect();
        let found = records::rows(context.reader, &spellings)?.into_iter();
        Ok(found
            .filter_map(|(key, password)| {
                let name = key.fields.text("/username").unwrap_or_default();
                match self.rows.get(places.get(&(&*name, key.ordinal))?)? {
                    Some(new) => update(ROWS, key, [("/username", name.as_str().into(), new.as_str().into())]),
                    None => {
                        let before = Record::new().with("/username", name).with("/password", password);
                        Some(delete(ROWS, key, before))
                    }
                }
            })
            .collect())
    }
}

fn rename(home: &Home, credential: usize) -> Option<Change> {
    let known = &home.credentials[credential];
    let key = Record::new().with("/id", &*known.id);
    let fixed = normalise(&known.username);
    update(CREDENTIALS, key, [("/data/username", Value::from(&*known.username), fixed.into())])
}

/// Adds the rewriting of one name to a plan's changes of its password entries, and gives the change of its credential,
/// which comes in a later step.
pub fn mend(home: &Home, credential: usize, rows: &mut [Change]) -> std::result::Result<Option<Change>, String> {
    let known = &home.credentials[credential];
    let fixed = normalise(&known.username);
    if let Some(other) = home.users_like(&fixed).iter().find(|user| **user != known.user) {
        return Err(format!("{} has the same name in other letters", title(home, *other)));
    }
    let stored = |row: &usize| &home.rows[*row].username;
    if home.names.legacy && home.rows_like(&fixed).iter().any(|row| *stored(row) != known.username) {
        return Err("another password entry has the same name in other letters".to_owned());
    }
    // Between the two files the credential is found in its old spelling only if names are not compared exactly.
    let renamed =
        home.rows.iter().map(|row| if row.username == known.username { fixed.as_str() } else { &row.username });
    if home.names.legacy && is_legacy(renamed) {
        return Err("other names still have to be typed exactly; `latchlift user fix-names` rewrites all".to_owned());
    }
    rows.iter_mut().for_each(|change| rewrite(change, &fixed));
    Ok(rename(home, credential))
}

fn rewrite(change: &mut Change, fixed: &str) {
    match change {
        Change::Update { key: Key { fields, .. }, before, after, .. } => {
            let stored = fields.text("/username").unwrap_or_default();
            after.0.retain(|(field, _)| field != "/username");
            before.0.retain(|(field, _)| field != "/username");
            if stored != fixed {
                before.0.insert(0, ("/username".to_owned(), stored.into()));
                after.0.insert(0, ("/username".to_owned(), fixed.into()));
            }
        }
        Change::Insert { after, .. } => {
            after.0.iter_mut().filter(|(field, _)| field == "/username").for_each(|(_, value)| *value = fixed.into());
        }
        _ => {}
    }
}
