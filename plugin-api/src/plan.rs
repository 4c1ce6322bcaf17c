//! Plans: what will be written, as records before and after.
//!
//! Dry run, confirmation, guards, journal, recovery and undo are all folds over these lists, so a plugin writes none of
//! them. Undo restores everything except what was purged without `keep`.

use crate::reader::Filter;
use crate::value::{Record, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which record of a collection: its key fields, and which among records with equal key fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Key {
    /// The fields that name the record. For a table without a key, every field that tells it from others.
    pub fields: Record,
    /// Which among the records with these key fields, from 0, counted in the state before the plan.
    pub ordinal: u32,
}

impl From<Record> for Key {
    fn from(fields: Record) -> Key {
        Key { fields, ordinal: 0 }
    }
}

/// One change of one record, or of all that match a filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A new record. Undo deletes it.
    Insert {
        /// The collection it goes into.
        collection: String,
        /// The whole record as it will be; columns left out take the store's default.
        after: Record,
        /// Where in a document's collection, from 0; the end if absent. Tables ignore it.
        #[serde(default)]
        at: Option<u64>,
    },
    /// New values for some fields of one record. Undo writes the old ones.
    Update {
        /// The collection it is in.
        collection: String,
        /// Which record.
        key: Key,
        /// The fields that differ, as they are now. Guarded unless volatile.
        before: Record,
        /// The same fields as they will be.
        after: Record,
    },
    /// One record goes. Undo inserts it, at its old place where order is meaning.
    Delete {
        /// The collection it is in.
        collection: String,
        /// Which record.
        key: Key,
        /// The full record as it is now. In a document the empty pointer may stand for all of it.
        before: Record,
    },
    /// All records that match at commit go.
    Purge {
        /// The collection they are in.
        collection: String,
        /// Which records.
        filter: Filter,
        /// How many there were when the plan was made: information, not a guard.
        count: u64,
        /// Whether undo brings them back. Never for bearer secrets: that would undo a lock-out made on purpose.
        #[serde(default)]
        keep: bool,
    },
    /// A whole document gets another name.
    Move {
        /// The name it has.
        from: String,
        /// The name it gets.
        to: String,
        /// Lower-case hex SHA-256 of its bytes, the guard.
        sha256: String,
    },
}

impl Change {
    /// The collection the change touches; for a move the document's name.
    pub fn collection(&self) -> &str {
        match self {
            Change::Insert { collection, .. }
            | Change::Update { collection, .. }
            | Change::Delete { collection, .. }
            | Change::Purge { collection, .. } => collection,
            Change::Move { from, .. } => from,
        }
    }
}

/// Changes of one store (or of one document) that are committed together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// The named store; empty for the app's only or first one.
    pub store: String,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// A secret the plugin made, shown once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reveal {
    /// What it is: `token`, `client_secret`, `recovery_code`.
    pub kind: String,
    /// The secret.
    pub value: String,
}

/// Everything a verb will write, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// One line: what the plan does.
    pub summary: String,
    /// The accounts it is about, by the app's id. The host asks how these can sign in afterwards.
    pub accounts: Vec<PlannedAccount>,
    /// What other ids in the changes are called, of groups for example, so that people need not read ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// The steps, in the order they are written. Each prefix must leave the app safe.
    pub steps: Vec<Step>,
    /// What the person should know before saying yes.
    pub warnings: Vec<String>,
    /// What the person should do afterwards.
    pub next_steps: Vec<String>,
    /// Secrets the plan makes.
    pub reveals: Vec<Reveal>,
}

/// An account a plan is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlannedAccount {
    /// The app's own id.
    pub id: String,
    /// The sign-in name after the plan.
    pub name: String,
    /// Whether the point of the plan is that this account can sign in.
    pub should_sign_in: bool,
}

impl Plan {
    /// A plan without steps.
    pub fn new(summary: impl Into<String>) -> Plan {
        Plan { summary: summary.into(), ..Plan::default() }
    }

    /// The plan, being about this account, which should be able to sign in afterwards.
    #[must_use]
    pub fn for_sign_in(mut self, id: impl Into<String>, name: impl Into<String>) -> Plan {
        self.accounts.push(PlannedAccount { id: id.into(), name: name.into(), should_sign_in: true });
        self
    }

    /// The plan, being about this account.
    #[must_use]
    pub fn about(mut self, id: impl Into<String>, name: impl Into<String>) -> Plan {
        self.accounts.push(PlannedAccount { id: id.into(), name: name.into(), should_sign_in: false });
        self
    }

    /// The plan, calling this id by a name.
    #[must_use]
    pub fn name(mut self, id: impl Into<String>, name: impl Into<String>) -> Plan {
        self.names.insert(id.into(), name.into());
        self
    }

    /// The plan with one more step in the first store; a step without changes is left out.
    #[must_use]
    pub fn step(self, changes: Vec<Change>) -> Plan {
        self.step_in("", changes)
    }

    /// The plan with one more step in the named store; a step without changes is left out.
    #[must_use]
    pub fn step_in(mut self, store: &str, changes: Vec<Change>) -> Plan {
        if !changes.is_empty() {
            self.steps.push(Step { store: store.to_owned(), changes });
        }
        self
    }

    /// The plan with a warning.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Plan {
        self.warnings.push(warning.into());
        self
    }

    /// The plan with something to do afterwards.
    #[must_use]
    pub fn then(mut self, next: impl Into<String>) -> Plan {
        self.next_steps.push(next.into());
        self
    }

    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.changes.is_empty())
    }
}

/// New values for some fields of the record named by `key`: each `(field, before, after)`, fields that stay left out.
/// `None` where nothing differs.
pub fn update(
    collection: impl Into<String>,
    key: impl Into<Key>,
    fields: impl IntoIterator<Item = (impl Into<String>, Value, Value)>,
) -> Option<Change> {
    let (mut before, mut after) = (Record::new(), Record::new());
    for (field, was, is) in fields {
        if was != is {
            let field = field.into();
            before.0.push((field.clone(), was));
            after.0.push((field, is));
        }
    }
    (!before.is_empty()).then(|| Change::Update { collection: collection.into(), key: key.into(), before, after })
}

/// A new record at the end of its collection.
pub fn insert(collection: impl Into<String>, after: Record) -> Change {
    Change::Insert { collection: collection.into(), after, at: None }
}

/// One record goes.
pub fn delete(collection: impl Into<String>, key: impl Into<Key>, before: Record) -> Change {
    Change::Delete { collection: collection.into(), key: key.into(), before }
}

/// Bearer secrets that match go for good; `None` where there are none.
pub fn purge(collection: impl Into<String>, filter: Filter, count: u64) -> Option<Change> {
    (count > 0).then(|| Change::Purge { collection: collection.into(), filter, count, keep: false })
}
