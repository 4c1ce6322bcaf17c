//! `onboarding restart`.

use super::{START, stamp};
use crate::accounts;
use crate::home::Home;
use crate::schema::Layout;
use crate::sign_in::command_text;
use latchlift_plugin_api::{Change, Context, Plan, Request, Result};

/// The files that go aside, in this order: without password entries nobody signs in as a new administrator, without users
/// nobody signs in at all, and only the last one opens the door to whoever comes first. Any fewer of them would lock
/// everybody out, or make administrators of old passwords.
const FILES: [&str; 5] =
    ["auth_provider.homeassistant", "auth", "auth_module.totp", "auth_module.notify", "onboarding"];

/// Plans the first start again: all account files get another name.
///
/// # Errors
/// The files are of a version not known here, or the store fails.
pub fn restart(context: &Context<'_>, request: &Request) -> Result<Plan> {
    Layout::look(context.reader)?.refuse_unknown()?;
    let stamp = stamp(request.now);
    let mut plan = Plan::new("Put all accounts aside, so that Home Assistant asks for a first user again");
    plan = plan.warn(instead(context));
    for name in FILES {
        if let Some(sha256) = context.reader.digest("", name)? {
            let to = format!(".storage/{name}.before-restart.{stamp}");
            plan = plan.step(vec![Change::Move { from: name.to_owned(), to, sha256 }]);
        }
    }
    if plan.is_empty() {
        return Ok(Plan::new("There are no accounts; Home Assistant asks for a first user when it starts"));
    }
    let lost = "lost with this: every user, password, second factor, session and long-lived token; phones must be paired again; the settings of each user's pages and `trusted_users` mean users who are gone";
    let people = "persons stay and belong to nobody, and the new owner gets a second person; automations, devices and history stay";
    let plan = plan.warn(lost).warn(people);
    Ok(plan.then(START).then("open its page at once: whoever comes first becomes the owner"))
}

/// What loses nothing: the way in for somebody who is there already.
fn instead(context: &Context<'_>) -> String {
    let way = match Home::read(context.reader) {
        Ok(home) => {
            let people = (0..home.users.len()).filter(|user| !home.users[*user].system);
            let known =
                people.filter(|user| home.is_admin(&home.users[*user]) && accounts::name(&home, *user).is_some());
            let first = known.max_by_key(|user| home.users[*user].owner);
            first.map(|user| command_text(&home, &["password", "reset"], user))
        }
        Err(_) => None,
    };
    match way {
        Some(command) => format!("there is a way that loses nothing: `latchlift {command}`"),
        None => "there is a way that loses less: `latchlift admin recreate NAME`".to_owned(),
    }
}
