//! A connection between two uses.

use crate::error::{Kind, Result};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

/// The connection of a store between two uses, in no transaction: planning, writing and looking afterwards need not knock
/// three times. A person may think as long as they like; no lock is held meanwhile.
pub struct Idle<C>(Arc<Mutex<Option<C>>>);

impl<C> Idle<C> {
    /// None yet.
    pub fn none() -> Idle<C> {
        Idle(Arc::default())
    }

    /// The idle connection or else a new one, each made ready by `begin`. An idle one may have died meanwhile, so that a
    /// new one is tried before anything is said.
    ///
    /// # Errors
    /// Those of a new connection.
    pub fn lend(
        &self,
        connect: impl FnOnce() -> Result<C>,
        settle: fn(&mut C) -> bool,
        mut begin: impl FnMut(&mut C) -> Result<()>,
    ) -> Result<Lent<C>> {
        let lent = |connection| Lent { connection: Some(connection), settle, home: Arc::clone(&self.0) };
        let idle = self.0.lock().ok().and_then(|mut idle| idle.take());
        if let Some(mut idle) = idle {
            match begin(&mut idle) {
                Ok(()) => return Ok(lent(idle)),
                // It is well; somebody holds what it needs, and another one would only wait for it once more.
                Err(held) if held.kind == Kind::Locked => return Err(held),
                Err(_) => {}
            }
        }
        let mut connection = connect()?;
        begin(&mut connection)?;
        Ok(lent(connection))
    }
}

impl<C> Lent<C> {
    /// A connection for this one use.
    pub fn once(connection: C) -> Lent<C> {
        Lent { connection: Some(connection), settle: |_| false, home: Arc::default() }
    }
}

/// A connection in use. Where it ends in order, which rolls back what was not committed, it is kept for the next use.
pub struct Lent<C> {
    /// Nothing only while it is dropped.
    connection: Option<C>,
    settle: fn(&mut C) -> bool,
    home: Arc<Mutex<Option<C>>>,
}

impl<C> Deref for Lent<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.connection.as_ref().expect("only drop takes the connection")
    }
}

impl<C> DerefMut for Lent<C> {
    fn deref_mut(&mut self) -> &mut C {
        self.connection.as_mut().expect("only drop takes the connection")
    }
}

impl<C> Drop for Lent<C> {
    fn drop(&mut self) {
        let settled =
            self.connection.take().and_then(|mut connection| (self.settle)(&mut connection).then_some(connection));
        if let (Some(connection), Ok(mut home)) = (settled, self.home.lock()) {
            *home = Some(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_connection_is_kept_where_it_ended_in_order_and_replaced_where_it_died() {
        let (idle, made) = (Idle::none(), std::cell::Cell::new(0));
        let connect = || {
            made.set(made.get() + 1);
            Ok(made.get())
        };
        let fine = |_: &mut i32| Ok(());
        let lend = |begin: fn(&mut i32) -> Result<()>, settle| idle.lend(connect, settle, begin).map(|lent| *lent);
        assert_eq!(lend(fine, |_| true).unwrap(), 1);
        assert_eq!(lend(fine, |_| false).unwrap(), 1, "the first one is used again");
        assert_eq!(lend(fine, |_| true).unwrap(), 2, "one that could not settle is not");
        let dead = |connection: &mut i32| match *connection {
            2 => Err(Error::new(Kind::Unreachable, "gone")),
            _ => Ok(()),
        };
        assert_eq!(lend(dead, |_| true).unwrap(), 3, "one that died is replaced");
    }
}
