//! Edits of JSON as splices of its text, so that every byte outside them stays.
//!
//! Elements come and go with the separator between them, the way the app itself would have written the rest:
//!
//! ```text
//! [ a, b, c ]     b goes with the separator after it:      [ a, c ]
//! [ a, b, c ]     c, the last, with the one before it:     [ a, b ]
//! [ a ]           the only one, with all inside:           []
//! ```
//!
//! What went is kept as *raw text, separators included*. Put back at the same place it fits as it is, and the document is
//! what it was to the byte, however strangely it was laid out. Where the neighbours have changed, it gets new separators.

use super::json::{Element, Json, Span, space_end};
use super::text::{Style, between};
use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One range of the text and what comes in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

/// What is put into a container.
#[derive(Clone, Debug)]
pub enum Content {
    /// An item of a list, or a member of an object where there is a key.
    New { key: Option<String>, value: Value },
    /// Text as it was removed, perhaps with separators.
    Raw(String),
}

/// A new element of a container.
#[derive(Clone, Debug)]
pub struct Insertion {
    /// Its place once everything is done; the end if absent.
    pub at: Option<u64>,
    pub content: Content,
}

/// What happens to the elements of one container.
pub struct Edit {
    pub container: Span,
    pub elements: Arc<[Element]>,
    pub removed: BTreeSet<usize>,
    pub inserted: Vec<Insertion>,
}

/// An element of the result: an old one by its old number, or a new one by the number of its insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    Old(usize),
    New(usize),
}

/// The elements in the order they will have.
pub fn layout(count: usize, removed: &BTreeSet<usize>, places: &[Option<u64>]) -> Vec<Slot> {
    let mut kept = (0..count).filter(|n| !removed.contains(n)).map(Slot::Old).peekable();
    let mut placed: Vec<usize> = (0..places.len()).filter(|n| places[*n].is_some()).collect();
    placed.sort_by_key(|n| places[*n]);
    let mut result = Vec::new();
    for new in placed {
        while kept.peek().is_some() && Some(result.len() as u64) < places[new] {
            result.extend(kept.next());
        }
        result.push(Slot::New(new));
    }
    result.extend(kept);
    result.extend((0..places.len()).filter(|n| places[*n].is_none()).map(Slot::New));
    result
}

impl Edit {
    pub fn new(json: &Json, container: Span) -> Edit {
        Edit { container, elements: json.all(container), removed: BTreeSet::new(), inserted: vec![] }
    }

    /// The raw texts of the elements that go, in order: each the part of the text that goes with it.
    pub fn raws<'j>(&self, json: &'j Json) -> Vec<(usize, &'j str)> {
        let kept = |n: &usize| !self.removed.contains(n);
        let first_kept = (0..self.elements.len()).find(kept);
        let last_kept = (0..self.elements.len()).rfind(kept);
        let raw = |n: usize| self.raw(json, n, first_kept.is_some_and(|k| k < n), last_kept.is_some_and(|k| k > n));
        self.removed.iter().map(|n| (*n, raw(*n))).collect()
    }

    fn raw<'j>(&self, json: &'j Json, element: usize, kept_before: bool, kept_after: bool) -> &'j str {
        let (inner_start, inner_end) = self.inside();
        let this = self.elements[element];
        let next = self.elements.get(element + 1).map(|next| next.start as usize);
        let start = match element.checked_sub(1) {
            Some(previous) if kept_before && !kept_after => self.elements[previous].end as usize,
            None if !kept_after => inner_start,
            _ => this.start as usize,
        };
        let end = match next {
            Some(next) if kept_after || !kept_before => next,
            None if !kept_before => inner_end,
            _ => this.end as usize,
        };
        &json.text()[start..end]
    }

    fn inside(&self) -> (usize, usize) {
        (self.container.start as usize + 1, self.container.end as usize - 1)
    }

    /// The splices that make the edit.
    pub fn splices(&self, json: &Json, style: &Style) -> Result<Vec<Splice>> {
        let places: Vec<Option<u64>> = self.inserted.iter().map(|new| new.at).collect();
        let layout = layout(self.elements.len(), &self.removed, &places);
        let gap = Gap::of(self, json, style);
        let (mut splices, mut run, mut left) = (vec![], vec![], None);
        for slot in layout {
            match slot {
                Slot::New(new) => run.push(&self.inserted[new].content),
                Slot::Old(right) => {
                    splices.extend(self.splice_before(&gap, left, right, &run)?);
                    run.clear();
                    left = Some(right);
                }
            }
        }
        splices.extend(self.splice_at_end(&gap, left, &run)?);
        Ok(splices)
    }

    /// Between the kept elements `left` and `right`: new ones come before `right`, each with a separator after it.
    fn splice_before(
        &self,
        gap: &Gap<'_>,
        left: Option<usize>,
        right: usize,
        run: &[&Content],
    ) -> Result<Option<Splice>> {
        let first = left.map_or(0, |left| left + 1);
        if first == right && run.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        let as_it_is = run.iter().all(|content| Piece::of(content).is_some_and(|piece| piece.only_trails()));
        for content in run {
            match content {
                Content::Raw(raw) if as_it_is => text.push_str(raw),
                other => text.extend([gap.render(other)?.as_str(), &gap.separator]),
            }
        }
        let (start, end) = (self.elements[first].start as usize, self.elements[right].start as usize);
        Ok(Some(Splice { start, end, text }))
    }

    /// After the last kept element, each new one with a separator before it; or in a container that keeps none.
    fn splice_at_end(&self, gap: &Gap<'_>, left: Option<usize>, run: &[&Content]) -> Result<Option<Splice>> {
        let Some(left) = left else { return self.splice_inside(gap, run) };
        if left + 1 == self.elements.len() && run.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        let as_it_is = run.iter().all(|content| Piece::of(content).is_some_and(|piece| piece.only_leads()));
        for content in run {
            match content {
                Content::Raw(raw) if as_it_is => text.push_str(raw),
                other => text.extend([&gap.separator, gap.render(other)?.as_str()]),
            }
        }
        let end = self.elements[self.elements.len() - 1].end as usize;
        Ok(Some(Splice { start: self.elements[left].end as usize, end, text }))
    }

    fn splice_inside(&self, gap: &Gap<'_>, run: &[&Content]) -> Result<Option<Splice>> {
        let (start, end) = self.inside();
        if self.elements.is_empty() && run.is_empty() {
            return Ok(None);
        }
        let text = match (run, whole(run)) {
            ([], _) => String::new(),
            (_, Some(text)) => text,
            _ => {
                let rendered = run.iter().map(|content| gap.render(content)).collect::<Result<Vec<_>>>()?;
                format!("{}{}{}", gap.lead, rendered.join(&gap.separator), gap.tail)
            }
        };
        Ok(Some(Splice { start, end, text }))
    }
}

/// The texts of a run one after the other, if these alone make a well-formed inside of a container.
fn whole(run: &[&Content]) -> Option<String> {
    let pieces: Vec<Piece<'_>> = run.iter().map(|content| Piece::of(content)).collect::<Option<_>>()?;
    let ends = !pieces.first()?.comma_before && !pieces.last()?.comma_after;
    let fits = pieces.windows(2).all(|pair| pair[0].comma_after != pair[1].comma_before);
    (ends && fits).then(|| pieces.iter().map(|piece| piece.raw).collect())
}

/// Raw text, taken apart.
struct Piece<'a> {
    raw: &'a str,
    core: &'a str,
    comma_before: bool,
    comma_after: bool,
}

impl<'a> Piece<'a> {
    fn of(content: &'a Content) -> Option<Piece<'a>> {
        match content {
            Content::Raw(raw) => Some(Piece::parse(raw)),
            Content::New { .. } => None,
        }
    }

    fn parse(raw: &'a str) -> Piece<'a> {
        let space = [' ', '\t', '\r', '\n'];
        let (mut core, mut comma_before, mut comma_after) = (raw.trim_matches(space), false, false);
        if let Some(rest) = core.strip_prefix(',') {
            (core, comma_before) = (rest.trim_start_matches(space), true);
        }
        if let Some(rest) = core.strip_suffix(',') {
            (core, comma_after) = (rest.trim_end_matches(space), true);
        }
        Piece { raw, core, comma_before, comma_after }
    }

    fn only_trails(&self) -> bool {
        self.comma_after && !self.comma_before && self.raw.starts_with(self.core)
    }

    fn only_leads(&self) -> bool {
        self.comma_before && !self.comma_after && self.raw.ends_with(self.core)
    }
}

/// What a raw text says: its value, and the key where it is a member of an object.
pub fn read_raw(raw: &str) -> Option<(Option<String>, Value)> {
    let core = Piece::parse(raw).core;
    if let Ok(json) = Json::parse(core.to_owned()) {
        return Some((None, json.value(json.root())));
    }
    let json = Json::parse(format!("{{{core}}}")).ok()?;
    let mut members = json.elements(json.root());
    match (members.next(), members.next()) {
        (Some(member), None) => Some((Some(json.key(member).into_owned()), json.value(member.value()))),
        _ => None,
    }
}

/// How the elements of one container are laid out.
struct Gap<'s> {
    style: &'s Style,
    lead: String,
    separator: String,
    tail: String,
    /// What the lines of its elements begin with; `None` where they share one line.
    indent: Option<String>,
    keyed: bool,
}

impl<'s> Gap<'s> {
    fn of(edit: &Edit, json: &Json, style: &'s Style) -> Gap<'s> {
        let text = json.text();
        let (start, end) = edit.inside();
        let (lead, tail) = match (edit.elements.first(), edit.elements.last()) {
            (Some(first), Some(last)) => {
                (text[start..first.start as usize].to_owned(), text[last.end as usize..end].to_owned())
            }
            _ => Gap::fresh(text, start, style),
        };
        let indent = lead.rfind('\n').map(|at| lead[at + 1..].to_owned());
        let separator = match &edit.elements[..] {
            [first, second, ..] => between(json, *first, *second).to_owned(),
            _ if indent.is_some() => format!(",{lead}"),
            _ => style.comma.clone(),
        };
        Gap { style, lead, separator, tail, indent, keyed: json.is_object(edit.container) }
    }

    /// The first and last white space of a container that had no element yet.
    fn fresh(text: &str, start: usize, style: &Style) -> (String, String) {
        let Some(unit) = &style.unit else { return (String::new(), String::new()) };
        let line = &text[text[..start].rfind('\n').map_or(0, |at| at + 1)..];
        let outer = &line[..space_end(line.as_bytes(), 0)];
        (format!("{}{outer}{unit}", style.newline), format!("{}{outer}", style.newline))
    }

    fn render(&self, content: &Content) -> Result<String> {
        let mut out = String::new();
        match content {
            Content::New { key: Some(key), value } if self.keyed => {
                self.style.write_member(key, value, self.indent.as_deref(), &mut out);
            }
            Content::New { key: None, value } if !self.keyed => {
                self.style.write(value, self.indent.as_deref(), &mut out);
            }
            Content::Raw(raw) => out.push_str(Piece::parse(raw).core),
            Content::New { .. } => {
                let message = "the plugin gave a key for an item of a list, or none for a member of an object";
                return Err(Error::new(Kind::Plugin, message));
            }
        }
        Ok(out)
    }
}

/// Sorts splices and makes sure that none touches what another does.
pub fn arrange(mut splices: Vec<Splice>) -> Result<Vec<Splice>> {
    splices.sort_by_key(|splice| (splice.start, splice.end));
    // Something may be put in right before what another splice replaces; that one sorts first.
    let clash = |one: &Splice, next: &Splice| next.start < one.end || (one.start, one.end) == (next.start, next.end);
    match splices.windows(2).any(|pair| clash(&pair[0], &pair[1])) {
        true => Err(Error::new(Kind::Plugin, "the plan changes the same record twice in one step")),
        false => Ok(splices),
    }
}

/// The text with arranged splices in it. It is edited in place, since a large one need not be in memory twice: moved up once
/// by all that it may grow, then written down again piece by piece, where the writing never overtakes the reading.
pub fn spliced(text: String, splices: &[Splice]) -> Vec<u8> {
    let (length, mut bytes) = (text.len(), text.into_bytes());
    // What stands before the first splice stays where it is.
    let first = splices.first().map_or(length, |splice| splice.start);
    let room: usize = splices.iter().map(|splice| splice.text.len().saturating_sub(splice.end - splice.start)).sum();
    bytes.resize(length + room, 0);
    bytes.copy_within(first..length, room + first);
    let (mut from, mut to) = (first, first);
    for Splice { start, end, text } in splices {
        bytes.copy_within(room + from..room + start, to);
        to += start - from;
        bytes[to..to + text.len()].copy_from_slice(text.as_bytes());
        (from, to) = (*end, to + text.len());
    }
    bytes.copy_within(room + from.., to);
    bytes.truncate(to + length - from);
    bytes
}

#[cfg(test)]
#[path = "splice_tests.rs"]
mod tests;
