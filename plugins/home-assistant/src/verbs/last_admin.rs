//! The rule that somebody who can sign in must go on administering, and somebody must be the owner.

use crate::accounts;
use crate::home::Home;
use crate::sign_in::{self, title};
use latchlift_plugin_api::{Error, Known, Options, Result};

/// Refuses to take rights, or the way in, from the only owner or from the last administrator who can sign in.
///
/// # Errors
/// The user is one of these, and the person did not waive the rule.
pub fn refuse_if_last(home: &Home, user: usize, options: &Options) -> Result<()> {
    let known = &home.users[user];
    if !home.is_admin(known) || options.allows("last-admin") {
        return Ok(());
    }
    let name = accounts::name(home, user).map_or_else(|| title(home, user), str::to_owned);
    let others = || (0..home.users.len()).filter(|other| *other != user && !home.users[*other].system);
    if known.owner && !others().any(|other| home.users[other].owner && home.users[other].active) {
        let message = format!("`{name}` is the only owner, and nothing in Home Assistant makes another");
        let help = "make another user the owner first: `latchlift admin grant NAME --owner`; if you mean it, say --allow-last-admin";
        return Err(Error::refused(message, None).help(help));
    }
    let usable =
        |other: usize| home.is_admin(&home.users[other]) && sign_in::own_standing(home, other).can == Known::Is(true);
    if others().any(usable) {
        return Ok(());
    }
    let message = format!("`{name}` is the last administrator: no other can sign in");
    let help = "make another user an administrator first: `latchlift admin grant NAME`; if you mean it, say --allow-last-admin";
    Err(Error::refused(message, None).help(help))
}
