//! `token list`, `token issue`, `token revoke`: tokens are shown once, work, and end as asked.

use super::{Case, case};
use crate::support::{
    keys_of, left_out, only_records_of, only_what_was_planned, rows, sessions, tokens, undo_restores, withdrawn,
};
use latchlift_tests::Result;
use latchlift_tests::bench::{Bench, Outcome, Run, listed};

const LIST: &[&str] = &["token.list"];
const ISSUE: &[&str] = &["token.issue"];
const REVOKE: &[&str] = &["token.revoke"];

pub const CASES: &[Case] = &[
    case("token-list", LIST, everybodys_tokens_are_listed).needs(&["bob"]),
    case("token-issue", ISSUE, a_token_is_shown_once_and_works).needs(&["bob"]),
    case("token-issue-alone", ISSUE, the_secret_is_alone_on_standard_output).needs(&["bob"]),
    case("token-issue-dry-run", ISSUE, a_dry_run_writes_nothing).needs(&["bob"]),
    case("token-issue-nobody", ISSUE, nobody_is_not_found),
    case("token-issue-ends", ISSUE, an_end_that_has_passed_is_refused).needs(&["bob"]),
    case("token-revoke", REVOKE, ones_tokens_end).needs(&["bob"]),
    case("token-revoke-id", &["token.list", "token.revoke"], one_token_ends_by_its_id).needs(&["bob"]),
    case("token-revoke-all", REVOKE, everybodys_tokens_end).needs(&["bob", "admin"]),
    case("token-revoke-secret", &["token.issue", "token.revoke"], a_token_on_standard_input_ends).needs(&["bob"]),
    case("token-revoke-expired", REVOKE, only_what_has_ended_goes).needs(&["bob"]),
];

fn issue(t: &Bench, words: &str) -> Run {
    issue_named(t, words, "phone")
}

fn issue_named(t: &Bench, words: &str, name: &str) -> Run {
    let run = t.latchlift("token issue").arg(&t.person("bob").name).words(words);
    if keys_of(t, "token.issue").iter().any(|key| key == "name") { run.arg(format!("name={name}")) } else { run }
}

/// The one secret in the answer, which nothing else of it repeats.
#[track_caller]
fn revealed(outcome: &Outcome) -> String {
    let reveals = outcome.at("/results/0/reveals");
    let reveals = reveals.as_array().cloned().unwrap_or_default();
    assert_eq!(reveals.len(), 1, "{outcome}");
    let secret = reveals[0]["value"].as_str().unwrap_or_default().to_owned();
    assert!(secret.len() >= 20, "a short secret\n{outcome}");
    assert_eq!(outcome.stdout.matches(&secret).count(), 1, "the secret is repeated\n{outcome}");
    assert!(!outcome.stderr.contains(&secret), "the secret is on standard error\n{outcome}");
    secret
}

fn everybodys_tokens_are_listed(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    let before = t.snapshot();
    let all = rows(&t.latchlift("token list --json").succeeds(), "tokens");
    // Those of the genuine stores end one by one as time goes by, and there are other sorts among them.
    for person in t.app.people().iter().filter(|_| t.target.genuine.is_none()) {
        let own = all.iter().filter(|row| row["account_id"] == person.id.as_str()).count();
        assert_eq!(own, person.tokens, "tokens of {}: {all:?}", person.who);
    }
    let bob = t.person("bob");
    let own = rows(&t.latchlift("token list --json").arg(&bob.name).succeeds(), "tokens");
    assert!(own.iter().all(|row| row["account_id"] == bob.id.as_str()), "{own:?}");
    let listed = all.iter().filter(|row| row["account_id"] == bob.id.as_str()).count();
    assert_eq!(own.len(), listed);
    t.unchanged_since(&before);
    Ok(())
}

fn a_token_is_shown_once_and_works(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    let (before, had, bob) = (t.snapshot(), tokens(t, "bob"), t.person("bob"));
    let outcome = issue(t, "--yes --json").succeeds();
    let secret = revealed(&outcome);
    assert_eq!(tokens(t, "bob"), had + 1, "{outcome}");
    assert_ne!(t.app.accepts_token(&secret)?, Some(false), "the app does not take it\n{outcome}");
    only_records_of(t, &before, "bob");
    only_what_was_planned(t, &before, &outcome);
    let password = bob.password.as_deref().ok_or("the story gives no password")?;
    assert!(t.signs_in(&bob.name, password), "the password changed");
    let again = issue_named(t, "--yes --json", "tablet").succeeds();
    assert_ne!(revealed(&again), secret, "the same token twice");
    t.latchlift("undo --yes").succeeds();
    nothing_keeps(t, &secret)?;
    undo_restores(t, &before);
    assert_ne!(t.app.accepts_token(&secret)?, Some(true), "it works after undo");
    Ok(())
}

/// The journal knows what undo needs, which is not the secret.
fn nothing_keeps(t: &Bench, secret: &str) -> Result<()> {
    for entry in std::fs::read_dir(t.state())? {
        let path = entry?.path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        assert!(!text.contains(secret), "the secret is in {}", path.display());
    }
    Ok(())
}

fn the_secret_is_alone_on_standard_output(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    let outcome = issue(t, "--yes").succeeds();
    let secret = outcome.stdout.trim_end_matches('\n');
    assert!(secret.len() >= 20 && !secret.contains(['\n', ' ']), "{outcome}");
    assert!(!outcome.stderr.contains(secret), "{outcome}");
    assert_ne!(t.app.accepts_token(secret)?, Some(false), "{outcome}");
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    if !withdrawn(t, "token list") {
        let outcome = issue(t, "--dry-run --json").succeeds();
        assert_eq!(outcome.at("/results/0/reveals").as_array().map(Vec::len), Some(0), "{outcome}");
    }
    t.unchanged_since(&before);
    Ok(())
}

fn nobody_is_not_found(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    if !withdrawn(t, "token list") {
        let run = t.latchlift("token issue nobody-has-this-name --yes");
        let named = keys_of(t, "token.issue").iter().any(|key| key == "name");
        if named { run.arg("name=phone") } else { run }.fails(3);
    }
    t.unchanged_since(&before);
    Ok(())
}

fn an_end_that_has_passed_is_refused(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    if !keys_of(t, "token.issue").iter().any(|key| key == "expires") {
        return left_out("tokens of this app have no end of one's own choice");
    }
    let before = t.snapshot();
    issue(t, "expires=2020-01-01 --yes").fails(2);
    t.unchanged_since(&before);
    let outcome = issue(t, "expires=90d --yes --json").succeeds();
    let secret = revealed(&outcome);
    assert_ne!(t.app.accepts_token(&secret)?, Some(false), "{outcome}");
    Ok(())
}

fn ones_tokens_end(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    if tokens(t, "bob") == 0 {
        return left_out("bob has no tokens in this story");
    }
    let (before, signed_in) = (t.snapshot(), sessions(t, "bob"));
    let outcome = t.latchlift("token revoke --yes --json").arg(&t.person("bob").name).succeeds();
    assert_eq!((tokens(t, "bob"), sessions(t, "bob")), (0, signed_in), "{outcome}");
    only_records_of(t, &before, "bob");
    only_what_was_planned(t, &before, &outcome);
    Ok(())
}

fn one_token_ends_by_its_id(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    let bob = t.person("bob");
    let all = rows(&t.latchlift("token list --json").arg(&bob.name).succeeds(), "tokens");
    let Some(one) = all.first() else { return left_out("bob has no tokens in this story") };
    let (before, signed_in) = (t.snapshot(), sessions(t, "bob"));
    t.latchlift("token revoke --yes --json --id").arg(one["id"].as_str().ok_or("no id")?).succeeds();
    let changes = t.changes_since(&before);
    // The token, and the sign-ins opened with it.
    let gone = !changes.is_empty() && changes.iter().all(|change| change.is_gone() && t.app.belongs(change, bob));
    assert!(gone && changes.len() <= 1 + bob.children.max(1), "{}", listed(&changes));
    assert_eq!(sessions(t, "bob"), signed_in);
    let after = t.snapshot();
    t.latchlift("token revoke --yes --id no-such-id").fails(3);
    t.unchanged_since(&after);
    Ok(())
}

fn everybodys_tokens_end(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    let signed_in = (sessions(t, "bob"), sessions(t, "admin"));
    t.latchlift("token revoke --all --yes --json").succeeds();
    assert_eq!((sessions(t, "bob"), sessions(t, "admin")), signed_in, "sign-ins ended");
    let left = rows(&t.latchlift("token list --json").succeeds(), "tokens");
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

/// Whoever finds a token somewhere can end it without knowing whose it is, and nothing repeats it.
fn a_token_on_standard_input_ends(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    let before = t.snapshot();
    let secret = revealed(&issue(t, "--yes --json").succeeds());
    let outcome = t.latchlift("token revoke --yes --json --id -").stdin(&secret).outcome();
    assert!(!outcome.stdout.contains(&secret) && !outcome.stderr.contains(&secret), "it is repeated\n{outcome}");
    // Not every app can tell a token by itself.
    if outcome.code == 3 && t.target.app != "photoprism" {
        return left_out("this app does not tell a token by itself");
    }
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_ne!(t.app.accepts_token(&secret)?, Some(true), "{outcome}");
    let changes = t.changes_since(&before);
    assert!(changes.is_empty(), "more than that token ended:\n{}", listed(&changes));
    let outcome = t.latchlift("token revoke --yes --id -").stdin(&secret).fails(3);
    assert!(!outcome.stderr.contains(&secret), "it is repeated\n{outcome}");
    Ok(())
}

fn only_what_has_ended_goes(t: &Bench) -> Result<()> {
    if withdrawn(t, "token list") {
        return Ok(());
    }
    let (before, had) = (t.snapshot(), (tokens(t, "bob"), sessions(t, "bob")));
    t.latchlift("token revoke --expired --yes --json").succeeds();
    if t.target.genuine.is_none() {
        assert_eq!((tokens(t, "bob"), sessions(t, "bob")), had);
    }
    assert!(t.changes_since(&before).iter().all(|change| change.is_gone()));
    Ok(())
}
