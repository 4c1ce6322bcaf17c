//! Whether a file is still the one that was read.

use super::explain;
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api as api;
use sha2::{Digest, Sha256};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    pub(super) fn new(meta: &Metadata) -> Seen {
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
    pub(super) fn is_still(&self, path: &Path) -> Result<bool> {
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
    pub(super) fn without_text(self, said: &[u8]) -> Seen {
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
pub(super) fn says(file: &mut File, mut expected: &[u8]) -> io::Result<bool> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(expected.is_empty()),
            n if expected.starts_with(&buffer[..n]) => expected = &expected[n..],
            _ => return Ok(false),
        }
    }
}

/// A regular file, open; `None` where there is none.
pub(super) fn open(path: &Path) -> Result<Option<(File, Metadata)>> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
