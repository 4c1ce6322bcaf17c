//! Directories in, exact plans and answers out.

mod check;
mod directory;
mod plans;
mod reading;
