//! Password entries that lead to no user, and the users who have lost their credentials. A credential of the entry's name
//! brings the two together again: `password reset NAME --id ID` with the entry's name, not the one shown.

use crate::accounts;
use crate::home::Home;
use crate::names::normalise;
use crate::sign_in::{quoted, title};
use std::collections::HashMap;

/// How many users are named one by one.
const EACH: usize = 5;

/// Whose an entry without a user may be.
#[derive(Debug, PartialEq)]
pub enum Heir<'h> {
    /// Nobody lacks a credential.
    None,
    /// This user's: the only one without a credential, or the only one who is shown by the entry's name.
    One(usize),
    /// One of these.
    Several(&'h [usize]),
}

/// Who may have which entry.
#[derive(Debug, Default)]
pub struct Heirs {
    /// Users by the entries whose names are in the names they are shown by.
    shown: HashMap<String, Vec<usize>>,
    /// Users who are shown by the name of no entry.
    others: Vec<usize>,
    /// Entries by whose names nobody is shown.
    unclaimed: Vec<String>,
}

impl Heirs {
    /// Looks at every user without a name and every entry without a user.
    pub fn new(home: &Home) -> Heirs {
        let mut heirs = Heirs::default();
        // In other letters an entry may be the name of a user, whose it then is.
        let entries: Vec<&str> = home.orphan_names().filter(|entry| home.users_like(entry).is_empty()).collect();
        if entries.is_empty() {
            return heirs;
        }
        for user in bereft(home) {
            let entries = shown_entries(home, user);
            if entries.is_empty() {
                heirs.others.push(user);
            }
            entries.into_iter().for_each(|entry| heirs.shown.entry(entry).or_default().push(user));
        }
        let unclaimed = entries.into_iter().filter(|entry| !heirs.shown.contains_key(&normalise(entry)));
        heirs.unclaimed = unclaimed.map(str::to_owned).collect();
        heirs
    }

    /// Whose this entry may be.
    pub fn of(&self, entry: &str) -> Heir<'_> {
        match (self.shown.get(&normalise(entry)).map(Vec::as_slice), &self.others[..]) {
            (Some([user]), _) => Heir::One(*user),
            (Some(several), _) => Heir::Several(several),
            (None, []) => Heir::None,
            (None, [user]) if self.unclaimed.len() == 1 => Heir::One(*user),
            (None, several) => Heir::Several(several),
        }
    }

    /// The first entries that may be this user's, who has no name: more than one if there are several.
    pub fn entries(&self, home: &Home, user: usize) -> Vec<String> {
        let shown = shown_entries(home, user);
        if shown.is_empty() { self.unclaimed.iter().take(2).cloned().collect() } else { shown }
    }
}

/// The users for people whom no credential gives a name: an owner who lost it, and whoever never had one.
fn bereft(home: &Home) -> Vec<usize> {
    let nameless = |user: &usize| !home.users[*user].system && accounts::name(home, *user).is_none();
    let all: Vec<usize> = (0..home.users.len()).filter(nameless).collect();
    // Whom a network lets in may want no password; whoever has no credential at all comes first.
    let bare: Vec<usize> = all.iter().copied().filter(|user| home.users[*user].credentials.is_empty()).collect();
    if bare.is_empty() { all } else { bare }
}

/// The entries without a user that have the user's name shown, or a word of it, as their name.
fn shown_entries(home: &Home, user: usize) -> Vec<String> {
    let shown = normalise(home.users[user].display.as_deref().unwrap_or_default());
    let is_entry = |name: &&str| home.users_like(name).is_empty() && !home.rows_like(name).is_empty();
    match is_entry(&shown.as_str()) {
        true => vec![shown],
        false => shown.split_whitespace().filter(is_entry).map(str::to_owned).collect(),
    }
}

/// The command that makes an entry a user's.
pub fn adoption(home: &Home, entry: &str, user: usize) -> Vec<String> {
    ["password", "reset", entry, "--id", &*home.users[user].id].map(str::to_owned).to_vec()
}

/// [`adoption`] as a person pastes it.
pub fn adoption_text(home: &Home, entry: &str, user: usize) -> String {
    format!("latchlift password reset {} --id {}", quoted(entry), home.users[user].id)
}

/// These users for people, the first of them.
pub fn named(home: &Home, users: &[usize]) -> String {
    let shown: Vec<String> = users.iter().take(EACH).map(|user| title(home, *user)).collect();
    match users.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
