use super::*;
use std::os::unix::fs::PermissionsExt;

const ME: u32 = 1000;
const BOB: u32 = 1001;
const NOBODY: u32 = 65534;

/// A name, latchlift, the file, its directory, one more owner.
type Case = (&'static str, Trust, Stat, Stat, Option<u32>);

/// The same, and what the message and the help contain.
type Refusal = (&'static str, Trust, Stat, Stat, Option<u32>, &'static str, &'static str);

fn stat(uid: u32, gid: u32, mode: u32) -> Stat {
    Stat { uid, gid, mode, writable: true }
}

/// latchlift from a package: /usr/bin/latchlift, called by `euid`.
fn installed(euid: u32) -> Trust {
    Trust { caller: Caller { euid, overflow: None }, exe: stat(0, 0, 0o755), exe_dir: stat(0, 0, 0o755) }
}

/// latchlift in a cargo target of `ME` under umask 002, called by `euid`.
fn built(euid: u32) -> Trust {
    Trust { caller: Caller { euid, overflow: None }, exe: stat(ME, ME, 0o775), exe_dir: stat(ME, ME, 0o775) }
}

/// latchlift in a rootless container, where the host's root shows as `NOBODY`.
fn contained() -> Trust {
    Trust { caller: Caller { euid: 0, overflow: Some(NOBODY) }, ..installed(0) }
}

fn unwritable(stat: Stat) -> Stat {
    Stat { writable: false, ..stat }
}

/// The verdict: `None` where the plugin may be loaded, else the message and the help.
fn verdict(trust: Trust, file: Stat, dir: Stat, also: Option<u32>) -> Option<(String, String)> {
    let error = trust.check(Path::new("/p/x.so"), &file, &dir, also).err()?;
    assert_eq!(error.kind, Kind::Plugin);
    Some((error.message, error.help.unwrap_or_default()))
}

#[test]
fn whoever_could_replace_latchlift_may_provide_plugins() {
    let cases: &[Case] = &[
        ("a package", installed(ME), stat(0, 0, 0o644), stat(0, 0, 0o755), None),
        ("the caller's own", installed(ME), stat(ME, ME, 0o644), stat(ME, ME, 0o700), None),
        ("a cargo target under umask 002", built(ME), stat(ME, ME, 0o775), stat(ME, ME, 0o775), None),
        ("the same as root", built(0), stat(ME, ME, 0o775), stat(ME, ME, 0o775), None),
        ("a named directory of bob's", installed(ME), stat(BOB, BOB, 0o755), stat(BOB, BOB, 0o755), Some(BOB)),
        ("root's file in it", installed(ME), stat(0, 0, 0o644), stat(BOB, BOB, 0o755), Some(BOB)),
        (
            "the host's root, seen from a container",
            contained(),
            unwritable(stat(NOBODY, NOBODY, 0o644)),
            unwritable(stat(NOBODY, NOBODY, 0o755)),
            None,
        ),
        (
            "/usr/local of group staff, with latchlift in it",
            Trust { exe_dir: stat(0, 50, 0o2775), ..installed(ME) },
            stat(0, 50, 0o664),
            stat(0, 50, 0o2775),
            None,
        ),
    ];
    for (name, trust, file, dir, also) in cases {
        assert_eq!(verdict(*trust, *file, *dir, *also), None, "{name}");
    }
}

#[test]
fn nobody_else_may_and_the_refusal_names_the_fix() {
    let root = stat(0, 0, 0o755);
    let cases: &[Refusal] = &[
        ("o+w", built(ME), stat(ME, ME, 0o777), stat(ME, ME, 0o775), None, "everyone", "chmod o-w /p/x.so"),
        ("o+w dir", installed(0), root, stat(0, 0, 0o1777), None, "its directory /p", "chmod o-w /p"),
        ("o+w, named", installed(ME), stat(BOB, BOB, 0o646), root, Some(BOB), "everyone", "chmod o-w /p/x.so"),
        (
            "o+w although latchlift is too",
            Trust { exe: stat(0, 0, 0o777), exe_dir: stat(0, 0, 0o777), ..installed(0) },
            stat(0, 0, 0o777),
            root,
            None,
            "everyone",
            "chmod o-w /p/x.so",
        ),
        ("g+w", installed(ME), stat(ME, ME, 0o664), root, None, "group 1000", "chmod g-w /p/x.so"),
        ("g+w dir", installed(0), root, stat(0, 50, 0o2775), None, "group 50", "chmod g-w /p"),
        (
            "another group",
            built(ME),
            stat(ME, BOB, 0o775),
            stat(ME, ME, 0o775),
            None,
            "group 1001",
            "chmod g-w /p/x.so",
        ),
        (
            "a group that may add to latchlift's directory, not replace in it",
            Trust { exe_dir: stat(0, 50, 0o1775), ..installed(0) },
            stat(0, 50, 0o664),
            root,
            None,
            "group 50",
            "chmod g-w /p/x.so",
        ),
        ("bob's", installed(0), stat(BOB, BOB, 0o644), root, None, "uid 1001", "chown root /p/x.so"),
        ("bob's dir", installed(ME), root, stat(BOB, BOB, 0o755), None, "its directory", "sudo chown root /p;"),
        ("carl's in bob's", installed(0), stat(1002, 1002, 0o644), stat(BOB, 0, 0o755), Some(BOB), "uid 1002", "chown"),
        ("nobody's, on the host", installed(ME), unwritable(stat(NOBODY, 0, 0o644)), root, None, "uid 65534", "chown"),
        ("nobody's, ours to write", contained(), stat(NOBODY, 0, 0o644), root, None, "uid 65534", "chown"),
    ];
    for (name, trust, file, dir, also, message, help) in cases {
        let (said, advice) = verdict(*trust, *file, *dir, *also).unwrap_or_else(|| panic!("{name} was accepted"));
        assert!(said.contains(message), "{name}: {said}");
        assert!(advice.contains(help), "{name}: {advice}");
    }
}

#[test]
fn a_directory_that_is_wholly_its_owners_may_be_named() {
    let bobs = stat(BOB, BOB, 0o755);
    let (_, help) = verdict(installed(0), bobs, bobs, None).unwrap();
    assert_eq!(help, "if you trust it: chown root /p/x.so; or name it yourself: --plugin-dir /p");
}

#[test]
fn the_overflow_uid_is_foreign_only_where_the_namespace_cannot_know_it() {
    let whole = "         0          0 4294967295\n";
    let one = "0 1000 1\n";
    let podman = "0 1000 1\n1 100000 65536\n";
    assert_eq!(foreign(NOBODY, whole, 0), None);
    assert_eq!(foreign(NOBODY, "", 0), None);
    assert_eq!(foreign(NOBODY, one, 0), Some(NOBODY));
    assert_eq!(foreign(NOBODY, one, 1000), Some(NOBODY));
    assert_eq!(foreign(NOBODY, podman, 0), Some(NOBODY));
    assert_eq!(foreign(NOBODY, podman, 1000), None);
}

#[test]
fn a_symbolic_link_is_judged_by_what_it_leads_to() {
    let dir = tempfile::tempdir().unwrap();
    let (open, tidy) = (dir.path().join("open"), dir.path().join("tidy"));
    for dir in [&open, &tidy] {
        fs::create_dir(dir).unwrap();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let real = open.join("real.so");
    fs::write(&real, "x").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::symlink(&real, tidy.join("link.so")).unwrap();

    let trust = Trust::of_this_process().unwrap();
    let opened = trust.open(&tidy.join("link.so"), None).unwrap();
    assert_eq!(opened.path, real.canonicalize().unwrap());

    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let error = trust.open(&tidy.join("link.so"), None).err().unwrap();
    assert!(error.message.contains("everyone may write its directory"), "{error}");
}

#[test]
fn what_is_not_a_file_is_refused_without_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe.so");
    rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    let trust = Trust::of_this_process().unwrap();
    assert!(trust.open(&pipe, None).err().unwrap().message.ends_with("is not a file"));
    assert!(trust.open(dir.path(), None).err().unwrap().message.ends_with("is not a file"));
    let missing = trust.open(&dir.path().join("none.so"), None).err().unwrap();
    assert!(missing.message.ends_with("cannot be read: there is no such file"), "{missing}");
}
