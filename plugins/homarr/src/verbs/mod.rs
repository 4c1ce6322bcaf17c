//! Plans: what each writing verb would change. Sessions are in [`sessions`](crate::sessions).

pub mod admin;
pub mod names;
pub mod password;
#[cfg(test)]
mod tests;

use crate::groups::Group;
use crate::schema::{self, GROUP, Layout, MEMBER, PERMISSION, SALT_LENGTH};
use crate::sign_in::Logins;
use latchlift_plugin_api::{Change, Plan, Record, Value, insert};

/// The columns of `user` that hold a hash, with their values: `password`, and `salt` where the layout has it.
///
/// Before 1.59.0 Homarr hashes the old password with `salt` and compares when somebody changes their own password, so
/// the column must follow the hash.
fn hash_fields(layout: &Layout, hash: &str) -> Vec<(&'static str, Value)> {
    let mut fields = vec![("password", Value::from(hash))];
    if layout.salt {
        fields.push(("salt", Value::from(&hash[..SALT_LENGTH])));
    }
    fields
}

fn membership(group: &str, user: &str) -> Change {
    insert(MEMBER, Record::from([("group_id", group), ("user_id", user)]))
}

fn admin_permission(group: &str) -> Change {
    insert(PERMISSION, Record::from([("group_id", group), ("permission", schema::ADMIN)]))
}

fn new_group(layout: &Layout, group: &Group) -> Change {
    let mut row = Record::from([("id", &group.id), ("name", &group.name)]).with("owner_id", group.owner.clone());
    if layout.position {
        row = row.with("position", group.position.unwrap_or(1));
    }
    insert(GROUP, row)
}

/// The plan with a warning for each reason that would still keep the account out.
fn warn_of_reasons(mut plan: Plan, logins: &Logins<'_>, i: usize) -> Plan {
    for reason in logins.reasons(i).into_iter().filter(|reason| reason.blocking) {
        let mends = match reason.fix.is_empty() {
            true => String::new(),
            false => format!("; mend it with `latchlift {}`", reason.fix.join(" ")),
        };
        let label = logins.accounts.people[i].label();
        plan = plan.warn(format!("`{label}` still cannot sign in: {}{mends}", reason.message));
    }
    plan
}

/// The plan with what to know about when it takes effect.
fn effective_at_once(plan: Plan) -> Plan {
    plan.then("nothing to restart: Homarr reads accounts from its database at every request")
}
