//! The formats of documents, behind one face: every document is read as JSON.

use super::change::Touched;
use super::json::Json;
use super::splice::{self, Splice};
use super::{write, yaml};
use crate::atomic;
use crate::error::{Error, Kind, Result};
use crate::store::Receipt;
use latchlift_plugin_api::facts::Document;
use latchlift_plugin_api::{Step, Value};
use std::path::Path;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Yaml,
}

/// A document in memory.
pub struct Loaded {
    pub format: Format,
    /// What it says.
    pub json: Json,
    /// Its own text, where that is not JSON.
    yaml: Option<String>,
}

impl Format {
    pub fn of(document: &Document) -> Result<Format> {
        match document.format.as_str() {
            "json" | "" => Ok(Format::Json),
            "yaml" => Ok(Format::Yaml),
            other => {
                let message = format!("the plugin declares the document `{}` as `{other}`", document.name);
                Err(Error::new(Kind::Plugin, message))
            }
        }
    }

    /// What a removed record's text says: its key, where it has one, and its value.
    pub fn read_raw(self, raw: &str) -> Option<(Option<String>, Value)> {
        match self {
            Format::Json => splice::read_raw(raw),
            Format::Yaml => yaml::read_raw(raw),
        }
    }
}

impl Loaded {
    /// Reads a document's bytes; `path` is for errors.
    pub fn parse(format: Format, bytes: Vec<u8>, path: &Path) -> Result<Loaded> {
        let broken = |what: String| {
            Error::new(Kind::Conflict, format!("{} {what}", path.display()))
                .help("restore the file from a backup, or mend it by hand")
        };
        let text = String::from_utf8(bytes).map_err(|why| {
            broken(format!("is not UTF-8 text: byte {} is wrong", why.utf8_error().valid_up_to() + 1))
        })?;
        match format {
            Format::Json => {
                let json = Json::parse(text).map_err(|why| {
                    broken(format!("is not valid JSON: line {}, column {}: {}", why.line, why.column, why.why))
                })?;
                Ok(Loaded { format, json, yaml: None })
            }
            Format::Yaml => {
                let json = yaml::view(&text).map_err(|why| broken(format!("is not valid YAML: {why}")))?;
                Ok(Loaded { format, json, yaml: Some(text) })
            }
        }
    }

    /// Reads the document at `path`; `None` where there is none.
    pub fn read(format: Format, path: &Path) -> Result<Option<(Loaded, atomic::Seen)>> {
        match atomic::read(path)? {
            Some((bytes, seen)) => Ok(Some((Loaded::parse(format, bytes, path)?, seen))),
            None => Ok(None),
        }
    }

    /// The document's own text.
    pub fn text(&self) -> &str {
        self.yaml.as_deref().unwrap_or(self.json.text())
    }

    /// The document's own text, and nothing else of it.
    pub fn into_text(self) -> String {
        self.yaml.unwrap_or_else(|| self.json.into_text())
    }

    /// The splices that make a resolved step, and its receipt.
    pub fn splices(&self, touched: &[Touched<'_>], step: &Step) -> Result<(Vec<Splice>, Receipt)> {
        match &self.yaml {
            None => write::splices(&self.json, touched, step),
            Some(text) => yaml::splices(text, touched, step),
        }
    }
}
