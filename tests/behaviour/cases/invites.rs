//! `invite list`, `invite revoke`: who may make an account, and who no longer.

use super::{Case, case};
use crate::support::{only_records_of, only_what_was_planned, rows};
use latchlift_tests::Result;
use latchlift_tests::apps::Role;
use latchlift_tests::bench::{Bench, listed};

const LIST: &[&str] = &["invite.list"];
const REVOKE: &[&str] = &["invite.revoke"];

pub const CASES: &[Case] = &[
    case("invite-list", LIST, every_invitation_is_listed_without_its_secret).needs(&["bob"]),
    case("invite-revoke", REVOKE, ones_invitations_are_taken_back).needs(&["bob"]),
    case("invite-revoke-id", &["invite.list", "invite.revoke"], one_invitation_is_taken_back).needs(&["bob"]),
    case("invite-revoke-expired", &["invite.list", "invite.revoke"], only_ended_invitations_go).needs(&["bob"]),
    case("invite-revoke-all", REVOKE, everybodys_invitations_are_taken_back).needs(&["bob"]),
    case("invite-revoke-none", REVOKE, nobody_has_made_any).needs(&["juergen"]),
    case("invite-revoke-dry-run", REVOKE, a_dry_run_writes_nothing).needs(&["bob"]),
];

fn made_by(t: &Bench, who: &str) -> usize {
    t.app.count(&t.snapshot().dump, t.person(who), Role::Invite)
}

fn every_invitation_is_listed_without_its_secret(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("invite list --json").succeeds();
    let invites = rows(&outcome, "invites");
    for person in t.app.people() {
        let own = invites.iter().filter(|row| row["account_id"] == person.id.as_str()).count();
        assert_eq!(own, t.app.count(&before.dump, person, Role::Invite), "of {}\n{outcome}", person.who);
    }
    let bobs: Vec<_> = invites.iter().filter(|row| row["account_id"] == t.person("bob").id.as_str()).collect();
    assert!(
        bobs.iter().any(|row| row["expired"] == true) && bobs.iter().any(|row| row["expired"] == false),
        "{outcome}"
    );
    assert!(bobs.iter().all(|row| row["account"] == "bob" && row["expires_at"].is_string()), "{outcome}");
    let tokens = before.dump.rows("invite").iter().filter_map(|row| row.get("token"));
    let leaked: Vec<&String> = tokens.filter(|token| outcome.to_string().contains(token.trim_matches('\''))).collect();
    assert!(leaked.is_empty(), "secrets are shown: {leaked:?}");
    t.unchanged_since(&before);
    Ok(())
}

fn ones_invitations_are_taken_back(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("invite revoke --yes --json").arg(&t.person("bob").name).succeeds();
    assert_eq!(made_by(t, "bob"), 0, "{outcome}");
    only_records_of(t, &before, "bob");
    only_what_was_planned(t, &before, &outcome);
    Ok(())
}

fn one_invitation_is_taken_back(t: &Bench) -> Result<()> {
    let (before, bob) = (t.snapshot(), t.person("bob"));
    let invites = rows(&t.latchlift("invite list --json").succeeds(), "invites");
    let one = invites.iter().find(|row| row["account_id"] == bob.id.as_str()).ok_or("bob made none")?;
    t.latchlift("invite revoke --yes --json --id").arg(one["id"].as_str().ok_or("no id")?).succeeds();
    let changes = t.changes_since(&before);
    assert!(changes.len() == 1 && changes[0].is_gone() && t.app.belongs(&changes[0], bob), "{}", listed(&changes));
    t.latchlift("invite revoke --yes --id no-such-id").fails(3);
    assert_eq!(t.changes_since(&before).len(), 1, "an unknown id took something");
    Ok(())
}

fn only_ended_invitations_go(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let ended = |t: &Bench| -> (usize, usize) {
        let invites = rows(&t.latchlift("invite list --json").succeeds(), "invites");
        let ended = invites.iter().filter(|row| row["expired"] == true).count();
        (ended, invites.len() - ended)
    };
    let (some, living) = ended(t);
    assert!(some > 0 && living > 0, "{some} ended, {living} not");
    t.latchlift("invite revoke --expired --yes --json").succeeds();
    assert_eq!(ended(t), (0, living));
    assert_eq!(t.changes_since(&before).len(), some);
    Ok(())
}

fn everybodys_invitations_are_taken_back(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("invite revoke --all --yes --json").succeeds();
    assert!(t.app.people().iter().all(|person| made_by(t, person.who) == 0), "invitations are left");
    let others: Vec<_> =
        t.changes_since(&before).into_iter().filter(|change| t.app.role(change) != Role::Invite).collect();
    assert!(others.is_empty(), "more than invitations changed:\n{}", listed(&others));
    Ok(())
}

fn nobody_has_made_any(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    let outcome = t.latchlift("invite revoke --yes --json").arg(&t.person("juergen").name).succeeds();
    assert_eq!(outcome.at("/results/0/changed"), false, "{outcome}");
    t.unchanged_since(&before);
    Ok(())
}

fn a_dry_run_writes_nothing(t: &Bench) -> Result<()> {
    let before = t.snapshot();
    t.latchlift("invite revoke --all --dry-run").succeeds();
    t.unchanged_since(&before);
    Ok(())
}
