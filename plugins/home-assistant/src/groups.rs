//! Groups, as the app sees them after what it adds at its start.

use crate::schema::{ADMINS, FIXED_GROUPS, GROUPS, ORDINARY, READERS};
use latchlift_plugin_api::{Error, Kind, Reader, Result, Select, Value};
use std::collections::HashMap;

/// The group that a role on the command line means.
///
/// # Errors
/// It means none.
pub fn role_group(role: &str) -> Result<&'static str> {
    match role {
        "admin" => Ok(ADMINS),
        "user" => Ok(ORDINARY),
        "read-only" => Ok(READERS),
        _ => Err(Error::new(Kind::Usage, format!("`{role}` is no role of Home Assistant"))
            .help("write role=admin, role=user or role=read-only")),
    }
}

/// Groups, and the distinct sets of them that users have.
#[derive(Debug, Default)]
pub struct Groups {
    /// Names by id, of those in the file.
    pub names: HashMap<String, String>,
    /// The sets of group ids that users have.
    pub sets: Vec<Vec<String>>,
    /// Whether the app makes every user an administrator at its start, because the file has no groups.
    pub everyone_admin: bool,
    /// The one group of stores from before there were policies, which means administrators.
    legacy_admins: Option<String>,
}

impl Groups {
    /// Reads the groups.
    ///
    /// # Errors
    /// The store fails.
    pub fn read(reader: &dyn Reader) -> Result<Groups> {
        let mut groups = Groups::default();
        let mut without_policy = None;
        if reader.columns("", GROUPS)?.is_some() {
            reader.each(Select::from(GROUPS, ["/id", "/name", "/policy"]), |group| {
                let id = group.text("/id").unwrap_or_default();
                match FIXED_GROUPS.contains(&id.as_str()) || group.get("/policy").is_some_and(|p| *p != Value::Null) {
                    true => _ = groups.names.insert(id.clone(), group.text("/name").unwrap_or(id)),
                    false => without_policy = Some(id),
                }
                Ok(())
            })?;
        }
        groups.everyone_admin = groups.names.is_empty() && without_policy.is_none();
        groups.legacy_admins = without_policy.filter(|_| groups.names.is_empty());
        Ok(groups)
    }

    /// The number of a user's set of groups.
    pub fn set(&mut self, ids: &Value) -> usize {
        let Value::List(ids) = ids else { return self.number(vec![]) };
        self.number(ids.iter().filter_map(Value::to_text).collect())
    }

    fn number(&mut self, ids: Vec<String>) -> usize {
        self.sets.iter().position(|set| *set == ids).unwrap_or_else(|| {
            self.sets.push(ids);
            self.sets.len() - 1
        })
    }

    /// Whether the group is the administrators'.
    pub fn is_admins(&self, id: &str) -> bool {
        id == ADMINS || self.legacy_admins.as_deref() == Some(id)
    }

    /// Whether the app knows the group after it has added what it adds at its start; it crashes over one it does not.
    pub fn knows(&self, id: &str) -> bool {
        FIXED_GROUPS.contains(&id) || self.names.contains_key(id) || self.legacy_admins.as_deref() == Some(id)
    }
}
