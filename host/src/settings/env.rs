//! `NAME=value` files, read as Docker Compose and shells read them, without running anything.
//!
//! Nothing is expanded: `$` stays as it is written, since what a variable would be in the app's environment is not known.

use super::Problem;
use std::collections::BTreeMap;

/// Whether a line starts as an assignment does.
pub(super) fn is_assignment(line: &str) -> bool {
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=').is_some_and(|(name, _)| is_name(name.trim()))
}

fn is_name(name: &str) -> bool {
    let start = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(start) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// The values, the last one of each name.
///
/// A name alone, which takes its value from an environment we cannot see, says nothing.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, Problem> {
    let mut values = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let number = 1 + text[..text.len() - rest.len()].matches('\n').count();
        let (line, after) = split_line(rest);
        rest = after;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, _)) = line.split_once('=').filter(|(name, _)| is_name(name.trim())) else {
            bare_name(line, number)?;
            continue;
        };
        // The value starts in the text rather than in the line: a quoted one may go on below.
        let start = line.as_ptr() as usize - text.as_ptr() as usize + name.len() + 1;
        let (value, after) = value(&text[start..], name.trim(), number)?;
        values.insert(name.trim().to_owned(), value);
        rest = after;
    }
    Ok(values)
}

fn bare_name(line: &str, number: usize) -> Result<(), Problem> {
    match line.split_once(':') {
        _ if is_name(line) => Ok(()),
        Some((name, _)) if is_name(name.trim()) => {
            let name = name.trim();
            Err(Problem::new(number, format!("`{name}` is followed by `:` where `=` is expected")))
        }
        _ => Err(Problem::new(number, "this is not NAME=value")),
    }
}

/// The first line without its end, and what follows it.
fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').map_or((text, ""), |(line, rest)| (line.strip_suffix('\r').unwrap_or(line), rest))
}

/// A value and what follows its line.
fn value<'t>(text: &'t str, name: &str, number: usize) -> Result<(String, &'t str), Problem> {
    let start = text.trim_start_matches([' ', '\t']);
    let (value, after) = match start.chars().next() {
        Some('\'') => single_quoted(&start[1..]),
        Some('"') => double_quoted(&start[1..]),
        _ => return Ok(unquoted(text)),
    }
    .ok_or_else(|| Problem::new(number, format!("the quoted value of `{name}` has no end")))?;
    let (tail, rest) = split_line(after);
    let tail = tail.trim();
    match tail.is_empty() || tail.starts_with('#') {
        true => Ok((value, rest)),
        false => Err(Problem::new(number, format!("something follows the quoted value of `{name}`"))),
    }
}

/// Up to a comment, which needs a blank before its `#`, and without outer blanks.
fn unquoted(text: &str) -> (String, &str) {
    let (line, rest) = split_line(text);
    let comment = line.match_indices('#').map(|(at, _)| at).find(|at| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(|c| c == ' ' || c == '\t')
    });
    (line[..comment.unwrap_or(line.len())].trim().to_owned(), rest)
}

fn single_quoted(text: &str) -> Option<(String, &str)> {
    text.split_once('\'').map(|(value, after)| (value.replace("\r\n", "\n"), after))
}

/// With `\n`, `\r` and `\t`; before any other character a backslash only says that it is meant as it is.
fn double_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }),
            '\r' if text[at..].starts_with("\r\n") => {}
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        parse(text).unwrap().remove("A").unwrap()
    }

    #[test]
    fn values_are_read_as_compose_reads_them() {
        for (text, value) in [
            ("A=plain", "plain"),
            ("A=", ""),
            ("  export A=plain  \r\n", "plain"),
            ("A = spaced", "spaced"),
            ("A=with space # comment", "with space"),
            ("A=pa#ss", "pa#ss"),
            ("A=#comment", ""),
            ("A= # comment", ""),
            ("A=$$HOME ${X}", "$$HOME ${X}"),
            ("A=a=b==", "a=b=="),
            ("A='single # \\n $x'", "single # \\n $x"),
            ("A=\"double # \\\"q\\\" \\\\ \\$x\\n\" # comment", "double # \"q\" \\ $x\n"),
            ("A=\"\"", ""),
            ("A= 'quoted'  ", "quoted"),
            ("A=don't", "don't"),
            ("A=first\nA=last", "last"),
            ("A=ü", "ü"),
        ] {
            assert_eq!(one(text), value, "{text}");
        }
    }

    #[test]
    fn a_quoted_value_may_have_several_lines() {
        let values = parse("A=\"one\r\ntwo\"\r\nB='x\ny' # end\nC=z").unwrap();
        assert_eq!((values["A"].as_str(), values["B"].as_str(), values["C"].as_str()), ("one\ntwo", "x\ny", "z"));
    }

    #[test]
    fn comments_blank_lines_and_names_alone_say_nothing() {
        let values = parse("# A=1\n\n   \nPATH\nexport HOME\nB=2\n").unwrap();
        assert_eq!(values.into_iter().collect::<Vec<_>>(), [("B".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn what_is_no_assignment_is_named_by_its_line() {
        for (text, line) in [
            ("A=1\nB: 2", 2),
            ("A=1\n\n\nnot an assignment", 4),
            ("A='x\ny'\n=z", 3),
            ("A=\"x", 1),
            ("A='x' y", 1),
            ("1A=x", 1),
            ("A B=x", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
