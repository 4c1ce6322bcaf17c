//! What other tables hold about accounts: password, second factor, sign-ins.

use crate::find::{free_name, picked};
use crate::names;
use crate::schema::{HASH_COST, Layout, PASSCODES, PASSWORDS};
use crate::sessions::{self, Sort};
use crate::user::User;
use latchlift_plugin_api::{Bcrypt, Cell, Filter, Reader, Result, Select, Time};
use std::collections::HashMap;

/// What `passwords` holds for an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Password {
    /// No row.
    #[default]
    Absent,
    /// A row without a hash. It never matches, and keeps PhotoPrism from setting the initial password.
    Empty,
    /// Something that is no bcrypt hash.
    Unreadable,
    /// A bcrypt hash of this cost.
    Bcrypt(u32),
}

impl Password {
    /// What a value of `passwords.hash` is.
    pub fn read(hash: &Cell<'_>) -> Password {
        match hash {
            hash if hash.is_blank() => Password::Empty,
            hash => {
                hash.as_str().and_then(Bcrypt::look).map_or(Password::Unreadable, |(_, cost)| Password::Bcrypt(cost))
            }
        }
    }
}

/// The account that the login meets first under another one's name.
#[derive(Clone, Debug)]
pub struct Shadow {
    /// Its name as stored: a server's collation may take `jurgen` for `jürgen`.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Whether it is deleted. The login finds it all the same.
    pub deleted: bool,
    /// A name that the account in its shadow could have.
    pub free: String,
}

impl Shadow {
    /// That of `winner` upon the account of this name.
    ///
    /// # Errors
    /// The store's.
    pub fn of(reader: &dyn Reader, layout: &Layout, winner: &User, name: &str) -> Result<Box<Shadow>> {
        let free = free_name(reader, layout, name)?;
        let (name, uid) = (winner.name.clone(), winner.uid.clone());
        Ok(Box::new(Shadow { name, uid, deleted: winner.deleted_at.is_some(), free }))
    }
}

/// What other tables hold about one account.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    /// Its password.
    pub password: Password,
    /// Whether a second factor is set up, activated or not.
    pub passcode: bool,
    /// The account that the login meets first under this one's name, where it is another one.
    pub shadow: Option<Box<Shadow>>,
    /// Whether the name means this account alone.
    pub alone: bool,
    /// Browser sign-ins alive.
    pub browser: u32,
    /// App passwords alive.
    pub tokens: u32,
}

/// The holdings of one account.
///
/// # Errors
/// The store's.
pub fn of(reader: &dyn Reader, layout: &Layout, user: &User, alone: bool, now: Time) -> Result<Holdings> {
    let mut holdings = Holdings { alone, ..Holdings::default() };
    let query = Select::from(PASSWORDS, ["hash"]).filter(Filter::eq("uid", &user.uid));
    if let Some(row) = reader.first(query)? {
        holdings.password = Password::read(&row.get("hash").cloned().unwrap_or_default().into());
    }
    if layout.two_factor() {
        let query = Select::from(PASSCODES, ["uid"]).filter(Filter::eq("uid", &user.uid));
        holdings.passcode = reader.first(query)?.is_some();
    }
    if names::reached(layout, &user.name) {
        let winner = picked(reader, layout, &names::clean(&user.name))?.filter(|winner| winner.id != user.id);
        holdings.shadow = winner.map(|winner| Shadow::of(reader, layout, &winner, &user.name)).transpose()?;
    }
    for row in sessions::rows(reader, layout, Filter::eq("user_uid", &user.uid), now)? {
        match row.sort {
            Sort::Browser if !row.ended => holdings.browser += 1,
            Sort::AppPassword if !row.ended => holdings.tokens += 1,
            _ => {}
        }
    }
    Ok(holdings)
}

impl Holdings {
    /// The same with a password of the kind latchlift writes.
    #[must_use]
    pub fn with_new_password(self) -> Holdings {
        Holdings { password: Password::Bcrypt(HASH_COST), ..self }
    }
}

/// The holdings of every account, each table read once.
pub struct All {
    /// Passwords by uid, of accounts, clients and links alike.
    pub passwords: HashMap<Box<str>, Password>,
    passcodes: HashMap<Box<str>, ()>,
    counts: HashMap<Box<str>, (u32, u32)>,
}

/// Reads the holdings of every account.
///
/// # Errors
/// The store's.
pub fn all(reader: &dyn Reader, layout: &Layout, now: Time) -> Result<All> {
    let mut all = All { passwords: HashMap::new(), passcodes: HashMap::new(), counts: HashMap::new() };
    reader.each_cells(Select::from(PASSWORDS, ["uid", "hash"]), |row| {
        if let [uid, hash] = row {
            all.passwords.insert(std::mem::take(uid).into_text().unwrap_or_default().into(), Password::read(hash));
        }
        Ok(())
    })?;
    if layout.two_factor() {
        reader.each_cells(Select::from(PASSCODES, ["uid"]), |row| {
            all.passcodes.insert(row.first().and_then(Cell::to_text).unwrap_or_default().into(), ());
            Ok(())
        })?;
    }
    sessions::each_alive(reader, now, &mut |uid, sort| {
        let (browser, tokens) = match sort {
            Sort::Browser => (1, 0),
            Sort::AppPassword => (0, 1),
            _ => return,
        };
        match all.counts.get_mut(uid) {
            Some(counts) => (counts.0, counts.1) = (counts.0 + browser, counts.1 + tokens),
            None => drop(all.counts.insert(uid.into(), (browser, tokens))),
        }
    })?;
    Ok(all)
}

impl All {
    /// What is held about the account of this uid; its password is given away, so that those without account stay.
    pub fn take(&mut self, uid: &str) -> Holdings {
        let (browser, tokens) = self.counts.get(uid).copied().unwrap_or_default();
        Holdings {
            password: self.passwords.remove(uid).unwrap_or_default(),
            passcode: self.passcodes.contains_key(uid),
            browser,
            tokens,
            alone: true,
            shadow: None,
        }
    }
}
