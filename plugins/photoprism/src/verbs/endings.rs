//! What a change of rights does to the account's sign-ins: PhotoPrism ends them, because they carry the old rights.

use super::{REFRESH, RESTART, typed};
use crate::holdings::Holdings;
use crate::schema::Layout;
use crate::sessions;
use crate::user::User;
use latchlift_plugin_api::{Change, Filter, Plan, Reader, Request, Result};

/// The plan with the end of the account's sign-ins, if its rights change and nobody said to keep them; of its app
/// passwords, where asked for. Says what stays.
///
/// # Errors
/// The store's.
pub fn planned(
    reader: &dyn Reader,
    layout: &Layout,
    (user, had): (&User, &Holdings),
    (plan, mut changes): (Plan, Vec<Change>),
    rights: bool,
    request: &Request,
) -> Result<Plan> {
    let ending = ending(reader, layout, user, rights, request)?;
    let plan = said(plan, rights, &ending, (user, had), request);
    changes.extend(ending);
    Ok(plan.step(changes))
}

fn ending(reader: &dyn Reader, layout: &Layout, user: &User, rights: bool, request: &Request) -> Result<Vec<Change>> {
    let (ends, tokens) = (rights && !request.options.keep_sessions, request.options.tokens);
    if !ends && !tokens {
        return Ok(vec![]);
    }
    let rows = sessions::rows(reader, layout, Filter::eq("user_uid", &user.uid), request.now)?;
    Ok(if ends { sessions::ending(&rows, tokens) } else { sessions::ending_tokens(&rows) })
}

fn said(mut plan: Plan, rights: bool, ending: &[Change], (user, had): (&User, &Holdings), request: &Request) -> Plan {
    if rights && had.tokens > 0 && !request.options.tokens {
        let stay = match had.tokens {
            1 => "1 app password stays".to_owned(),
            many => format!("{many} app passwords stay"),
        };
        let too = match had.alone && !user.name.is_empty() {
            true => typed(&["token", "revoke", &user.name]),
            false => typed(&["token", "revoke", "--account-id", &user.uid]),
        };
        plan = plan.warn(format!("{stay} as it was; end app passwords too with {too}"));
    }
    match (ending.is_empty(), rights) {
        (false, _) => plan.then(RESTART),
        (true, true) => plan.then(REFRESH),
        (true, false) => plan,
    }
}
