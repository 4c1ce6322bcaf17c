//! Commands that read: one question to every selected instance, one list as the answer.

mod ask;

use self::ask::{Question, ask, conclude, in_none};
use super::{Exit, hints, rows};
use crate::context::{Instance, Opened, Run};
use crate::error::{Error, Kind, Result};
use crate::output::{List, Shape};
use crate::ui;
use latchlift_plugin_api::{Account, Batch, Options, Reason, Request, Session, Target, reason};
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

/// Prints a list and what failed; gives the exit code.
pub fn finish<T: Serialize>(run: &Run, list: &List<'_, T>, asked: usize, empty: &str) -> Exit {
    list.print(run.ui.format);
    conclude(run, list.errors, asked, list.rows.is_empty().then_some(empty))
}

/// `user list`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn accounts(run: &Run, search: Option<String>, options: Options, limit: Option<usize>) -> Result<Exit> {
    let wanted = search.map(|search| search.to_lowercase());
    let Options { deleted, system, .. } = options;
    // A plugin knows by which other ids its app's people search.
    let ids = wanted.iter().cloned().collect();
    let request = Request { ids, ..run.request("user.list", options) };
    let empty = if wanted.is_some() { "no account matches" } else { "no accounts" };
    let question = Question { request, shape: rows::ACCOUNTS, limit, empty, missing: None };
    let shown = |account: &Account| {
        (deleted || !account.is_deleted())
            && (system || !account.system)
            && wanted.as_ref().is_none_or(|wanted| matches(account, wanted))
    };
    let take = |batch| match batch {
        Batch::Accounts(mut accounts) => {
            accounts.retain(shown);
            accounts
        }
        _ => vec![],
    };
    let mut locked_out = None;
    let code = ask(run, question, take, |instance, account| {
        let meant_to = !account.is_deleted() && !account.system;
        if locked_out.is_none() && account.can_sign_in.value() == Some(&false) && meant_to {
            locked_out = Some(show_command(run, instance, account));
        }
    })?;
    // The reasons are long; a table shows their codes, and says once where the rest is.
    if let (Some(command), crate::cli::Format::Table) = (locked_out, run.ui.format) {
        run.ui.say(format!("\nwhy, and what mends it: {}", ui::escaped(&ui::pasted(&command))));
    }
    Ok(code)
}

fn show_command(run: &Run, instance: &Instance, account: &Account) -> Vec<String> {
    let name = account.name.value().cloned().unwrap_or_else(|| format!("--id={}", account.id));
    let command = ["latchlift", "user", "show", &name].map(str::to_owned).into_iter();
    command.chain(instance.flags(&run.global)).collect()
}

/// Whether an account is meant by a search: part of its name, e-mail, display name, or one of its ids; letter case aside.
fn matches(account: &Account, wanted: &str) -> bool {
    let texts = [&account.name, &account.email, &account.display_name];
    let found = texts.iter().filter_map(|text| text.value()).any(|text| text.to_lowercase().contains(wanted));
    let row = account.extra.get("row_id").is_some_and(|row| row == wanted);
    found || row || account.id.eq_ignore_ascii_case(wanted)
}

/// `user show`
///
/// # Errors
/// The only instance asked failed; [`Kind::NotFound`] where no instance has such an account.
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
        return Err(in_none(&target));
    }
    if run.ui.format != crate::cli::Format::Table {
        let Shape { name, headings, cells } = rows::ACCOUNTS;
        let list = List { name, rows: &gathered.rows, errors: &gathered.errors, headings, cells };
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
    for (field, value) in json.as_object().into_iter().flatten().filter(|(field, _)| !hidden.contains(&field.as_str()))
    {
        let unknown = field == "can_sign_in" && value.is_null();
        let shown = match (unknown, is_up_to_another(account)) {
            (true, true) => "unknown: another system decides".to_owned(),
            (true, false) => "unknown".to_owned(),
            _ => plain(value),
        };
        lines.push(format!("{:<14} {shown}", field.replace('_', " ")));
    }
    for (field, value) in &account.extra {
        lines.push(format!("{:<14} {}", field.replace('_', " "), ui::escaped(value)));
    }
    lines.extend(account.reasons.iter().flat_map(reason_lines));
    lines.join("\n") + "\n"
}

/// Whether it is another system that decides if the account can sign in, where that is not known.
pub fn is_up_to_another(account: &Account) -> bool {
    account.reasons.is_empty() || account.reasons.iter().any(|reason| reason.code == reason::PROVIDER)
}

/// A reason and its cure, as lines.
pub fn reason_lines(reason: &Reason) -> Vec<String> {
    let word = if reason.blocking { "cannot sign in" } else { "note" };
    let mut lines = vec![format!("{word}: {}", ui::escaped(&reason.message))];
    if !reason.fix.is_empty() {
        lines.push(format!("  mend it with: {}", ui::escaped(&ui::pasted(&reason.fix))));
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

/// `session list`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn sessions(run: &Run, target: Option<Target>, options: Options, limit: Option<usize>) -> Result<Exit> {
    let only_expired = options.expired;
    let request = Request { target, ..run.request("session.list", options) };
    let question = Question { request, shape: rows::SESSIONS, limit, empty: "no sessions", missing: None };
    let take = |batch| match batch {
        Batch::Sessions(mut rows) => {
            rows.retain(|row| !only_expired || row.expired);
            rows
        }
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}

/// `session show`
///
/// # Errors
/// The only instance asked failed, or none has the verb; [`Kind::NotFound`] where there is none.
pub fn session(run: &Run, id: &str) -> Result<Exit> {
    let (request, missing) = by_id(run, "session.show", id, "session")?;
    let question = Question { request, shape: rows::SESSIONS, limit: None, empty: "no sessions", missing };
    let take = |batch| match batch {
        Batch::Sessions(rows) => rows,
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}

/// The question for one row by its id, and the failure that no row is. An id from standard input is not repeated.
fn by_id(run: &Run, verb: &str, id: &str, noun: &str) -> Result<(Request, Option<Error>)> {
    let ids = crate::secret::ids(vec![id.to_owned()])?;
    let meant = if id == "-" { "that was given".to_owned() } else { format!("`{id}`") };
    let missing = Error::new(Kind::NotFound, format!("there is no {noun} {meant}"));
    let missing = missing.help(format!("see them with `latchlift {noun} list`"));
    Ok((Request { ids, ..run.request(verb, Options::default()) }, Some(missing)))
}

/// `token list`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn tokens(run: &Run, target: Option<Target>, options: Options, limit: Option<usize>) -> Result<Exit> {
    let only_expired = options.expired;
    let request = Request { target, ..run.request("token.list", options) };
    let shape = Shape { name: "tokens", ..rows::SESSIONS };
    let question = Question { request, shape, limit, empty: "no tokens", missing: None };
    let take = |batch| match batch {
        Batch::Tokens(mut rows) => {
            rows.retain(|row: &Session| !only_expired || row.expired);
            rows
        }
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}

/// `client list`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn clients(run: &Run, limit: Option<usize>) -> Result<Exit> {
    clients_of(run, run.request("client.list", Options::default()), limit, None)
}

/// `client show`
///
/// # Errors
/// The only instance asked failed, or none has the verb; [`Kind::NotFound`] where there is none.
pub fn client(run: &Run, id: &str) -> Result<Exit> {
    let (request, missing) = by_id(run, "client.show", id, "client")?;
    clients_of(run, request, None, missing)
}

fn clients_of(run: &Run, request: Request, limit: Option<usize>, missing: Option<Error>) -> Result<Exit> {
    let question = Question { request, shape: rows::CLIENTS, limit, empty: "no clients", missing };
    let take = |batch| match batch {
        Batch::Clients(rows) => rows,
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}

/// `mfa status`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn mfa(run: &Run, target: Option<Target>, options: Options) -> Result<Exit> {
    let request = Request { target, ..run.request("mfa.status", options) };
    let question =
        Question { request, shape: rows::MFA, limit: None, empty: "nobody has a second factor", missing: None };
    let take = |batch| match batch {
        Batch::Mfa(rows) => rows,
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}

/// `login list`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn logins(run: &Run, target: Option<Target>, limit: Option<usize>) -> Result<Exit> {
    let request = Request { target, ..run.request("login.list", Options::default()) };
    let question = Question { request, shape: rows::LOGINS, limit, empty: "no sign-ins on record", missing: None };
    let take = |batch| match batch {
        Batch::Logins(rows) => rows,
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}

/// `ban list`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn bans(run: &Run, limit: Option<usize>) -> Result<Exit> {
    let request = run.request("ban.list", Options::default());
    let question = Question { request, shape: rows::BANS, limit, empty: "no address is refused", missing: None };
    let take = |batch| match batch {
        Batch::Bans(rows) => rows,
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}

/// `invite list`
///
/// # Errors
/// The only instance asked failed, or none has the verb.
pub fn invites(run: &Run, limit: Option<usize>) -> Result<Exit> {
    let request = run.request("invite.list", Options::default());
    let question = Question { request, shape: rows::INVITES, limit, empty: "no invitations", missing: None };
    let take = |batch| match batch {
        Batch::Invites(rows) => rows,
        _ => vec![],
    };
    ask(run, question, take, |_, _| ())
}
