//! What latchlift does with plugins: good ones, bad ones, and files that only look like one.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the test's failure")]

mod files;
mod manners;
mod many;
mod registry;
mod support;
mod trust;
mod versions;
