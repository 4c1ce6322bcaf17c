//! Records that lead nowhere: somebody deleted accounts or groups with foreign keys switched off.

use crate::accounts::Accounts;
use crate::groups::{Groups, Index, Memberships};
use crate::holdings::HOLDINGS;
use crate::schema::{MEMBER, PERMISSION};
use latchlift_plugin_api::{Filter, Finding, Reader, Result, Severity};

/// One finding per table with such records.
///
/// # Errors
/// The store's.
pub fn look(reader: &dyn Reader, accounts: &Accounts, groups: &Groups) -> Result<Vec<Finding>> {
    let index = Index::of_all(accounts);
    let mut found = Vec::new();
    for holding in HOLDINGS.iter().filter(|holding| holding.table != MEMBER) {
        if holding.columns(reader)?.is_none() {
            continue;
        }
        let counted = reader.count_by("", holding.table, holding.field, &Filter::All)?;
        let lost = counted.iter().filter(|(id, _)| id.as_str().is_some_and(|id| index.of(id).is_none()));
        found.extend(finding(lost.map(|(_, n)| n).sum(), "account", holding.table));
    }
    let members = Memberships::load(reader, &index, groups, Filter::All)?;
    found.extend(finding(members.orphans, "account or group", MEMBER));
    let counted = reader.count_by("", PERMISSION, "group_id", &Filter::All)?;
    let known = |id: &str| groups.all.iter().any(|group| group.id == id);
    let lost = counted.iter().filter(|(id, _)| !id.as_str().is_some_and(known));
    found.extend(finding(lost.map(|(_, n)| n).sum(), "group", PERMISSION));
    Ok(found)
}

fn finding(n: u64, what: &str, place: &str) -> Option<Finding> {
    let records = if n == 1 { "1 record leads".to_owned() } else { format!("{n} records lead") };
    let message = format!("{records} to no {what}: left behind when something was deleted past Homarr");
    (n > 0).then(|| Finding::new(Severity::Warning, "orphan", message).evidence(place))
}
