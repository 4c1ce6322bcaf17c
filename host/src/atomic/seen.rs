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

/// How long ago a file must have been changed for its times to tell the next change: a change within the same step of the
/// clock as the one before would leave no trace in them. The kernel's own clock takes at least a hundred steps a second.
const SETTLED_HERE: Duration = Duration::from_millis(20);
/// The same where somebody else's clock counts, or the file system counts time in steps of up to two seconds.
const SETTLED_ELSEWHERE: Duration = Duration::from_secs(3);

/// File systems of this machine that keep the kernel's times as they are: ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, tmpfs and
/// what containers lay over them.
const HERE: [u32; 8] =
    [0x0000_ef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x2fc1_2fc1, 0xca45_1a4e, 0x0102_1994, 0x794c_7630];

/// A file as it was when it was read.
///
/// The kernel sets a new time at every change, and nobody can set that time back without setting the machine's clock. So a
/// file that was left in peace for a while before it was read is told to be the same by looking at its times alone; any other
/// is compared byte for byte. What is written through a mapped page may get its time late; no app here writes so.
#[derive(Clone, Debug)]
pub struct Seen {
    identity: Identity,
    settled: bool,
    /// What it said, where its times do not tell and the text is not kept.
    sha256: Option<[u8; 32]>,
}

/// Which file, and when it was changed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    /// The identity of the file that these are the metadata of.
    pub fn of(meta: &Metadata) -> Identity {
        let modified = (meta.mtime(), meta.mtime_nsec());
        let changed = (meta.ctime(), meta.ctime_nsec());
        Identity { device: meta.dev(), inode: meta.ino(), size: meta.size(), modified, changed }
    }

    /// Whether it is the same file, changed or not.
    pub fn is_of(&self, other: &Identity) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl Seen {
    /// Asked before the reading begins, so that a change during it shows.
    pub(super) fn new(file: &File, meta: &Metadata) -> Seen {
        let identity = Identity::of(meta);
        let Identity { modified, changed, .. } = identity;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let margin = if is_here(file, changed) { SETTLED_HERE } else { SETTLED_ELSEWHERE };
        let settled = [changed, modified].into_iter().all(|time| is_before(time, now, margin));
        Seen { identity, settled, sha256: None }
    }

    /// The file at `path` as it is now, if it is still this one and says what it `said`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn still_says(&self, path: &Path, said: &[u8]) -> Result<Option<Seen>> {
        self.compare(path, |file| says(file, said))
    }

    /// Whether the file at `path` is still this one and says the same; what it said is known by its digest, or by its times.
    pub(super) fn is_still(&self, path: &Path) -> Result<bool> {
        Ok(self.compare(path, |file| Ok(self.sha256 == Some(digest_of(file)?)))?.is_some())
    }

    fn compare(&self, path: &Path, same: impl FnOnce(&mut File) -> io::Result<bool>) -> Result<Option<Seen>> {
        let Some((mut file, meta)) = open(path)? else { return Ok(None) };
        let now = Seen::new(&file, &meta);
        let unchanged = match now.identity == self.identity {
            true if !self.settled => same(&mut file).map_err(|why| explain(&why, path, "read"))?,
            same => same,
        };
        Ok(unchanged.then_some(now))
    }

    /// Not to be known by its times alone: it was written just now.
    pub(super) fn unsettled(self) -> Seen {
        Seen { settled: false, ..self }
    }

    /// Made ready to be compared once what it `said` is no longer in memory.
    pub(super) fn without_text(self, said: &[u8]) -> Seen {
        let sha256 = (!self.settled).then(|| Sha256::digest(said).into());
        Seen { sha256, ..self }
    }
}

/// Whether the kernel's own clock tells when a file was changed. Some file systems that could keep all of a time, like ext4
/// with small inodes, keep whole seconds; then nothing is left behind the second.
fn is_here(file: &File, (_, nanoseconds): (i64, i64)) -> bool {
    nanoseconds != 0 && rustix::fs::fstatfs(file).is_ok_and(|found| HERE.contains(&(found.f_type as u32)))
}

/// Whether a time is so long ago.
fn is_before((seconds, nanoseconds): (i64, i64), now: Duration, margin: Duration) -> bool {
    let time = u64::try_from(seconds).ok().zip(u32::try_from(nanoseconds).ok());
    time.is_some_and(|(seconds, nanoseconds)| Duration::new(seconds, nanoseconds) + margin < now)
}

/// The bytes of a file and what it was; `None` where there is no file.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<Option<(Vec<u8>, Seen)>> {
    let Some((mut file, meta)) = open(path)? else { return Ok(None) };
    let mut bytes = Vec::with_capacity(usize::try_from(meta.size()).unwrap_or(0) + 1);
    let seen = Seen::new(&file, &meta);
    file.read_to_end(&mut bytes).map_err(|why| explain(&why, path, "read"))?;
    Ok(Some((bytes, seen)))
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
        assert!(seen.still_says(&path, &said).unwrap().is_some());
        fs::write(dir.path().join("other"), "one").unwrap();
        fs::rename(dir.path().join("other"), &path).unwrap();
        assert!(seen.still_says(&path, &said).unwrap().is_none());
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
        for settled in [true, false] {
            let (said, seen) = seen_in(&path, settled);
            let without = seen.clone().without_text(&said);
            assert!(seen.still_says(&path, &said).unwrap().is_some() && without.is_still(&path).unwrap());
            // A change of the same length that leaves the time of the last change to the content as it was.
            std::thread::sleep(Duration::from_millis(20));
            let before = fs::metadata(&path).unwrap().modified().unwrap();
            fs::write(&path, if settled { "two" } else { "six" }).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
            assert!(seen.still_says(&path, &said).unwrap().is_none() && !without.is_still(&path).unwrap());
        }
    }

    #[test]
    fn equal_times_prove_nothing_where_a_file_was_just_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let (said, seen) = seen_in(&path, false);
        // As if another had been written within the same tick of the clock: only the bytes tell.
        assert!(seen.still_says(&path, b"two").unwrap().is_none());
        assert!(!seen.clone().without_text(b"two").is_still(&path).unwrap());
        assert!(seen.still_says(&path, &said).unwrap().is_some());
    }

    #[test]
    fn a_file_settles_once_the_clock_has_moved_on() {
        let now = Duration::from_secs(100);
        for (time, before) in [((99, 0), true), ((99, 999_000_000), false), ((100, 1), false), ((-1, 0), false)] {
            assert_eq!(is_before(time, now, SETTLED_HERE), before, "{time:?}");
        }
        assert!(is_before((96, 0), now, SETTLED_ELSEWHERE) && !is_before((97, 0), now, SETTLED_ELSEWHERE));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "one").unwrap();
        let (said, seen) = seen_in(&path, false);
        std::thread::sleep(SETTLED_HERE * 2);
        let later = seen.still_says(&path, &said).unwrap().unwrap();
        // Looked at again and found to say the same, its times are enough from now on, where they are the kernel's.
        assert_eq!(later.settled, is_here(&File::open(&path).unwrap(), later.identity.changed));
    }
}
