//! Schemas of every release of an app from one file, so that what a release added is one marked line.
//!
//! Names stand in `[brackets]`, types behind `$`, and a line may end in marks: `--> 1.7.0` for "since", `--< 1.59.0` for
//! "before", `--@ mysql postgres` for "only there".

use crate::db::Dialect;

/// The schema of `version` for a dialect.
pub fn render(template: &str, dialect: Dialect, version: &str, types: &[(&str, &str)]) -> String {
    let lines = template.lines().filter_map(|line| chosen(line, dialect, version));
    let mut sql: String = lines.map(|line| format!("{line}\n")).collect();
    for (name, replacement) in types {
        sql = sql.replace(&format!("${name} "), &format!("{replacement} "));
        sql = sql.replace(&format!("${name},"), &format!("{replacement},"));
        sql = sql.replace(&format!("${name})"), &format!("{replacement})"));
        sql = sql.replace(&format!("${name}\n"), &format!("{replacement}\n"));
    }
    let quote = if dialect == Dialect::MySql { ["`", "`"] } else { ["\"", "\""] };
    without_loose_commas(&sql.replace('[', quote[0]).replace(']', quote[1]))
}

fn chosen<'a>(line: &'a str, dialect: Dialect, version: &str) -> Option<&'a str> {
    let mut parts = line.split("--");
    let sql = parts.next()?;
    let all = parts.all(|mark| match mark.split_at_checked(1) {
        Some((">", since)) => order(version) >= order(since.trim()),
        Some(("<", until)) => order(version) < order(until.trim()),
        Some(("@", only)) => only.split_whitespace().any(|word| word == dialect.word()),
        _ => true,
    });
    (all && !sql.trim().is_empty()).then(|| sql.trim_end())
}

/// Leaving out the last line of a table leaves the comma before it.
fn without_loose_commas(sql: &str) -> String {
    let mut out = sql.to_owned();
    for end in [",\n)", ",\n  )"] {
        out = out.replace(end, "\n)");
    }
    out
}

/// A version as numbers, to compare with others of the same app.
pub fn order(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|part| part.parse().ok()).collect()
}
