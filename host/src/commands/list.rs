//! Commands that read: one question to every selected instance, one list as the answer.

use super::{Exit, hints, rows};
use crate::context::{Instance, Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::output::List;
use crate::ui;
use latchlift_plugin_api::{Account, Batch, Options, Reason, Request, Session, Target};
use serde::Serialize;
use std::rc::Rc;

/// Rows with the instance they came from, and the instances that failed.
pub struct Gathered<T> {
    /// The rows.
    pub rows: Vec<(Rc<str>, T)>,
    /// What failed, by instance.
    pub errors: Vec<(String, Error)>,
    /// How many instances were asked.
    pub asked: usize,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Gathered { rows: vec![], errors: vec![], asked: 0 }
    }
}

/// Asks every selected instance, and takes the rows that `take` makes of each batch.
///
/// An instance that has no such verb is passed over unless it was named.
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn gather<T>(run: &Run, request: &Request, mut take: impl FnMut(Batch) -> Vec<T>) -> Result<Gathered<T>> {
    let instances = run.selected()?;
    let named = run.names_instances();
    let mut gathered = Gathered::default();
    let mut unsupported = None;
    for instance in &instances {
        let name: Rc<str> = instance.name().into();
        let asked = Opened::open(run, instance).and_then(|opened| {
            let mut rows = Vec::new();
            opened.read(run, request.clone(), &mut |batch| {
                rows.extend(take(batch).into_iter().map(|row| (Rc::clone(&name), row)));
                Ok(())
            })?;
            Ok(rows)
        });
        match asked {
            Ok(rows) => gathered.rows.extend(rows),
            Err(error) if error.kind == Kind::Unsupported && !named && instances.len() > 1 => {
                run.ui.detail(format!("{name}: {error}"));
                unsupported = Some(error);
                continue;
            }
            Err(error) => gathered.errors.push((name.to_string(), error)),
        }
        gathered.asked += 1;
    }
    match (gathered.asked, unsupported) {
        (0, Some(error)) => Err(error),
        (1, _) if gathered.errors.len() == 1 => Err(gathered.errors.remove(0).1),
        _ => Ok(gathered),
    }
}

/// Prints a list and what failed; gives the exit code.
pub fn finish<T: Serialize>(run: &Run, list: &List<'_, T>, asked: usize, empty: &str) -> Exit {
    list.print(run.ui.format);
    if !run.ui.json() {
        for (app, error) in list.errors {
            ui::error(&error.clone().context(app), false);
        }
        if list.rows.is_empty() && asked > 0 && list.errors.is_empty() {
            run.ui.say(empty);
        }
    }
    if list.errors.is_empty() { 0 } else { Kind::SomeFailed.exit() }
}

fn limited<T>(rows: &mut Vec<T>, limit: Option<usize>) {
    if let Some(limit) = limit {
        rows.truncate(limit);
    }
}

/// `user list`
///
/// # Errors
/// As [`gather`].
pub fn accounts(run: &Run, search: Option<String>, options: Options, limit: Option<usize>) -> Result<Exit> {
    let wanted = search.map(|search| search.to_lowercase());
    let request = run.request("user.list", options.clone());
    let mut gathered = gather(run, &request, |batch| match batch {
        Batch::Accounts(accounts) => {
            let shown = |account: &Account| {
                (options.deleted || !account.is_deleted())
                    && (options.system || !account.system)
                    && wanted.as_ref().is_none_or(|wanted| matches(account, wanted))
            };
            accounts.into_iter().filter(shown).collect()
        }
        _ => vec![],
    })?;
    limited(&mut gathered.rows, limit);
    let list = rows::list("accounts", (rows::ACCOUNTS, rows::account), &gathered.rows, &gathered.errors);
    let code = finish(run, &list, gathered.asked, "no accounts");
    hint_show(run, &gathered.rows);
    Ok(code)
}

/// The reasons are long; the list shows their codes, and says once where the rest is.
fn hint_show(run: &Run, rows: &[(Rc<str>, Account)]) {
    if run.ui.format == crate::cli::Format::Table {
        let locked = rows.iter().find(|(_, account)| account.can_sign_in.value() == Some(&false) && !account.is_deleted());
        if let Some((app, account)) = locked {
            let name = account.name.value().cloned().unwrap_or_else(|| format!("--id={}", account.id));
            let command = ["latchlift", "user", "show", &name, "--app", app].map(str::to_owned);
            run.ui.say(format!("\nwhy, and what mends it: {}", ui::escaped(&pasted(&command))));
        }
    }
}

/// Whether an account is meant by a search: part of its name, e-mail, display name, or its id; letter case aside.
fn matches(account: &Account, wanted: &str) -> bool {
    let texts = [&account.name, &account.email, &account.display_name];
    let found = texts.iter().filter_map(|text| text.value()).any(|text| text.to_lowercase().contains(wanted));
    found || account.id.eq_ignore_ascii_case(wanted)
}

/// A command as a person pastes it.
pub fn pasted(command: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%".contains(c);
    let words = command.iter().map(|word| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `user show`
///
/// # Errors
/// As [`gather`]; [`Kind::NotFound`] where no instance has such an account.
pub fn show_account(run: &Run, target: Target, options: Options) -> Result<Exit> {
    let request = Request { target: Some(target.clone()), ..run.request("user.show", options) };
    let mut gathered = Gathered::default();
    for instance in &run.selected()? {
        gathered.asked += 1;
        let name: Rc<str> = instance.name().into();
        match accounts_of(run, instance, &request, &target) {
            Ok(accounts) => gathered.rows.extend(accounts.into_iter().map(|account| (Rc::clone(&name), account))),
            Err(error) => gathered.errors.push((name.to_string(), error)),
        }
    }
    if let ([], [(_, only)]) = (gathered.rows.as_slice(), gathered.errors.as_slice()) {
        return Err(only.clone());
    }
    // Among several instances, one that has no such account is no failure as long as another has.
    if !gathered.rows.is_empty() {
        gathered.errors.retain(|(_, error)| error.kind != Kind::NotFound);
    } else if gathered.errors.iter().all(|(_, error)| error.kind == Kind::NotFound) {
        let none = Error::new(Kind::NotFound, format!("no instance has an account named `{}`", target.name));
        return Err(gathered.errors.into_iter().next().map_or(none, |(_, error)| error));
    }
    if run.ui.format != crate::cli::Format::Table {
        let list = rows::list("accounts", (rows::ACCOUNTS, rows::account), &gathered.rows, &gathered.errors);
        return Ok(finish(run, &list, gathered.asked, "no accounts"));
    }
    let text: Vec<String> = gathered.rows.iter().map(|(app, account)| portrait(app, account)).collect();
    ui::answer(&text.join("\n"));
    gathered.errors.iter().for_each(|(app, error)| ui::error(&error.clone().context(app), false));
    Ok(if gathered.errors.is_empty() { 0 } else { Kind::SomeFailed.exit() })
}

fn accounts_of(run: &Run, instance: &Instance, request: &Request, target: &Target) -> Result<Vec<Account>> {
    let opened = Opened::open(run, instance)?;
    let mut found = Vec::new();
    let asked = opened.read(run, request.clone(), &mut |batch| {
        if let Batch::Accounts(accounts) = batch {
            found.extend(accounts);
        }
        Ok(())
    });
    asked.map_err(|error| hints::about_account(run, &opened, Some(target), error))?;
    Ok(found)
}

/// One account, spelled out.
fn portrait(app: &str, account: &Account) -> String {
    let json = serde_json::to_value(account).unwrap_or_default();
    let mut lines = vec![format!("app            {app}")];
    let hidden = ["reasons", "extra", "system"];
    for (field, value) in json.as_object().into_iter().flatten().filter(|(field, _)| !hidden.contains(&field.as_str())) {
        lines.push(format!("{:<14} {}", field.replace('_', " "), plain(value)));
    }
    for (field, value) in &account.extra {
        lines.push(format!("{:<14} {}", field.replace('_', " "), ui::escaped(value)));
    }
    lines.extend(account.reasons.iter().flat_map(reason_lines));
    lines.join("\n") + "\n"
}

/// A reason and its cure, as lines.
pub fn reason_lines(reason: &Reason) -> Vec<String> {
    let word = if reason.blocking { "cannot sign in" } else { "note" };
    let mut lines = vec![format!("{word}: {}", ui::escaped(&reason.message))];
    if !reason.fix.is_empty() {
        lines.push(format!("  mend it with: {}", ui::escaped(&pasted(&reason.fix))));
    }
    lines
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        serde_json::Value::String(text) => ui::escaped(text),
        serde_json::Value::Array(items) if items.is_empty() => "none".to_owned(),
        serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn of_account(user: Option<String>) -> Option<Target> {
    user.map(|name| Target { name, ..Target::default() })
}

/// `session list`
///
/// # Errors
/// As [`gather`].
pub fn sessions(run: &Run, user: Option<String>, options: Options, limit: Option<usize>) -> Result<Exit> {
    let only_expired = options.expired;
    let request = Request { target: of_account(user), ..run.request("session.list", options) };
    let mut gathered = gather(run, &request, |batch| match batch {
        Batch::Sessions(rows) => rows.into_iter().filter(|row| !only_expired || row.expired).collect(),
        _ => vec![],
    })?;
    limited(&mut gathered.rows, limit);
    let list = rows::list("sessions", (rows::SESSIONS, rows::session), &gathered.rows, &gathered.errors);
    Ok(finish(run, &list, gathered.asked, "no sessions"))
}

/// `session show`: the one of that id.
///
/// # Errors
/// As [`gather`]; [`Kind::NotFound`] where there is none.
pub fn session(run: &Run, id: String) -> Result<Exit> {
    let request = run.request("session.list", Options { system: true, ..Options::default() });
    let gathered = gather(run, &request, |batch| match batch {
        Batch::Sessions(rows) => rows.into_iter().filter(|row: &Session| row.id == id).collect(),
        _ => vec![],
    })?;
    if gathered.rows.is_empty() && gathered.errors.is_empty() {
        return Err(Error::new(Kind::NotFound, format!("there is no session `{id}`"))
            .help("see them with `latchlift session list`"));
    }
    let list = rows::list("sessions", (rows::SESSIONS, rows::session), &gathered.rows, &gathered.errors);
    Ok(finish(run, &list, gathered.asked, "no sessions"))
}

/// `token list`
///
/// # Errors
/// As [`gather`].
pub fn tokens(run: &Run, user: Option<String>, limit: Option<usize>) -> Result<Exit> {
    let request = Request { target: of_account(user), ..run.request("token.list", Options::default()) };
    session_like(run, &request, "tokens", limit)
}

/// `client list`: clients are listed with the columns of tokens.
///
/// # Errors
/// As [`gather`].
pub fn tokens_of(run: &Run, verb: &str, name: &str, limit: Option<usize>) -> Result<Exit> {
    session_like(run, &run.request(verb, Options::default()), name, limit)
}

fn session_like(run: &Run, request: &Request, name: &str, limit: Option<usize>) -> Result<Exit> {
    let mut gathered = gather(run, request, |batch| match batch {
        Batch::Tokens(rows) | Batch::Sessions(rows) => rows,
        _ => vec![],
    })?;
    limited(&mut gathered.rows, limit);
    let list = rows::list(name, (rows::SESSIONS, rows::session), &gathered.rows, &gathered.errors);
    Ok(finish(run, &list, gathered.asked, &format!("no {name}")))
}

/// A read verb of which nothing but its support is known yet.
///
/// # Errors
/// Always: the plugin's reason.
pub fn unsupported_read(run: &Run, verb: &str, id: &str) -> Result<Exit> {
    let request = Request { ids: vec![id.to_owned()], ..run.request(verb, Options::default()) };
    session_like(run, &request, "clients", None)
}

/// `mfa status`
///
/// # Errors
/// As [`gather`].
pub fn mfa(run: &Run, user: Option<String>, options: Options) -> Result<Exit> {
    let request = Request { target: of_account(user), ..run.request("mfa.status", options) };
    let gathered = gather(run, &request, |batch| match batch {
        Batch::Mfa(rows) => rows,
        _ => vec![],
    })?;
    let list = rows::list("mfa", (rows::MFA, rows::mfa), &gathered.rows, &gathered.errors);
    Ok(finish(run, &list, gathered.asked, "nobody has a second factor"))
}

/// `login list`
///
/// # Errors
/// As [`gather`].
pub fn logins(run: &Run, user: Option<String>, limit: Option<usize>) -> Result<Exit> {
    let request = Request { target: of_account(user), ..run.request("login.list", Options::default()) };
    let mut gathered = gather(run, &request, |batch| match batch {
        Batch::Logins(rows) => rows,
        _ => vec![],
    })?;
    limited(&mut gathered.rows, limit);
    let list = rows::list("logins", (rows::LOGINS, rows::login), &gathered.rows, &gathered.errors);
    Ok(finish(run, &list, gathered.asked, "no sign-ins on record"))
}

/// `ban list`
///
/// # Errors
/// As [`gather`].
pub fn bans(run: &Run, limit: Option<usize>) -> Result<Exit> {
    let mut gathered = gather(run, &run.request("ban.list", Options::default()), |batch| match batch {
        Batch::Bans(rows) => rows,
        _ => vec![],
    })?;
    limited(&mut gathered.rows, limit);
    let list = rows::list("bans", (rows::BANS, rows::ban), &gathered.rows, &gathered.errors);
    Ok(finish(run, &list, gathered.asked, "no address is refused"))
}

/// `invite list`
///
/// # Errors
/// As [`gather`].
pub fn invites(run: &Run, limit: Option<usize>) -> Result<Exit> {
    let mut gathered = gather(run, &run.request("invite.list", Options::default()), |batch| match batch {
        Batch::Invites(rows) => rows,
        _ => vec![],
    })?;
    limited(&mut gathered.rows, limit);
    let list = rows::list("invites", (rows::INVITES, rows::invite), &gathered.rows, &gathered.errors);
    Ok(finish(run, &list, gathered.asked, "no invitations"))
}
