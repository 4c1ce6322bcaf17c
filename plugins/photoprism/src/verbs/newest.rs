//! Sign-ins, newest first. They are in no order that a store has an index for, and there may be hundreds of thousands.

use latchlift_plugin_api::{Batch, Login, Output, Result, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The most held at once: who has more of them waits for another look at the store rather than for memory.
const HELD: usize = 50_000;
/// Rows per batch.
const BATCH: usize = 100;

/// The later the greater; of the same time, what was offered first. One without time is the least.
type Place = (Option<Time>, Reverse<u64>);

/// The newest sign-ins offered, as many as may be held.
pub struct Newest {
    most: usize,
    /// Only what comes behind this place: all before it were given out.
    behind: Option<Place>,
    offered: u64,
    held: BinaryHeap<Reverse<Seen>>,
}

/// A sign-in and its place, which orders it.
struct Seen {
    place: Place,
    login: Login,
}

impl Newest {
    fn behind(most: usize, behind: Option<Place>) -> Newest {
        Newest { most, behind, offered: 0, held: BinaryHeap::new() }
    }

    /// Takes a sign-in if it is among the newest; only then it is made.
    pub fn offer(&mut self, at: Option<Time>, login: impl FnOnce() -> Login) {
        let place = (at, Reverse(self.offered));
        self.offered += 1;
        let full = self.held.len() >= self.most;
        let older = full && self.held.peek().is_some_and(|Reverse(least)| place <= least.place);
        if older || self.behind.is_some_and(|behind| place >= behind) {
            return;
        }
        if full {
            self.held.pop();
        }
        self.held.push(Reverse(Seen { place, login: login() }));
    }
}

/// Emits sign-ins, newest first. `read` offers all of them, each time in the same order.
///
/// # Errors
/// Whatever `read` answers; nobody takes the rows.
pub fn newest_first(output: &mut dyn Output, read: impl FnMut(&mut Newest) -> Result<()>) -> Result<()> {
    in_parts(HELD, output, read)
}

fn in_parts(most: usize, output: &mut dyn Output, mut read: impl FnMut(&mut Newest) -> Result<()>) -> Result<()> {
    let mut behind = None;
    loop {
        let mut newest = Newest::behind(most, behind);
        read(&mut newest)?;
        let held = newest.held.into_sorted_vec();
        behind = held.last().map(|Reverse(seen)| seen.place);
        let count = held.len();
        let mut rows = held.into_iter().map(|Reverse(seen)| seen.login).peekable();
        while rows.peek().is_some() {
            output.emit(Batch::Logins(rows.by_ref().take(BATCH).collect()))?;
        }
        if count < most {
            return Ok(());
        }
    }
}

impl PartialEq for Seen {
    fn eq(&self, other: &Seen) -> bool {
        self.place == other.place
    }
}

impl Eq for Seen {}

impl PartialOrd for Seen {
    fn partial_cmp(&self, other: &Seen) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seen {
    fn cmp(&self, other: &Seen) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Kept(Vec<String>);

    impl Output for Kept {
        fn emit(&mut self, batch: Batch) -> Result<()> {
            if let Batch::Logins(rows) = batch {
                self.0.extend(rows.into_iter().map(|row| row.status));
            }
            Ok(())
        }
    }

    #[test]
    fn all_come_newest_first_however_few_are_held() {
        let times = [Some(3), None, Some(9), Some(3), Some(7), None, Some(9), Some(1)];
        let whole = ["2", "6", "4", "0", "3", "7", "1", "5"];
        for most in 1..10 {
            let mut kept = Kept::default();
            let read = |newest: &mut Newest| {
                for (i, at) in times.into_iter().enumerate() {
                    newest.offer(at.map(Time), || Login { status: i.to_string(), ..Login::default() });
                }
                Ok(())
            };
            in_parts(most, &mut kept, read).unwrap();
            assert_eq!(kept.0, whole, "{most} at once");
        }
    }
}
