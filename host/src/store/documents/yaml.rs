//! YAML documents: read as the JSON they amount to, and changed entry by entry.
//!
//! Only whole entries of the outermost mapping come and go. An entry is the lines from its key to its last line with
//! content; what lies between entries, blank lines and comments, is nobody's. Lines are enough because each entry is
//! parsed alone and must say what the whole document says of it; a document laid out otherwise is left alone.

use super::change::Touched;
use super::collection::Shape;
use super::json::Json;
use super::splice::{Content, Slot, Splice, arrange, layout};
use super::text;
use super::write::{note_removed, receipt};
use crate::error::{Error, Kind, Result};
use crate::store::Receipt;
use latchlift_plugin_api::{Step, Value};
use std::collections::BTreeSet;
use yaml_serde::Value as Yaml;

/// What a text says, as JSON. An empty document is an empty mapping; a tagged value (`!include x`) is a mapping with the
/// tag as its only key.
pub fn view(text: &str) -> std::result::Result<Json, String> {
    let yaml: Yaml = yaml_serde::from_str(text).map_err(|why| why.to_string())?;
    let value = match from_yaml(&yaml)? {
        Value::Null => Value::Map(vec![]),
        value => value,
    };
    let json = text::token_of(&value).ok_or("it holds a number that JSON does not know")?;
    Json::parse(json).map_err(|why| why.why.to_owned())
}

fn from_yaml(yaml: &Yaml) -> std::result::Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(b) => Value::Bool(*b),
        Yaml::Number(n) if n.is_f64() => match n.as_f64() {
            Some(float) if float.is_finite() => Value::Number(format!("{float:?}")),
            _ => Value::Text(n.to_string()),
        },
        Yaml::Number(n) => text::number(&n.to_string()),
        Yaml::String(text) => Value::Text(text.clone()),
        Yaml::Sequence(items) => Value::List(items.iter().map(from_yaml).collect::<std::result::Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let entry = |(key, value)| Ok::<_, String>((key_text(key)?, from_yaml(value)?));
            Value::Map(entries.iter().map(entry).collect::<std::result::Result<_, _>>()?)
        }
        Yaml::Tagged(tagged) => Value::Map(vec![(tagged.tag.to_string(), from_yaml(&tagged.value)?)]),
    })
}

fn key_text(key: &Yaml) -> std::result::Result<String, String> {
    match from_yaml(key)? {
        Value::Null => Ok("null".to_owned()),
        value => value.to_text().ok_or_else(|| "a key is a list or a mapping".to_owned()),
    }
}

fn to_yaml(value: &Value) -> Option<Yaml> {
    Some(match value {
        Value::Null => Yaml::Null,
        Value::Bool(b) => Yaml::Bool(*b),
        Value::Int(n) => Yaml::Number((*n).into()),
        Value::UInt(n) => Yaml::Number((*n).into()),
        Value::Float(n) => Yaml::Number((*n).into()),
        Value::Number(text) => yaml_serde::from_str(text).ok()?,
        Value::Text(text) => Yaml::String(text.clone()),
        Value::Bytes(_) => return None,
        Value::List(items) => Yaml::Sequence(items.iter().map(to_yaml).collect::<Option<_>>()?),
        Value::Map(entries) => {
            let entry = |(key, value): &(String, Value)| Some((Yaml::String(key.clone()), to_yaml(value)?));
            Yaml::Mapping(entries.iter().map(entry).collect::<Option<_>>()?)
        }
    })
}

/// The key and value of the one entry that a text holds.
pub fn read_raw(raw: &str) -> Option<(Option<String>, Value)> {
    let Yaml::Mapping(entries) = yaml_serde::from_str(raw).ok()? else { return None };
    let mut entries = entries.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => Some((Some(key_text(key).ok()?), from_yaml(value).ok()?)),
        _ => None,
    }
}

/// The lines of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    start: usize,
    end: usize,
}

/// The entries of the outermost mapping, or `None` where lines do not tell them.
fn entries(text: &str) -> Option<Vec<Entry>> {
    let mut found: Vec<Entry> = vec![];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, content) = (at, line.trim_start());
        at += line.len();
        let marker = line.starts_with("---") || line.starts_with("...") || line.starts_with('%');
        if content.is_empty() || content.starts_with('#') || marker {
            continue;
        }
        if line.starts_with([' ', '\t', '-', '}', ']']) {
            found.last_mut()?.end = at;
        } else {
            found.push(Entry { start, end: at });
        }
    }
    let whole: Yaml = yaml_serde::from_str(text).ok()?;
    let known: Vec<(&Yaml, &Yaml)> = whole.as_mapping().map(|map| map.iter().collect()).unwrap_or_default();
    let alone = |entry: &Entry, (key, value): &(&Yaml, &Yaml)| {
        let parsed = yaml_serde::from_str::<Yaml>(&text[entry.start..entry.end]).ok();
        let parsed = parsed.as_ref().and_then(Yaml::as_mapping);
        parsed.is_some_and(|map| map.len() == 1 && map.iter().next() == Some((*key, *value)))
    };
    let agrees = found.len() == known.len() && found.iter().zip(&known).all(|(entry, known)| alone(entry, known));
    agrees.then_some(found)
}

/// The splices that make a resolved step, and its receipt.
pub fn splices(text: &str, touched: &[Touched<'_>], step: &Step) -> Result<(Vec<Splice>, Receipt)> {
    let mut receipt = receipt(step);
    let Some(one) = touched.first() else { return Ok((vec![], receipt)) };
    let whole_entries = one.pointer.is_empty() && one.records.shape == Shape::Map && one.updated.is_empty();
    if touched.len() > 1 || !whole_entries {
        let message = "YAML documents can only gain and lose whole entries of their outermost mapping";
        return Err(Error::new(Kind::Unsupported, message));
    }
    let entries = entries(text).ok_or_else(|| {
        let message = format!("the document of `{}` is laid out in a way that cannot be edited safely", one.collection);
        Error::new(Kind::Unsupported, message).help("edit the file by hand")
    })?;
    let lines = Lines { text, entries, removed: one.removed.keys().copied().collect() };
    let mut splices = vec![];
    for (entry, change) in &one.removed {
        let Entry { start, end } = lines.span(*entry);
        note_removed(&mut receipt, step, *change, *entry, &text[start..end]);
        splices.push(Splice { start, end, text: String::new() });
    }
    splices.extend(lines.insertions(one)?);
    Ok((arrange(splices)?, receipt))
}

/// A text by its entries.
struct Lines<'t> {
    text: &'t str,
    entries: Vec<Entry>,
    removed: BTreeSet<usize>,
}

impl Lines<'_> {
    /// What goes with an entry: the blank lines after it, or before it where no entry stays behind it.
    fn span(&self, entry: usize) -> Entry {
        let Entry { start, end } = self.entries[entry];
        let kept_after = (entry + 1..self.entries.len()).any(|n| !self.removed.contains(&n));
        let kept_before = (0..entry).any(|n| !self.removed.contains(&n));
        let next = self.entries.get(entry + 1).filter(|next| self.is_blank(end, next.start));
        let previous = entry.checked_sub(1).map(|n| self.entries[n]).filter(|known| self.is_blank(known.end, start));
        match (kept_after || !kept_before, next, previous) {
            (true, Some(next), _) => Entry { start, end: next.start },
            (false, _, Some(previous)) => Entry { start: previous.end, end },
            _ => Entry { start, end },
        }
    }

    fn is_blank(&self, start: usize, end: usize) -> bool {
        self.text[start..end].trim().is_empty()
    }

    /// The blank lines between neighbours, as the document has them.
    fn separator(&self) -> &str {
        let gap = match &self.entries[..] {
            [.., before, last] => &self.text[before.end..last.start],
            [only] => &self.text[..only.start],
            [] => "\n",
        };
        if gap.trim().is_empty() { gap } else { "\n" }
    }

    fn insertions(&self, touched: &Touched<'_>) -> Result<Vec<Splice>> {
        let places: Vec<Option<u64>> = touched.inserted.iter().map(|new| new.insertion.at).collect();
        let (mut splices, mut run) = (vec![], vec![]);
        for slot in layout(self.entries.len(), &self.removed, &places) {
            match slot {
                Slot::New(new) => run.push(&touched.inserted[new].insertion.content),
                Slot::Old(right) if !run.is_empty() => {
                    let at = self.entries[right].start;
                    splices.push(Splice { start: at, end: at, text: self.before(&run)? });
                    run.clear();
                }
                Slot::Old(_) => {}
            }
        }
        if !run.is_empty() {
            let at = self.entries.last().map_or(self.text.len(), |last| last.end);
            splices.push(Splice { start: at, end: at, text: self.after(at, &run)? });
        }
        Ok(splices)
    }

    /// New entries in front of an old one.
    fn before(&self, run: &[&Content]) -> Result<String> {
        let mut text = String::new();
        for content in run {
            text += &render(content)?;
            match content {
                Content::Raw(raw) if raw.ends_with('\n') => {}
                Content::Raw(_) => text.push('\n'),
                Content::New { .. } => text += self.separator(),
            }
        }
        Ok(text)
    }

    /// New entries behind all others.
    fn after(&self, at: usize, run: &[&Content]) -> Result<String> {
        let mut text = String::new();
        for content in run {
            let so_far = if text.is_empty() { &self.text[..at] } else { &text };
            let fits = so_far.is_empty() || so_far.ends_with('\n');
            match content {
                Content::Raw(raw) if fits || raw.starts_with(['\n', '\r']) => {}
                Content::New { .. } if fits => text += self.separator(),
                Content::New { .. } => text += &format!("\n{}", self.separator()),
                Content::Raw(_) => text.push('\n'),
            }
            text += &render(content)?;
        }
        Ok(text)
    }
}

fn render(content: &Content) -> Result<String> {
    let refused = || Error::new(Kind::Plugin, "the plugin gave an entry that YAML cannot hold");
    match content {
        Content::Raw(raw) => Ok(raw.clone()),
        Content::New { key: None, .. } => Err(refused()),
        Content::New { key: Some(key), value } => {
            let entry = to_yaml(&Value::Map(vec![(key.clone(), value.clone())])).ok_or_else(refused)?;
            yaml_serde::to_string(&entry).map_err(|_| refused())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANS: &str = "\n127.0.0.1:\n  banned_at: '2026-11-21T02:00:00+00:00'\n\n2001:db8::5:\n  banned_at: null\n";

    #[test]
    fn yaml_reads_as_the_json_it_amounts_to() {
        let json = |text| view(text).map(|json| json.text().to_owned());
        assert_eq!(
            json(BANS).unwrap(),
            r#"{"127.0.0.1":{"banned_at":"2026-11-21T02:00:00+00:00"},"2001:db8::5":{"banned_at":null}}"#
        );
        assert_eq!(json("").unwrap(), "{}");
        assert_eq!(json("# nothing\n").unwrap(), "{}");
        assert_eq!(
            json("a: !include b.yaml\n1: 1.50\nyes: [on, 2]\n").unwrap(),
            r#"{"a":{"!include":"b.yaml"},"1":1.5,"yes":["on",2]}"#
        );
        assert!(json("a: [").is_err());
        assert!(json("a: 1\na: 2\n").is_err());
    }

    #[test]
    fn entries_are_told_by_their_lines() {
        let text =
            |text: &'static str| entries(text).map(|all| all.iter().map(|e| &text[e.start..e.end]).collect::<Vec<_>>());
        assert_eq!(text(BANS).unwrap()[1], "2001:db8::5:\n  banned_at: null\n");
        assert_eq!(text("---\na: 1 # x\n# note\nb:\n- 1\n- 2\n\n").unwrap(), ["a: 1 # x\n", "b:\n- 1\n- 2\n"]);
        assert_eq!(text("").unwrap(), [""; 0]);
        assert_eq!(text("{a: 1, b: 2}\n"), None, "one line with two entries");
        assert_eq!(text("a: &x 1\nb: *x\n"), None, "an alias means nothing alone");
        assert_eq!(text("a: |\n  x\n  # y\nb: 1\n"), None, "what looks like a comment is text");
        assert_eq!(text("- 1\n"), None);
    }
}
