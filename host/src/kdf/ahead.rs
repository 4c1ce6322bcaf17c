//! Hashing ahead: while the plugin looks at the store, another processor already computes the hash that the app's facts
//! say new passwords get.
//!
//! What a plugin asks for counts. Where it asks for something else, that is computed as if nothing had been begun.

use super::{Derived, Handle, Kdf, api};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

/// A hash that was begun, if one was.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Option<Begun>>);

struct Begun {
    password: Handle,
    kdf: Kdf,
    result: Receiver<api::Result<Derived>>,
}

impl Ahead {
    /// Begins with `work`. Where no thread can be had, nothing is begun.
    pub fn begin(&self, password: Handle, kdf: Kdf, work: impl FnOnce() -> api::Result<Derived> + Send + 'static) {
        let (give, result) = channel();
        let thread = std::thread::Builder::new().spawn(move || give.send(work()));
        if let (Ok(mut place), Ok(_)) = (self.0.lock(), thread) {
            *place = Some(Begun { password, kdf, result });
        }
    }

    /// What was begun for this password and function. Given once: a salt serves one hash.
    pub fn take(&self, password: Handle, kdf: &Kdf) -> Option<api::Result<Derived>> {
        let mut place = self.0.lock().ok()?;
        let begun = place.take_if(|begun| begun.password == password && begun.kdf == *kdf)?;
        begun.result.recv().ok()
    }
}
