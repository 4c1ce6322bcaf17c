//! Whether `configuration.yaml` can be YAML at all, as far as it can be told without reading all of it: Home Assistant starts
//! otherwise where it cannot. Whatever is in doubt passes, since most of the file decides about nobody's sign-in.

/// How a line begins, as far as lines before it are still open.
#[derive(Clone, Copy, Default)]
struct Open {
    /// The quote that a text began with.
    quote: Option<char>,
    /// How many lists and mappings in brackets are open.
    depth: usize,
}

impl Open {
    fn is_open(self) -> bool {
        self.quote.is_some() || self.depth > 0
    }

    /// What is open after a line, and the line up to its comment.
    fn after(mut self, line: &str) -> (Open, &str) {
        let (mut before, mut escaped) = (' ', false);
        for (at, c) in line.char_indices() {
            match self.quote {
                Some('"') if escaped => escaped = false,
                Some('"') if c == '\\' => escaped = true,
                Some(quote) if c == quote => self.quote = None,
                Some(_) => {}
                None if c == '#' && before.is_whitespace() => return (self, &line[..at]),
                None if (c == '"' || c == '\'') && self.begins(&line[..at]) => self.quote = Some(c),
                None if (c == '[' || c == '{') && (self.depth > 0 || self.begins(&line[..at])) => self.depth += 1,
                None if c == ']' || c == '}' => self.depth = self.depth.saturating_sub(1),
                None => {}
            }
            before = c;
        }
        (self, line)
    }

    /// Whether a value can begin after this much of a line.
    fn begins(self, before: &str) -> bool {
        let told = before.trim_end();
        let ends = |sign: &str| told.ends_with(|c: char| sign.contains(c));
        told.is_empty()
            || (self.depth == 0 && told.len() < before.len() && ends(":-?"))
            || (self.depth > 0 && ends("[{,:"))
    }
}

/// Whether the text cannot be YAML: by a line that begins with a tab or is no entry of the outermost mapping, by entries that
/// stand where none can, or by an end within quotes or brackets.
pub fn is_broken(text: &str) -> bool {
    let (mut open, mut scalar, mut own) = (Open::default(), None, None);
    for line in text.trim_start_matches('\u{feff}').lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line.trim().is_empty() || scalar.is_some_and(|least| indent > least) {
            continue;
        }
        scalar = None;
        let was = open;
        let said;
        (open, said) = open.after(line);
        let said = said.trim_end();
        if was.is_open() || said.trim().is_empty() {
            continue;
        }
        if indent == 0 {
            if said.starts_with('\t') || !is_outermost(said) {
                return true;
            }
            own = (said.ends_with(':') && !said.starts_with('-')).then(Block::default);
        } else if own.as_mut().is_some_and(|own: &mut Block| !own.takes(indent, said.trim_start())) {
            return true;
        }
        scalar = begins_scalar(said).then_some(indent);
    }
    open.is_open()
}

/// An entry of a mapping or list at the margin, or a sign of YAML's own.
fn is_outermost(said: &str) -> bool {
    is_entry(said) || said.starts_with(['-', '?', '%', ':', '{', '[', '}', ']', '!', '&', '*']) || said == "..."
}

/// Whether a line is `key:` or `key: value`.
fn is_entry(said: &str) -> bool {
    said.contains(": ") || said.contains(":\t") || said.ends_with(':')
}

/// Whether the text below belongs to a value begun with `|` or `>`.
fn begins_scalar(said: &str) -> bool {
    let sign = said.rsplit(' ').next().unwrap_or_default();
    sign.starts_with(['|', '>']) && sign[1..].chars().all(|c| c == '+' || c == '-' || c.is_ascii_digit())
}

/// The lines of one mapping, so far.
#[derive(Default)]
struct Block {
    /// Where its keys stand.
    margin: usize,
    /// Where the line before stands, if it has a plain value, below which no other entry can be.
    closed: Option<usize>,
}

impl Block {
    /// Whether a line can follow.
    fn takes(&mut self, indent: usize, said: &str) -> bool {
        if self.margin == 0 {
            self.margin = indent;
            // A value of another kind, as a tag; it may go on, but without entries.
            if !is_entry(said) && !said.starts_with('-') {
                self.closed = Some(0);
                return true;
            }
        }
        let deeper = self.closed.is_some_and(|closed| indent > closed);
        if indent < self.margin || (deeper && is_entry(said) && !is_quoted(said)) {
            return false;
        }
        // A plain value may go on in the lines below, but what stands at the margin is an entry.
        if indent == self.margin
            && self.closed != Some(0)
            && !is_entry(said)
            && !said.starts_with(['-', '?', ':', ']', '}', '<'])
        {
            return false;
        }
        if !deeper {
            let value = said.split_once(": ").map_or("", |(_, value)| value.trim());
            let is_plain = !value.is_empty() && !value.starts_with(['"', '\'', '[', '{', '|', '>', '!', '&', '*']);
            self.closed = (is_plain && !said.starts_with('-')).then_some(indent);
        }
        true
    }
}

fn is_quoted(said: &str) -> bool {
    said.starts_with(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_yaml_is_found() {
        for text in [
            "homeassistant:\n\tname: x\n",
            "homeassistant:\n  auth_providers:\n\t- type: homeassistant\n",
            "homeassistant:\n  name: Home\n auth_providers:\n",
            "homeassistant:\n  name: Home\n    auth_providers:\n      - type: homeassistant\n",
            "homeassistant:\n  auth_providers: [{type: homeassistant}\n",
            "homeassistant:\n  name: \"Home\n  auth_providers:\n",
            "homeassistant:\n  auth_providers\n    - type: homeassistant\n",
            "homeassistant\n  name: x\n",
            "http:\nthis is no entry\nhomeassistant:\n  name: x\n",
            "<<<<<<< HEAD\nhomeassistant:\n  name: x\n",
        ] {
            assert!(is_broken(text), "{text}");
        }
    }

    #[test]
    fn yaml_of_every_style_passes() {
        for text in [
            "",
            "# only a comment\n\n---\nhomeassistant:\n...\n",
            "\u{feff}homeassistant: # yes\r\n  name: Home\r\n",
            "%YAML 1.1\n---\n'homeassistant':\n    \"name\": It's \"mine\" # my 'home\n",
            "homeassistant:\n  auth_providers:\n  - type: homeassistant\n  -   type: trusted_networks\n      trusted_networks:\n      - 10.0.0.0/8\n  name: a\n",
            "homeassistant:\n  auth_providers: [\n{type: homeassistant},\n]\nhttp:\n",
            "homeassistant:\n  name: a long\n    name over lines\n  url: \"http://x\n    and: more\"\n  customize: !include customize.yaml\n",
            "homeassistant:\n  packages: {a: !include a.yaml, b: 'it''s'}\n  <<: *more\n",
            "script:\n- sequence: >-\n    {{ 'a' }} [ {% if x %}\n  \ttab\n\n    ' and \" open\nautomation:\n- alias: don't [ panic\n  trigger: \"x \\\" # y\"\n- |\n  }{\n? x\n: y\nhomeassistant:\n  name: x\n",
            "homeassistant:\n  customize_glob:\n    \"light.*\":\n      icon: mdi:lamp\n    a.b: {icon: mdi:x}\n  time: 12:30:00\n",
        ] {
            assert!(!is_broken(text), "{text}");
        }
    }
}
