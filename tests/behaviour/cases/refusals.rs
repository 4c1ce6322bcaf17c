//! What is refused: verbs an app has nothing for, layouts nobody knows, stores somebody else holds.

use super::{Case, case};
use crate::declared;
use crate::support::NEW;
use latchlift_tests::Result;
use latchlift_tests::apps;
use latchlift_tests::bench::Bench;
use std::os::unix::fs::PermissionsExt;

pub const CASES: &[Case] = &[
    case("unsupported-verbs", &[], verbs_the_app_has_nothing_for_say_so),
    case("unknown-layout", &[], an_unknown_layout_is_refused).unknown_layout(),
    case("locked-store", &["password.reset"], a_locked_store_is_left_alone).needs(&["bob"]).stores(&["sqlite"]),
    case("damaged-store", &["user.list"], a_damaged_store_is_an_error).stores(&["sqlite", "json"]),
    case("missing-store", &["user.list"], a_missing_store_is_not_made).stores(&["sqlite", "json"]),
    case("journal-is-private", &["password.reset"], the_journal_is_private).needs(&["bob"]),
];

/// A command for each verb of the grammar.
const COMMANDS: &[(&str, &str)] = &[
    ("user.add", "user add newcomer --generate --yes"),
    ("user.set", "user set bob email=new@example.org --yes"),
    ("user.rename", "user rename bob robert --yes"),
    ("user.remove", "user remove bob --yes"),
    ("user.restore", "user restore bob --yes"),
    ("user.purge", "user purge bob --yes"),
    ("user.fix-names", "user fix-names --yes"),
    ("password.reset", "password reset bob --generate --yes"),
    ("password.remove", "password remove bob --yes"),
    ("admin.recreate", "admin recreate rescue --generate --yes"),
    ("admin.grant", "admin grant bob --yes"),
    ("admin.revoke", "admin revoke bob --yes"),
    ("session.list", "session list"),
    ("session.show", "session show some-id"),
    ("session.revoke", "session revoke --all --yes"),
    ("token.list", "token list"),
    ("token.issue", "token issue bob name=phone --yes"),
    ("token.revoke", "token revoke --all --yes"),
    ("client.list", "client list"),
    ("client.add", "client add phone --yes"),
    ("client.show", "client show some-id"),
    ("client.set", "client set some-id scope=all --yes"),
    ("client.remove", "client remove some-id --yes"),
    ("mfa.status", "mfa status"),
    ("mfa.disable", "mfa disable bob --yes"),
    ("login.list", "login list"),
    ("login.clear", "login clear --yes"),
    ("ban.list", "ban list"),
    ("ban.clear", "ban clear --all --yes"),
    ("invite.list", "invite list"),
    ("invite.revoke", "invite revoke --all --yes"),
    ("onboarding.restart", "onboarding restart --yes"),
];

fn verbs_the_app_has_nothing_for_say_so(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let verbs = declared::verbs(t.target.app)?;
    let mut wrong = Vec::new();
    for verb in verbs.unsupported() {
        let Some((_, command)) = COMMANDS.iter().find(|(name, _)| *name == verb) else {
            wrong.push(format!("there is no command for {verb}"));
            continue;
        };
        let outcome = t.latchlift(command).outcome();
        if outcome.code != 6 || outcome.stderr.trim().is_empty() {
            wrong.push(format!("{verb} should be exit 6, with the reason\n{outcome}"));
        }
    }
    t.unchanged_since(&before);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n\n").into()) }
}

fn an_unknown_layout_is_refused(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let verbs = declared::verbs(t.target.app)?;
    t.latchlift("user list").fails(6);
    for (verb, command) in COMMANDS.iter().filter(|(verb, _)| verbs.supports(verb)) {
        // A key that the app does not have is refused before anything is looked at.
        let own = declared::argument(t.target.app, verb)?.unwrap_or_default();
        let words = command.split(' ').map(|word| if word.contains('=') { own.as_str() } else { word });
        let outcome =
            t.latchlift(&words.collect::<Vec<_>>().join(" ")).words(apps::required(&t.target, verb)).outcome();
        assert_eq!(outcome.code, 6, "{verb}\n{outcome}");
    }
    t.latchlift("password reset john --password-stdin --yes").stdin(NEW).fails(6);
    t.unchanged_since(&before);
    Ok(())
}

/// Somebody else writes: latchlift waits as long as it was told to, then leaves things as they are.
fn a_locked_store_is_left_alone(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let file = t.app.location()?;
    let holder = rusqlite::Connection::open(file.split_once(':').ok_or("no path")?.1)?;
    holder.execute_batch("BEGIN IMMEDIATE")?;
    let reset = t.latchlift("password reset --password-stdin --yes --lock-timeout 1").stdin(NEW);
    reset.arg(&t.person("bob").name).fails(5);
    holder.execute_batch("ROLLBACK")?;
    t.unchanged_since(&before);
    t.latchlift("password reset --password-stdin --yes").stdin(NEW).arg(&t.person("bob").name).succeeds();
    Ok(())
}

fn a_damaged_store_is_an_error(t: &Bench) -> Result<()> {
    let location = t.app.location()?;
    let path = location.split_once(':').ok_or("no path")?.1;
    let file = if t.target.store == "json" { format!("{path}/.storage/auth") } else { path.to_owned() };
    let half = std::fs::read(&file)?;
    let half = &half[..half.len() / 2];
    std::fs::write(&file, half)?;
    let outcome = t.latchlift("password reset --password-stdin --yes admin").stdin(NEW).outcome();
    assert!((1..=8).contains(&outcome.code), "{outcome}");
    assert_eq!(std::fs::read(&file)?, half, "a damaged store was written to");
    Ok(())
}

fn a_missing_store_is_not_made(t: &Bench) -> Result<()> {
    let missing = t.directory().join("missing");
    let app = format!("{}:{}", t.target.app, missing.display());
    let outcome = t.bare("user list").option("--app", app).outcome();
    assert!((1..=8).contains(&outcome.code), "{outcome}");
    assert!(!missing.exists(), "it was made");
    Ok(())
}

fn the_journal_is_private(t: &Bench) -> Result<()> {
    t.latchlift("password reset --password-stdin --yes").stdin(NEW).arg(&t.person("bob").name).succeeds();
    let mode = |path: &std::path::Path| -> Result<u32> { Ok(std::fs::metadata(path)?.permissions().mode() & 0o777) };
    assert_eq!(mode(&t.state())?, 0o700);
    let mut todo = vec![t.state()];
    let mut files = 0;
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            files += 1;
            assert_eq!(mode(&path)?, 0o600, "{}", path.display());
            let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            assert!(!text.contains(NEW), "the password is in {}", path.display());
        }
    }
    assert!(files > 0, "nothing is journalled");
    Ok(())
}
