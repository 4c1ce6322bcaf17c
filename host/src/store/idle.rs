//! A connection between two uses.

use crate::error::{Kind, Result};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

/// The connection of a store between two uses, in no transaction: planning, writing and looking afterwards need not knock
/// three times. A person may think as long as they like; no lock is held meanwhile.
pub struct Idle<C> {
    home: Arc<Mutex<Option<C>>>,
    settle: fn(&mut C) -> bool,
}

impl<C> Idle<C> {
    /// None yet. `settle` ends a use of one, which rolls back what was not committed, and says whether it may be kept.
    pub fn none(settle: fn(&mut C) -> bool) -> Idle<C> {
        Idle { home: Arc::default(), settle }
    }

    /// The idle connection where it `fits`, or else a new one, each made ready by `begin`. An idle one may have died
    /// meanwhile, so that a new one is tried before anything is said, unless it is well and somebody holds a lock it needs:
    /// another one would only wait for that once more.
    ///
    /// # Errors
    /// That of the lock; those of a new connection.
    pub fn lend(
        &self,
        connect: impl FnOnce() -> Result<C>,
        fits: impl FnOnce(&C) -> bool,
        mut begin: impl FnMut(&mut C) -> Result<()>,
    ) -> Result<Lent<C>> {
        let lent =
            |connection| Lent { connection: Some(connection), settle: self.settle, home: Arc::clone(&self.home) };
        let idle = self.home.lock().ok().and_then(|mut idle| idle.take());
        if let Some(mut idle) = idle.filter(fits) {
            match begin(&mut idle) {
                Ok(()) => return Ok(lent(idle)),
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
        let in_order = |connection: &mut i32| *connection != 1;
        let (idle, made) = (Idle::none(in_order), std::cell::Cell::new(0));
        let connect = || {
            made.set(made.get() + 1);
            Ok(made.get())
        };
        let fine = |_: &mut i32| Ok(());
        let lend = |begin: fn(&mut i32) -> Result<()>| idle.lend(connect, |_| true, begin).map(|lent| *lent);
        assert_eq!(lend(fine).unwrap(), 1);
        assert_eq!(lend(fine).unwrap(), 2, "one that could not settle is not used again");
        assert_eq!(lend(fine).unwrap(), 2);
        let dead = |connection: &mut i32| match *connection {
            2 => Err(Error::new(Kind::Unreachable, "gone")),
            _ => Ok(()),
        };
        assert_eq!(lend(dead).unwrap(), 3, "one that died is replaced");
        assert_eq!(idle.lend(connect, |_| false, fine).map(|lent| *lent).unwrap(), 4, "one that does not fit is, too");
        let locked = |_: &mut i32| Err(Error::new(Kind::Locked, "somebody writes"));
        assert_eq!(lend(locked).unwrap_err().kind, Kind::Locked);
        assert_eq!(made.get(), 4, "a lock was waited for once");
    }
}
