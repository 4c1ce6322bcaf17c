//! Whether the app runs, seen from its directory alone.
//!
//! An app that keeps its accounts in memory would overwrite what is written beside it, so such an app must be stopped.
//! The only sure sign is a lock it holds; a file it leaves lying about is a hint that a crash may have left behind.

use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::Facts;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// The app's own run lock, held while we write so that the app cannot start in between.
#[must_use = "dropping lets the app start"]
pub struct Held {
    _locks: Vec<File>,
    /// What to know where the app runs and writing was allowed all the same.
    pub warning: Option<String>,
}

/// Makes sure the app does not run, and keeps it from starting, where that matters.
///
/// # Errors
/// [`Kind::Refused`] where it runs and `allowed` is false.
pub fn hold(facts: &Facts, dirs: impl Iterator<Item = PathBuf>, allowed: bool) -> Result<Held> {
    let (mut locks, mut warning) = (Vec::new(), None);
    if !facts.running.must_stop {
        return Ok(Held { _locks: locks, warning });
    }
    for dir in dirs {
        let name = facts.running.lock.as_deref();
        match name.map(|name| take(&dir.join(name))).transpose()? {
            Some(Lock::Taken(file)) => locks.push(file),
            Some(Lock::Busy) if !allowed => return Err(runs(facts, &dir, "it holds its run lock")),
            Some(Lock::Busy) => {
                let stop =
                    facts.running.stop.as_deref().map(|stop| format!("; stop it with {stop}")).unwrap_or_default();
                warning = Some(format!("{} runs, does not see this change, and may overwrite it{stop}", facts.title));
            }
            // Without a lock file the app is older than its lock, or never ran: only the sign is left to go by.
            Some(Lock::Absent) | None => check_sign(facts, &dir, allowed)?,
        }
    }
    Ok(Held { _locks: locks, warning })
}

enum Lock {
    Taken(File),
    Busy,
    Absent,
}

fn take(path: &Path) -> Result<Lock> {
    let file = match OpenOptions::new().read(true).open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Lock::Absent),
        Err(why) => {
            let message =
                format!("cannot see whether the app runs: {}: {}", path.display(), crate::error::io_reason(&why));
            return Err(Error::new(Kind::Denied, message).note("nothing was changed").help("run as root"));
        }
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock::Taken(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Lock::Busy),
        // A file system without locks (some network mounts) says nothing either way.
        Err(_) => Ok(Lock::Absent),
    }
}

fn check_sign(facts: &Facts, dir: &Path, allowed: bool) -> Result<()> {
    let Some(sign) = facts.running.sign.as_deref().map(|name| dir.join(name)) else { return Ok(()) };
    match sign.exists() && !allowed {
        true => {
            let error = runs(facts, dir, &format!("{} is there", sign.display()));
            let help = error.help.clone().unwrap_or_default();
            let left = format!("{help}; if it does not run, a crash left that file: say --allow-running");
            Err(Error { help: Some(left), ..error })
        }
        false => Ok(()),
    }
}

fn runs(facts: &Facts, dir: &Path, sign: &str) -> Error {
    let message = format!("{} seems to run in {} and would overwrite the change: {sign}", facts.title, dir.display());
    let stop = facts.running.stop.as_deref().map(|stop| format!("stop it first: {stop}"));
    let help = stop.unwrap_or_else(|| "stop it first".to_owned());
    Error::new(Kind::Refused, message).note("nothing was changed").help(help)
}
