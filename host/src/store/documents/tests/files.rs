use super::*;
use crate::error::Kind;
use std::os::unix::fs::symlink;

#[test]
fn a_document_is_read_by_name_or_path() {
    let place = Place::new();
    let mut reader = place.store.reader().unwrap();
    assert_eq!(reader.document("auth").unwrap().as_deref(), Some(AUTH));
    assert_eq!(reader.document(".storage/totp").unwrap().as_deref(), Some(TOTP));
    assert_eq!(reader.document("configuration.yaml").unwrap(), None);
    assert_eq!(reader.document("no/such/dir/file").unwrap(), None);
}

#[test]
fn nothing_outside_the_directory_is_shown() {
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    symlink(outside.path().join("secret"), place.dir.path().join("link")).unwrap();
    symlink(outside.path(), place.dir.path().join("elsewhere")).unwrap();
    let mut reader = place.store.reader().unwrap();
    for name in ["/etc/passwd", "../x", ".storage/../../x", "", "link", "elsewhere/secret", "elsewhere/missing"] {
        assert_eq!(reader.document(name).unwrap_err().kind, Kind::Plugin, "{name}");
        assert_eq!(reader.lines(name, "x").unwrap_err().kind, Kind::Plugin, "{name}");
        assert_eq!(reader.files(name).unwrap_err().kind, Kind::Plugin, "{name}");
    }
    assert_eq!(reader.files("*/secret").unwrap(), [], "passed over where a pattern meets it");
}

#[test]
fn a_directory_of_documents_may_lie_elsewhere() {
    let place = Place::new();
    let disk = tempfile::tempdir().unwrap();
    let storage = place.dir.path().join(".storage");
    std::fs::rename(&storage, disk.path().join("storage")).unwrap();
    symlink(disk.path().join("storage"), &storage).unwrap();
    let mut reader = place.store.reader().unwrap();
    assert_eq!(reader.document(".storage/auth").unwrap().as_deref(), Some(AUTH));
    assert_eq!(reader.files(".storage/a*").unwrap().len(), 1);
}

#[test]
fn files_are_listed_by_pattern() {
    let place = Place::new();
    place.put(".storage/auth.corrupt.2026", "{}");
    std::fs::create_dir(place.dir.path().join(".storage/auth.d")).unwrap();
    let mut reader = place.store.reader().unwrap();
    let mut paths = |glob: &str| reader.files(glob).unwrap().into_iter().map(|f| f.path).collect::<Vec<_>>();
    assert_eq!(paths(".storage/auth*"), [".storage/auth", ".storage/auth.corrupt.2026"]);
    assert_eq!(paths(".s*/tot?"), [".storage/totp"]);
    assert_eq!(paths("*"), ["bans.yaml"]);
    assert_eq!(paths("bans.yaml"), ["bans.yaml"]);
    assert_eq!(paths("nothing/*"), [""; 0]);
    let file = &reader.files(".storage/auth").unwrap()[0];
    assert_eq!(file.size, AUTH.len() as u64);
    assert!(file.modified > 1_600_000_000);
}

#[test]
fn lines_are_the_newest_that_match() {
    let place = Place::new();
    let mut log: Vec<u8> = (0..12_000).flat_map(|n| format!("{n} failed\r\nother\n").into_bytes()).collect();
    log.extend(b"last \xff failed");
    std::fs::write(place.dir.path().join("app.log"), log).unwrap();
    let mut reader = place.store.reader().unwrap();
    let lines = reader.lines("app.log", "failed").unwrap();
    assert_eq!(lines.len(), 10_000);
    assert_eq!(lines[0], "2001 failed");
    assert_eq!(lines[9_999], "last \u{fffd} failed");
    assert_eq!(reader.lines("none.log", "failed").unwrap(), [""; 0]);
    assert_eq!(reader.lines(".storage", "x").unwrap_err().kind, Kind::Conflict);
}
