//! Directories in, exact plans and answers out.

mod changes;
mod check;
mod directory;
mod heirs;
mod house;
mod plans;
mod reading;
