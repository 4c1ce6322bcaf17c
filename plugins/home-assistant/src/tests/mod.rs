//! Directories in, exact plans and answers out.

mod changes;
mod check;
mod directory;
mod plans;
mod reading;
