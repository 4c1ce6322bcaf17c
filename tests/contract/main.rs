//! What latchlift does with plugins: good ones, bad ones, and files that only look like one.

mod files;
mod many;
mod manners;
mod registry;
mod support;
mod trust;
mod versions;
