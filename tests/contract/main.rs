//! What latchlift does with plugins: good ones, bad ones, and files that only look like one.

mod files;
mod manners;
mod many;
mod registry;
mod support;
mod trust;
mod versions;
