//! The stores, each rule on a real database: what is read, what is guarded, what is refused and what is rolled back.
//!
//! `shared` holds the rules that are the same everywhere and tries each on SQLite, MariaDB and PostgreSQL; the other
//! files hold what one of them does its own way. Where there are no servers, `stores -- sqlite` runs what needs none.

#![allow(clippy::unwrap_used, reason = "all of this is tests, where the line that failed says most")]

mod bench;
mod mysql;
mod postgres;
mod shared;
mod sqlite;
