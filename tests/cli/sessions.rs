//! Typical sessions, in every form of the answer.

use crate::snapshot::Session;
use latchlift_tests::apps::Story;

#[test]
fn somebody_is_locked_out_and_gets_back_in() {
    let mut session = Session::new();
    for words in ["app list", "app check", "user list", "user list bob", "user show john", "password check John"] {
        let run = session.command(words).stdin("");
        drop(session.note(words, run));
    }
    drop(session.run_with("password check john --password-stdin", "John!secret1"));
    drop(session.run_with("password reset john --password-stdin --dry-run", "New-horse#2026"));
    session.unchanged();
    assert_eq!(session.run_with("password reset john --password-stdin --yes", "New-horse#2026").code, 10);
    assert_eq!(session.run("user fix-names --yes").code, 0);
    assert_eq!(session.run_with("password check john --password-stdin", "New-horse#2026").code, 0);
    assert_eq!(session.run_with("password check john --password-stdin", "wrong-horse#1").code, 10);
    for words in ["history", "undo --dry-run", "undo --yes", "undo --yes", "undo --yes", "history", "resume --yes"] {
        drop(session.run(words));
    }
    session.matches("session-locked-out");
}

#[test]
fn what_was_interrupted_is_told_by_app_check_and_one_cut_short_by_history() {
    let session = Session::new();
    session.command("session revoke bob --yes").succeeds();
    assert_eq!(session.command("app check --json").outcome().at("/checks/0/findings/0/code"), "name_case");
    let entries = std::fs::read_dir(session.bench.state().join("journal")).unwrap();
    let entry = entries.map(|entry| entry.unwrap().path()).next().unwrap();
    let text = std::fs::read_to_string(&entry).unwrap();
    let begun = text.split_inclusive('\n').next().unwrap();
    std::fs::remove_file(&entry).unwrap();
    // As a crash leaves it: begun, and no end.
    std::fs::write(entry.with_extension("open"), begun).unwrap();
    let said = session.command("app check --json").fails(10);
    assert_eq!(said.at("/checks/0/findings/0/code"), "unfinished", "{said}");
    assert_eq!(said.at("/checks/0/findings/0/fix/1"), "resume", "{said}");
    std::fs::write(entry.with_extension("open"), &begun[..begun.len() / 2]).unwrap();
    session.command("history").succeeds().says("it ends before its first line does");
}

#[test]
fn a_password_is_made_and_printed_alone() {
    let mut session = Session::new();
    for words in ["password reset bob --generate --yes", "password reset bob --generate --yes --quiet"] {
        let said = session.command(words).succeeds();
        let password = said.stdout.trim_end().to_owned();
        assert_eq!((password.len(), said.stdout.lines().count()), (48, 1), "{said}");
        session.hide(&password);
        session.transcript(words, said.code, &[("stdout", &said.stdout), ("stderr", &said.stderr)]);
        assert!(session.bench.signs_in("bob", &password));
    }
    let words = "password reset bob --generate --yes --json";
    let said = session.command(words).succeeds();
    let password = said.at("/results/0/password").as_str().unwrap().to_owned();
    session.hide(&password);
    session.transcript(words, said.code, &[("stdout", &said.stdout), ("stderr", &said.stderr)]);
    session.matches("session-generate");
}

#[test]
fn an_administrator_is_made_where_none_can_sign_in() {
    let mut session = Session::of("1.74.0", Story::NoAdmin);
    Session::new().command("admin recreate rescue --password-stdin --yes").stdin("New-horse#2026").fails(4);
    hiding_the_id(&mut session, "admin recreate rescue --password-stdin --dry-run");
    // Two already are, though neither can sign in.
    for (words, code) in
        [("admin grant nora --yes", 0), ("admin grant nora --yes --json", 0), ("admin grant bob --yes", 0)]
    {
        assert_eq!(session.run(words).code, code, "{words}");
    }
    assert_eq!(session.run("undo --yes").code, 0);
    hiding_the_id(&mut session, "admin recreate rescue --password-stdin --yes");
    assert!(session.bench.signs_in("rescue", "New-horse#2026"));
    session.matches("session-admin");
}

/// Runs words that make an account, whose id is another each time.
fn hiding_the_id(session: &mut Session, words: &str) {
    let said = session.run_with(words, "New-horse#2026");
    assert_eq!(said.code, 0, "{said}");
    let id = said.stderr.split("(id ").nth(1).and_then(|rest| rest.split(',').next());
    session.hide(id.unwrap_or_else(|| panic!("no account is made\n{said}")));
}

#[test]
fn every_list_in_every_form() {
    let mut session = Session::new();
    for list in ["user list", "session list", "app list", "app check", "history list", "plugin show homarr"] {
        for form in ["table", "json", "csv", "tsv", "markdown"] {
            let said = session.run(&format!("{list} --output {form}"));
            assert!(matches!(said.code, 0 | 10), "{said}");
        }
    }
    for words in ["user list --limit 2 --json", "user list nobody-of-that-name", "user show bob --json", "user ls -q"] {
        drop(session.run(words));
    }
    session.unchanged();
    session.matches("session-lists");
}

#[test]
fn sign_ins_end() {
    let mut session = Session::new();
    for words in [
        "session list bob",
        "session list --expired",
        "session revoke bob --dry-run",
        "session revoke --expired --yes",
        "session revoke bob --yes --json",
        "session revoke bob --yes",
        "undo --yes",
        "history show nothing",
    ] {
        drop(session.run(words));
    }
    session.matches("session-sessions");
}

#[test]
fn plugins_are_listed_and_shown() {
    let mut session = Session::new();
    for words in ["plugin show homarr", "plugin show photoprism", "plugin show home-assistant", "plugin abi"] {
        assert_eq!(session.run(words).code, 0);
    }
    assert_eq!(session.run("plugin show homar").code, 8);
    session.matches("plugins");
}

#[test]
fn nothing_to_do_is_no_error_for_lists_and_exit_3_for_undo() {
    let mut session = Session::new();
    for (words, code) in [
        ("history", 0),
        ("history --json", 0),
        ("undo", 3),
        ("undo --yes --json", 3),
        ("undo 12345678", 3),
        ("resume", 3),
        ("resume --json", 3),
        ("history show 12345678", 3),
        ("user fix-names --yes", 0),
        ("user fix-names --yes", 0),
    ] {
        assert_eq!(session.run(words).code, code, "{words}");
    }
    session.matches("nothing-to-do");
}
