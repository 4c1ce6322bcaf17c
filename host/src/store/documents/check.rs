//! Whether a text is JSON: RFC 8259 to the letter.

use super::json::{Element, Span, space_end};
use std::sync::Arc;

/// The deepest nesting read: deeper than any app writes, shallow enough for the stack.
const DEEPEST: usize = 400;

/// What was found, or where the text is wrong and why.
pub type Check<T> = Result<T, (usize, &'static str)>;

/// What is known of a text that is JSON.
pub struct Checked {
    /// Where its value is.
    pub root: Span,
    /// Whether a character outside ASCII is escaped somewhere.
    pub escaped: bool,
    /// The long lists and objects, by where they begin, so that nobody has to walk them again.
    pub long: Vec<Long>,
}

/// A long list or object, and what is in it.
pub struct Long {
    pub span: Span,
    pub elements: Arc<[Element]>,
}

/// The fewest bytes of a list or object that is worth remembering.
const LONG: usize = 16 * 1024;

/// Checks a text.
pub fn check(text: &str) -> Check<Checked> {
    if u32::try_from(text.len()).is_err() {
        return Err((0, "it is larger than 4 GiB"));
    }
    let mut checker = Checker::new(text);
    if text.starts_with('\u{feff}') {
        return Err((0, "it begins with a byte order mark"));
    }
    checker.space();
    let start = checker.at as u32;
    checker.value(0)?;
    let root = Span { start, end: checker.at as u32 };
    checker.space();
    match checker.at == text.len() {
        true => {
            checker.long.sort_unstable_by_key(|long| long.span.start);
            Ok(Checked { root, escaped: checker.escaped, long: checker.long })
        }
        false => checker.bad("there is something after the end"),
    }
}

struct Checker<'a> {
    bytes: &'a [u8],
    at: usize,
    escaped: bool,
    /// What was found of the containers that are open at present, the innermost last.
    elements: Vec<Element>,
    long: Vec<Long>,
}

impl<'a> Checker<'a> {
    fn new(text: &'a str) -> Checker<'a> {
        Checker { bytes: text.as_bytes(), at: 0, escaped: false, elements: vec![], long: vec![] }
    }

    fn bad<T>(&self, why: &'static str) -> Check<T> {
        Err((self.at, if self.at >= self.bytes.len() { "it ends too early" } else { why }))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        self.at = space_end(self.bytes, self.at);
    }

    fn value(&mut self, depth: usize) -> Check<()> {
        match self.peek() {
            Some(b'{') => self.container(depth, b'}'),
            Some(b'[') => self.container(depth, b']'),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.bad("a value is missing"),
        }
    }

    fn container(&mut self, depth: usize, close: u8) -> Check<()> {
        if depth == DEEPEST {
            return self.bad("it is nested too deeply");
        }
        let (start, known) = (self.at, self.elements.len());
        self.at += 1;
        self.space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            let start = self.at as u32;
            if close == b'}' {
                self.key()?;
            }
            let value = self.at as u32;
            self.value(depth + 1)?;
            self.elements.push(Element { start, value, end: self.at as u32 });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b) if b == close => break self.at += 1,
                _ => return self.bad("a comma or a closing bracket is missing"),
            }
            self.space();
        }
        if self.at - start >= LONG {
            let span = Span { start: start as u32, end: self.at as u32 };
            self.long.push(Long { span, elements: self.elements[known..].into() });
        }
        self.elements.truncate(known);
        Ok(())
    }

    fn key(&mut self) -> Check<()> {
        if self.peek() != Some(b'"') {
            return self.bad("a key in double quotes is missing");
        }
        self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return self.bad("a colon is missing");
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn string(&mut self) -> Check<()> {
        self.at += 1;
        loop {
            let rest = &self.bytes[self.at..];
            let plain = &rest[..memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len())];
            // Looks at all of them, which takes less time than stopping at the first.
            if plain.iter().fold(false, |control, b| control | (*b < 0x20)) {
                self.at += plain.iter().take_while(|b| **b >= 0x20).count();
                return self.bad("a control character in a text must be escaped");
            }
            self.at += plain.len();
            match self.peek() {
                Some(b'"') => break self.at += 1,
                Some(_) => self.escape()?,
                None => return self.bad("a text has no end"),
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Check<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => return self.unicode(),
            _ => return self.bad("an escape that JSON does not know"),
        }
        Ok(())
    }

    /// `\uXXXX`, or two of them for a character beyond the first 65,536.
    fn unicode(&mut self) -> Check<()> {
        let unit = self.hex(self.at)?;
        let mut length = 6;
        if (0xd800..0xdc00).contains(&unit) {
            let low = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
            if !low || !(0xdc00..0xe000).contains(&self.hex(self.at + 6)?) {
                return self.bad("half of a surrogate pair");
            }
            length = 12;
        } else if (0xdc00..0xe000).contains(&unit) {
            return self.bad("half of a surrogate pair");
        }
        self.escaped |= unit >= 0x80;
        self.at += length;
        Ok(())
    }

    fn hex(&self, at: usize) -> Check<u32> {
        let digits = self.bytes.get(at + 2..at + 6).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match digits {
            Some(digits) => Ok(digits.iter().fold(0, |n, d| n * 16 + (*d as char).to_digit(16).unwrap_or(0))),
            None => self.bad("an escape that JSON does not know"),
        }
    }

    fn number(&mut self) -> Check<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Check<()> {
        let count = self.bytes[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { self.bad("a digit is missing") } else { Ok(()) }
    }

    fn word(&mut self, word: &[u8]) -> Check<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.bad("a value is missing");
        }
        self.at += word.len();
        Ok(())
    }
}

/// Whether a text is one JSON number.
pub fn is_number(text: &str) -> bool {
    let mut checker = Checker::new(text);
    checker.number().is_ok() && checker.at == text.len()
}

#[cfg(test)]
mod tests {
    use super::super::json::Json;

    #[test]
    fn what_the_standard_allows_is_read() {
        for text in ["0", "-0.5e+3", " [ ] ", "{}", r#""\ud83d\ude00\/""#, "[1,2 ,\t3]", r#"{"a":{"a":[{}]}}"#, "null"]
        {
            assert!(Json::parse(text.to_owned()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        let bad = [
            "",
            " ",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "[1,]",
            "{\"a\":1,}",
            "[1 2]",
            "{\"a\" 1}",
            "{a:1}",
            "'a'",
            "nul",
            "NaN",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"",
            "[",
            "{",
            "[}",
            "1 1",
            "\u{feff}1",
            "// x\n1",
            "\"\\",
        ];
        for text in bad {
            assert!(Json::parse(text.to_owned()).is_err(), "{text:?}");
        }
        let deep = "[".repeat(5000) + &"]".repeat(5000);
        assert!(Json::parse(deep).is_err());
    }

    #[test]
    fn our_scanner_agrees_with_another_parser() {
        let mut seed = 7u64;
        let parts = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\"", "1", "-0", "1e5", "true", "null", " ", "\n"];
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(super::super::tests::next(&mut seed) % 9) {
                text += parts[(super::super::tests::next(&mut seed) % parts.len() as u64) as usize];
            }
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            assert_eq!(Json::parse(text.clone()).is_ok(), theirs, "{text:?}");
        }
    }
}
