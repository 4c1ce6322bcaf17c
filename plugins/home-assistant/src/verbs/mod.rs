//! Plans, in an order that opens no door when it stops half-way.
//!
//! A password entry without a credential makes whoever signs in with it a new administrator. So what grants writes `auth`
//! first and the password entry second, and what rewrites names does it the other way round, because the first write ends
//! the exact comparison of names. Sessions end before a password changes.

mod admin;
mod fix_names;
mod records;
mod reset;

pub use admin::{grant, recreate};
pub use fix_names::fix_names;
pub use reset::reset;

/// What to do after any of these plans.
const START: &str = "start Home Assistant again: docker start homeassistant (or `ha core start`)";
