//! A backup as a store: the files of a directory, read out of a tar archive into memory. Nothing is unpacked to the disk, and
//! nothing is ever written.

use crate::atomic;
use crate::error::{Error, Kind, Result, io_reason};
use flate2::read::MultiGzDecoder;
use latchlift_plugin_api::facts::Backup as Layout;
use latchlift_plugin_api::{File, sha256};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// The largest declared document that is read out of a backup.
const LARGEST: u64 = 512 << 20;
/// The largest other file; anything larger is only listed.
const LARGEST_OTHER: u64 = 1 << 20;
/// How many directories deep files are looked at: a home's own files, not the media and programs in it.
const DEEPEST: usize = 2;

/// The files of a directory that a backup holds.
pub struct Backup {
    files: BTreeMap<String, Member>,
}

struct Member {
    file: File,
    /// Absent where it is too large to be an account file.
    bytes: Option<Vec<u8>>,
}

impl Backup {
    /// Reads a backup; `documents` are the paths of those whose size does not matter.
    ///
    /// # Errors
    /// [`Kind::Denied`] or [`Kind::Unreachable`] where it cannot be read, [`Kind::Unsupported`] where it is encrypted or holds
    /// nothing of the app's.
    pub fn open(path: &Path, layout: &Layout, documents: &[&str]) -> Result<Backup> {
        let file = std::fs::File::open(path).map_err(|why| atomic::explain(&why, path, "read"))?;
        let mut reader = Unpacking { layout, documents, files: BTreeMap::new(), protected: false };
        let mut outer = BufReader::with_capacity(1 << 16, file);
        let found = plain(&mut outer).and_then(|mut plain| reader.outer(&mut plain));
        let Unpacking { files, protected, .. } = reader;
        match found {
            _ if protected => Err(Error::new(Kind::Unsupported, format!("{} is encrypted", path.display()))
                .help("restore it in the app itself, which asks for its password; then name the directory")),
            Err(why) => {
                let message = format!("{} cannot be read as a backup: {}", path.display(), io_reason(&why));
                Err(Error::new(Kind::Unsupported, message).help("unpack it by hand and name the directory"))
            }
            Ok(()) if files.is_empty() => {
                let message = format!("there is no `{}` of the app in {}", layout.root, path.display());
                Err(Error::new(Kind::Unsupported, message).help("unpack it by hand and name the directory"))
            }
            Ok(()) => Ok(Backup { files }),
        }
    }

    /// A file's bytes; `None` where there is none, or it is none that was looked at.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path.trim_start_matches("./"))?.bytes.as_deref()
    }

    /// A file's text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self, path: &str) -> Result<Option<String>> {
        let Some(bytes) = self.bytes(path) else { return Ok(None) };
        let text = String::from_utf8(bytes.to_vec());
        text.map(Some).map_err(|_| Error::new(Kind::Conflict, format!("{path} is not UTF-8 text")))
    }

    /// The lower-case hex SHA-256 of a file.
    pub fn digest(&self, path: &str) -> Option<String> {
        self.bytes(path).map(sha256)
    }

    /// The files whose paths fit, part by part.
    pub fn files(&self, fits: impl Fn(&str) -> bool) -> Vec<File> {
        self.files.values().filter(|member| fits(&member.file.path)).map(|member| member.file.clone()).collect()
    }
}

/// Reads members out of archives.
struct Unpacking<'a> {
    layout: &'a Layout,
    documents: &'a [&'a str],
    files: BTreeMap<String, Member>,
    protected: bool,
}

impl Unpacking<'_> {
    fn outer(&mut self, from: &mut dyn Read) -> io::Result<()> {
        for entry in tar::Archive::new(from).entries()? {
            let mut entry = entry?;
            let Some(path) = plain_path(&entry) else { continue };
            if path == self.layout.about {
                let mut about = String::new();
                entry.take(LARGEST_OTHER).read_to_string(&mut about)?;
                let about: serde_json::Value = serde_json::from_str(&about).unwrap_or_default();
                self.protected |= about[&self.layout.protected] == true;
            } else if self.layout.inner.contains(&path) {
                if self.protected {
                    return Ok(());
                }
                let mut inner = BufReader::new(entry);
                let mut inner = plain(&mut inner)?;
                self.inner(&mut inner)?;
            } else {
                // The inner archive alone is as good.
                self.take(&path, &mut entry)?;
            }
        }
        Ok(())
    }

    fn inner(&mut self, from: &mut dyn Read) -> io::Result<()> {
        for entry in tar::Archive::new(from).entries()? {
            let mut entry = entry?;
            if let Some(path) = plain_path(&entry) {
                self.take(&path, &mut entry)?;
            }
        }
        Ok(())
    }

    fn take<R: Read>(&mut self, path: &str, entry: &mut tar::Entry<'_, R>) -> io::Result<()> {
        let Some(path) = path.strip_prefix(&self.layout.root).and_then(|path| path.strip_prefix('/')) else {
            return Ok(());
        };
        if !entry.header().entry_type().is_file() || path.split('/').count() > DEEPEST {
            return Ok(());
        }
        let header = entry.header();
        let number = |n: io::Result<u64>| n.ok().and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
        let file = File {
            path: path.to_owned(),
            size: header.size()?,
            uid: number(header.uid()),
            gid: number(header.gid()),
            mode: header.mode().unwrap_or_default() & 0o7777,
            modified: header.mtime().ok().and_then(|time| i64::try_from(time).ok()).unwrap_or_default(),
        };
        let largest = if self.documents.contains(&path) { LARGEST } else { LARGEST_OTHER };
        let bytes = match file.size <= largest {
            true => {
                let mut bytes = vec![];
                entry.take(largest).read_to_end(&mut bytes)?;
                Some(bytes)
            }
            false => None,
        };
        self.files.insert(path.to_owned(), Member { file, bytes });
        Ok(())
    }
}

/// A member's path without a leading `./`; `None` where it is not text.
fn plain_path<R: Read>(entry: &tar::Entry<'_, R>) -> Option<String> {
    let path = entry.path().ok()?;
    Some(path.to_str()?.trim_start_matches("./").to_owned())
}

/// An archive without its compression, if it has any.
fn plain<'a, R: BufRead + 'a>(from: &'a mut R) -> io::Result<Box<dyn Read + 'a>> {
    let packed = from.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(MultiGzDecoder::new(from)) } else { Box::new(from) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(vec![]);
        for (path, bytes) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            header.set_uid(1000);
            builder.append_data(&mut header, path, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(vec![], Compression::fast());
        io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn layout() -> Layout {
        let inner = vec!["home.tar.gz".to_owned(), "home.tar".to_owned()];
        Layout { about: "backup.json".into(), protected: "protected".into(), inner, root: "data".into() }
    }

    fn open(bytes: &[u8]) -> Result<Backup> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("backup.tar");
        std::fs::write(&path, bytes).unwrap();
        Backup::open(&path, &layout(), &[".storage/auth"])
    }

    #[test]
    fn files_are_found_in_every_way_of_packing() {
        let large = vec![b' '; (LARGEST_OTHER + 1) as usize];
        let inner = archive(&[
            ("./data/.HA_VERSION", b"2026.11.0"),
            ("data/.storage/auth", &large),
            ("data/large.db", &large),
            ("data/www/deep/file", b"x"),
            ("elsewhere/file", b"x"),
        ]);
        let about: (&str, &[u8]) = ("./backup.json", br#"{"protected": false}"#);
        for whole in [
            archive(&[about, ("./home.tar.gz", &packed(&inner))]),
            archive(&[about, ("home.tar", &inner)]),
            inner.clone(),
            packed(&inner),
        ] {
            let backup = open(&whole).unwrap();
            assert_eq!(backup.text(".HA_VERSION").unwrap().as_deref(), Some("2026.11.0"));
            assert!(backup.bytes(".storage/auth").is_some() && backup.bytes("large.db").is_none());
            let paths: Vec<String> = backup.files(|_| true).into_iter().map(|file| file.path).collect();
            assert_eq!(paths, [".HA_VERSION", ".storage/auth", "large.db"]);
            assert_eq!(backup.files(|path| path == ".HA_VERSION")[0].uid, 1000);
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let protected = archive(&[("backup.json", br#"{"protected": true}"#), ("home.tar.gz", b"SecureTar")]);
        assert!(open(&protected).err().unwrap().to_string().contains("is encrypted"));
        assert!(open(&archive(&[("other", b"x")])).err().unwrap().to_string().contains("there is no `data`"));
        assert_eq!(open(b"no archive at all").err().unwrap().kind, Kind::Unsupported);
    }
}
