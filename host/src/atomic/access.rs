//! Why files cannot be read or written, for people, and the attributes that a new file takes over from the old.

use crate::error::{Error, Kind, Result};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Makes the extended attributes (access lists, labels) of `to` those of `from`.
pub fn copy_attributes(from: &Path, to: &Path) -> Result<()> {
    let (wanted, present) = (attributes(from), attributes(to));
    for (name, value) in &wanted {
        if !present.contains(&(name.clone(), value.clone())) {
            let what = format!("extended attribute {}", name.to_string_lossy());
            xattr::set(to, name, value).map_err(|why| cannot_keep(&why, from, &what))?;
        }
    }
    for (name, _) in &present {
        // Inherited from the directory. A security label that cannot go is the one this directory prescribes.
        if !wanted.iter().any(|(known, _)| known == name) {
            let _ = xattr::remove(to, name);
        }
    }
    Ok(())
}

fn attributes(path: &Path) -> Vec<(OsString, Vec<u8>)> {
    let value = |name: OsString| xattr::get(path, &name).ok().flatten().map(|value| (name, value));
    xattr::list(path).map(|names| names.filter_map(value).collect()).unwrap_or_default()
}

/// Why a file could not be read or written, for people.
pub fn explain(why: &io::Error, path: &Path, verb: &str) -> Error {
    let at = path.display();
    match why.kind() {
        io::ErrorKind::PermissionDenied => denied(path, verb, fs::metadata(path).ok().as_ref()),
        io::ErrorKind::NotFound => Error::new(Kind::NotFound, format!("there is no {at}")),
        io::ErrorKind::ReadOnlyFilesystem => {
            Error::new(Kind::Denied, format!("cannot {verb} {at}: its file system is mounted read-only"))
                .help("mount it writable, or run latchlift where it is")
        }
        _ => Error::new(Kind::Failed, format!("cannot {verb} {at}: {}", plain(why))),
    }
}

/// The system's words without its number.
fn plain(why: &io::Error) -> String {
    let text = why.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

pub fn denied(path: &Path, verb: &str, meta: Option<&Metadata>) -> Error {
    let user = rustix::process::geteuid();
    let owner = meta.map(|meta| (meta.uid(), meta.mode() & 0o7777));
    let error = Error::new(Kind::Denied, access_message(path, verb, owner, user.as_raw()));
    match owner {
        // Root is refused by more than modes: an immutable file, a label, a user namespace.
        _ if user.is_root() => error.help(format!("see what protects it: lsattr -d {0}; ls -ldZ {0}", path.display())),
        Some((uid, mode)) if uid == user.as_raw() && mode & 0o600 != 0o600 => {
            error.help(format!("its owner, who you are, protected it: chmod u+rw {}", path.display()))
        }
        _ => error.help("run as root; the file's owner and mode will be kept"),
    }
}

fn access_message(path: &Path, verb: &str, owner: Option<(u32, u32)>, user: u32) -> String {
    let name = |uid: u32| if uid == 0 { "root".to_owned() } else { format!("uid {uid}") };
    match owner {
        Some((uid, mode)) => {
            let owner = name(uid);
            format!("cannot {verb} {}: owned by {owner}, mode {mode:04o}; you are {}", path.display(), name(user))
        }
        None => format!("cannot {verb} {}: a directory above it is closed to {}", path.display(), name(user)),
    }
}

pub fn cannot_keep(why: &io::Error, path: &Path, what: &str) -> Error {
    let message = format!("cannot keep the {what} of {}: {}", path.display(), plain(why));
    Error::new(Kind::Denied, message).help("run as root; the file's owner and mode will be kept")
}

pub fn cannot_rename(why: &io::Error, path: &Path) -> Error {
    match why.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::new(Kind::Conflict, format!("{} exists; it will not be overwritten", path.display()))
        }
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices => {
            let message = format!("cannot replace {}: it is mounted there by itself (a bind mount)", path.display());
            Error::new(Kind::Denied, message)
                .help("run latchlift where the file really lies, or mount its directory instead of the file")
        }
        _ => explain(why, path, "replace"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_owner_the_mode_and_the_caller() {
        let message = |owner, user| access_message(Path::new("/srv/auth"), "write", owner, user);
        assert_eq!(
            message(Some((0, 0o600)), 1000),
            "cannot write /srv/auth: owned by root, mode 0600; you are uid 1000"
        );
        assert_eq!(message(None, 7), "cannot write /srv/auth: a directory above it is closed to uid 7");
    }

    #[test]
    fn a_file_that_is_a_mount_is_told_from_other_failures() {
        let busy = cannot_rename(&io::Error::from(io::ErrorKind::ResourceBusy), Path::new("/srv/auth"));
        assert_eq!(busy.kind, Kind::Denied);
        assert!(busy.message.contains("bind mount"));
        let full = explain(&io::Error::from_raw_os_error(28), Path::new("/srv/auth"), "write");
        assert_eq!(
            (full.kind, full.message.as_str()),
            (Kind::Failed, "cannot write /srv/auth: no space left on device")
        );
    }
}
