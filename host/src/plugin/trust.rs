//! Who may have written a plugin.
//!
//! Loading a library runs it with the caller's rights. So a plugin's file and its directory must not be writable by
//! anyone who could not replace the latchlift executable anyway: the owner is root, the caller or the executable's
//! owner, and the mode is no looser than that of the executable or its directory. A file in a cargo target under umask
//! 002 is group-writable, but so is the executable beside it: such a plugin loads. The same file made writable for
//! everyone does not.

use super::{refused, word};
use crate::error::{Error, Kind, Result};
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What decides about a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Whether this process may write it; only asked where the owner is the overflow uid.
    pub writable: bool,
}

impl Stat {
    fn of(path: &Path, metadata: &Metadata, caller: &Caller) -> Stat {
        let asked = caller.overflow == Some(metadata.uid());
        let writable = !asked || rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
        Stat { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() & 0o7777, writable }
    }

    fn group_writable(&self) -> bool {
        self.mode & 0o020 != 0
    }

    fn world_writable(&self) -> bool {
        self.mode & 0o002 != 0
    }

    /// In a sticky directory the group may add files, but not replace those of others.
    fn sticky(&self) -> bool {
        self.mode & 0o1000 != 0
    }
}

/// Who runs latchlift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The effective user.
    pub euid: u32,
    /// The uid that stands for owners this user namespace does not know, where there are such. A container sees the
    /// host's root as this uid.
    pub overflow: Option<u32>,
}

impl Caller {
    fn of_this_process() -> Caller {
        let euid = rustix::process::geteuid().as_raw();
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let overflow = fs::read_to_string("/proc/sys/kernel/overflowuid").unwrap_or_default();
        Caller { euid, overflow: overflow.trim().parse().ok().and_then(|uid| foreign(uid, &map, euid)) }
    }
}

/// The overflow uid, if files that show it belong to somebody outside.
///
/// Without a user namespace it is simply `nobody`. Within one that maps it too, it may be either; root of the namespace
/// can tell, because root may write what belongs to any user the namespace knows.
fn foreign(overflow: u32, uid_map: &str, euid: u32) -> Option<u32> {
    let ranges: Vec<[u64; 3]> = uid_map.lines().filter_map(range).collect();
    let whole = ranges.iter().any(|[inside, outside, count]| inside == outside && *count >= u64::from(u32::MAX));
    let known = ranges.iter().any(|[inside, _, count]| (*inside..inside + count).contains(&u64::from(overflow)));
    (!ranges.is_empty() && !whole && (!known || euid == 0)).then_some(overflow)
}

fn range(line: &str) -> Option<[u64; 3]> {
    let mut numbers = line.split_whitespace().map_while(|word| word.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}

/// The rule, with what it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Who runs latchlift.
    pub caller: Caller,
    /// The latchlift executable.
    pub exe: Stat,
    /// Its directory.
    pub exe_dir: Stat,
}

/// A file that passed, open: what is checked next is what was trusted.
pub(super) struct Opened {
    /// The path without symbolic links.
    pub path: PathBuf,
    /// The file.
    pub file: File,
    /// What it was when it was opened.
    pub metadata: Metadata,
}

impl Trust {
    /// The rule for this process.
    ///
    /// # Errors
    /// The executable cannot be examined, so nothing can be compared with it.
    pub fn of_this_process() -> Result<Trust> {
        let blind = |why: io::Error| {
            Error::new(Kind::Plugin, format!("cannot tell who owns the latchlift executable: {why}"))
                .help("mount /proc: plugins are only loaded if their owner could replace latchlift itself")
        };
        let caller = Caller::of_this_process();
        let path = std::env::current_exe().map_err(blind)?;
        let dir = path.parent().unwrap_or(Path::new("/"));
        // By the link and not by the path: the executable may have been replaced since it was started.
        let running = Path::new("/proc/self/exe");
        let exe = Stat::of(running, &fs::metadata(running).map_err(blind)?, &caller);
        let exe_dir = Stat::of(dir, &fs::metadata(dir).map_err(blind)?, &caller);
        Ok(Trust { caller, exe, exe_dir })
    }

    /// Opens a plugin's file, or its sidecar, if its writers can be trusted; `also` is one more owner to accept.
    ///
    /// # Errors
    /// It is not there, is not a regular file, or somebody else may have written it.
    pub(super) fn open(&self, path: &Path, also: Option<u32>) -> Result<Opened> {
        let unreadable = |why: io::Error| refused(path, format!("cannot be read: {}", reason(&why)));
        let real = path.canonicalize().map_err(unreadable)?;
        // O_NONBLOCK so that a pipe of that name does not make us wait; it means nothing for a file.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::open(&real, flags, Mode::empty()).map_err(|why| unreadable(why.into()))?);
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refused(path, "is not a file"));
        }
        let dir = real.parent().unwrap_or(Path::new("/"));
        let dir_metadata = fs::metadata(dir).map_err(unreadable)?;
        let stat = |path: &Path, metadata: &Metadata| Stat::of(path, metadata, &self.caller);
        self.check(&real, &stat(&real, &metadata), &stat(dir, &dir_metadata), also)?;
        Ok(Opened { path: real, file, metadata })
    }

    /// Whether the writers of `file` and of its directory `dir` can be trusted; `also` is one more owner to accept.
    ///
    /// # Errors
    /// [`Kind::Plugin`], naming the rule that was broken and the command that mends it.
    pub fn check(&self, path: &Path, file: &Stat, dir: &Stat, also: Option<u32>) -> Result<()> {
        self.check_mode(path, path, file, "it")?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        self.check_mode(path, parent, dir, &format!("its directory {}", parent.display()))?;
        for (place, stat, what) in [(path, file, "it"), (parent, dir, "its directory")] {
            if !self.may_own(stat, also) {
                let error = refused(path, self.strange_owner(what, stat.uid));
                let named = if also.is_none() && dir.uid == stat.uid { Some(parent) } else { None };
                return Err(error.help(self.adopt(place, named)));
            }
        }
        Ok(())
    }

    fn check_mode(&self, path: &Path, place: &Path, stat: &Stat, what: &str) -> Result<()> {
        let mode = stat.mode;
        if stat.world_writable() {
            let why = format!("is refused: everyone may write {what} (mode {mode:04o})");
            return Err(refused(path, why).help(format!("chmod o-w {}", word(place))));
        }
        if stat.group_writable() && !self.group_may_replace_us(stat.gid) {
            let gid = stat.gid;
            let why = format!("is refused: group {gid} may write {what} (mode {mode:04o}), but not latchlift itself");
            return Err(refused(path, why).help(format!("chmod g-w {}", word(place))));
        }
        Ok(())
    }

    fn group_may_replace_us(&self, gid: u32) -> bool {
        let by = |stat: &Stat| stat.group_writable() && stat.gid == gid;
        by(&self.exe) || (by(&self.exe_dir) && !self.exe_dir.sticky())
    }

    fn may_own(&self, stat: &Stat, also: Option<u32>) -> bool {
        let from_outside = self.caller.overflow == Some(stat.uid) && !stat.writable;
        from_outside || [0, self.caller.euid, self.exe.uid].contains(&stat.uid) || also == Some(stat.uid)
    }

    fn strange_owner(&self, what: &str, owner: u32) -> String {
        let mut trusted = vec!["root".to_owned()];
        if self.caller.euid != 0 {
            trusted.push(format!("you (uid {})", self.caller.euid));
        }
        if ![0, self.caller.euid].contains(&self.exe.uid) {
            trusted.push(format!("the owner of latchlift itself (uid {})", self.exe.uid));
        }
        format!("is refused: {what} belongs to uid {owner}, and only {} may provide plugins", trusted.join(" or "))
    }

    fn adopt(&self, place: &Path, named: Option<&Path>) -> String {
        let sudo = if self.caller.euid == 0 { "" } else { "sudo " };
        let chown = format!("if you trust it: {sudo}chown root {}", word(place));
        named.map_or(chown.clone(), |dir| format!("{chown}; or name it yourself: --plugin-dir {}", word(dir)))
    }
}

/// The operating system's reason, in words.
fn reason(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => why.to_string(),
    }
}

#[cfg(test)]
mod tests;
