//! latchlift gets people back into the self-hosted apps they own.
//!
//! The binary is a thin wrapper around this library; the library's interface serves the binary and the test suites and
//! may change with every release. The stable contract is `latchlift-plugin-api`.

pub mod apply;
pub mod atomic;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod error;
pub mod fault;
pub mod instance;
pub mod journal;
pub mod kdf;
pub mod keys;
pub mod output;
pub mod plan;
pub mod plugin;
pub mod running;
pub mod secret;
pub mod settings;
pub mod store;
pub mod ui;
pub mod usage;
