//! Sign-in names: what the login makes of what is typed. Upstream: pkg/clean/auth.go and pkg/txt/clip.go.

use crate::schema::{Layout, Names};

/// The most bytes of a name that the login form takes. The column and the command line take more.
pub const FORM_BYTES: usize = 64;
/// The most bytes of a name that PhotoPrism keeps.
const MOST_BYTES: usize = 255;
/// Characters that are dropped from names, besides control characters.
const DROPPED: &str = "\"'()#&$,+=`~?|*/:;<>{}";

/// The name the login looks for when this is typed; empty where it looks for none.
pub fn clean(typed: &str) -> String {
    if typed.len() <= MOST_BYTES && typed.bytes().all(is_plain) {
        return typed.to_owned();
    }
    let kept: String =
        typed.trim().chars().filter(|c| *c > '\u{1f}' && *c != '\u{7f}' && !DROPPED.contains(*c)).collect();
    if kept.len() > MOST_BYTES { String::new() } else { lower(&kept) }
}

/// Whether this stays as it is wherever it stands in a name; most names are made of nothing else.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"@.-_".contains(&byte)
}

/// The form in which names are compared when looking for an account: trimmed, lower case.
pub fn fold(name: &str) -> String {
    lower(name.trim())
}

/// Lower case letter by letter, as Go does it: no final sigma, no dotted i of two characters.
fn lower(text: &str) -> String {
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

/// Whether the login, looking for `clean(name)`, meets a row with this stored name.
pub fn reached(layout: &Layout, name: &str) -> bool {
    let wanted = clean(name);
    match layout.names {
        Names::Folded { pads: true } => lower(name.trim_end_matches(' ')) == wanted,
        Names::Folded { pads: false } => lower(name) == wanted,
        Names::Exact | Names::Other => name == wanted,
    }
}

/// The name with a number, no longer than the login form takes: `jane-2`, `jane-2@example.org`.
pub fn numbered(name: &str, number: u64) -> String {
    let (start, end) = name.split_at(name.find('@').unwrap_or(name.len()));
    let number = format!("-{number}");
    let mut cut = start.len().min(FORM_BYTES.saturating_sub(number.len() + end.len()));
    while !start.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{number}{end}", &start[..cut])
}

/// The part of a name that folders and the name shown are made of: before the `@`, after the domain.
pub fn handle(name: &str) -> String {
    let name = clean(name);
    let start = name.split('@').next().unwrap_or_default();
    let user = start.split_once('\\').map_or(start, |(domain, user)| if user.is_empty() { domain } else { user });
    // Whatever else a folder could not have in its name was dropped from the name before.
    let dotted: String = user.trim().chars().map(|c| if " \\".contains(c) { '.' } else { c }).collect();
    if dotted.len() > FORM_BYTES || dotted.chars().all(|c| c == '.') { String::new() } else { dotted }
}

/// The name shown where none is given: the handle's words, each with a capital.
pub fn display(name: &str) -> String {
    let handle = handle(name);
    handle.split(['.', '_']).filter(|word| !word.is_empty()).map(capitalised).collect::<Vec<_>>().join(" ")
}

/// With a capital at the start and behind each hyphen and the like.
fn capitalised(word: &str) -> String {
    let mut starts = true;
    let mut letters = String::new();
    for letter in word.chars() {
        match starts {
            true => letters.extend(letter.to_uppercase()),
            false => letters.push(letter),
        }
        starts = letter.is_ascii() && !letter.is_ascii_alphanumeric();
    }
    letters
}

/// What is wrong with a name for a new or repaired account, if anything.
pub fn fault(typed: &str) -> Option<&'static str> {
    let name = clean(typed);
    match () {
        () if typed.trim().is_empty() => Some("it is empty"),
        () if typed.trim().len() > FORM_BYTES => Some("it is longer than the 64 bytes the login form takes"),
        () if name != fold(typed) => Some("it has characters that PhotoPrism drops from names"),
        () if name == "visitor" => Some("PhotoPrism reserves it"),
        () if crate::ids::looks_like_uid(&name, 'c') => Some("it looks like the id of a client"),
        () if handle(&name).is_empty() => Some("there is nothing in it to name a folder after"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_drops_and_lowers_what_photoprism_drops_and_lowers() {
        for (typed, looked_for) in [
            ("  Frank ", "frank"),
            ("JÜRGEN", "jürgen"),
            ("o'neil (work)", "oneil work"),
            ("trent@example.org", "trent@example.org"),
            (r"DOMAIN\Bob_1.a-b", r"domain\bob_1.a-b"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
            ("İ", "i"),
            ("a\tb\u{7f}", "ab"),
            (&"x".repeat(256), ""),
        ] {
            assert_eq!(clean(typed), looked_for, "{typed}");
        }
    }

    #[test]
    fn handles_and_names_shown_are_made_of_the_name() {
        for (name, handle_of, shown) in [
            ("trent@example.org", "trent", "Trent"),
            (r"DOMAIN\Bob", "bob", "Bob"),
            ("john.a doe", "john.a.doe", "John A Doe"),
            ("jürgen", "jürgen", "Jürgen"),
            ("anna-lena_m", "anna-lena_m", "Anna-Lena M"),
            ("bob!", "bob!", "Bob!"),
            ("bob.", "bob.", "Bob"),
        ] {
            assert_eq!((handle(name).as_str(), display(name).as_str()), (handle_of, shown), "{name}");
        }
    }

    #[test]
    fn names_the_login_could_not_use_are_faulted() {
        for bad in ["", " ", "a,b", "Visitor", "@example", "...", "csmf7s0tmxw1uzj1", &"x".repeat(65)] {
            assert!(fault(bad).is_some(), "{bad}");
        }
        for good in ["Admin", "trent@example.org", "jürgen", "a b"] {
            assert_eq!(fault(good), None, "{good}");
        }
    }
}
