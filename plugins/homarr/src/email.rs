//! E-mail addresses: to Homarr a label for credentials accounts, and what tells LDAP accounts apart.

use crate::accounts::Accounts;
use latchlift_plugin_api::{Error, Kind, Plan, Result};

/// The address as it will be stored; none where it is taken away. Not every rule of addresses is looked at: what has one
/// `@`, a host behind it and no blanks passes.
///
/// # Errors
/// It is no address.
pub fn accepted(typed: &str) -> Result<Option<String>> {
    let email = typed.trim();
    if email.is_empty() {
        return Ok(None);
    }
    let parts =
        email.split_once('@').filter(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'));
    match parts.is_some() && !email.contains(char::is_whitespace) {
        true => Ok(Some(email.to_owned())),
        false => Err(Error::new(Kind::Usage, format!("`{email}` is no e-mail address"))),
    }
}

/// The plan with a warning where another account has the address: with dangerous account linking, OIDC picks by it.
pub fn warn_of_shared(plan: Plan, accounts: &Accounts, email: Option<&str>, but: Option<usize>) -> Plan {
    let Some(email) = email else { return plan };
    let shares = |stored: &str| stored.eq_ignore_ascii_case(email);
    let mut people = accounts.people.iter().enumerate().filter(|(i, _)| Some(*i) != but);
    match people.find(|(_, person)| person.email.as_deref().is_some_and(shares)) {
        Some((_, other)) => plan.warn(format!("`{}` (id {}) has this e-mail address too", other.label(), other.id)),
        None => plan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_an_at_and_a_host() {
        assert_eq!(accepted(" jo@example.org ").unwrap().as_deref(), Some("jo@example.org"));
        assert_eq!(accepted("").unwrap(), None);
        for wrong in ["jo", "@example.org", "jo@", "a@b@c", "jo hn@example.org"] {
            assert!(accepted(wrong).is_err(), "{wrong}");
        }
    }
}
