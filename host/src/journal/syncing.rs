//! Bytes on their way to the disk while the work goes on.

use crate::error::Result;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;

/// What follows once the bytes of a file are on the disk.
#[derive(Clone, Debug)]
pub enum Then {
    /// Nothing.
    Nothing,
    /// The directory, since the file is new in it: a name comes to the disk with its directory.
    Directory(PathBuf),
    /// Another name, which says that the bytes are there, and a look for entries that are too old by now. The name only
    /// spares others from looking, so that failing to give it is none.
    Rename(PathBuf),
}

/// A file being brought to the disk by another thread.
///
/// A disk takes about as long as what else there is to do: preparing a transaction, or looking at the account afterwards.
/// Whoever depends on the bytes waits for them.
#[must_use = "what is not waited for may not be on the disk yet"]
pub struct Syncing {
    /// Nothing once it was waited for.
    done: Option<Receiver<io::Result<()>>>,
    path: PathBuf,
}

impl Syncing {
    /// Begins with the file `path`, open as `file`. Where no thread can be had, it is done at once.
    ///
    /// # Errors
    /// It was done at once and failed.
    pub fn start(file: &File, path: &Path, then: Then) -> Result<Syncing> {
        let (shared, copy, place) = (file.try_clone(), then.clone(), path.to_owned());
        let (tell, done) = channel();
        let work = shared.map(|file| {
            move || {
                let result = sync(&file, &place, &copy);
                // The file's lock goes with its last descriptor, before anybody takes the entry for finished.
                drop(file);
                tell.send(result).ok();
            }
        });
        let begun = work.and_then(|work| Builder::new().spawn(work)).is_ok();
        if !begun {
            sync(file, path, &then).map_err(|why| super::cannot(path, &why))?;
        }
        Ok(Syncing { done: begun.then_some(done), path: path.to_owned() })
    }

    /// Waits until the bytes are on the disk.
    ///
    /// # Errors
    /// They are not.
    pub fn wait(mut self) -> Result<()> {
        self.finish().map_err(|why| super::cannot(&self.path, &why))
    }

    fn finish(&mut self) -> io::Result<()> {
        let lost = |_| Err(io::Error::other("the thread that wrote it failed"));
        self.done.take().map_or(Ok(()), |done| done.recv().unwrap_or_else(lost))
    }
}

impl Drop for Syncing {
    /// The thread shares the file and with it the file's lock; neither may outlive whoever let go of the entry.
    fn drop(&mut self) {
        self.finish().ok();
    }
}

fn sync(file: &File, path: &Path, then: &Then) -> io::Result<()> {
    file.sync_data()?;
    match then {
        Then::Nothing => Ok(()),
        Then::Directory(dir) => File::open(dir)?.sync_all(),
        Then::Rename(name) => {
            std::fs::rename(path, name).ok();
            path.parent().iter().for_each(|dir| super::prune(dir));
            Ok(())
        }
    }
}
