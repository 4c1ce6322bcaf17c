//! What `configuration.yaml` says about signing in: providers and second factors.
//!
//! The file is full of the app's own YAML tags (`!include`, `!secret`) and may be megabytes of automations, so this reads
//! only the lines of two keys below `homeassistant:`, and says so where it cannot follow.

use crate::yaml;
use latchlift_plugin_api::Reader;

/// The entries of a list in the settings, by their `type`.
#[derive(Debug, PartialEq)]
pub enum Listed {
    /// The key is absent: the app's default holds.
    Default,
    /// These.
    Types(Vec<String>),
    /// The key is there in a form that is not understood.
    Unreadable,
    /// The file is no YAML. The app starts in its recovery mode, without these settings.
    Broken,
}

/// The settings that decide who is asked for what.
#[derive(Debug)]
pub struct Settings {
    /// `auth_providers`: by default `homeassistant` alone.
    pub providers: Listed,
    /// `auth_mfa_modules`: by default `totp` alone.
    pub modules: Listed,
}

impl Settings {
    /// Reads `configuration.yaml` and the files it includes for these keys.
    pub fn read(reader: &dyn Reader) -> Settings {
        // A file that cannot be read must not keep anyone from a reset; it makes the settings unknown, which is reported.
        match reader.document("", "configuration.yaml") {
            Err(_) => Settings { providers: Listed::Unreadable, modules: Listed::Unreadable },
            Ok(text) => Settings::parse(&text.unwrap_or_default(), &|name| reader.document("", name).ok().flatten()),
        }
    }

    fn parse(text: &str, include: &dyn Fn(&str) -> Option<String>) -> Settings {
        if yaml::is_broken(text) {
            return Settings { providers: Listed::Broken, modules: Listed::Broken };
        }
        let lines = lines(text);
        let Some(block) = entry(&lines, 0, "homeassistant") else {
            return match lines.first().is_some_and(|line| line.text.starts_with('{')) {
                true => Settings::inline(text),
                false => Settings { providers: Listed::Default, modules: Listed::Default },
            };
        };
        let included = included(block.value, include);
        // An anchor only gives what follows a name.
        let is_anchor = block.value.starts_with('&') && !block.value.contains(' ');
        let block = match (&included, block.value) {
            (Some(text), _) => self::lines(text),
            (None, "") => block.below.to_vec(),
            (None, _) if is_anchor => block.below.to_vec(),
            (None, "null" | "~") => vec![],
            (None, value) => return Settings::inline(&joined(value, block.below)),
        };
        if block.first().is_some_and(|line| line.text.starts_with('{')) {
            return Settings::inline(&joined("", &block));
        }
        let margin = block.first().map_or(0, |line| line.indent);
        // What a merged mapping says holds for the keys that are not there.
        let absent = if entry(&block, margin, "<<").is_some() { || Listed::Unreadable } else { || Listed::Default };
        let list = |key| entry(&block, margin, key).map_or_else(absent, |entry| listed(&entry, include));
        Settings { providers: list("auth_providers"), modules: list("auth_mfa_modules") }
    }

    /// `homeassistant: {name: Home}`, or a tag that cannot be followed.
    fn inline(value: &str) -> Settings {
        let list = |key| match value.trim_start().starts_with('{') && !value.contains(key) {
            true => Listed::Default,
            false => Listed::Unreadable,
        };
        Settings { providers: list("auth_providers"), modules: list("auth_mfa_modules") }
    }

    /// Whether a provider of this type is asked; `None` where the settings cannot be read.
    pub fn has_provider(&self, kind: &str) -> Option<bool> {
        match &self.providers {
            // The recovery mode, which a file that is no YAML leads to, has what there is without settings.
            Listed::Default | Listed::Broken => Some(kind == crate::schema::PROVIDER),
            Listed::Types(types) => Some(types.iter().any(|known| known == kind)),
            Listed::Unreadable => None,
        }
    }

    /// Whether a second factor of this type is asked for; in doubt what the app does by default.
    pub fn enforces(&self, module: &str) -> bool {
        match &self.modules {
            Listed::Types(types) => types.iter().any(|known| known == module),
            Listed::Default | Listed::Unreadable | Listed::Broken => module == "totp",
        }
    }

    /// Whether a second factor of this type may be asked for, also where it is not known.
    pub fn may_enforce(&self, module: &str) -> bool {
        self.modules == Listed::Unreadable || self.enforces(module)
    }
}

/// The values of `key` below `block:`: the items of a list of scalars, or the one scalar there is. `None` where neither key is
/// there, or what they say cannot be followed.
pub fn scalars(text: &str, block: &str, key: &str, include: &dyn Fn(&str) -> Option<String>) -> Option<Vec<String>> {
    let lines = lines(text);
    let block = entry(&lines, 0, block)?;
    let included = included(block.value, include);
    let below = match &included {
        Some(text) => self::lines(text),
        None => block.below.to_vec(),
    };
    let entry = entry(&below, below.first().map_or(0, |line| line.indent), key)?;
    let bare = |text: &str| text.trim().trim_matches(['"', '\'']).trim().to_owned();
    let listed =
        |text: &str| text.trim_matches(['[', ']']).split(',').map(bare).filter(|item| !item.is_empty()).collect();
    let items: Vec<String> = match entry.value {
        "" => entry.below.iter().filter_map(|line| line.text.strip_prefix('-')).map(bare).collect(),
        value if value.starts_with('[') => listed(
            &std::iter::once(value).chain(entry.below.iter().map(|line| line.text)).collect::<Vec<_>>().join(" "),
        ),
        value => vec![bare(value)],
    };
    items.iter().all(|item| !item.starts_with(['!', '*', '&', '{'])).then_some(items)
}

/// A line that says something: its indent and its text without comment.
#[derive(Clone, Copy)]
struct Line<'a> {
    indent: usize,
    text: &'a str,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().map(|line| {
        let said = uncommented(line).trim_end();
        Line { indent: said.len() - said.trim_start_matches(' ').len(), text: said.trim_start() }
    });
    lines.filter(|line| !line.text.is_empty() && line.text != "---" && line.text != "...").collect()
}

/// The line up to a `#` that stands outside quotes and after white space.
fn uncommented(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match quote {
            None if c == '#' && before.is_whitespace() => return &line[..at],
            // An apostrophe within a word is no quote.
            None if (c == '"' || c == '\'') && " [{,:-".contains(before) => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        before = c;
    }
    line
}

/// A key's value on its own line, and the lines below it that belong to it.
struct Entry<'a, 'b> {
    value: &'a str,
    below: &'b [Line<'a>],
}

/// The last entry of this key at this indent: the app lets the last of two equal keys win.
fn entry<'a, 'b>(lines: &'b [Line<'a>], indent: usize, key: &str) -> Option<Entry<'a, 'b>> {
    let at = lines.iter().rposition(|line| line.indent == indent && value_of(line.text, key).is_some())?;
    let below = &lines[at + 1..];
    // A list may stand at the indent of its key.
    let own = |line: &Line<'_>| line.indent > indent || (line.indent == indent && is_item(line.text));
    let end = below.iter().position(|line| !own(line)).unwrap_or(below.len());
    Some(Entry { value: value_of(lines[at].text, key)?, below: &below[..end] })
}

/// What stands after `key:`, `"key":` or `'key':`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].strip_prefix(key)?.strip_prefix(quote)?,
        _ => text.strip_prefix(key)?,
    };
    let value = rest.trim_start().strip_prefix(':')?;
    (value.is_empty() || value.starts_with(' ')).then(|| value.trim())
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// The text of a file named by `!include`.
fn included(value: &str, include: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    include(value.strip_prefix("!include ")?.trim().trim_matches(['"', '\'']))
}

fn listed(entry: &Entry<'_, '_>, include: &dyn Fn(&str) -> Option<String>) -> Listed {
    if let Some(text) = included(entry.value, include) {
        return types(&lines(&text));
    }
    match entry.value {
        "" => types(entry.below),
        "null" | "~" => Listed::Types(vec![]),
        value if value.starts_with('[') || value.starts_with('{') => flow_types(&joined(value, entry.below)),
        _ => Listed::Unreadable,
    }
}

/// A value that goes on in the lines below, in one.
fn joined(value: &str, below: &[Line<'_>]) -> String {
    std::iter::once(value).chain(below.iter().map(|line| line.text)).collect::<Vec<_>>().join(" ")
}

/// The types of a list's items; of a single mapping, which the app takes for a list of one; none of nothing.
fn types(lines: &[Line<'_>]) -> Listed {
    let Some(first) = lines.first() else { return Listed::Types(vec![]) };
    if first.text.starts_with('[') || first.text.starts_with('{') {
        return flow_types(joined("", lines).trim_start());
    }
    let (mut found, mut items) = (vec![], usize::from(!is_item(first.text)));
    let mut column = if is_item(first.text) { None } else { Some(first.indent) };
    for line in lines {
        let (mut indent, mut text) = (line.indent, line.text);
        if is_item(text) && indent == first.indent && is_item(first.text) {
            items += 1;
            let key = text[1..].trim_start();
            (indent, text) = (indent + text.len() - key.len(), key);
            column = (!key.is_empty()).then_some(indent);
            if key.is_empty() {
                continue;
            }
            if key.starts_with(['{', '!', '*']) {
                found.push(key);
                continue;
            }
        }
        let column = *column.get_or_insert(indent);
        if let Some(kind) = value_of(text, "type").filter(|_| indent == column) {
            found.push(kind);
        }
    }
    // An item without a type, or with two, is not what the app reads either.
    if found.len() != items {
        return Listed::Unreadable;
    }
    collected(found.into_iter().map(|kind| match kind.starts_with('{') {
        true => flow_type(kind).unwrap_or(""),
        false => kind,
    }))
}

/// The types in `[{type: homeassistant}, {type: trusted_networks, ...}]`.
fn flow_types(text: &str) -> Listed {
    let inner = text.trim_start_matches('[').trim_start();
    if inner.starts_with(']') {
        return Listed::Types(vec![]);
    }
    let (mut depth, mut start, mut found) = (0, 0, vec![]);
    for (at, c) in inner.char_indices() {
        match c {
            '{' if depth == 0 => (depth, start) = (1, at),
            '{' | '[' if depth > 0 => depth += 1,
            '}' | ']' if depth > 1 => depth -= 1,
            '}' if depth == 1 => {
                depth = 0;
                found.push(flow_type(&inner[start..at]).unwrap_or(""));
            }
            _ => {}
        }
    }
    if found.is_empty() { Listed::Unreadable } else { collected(found.into_iter()) }
}

/// The type within `{type: homeassistant, id: 1}`.
fn flow_type(text: &str) -> Option<&str> {
    text.split(['{', '}', ',', '[', ']']).find_map(|part| value_of(part.trim(), "type"))
}

fn collected<'a>(kinds: impl Iterator<Item = &'a str>) -> Listed {
    let bare = kinds.map(|kind| kind.trim_matches(['"', '\'']).trim());
    let kinds: Vec<String> = bare.map(str::to_owned).collect();
    match kinds.iter().any(|kind| kind.is_empty() || kind.starts_with(['!', '*', '&', '<'])) {
        true => Listed::Unreadable,
        false => Listed::Types(kinds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers(text: &str) -> Listed {
        Settings::parse(text, &|name| (name == "auth.yaml").then(|| "- type: trusted_networks\n".into())).providers
    }

    fn kinds(kinds: &[&str]) -> Listed {
        Listed::Types(kinds.iter().map(|kind| (*kind).to_owned()).collect())
    }

    #[test]
    fn an_absent_key_means_the_default() {
        for text in [
            "",
            "http:\n",
            "homeassistant:\n",
            "homeassistant:\n  name: Home\n",
            "homeassistant: {name: x}\n",
            "homeassistant: ~\n",
            "homeassistant: &home\n  name: x\n",
            "{homeassistant: {name: x}}\n",
        ] {
            let settings = Settings::parse(text, &|_| None);
            assert_eq!((settings.providers, settings.modules), (Listed::Default, Listed::Default), "{text:?}");
        }
        // The key at another place is another key.
        assert_eq!(
            providers("x:\n  auth_providers: []\nhomeassistant:\n  y:\n    auth_providers: []\n"),
            Listed::Default
        );
    }

    #[test]
    fn lists_are_read_in_every_form() {
        let both = kinds(&["homeassistant", "trusted_networks"]);
        for text in [
            "homeassistant:\n  auth_providers:\n    - type: homeassistant\n    - type: trusted_networks\n      trusted_users:\n        192.168.0.1: \n          - type: x\n  name: Home\n",
            "\u{feff}# my home\r\nhomeassistant: # yes\r\n  auth_providers:\r\n  - type: 'homeassistant'   # it's me\r\n  - trusted_networks:\r\n    - 10.0.0.0/8\r\n    type: \"trusted_networks\"\r\n",
            "'homeassistant':\n    \"auth_providers\":\n      -\n        type: homeassistant\n      -   type:   trusted_networks\n",
            "homeassistant:\n  auth_providers: [{type: homeassistant}, {trusted_networks: [10.0.0.0/8], type: trusted_networks}]\n",
            "homeassistant:\n  auth_providers:\n    [\n      {type: homeassistant},\n      {type: trusted_networks}\n    ]\n",
            "homeassistant:\n  auth_providers:\n    - {type: homeassistant}\n    - {type: trusted_networks, trusted_networks: []}\n",
        ] {
            assert_eq!(providers(text), both, "{text}");
        }
        assert_eq!(providers("homeassistant:\n  auth_providers:\n    type: command_line\n"), kinds(&["command_line"]));
        assert_eq!(providers("homeassistant:\n  auth_providers: !include auth.yaml\n"), kinds(&["trusted_networks"]));
    }

    #[test]
    fn an_empty_key_means_none_at_all() {
        for text in [
            "homeassistant:\n  auth_providers:\n    # - type: homeassistant\n  name: x\n",
            "homeassistant:\n  auth_providers: []\n",
        ] {
            assert_eq!(providers(text), kinds(&[]), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        for text in [
            "homeassistant: !include gone.yaml\n",
            "homeassistant: {auth_providers: []}\n",
            "homeassistant: {name: Home,\n  auth_providers: [{type: homeassistant}]}\n",
            "homeassistant:\n  {auth_providers: [{type: homeassistant}]}\n",
            "{homeassistant: {auth_providers: []}}\n",
            "base: &base {}\nhomeassistant:\n  <<: *base\n  name: Home\n",
            "homeassistant:\n  auth_providers:\n    - typ: homeassistant\n",
            "homeassistant:\n  auth_providers:\n    - type: homeassistant\n    - trusted_networks\n",
            "homeassistant:\n  auth_providers:\n    - homeassistant\n",
            "homeassistant:\n  auth_providers: !include_dir_list providers\n",
            "providers: &providers []\nhomeassistant:\n  auth_providers: *providers\n",
            "homeassistant:\n  auth_providers:\n    - type: !secret provider\n",
            "homeassistant:\n  auth_providers:\n    - !include one.yaml\n",
        ] {
            assert_eq!(providers(text), Listed::Unreadable, "{text}");
        }
    }

    #[test]
    fn no_yaml_lists_nothing_and_leaves_nothing_out() {
        for text in [
            "homeassistant:\n\tauth_providers:\n\t\t- type: homeassistant\n",
            "homeassistant:\n  auth_providers:\n\t- type: homeassistant\n",
            "homeassistant:\n  auth_providers: [{type: homeassistant}\n",
            "homeassistant:\n  name: \"Home\n  auth_providers:\n    - type: homeassistant\n",
            "homeassistant:\n  auth_providers\n    - type: homeassistant\n",
        ] {
            let settings = Settings::parse(text, &|_| None);
            assert_eq!(
                (&settings.providers, settings.has_provider("homeassistant")),
                (&Listed::Broken, Some(true)),
                "{text}"
            );
        }
    }

    #[test]
    fn lists_of_scalars_are_read_in_every_form() {
        let include = |name: &str| (name == "http.yaml").then(|| "trusted_proxies: 10.0.0.1\n".to_owned());
        let proxies = |text: &str| scalars(text, "http", "trusted_proxies", &include);
        let two = Some(vec!["10.0.0.0/8".to_owned(), "::1".to_owned()]);
        for text in [
            "http:\n  use_x_forwarded_for: true\n  trusted_proxies:\n    - 10.0.0.0/8 # lan\n    - \"::1\"\n",
            "http:\n  trusted_proxies:\n  - 10.0.0.0/8\n  - ::1\n  server_port: 80\n",
            "http:\n  trusted_proxies: [10.0.0.0/8, '::1']\n",
            "http:\n  trusted_proxies: [10.0.0.0/8,\n    '::1']\n",
        ] {
            assert_eq!(proxies(text), two, "{text}");
        }
        assert_eq!(proxies("http: !include http.yaml\n"), Some(vec!["10.0.0.1".to_owned()]));
        assert_eq!(proxies("http:\n  trusted_proxies: !secret proxies\n"), None);
        assert_eq!(proxies("http:\n"), None);
    }

    #[test]
    fn other_peoples_yaml_does_not_choke_it() {
        let text = "automation:\n- alias: \"a # b\"\n  action: >-\n    homeassistant:\n      auth_providers: []\n? x\n\n: '}{\n'\nhomeassistant:\n  packages: !include_dir_named packages\n";
        assert_eq!(providers(text), Listed::Default);
    }
}
