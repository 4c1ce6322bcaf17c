//! Sign-in names as Homarr's JavaScript sees them.

use latchlift_plugin_api::{Error, Kind, Result};
use std::borrow::Cow;

/// The fewest and most UTF-16 units of a new name. Upstream: packages/validation/src/user.ts, all of 1.x.
const UNITS: std::ops::RangeInclusive<usize> = 3..=255;

/// What the login looks for when `typed` is typed: JavaScript's `toLowerCase`, which is Rust's. It does not trim.
pub fn lower(typed: &str) -> Cow<'_, str> {
    if typed.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(typed);
    }
    let lowered = typed.to_lowercase();
    if lowered == typed { Cow::Borrowed(typed) } else { Cow::Owned(lowered) }
}

/// JavaScript's `trim`: Unicode's white space with the byte order mark and without the next-line character.
pub fn trim(name: &str) -> &str {
    name.trim_matches(|c: char| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}'))
}

/// The form Homarr gives a name when it is made or changed (since 1.6.0): trimmed and lower-case.
pub fn fold(name: &str) -> Cow<'_, str> {
    lower(trim(name))
}

/// `jane2` of `jane`: like the name, of a length Homarr accepts.
pub fn numbered(name: &str, n: u32) -> String {
    let number = n.to_string();
    let room = UNITS.end() - number.len();
    let mut units = 0;
    let kept = name.chars().take_while(|c| {
        units += c.len_utf16();
        units <= room
    });
    let mut numbered: String = kept.chain(number.chars()).collect();
    while numbered.encode_utf16().count() < *UNITS.start() {
        numbered.insert(0, 'x');
    }
    numbered
}

/// The name a new account gets for what was typed.
///
/// # Errors
/// Homarr would not accept it.
pub fn accepted(typed: &str) -> Result<String> {
    let name = fold(typed).into_owned();
    if UNITS.contains(&name.encode_utf16().count()) {
        return Ok(name);
    }
    let message = format!("Homarr wants names of {} to {} characters, not `{name}`", UNITS.start(), UNITS.end());
    Err(Error::new(Kind::Usage, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_as_javascript_folds_them() {
        assert_eq!(fold("  JoHN\u{feff}"), "john");
        assert_eq!(fold("ÄÖÜ Straße"), "äöü straße");
        assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), "οδυσσευς");
        assert_eq!(trim("\u{85}x\u{a0}"), "\u{85}x");
        assert!(matches!(lower("ümlaut"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_numbered_name_is_one_homarr_takes() {
        assert_eq!(numbered("jane", 2), "jane2");
        assert_eq!(numbered("", 2), "xx2");
        assert_eq!(accepted(&numbered(&"ü".repeat(255), 12)).unwrap().chars().count(), 255);
    }

    #[test]
    fn a_new_name_has_3_to_255_utf16_units() {
        assert_eq!(accepted(" We IRD/näme ").unwrap(), "we ird/näme");
        assert_eq!(accepted("😀a").unwrap(), "😀a");
        assert!(accepted("  ab ").is_err());
        assert!(accepted(&"x".repeat(255)).is_ok());
        assert!(accepted(&"x".repeat(256)).is_err());
    }
}
