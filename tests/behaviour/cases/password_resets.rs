//! `password reset`: the new password signs in, the old one does not, sign-ins end, everything else stays.

use super::{Case, case};
use crate::support::{
    NEW, hashed_as_the_facts_say, keeps_tokens, only_records_of, only_what_was_planned, rows, sessions, signs_in_with,
    tokens, undo_restores,
};
use latchlift_tests::Result;
use latchlift_tests::bench::{Bench, Outcome};

const VERBS: &[&str] = &["password.reset"];

pub const CASES: &[Case] = &[
    case("password-reset", VERBS, a_new_password_signs_in).needs(&["bob"]),
    case("password-reset-admin", VERBS, an_administrators_too).needs(&["admin"]),
    case("password-reset-tokens", VERBS, tokens_end_on_request).needs(&["bob"]),
    case("password-reset-keep-sessions", VERBS, sign_ins_stay_on_request).needs(&["bob"]),
    case("password-reset-letter-case", VERBS, a_name_the_login_never_finds_is_exit_10)
        .needs(&["john"])
        .without(&["jane"]),
    case("password-reset-fix-name", VERBS, the_name_is_mended_on_request).needs(&["john"]),
    case("password-reset-generate", VERBS, a_generated_password_signs_in).needs(&["bob"]),
    case("password-reset-unusual", VERBS, an_unusual_password_signs_in).needs(&["bob"]),
    case("password-reset-other-provider", VERBS, an_account_of_another_provider_is_refused).needs(&["olga", "leo"]),
    case("password-reset-ambiguous", VERBS, a_name_of_two_is_refused).needs(&["maria", "maria-sso"]),
    case("password-reset-disabled", VERBS, a_disabled_account_is_exit_10).needs(&["dora"]),
    case("password-reset-expired", VERBS, an_expired_account_is_exit_10).needs(&["eve"]),
    case("password-reset-deleted", VERBS, a_deleted_account_is_not_let_in_in_silence).needs(&["fred"]),
    case("password-reset-none-yet", VERBS, somebody_without_a_password_gets_one).needs(&["nora"]),
    case("password-reset-unreadable", VERBS, an_unreadable_hash_is_replaced).needs(&["ursel"]),
    case("password-reset-non-ascii", VERBS, a_name_beyond_ascii_is_found).needs(&["juergen"]),
    case("password-reset-mfa", VERBS, a_second_factor_stays).needs(&["tina"]),
    case("password-reset-dry-run", VERBS, a_dry_run_writes_nothing).needs(&["bob"]),
    case("password-reset-unconfirmed", VERBS, nothing_is_written_without_a_yes).needs(&["bob"]),
    case("password-reset-nobody", VERBS, nobody_is_not_found),
    case("password-reset-twice", VERBS, undo_goes_back_one_at_a_time).needs(&["bob"]),
    case("password-reset-stale-undo", VERBS, undo_refuses_what_has_moved).needs(&["bob"]),
];

fn reset(t: &Bench, words: &str) -> latchlift_tests::bench::Run {
    t.latchlift("password reset --password-stdin --yes --json").stdin(NEW).words(words)
}

fn old_password<'a>(t: &'a Bench, who: &str) -> Result<&'a str> {
    Ok(t.person(who).password.as_deref().ok_or("the story gives no password")?)
}

fn a_new_password_signs_in(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = reset(t, &bob.name).succeeds();
    assert_eq!(outcome.at("/results/0/ok"), true);
    assert_eq!(outcome.at("/results/0/applied"), true);
    assert_eq!(outcome.at("/results/0/sign_in/can_sign_in"), true);
    signs_in_with(t, &bob.name, NEW, old_password(t, "bob")?);
    hashed_as_the_facts_say(t, &bob.name);
    assert_eq!(sessions(t, "bob"), 0, "sign-ins are left");
    keeps_tokens(t, "bob");
    only_records_of(t, &before, "bob");
    only_what_was_planned(t, &before, &outcome);
    crate::support::untouched_documents_keep_every_byte(t, &before);
    assert!(!outcome.stdout.contains(NEW), "the password is in the answer");
    undo_restores(t, &before);
    signs_in_with(t, &bob.name, old_password(t, "bob")?, NEW);
    assert_eq!(sessions(t, "bob"), 0, "undo brought sign-ins back");
    Ok(())
}

fn an_administrators_too(t: &Bench) -> Result<()> {
    let (before, admin) = (t.snapshot(), t.person("admin"));
    reset(t, &admin.name).succeeds();
    signs_in_with(t, &admin.name, NEW, old_password(t, "admin")?);
    only_records_of(t, &before, "admin");
    undo_restores(t, &before);
    Ok(())
}

fn tokens_end_on_request(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = reset(t, &format!("{} --tokens", t.person("bob").name)).succeeds();
    assert_eq!((sessions(t, "bob"), tokens(t, "bob")), (0, 0), "{outcome}");
    only_records_of(t, &before, "bob");
    Ok(())
}

fn sign_ins_stay_on_request(t: &Bench) -> Result<()> {
    let bob = t.person("bob");
    reset(t, &format!("{} --keep-sessions", bob.name)).succeeds();
    assert_eq!(sessions(t, "bob"), bob.sessions);
    signs_in_with(t, &bob.name, NEW, old_password(t, "bob")?);
    Ok(())
}

/// The store decides: some compare names without regard to letter case, and there the person does get in.
fn a_name_the_login_never_finds_is_exit_10(t: &Bench) -> Result<()> {
    let (before, john) = (t.snapshot(), t.person("john"));
    let outcome = reset(t, "John").outcome();
    let gets_in = t.signs_in("john", NEW) || t.signs_in("John", NEW);
    assert_eq!(outcome.code, if gets_in { 0 } else { 10 }, "{outcome}");
    assert_eq!(outcome.at("/results/0/applied"), true, "{outcome}");
    assert_eq!(outcome.at("/results/0/sign_in/can_sign_in"), gets_in, "{outcome}");
    if !gets_in {
        let codes = outcome.codes("/results/0/sign_in/reasons");
        assert!(codes.contains(&"name_case".to_owned()), "{outcome}");
        outcome.says("fix-names");
    }
    only_records_of(t, &before, "john");
    undo_restores(t, &before);
    assert_eq!(john.name, "John");
    Ok(())
}

fn the_name_is_mended_on_request(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    reset(t, "john --fix-name").succeeds();
    signs_in_with(t, "john", NEW, old_password(t, "john")?);
    undo_restores(t, &before);
    Ok(())
}

fn a_generated_password_signs_in(t: &Bench) -> Result<()> {
    let bob = t.person("bob");
    let outcome = t.latchlift("password reset --generate --yes").arg(&bob.name).succeeds();
    let password = outcome.stdout.trim_end_matches('\n');
    assert_eq!(password.chars().count(), 48, "not a password alone on stdout\n{outcome}");
    signs_in_with(t, &bob.name, password, old_password(t, "bob")?);
    let outcome = t.latchlift("password reset --generate --yes --json").arg(&bob.name).succeeds();
    let password = outcome.at("/results/0/password");
    assert!(t.signs_in(&bob.name, password.as_str().unwrap_or_default()), "{outcome}");
    Ok(())
}

fn an_unusual_password_signs_in(t: &Bench) -> Result<()> {
    let bob = t.person("bob");
    for password in ["Pässwörd mit ß ✓", "quo'te\"back\\slash$%", "-looks-like-an-option"] {
        t.latchlift("password reset --password-stdin --yes").stdin(password).arg(&bob.name).succeeds();
        assert!(t.signs_in(&bob.name, password), "{password} does not get in");
    }
    Ok(())
}

/// Unless the app lets the account in with a password of its own as well, as PhotoPrism does since 240711.
fn an_account_of_another_provider_is_refused(t: &Bench) -> Result<()> {
    for who in ["olga", "leo"] {
        let (before, name) = (t.snapshot(), t.person(who).name.as_str());
        let outcome = reset(t, name).outcome();
        if outcome.code == 0 {
            assert!(t.signs_in(name, NEW), "{who} was told to have a password, but does not get in\n{outcome}");
            undo_restores(t, &before);
        } else {
            assert_eq!(outcome.code, 4, "{outcome}");
            t.unchanged_since(&before);
        }
    }
    Ok(())
}

fn a_name_of_two_is_refused(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = reset(t, "maria").fails(3);
    let both = ["maria", "maria-sso"].map(|who| t.person(who));
    assert!(both.iter().all(|person| outcome.to_string().contains(&person.id)), "not both are named\n{outcome}");
    t.unchanged_since(&before);
    reset(t, &format!("maria --provider {}", both[0].provider)).succeeds();
    signs_in_with(t, "maria", NEW, old_password(t, "maria")?);
    undo_restores(t, &before);
    reset(t, &format!("--id {}", both[0].id)).succeeds();
    signs_in_with(t, "maria", NEW, old_password(t, "maria")?);
    Ok(())
}

/// The password is set, and the answer says why it is not enough.
fn done_but_kept_out_by(t: &Bench, who: &str, code: &str) -> Result<Outcome> {
    let before = t.snapshot();
    let outcome = reset(t, &t.person(who).name).fails(10);
    assert_eq!(outcome.at("/results/0/applied"), true, "{outcome}");
    assert_eq!(outcome.at("/results/0/sign_in/can_sign_in"), false, "{outcome}");
    let codes = outcome.codes("/results/0/sign_in/reasons");
    assert!(codes.contains(&code.to_owned()), "{code} is not among {codes:?}");
    assert!(!t.signs_in(&t.person(who).name, NEW));
    only_records_of(t, &before, who);
    undo_restores(t, &before);
    Ok(outcome)
}

fn a_disabled_account_is_exit_10(t: &Bench) -> Result<()> {
    done_but_kept_out_by(t, "dora", "disabled").map(drop)
}

fn an_expired_account_is_exit_10(t: &Bench) -> Result<()> {
    done_but_kept_out_by(t, "eve", "expired").map(drop)
}

/// Setting it, or refusing to: but the answer must not be that all is well.
fn a_deleted_account_is_not_let_in_in_silence(t: &Bench) -> Result<()> {
    let outcome = reset(t, &t.person("fred").name).outcome();
    assert!([3, 4, 10].contains(&outcome.code), "{outcome}");
    outcome.says("deleted");
    assert!(!t.signs_in(&t.person("fred").name, NEW));
    Ok(())
}

fn somebody_without_a_password_gets_one(t: &Bench) -> Result<()> {
    let (before, nora) = (t.snapshot(), t.person("nora"));
    reset(t, &nora.name).succeeds();
    assert!(t.signs_in(&nora.name, NEW));
    undo_restores(t, &before);
    assert!(!t.signs_in(&nora.name, NEW));
    Ok(())
}

fn an_unreadable_hash_is_replaced(t: &Bench) -> Result<()> {
    let (before, ursel) = (t.snapshot(), t.person("ursel"));
    reset(t, &ursel.name).succeeds();
    assert!(t.signs_in(&ursel.name, NEW));
    undo_restores(t, &before);
    Ok(())
}

fn a_name_beyond_ascii_is_found(t: &Bench) -> Result<()> {
    let name = t.person("juergen").name.to_uppercase();
    reset(t, &name).succeeds();
    signs_in_with(t, &t.person("juergen").name, NEW, old_password(t, "juergen")?);
    Ok(())
}

fn a_second_factor_stays(t: &Bench) -> Result<()> {
    let tina = t.person("tina");
    let outcome = reset(t, &tina.name).succeeds();
    let codes = outcome.codes("/results/0/sign_in/reasons");
    assert!(codes.contains(&"mfa".to_owned()), "the second factor is not mentioned\n{outcome}");
    signs_in_with(t, &tina.name, NEW, old_password(t, "tina")?);
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let outcome = t.latchlift("password reset --generate --dry-run --json").arg(&bob.name).succeeds();
    assert_eq!(outcome.at("/results/0/applied"), false);
    assert!(!crate::support::planned_changes(&outcome).is_empty(), "the plan is not shown\n{outcome}");
    t.unchanged_since(&before);
    let history = rows(&t.bare("history list --json").succeeds(), "entries");
    assert!(history.is_empty(), "a dry run is in the journal: {history:?}");
    Ok(())
}

fn nothing_is_written_without_a_yes(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("password reset --password-stdin").stdin(NEW).arg(&t.person("bob").name).outcome();
    assert!([2, 4].contains(&outcome.code), "{outcome}");
    outcome.says("--yes");
    t.unchanged_since(&before);
    Ok(())
}

fn nobody_is_not_found(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    reset(t, "nobody-has-this-name").fails(3);
    t.unchanged_since(&before);
    Ok(())
}

fn undo_goes_back_one_at_a_time(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    reset(t, &bob.name).succeeds();
    let second = "Second-horse#2026";
    t.latchlift("password reset --password-stdin --yes").stdin(second).arg(&bob.name).succeeds();
    signs_in_with(t, &bob.name, second, NEW);
    t.latchlift("undo --yes").succeeds();
    signs_in_with(t, &bob.name, NEW, second);
    undo_restores(t, &before);
    signs_in_with(t, &bob.name, old_password(t, "bob")?, NEW);
    let listed = rows(&t.bare("history list --json").succeeds(), "entries");
    assert_eq!(listed.len(), 4, "{listed:?}");
    t.latchlift("undo --yes").fails(3);
    Ok(())
}

/// Somebody changed the password since: taking the older change back would undo theirs.
fn undo_refuses_what_has_moved(t: &Bench) -> Result<()> {
    let bob = t.person("bob");
    let first = reset(t, &bob.name).succeeds();
    let entry = first.at("/results/0/entry");
    let entry = entry.as_str().ok_or("no entry")?;
    t.latchlift("password reset --password-stdin --yes").stdin("Second-horse#2026").arg(&bob.name).succeeds();
    let before = t.snapshot();
    t.latchlift("undo --yes").arg(entry).fails(5);
    t.unchanged_since(&before);
    Ok(())
}
