//! Plans, in an order that opens no door when it stops half-way.
//!
//! A password entry without a credential makes whoever signs in with it a new administrator. So what grants writes `auth`
//! first and the password entry second, and what rewrites names does it the other way round, because the first write ends
//! the exact comparison of names. Sessions end before a password changes.

mod add;
mod admin;
pub mod fix_names;
mod last_admin;
mod onboarding;
mod people;
pub mod records;
mod remove;
mod rename;
mod reset;
mod set;

use latchlift_plugin_api::Time;

pub use add::add;
pub use admin::{grant, recreate, revoke};

pub use onboarding::restart;
pub use remove::{remove, remove_password};
pub use rename::rename;
pub use reset::{meant, reset};
pub use set::set;

/// What is put behind the name of a file that goes aside: when.
pub fn stamp(now: Time) -> String {
    now.sql().chars().filter(char::is_ascii_digit).collect()
}

/// What to do after any of these plans. Whether it runs is not known here, with `--allow-running` it may; `docker start` does
/// nothing to a container that runs, while `docker restart` starts one that does not.
pub const START: &str = "start Home Assistant, or restart it where it runs: docker restart homeassistant (or `ha core start`, `ha core restart`)";
