//! What people see: stdout, stderr and exit code of every command's help, every kind of error and typical sessions.
//!
//! Each test is compared with a file in `snapshots`. After a change that is meant,
//! `LATCHLIFT_ACCEPT=1 cargo test -p latchlift-tests --test cli` writes them anew, for review.

#![expect(clippy::unwrap_used, reason = "what goes wrong here is the test's failure")]

mod closed;
mod errors;
mod help;
mod secrets;
mod sessions;
mod snapshot;
mod terminal;
mod usage;
