//! How Home Assistant compares sign-in names.

use std::collections::HashMap;
use std::rc::Rc;

/// The name without outer white space, as Python's `strip` sees it: the four separators below count too.
pub fn strip(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// The name as it is compared: without outer white space, case folded (`ß` becomes `ss`, which lower-casing would not do).
pub fn normalise(name: &str) -> String {
    let name = strip(name);
    match name.is_ascii() {
        true => name.to_ascii_lowercase(),
        false => caseless::default_case_fold_str(name),
    }
}

/// Whether the name is stored as it is compared.
pub fn is_normal(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b.is_ascii_uppercase();
    name.bytes().all(plain) || normalise(name) == name
}

/// What stands behind one name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    /// The credential that a sign-in with the name ends at: the first in the order of users.
    pub credential: Option<usize>,
    /// How many password entries have the name.
    pub rows: u32,
    /// The last of them, the only one whose password a sign-in asks for.
    pub last: usize,
}

/// All sign-in names with what stands behind them.
#[derive(Debug, Default)]
pub struct Names {
    /// Whether the app compares names exactly: up to 2026.9, as soon as two names of password entries are the same but for
    /// letter case, or one has outer white space.
    pub legacy: bool,
    entries: HashMap<Rc<str>, Entry>,
}

impl Names {
    /// The names of these password entries, in their order.
    pub fn new<'a>(rows: impl Iterator<Item = &'a Rc<str>> + Clone, has_legacy_mode: bool) -> Names {
        let mut names = Names::of(rows.clone(), false);
        if has_legacy_mode && (names.entries.values().any(|entry| entry.rows > 1) || rows.clone().any(has_margin)) {
            names = Names::of(rows, true);
        }
        names
    }

    fn of<'a>(rows: impl Iterator<Item = &'a Rc<str>>, legacy: bool) -> Names {
        let mut names = Names { legacy, entries: HashMap::with_capacity(rows.size_hint().0) };
        for (index, row) in rows.enumerate() {
            let entry = names.entries.entry(names.shared_key(row)).or_default();
            (entry.rows, entry.last) = (entry.rows + 1, index);
        }
        names
    }

    /// Notes a credential; the first one of a name keeps it.
    pub fn link(&mut self, username: &Rc<str>, credential: usize) {
        self.entries.entry(self.shared_key(username)).or_default().credential.get_or_insert(credential);
    }

    /// The name as it is compared here.
    pub fn key(&self, name: &str) -> String {
        if self.legacy { name.to_owned() } else { normalise(name) }
    }

    /// What a sign-in with this name finds.
    pub fn get(&self, name: &str) -> Entry {
        let found = match self.legacy || is_normal(name) {
            true => self.entries.get(name),
            false => self.entries.get(normalise(name).as_str()),
        };
        found.copied().unwrap_or_default()
    }

    // Nearly every name is stored as it is compared, so that most keys need no text of their own.
    fn shared_key(&self, name: &Rc<str>) -> Rc<str> {
        if self.legacy || is_normal(name) { Rc::clone(name) } else { normalise(name).into() }
    }
}

fn has_margin(name: &Rc<str>) -> bool {
    strip(name).len() != name.len()
}

/// Whether these names of password entries switch the legacy mode on.
pub fn is_legacy<'a>(rows: impl Iterator<Item = &'a str>) -> bool {
    let rows: Vec<Rc<str>> = rows.map(Rc::from).collect();
    Names::new(rows.iter(), true).legacy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_as_python_folds_them() {
        // Each right side is what CPython answers for `left.strip().casefold()`.
        for (name, folded) in [
            ("  Straße\n", "strasse"),
            ("ŐWNER", "őwner"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("\u{1f}Ann\u{a0}", "ann"),
            ("ﬃ", "ffi"),
            ("İ", "i\u{307}"),
            ("a b", "a b"),
        ] {
            assert_eq!(normalise(name), folded, "{name:?}");
            assert_eq!(is_normal(name), name == folded, "{name:?}");
        }
    }

    #[test]
    fn the_legacy_mode_comes_with_the_second_spelling_or_a_margin() {
        assert!(!is_legacy(["Maria", "john"].into_iter()));
        assert!(is_legacy(["Maria", "maria"].into_iter()));
        assert!(is_legacy(["maria", "maria"].into_iter()));
        assert!(is_legacy(["maria "].into_iter()));
    }

    #[test]
    fn the_last_row_and_the_first_credential_count() {
        let rows: Vec<Rc<str>> = ["Maria", "john", "maria"].map(Rc::from).to_vec();
        let mut names = Names::new(rows.iter(), false);
        names.link(&"MARIA".into(), 4);
        names.link(&"maria".into(), 5);
        let entry = names.get(" mAria ");
        assert_eq!((entry.credential, entry.rows, entry.last), (Some(4), 2, 2));
        let legacy = Names::new(rows.iter(), true);
        assert_eq!((legacy.get("Maria").last, legacy.get("maria").last, legacy.get("MARIA").rows), (0, 2, 0));
    }
}
