//! The journal: what was planned, how far it got, and what is needed to take it back without loading a plugin.
//!
//! One file per entry, lines of JSON, each synced before anything happens that depends on it:
//!
//! ```text
//! {"begun": ...}        the plan, the stores, who
//! {"receipt": [0, ...]} what only the store knew, inside the transaction of step 0
//! {"committed": 0}
//! {"ended": "done"}     or "failed" with the data untouched, or "abandoned" by a person
//! ```
//!
//! Taking an entry back is an entry of its own that names the first, so history is only ever added to. A file being
//! written is locked, so that a second latchlift does not take a live entry for an interrupted one.
//!
//! Intent goes to disk before the data does: after a crash the journal must know at least as much as the database. A
//! begun entry over untouched data is harmless, an unrecorded change is not. Old hashes are in it, passwords never.

mod syncing;

use crate::error::{Error, Kind, Result};
use crate::store::Receipt;
use latchlift_plugin_api::{Change, Facts, Location, Plan, Time, facts};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
pub use syncing::Syncing;
use syncing::Then;

/// Entries kept at most, and how long, in days. Unfinished ones are kept whatever their age.
const KEEP: (usize, i64) = (1000, 365);

/// The ending of the name of an entry being written: who looks for interrupted ones need not open the others.
const OPEN: &str = "open";
/// The ending of the name of every other entry.
const ENDED: &str = "jsonl";

/// What an entry says at its beginning.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Begun {
    /// The entry's id: 8 hex digits.
    pub id: String,
    /// When.
    pub at: Time,
    /// The numeric user id of who ran it.
    pub uid: u32,
    /// `SUDO_USER`, where it was run through sudo.
    pub sudo_user: Option<String>,
    /// The instance's name, or the `--app` value it was given by.
    pub app: String,
    /// The plugin.
    pub plugin: String,
    /// The verb: `password.reset`.
    pub verb: String,
    /// The name as typed, where the verb takes one.
    pub target: Option<String>,
    /// The stores, without database passwords.
    pub stores: Vec<StoreRecord>,
    /// What writing and undoing need to know about the app.
    pub facts: Facts,
    /// The plan, without what it revealed.
    pub plan: Plan,
    /// The entry this one takes back.
    pub undoes: Option<String>,
}

/// A store as the journal names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoreRecord {
    /// Its name in the plan.
    pub store: String,
    /// Where it was.
    pub location: Location,
}

impl StoreRecord {
    /// Whether it is a file or a directory that is no longer there.
    pub fn is_gone(&self) -> bool {
        match &self.location {
            Location::Sqlite { path } | Location::Dir { path } => matches!(Path::new(path).try_exists(), Ok(false)),
            _ => false,
        }
    }
}

/// How an entry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All steps are written.
    Done,
    /// Nothing was written.
    Failed,
    /// A person looked and closed it; what is written stays.
    Abandoned,
}

/// One line of an entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begun(Box<Begun>),
    Receipt(usize, Receipt),
    Committed(usize),
    Ended(End),
}

/// An entry as read back.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its beginning.
    pub begun: Begun,
    /// Per step: what the store said inside the transaction.
    pub receipts: Vec<Receipt>,
    /// Per step: whether its commit is known to have succeeded.
    pub committed: Vec<bool>,
    /// How it ended; `None` where nobody wrote that down.
    pub end: Option<End>,
    /// The entry that took it back.
    pub undone_by: Option<String>,
    path: PathBuf,
}

impl Entry {
    /// Whether it was applied, is not taken back and does not itself take another back.
    pub fn stands(&self) -> bool {
        !matches!(self.end, Some(End::Failed | End::Abandoned))
            && self.undone_by.is_none()
            && self.begun.undoes.is_none()
    }

    /// Whether it stands, and removed more than what stays removed.
    pub fn can_be_undone(&self) -> bool {
        let for_good = |change: &Change| matches!(change, Change::Purge { keep: false, .. });
        let mut changes = self.begun.plan.steps.iter().flat_map(|step| &step.changes);
        self.stands() && changes.any(|change| !for_good(change))
    }

    /// Whether nobody knows how it ended.
    pub fn is_unfinished(&self) -> bool {
        self.end.is_none() && self.undone_by.is_none()
    }

    /// The file it is in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another latchlift holds it open and writes it right now.
    pub fn is_being_written(&self) -> bool {
        let try_lock = |file: File| rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        File::open(&self.path).is_ok_and(|file| try_lock(file) == Err(rustix::io::Errno::WOULDBLOCK))
    }

    /// A word for its state.
    pub fn state(&self) -> &'static str {
        match (&self.undone_by, self.end) {
            (Some(_), _) => "undone",
            (None, Some(End::Done)) => "done",
            (None, Some(End::Failed)) => "failed",
            (None, Some(End::Abandoned)) => "abandoned",
            (None, None) => "unfinished",
        }
    }
}

/// The directory of entries.
pub struct Journal {
    dir: PathBuf,
}

/// A begun entry that is still being written. Commits take it, so that nothing is written unrecorded.
#[must_use = "an entry that is not ended reads as unfinished"]
pub struct Open {
    /// The entry's id.
    pub id: String,
    file: File,
    path: PathBuf,
    /// What was written last, until it is known to be on the disk.
    pending: Option<Syncing>,
}

impl Journal {
    /// The journal in `state_dir`; nothing is created before the first entry.
    pub fn new(state_dir: &Path) -> Journal {
        Journal { dir: state_dir.join("journal") }
    }

    /// Where the entries are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes an entry's beginning and gives it an id. It is on the disk when [`Open::receipt`] has answered.
    ///
    /// # Errors
    /// The directory cannot be made or written, or is not private.
    pub fn begin(&self, mut begun: Begun) -> Result<Open> {
        self.prepare()?;
        begun.id = new_id()?;
        begun.plan.reveals.clear();
        begun.facts = needed(&begun.facts);
        let path = self.dir.join(format!("{:013}-{}.{OPEN}", begun.at.0, begun.id));
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|why| cannot(&path, &why))?;
        let mut open = Open { id: begun.id.clone(), file, path, pending: None };
        open.lock()?;
        crate::fault::point("journal.begin")?;
        open.line(&Line::Begun(Box::new(begun)))?;
        open.pending = Some(Syncing::start(&open.file, &open.path, Then::Directory(self.dir.clone()))?);
        Ok(open)
    }

    /// Opens an entry again to write how it went on.
    ///
    /// # Errors
    /// It cannot be written, or another latchlift is writing it ([`Kind::Locked`]).
    pub fn reopen(&self, entry: &Entry) -> Result<Open> {
        let text = std::fs::read(&entry.path).map_err(|why| cannot(&entry.path, &why))?;
        let file = OpenOptions::new().append(true).open(&entry.path).map_err(|why| cannot(&entry.path, &why))?;
        let mut open = Open { id: entry.begun.id.clone(), file, path: entry.path.clone(), pending: None };
        open.lock()?;
        // A line that a crash cut short goes, or the next one would be glued to it.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        open.file.set_len(whole as u64).map_err(|why| cannot(&entry.path, &why))?;
        // Whoever began it may have been killed before it was on the disk.
        open.pending = Some(Syncing::start(&open.file, &open.path, Then::Directory(self.dir.clone()))?);
        Ok(open)
    }

    /// All entries, newest first. A file that cannot be read as an entry is left out and named in the second list.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn entries(&self) -> Result<(Vec<Entry>, Vec<String>)> {
        let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
        for path in files(&self.dir)? {
            match read(&path) {
                Ok(Some(entry)) => entries.push(entry),
                // The write that would have begun it never finished, so that nothing of it was done; or somebody cut it.
                Ok(None) => unreadable.push(format!("{}: it ends before its first line does", path.display())),
                Err(why) => unreadable.push(format!("{}: {why}", path.display())),
            }
        }
        let undoing = entries.iter().filter(|entry| entry.end == Some(End::Done));
        let undone = undoing.filter_map(|entry| Some((entry.begun.undoes.clone()?, entry.begun.id.clone())));
        let undone: HashMap<String, String> = undone.collect();
        entries.iter_mut().for_each(|entry| entry.undone_by = undone.get(&entry.begun.id).cloned());
        Ok((entries, unreadable))
    }

    /// The entries nobody wrote an end to, newest first.
    ///
    /// # Errors
    /// The directory or one of them cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Entry>> {
        let open = files(&self.dir)?.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == OPEN));
        let mut found = Vec::new();
        for path in open {
            match read(&path) {
                Ok(entry) => found.extend(entry.filter(Entry::is_unfinished)),
                // Ended, and renamed, since the directory was read.
                Err(_) if !path.exists() => {}
                Err(why) => return Err(why),
            }
        }
        Ok(found)
    }

    /// The entry whose id begins with `id`.
    ///
    /// # Errors
    /// None or several do.
    pub fn find(&self, id: &str) -> Result<Entry> {
        let (entries, _) = self.entries()?;
        let mut found: Vec<Entry> = entries.into_iter().filter(|entry| entry.begun.id.starts_with(id)).collect();
        match (found.pop(), found.is_empty()) {
            (Some(entry), true) => Ok(entry),
            (None, _) => Err(Error::new(Kind::NotFound, format!("the journal has no entry `{id}`"))
                .help("see the entries with `latchlift history`")),
            (Some(_), false) => Err(Error::new(Kind::Ambiguous, format!("several entries begin with `{id}`"))
                .help("give more of its digits; see them with `latchlift history`")),
        }
    }

    /// Makes the directory, private, where it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn prepare(&self) -> Result<()> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|why| cannot(&self.dir, &why))?;
        let found = std::fs::metadata(&self.dir).map_err(|why| cannot(&self.dir, &why))?;
        if found.mode() & 0o077 != 0 && found.uid() == rustix::process::geteuid().as_raw() {
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(&self.dir, private).map_err(|why| cannot(&self.dir, &why))?;
        }
        Ok(())
    }
}

impl Open {
    /// Records what a step's store said, inside its transaction, and makes sure that all before it is on the disk: the
    /// commit comes next. Nothing to say is not written.
    ///
    /// # Errors
    /// It cannot be written; the step must then roll back.
    pub fn receipt(&mut self, step: usize, receipt: Receipt) -> Result<()> {
        crate::fault::point("journal.begun")?;
        self.pending.take().map_or(Ok(()), Syncing::wait)?;
        let silent = receipt.kept.iter().all(Vec::is_empty)
            && receipt.places.iter().all(Option::is_none)
            && receipt.texts.iter().all(Option::is_none)
            && receipt.made.is_none();
        if silent {
            return Ok(());
        }
        crate::fault::point("journal.receipt")?;
        self.line(&Line::Receipt(step, receipt))?;
        self.file.sync_data().map_err(|why| cannot(&self.path, &why))
    }

    /// Records that a step is written. It is on the disk when the next [`Open::receipt`] has answered.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn committed(&mut self, step: usize) -> Result<()> {
        crate::fault::point("journal.committed")?;
        self.line(&Line::Committed(step))?;
        self.pending = Some(Syncing::start(&self.file, &self.path, Then::Nothing)?);
        Ok(())
    }

    /// Records the end.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(self, end: End) -> Result<()> {
        self.ending(end)?.wait()
    }

    /// Records the end, which is on the disk once it was waited for.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn ending(mut self, end: End) -> Result<Syncing> {
        crate::fault::point("journal.end")?;
        self.line(&Line::Ended(end))?;
        Syncing::start(&self.file, &self.path, Then::Rename(self.path.with_extension(ENDED)))
    }

    fn lock(&self) -> Result<()> {
        match rustix::fs::flock(&self.file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(Error::new(Kind::Locked, format!("another latchlift is writing entry {} right now", self.id))
                    .note("nothing was changed")
                    .help("wait for it to end, then try again"))
            }
            // A file system without locks is no reason to stop a rescue.
            _ => Ok(()),
        }
    }

    fn line(&mut self, line: &Line) -> Result<()> {
        let broken = |why: serde_json::Error| Error::new(Kind::Failed, format!("a journal line cannot be made: {why}"));
        let mut text = serde_json::to_vec(line).map_err(broken)?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|why| cannot(&self.path, &why))
    }
}

/// The entries' files in `dir`, newest first.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let listing = match std::fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(why) => return Err(cannot(dir, &why)),
    };
    let paths = listing.filter_map(|item| Some(item.ok()?.path()));
    let ours = |path: &PathBuf| path.extension().is_some_and(|ending| ending == OPEN || ending == ENDED);
    let mut paths: Vec<PathBuf> = paths.filter(ours).collect();
    paths.sort_unstable_by(|a, b| b.cmp(a));
    Ok(paths)
}

/// Removes the oldest entries beyond what is kept. Failing to is no reason to stop a rescue.
fn prune(dir: &Path) {
    let Ok(files) = files(dir) else { return };
    let now = std::time::SystemTime::now();
    let too_old = |path: &PathBuf| {
        let age = std::fs::metadata(path).and_then(|found| found.modified()).map(|at| now.duration_since(at));
        matches!(age, Ok(Ok(age)) if age.as_secs() > KEEP.1.unsigned_abs() * 86_400)
    };
    // Only files beyond the count, or the very oldest, are looked at, so that a long history costs nothing here.
    let beyond = files.iter().skip(KEEP.0).chain(files.last().into_iter().filter(|path| too_old(path)));
    for path in beyond {
        if matches!(read(path), Ok(Some(entry)) if !entry.is_unfinished()) {
            std::fs::remove_file(path).ok();
        }
    }
}

fn read(path: &Path) -> Result<Option<Entry>> {
    let file = File::open(path).map_err(|why| cannot(path, &why))?;
    let mut entry: Option<Entry> = None;
    let mut lines = BufReader::new(file).split(b'\n').peekable();
    while let Some(line) = lines.next() {
        let line = line.map_err(|why| cannot(path, &why))?;
        let parsed: Line = match serde_json::from_slice(&line) {
            Ok(parsed) => parsed,
            // The last line of a crash may be cut short: what it would have said did not happen, or shows in the store.
            Err(_) if lines.peek().is_none() => break,
            Err(why) => return Err(Error::new(Kind::Failed, format!("not an entry this latchlift can read ({why})"))),
        };
        match (&mut entry, parsed) {
            (None, Line::Begun(begun)) => entry = Some(begin(*begun, path)),
            (Some(entry), line) => entry.take_in(line),
            (None, _) => return Err(Error::new(Kind::Failed, "an entry without its beginning")),
        }
    }
    Ok(entry)
}

fn begin(begun: Begun, path: &Path) -> Entry {
    let steps = begun.plan.steps.len();
    Entry {
        begun,
        receipts: vec![Receipt::default(); steps],
        committed: vec![false; steps],
        end: None,
        undone_by: None,
        path: path.to_owned(),
    }
}

impl Entry {
    fn take_in(&mut self, line: Line) {
        match line {
            Line::Begun(_) => {}
            Line::Receipt(step, receipt) => {
                if let Some(slot) = self.receipts.get_mut(step) {
                    *slot = receipt;
                }
            }
            Line::Committed(step) => {
                if let Some(slot) = self.committed.get_mut(step) {
                    *slot = true;
                }
            }
            Line::Ended(end) => self.end = Some(end),
        }
    }
}

/// The facts that writing and undoing need; the rest would only make entries long.
fn needed(all: &Facts) -> Facts {
    Facts {
        app: all.app.clone(),
        title: all.title.clone(),
        running: all.running.clone(),
        collections: all.collections.clone(),
        documents: all.documents.clone(),
        password: facts::PasswordRules::default(),
        ..Facts::default()
    }
}

fn new_id() -> Result<String> {
    let mut bytes = [0u8; 4];
    getrandom::fill(&mut bytes)
        .map_err(|why| Error::new(Kind::Failed, format!("the system gives no randomness: {why}")))?;
    Ok(latchlift_plugin_api::hex(&bytes))
}

fn cannot(path: &Path, why: &std::io::Error) -> Error {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, StorageFull};
    let (kind, help) = match why.kind() {
        PermissionDenied => (Kind::Denied, "run as root, or choose another directory with --state-dir"),
        StorageFull | QuotaExceeded => (Kind::Failed, "make room there, or choose another directory with --state-dir"),
        _ => (Kind::Failed, "choose another directory with --state-dir"),
    };
    Error::new(kind, format!("cannot use the journal {}: {}", path.display(), crate::error::io_reason(why))).help(help)
}

#[cfg(test)]
mod tests;
