use super::*;
use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;

fn text(bytes: &[u8]) -> Result<String> {
    password(bytes, "here").map(|read| read.text.to_string())
}

fn refusal(bytes: &[u8]) -> String {
    let error = password(bytes, "here").unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    error.message
}

fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pass");
    write(&path, content).unwrap();
    set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (dir, path)
}

#[test]
fn exactly_one_final_line_end_is_dropped() {
    assert_eq!(text(b"new-horse").unwrap(), "new-horse");
    assert_eq!(text(b"new-horse\n").unwrap(), "new-horse");
    assert_eq!(text(b"new-horse\r\n").unwrap(), "new-horse");
    for two in [&b"new-horse\n\n"[..], b"new-horse\r\n\r\n", b"new-horse\n\r\n", b"new-horse\r", b"new\nhorse\n"] {
        assert_eq!(refusal(two), "the password here has more than one line");
    }
}

#[test]
fn what_nobody_can_type_is_refused_without_being_shown() {
    assert_eq!(refusal(b"hunter\0two"), "the password here contains a control character");
    assert_eq!(refusal(b"hunter\ttwo"), "the password here contains a control character");
    assert_eq!(refusal("hunter\u{85}two".as_bytes()), "the password here contains a control character");
    assert_eq!(refusal(b"hunter\xfftwo"), "the password here is not UTF-8 text");
    assert_eq!(refusal("\u{feff}hunter".as_bytes()), "the password here begins with a byte order mark");
    for empty in [&b""[..], b"\n", b"\r\n"] {
        assert_eq!(refusal(empty), "the password here is empty");
    }
}

#[test]
fn outer_blanks_are_kept_and_warned_about() {
    let read = password(b" horse\n", "here").unwrap();
    assert_eq!(read.text.as_str(), " horse");
    assert_eq!(read.warnings, ["the password here begins or ends with a blank, which is kept"]);
    assert!(password("horse\u{a0}".as_bytes(), "here").unwrap().warnings.len() == 1);
    assert!(password(b"old horse", "here").unwrap().warnings.is_empty());
    assert_eq!((read.warnings_where(false).count(), read.warnings_where(true).count()), (1, 0));
}

#[test]
fn a_password_file_that_others_can_read_is_taken_with_a_warning() {
    let (_dir, path) = file(b"new-horse\n", 0o600);
    let read = super::read(&Source::File(path.clone()), "john", false).unwrap();
    assert_eq!((read.text.as_str(), read.generated, read.warnings.len()), ("new-horse", false, 0));
    set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let read = super::read(&Source::File(path.clone()), "john", false).unwrap();
    assert!(read.warnings[0].contains(&format!("chmod 600 {}", path.display())), "{:?}", read.warnings);
    assert_eq!(read.warnings_where(true).count(), 1, "an app that trims does not make the file private");
}

#[test]
fn a_missing_or_wrong_password_file_is_named() {
    let (dir, path) = file(&vec![b'x'; MAX_BYTES + 1], 0o600);
    let kind = |path: &Path| from_file(path, "--password-file").unwrap_err();
    assert!(kind(&path).message.contains("too long for a password"));
    assert!(kind(dir.path()).message.contains("is a directory"));
    let missing = dir.path().join("absent");
    let error = kind(&missing);
    assert_eq!((error.kind, error.message), (Kind::Usage, format!("there is no password file {}", missing.display())));
}

#[test]
fn without_a_terminal_the_missing_flag_is_named() {
    let error = ask_new("john", false, |_| Ok(())).unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.help.unwrap(), "use --password-stdin or --password-file FILE, or --generate");
    let error = super::read(&Source::Prompt, "john", false).unwrap_err();
    assert!(!error.help.unwrap().contains("--generate"));
    assert!(confirm("Apply?", false).unwrap_err().help.unwrap().contains("--yes"));
    assert!(confirm_by_name("This removes john.", "john", false).is_err());
    assert!(read_for_store(None, "the database", false).unwrap_err().help.unwrap().contains("--store-password-file"));
}

#[test]
fn generated_passwords_are_long_varied_and_safe_to_paste() {
    let mut seen = std::collections::BTreeSet::new();
    let mut used = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let made = generate().unwrap();
        let text = made.text.as_str();
        assert!(made.generated && text.len() == 48 && acceptable(text.as_bytes()), "{text}");
        assert!(text.bytes().all(|byte| LETTERS_AND_DIGITS.contains(&byte) || SPECIALS.contains(&byte)));
        used.extend(text.bytes());
        assert!(seen.insert(text.to_owned()));
    }
    assert_eq!(used.len(), LETTERS_AND_DIGITS.len() + SPECIALS.len());
    // Both ends come from the 62 letters and digits, the rest from all 69.
    let bits = 46.0 * 69f64.log2() + 2.0 * 62f64.log2();
    assert!(bits > 256.0, "{bits}");
}

#[test]
fn every_letter_is_drawn_about_equally_often() {
    let alphabet = [LETTERS_AND_DIGITS, SPECIALS].concat();
    let mut counts = [0u32; 256];
    for _ in 0..4000 {
        draw(&alphabet).unwrap().bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    }
    // 192,000 draws over 69 letters: 2783 each, with a standard deviation of 52. Taking bytes modulo 69 without drawing
    // again would give the first 49 letters a third more than the rest.
    let drawn: Vec<u32> = alphabet.iter().map(|byte| counts[usize::from(*byte)]).collect();
    assert!(drawn.iter().all(|count| (2450..3120).contains(count)), "{drawn:?}");
}

#[test]
fn a_password_lacking_a_class_is_drawn_again() {
    assert!(acceptable(b"aB-1a"));
    for lacking in [&b"aB11a"[..], b"ab-1a", b"AB-1A", b"aB--a", b"-aB1a", b"aB1a-", b""] {
        assert!(!acceptable(lacking));
    }
}

#[test]
fn debug_hides_the_password() {
    let read = password(b"hunter2", "here").unwrap();
    assert!(!format!("{read:?}").contains("hunter2"));
}
