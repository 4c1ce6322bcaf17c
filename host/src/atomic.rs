//! Replacing a file in one go.
//!
//! The new content goes to a sibling with the same owner, group, mode and extended attributes, reaches the disk, and
//! takes the old file's name by `rename`, so that at every moment the name leads to the whole old or the whole new file.

mod access;

pub use access::explain;

use crate::error::{Error, Kind, Result};
use crate::fault;
use access::{cannot_keep, cannot_rename, copy_attributes, denied};
use latchlift_plugin_api as api;
use sha2::{Digest, Sha256};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the names of unfinished siblings begin with.
const PREFIX: &str = ".latchlift-";

/// How long ago a file must have been changed for its times to tell the next change: file systems count time in steps of
/// up to two seconds, and a change within the step of the one before would leave no trace in them.
const SETTLED: Duration = Duration::from_secs(3);

/// A file as it was when it was read.
///
/// The kernel sets a new time at every change, and nobody can set that time back. So a file that was left in peace for a while
/// before it was read is told to be the same by looking at its times alone; any other is compared byte for byte.
#[derive(Clone, Debug)]
pub struct Seen {
    identity: Identity,
    settled: bool,
    /// What it said, where its times do not tell and the text is not kept.
    sha256: Option<[u8; 32]>,
}

/// Which file, and when it was changed last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Seen {
    /// Asked before the reading begins, so that a change during it shows.
    fn new(meta: &Metadata) -> Seen {
        let modified = (meta.mtime(), meta.mtime_nsec());
        let changed = (meta.ctime(), meta.ctime_nsec());
        let identity = Identity { device: meta.dev(), inode: meta.ino(), size: meta.size(), modified, changed };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let settled =
            |(seconds, _): (i64, i64)| u64::try_from(seconds).is_ok_and(|at| at + SETTLED.as_secs() < now.as_secs());
        Seen { settled: settled(changed) && settled(modified), identity, sha256: None }
    }

    /// Whether the file at `path` is still this one and says what it `said`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn still_says(&self, path: &Path, said: &[u8]) -> Result<bool> {
        self.compare(path, |file| says(file, said))
    }

    /// Whether the file at `path` is still this one and says the same; what it said is known by its digest, or by its times.
    fn is_still(&self, path: &Path) -> Result<bool> {
        self.compare(path, |file| Ok(self.sha256 == Some(digest_of(file)?)))
    }

    fn compare(&self, path: &Path, same: impl FnOnce(&mut File) -> io::Result<bool>) -> Result<bool> {
        let Some((mut file, meta)) = open(path)? else { return Ok(false) };
        match Seen::new(&meta).identity == self.identity {
            true if !self.settled => same(&mut file).map_err(|why| explain(&why, path, "read")),
            same => Ok(same),
        }
    }

    /// Made ready to be compared once what it `said` is no longer in memory.
    fn without_text(self, said: &[u8]) -> Seen {
        let sha256 = (!self.settled).then(|| Sha256::digest(said).into());
        Seen { sha256, ..self }
    }
}

/// The bytes of a file and what it was; `None` where there is no file.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<Option<(Vec<u8>, Seen)>> {
    let Some((mut file, meta)) = open(path)? else { return Ok(None) };
    let mut bytes = Vec::with_capacity(usize::try_from(meta.size()).unwrap_or(0) + 1);
    file.read_to_end(&mut bytes).map_err(|why| explain(&why, path, "read"))?;
    Ok(Some((bytes, Seen::new(&meta))))
}

/// The lower-case hex SHA-256 of a file, without holding its bytes; `None` where there is no file.
///
/// # Errors
/// It cannot be read.
pub fn digest(path: &Path) -> Result<Option<String>> {
    let Some((mut file, _)) = open(path)? else { return Ok(None) };
    let digest = digest_of(&mut file).map_err(|why| explain(&why, path, "read"))?;
    Ok(Some(api::hex(&digest)))
}

fn digest_of(file: &mut File) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().into()),
            n => digest.update(&buffer[..n]),
        }
    }
}

/// Whether a file says exactly this from where it stands to its end.
fn says(file: &mut File, mut expected: &[u8]) -> io::Result<bool> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(expected.is_empty()),
            n if expected.starts_with(&buffer[..n]) => expected = &expected[n..],
            _ => return Ok(false),
        }
    }
}

fn open(path: &Path) -> Result<Option<(File, Metadata)>> {
    let regular = |meta: &Metadata| match meta.is_file() {
        true => Ok(()),
        false => Err(Error::new(Kind::Conflict, format!("{} is not a regular file", path.display()))),
    };
    // Asked before opening: a pipe would never open.
    match fs::metadata(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(explain(&why, path, "read")),
        Ok(meta) => regular(&meta)?,
    }
    let file = match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|why| explain(&why, path, "read"))?,
    };
    let meta = file.metadata().map_err(|why| explain(&why, path, "read"))?;
    regular(&meta)?;
    Ok(Some((file, meta)))
}

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
            // Some network file systems lock no directories; the stamp is still compared before the rename.
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

    /// Puts the content in its place, and gives the file it is now.
    ///
    /// # Errors
    /// [`Kind::Stale`] where the file is no longer the one that was read; nothing was changed then, nor where the
    /// rename fails. [`Kind::Unfinished`] where the new content is in place but may not survive a power cut.
    pub fn commit(self) -> Result<Seen> {
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
        settle(&[parent(&self.target)])?;
        let meta = file.metadata().map_err(|why| explain(&why, &self.target, "look at"))?;
        Ok(Seen::new(&meta))
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
    fn the_same_bytes_in_another_file_are_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let (said, seen) = read(&path).unwrap().unwrap();
        assert!(seen.still_says(&path, &said).unwrap());
        fs::write(dir.path().join("other"), "one").unwrap();
        fs::rename(dir.path().join("other"), &path).unwrap();
        assert!(!seen.still_says(&path, &said).unwrap());
        assert!(read(&dir.path().join("none")).unwrap().is_none());
        assert_eq!(read(dir.path()).unwrap_err().kind, Kind::Conflict);
    }

    /// A file written so long ago that its times tell every change, or as if it had just been.
    fn seen_in(path: &Path, settled: bool) -> (Vec<u8>, Seen) {
        let (said, seen) = read(path).unwrap().unwrap();
        (said, Seen { settled, ..seen })
    }

    #[test]
    fn a_change_shows_in_the_times_or_in_the_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        assert!(!read(&path).unwrap().unwrap().1.settled, "what was written just now is compared");
        for settled in [true, false] {
            let (said, seen) = seen_in(&path, settled);
            let without = seen.clone().without_text(&said);
            assert!(seen.still_says(&path, &said).unwrap() && without.is_still(&path).unwrap());
            // A change of the same length that leaves the time of the last change to the content as it was.
            std::thread::sleep(Duration::from_millis(20));
            let before = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(&path, if settled { "two" } else { "six" }).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
            assert!(!seen.still_says(&path, &said).unwrap() && !without.is_still(&path).unwrap());
        }
    }

    #[test]
    fn equal_times_prove_nothing_where_a_file_was_just_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let (said, seen) = seen_in(&path, false);
        // As if another had been written within the same tick of the clock: only the bytes tell.
        assert!(!seen.still_says(&path, b"two").unwrap());
        assert!(!seen.clone().without_text(b"two").is_still(&path).unwrap());
        assert!(seen.still_says(&path, &said).unwrap());
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
