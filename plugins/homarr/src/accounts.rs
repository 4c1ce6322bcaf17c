//! Every account, as far as signing in needs it, in the order in which Homarr's login meets them.

use crate::schema::{CREDENTIALS, Layout, USER};
use crate::settings::Providers;
use latchlift_plugin_api::{Bcrypt, Error, Kind, Reader, Request, Result, Select, Value};
use std::borrow::Cow;

/// What is stored for a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stored {
    /// Nothing.
    #[default]
    Missing,
    /// Something that Homarr's bcrypt cannot read.
    Unreadable,
    /// A bcrypt hash of this cost.
    Bcrypt(u32),
}

impl Stored {
    /// Looks at a hash as Homarr's bcrypt does: `$2a$` and `$2b$` of any cost, but neither `$2x$` nor `$2y$`.
    pub fn of(hash: &Value) -> Stored {
        if hash.is_blank() {
            return Stored::Missing;
        }
        match hash.as_str().and_then(readable) {
            Some(hash) => Stored::Bcrypt(hash.cost),
            None => Stored::Unreadable,
        }
    }
}

/// The hash, if Homarr's bcrypt can read it.
pub fn readable(hash: &str) -> Option<Bcrypt> {
    Bcrypt::parse(hash).filter(|hash| hash.prefix == "2a" || hash.prefix == "2b")
}

/// One row of `user`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// The id.
    pub id: String,
    /// The name as stored.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// `credentials`, `oidc` or `ldap`.
    pub provider: Cow<'static, str>,
    /// What is stored for a password.
    pub stored: Stored,
    /// The database's own comparison key of the name, where that is not the name itself.
    pub same: Option<Box<[u8]>>,
}

impl Person {
    /// Whether Homarr checks the password itself.
    pub fn is_local(&self) -> bool {
        self.provider == CREDENTIALS
    }

    /// The name, or the empty text where there is none.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The name for messages: the id where there is no name.
    pub fn label(&self) -> &str {
        if self.name().is_empty() { &self.id } else { self.name() }
    }

    /// The provider for messages: `OIDC`, `LDAP`.
    pub fn provider_title(&self) -> String {
        match &*self.provider {
            "oidc" => "OIDC".to_owned(),
            "ldap" => "LDAP".to_owned(),
            other => other.to_owned(),
        }
    }
}

/// All accounts of an instance.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// In the order of the database's own scan, which is the order Homarr's login reads in.
    pub people: Vec<Person>,
    /// Whether the database's comparison of names ignores the case of letters.
    pub folds_case: bool,
    /// What the settings switch on.
    pub providers: Providers,
}

impl Accounts {
    /// Reads them, in one pass.
    ///
    /// # Errors
    /// The store's.
    pub fn load(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<Accounts> {
        let mut query = Select::from(USER, ["id", "name", "email", "provider", "password"]);
        if layout.kind == latchlift_plugin_api::StoreKind::Mysql {
            query = query.same("name");
        }
        let mut people = Vec::new();
        reader.each_row(query, |row| {
            people.push(person(row)?);
            Ok(())
        })?;
        Ok(Accounts { people, folds_case: layout.folds_case, providers: Providers::of(&request.settings) })
    }

    /// Where the account of this id is.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.people.iter().position(|person| person.id == id)
    }
}

fn person(row: Vec<Value>) -> Result<Person> {
    let mut cells = row.into_iter();
    let mut next = || cells.next().unwrap_or_default();
    let (id, name, email, provider, hash, same) = (next(), next(), next(), next(), next(), next());
    let nameless = || Error::new(Kind::Failed, "a row of table `user` has no id");
    Ok(Person {
        id: text(id).ok_or_else(nameless)?,
        name: text(name),
        email: text(email),
        provider: interned(text(provider).unwrap_or_default()),
        stored: Stored::of(&hash),
        same: match same {
            Value::Null => None,
            Value::Bytes(bytes) => Some(bytes.into()),
            other => other.to_text().map(|text| text.into_bytes().into()),
        },
    })
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        other => other.to_text(),
    }
}

/// A hundred thousand times `credentials` need not be stored a hundred thousand times.
fn interned(provider: String) -> Cow<'static, str> {
    match provider.as_str() {
        CREDENTIALS => Cow::Borrowed(CREDENTIALS),
        "oidc" => Cow::Borrowed("oidc"),
        "ldap" => Cow::Borrowed("ldap"),
        _ => Cow::Owned(provider),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_homarr_can_read_count() {
        let hash = "$2b$10$BVYYS966qmZLhsA7WEYd7u59dIs1gyNEYtn2PYNV3TrSXwpmVqbSi";
        assert_eq!(Stored::of(&hash.into()), Stored::Bcrypt(10));
        assert_eq!(Stored::of(&hash.replacen("2b$10", "2a$04", 1).into()), Stored::Bcrypt(4));
        assert_eq!(Stored::of(&hash.replacen("2b", "2y", 1).into()), Stored::Unreadable);
        assert_eq!(Stored::of(&"hunter2".into()), Stored::Unreadable);
        assert_eq!(Stored::of(&Value::Null), Stored::Missing);
        assert_eq!(Stored::of(&"".into()), Stored::Missing);
    }
}
