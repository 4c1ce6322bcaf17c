//! Replacing a file in one go.
//!
//! The new content goes to a sibling with the same owner, group, mode and extended attributes, reaches the disk, and
//! takes the old file's name by `rename`, so that at every moment the name leads to the whole old or the whole new file.
//!
//! Each replacement waits for the disk twice, and neither can go: without the first, a power cut may leave the new name on
//! content that never arrived; without the second, the next document of a plan may be on the disk before this one is, and
//! what stands between them is only safe in the plan's own order. The second one waits for little where the file system keeps
//! the order of renames itself.

mod access;
mod seen;

pub use access::explain;
pub use seen::{Identity, Seen, digest, read};

use crate::error::{Error, Kind, Result};
use crate::fault;
use access::{cannot_keep, cannot_rename, copy_attributes, denied};
use seen::{open, says};
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// What the names of unfinished siblings begin with.
const PREFIX: &str = ".latchlift-";

/// The file a path leads to, through symbolic links; the last component need not exist.
///
/// # Errors
/// A directory on the way is missing or closed, or the last component is a link to nothing.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(target) => return Ok(target),
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(explain(&why, path, "reach")),
        Err(_) => {}
    }
    if path.is_symlink() {
        return Err(Error::new(Kind::Conflict, format!("{} is a symbolic link to nothing", path.display())));
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::new(Kind::NotFound, format!("there is no {}", path.display())));
    };
    let parent = fs::canonicalize(parent).map_err(|why| explain(&why, parent, "reach"))?;
    Ok(parent.join(name))
}

/// A turn at writing in a directory, held against other latchlifts until dropped.
#[must_use = "dropping it lets others write"]
pub struct Turn {
    _lock: Option<File>,
}

impl Turn {
    /// Takes the turn, and removes what killed runs left behind: nobody else can be writing.
    ///
    /// # Errors
    /// [`Kind::Locked`] where another latchlift writes there.
    pub fn take(dir: &Path) -> Result<Turn> {
        let file = File::open(dir).map_err(|why| explain(&why, dir, "open"))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let message = format!("another latchlift is writing in {}", dir.display());
                return Err(Error::new(Kind::Locked, message).help("wait until it has finished and try again"));
            }
            // Some network file systems lock no directories; the file is still compared before the rename.
            Err(_) => return Ok(Turn { _lock: None }),
        }
        sweep(dir);
        Ok(Turn { _lock: Some(file) })
    }
}

/// Removes unfinished siblings: they hold credentials. What cannot be removed harms nobody.
fn sweep(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file's next content, not yet in its place.
#[must_use = "commit or drop; dropping leaves the file as it was"]
pub struct Replacement {
    temp: tempfile::NamedTempFile,
    target: PathBuf,
    seen: Option<Seen>,
}

impl Replacement {
    /// Begins replacing the file that was `seen` and `said` this. `target` is resolved: see [`resolve`].
    ///
    /// # Errors
    /// [`Kind::Denied`] where the file or its directory may not be written, or the owner, group, mode or attributes
    /// could not be kept.
    pub fn of(target: PathBuf, seen: Seen, said: &[u8]) -> Result<Replacement> {
        let meta = fs::metadata(&target).map_err(|why| explain(&why, &target, "write"))?;
        may_write(&target, &meta)?;
        let temp = sibling(&target)?;
        own(temp.as_file(), (meta.uid(), meta.gid())).map_err(|why| cannot_keep(&why, &target, "owner and group"))?;
        copy_attributes(&target, temp.path())?;
        let mode = fs::Permissions::from_mode(meta.mode() & 0o7777);
        temp.as_file().set_permissions(mode).map_err(|why| cannot_keep(&why, &target, "mode"))?;
        Ok(Replacement { temp, target, seen: Some(seen.without_text(said)) })
    }

    /// Begins a file that is not there yet, with the owner and group of its directory.
    ///
    /// # Errors
    /// As [`Replacement::of`].
    pub fn new_file(target: PathBuf, mode: u32) -> Result<Replacement> {
        let temp = sibling(&target)?;
        let dir = parent(&target);
        let meta = fs::metadata(dir).map_err(|why| explain(&why, dir, "read"))?;
        own(temp.as_file(), (meta.uid(), meta.gid())).map_err(|why| match rustix::process::geteuid().is_root() {
            true => cannot_keep(&why, dir, "owner and group"),
            false => denied(dir, "write in", Some(&meta)),
        })?;
        let permissions = fs::Permissions::from_mode(mode & 0o777);
        temp.as_file().set_permissions(permissions).map_err(|why| explain(&why, &target, "write"))?;
        Ok(Replacement { temp, target, seen: None })
    }

    /// Writes the content, piece by piece, and waits until it is on the disk.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn write<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        fault::point("documents.write")?;
        let file = self.temp.as_file_mut();
        let mut written = pieces.into_iter().try_for_each(|piece| file.write_all(piece));
        if written.is_ok() {
            fault::point("documents.sync")?;
            written = file.sync_all();
        }
        written.map_err(|why| explain(&why, &self.target, "write"))
    }

    /// Makes sure that what is there now is what was `written`.
    ///
    /// # Errors
    /// [`Kind::Conflict`] where it is something else, or it cannot be read.
    pub fn check(&self, written: &[u8]) -> Result<()> {
        let path = self.temp.path();
        match File::open(path).and_then(|mut file| says(&mut file, written)) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = format!("{} reads back as something else than was written", path.display());
                Err(Error::new(Kind::Conflict, message).help("look after the disk first"))
            }
            Err(why) => Err(explain(&why, path, "read back")),
        }
    }

    /// Puts the content in its place, and gives the file it is now, where that can be told.
    ///
    /// # Errors
    /// [`Kind::Stale`] where the file is no longer the one that was read; nothing was changed then, nor where the
    /// rename fails. [`Kind::Unfinished`] where the new content is in place but may not survive a power cut.
    pub fn commit(self) -> Result<Option<Seen>> {
        let unchanged = match &self.seen {
            Some(seen) => seen.is_still(&self.target)?,
            None => open(&self.target)?.is_none(),
        };
        if !unchanged {
            let message = format!("{} was written by somebody else in the meantime", self.target.display());
            return Err(Error::new(Kind::Stale, message).help("stop the app and run the command again"));
        }
        fault::point("documents.rename.before")?;
        let renamed = match self.seen {
            Some(_) => self.temp.persist(&self.target),
            None => self.temp.persist_noclobber(&self.target),
        };
        let file = renamed.map_err(|why| cannot_rename(&why.error, &self.target))?;
        // Looked at before the wait for the disk, after which a change by somebody else might pass for ours.
        let seen = file.metadata().ok().map(|meta| Seen::new(&file, &meta).unsettled());
        settle(&[parent(&self.target)])?;
        Ok(seen)
    }
}

/// Gives a file another name in the same file system; never over another file.
///
/// # Errors
/// [`Kind::Conflict`] where the new name is taken; otherwise as [`Replacement::commit`].
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    fault::point("documents.rename.before")?;
    let renamed = match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // File systems without this flag leave a gap between looking and renaming.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if fs::symlink_metadata(to).is_err() => {
            fs::rename(from, to)
        }
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => Err(io::ErrorKind::AlreadyExists.into()),
        other => other.map_err(io::Error::from),
    };
    renamed.map_err(|why| cannot_rename(&why, if why.kind() == io::ErrorKind::AlreadyExists { to } else { from }))?;
    settle(&[parent(from), parent(to)])
}

/// Takes a file away.
///
/// # Errors
/// As [`rename`].
pub fn remove(path: &Path) -> Result<()> {
    fault::point("documents.remove")?;
    fs::remove_file(path).map_err(|why| explain(&why, path, "remove"))?;
    settle(&[parent(path)])
}

/// Makes a rename or a removal last. What fails here fails after the fact.
fn settle(dirs: &[&Path]) -> Result<()> {
    let synced = || {
        fault::point("documents.rename.after")?;
        fault::point("documents.dirsync")?;
        dirs.iter().try_for_each(|dir| sync_dir(dir))
    };
    let unknown = |error: Error| Error { kind: Kind::Unfinished, ..error };
    synced().map_err(|why| unknown(why).note("the change is in place, but may not survive a power cut"))
}

fn sync_dir(dir: &Path) -> Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        // Some file systems sync no directories; there is nothing more to do then.
        Err(why) if matches!(why.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other.map_err(|why| explain(&why, dir, "sync")),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn sibling(target: &Path) -> Result<tempfile::NamedTempFile> {
    let dir = parent(target);
    // Readable by nobody else until it has the owner and mode it will keep.
    tempfile::Builder::new().prefix(PREFIX).tempfile_in(dir).map_err(|why| explain(&why, dir, "write in"))
}

/// A file its owner protected from writing stays as it is, though a rename could replace it.
fn may_write(target: &Path, meta: &Metadata) -> Result<()> {
    let user = rustix::process::geteuid();
    match rustix::fs::access(target, rustix::fs::Access::WRITE_OK) {
        Err(why) => Err(explain(&why.into(), target, "write")),
        Ok(()) if !user.is_root() && meta.uid() != user.as_raw() => Err(denied(target, "write", Some(meta))),
        Ok(()) => Ok(()),
    }
}

fn own(file: &File, (uid, gid): (u32, u32)) -> io::Result<()> {
    let meta = file.metadata()?;
    match (meta.uid(), meta.gid()) == (uid, gid) {
        true => Ok(()),
        false => fchown(file, Some(uid), Some(gid)),
    }
}

/// Replaces a file's whole content in one go, or creates it with `mode` where there is none.
///
/// # Errors
/// As [`Replacement::of`] and [`Replacement::commit`].
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let target = resolve(path)?;
    let _turn = Turn::take(parent(&target))?;
    let mut replacement = match read(&target)? {
        Some((said, seen)) => Replacement::of(target, seen, &said)?,
        None => Replacement::new_file(target, mode)?,
    };
    replacement.write([bytes])?;
    replacement.commit().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_mode_or_created_with_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        replace(&path, b"one", 0o640).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        replace(&path, b"two", 0o600).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_replacement_that_is_dropped_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let (said, seen) = read(&path).unwrap().unwrap();
        let mut replacement = Replacement::of(path.clone(), seen, &said).unwrap();
        replacement.write([&b"t"[..], b"wo"]).unwrap();
        replacement.check(b"two").unwrap();
        for other in ["tw", "twoo", "one"] {
            assert_eq!(replacement.check(other.as_bytes()).unwrap_err().kind, Kind::Conflict);
        }
        drop(replacement);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_is_taken_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::write(&from, "from").unwrap();
        fs::write(&to, "to").unwrap();
        assert_eq!(rename(&from, &to).unwrap_err().kind, Kind::Conflict);
        assert_eq!(fs::read(&to).unwrap(), b"to");
        fs::remove_file(&to).unwrap();
        rename(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"from");
    }
}
