//! YAML mappings, flattened, with every scalar as it is written.
//!
//! A password `0123` or `1e5` must not come out as a number: apps read it as text. So the file is read twice, once for
//! its shape and once for the text of its scalars.

use super::Problem;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use yaml_serde::Value;

/// The values: nested mappings with `.` between the names, sequences of scalars with commas, others by position.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, Problem> {
    let shape: Value = yaml_serde::from_str(text).map_err(|why| problem(&why))?;
    let mut values = BTreeMap::new();
    match &shape {
        Value::Null => Ok(values),
        Value::Mapping(_) => {
            let words = Words(&shape).deserialize(yaml_serde::Deserializer::from_str(text));
            flatten("", words.map_err(|why| problem(&why))?, &mut values);
            Ok(values)
        }
        _ => Err(Problem::new(0, "this is not a YAML mapping of names to values")),
    }
}

/// The parser's own message may quote the file.
fn problem(why: &yaml_serde::Error) -> Problem {
    Problem::new(why.location().map_or(0, |at| at.line()), "this is not well-formed YAML")
}

/// A document with its scalars as text.
enum Tree {
    Scalar(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    fn scalar(&self) -> Option<&str> {
        match self {
            Tree::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

fn flatten(name: &str, tree: Tree, values: &mut BTreeMap<String, String>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match tree {
        Tree::Scalar(text) => {
            values.insert(name.to_owned(), text);
        }
        Tree::Map(entries) if entries.is_empty() => {
            values.insert(name.to_owned(), String::new());
        }
        Tree::Map(entries) => entries.into_iter().for_each(|(key, tree)| flatten(&below(&key), tree, values)),
        Tree::List(items) => match scalars(&items) {
            Some(texts) => {
                values.insert(name.to_owned(), texts.join(","));
            }
            None => items.into_iter().enumerate().for_each(|(i, tree)| flatten(&below(&i.to_string()), tree, values)),
        },
    }
}

fn scalars(items: &[Tree]) -> Option<Vec<&str>> {
    items.iter().map(Tree::scalar).collect()
}

/// Reads the part of the file that has this shape.
struct Words<'a>(&'a Value);

impl<'de> DeserializeSeed<'de> for Words<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Tree, D::Error> {
        match self.0 {
            Value::Mapping(_) => from.deserialize_map(self),
            Value::Sequence(_) => from.deserialize_seq(self),
            Value::Tagged(tagged) => {
                let tree = Words(&tagged.value).deserialize(from)?;
                Ok(match tree {
                    // `!secret name` is not the text `name`.
                    Tree::Scalar(text) => Tree::Scalar(format!("{} {text}", tagged.tag).trim_end().to_owned()),
                    other => other,
                })
            }
            Value::Null => from.deserialize_str(self).map(|_| Tree::Scalar(String::new())),
            _ => from.deserialize_str(self),
        }
    }
}

impl<'de> Visitor<'de> for Words<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        for shape in self.0.as_sequence().into_iter().flatten() {
            items.extend(from.next_element_seed(Words(shape))?);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        for (_, shape) in self.0.as_mapping().into_iter().flatten() {
            if let Some(key) = from.next_key::<String>()? {
                entries.push((key, from.next_value_seed(Words(shape))?));
            }
        }
        Ok(Tree::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap().into_iter().collect()
    }

    fn one(text: &str) -> String {
        parse(text).unwrap().remove("a").unwrap()
    }

    #[test]
    fn scalars_are_text_as_written() {
        for (text, value) in [
            ("a: 0123", "0123"),
            ("a: 1e5", "1e5"),
            ("a: 1_000", "1_000"),
            ("a: 0x1F", "0x1F"),
            ("a: 1.50", "1.50"),
            ("a: true", "true"),
            ("a: Yes", "Yes"),
            ("a: \"quoted\\n\"", "quoted\n"),
            ("a: 'it''s'", "it's"),
            ("a: |\n  two\n  lines\n", "two\nlines\n"),
            ("a: 2024-01-01", "2024-01-01"),
            ("a: /path # comment", "/path"),
            ("a:", ""),
            ("a: ~", ""),
            ("a: \"~\"", "~"),
            ("a: {}", ""),
            ("a: []", ""),
            ("a: !secret db_pass", "!secret db_pass"),
        ] {
            assert_eq!(one(text), value, "{text}");
        }
    }

    #[test]
    fn nested_mappings_and_sequences_are_flattened() {
        let text = "http:\n  port: 08123\n  deep: {x: 1, y: [a, 2.0, true]}\nlist:\n  - one\n  - 02\n";
        let expected =
            [("http.deep.x", "1"), ("http.deep.y", "a,2.0,true"), ("http.port", "08123"), ("list", "one,02")];
        assert_eq!(values(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn mappings_in_a_sequence_are_named_by_position() {
        let text = "homeassistant:\n  auth_providers:\n    - type: homeassistant\n    - type: trusted_networks\n";
        let expected = [
            ("homeassistant.auth_providers.0.type", "homeassistant"),
            ("homeassistant.auth_providers.1.type", "trusted_networks"),
        ];
        assert_eq!(values(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn anchors_tags_and_odd_keys_are_read() {
        let text = "x: &port 080\ny: *port\n8123: on\nz: !include_dir\n  k: v\nw: [*port, !env N]\n";
        let found = parse(text).unwrap();
        let of = |name: &str| found.get(name).map(String::as_str);
        assert_eq!((of("x"), of("y"), of("8123"), of("z.k")), (Some("080"), Some("080"), Some("on"), Some("v")));
        assert_eq!(of("w"), Some("080,!env N"));
    }

    #[test]
    fn what_is_no_mapping_is_refused_by_line() {
        assert_eq!(parse("- a\n- b\n").unwrap_err().line, 0);
        assert!(parse("just text").is_err() && parse("a: 1\na: 2\n").is_err() && parse("a: 1\n---\nb: 2\n").is_err());
        assert_eq!(parse("a: 1\nb: [2\nc: 3\n").unwrap_err().what, "this is not well-formed YAML");
        assert!(parse("").unwrap().is_empty() && parse("# only a comment\n---\n").unwrap().is_empty());
    }
}
