//! Pipes that nobody reads any more.

use crate::snapshot::Session;
use std::process::Stdio;

/// A pipe whose reader is gone.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_generated_password_that_cannot_be_printed_is_not_set() {
    let session = Session::new();
    for words in ["password reset bob --generate --yes", "password reset bob --generate --yes --quiet"] {
        let mut command = session.command(words).command();
        let output = command.stdin(Stdio::null()).stdout(closed()).stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot print the new password"), "{said}");
        session.unchanged();
    }
    // A full disk is no pipe, but loses the password just as well.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = session.command("password reset bob --generate --yes").command();
    let status = command.stdin(Stdio::null()).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    session.unchanged();
}

/// As JSON the password comes with the result, after the change: there it goes to the other stream instead.
#[test]
fn a_generated_password_in_json_that_cannot_be_printed_is_not_lost() {
    let session = Session::new();
    let mut command = session.command("password reset bob --generate --yes --json").command();
    let child = command.stdin(Stdio::null()).stdout(closed()).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if session.bench.signs_in("bob", "Bob!secret1") {
        return session.unchanged();
    }
    let password =
        said.split_whitespace().find(|word| word.len() == 48).unwrap_or_else(|| panic!("it is lost: {said}"));
    assert!(session.bench.signs_in("bob", password), "another password was set than {said}");
}

#[test]
fn a_list_that_nobody_reads_ends_quietly() {
    let session = Session::new();
    for words in ["user list", "user list --json", "--help", "completions bash", "man", "plugin list"] {
        let mut command = session.command(words).command();
        let child = command.stdin(Stdio::null()).stdout(closed()).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{words}: {said}");
        assert_eq!(output.status.code(), Some(0), "{words}: {said}");
    }
}

#[test]
fn a_conversation_that_nobody_reads_does_not_stop_the_work() {
    let session = Session::new();
    let mut command = session.command("session revoke bob --yes").command();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(0));
}
