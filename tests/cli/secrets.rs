//! Passwords as arguments are caught and never repeated.

use crate::snapshot::Session;

#[test]
fn a_secret_among_the_arguments_is_caught_and_not_repeated() {
    let mut session = Session::new();
    for words in [
        "password reset bob hunter2",
        "password reset bob -p hunter2",
        "password reset bob -phunter2",
        "password reset bob --password hunter2",
        "password reset bob --password=hunter2",
        "password reset bob --pass hunter2",
        "password reset bob --new-password hunter2",
        "password check bob hunter2",
        "admin recreate root hunter2",
        "user add carl --password hunter2",
        "user add carl hunter2",
        "user add carl password=hunter2",
        "user set bob password=hunter2",
        "passwd bob hunter2",
        "password reset bob --password-stdin=hunter2",
        "password reset bob --generate=hunter2",
        "password reset bob hunter2 --json",
    ] {
        let run = session.command(words);
        let shown = words.replace("hunter2", "SECRET");
        let said = session.note(&shown, run);
        assert!(matches!(said.code, 2 | 6), "{said}");
        assert!(!said.stdout.contains("hunter2") && !said.stderr.contains("hunter2"), "it is repeated\n{said}");
    }
    session.unchanged();
    session.matches("secrets");
}

#[test]
fn passwords_that_nobody_could_type_are_refused() {
    let mut session = Session::new();
    for (words, line) in [
        ("an empty line", ""),
        ("two lines", "one\ntwo"),
        ("a tab", "one\ttwo"),
        ("a byte order mark", "\u{feff}one-two-three"),
        ("too short", "Ab1!"),
    ] {
        let run = session.command("password reset bob --password-stdin --yes").stdin(line);
        let said = session.note(&format!("password reset bob --password-stdin --yes   # {words}"), run);
        assert!((1..=8).contains(&said.code), "{said}");
    }
    let missing = "password reset bob --yes --password-file nowhere";
    assert_eq!(session.run(missing).code, 2);
    assert_eq!(session.run("password reset bob --yes").code, 2);
    assert_eq!(session.run("password check bob").code, 2);
    session.unchanged();
    session.matches("secrets-refused");
}
