//! The store as a whole, on small directories.

mod files;
mod reading;
mod undo;
mod writing;
mod yaml;

use super::Documents;
use crate::error::Result;
use crate::store::{Receipt, Store};
use latchlift_plugin_api::facts::{Collection, Document};
use latchlift_plugin_api::{Change, Facts, Record, Step, Value};
use std::fs;

/// A small generator of numbers that look random.
pub(super) fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// Accounts and tokens as Home Assistant writes them.
pub(super) const AUTH: &str = r#"{
  "version": 1,
  "key": "auth",
  "data": {
    "users": [
      {
        "id": "u1",
        "group_ids": [
          "admin"
        ],
        "name": "Olivia Öwner",
        "local_only": false
      },
      {
        "id": "u2",
        "group_ids": [],
        "name": null
      }
    ],
    "tokens": [
      {
        "id": "t1",
        "user_id": "u1",
        "expires": 1800.0,
        "used": "monday"
      },
      {
        "id": "t2",
        "user_id": "u2",
        "expires": 1E5,
        "used": "sunday"
      },
      {
        "id": "t3",
        "user_id": "u1",
        "expires": null,
        "used": null
      }
    ],
    "names": [
      {
        "username": "maria",
        "password": "one"
      },
      {
        "username": "maria",
        "password": "two"
      }
    ]
  }
}"#;

pub(super) const TOTP: &str =
    "{\n  \"data\": {\n    \"users\": {\n      \"u1\": \"AAAA\",\n      \"u2\": \"BBBB\"\n    }\n  }\n}";

pub(super) const BANS: &str = "\n127.0.0.1:\n  banned_at: '2026-11-21T02:00:00+00:00'\n\n192.0.2.10:\n  banned_at: '2026-11-21T02:05:10.123456+00:00'\n\n2001:db8::5:\n  banned_at: '2026-11-21T02:06:00+00:00'\n";

/// A directory with documents.
pub(super) struct Place {
    pub dir: tempfile::TempDir,
    pub store: Documents,
    pub facts: Facts,
}

impl Place {
    pub fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".storage")).unwrap();
        let facts = facts();
        let store = Documents::new(dir.path(), facts.documents.clone());
        let place = Place { dir, store, facts };
        place.put(".storage/auth", AUTH);
        place.put(".storage/totp", TOTP);
        place.put("bans.yaml", BANS);
        place
    }

    /// A place whose document `auth` is this.
    pub fn with(auth: &str) -> Place {
        let place = Place::new();
        place.put(".storage/auth", auth);
        place
    }

    pub fn put(&self, path: &str, text: &str) {
        fs::write(self.dir.path().join(path), text).unwrap();
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.dir.path().join(path)).unwrap()
    }

    pub fn auth(&self) -> String {
        self.text(".storage/auth")
    }

    pub fn commit(&self, changes: Vec<Change>) -> Result<Receipt> {
        let mut told = Receipt::default();
        let mut witness = |receipt| {
            told = receipt;
            Ok(())
        };
        self.store.commit(&step(changes), &self.facts, &mut witness)?;
        Ok(told)
    }

    /// The names in `.storage`, which must hold no unfinished files.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path().join(".storage")).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(super) fn step(changes: Vec<Change>) -> Step {
    Step { changes, ..Step::default() }
}

fn facts() -> Facts {
    let json = |name: &str, envelope: Option<&str>| Document {
        name: name.into(),
        path: format!(".storage/{name}"),
        format: "json".into(),
        envelope: envelope.map(str::to_owned),
        mode: Some("640".into()),
    };
    let tokens = Collection {
        name: "auth#/data/tokens".into(),
        key: vec!["/id".into()],
        volatile: vec!["/used".into()],
        ..Collection::default()
    };
    let bans = Document { name: "bans".into(), path: "bans.yaml".into(), format: "yaml".into(), ..Document::default() };
    let envelope = "{\n  \"version\": 1,\n  \"data\": {\n    \"users\": {}\n  }\n}";
    Facts {
        app: "home".into(),
        collections: vec![tokens],
        documents: vec![json("auth", None), json("totp", None), json("new", Some(envelope)), bans],
        ..Facts::default()
    }
}

pub(super) fn record<const N: usize>(fields: [(&str, Value); N]) -> Record {
    Record::from(fields)
}

/// A key of one field.
pub(super) fn key(field: &str, value: &str) -> latchlift_plugin_api::Key {
    Record::new().with(field, value).into()
}

/// An update of one field.
pub(super) fn set(
    collection: &str,
    key: impl Into<latchlift_plugin_api::Key>,
    field: &str,
    was: impl Into<Value>,
    is: impl Into<Value>,
) -> Change {
    latchlift_plugin_api::update(collection, key, [(field, was.into(), is.into())]).unwrap()
}
