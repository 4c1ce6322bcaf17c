//! What the host does with a plan besides writing it: check it, invert it, tell it.

use crate::error::{Error, Kind, Result};
use crate::store::{DIGEST, Receipt};
use latchlift_plugin_api::facts::Collection;
use latchlift_plugin_api::{Change, Facts, Filter, Key, Plan, Record, Step, StoreKind, Value, fingerprint};
use serde_json::{Map, json};

/// Checks a plan against what its plugin declared: nothing is written that the plugin did not say it may touch.
///
/// # Errors
/// [`Kind::Plugin`] naming the first change that breaks the contract.
pub fn validate(plan: &Plan, facts: &Facts, stores: &[(String, StoreKind)]) -> Result<()> {
    for step in &plan.steps {
        let kind = match crate::store::named(stores, &step.store) {
            Some(kind) => *kind,
            None => return Err(broken(facts, format!("plans for a store `{}` there is not", step.store))),
        };
        for change in &step.changes {
            validate_change(change, facts, kind)?;
        }
    }
    Ok(())
}

fn validate_change(change: &Change, facts: &Facts, kind: StoreKind) -> Result<()> {
    if let Change::Move { from, to, .. } = change {
        let inside = |name: &str| !name.starts_with('/') && !name.split('/').any(|part| part == "..");
        return match kind == StoreKind::Documents && facts.document(from).is_some() && inside(to) {
            true => Ok(()),
            false => Err(broken(facts, format!("plans to move `{from}` to `{to}`, which it may not"))),
        };
    }
    let name = change.collection();
    let Some(collection) = facts.collection(name) else {
        return Err(broken(facts, format!("plans to change `{name}`, which it does not declare")));
    };
    match change {
        Change::Insert { after, .. } if after.is_empty() => {
            Err(broken(facts, format!("plans an empty record in `{name}`")))
        }
        Change::Update { key, before, after, .. } => {
            validate_key(facts, collection, key)?;
            let same = before.fields().eq(after.fields()) && !after.is_empty();
            if same { Ok(()) } else { Err(broken(facts, format!("plans an uneven update of `{name}`"))) }
        }
        Change::Delete { key, before, .. } => {
            validate_key(facts, collection, key)?;
            if before.is_empty() { Err(broken(facts, format!("deletes from `{name}` unseen"))) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn validate_key(facts: &Facts, collection: &Collection, key: &Key) -> Result<()> {
    let missing = collection.key.iter().find(|field| key.fields.get(field).is_none());
    match missing {
        None if !key.fields.is_empty() || collection.key.is_empty() => Ok(()),
        _ => Err(broken(facts, format!("names a record of `{}` without its key", collection.name))),
    }
}

fn broken(facts: &Facts, what: String) -> Error {
    Error::new(Kind::Plugin, format!("the plugin `{}` {what}", facts.app)).help("report this to the plugin's authors")
}

/// The step that takes `step` back, given what its commit learned. Volatile fields are left as they are, but for those of
/// the changes that are `untouched`: nobody has written them since.
pub fn inverse(step: &Step, receipt: &Receipt, facts: &Facts, untouched: &[bool]) -> Step {
    let changes = step.changes.iter().enumerate().rev();
    let changes = changes.flat_map(|(i, change)| {
        let whole = untouched.get(i).copied().unwrap_or_default();
        inverse_change(i, change, receipt, facts, whole)
    });
    let changes = changes.collect();
    Step { store: step.store.clone(), changes }
}

fn inverse_change(i: usize, change: &Change, receipt: &Receipt, facts: &Facts, whole: bool) -> Vec<Change> {
    let steady = |collection: &str, record: &Record| match whole {
        true => record.clone(),
        false => crate::store::steady(facts, collection, record),
    };
    match change {
        Change::Insert { collection, after, .. } => {
            let mut key = key_of(facts, collection, after);
            if collection.contains('#') {
                // The app may have written another record of the same key since; this means the one that is as we wrote it.
                key.ordinal = u32::MAX;
            }
            vec![Change::Delete { collection: collection.clone(), key, before: after.clone() }]
        }
        Change::Update { collection, key, before, after } => {
            let (was, is) = (steady(collection, before), steady(collection, after));
            if is.is_empty() {
                return vec![];
            }
            let moved =
                key.fields.iter().map(|(field, value)| (field.to_owned(), is.get(field).unwrap_or(value).clone()));
            let key = Key { fields: Record(moved.collect()), ordinal: key.ordinal };
            let mut was = was;
            if let Some(raw) = receipt.texts.get(i).cloned().flatten() {
                // The text the record was: keys that were absent go again, and odd spellings come back to the byte.
                was = was.with("@raw", raw);
            }
            vec![Change::Update { collection: collection.clone(), key, before: is, after: was }]
        }
        Change::Delete { collection, before, .. } => {
            let text = receipt.texts.get(i).cloned().flatten();
            let after = text.map_or_else(|| before.clone(), |raw| Record::new().with("@raw", raw));
            let at = receipt.places.get(i).copied().flatten();
            vec![Change::Insert { collection: collection.clone(), after, at }]
        }
        Change::Purge { collection, keep: true, .. } => {
            let kept = receipt.kept.get(i).map_or(&[][..], Vec::as_slice);
            kept.iter().map(|record| restored(collection, record)).collect()
        }
        Change::Purge { .. } => vec![],
        Change::Move { from, to, sha256 } => {
            vec![Change::Move { from: to.clone(), to: from.clone(), sha256: sha256.clone() }]
        }
    }
}

/// A purged record comes back, in a document at its old place.
fn restored(collection: &str, record: &Record) -> Change {
    let at = record.int("@at").and_then(|at| u64::try_from(at).ok());
    let after = Record(record.0.iter().filter(|(field, _)| field != "@at").cloned().collect());
    Change::Insert { collection: collection.to_owned(), after, at }
}

/// The key of a record by the declared key fields; all of its fields where none are declared.
fn key_of(facts: &Facts, collection: &str, record: &Record) -> Key {
    let names = facts.collection(collection).map_or(&[][..], |collection| &collection.key);
    let fields = names.iter().filter_map(|name| Some((name.clone(), record.get(name)?.clone())));
    let fields = Record(fields.collect());
    Key::from(if fields.is_empty() { record.clone() } else { fields })
}

/// Whether undo brings back what a change takes away.
pub fn can_be_undone(change: &Change) -> bool {
    !matches!(change, Change::Purge { keep: false, .. })
}

/// How undo treats a change, in a word: not at all, or leaving fields alone that the app has rewritten since.
fn undo_word(change: &Change, facts: &Facts) -> &'static str {
    match change {
        Change::Update { collection, after, .. } => {
            let (all, steady) = (after.fields().count(), crate::store::guarded(facts, collection, after).count());
            if steady < all { "partly" } else { "yes" }
        }
        other => {
            if can_be_undone(other) {
                "yes"
            } else {
                "no"
            }
        }
    }
}

/// What stands for a value that must not be seen.
pub const HIDDEN: &str = "<hidden>";

/// A change as lines for people: `user john: password  <hidden> -> <hidden>`. The accounts the plan is about, and what
/// else it knows the name of, are called by their names rather than by their ids.
pub fn lines(change: &Change, facts: &Facts, plan: &Plan) -> Vec<String> {
    let collection = facts.collection(change.collection());
    let label = collection.map(|c| c.label.as_str()).filter(|label| !label.is_empty()).unwrap_or(change.collection());
    let show = |field: &str, value: &Value| match collection.is_some_and(|c| c.key == [field]) {
        // Its own id is no name for it.
        true => shown(collection, field, value),
        false => called(plan, collection, field, value),
    };
    match change {
        Change::Insert { after, .. } => {
            let fields = after.iter().filter(|(_, value)| !value.is_blank());
            let fields =
                fields.map(|(field, value)| format!("{} {}", field.trim_start_matches('/'), show(field, value)));
            let fields: Vec<String> = fields.collect();
            if after.get("@raw").is_some() {
                return vec![format!("{label}: brought back")];
            }
            vec![format!("{label}: new ({})", fields.join(", "))]
        }
        Change::Update { key, before, after, .. } => {
            let name = key_text(plan, collection, key);
            let fields = before.iter().zip(after.iter());
            let lines = fields.map(|((field, was), (_, is))| {
                let word = field.trim_start_matches('/');
                format!("{label} {name}: {word}  {} -> {}", show(field, was), show(field, is))
            });
            lines.collect()
        }
        Change::Delete { collection, before, .. } if before.get(DIGEST).is_some() => {
            vec![format!("{}: removed, since it was not there before", collection.trim_end_matches('#'))]
        }
        Change::Delete { key, .. } => vec![format!("{label} {}: removed", key_text(plan, collection, key))],
        Change::Purge { count, keep, filter, .. } => {
            let which = if *filter == Filter::All { "all " } else { "" };
            let undo = if *keep { "" } else { ", for good" };
            vec![format!("{label}: {which}{count} removed{undo}")]
        }
        Change::Move { from, to, .. } => vec![format!("{from}: moved to {to}")],
    }
}

fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// What people call the record.
fn key_text(plan: &Plan, collection: Option<&Collection>, key: &Key) -> String {
    let secret = collection.is_some_and(|collection| collection.secret_key);
    let values = key.fields.iter().map(|(field, value)| match secret {
        true => fingerprint(&value.to_string()),
        false => called(plan, collection, field, value),
    });
    values.collect::<Vec<_>>().join(" ")
}

/// A value, or the name of what it is the id of.
fn called(plan: &Plan, collection: Option<&Collection>, field: &str, value: &Value) -> String {
    let name = value.to_text().filter(|_| !is_secret(collection, field)).and_then(|id| name_of(plan, &id));
    name.map_or_else(|| shown(collection, field, value), |name| crate::ui::escaped(&clipped(name, 80)))
}

fn name_of<'p>(plan: &'p Plan, id: &str) -> Option<&'p str> {
    let account = plan.accounts.iter().find(|account| account.id == id).map(|account| account.name.as_str());
    account.or_else(|| plan.names.get(id).map(String::as_str)).filter(|name| !name.is_empty())
}

fn shown(collection: Option<&Collection>, field: &str, value: &Value) -> String {
    match is_secret(collection, field) && !value.is_blank() {
        true => HIDDEN.to_owned(),
        false => crate::ui::escaped(&clipped(&value.to_string(), 80)),
    }
}

fn is_secret(collection: Option<&Collection>, field: &str) -> bool {
    // Raw text of a document's record, and whole records, hold whatever the record holds.
    let whole = field == "@raw" || field.is_empty();
    collection.is_none_or(|c| c.secret.iter().any(|name| name == field) || (whole && !c.secret.is_empty()))
}

/// A plan as the JSON of results; `place` is where its only store is.
pub fn to_json(plan: &Plan, facts: &Facts, place: &str) -> serde_json::Value {
    let steps: Vec<_> = plan.steps.iter().map(|step| step_json(step, facts, place)).collect();
    json!({
        "summary": plan.summary, "steps": steps, "warnings": plan.warnings, "next_steps": plan.next_steps,
    })
}

fn step_json(step: &Step, facts: &Facts, place: &str) -> serde_json::Value {
    let store = if step.store.is_empty() { place } else { &step.store };
    let changes: Vec<_> = step.changes.iter().map(|change| change_json(change, facts)).collect();
    json!({ "store": store, "changes": changes })
}

fn change_json(change: &Change, facts: &Facts) -> serde_json::Value {
    let collection = facts.collection(change.collection());
    let record = |record: &Record| record_json(collection, record);
    let key = |key: &Key| match collection.is_some_and(|collection| collection.secret_key) {
        true => json!({ "sha256": key_text(&Plan::default(), collection, key) }),
        false => record(&key.fields),
    };
    let mut out = Map::new();
    let mut put = |name: &str, value: serde_json::Value| out.insert(name.to_owned(), value);
    put("collection", json!(change.collection()));
    put("undo", json!(undo_word(change, facts)));
    match change {
        Change::Insert { after, .. } => {
            put("op", json!("insert"));
            put("after", record(after));
        }
        Change::Update { key: which, before, after, .. } => {
            put("op", json!("update"));
            put("key", key(which));
            put("before", record(before));
            put("after", record(after));
        }
        Change::Delete { key: which, before, .. } => {
            put("op", json!("delete"));
            put("key", key(which));
            put("before", record(before));
        }
        Change::Purge { count, .. } => {
            put("op", json!("purge"));
            put("count", json!(count));
        }
        Change::Move { from, to, .. } => {
            put("op", json!("move"));
            put("before", json!(from));
            put("after", json!(to));
        }
    }
    serde_json::Value::Object(out)
}

fn record_json(collection: Option<&Collection>, record: &Record) -> serde_json::Value {
    let fields = record.iter().map(|(field, value)| {
        let value = if is_secret(collection, field) && !value.is_blank() { json!(HIDDEN) } else { plain_json(value) };
        (field.to_owned(), value)
    });
    serde_json::Value::Object(fields.collect())
}

/// A value as plain JSON, for reading; the journal keeps the tagged form.
fn plain_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(yes) => json!(yes),
        Value::Int(n) => json!(n),
        Value::UInt(n) => json!(n),
        Value::Text(text) => json!(text),
        Value::List(items) => items.iter().map(plain_json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), plain_json(value))).collect(),
        other => json!(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchlift_plugin_api::{delete, insert, update};

    #[test]
    fn ids_are_shown_as_the_names_of_what_they_are_of() {
        let facts = Facts::parse(
            "app = \"homarr\"\n[[collection]]\nname = \"member\"\nkey = [\"group\", \"user\"]\n\
             [[collection]]\nname = \"user\"\nkey = [\"id\"]\nsecret = [\"hash\"]\n",
        );
        let facts = facts.unwrap();
        let plan = Plan::new("x").about("u1", "john").name("g1", "family");
        let told = |change: &Change| lines(change, &facts, &plan).join("\n");
        let row = Record::from([("group", "g1"), ("user", "u1")]);
        assert_eq!(told(&delete("member", row.clone(), row.clone())), "member family john: removed");
        assert_eq!(told(&insert("member", row)), "member: new (group family, user john)");
        assert_eq!(
            told(&insert("user", Record::from([("id", "u1"), ("name", "john")]))),
            "user: new (id u1, name john)"
        );
        let key = Record::from([("id", "u1")]);
        let change =
            update("user", key, [("hash", Value::from("g1"), Value::Null), ("boss", "u2".into(), "g1".into())]);
        assert_eq!(told(&change.unwrap()), "user john: hash  <hidden> -> null\nuser john: boss  u2 -> family");
    }
}
