//! `login list` and `login clear`.
//!
//! Editions Plus and Pro keep the newest sign-in and failure per address, name and way in. Where that table is missing,
//! what the accounts and their sign-ins tell is shown instead.

use crate::find;
use crate::names;
use crate::schema::{self, Columns, LOGINS, Layout, SESSIONS, USERS};
use crate::sessions;
use crate::user::User;
use crate::verbs::newest::newest_first;
use latchlift_plugin_api::{
    Batch, Change, Context, Error, Filter, Kind, Known, Login, Output, Plan, Reader, Record, Request, Result, Select,
    Time, Value,
};

/// Why other editions have no list to clear.
pub const NO_TABLE: &str = "this PhotoPrism keeps no table of sign-ins; only the editions Plus and Pro have one";
/// What the newest sign-ins are shown from where there is no such table.
const INSTEAD: &str = "this PhotoPrism keeps no table of sign-ins, which only Plus and Pro have: these are the newest \
                       sign-in of each account, and the sign-ins that were not cleared away yet";

/// Whether the layout has the table.
///
/// # Errors
/// The store's.
pub fn has_table(reader: &dyn Reader) -> Result<bool> {
    let columns = reader.column_names(LOGINS)?;
    let needed = ["client_ip", "login_name", "login_realm", "login_status"];
    Ok(needed.iter().all(|name| columns.iter().any(|column| column == name)))
}

/// Answers `login list`, newest first.
///
/// # Errors
/// The account is not found where only accounts are known; the store's.
pub fn list(context: &Context<'_>, request: &Request, output: &mut dyn Output) -> Result<()> {
    let reader = context.reader;
    let layout = schema::detect(reader)?;
    if has_table(reader)? {
        return recorded(reader, &layout, request, output);
    }
    output.emit(Batch::Note(INSTEAD.to_owned()))?;
    gathered(reader, &layout, request, output)
}

/// The rows of the table. A name in it is as it was typed, whether there is such an account or not.
fn recorded(reader: &dyn Reader, layout: &Layout, request: &Request, output: &mut dyn Output) -> Result<()> {
    let wanted = match &request.target {
        None => None,
        Some(target) => Some(match find::find(reader, layout, target, request.now) {
            Ok(found) => names::fold(&found.user.name),
            Err(error) if error.kind == Kind::NotFound && target.id.is_none() => {
                names::fold(&names::clean(&target.name))
            }
            Err(error) => return Err(error),
        }),
    };
    let meant = |row: &Record| {
        wanted.as_ref().is_none_or(|name| names::fold(&row.text("login_name").unwrap_or_default()) == *name)
    };
    let columns = reader.column_names(LOGINS)?;
    newest_first(output, |newest| {
        let query = Select::from(LOGINS, columns.iter()).order(["client_ip", "login_name", "login_realm"]);
        reader.each(query, |row| {
            if meant(&row) {
                newest.offer(when(&row), || attempt(&row));
            }
            Ok(())
        })
    })
}

/// When the newest thing happened that a row tells of.
fn when(row: &Record) -> Option<Time> {
    let time = |field: &str| row.str(field).and_then(Time::parse);
    let newest = ["login_at", "failed_at", "banned_at"].into_iter().filter_map(time).max();
    newest.or_else(|| time("updated_at"))
}

fn attempt(row: &Record) -> Login {
    let text = |field: &str| row.text(field).filter(|text| !text.is_empty());
    let time = |field: &str| row.str(field).and_then(Time::parse);
    let failed = time("failed_at").map(|at| match row.int("error_repeated") {
        Some(n) if n > 1 => format!("failed {n} times, last at {at}"),
        _ => format!("failed at {at}"),
    });
    let parts = [
        text("login_realm"),
        time("login_at").map(|at| format!("in at {at}")),
        failed,
        text("error_message"),
        time("banned_at").map(|at| format!("banned at {at}")),
        text("client_browser"),
    ];
    Login {
        account: text("login_name").into(),
        ip: text("client_ip").into(),
        status: text("login_status").unwrap_or_default(),
        at: when(row).into(),
        detail: Some(parts.into_iter().flatten().collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty()).into(),
    }
}

/// What accounts and sign-ins tell.
fn gathered(reader: &dyn Reader, layout: &Layout, request: &Request, output: &mut dyn Output) -> Result<()> {
    let (mut users, mut sessions) = (Filter::All, Filter::All);
    if let Some(target) = &request.target {
        let user = find::find(reader, layout, target, request.now)?.user;
        users = Filter::eq("id", user.id);
        sessions = Filter::eq("user_uid", &user.uid);
    }
    newest_first(output, |newest| {
        let columns = User::columns(layout);
        reader.each_row(columns.select(USERS).filter(users.clone()).order(["id"]), |row| {
            let user = User::read(&columns, row);
            if let Some(at) = user.login_at.filter(|_| !user.is_system()) {
                newest.offer(Some(at), || of_account(&user, at));
            }
            Ok(())
        })?;
        let columns = Columns::of(&layout.sessions, OPENED);
        reader.each_row(columns.select(SESSIONS).filter(sessions.clone()).order(["id"]), |row| {
            let row = columns.spread(row);
            let at = row[4].as_str().and_then(Time::parse).filter(|_| !row[0].is_blank());
            if let Some(at) = at {
                newest.offer(Some(at), || opened(row, at, request.now));
            }
            Ok(())
        })
    })
}

fn of_account(user: &User, at: Time) -> Login {
    let detail = Known::Is("the account's newest sign-in".to_owned());
    let account = Known::Is(user.label().to_owned());
    Login { account, ip: Known::Unknown, status: "OK".to_owned(), at: at.into(), detail }
}

const OPENED: [&str; 9] = [
    "user_uid",
    "user_name",
    "login_ip",
    "client_ip",
    "login_at",
    "user_agent",
    "sess_expires",
    "sess_timeout",
    "last_active",
];

/// A sign-in that is there still, ended or not. Tokens that were never used to sign in have no such time.
fn opened(row: [Value; 9], at: Time, now: Time) -> Login {
    let [_, name, login_ip, client_ip, _, agent, expires, timeout, active] = row;
    let [expires, timeout, active] = [expires, timeout, active].map(|value| value.as_int().unwrap_or_default());
    let ended = sessions::ends(expires, timeout, active).is_some_and(|ends| ends < now.seconds());
    let text = |value: &Value| value.to_text().filter(|text| !text.is_empty());
    Login {
        account: text(&name).into(),
        ip: text(&login_ip).or_else(|| text(&client_ip)).into(),
        status: if ended { "ended" } else { "signed in" }.to_owned(),
        at: at.into(),
        detail: text(&agent).into(),
    }
}

/// Plans an empty table of sign-ins.
///
/// # Errors
/// The edition keeps none; the store's.
pub fn clear(context: &Context<'_>, _: &Request) -> Result<Plan> {
    let reader = context.reader;
    schema::detect(reader)?;
    if !has_table(reader)? {
        return Err(Error::unsupported(NO_TABLE).help("`latchlift login list` shows what else is known of sign-ins"));
    }
    let (mut count, mut banned) = (0, 0);
    let columns = reader.column_names(LOGINS)?;
    let bans = columns.iter().any(|column| column == "banned_at");
    let wanted = ["client_ip"].into_iter().chain(bans.then_some("banned_at"));
    reader.each_row(Select::from(LOGINS, wanted), |row| {
        count += 1;
        banned += usize::from(row.get(1).and_then(Value::as_str).and_then(Time::parse).is_some());
        Ok(())
    })?;
    if count == 0 {
        return Ok(Plan::new("No sign-ins are on record"));
    }
    let plan = Plan::new(format!("Clear the record of {count} sign-ins"));
    let plan = plan.step(vec![Change::Purge { collection: LOGINS.to_owned(), filter: Filter::All, count, keep: true }]);
    Ok(match banned {
        0 => plan,
        n => plan.warn(format!("that an address was banned is said by {n} of them, and goes with them")),
    })
}
