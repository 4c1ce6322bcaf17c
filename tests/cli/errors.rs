//! Every kind of error that a store, a configuration or a person's choice can cause. Nothing is changed by any.

use crate::snapshot::Session;
use latchlift_tests::apps::Story;
use latchlift_tests::bench::binary;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

/// The verb that all are tried with, and the same as JSON.
const RESET: &str = "password reset bob --password-stdin --yes";
const NEW: &str = "New-horse#2026";

#[track_caller]
fn fails(session: &mut Session, words: &str, code: i32) {
    let said = session.run_with(words, NEW);
    assert_eq!(said.code, code, "{said}");
    assert!(!said.stderr.contains(NEW) && !said.stdout.contains(NEW), "the password is repeated\n{said}");
}

#[test]
fn nothing_is_configured() {
    let mut session = Session::unconfigured("1.74.0", Story::Usual);
    for words in ["user list", "user list --json", "app list", RESET, "user list --app homarr", "plugin abi"] {
        drop(session.run(words));
    }
    session.unchanged();
    session.matches("errors-unconfigured");
}

#[test]
fn instances_and_plugins_that_are_not_there() {
    let mut session = Session::new();
    fails(&mut session, "user list --app homar", 3);
    fails(&mut session, "user list --app home", 3);
    fails(&mut session, "user list --app homar:[DIR]/x", 8);
    fails(&mut session, "user list --app nextcloud:/srv/nextcloud", 8);
    fails(&mut session, "user list --plugin-dir nowhere", 2);
    session.configure(&["homarr", "second"]);
    fails(&mut session, RESET, 2);
    fails(&mut session, "user list --app all --limit 1 --json", 0);
    session.unchanged();
    session.matches("errors-instances");
}

#[test]
fn configurations_that_make_no_sense() {
    let mut session = Session::new();
    for text in [
        "[app.homarr]\nplugin = \"homarr\"\nstor = \"sqlite:/x\"\n",
        "[app.homarr\n",
        "[app.homarr]\nstore = \"sqlite:/x\"\n",
        "[apps.homarr]\nplugin = \"homarr\"\n",
        "[app.homarr]\nplugin = \"homarr\"\nstore = \"oracle:/x\"\n",
    ] {
        fs::write(session.path("config.toml"), text).unwrap();
        let run = session.command("user list");
        let said = session.note(&format!("user list   # {}", text.replace('\n', "; ")), run);
        assert_ne!(said.code, 0, "{said}");
    }
    session.configure(&["homarr"]);
    fs::set_permissions(session.path("config.toml"), Permissions::from_mode(0o666)).unwrap();
    let run = session.command("user list");
    assert_eq!(session.note("user list   # a configuration that everyone may write", run).code, 2);
    session.matches("errors-config");
}

#[test]
fn stores_that_are_missing_or_something_else() {
    let mut session = Session::new();
    fs::create_dir(session.path("empty")).unwrap();
    fs::write(session.path("text.sqlite"), "this is not a database, however long it may be\n".repeat(100)).unwrap();
    fs::write(session.path("zero.sqlite"), "").unwrap();
    fs::write(session.path("cut.sqlite"), &fs::read(session.store()).unwrap()[..5000]).unwrap();
    for place in ["nowhere.sqlite", "empty", "text.sqlite", "zero.sqlite", "cut.sqlite", "/dev/null"] {
        for words in ["user list", RESET] {
            let said = session.run_with(&format!("{words} --app homarr:{place}"), NEW);
            assert!((1..=8).contains(&said.code), "{said}");
        }
    }
    fails(&mut session, "user list --app homarr:mysql://nobody@127.0.0.1:1/homarr", 7);
    fails(&mut session, "user list --app home-assistant:empty --json", 7);
    session.unchanged();
    session.matches("errors-stores");
}

#[test]
fn a_layout_of_before_or_after_what_is_known() {
    let mut session = Session::of("0.15.0", Story::Usual);
    for words in ["user list", "app check", "user list --json"] {
        drop(session.run(words));
    }
    fails(&mut session, RESET, 6);
    session.unchanged();
    session.matches("errors-schema");
}

#[test]
fn a_locked_database() {
    let mut session = Session::new();
    let holder = rusqlite::Connection::open(session.store()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    fails(&mut session, &format!("{RESET} --lock-timeout 0"), 5);
    fails(&mut session, "user list --limit 1 --lock-timeout 0", 0);
    holder.execute_batch("ROLLBACK; BEGIN EXCLUSIVE").unwrap();
    fails(&mut session, "user list --limit 1 --lock-timeout 0", 5);
    holder.execute_batch("ROLLBACK").unwrap();
    session.unchanged();
    session.matches("errors-locked");
}

/// As somebody who is not root and owns nothing.
#[test]
fn files_that_may_not_be_written_or_read() {
    let mut session = Session::new();
    if !rustix::process::geteuid().is_root() {
        eprintln!("left out, because only root can become somebody else");
        return;
    }
    let mode = |path: &std::path::Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(session.bench.directory(), 0o755);
    fs::create_dir(session.path("open")).unwrap();
    mode(&session.path("open"), 0o777);
    let words = format!("{RESET} --state-dir open");
    for (file, directory) in [(0o644, 0o755), (0o600, 0o755), (0o644, 0o700)] {
        mode(&session.store(), file);
        mode(&session.path("homarr/db"), directory);
        for words in ["user list --limit 1", words.as_str()] {
            let (code, stdout, stderr) = as_nobody(&session, words);
            assert!(code == 7 || code == 0 && words.starts_with("user list"), "exit {code}\n{stderr}");
            let shown = format!("{words}   # as nobody; file {file:o}, directory {directory:o}");
            session.transcript(&shown, code, &[("stdout", &stdout), ("stderr", &stderr)]);
        }
    }
    session.unchanged();
    session.matches("errors-denied");
}

fn as_nobody(session: &Session, words: &str) -> (i32, String, String) {
    let program = session.command(words).command();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(binary()).args(program.get_args());
    command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(session.bench.directory());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end without reading, which breaks the pipe.
    let _ = child.stdin.take().unwrap().write_all(NEW.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), said(&output.stdout), said(&output.stderr))
}

#[test]
fn accounts_that_are_not_there_or_several() {
    let mut session = Session::of("1.74.0", Story::Collision);
    for (words, code) in [
        ("password reset jon --password-stdin --yes", 3),
        ("password reset nobody-at-all --password-stdin --yes", 3),
        ("password reset --id nothing --password-stdin --yes", 3),
        ("password reset maria --password-stdin --yes", 3),
        ("password reset maria --password-stdin --yes --json", 3),
        ("password reset maria --provider ldap --password-stdin --yes", 3),
        ("password reset jane --password-stdin --yes", 3),
        ("user show nobody-at-all", 3),
        ("user fix-names --yes", 5),
        ("password reset olga --password-stdin --yes", 4),
        ("password reset leo --password-stdin --yes", 4),
    ] {
        fails(&mut session, words, code);
    }
    session.unchanged();
    session.matches("errors-accounts");
}

#[test]
fn verbs_the_app_does_not_have() {
    let mut session = Session::new();
    for words in [
        "mfa status",
        "mfa disable bob --yes",
        "client list",
        "ban list",
        "user restore bob --yes",
        "login list",
        "recover bob",
    ] {
        let said = session.run(words);
        assert!(matches!(said.code, 2 | 6), "{said}");
    }
    fails(&mut session, "mfa status --json", 6);
    session.unchanged();
    session.matches("errors-unsupported");
}

#[test]
fn no_terminal_and_no_yes() {
    let mut session = Session::new();
    for words in [
        "password reset bob --password-stdin",
        "password reset bob --password-stdin --no-input",
        "password reset bob",
        "password reset bob --json",
        "admin grant bob",
        "session revoke bob",
    ] {
        fails(&mut session, words, 2);
    }
    session.unchanged();
    session.matches("errors-no-terminal");
}

#[test]
fn a_store_that_was_moved_is_asked_for_by_its_new_place() {
    let session = Session::new();
    session.command("password reset bob --generate --yes --quiet").succeeds();
    let moved = session.path("moved.sqlite");
    std::fs::rename(session.store(), &moved).unwrap();
    let refused = session.command("undo --yes").fails(7);
    refused.says("is not there any more").says("--app homarr:PLACE");
    let entry = session.command("history --json").succeeds().at("/entries/0/entry").as_str().unwrap().to_owned();
    session.command(&format!("undo {entry} --yes --app homarr:{}", moved.display())).succeeds();
}
