//! The rule that nobody locks the last administrator out by accident.

use crate::sign_in::Logins;
use latchlift_plugin_api::{Error, Known, Request, Result};

/// Accounts and which of them are administrators, at one moment.
pub struct Moment<'m, 'a> {
    /// Who signs in.
    pub logins: &'m Logins<'a>,
    /// The places of the administrators.
    pub admins: &'m [usize],
}

impl Moment<'_, '_> {
    fn any(&self, wanted: Known<bool>) -> Option<usize> {
        self.admins.iter().copied().find(|i| self.can(*i) == wanted)
    }

    fn can(&self, i: usize) -> Known<bool> {
        self.logins.can_sign_in(i, &self.logins.reasons(i))
    }
}

/// Refuses what would leave no administrator who can sign in, where account `i` is one now. Of accounts whose password
/// another system checks nobody here knows whether they get in: they are no reason to let go of one that does. Gives the
/// warning where the person waived the rule.
///
/// # Errors
/// So it would, and the rule was not waived.
pub fn keep(before: &Moment<'_, '_>, after: &Moment<'_, '_>, i: usize, request: &Request) -> Result<Option<String>> {
    let can = before.can(i);
    let needed = before.admins.contains(&i) && can != Known::Is(false);
    let elsewhere = after.any(Known::Nothing);
    if !needed || after.any(Known::Is(true)).is_some() || (can == Known::Nothing && elsewhere.is_some()) {
        return Ok(None);
    }
    let label = before.logins.accounts.people[i].label();
    let mut message = format!("`{label}` is the last administrator who can sign in");
    if let Some(other) = elsewhere.map(|other| &after.logins.accounts.people[other]) {
        message = format!(
            "`{label}` is the last administrator with a password that gets in; `{}` signs in through {}, \
             and whether that works cannot be seen from here",
            other.label(),
            other.provider_title()
        );
    }
    if request.options.allows("last-admin") {
        return Ok(Some(format!("{message}; `latchlift admin recreate NAME` makes a new one")));
    }
    let help = "make another account an administrator first (`latchlift admin grant NAME`), or say --allow-last-admin";
    Err(Error::refused(message, Some("allow-last-admin")).help(help))
}
