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

#[test]
fn a_backup_reads_like_the_directory_and_is_never_written() {
    let place = Place::new();
    let file = place.dir.path().join("backup.tar");
    let mut archive = tar::Builder::new(std::fs::File::create(&file).unwrap());
    archive.append_dir_all("data/.storage", place.dir.path().join(".storage")).unwrap();
    archive.append_path_with_name(place.dir.path().join("bans.yaml"), "data/bans.yaml").unwrap();
    archive.into_inner().unwrap();
    let layout = latchlift_plugin_api::facts::Backup { root: "data".into(), ..Default::default() };
    let backup = Documents::new(&file, place.facts.documents.clone()).with_backup(Some(layout.clone()));
    let (mut packed, mut plain) = (backup.reader().unwrap(), place.store.reader().unwrap());
    let query = latchlift_plugin_api::Select::from("auth#/data/users", ["/id", "/name"]);
    assert_eq!(packed.select(&query).unwrap(), plain.select(&query).unwrap());
    for name in ["auth", ".storage/totp", "bans.yaml", "missing"] {
        assert_eq!(packed.document(name).unwrap(), plain.document(name).unwrap(), "{name}");
        assert_eq!(packed.digest(name).unwrap(), plain.digest(name).unwrap(), "{name}");
    }
    let paths = |files: Vec<latchlift_plugin_api::File>| files.into_iter().map(|file| file.path).collect::<Vec<_>>();
    assert_eq!(paths(packed.files(".storage/*").unwrap()), paths(plain.files(".storage/*").unwrap()));
    assert_eq!(packed.lines("bans.yaml", "banned_at").unwrap(), plain.lines("bans.yaml", "banned_at").unwrap());
    assert_eq!(backup.read_only().unwrap().kind, Kind::Refused);
    let bytes = std::fs::read(&file).unwrap();
    let refused = backup.commit(&Step::default(), &place.facts, &mut |_| Ok(())).unwrap_err();
    assert_eq!((refused.kind, std::fs::read(&file).unwrap()), (Kind::Refused, bytes));
    assert!(place.store.read_only().is_none(), "a directory is written");
    assert!(Documents::new(place.dir.path(), vec![]).with_backup(Some(layout)).read_only().is_none());
}
