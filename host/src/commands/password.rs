//! `password check`: whether a name and password would get in, as the app's own login would decide.

use super::list::reason_lines;
use super::{Exit, change, hints};
use crate::cli::OldPassword;
use crate::context::{Instance, Opened, Run};
use crate::error::{Kind, Result};
use crate::kdf::{Purpose, Vault};
use crate::secret::{self, Password, Source};
use crate::ui;
use latchlift_plugin_api::{Batch, Known, Options, Request, Target, Verdict};
use serde_json::json;

/// `password check`
///
/// # Errors
/// The app cannot be asked. A wrong password is no error but exit code 10.
pub fn check(run: &Run, target: Target, source: OldPassword) -> Result<Exit> {
    let source = match source.password_file {
        _ if source.password_stdin => Source::Stdin,
        Some(path) => Source::File(path),
        None => Source::Prompt,
    };
    let instances = run.selected()?;
    let name = if target.name.is_empty() { target.id.clone().unwrap_or_default() } else { target.name.clone() };
    let password = secret::read(&source, &name, run.ui.can_ask)?;
    let mut verdicts = Vec::new();
    for instance in &instances {
        verdicts.push((instance.name().to_owned(), verdict(run, instance, &target, &password)));
    }
    if let [(_, Err(error))] = verdicts.as_slice() {
        return Err(error.clone());
    }
    let lets_in = |verdict: &Result<Verdict>| matches!(verdict, Ok(verdict) if verdict.can_sign_in == Known::Is(true));
    let code = match verdicts.iter().all(|(_, verdict)| lets_in(verdict)) {
        true => 0,
        false if verdicts.iter().any(|(_, verdict)| verdict.is_err()) => Kind::SomeFailed.exit(),
        false => Kind::No.exit(),
    };
    match run.ui.json() {
        true => change::print_results(verdicts.into_iter().map(|(app, verdict)| to_json(&app, verdict)).collect()),
        false => verdicts.iter().for_each(|(app, verdict)| say(app, &name, verdict)),
    }
    Ok(code)
}

fn verdict(run: &Run, instance: &Instance, target: &Target, password: &Password) -> Result<Verdict> {
    let opened = Opened::open(run, instance)?;
    opened.supports("password.check")?;
    let mut vault = Vault::default();
    let handle = vault.add(&password.text, opened.facts(), Purpose::Check)?;
    let mut request = run.request("password.check", Options::default());
    request = Request { target: Some(target.clone()), password: Some(handle), ..request };
    let mut found = Verdict::default();
    let asked = opened.read_with(request, &vault, &mut |batch| {
        if let Batch::Verdict(verdict) = batch {
            found = verdict;
        }
        Ok(())
    });
    asked.map_err(|error| hints::about_account(run, &opened, Some(target), error))?;
    Ok(found)
}

fn say(app: &str, name: &str, verdict: &Result<Verdict>) {
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(error) => return ui::error(&error.clone().context(app), false),
    };
    let name = ui::escaped(name);
    let mut lines = vec![match (&verdict.can_sign_in, verdict.matches) {
        (Known::Is(true), _) => format!("{app}: yes, {name} gets in with this password"),
        (known, true) if *known != Known::Is(false) => {
            format!("{app}: the password is right; whether {name} gets in cannot be told")
        }
        (_, true) => format!("{app}: no, the password is right but {name} does not get in"),
        (_, false) => format!("{app}: no, {name} does not get in with this password"),
    }];
    lines.extend(verdict.reasons.iter().flat_map(reason_lines).map(|line| format!("  {line}")));
    ui::answer(&lines.join("\n"));
}

fn to_json(app: &str, verdict: Result<Verdict>) -> serde_json::Value {
    match verdict {
        Err(error) => json!({ "app": app, "ok": false, "error": ui::error_json(&error) }),
        Ok(verdict) => {
            // As after a change: what holds for the account with its right password. `matches` is about this password.
            let can_sign_in = verdict.account.as_ref().map_or(&verdict.can_sign_in, |account| &account.can_sign_in);
            json!({
                "app": app, "ok": true, "changed": false, "applied": false, "matches": verdict.matches,
                "sign_in": { "can_sign_in": can_sign_in, "reasons": verdict.reasons },
                "account": verdict.account.as_ref().map(|account| json!({ "id": account.id, "name": account.name })),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchlift_plugin_api::Account;

    #[test]
    fn a_wrong_password_says_nothing_against_the_account() {
        let account = Account { id: "1".to_owned(), can_sign_in: true.into(), ..Account::default() };
        let verdict = Verdict { account: Some(Box::new(account)), can_sign_in: false.into(), ..Verdict::default() };
        let json = to_json("homarr", Ok(verdict));
        assert_eq!((&json["matches"], &json["sign_in"]["can_sign_in"]), (&false.into(), &true.into()));
        let nobody = to_json("homarr", Ok(Verdict { can_sign_in: false.into(), ..Verdict::default() }));
        assert_eq!((&nobody["account"], &nobody["sign_in"]["can_sign_in"]), (&json!(null), &false.into()));
    }
}
