//! At a terminal: questions, answers, and ways out of them.

use crate::snapshot::Session;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

const NEW: &str = "New-horse#2026\r";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

/// Runs words at a terminal, typing each answer when its question is shown. Notes everything that was on the screen.
#[track_caller]
fn type_at(session: &mut Session, words: &str, answers: &[(&str, &str)]) -> (i32, String) {
    let program = session.command(words).command();
    let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    let mut environment: BTreeMap<String, String> =
        program.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
    environment.insert("TERM".to_owned(), "xterm".to_owned());
    let arguments: Vec<String> = std::iter::once(program.get_program()).chain(program.get_args()).map(text).collect();
    let ask = json!({
        "arguments": arguments, "environment": environment, "directory": session.bench.directory(), "answers": answers,
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/cli/terminal.py");
    let mut python = Command::new("python3");
    let mut child = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(ask.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (shown, code) = (answer["shown"].as_str().unwrap().to_owned(), answer["code"].as_i64().unwrap() as i32);
    assert_eq!(answer["left"], 0, "a question was not asked: {answers:?}\nexit {code}\n{shown}");
    let keys: Vec<String> = answers.iter().map(|(_, keys)| format!("{keys:?}")).collect();
    session.transcript(&format!("{words}   # typing {}", keys.join(" ")), code, &[("terminal", &shown)]);
    (code, shown)
}

#[test]
fn a_password_is_asked_for_twice_and_the_plan_confirmed() {
    let mut session = Session::new();
    let (code, shown) = type_at(
        &mut session,
        "password reset bob",
        &[("New password for bob: ", NEW), ("again: ", NEW), ("Apply? [y/N] ", "y\r")],
    );
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("New-horse"), "the password was shown\n{shown}");
    assert!(session.bench.signs_in("bob", "New-horse#2026"));
    session.matches("terminal-reset");
}

#[test]
fn a_mistyped_password_is_asked_for_again_at_most_three_times() {
    let mut session = Session::new();
    let (new, again) = ("New password for bob: ", "again: ");
    let once = [(new, "Other-horse#1\r"), (again, "Other-hors#1\r")];
    let answers = [&once[..], &[(new, NEW), (again, NEW), ("Apply? [y/N] ", "yes\r")]].concat();
    assert_eq!(type_at(&mut session, "password reset bob", &answers).0, 0);
    assert!(session.bench.signs_in("bob", "New-horse#2026"));
    let session_two = &mut Session::new();
    let (code, shown) = type_at(session_two, "password reset bob", &[once, once, once].concat());
    assert_eq!(code, 2, "{shown}");
    session_two.unchanged();
    session.matches("terminal-mistyped");
}

#[test]
fn a_password_that_the_app_would_refuse_is_asked_for_again() {
    let mut session = Session::new();
    let (new, again) = ("New password for bob: ", "again: ");
    let answers = [
        (new, "short\r"),
        (again, "short\r"),
        (new, "\r"),
        (again, "\r"),
        (new, NEW),
        (again, NEW),
        ("Apply? [y/N] ", "yes\r"),
    ];
    assert_eq!(type_at(&mut session, "password reset bob", &answers).0, 0);
    assert!(session.bench.signs_in("bob", "New-horse#2026"));
    session.matches("terminal-refused");
}

#[test]
fn saying_no_changes_nothing() {
    let mut session = Session::new();
    for answer in ["n\r", "\r", "no\r", "what\r", CTRL_D] {
        let words = "session revoke bob";
        let (code, shown) = type_at(&mut session, words, &[("Apply? [y/N] ", answer)]);
        assert_eq!(code, 4, "{shown}");
        session.unchanged();
    }
    session.matches("terminal-declined");
}

#[test]
fn ctrl_c_at_each_question_is_exit_130_and_changes_nothing() {
    let mut session = Session::new();
    let (new, again) = ("New password for bob: ", "again: ");
    for answers in [
        &[(new, CTRL_C)][..],
        &[(new, "half a pass\u{3}")],
        &[(new, NEW), (again, CTRL_C)],
        &[(new, NEW), (again, NEW), ("Apply? [y/N] ", CTRL_C)],
        &[(new, NEW), (again, NEW), ("Apply? [y/N] ", "y\u{3}")],
    ] {
        let (code, shown) = type_at(&mut session, "password reset bob", answers);
        assert_eq!(code, 130, "{shown}");
        assert!(!shown.contains("New-horse") && !shown.contains("half a pass"), "{shown}");
        session.unchanged();
    }
    let (code, _) = type_at(&mut session, "password check bob", &[("Password for bob: ", CTRL_C)]);
    assert_eq!(code, 130);
    let (code, _) = type_at(&mut session, "admin grant bob", &[("Type `bob` to go on: ", CTRL_C)]);
    assert_eq!(code, 130);
    session.unchanged();
    session.matches("terminal-interrupted");
}

#[test]
fn the_end_of_the_input_is_no_answer() {
    let mut session = Session::new();
    let (code, shown) = type_at(&mut session, "password reset bob", &[("New password for bob: ", CTRL_D)]);
    assert_eq!(code, 2, "{shown}");
    let (new, again) = ("New password for bob: ", "again: ");
    let (code, shown) =
        type_at(&mut session, "password reset bob", &[(new, NEW), (again, NEW), ("Apply? [y/N] ", CTRL_D)]);
    assert_eq!(code, 4, "{shown}");
    session.unchanged();
    session.matches("terminal-end-of-input");
}

#[test]
fn a_great_change_is_confirmed_by_its_name() {
    let mut session = Session::new();
    for answer in ["y\r", "yes\r", "Bob\r", "\r"] {
        let (code, shown) = type_at(&mut session, "admin grant bob", &[("Type `bob` to go on: ", answer)]);
        assert_eq!(code, 4, "{shown}");
        session.unchanged();
    }
    let (code, shown) = type_at(&mut session, "admin grant bob", &[("Type `bob` to go on: ", "bob\r")]);
    assert_eq!(code, 0, "{shown}");
    session.matches("terminal-by-name");
}

#[test]
fn nobody_is_asked_for_the_password_of_an_account_that_is_not_there() {
    let mut session = Session::new();
    let (code, shown) = type_at(&mut session, "password reset jon", &[]);
    assert!(code == 3 && !shown.contains("New password for"), "{shown}");
    let (code, shown) = type_at(&mut session, "password reset bob --no-input", &[]);
    assert!(code == 2 && !shown.contains("New password for"), "{shown}");
    session.unchanged();
    session.matches("terminal-nobody");
}
