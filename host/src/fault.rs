//! Faults made on purpose, for the suite that proves no fault loses data.
//!
//! Every step that touches a disk calls [`point`]. The suite sets `LATCHLIFT_FAULT` to `N:fail` or `N:kill` and runs a
//! verb with N = 1, 2, ... until it succeeds. Builds without debug assertions, which is what people install, ignore it.

use crate::error::{Error, Kind, Result};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
static CALLS: AtomicU64 = AtomicU64::new(0);

/// What happens, and at which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    at: u64,
    kill: bool,
}

/// A step at which a fault may be injected.
///
/// # Errors
/// The suite asked for a failure at this call.
pub fn point(name: &str) -> Result<()> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    let Some(fault) = FAULT.get_or_init(|| parse(&std::env::var("LATCHLIFT_FAULT").ok()?)) else { return Ok(()) };
    if CALLS.fetch_add(1, Ordering::SeqCst) + 1 != fault.at {
        return Ok(());
    }
    if fault.kill {
        // Nothing may run after this line: not the destructors, not the rest of the caller.
        let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::exit(if killed.is_ok() { 137 } else { 1 });
    }
    Err(Error::new(Kind::Failed, format!("fault injected at {name}")))
}

fn parse(text: &str) -> Option<Fault> {
    let (at, what) = text.split_once(':')?;
    let kill = match what {
        "fail" => false,
        "kill" => true,
        _ => return None,
    };
    Some(Fault { at: at.parse().ok()?, kill })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_call_and_its_kind() {
        assert_eq!(parse("3:fail"), Some(Fault { at: 3, kill: false }));
        assert_eq!(parse("12:kill"), Some(Fault { at: 12, kill: true }));
        for nonsense in ["", "3", "3:", "fail:3", "-1:fail", "3:explode"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
