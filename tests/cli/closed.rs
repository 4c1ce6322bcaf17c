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
    for flags in ["", "--quiet", "--json"] {
        let words = format!("password reset bob --generate --yes {flags}");
        let mut command = session.command(&words).command();
        let output = command.stdin(Stdio::null()).stdout(closed()).stderr(Stdio::piped()).spawn().unwrap();
        let output = output.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot print the new password"), "{said}");
        session.unchanged();
    }
    // A full disk is no pipe, but loses the password just as well.
    for flags in ["", "--json"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = session.command(&format!("password reset bob --generate --yes {flags}")).command();
        let status = command.stdin(Stdio::null()).stdout(full).stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{flags}");
        session.unchanged();
    }
}

/// As JSON the password comes with the result, after the change. Its beginning is printed before, and what comes is whole.
#[test]
fn an_answer_in_json_is_whole_though_it_was_begun_before_the_change() {
    let session = Session::new();
    let said = session.command("password reset bob --generate --yes --json").succeeds();
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(session.bench.signs_in("bob", answer["results"][0]["password"].as_str().unwrap()));
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
