//! Every account, as far as signing in needs it, in the order in which Homarr's login meets them.

use crate::schema::{CREDENTIALS, Layout, USER};
use crate::settings::Providers;
use latchlift_plugin_api::{Bcrypt, Cell, Error, Kind, Reader, Request, Result, Select, Value};
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
    pub fn of(hash: &Cell<'_>) -> Stored {
        if hash.is_blank() {
            return Stored::Missing;
        }
        match hash.as_str().and_then(Bcrypt::look) {
            Some((prefix, cost)) if is_known(prefix) => Stored::Bcrypt(cost),
            _ => Stored::Unreadable,
        }
    }
}

/// The hash, if Homarr's bcrypt can read it.
pub fn readable(hash: &str) -> Option<Bcrypt> {
    Bcrypt::parse(hash).filter(|hash| is_known(&hash.prefix))
}

fn is_known(prefix: &str) -> bool {
    prefix == "2a" || prefix == "2b"
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

    /// Whether the provider is none that Homarr has, such as none at all: no password and no directory reaches the account,
    /// and groups are not taken from anywhere.
    pub fn is_stray(&self) -> bool {
        ![CREDENTIALS, "oidc", "ldap"].contains(&&*self.provider)
    }

    /// The name, or the empty text where there is none.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The name for messages: the id where there is no name.
    pub fn label(&self) -> &str {
        if self.name().is_empty() { &self.id } else { self.name() }
    }

    /// The provider for messages: `OIDC`, `LDAP`, `an unknown provider`.
    pub fn provider_title(&self) -> String {
        match &*self.provider {
            "oidc" => "OIDC".to_owned(),
            "ldap" => "LDAP".to_owned(),
            CREDENTIALS => CREDENTIALS.to_owned(),
            "" => "an unknown provider".to_owned(),
            other => format!("the unknown provider `{other}`"),
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
        reader.each_cells(query, |row| {
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

fn person(row: &mut [Cell<'_>]) -> Result<Person> {
    let mut cells = row.iter_mut().map(std::mem::take);
    let mut next = || cells.next().unwrap_or_default();
    let (id, name, email, provider, hash, same) = (next(), next(), next(), next(), next(), next());
    let nameless = || Error::new(Kind::Failed, "a row of table `user` has no id");
    Ok(Person {
        id: id.into_text().ok_or_else(nameless)?,
        name: name.into_text(),
        email: email.into_text(),
        provider: interned(provider),
        stored: Stored::of(&hash),
        same: match same {
            Cell::Other(Value::Null) => None,
            Cell::Other(Value::Bytes(bytes)) => Some(bytes.into()),
            other => other.into_text().map(|text| text.into_bytes().into()),
        },
    })
}

/// A hundred thousand times `credentials` need not be stored a hundred thousand times.
fn interned(provider: Cell<'_>) -> Cow<'static, str> {
    match provider.as_str() {
        Some(CREDENTIALS) => Cow::Borrowed(CREDENTIALS),
        Some("oidc") => Cow::Borrowed("oidc"),
        Some("ldap") => Cow::Borrowed("ldap"),
        _ => Cow::Owned(provider.into_text().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashes_homarr_can_read_count() {
        let hash = "$2b$10$BVYYS966qmZLhsA7WEYd7u59dIs1gyNEYtn2PYNV3TrSXwpmVqbSi";
        assert_eq!(Stored::of(&hash.into()), Stored::Bcrypt(10));
        assert_eq!(Stored::of(&(&*hash.replacen("2b$10", "2a$04", 1)).into()), Stored::Bcrypt(4));
        assert_eq!(Stored::of(&(&*hash.replacen("2b", "2y", 1)).into()), Stored::Unreadable);
        assert_eq!(Stored::of(&"hunter2".into()), Stored::Unreadable);
        assert_eq!(Stored::of(&Value::Null.into()), Stored::Missing);
        assert_eq!(Stored::of(&"".into()), Stored::Missing);
    }
}
