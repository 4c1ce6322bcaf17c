//! Every command's help, and what is made of the same definitions: completions and the man page.

use crate::snapshot::{Session, redacted};
use clap::CommandFactory;
use latchlift::cli::Cli;
use latchlift_tests::bench::binary;
use std::process::{Command, Stdio};

#[test]
fn every_command_has_the_help_it_had() {
    let mut session = Session::new();
    for flag in ["-h", "--help"] {
        drop(session.run(flag));
    }
    drop(session.run("--version"));
    session.matches("help");
    for noun in Cli::command().get_subcommands() {
        let mut session = Session::new();
        let verbs = noun.get_subcommands().map(|verb| format!("{} {}", noun.get_name(), verb.get_name()));
        for words in std::iter::once(noun.get_name().to_owned()).chain(verbs) {
            let [short, long] = ["-h", "--help"].map(|flag| session.command(&format!("{words} {flag}")).succeeds());
            assert!(short.stderr.is_empty() && short.stdout.contains("Usage:"), "{short}");
            let flags = if short.stdout == long.stdout { "--help" } else { "-h" };
            session.transcript(&format!("{words} {flags}"), 0, &[("stdout", &short.stdout)]);
            if short.stdout != long.stdout {
                session.transcript(&format!("{words} --help"), 0, &[("stdout", &long.stdout)]);
            }
        }
        session.unchanged();
        session.matches(&format!("help-{}", noun.get_name()));
    }
}

#[test]
fn each_shell_gets_completions_that_it_understands() {
    let session = Session::new();
    for (shell, check) in
        [("bash", Some(vec!["bash", "-n"])), ("zsh", None), ("fish", None), ("elvish", None), ("powershell", None)]
    {
        let said = session.command(&format!("completions {shell}")).succeeds();
        assert!(said.stdout.len() > 1000 && said.stdout.contains("latchlift"), "{shell}: {}", said.stdout.len());
        if let Some(check) = check {
            let script = session.path("completions");
            std::fs::write(&script, &said.stdout).unwrap();
            assert!(Command::new(check[0]).args(&check[1..]).arg(&script).status().unwrap().success(), "{shell}");
        }
    }
    session.command("completions csh").fails(2);
}

#[test]
fn the_man_page_renders() {
    let session = Session::new();
    let page = session.command("man").succeeds();
    assert!(page.stdout.starts_with(".") && page.stdout.contains(".TH latchlift 1"), "{page}");
    // Where there is a formatter, it has nothing to complain about.
    let file = session.path("latchlift.1");
    std::fs::write(&file, &page.stdout).unwrap();
    let groff = Command::new("groff").args(["-man", "-Tascii", "-ww"]).arg(&file).stdin(Stdio::null()).output();
    if let Ok(groff) = groff {
        let said = String::from_utf8_lossy(&groff.stderr);
        assert!(groff.status.success() && said.is_empty(), "{said}");
        assert!(String::from_utf8_lossy(&groff.stdout).contains("latchlift"));
    }
}

#[test]
fn an_unknown_program_name_changes_nothing() {
    // Packagers may call it otherwise; help names it as it is documented.
    let output = Command::new(binary()).arg("--version").env_clear().output().unwrap();
    assert_eq!(
        redacted(&String::from_utf8_lossy(&output.stdout)),
        format!("latchlift {}\n", env!("CARGO_PKG_VERSION"))
    );
}
