//! Command lines that make no sense, and other tools' words.

use crate::snapshot::Session;

/// Each is exit 2, and nothing is changed.
#[track_caller]
fn refused(name: &str, lines: &[&str]) {
    let mut session = Session::new();
    for words in lines {
        let said = session.run(words);
        assert!(said.code == 2 && said.stdout.is_empty() != words.contains("json"), "{said}");
    }
    session.unchanged();
    session.matches(name);
}

#[test]
fn unknown_flags_nouns_and_verbs() {
    refused(
        "usage-unknown",
        &[
            "",
            "user list --dleted",
            "user list --limt 3",
            "user lst",
            "user frobnicate",
            "usr list",
            "frobnicate",
            "password",
            "password rest bob",
            "user list --limit many",
            "user list --output xml",
            "user list --json --limit many",
            "session revoke",
            "password reset",
            "password reset bob --generate --password-stdin",
            "user set bob",
            "completions csh",
        ],
    );
}

#[test]
fn the_apps_own_words_are_answered_in_ours_and_not_run() {
    refused(
        "usage-own-words",
        &[
            "reset-password --username John",
            "recreate-admin --username root",
            "fix-usernames",
            "users reset",
            "users legacy",
            "auth reset",
            "auth reset --username bob --password hunter2",
            "homarr reset-password --username John",
            "passwd",
            "users delete-password",
            "change_password bob",
        ],
    );
}

#[test]
fn arguments_that_contradict_or_are_no_pairs() {
    refused("usage-pairs", &["user set bob email", "user set bob email=a email=b", "user add carl email"]);
}
