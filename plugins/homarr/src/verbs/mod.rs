//! Plans: what each writing verb would change. Sessions, keys and invitations are in modules of their own.

pub mod add;
pub mod fix_names;
pub mod grant;
mod membership;
pub mod password;
pub mod recreate;
mod regroup;
pub mod remove;
pub mod rename;
pub mod reset;
pub mod revoke;
pub mod set;
#[cfg(test)]
mod tests;

use crate::accounts::Accounts;
use crate::groups::{Group, Groups};
use crate::schema::{self, GROUP, Layout, MEMBER, PERMISSION, SALT_LENGTH, USER};
use crate::sign_in::{Logins, typed};
use latchlift_plugin_api::{
    Change, Context, Error, Filter, Kind, Plan, Reader, Record, Request, Result, Select, Value, insert,
};

/// What plans look at, read once.
pub struct Instance<'a> {
    /// The database.
    pub reader: &'a dyn Reader,
    /// What was asked.
    pub request: &'a Request,
    /// How its tables look.
    pub layout: Layout,
    /// Everybody.
    pub accounts: Accounts,
    /// All groups.
    pub groups: Groups,
}

impl<'a> Instance<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// The store's, or an unknown layout.
    pub fn load(context: &Context<'a>, request: &'a Request) -> Result<Instance<'a>> {
        let layout = schema::detect(context.reader)?;
        let accounts = Accounts::load(context.reader, &layout, request)?;
        let groups = Groups::load(context.reader, &layout)?;
        Ok(Instance { reader: context.reader, request, layout, accounts, groups })
    }

    /// The places of the administrators.
    ///
    /// # Errors
    /// The store's.
    pub fn admins(&self) -> Result<Vec<usize>> {
        crate::groups::admins(self.reader, &self.accounts, &self.groups)
    }
}

/// These columns of one account, as they are.
///
/// # Errors
/// The store's, or the account is gone.
pub fn row_of(reader: &dyn Reader, id: &str, columns: Vec<String>) -> Result<Record> {
    let gone = || Error::new(Kind::Conflict, format!("the account of id {id} is gone"));
    reader.first(Select::from(USER, columns).filter(Filter::eq("id", id)))?.ok_or_else(gone)
}

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

fn member(group: &str, user: &str) -> Change {
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

/// Refuses a name that another account has. Homarr keeps only the names of accounts with a password apart, and only
/// exactly; here no account at all may have the name in any spelling, or a later mending of names would make two of one.
fn refuse_taken(logins: &Logins<'_>, name: &str, but: Option<usize>) -> Result<()> {
    let mut taken = logins.named(name, None);
    taken.retain(|i| Some(*i) != but);
    let Some(first) = taken.first() else { return Ok(()) };
    let person = &logins.accounts.people[*first];
    let provider = if person.is_stray() { "unknown" } else { &person.provider };
    let message = format!("an account has the name already: `{}`, provider {provider}", person.name());
    let address = typed(&logins.address(*first));
    let free = logins.free_name(name, &[]);
    let help = match (logins.accounts.people[*first].is_local(), but) {
        (_, Some(_)) => {
            let id = typed(std::slice::from_ref(&person.id));
            format!(
                "choose another name, such as `{free}`, or rename that one first: `latchlift user rename --id {id} NAME`"
            )
        }
        (true, None) => format!(
            "choose another name, such as `{free}`; or make it an administrator: `latchlift admin grant {address}`; \
             or give it a password: `latchlift password reset {address}`"
        ),
        (false, None) => format!(
            "choose another name, such as `{free}`; or make it an administrator: `latchlift admin grant {address}`"
        ),
    };
    Err(Error { candidates: logins.candidates(&taken), ..Error::refused(message, None).help(help) })
}

/// The plan with a warning for each reason that would still keep the account out.
fn warn_of_reasons(mut plan: Plan, logins: &Logins<'_>, i: usize) -> Plan {
    for reason in logins.reasons(i).into_iter().filter(|reason| reason.blocking) {
        let mends = match reason.fix.is_empty() {
            true => String::new(),
            false => format!("; mend it with `latchlift {}`", typed(&reason.fix)),
        };
        let label = logins.accounts.people[i].label();
        plan = plan.warn(format!("`{label}` still cannot sign in: {}{mends}", reason.message));
    }
    plan
}

/// The plan with the names of the groups it is about.
fn with_groups_named(mut plan: Plan, groups: &Groups) -> Plan {
    let changes = plan.steps.iter().flat_map(|step| &step.changes);
    let mut names: Vec<(String, String)> = Vec::new();
    for change in changes {
        let record = match change {
            Change::Insert { after, .. } => after,
            Change::Update { key, .. } | Change::Delete { key, .. } => &key.fields,
            _ => continue,
        };
        let field = if change.collection() == GROUP { "id" } else { "group_id" };
        let Some(id) = record.text(field) else { continue };
        let new = record.text("name").filter(|_| change.collection() == GROUP);
        let known = groups.all.iter().find(|group| group.id == id).map(|group| group.name.clone());
        names.extend(known.or(new).map(|name| (id, name)));
    }
    plan.names.extend(names);
    plan
}

/// The plan with what to know about when it takes effect.
fn effective_at_once(plan: Plan) -> Plan {
    plan.then("nothing to restart: Homarr reads accounts from its database at every request")
}
