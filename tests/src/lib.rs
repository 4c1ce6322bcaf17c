//! What latchlift's tests are written with: real databases, apps with people in them, and the built program.
//!
//! ```text
//! bench ── runs ──> target/<profile>/latchlift ── loads ──> liblatchlift_<app>.so
//!   │                                                          │
//!   └── apps ── seeds, asks "does X get in?" ──> db, servers <─┘ reads and writes
//! ```
//!
//! Nothing here uses latchlift's own code to judge latchlift: hashes are checked with the C library's `crypt`, sign-ins
//! by each app's own rules, Home Assistant's by Home Assistant itself, which one suite starts.

pub mod apps;
pub mod bench;
pub mod crypt;
pub mod db;
pub mod dump;
pub mod home_assistant_server;
pub mod runner;
pub mod schema;
pub mod servers;

/// What goes wrong in a test, as one sentence.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything a test does.
pub type Result<T> = std::result::Result<T, Error>;

/// Whether only what is embedded may be used: no servers, no network. Set by `make check`.
pub fn embedded_only() -> bool {
    std::env::var("LATCHLIFT_TEST_STORE").is_ok_and(|stores| stores == "embedded")
}

/// The workspace's directory.
pub fn workspace() -> &'static std::path::Path {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
