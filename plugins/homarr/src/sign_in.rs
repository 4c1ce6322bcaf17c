//! Homarr's login: which account answers to a name, and what keeps the others out.
//!
//! ```text
//! typed ──lower──> first row with that name and provider `credentials` ──> password set? ──> bcrypt
//! ```
//!
//! The name is lower-cased but not trimmed, the rows come in the database's own order, and `=` is the database's: exact
//! on SQLite and PostgreSQL, by the column's collation on MySQL.

mod reasons;

use crate::accounts::{Accounts, Person};
use crate::names;
use latchlift_plugin_api::{Candidate, Error, Kind, Result, Target};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

/// Who answers to which name.
pub struct Logins<'a> {
    /// The accounts this was made of.
    pub accounts: &'a Accounts,
    /// By the database's key of a name: which of `answers`.
    keys: HashMap<&'a [u8], u32>,
    /// Per key the first account the login finds, and how many have that key.
    answers: Vec<(usize, u32)>,
    /// Per account which of `answers` its name has, if it can be typed.
    answer_of: Vec<Option<u32>>,
    /// By folded name: how many accounts have it. Made when it is needed, which in most instances is never.
    folds: OnceCell<HashMap<Cow<'a, str>, Fold>>,
    /// Whether mending all names at once would make two accounts share one, so that it is refused.
    clashes: OnceCell<bool>,
}

#[derive(Clone, Copy, Default)]
struct Fold {
    local: u32,
    all: u32,
}

impl<'a> Logins<'a> {
    /// Works out who answers to which name.
    pub fn of(accounts: &'a Accounts) -> Logins<'a> {
        let mut logins = Logins {
            accounts,
            keys: HashMap::with_capacity(accounts.people.len()),
            answers: Vec::with_capacity(accounts.people.len()),
            answer_of: vec![None; accounts.people.len()],
            folds: OnceCell::new(),
            clashes: OnceCell::new(),
        };
        for (i, person) in accounts.people.iter().enumerate().filter(|(_, person)| person.name.is_some()) {
            if logins.is_looked_for(person) {
                let next = u32::try_from(logins.answers.len()).unwrap_or(u32::MAX);
                let answer = *logins.keys.entry(key(person)).or_insert(next);
                if answer == next {
                    logins.answers.push((i, 0));
                }
                logins.answers[answer as usize].1 += 1;
                logins.answer_of[i] = Some(answer);
            }
        }
        logins
    }

    /// How many accounts have this folded name.
    fn fold(&self, name: &str) -> Option<Fold> {
        let folds = self.folds.get_or_init(|| {
            let mut folds: HashMap<Cow<'a, str>, Fold> = HashMap::with_capacity(self.accounts.people.len());
            for person in &self.accounts.people {
                let Some(name) = &person.name else { continue };
                let fold = folds.entry(names::fold(name)).or_default();
                fold.all += 1;
                fold.local += u32::from(person.is_local());
            }
            folds
        });
        folds.get(name).copied()
    }

    /// The first account with this account's key of a name, and how many have it.
    fn answer(&self, person: &Person) -> Option<(usize, u32)> {
        self.keys.get(key(person)).map(|answer| self.answers[*answer as usize])
    }

    fn clashes(&self) -> bool {
        let clash = |i| self.mended(i).is_some() && self.collides(i);
        *self.clashes.get_or_init(|| (0..self.accounts.people.len()).any(clash))
    }

    /// The name that an account with a password should have instead of its own.
    pub fn mended(&self, i: usize) -> Option<Cow<'a, str>> {
        let person = &self.accounts.people[i];
        let name = names::fold(person.name());
        (person.is_local() && !name.is_empty() && name != person.name()).then_some(name)
    }

    /// Whether something can be typed that makes the login look for this account's stored name.
    fn is_looked_for(&self, person: &Person) -> bool {
        let name = person.name();
        person.is_local() && !name.is_empty() && (self.accounts.folds_case || names::lower(name) == name)
    }

    /// The account that the login picks for a name as typed.
    pub fn pick(&self, typed: &str) -> Option<usize> {
        let wanted = names::lower(typed);
        let answers = |person: &&Person| match self.accounts.folds_case {
            true => person.name.as_deref().is_some_and(|name| names::lower(name) == wanted),
            false => person.name.as_deref() == Some(&*wanted),
        };
        // Only the database can tell the key of a name; a row that has the name tells it.
        let row = self.accounts.people.iter().find(answers).filter(|person| !person.name().is_empty())?;
        self.answer(row).map(|(first, _)| first)
    }

    /// The accounts whose folded name is that of `name`, of one provider or of all.
    pub fn named(&self, name: &str, provider: Option<&str>) -> Vec<usize> {
        let wanted = names::fold(name);
        if self.fold(&wanted).is_none() {
            return vec![];
        }
        let fits = |person: &Person| {
            person.name.as_deref().is_some_and(|name| names::fold(name) == wanted)
                && provider.is_none_or(|provider| person.provider.eq_ignore_ascii_case(provider))
        };
        let people = self.accounts.people.iter().enumerate();
        people.filter(|(_, person)| fits(person)).map(|(i, _)| i).collect()
    }

    /// The accounts a target means: the one of its id, else all of its name.
    ///
    /// # Errors
    /// There is none.
    pub fn meant(&self, target: &Target) -> Result<Vec<usize>> {
        if let Some(id) = &target.id {
            let missing = || Error::new(Kind::NotFound, format!("no account has the id `{id}`"));
            return Ok(vec![self.accounts.position(id).ok_or_else(missing)?]);
        }
        let found = self.named(&target.name, target.provider.as_deref());
        match (found.is_empty(), &target.provider) {
            (false, _) => Ok(found),
            (true, Some(provider)) if !self.named(&target.name, None).is_empty() => {
                let message = format!("no account named `{}` has the provider `{provider}`", target.name);
                Err(Error::new(Kind::NotFound, message))
            }
            _ => Err(Error::no_account(&target.name)),
        }
    }

    /// The one account a target means.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn find(&self, target: &Target) -> Result<usize> {
        match self.meant(target)?.as_slice() {
            [one] => Ok(*one),
            several => Err(Error::ambiguous(&target.name, self.candidates(several))),
        }
    }

    /// Accounts for a list to choose from.
    pub fn candidates(&self, which: &[usize]) -> Vec<Candidate> {
        which.iter().map(|i| self.candidate(*i)).collect()
    }

    fn candidate(&self, i: usize) -> Candidate {
        let person = &self.accounts.people[i];
        let note = match self.reasons(i).iter().find(|reason| reason.blocking) {
            Some(reason) => format!("cannot: {}", reason.code),
            None if person.is_local() => "can sign in".to_owned(),
            None => format!("signs in through {}", person.provider_title()),
        };
        let provider = person.provider.to_string();
        Candidate { id: person.id.clone(), name: person.name().to_owned(), provider, note }
    }

    /// Whether folding this account's name would give it the name of another account with a password.
    pub fn collides(&self, i: usize) -> bool {
        let fold = names::fold(self.accounts.people[i].name());
        let others = u32::from(self.accounts.people[i].is_local());
        self.fold(&fold).is_some_and(|fold| fold.local > others)
    }

    /// Whether the database takes another account's name for the same as this one's.
    pub fn has_twins(&self, i: usize) -> bool {
        self.answer(&self.accounts.people[i]).is_some_and(|(_, same)| same > 1)
    }

    /// How a command names this account: by id too where the name means several.
    pub fn address(&self, i: usize) -> Vec<String> {
        let person = &self.accounts.people[i];
        let name = person.name();
        let id = ["--id".to_owned(), person.id.clone()];
        match self.fold(&names::fold(name)).map(|fold| fold.all) {
            _ if !can_be_typed(name) => id.to_vec(),
            Some(1) => vec![name.to_owned()],
            Some(_) => std::iter::once(name.to_owned()).chain(id).collect(),
            None => id.to_vec(),
        }
    }
}

/// Whether a command takes this name for one, and a text in backticks can hold it.
fn can_be_typed(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && !name.contains(|c: char| c == '`' || c.is_control())
}

/// Words of a command as a shell takes them.
pub fn typed(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%".contains(c);
    let words = words.iter().map(|word| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The database's comparison key of an account's name.
fn key(person: &Person) -> &[u8] {
    person.same.as_deref().unwrap_or(person.name().as_bytes())
}

/// `1 session`, `3 sessions`.
pub fn count(n: impl Into<u64>, what: &str) -> String {
    let n = n.into();
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
