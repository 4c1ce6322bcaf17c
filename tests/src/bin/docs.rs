//! Fills the generated parts of README.md from what the plugins state about their apps.
//!
//! ```text
//! plugins/*/plugin.toml ──> <!-- generated: verbs -->    what each app can do, and why not
//!                       └─> <!-- generated: replaces --> from the app's own commands to latchlift's
//! ```
//!
//! `docs` writes the file, `docs --check` fails where it is not current.

use clap::{CommandFactory, Parser};
use latchlift::cli::Cli;
use latchlift_plugin_api::facts::Replaces;
use latchlift_plugin_api::{Facts, Level};
use latchlift_tests::{Result, workspace};
use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = workspace().join("README.md");
    let before = fs::read_to_string(&file).map_err(|why| format!("cannot read {}: {why}", file.display()))?;
    let apps = installed()?;
    let after = fill(&fill(&before, "verbs", &verbs(&apps)?)?, "replaces", &replaces(&apps)?)?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(fs::write(&file, after)?),
        ["--check"] if after == before => Ok(()),
        ["--check"] => Err("README.md is not current; write it with: cargo run -p latchlift-tests --bin docs".into()),
        _ => Err("usage: docs [--check]".into()),
    }
}

/// What every plugin states, by the app's title.
fn installed() -> Result<Vec<Facts>> {
    let mut apps = Vec::new();
    for entry in fs::read_dir(workspace().join("plugins"))? {
        let path = entry?.path().join("plugin.toml");
        let text = fs::read_to_string(&path).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        apps.push(Facts::parse(&text).map_err(|why| format!("{}: {}", path.display(), why.message))?);
    }
    apps.sort_by(|one, other| one.title.cmp(&other.title));
    Ok(apps)
}

/// The text with what is between the markers of `name` replaced.
fn fill(text: &str, name: &str, content: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->");
    let (head, rest) = text.split_once(&begin).ok_or_else(|| format!("README.md has no line `{}`", begin.trim()))?;
    let (_, tail) = rest.split_once(end).ok_or_else(|| format!("README.md has no `{end}` after `{}`", begin.trim()))?;
    Ok(format!("{head}{begin}\n{}\n\n{end}{tail}", content.trim()))
}

/// The table of verbs by app, and the reasons for what is missing.
fn verbs(apps: &[Facts]) -> Result<String> {
    let known = grammar();
    for app in apps {
        if let Some(verb) = app.verbs.keys().find(|verb| !known.contains(verb)) {
            return Err(format!("{} declares `{verb}`, which is not on the command line", app.app).into());
        }
    }
    let titles: Vec<&str> = apps.iter().map(|app| app.title.as_str()).collect();
    let releases: Vec<&str> = apps.iter().map(|app| app.versions.as_str()).collect();
    let mut lines = vec![format!("| Verb | {} |", titles.join(" | "))];
    lines.push(format!("| --- |{}", " --- |".repeat(apps.len())));
    lines.push(format!("| Releases | {} |", releases.join(" | ")));
    for verb in known.iter().filter(|verb| apps.iter().any(|app| app.verbs.contains_key(*verb))) {
        let cells: Vec<&str> = apps.iter().map(|app| word(app.support(verb).support)).collect();
        lines.push(format!("| `{}` | {} |", spoken(verb), cells.join(" | ")));
    }
    lines.push(String::new());
    lines.extend(apps.iter().flat_map(|app| missing(app, &known)));
    Ok(lines.join("\n"))
}

/// All verbs, `noun.verb`, in the order of the command line's help.
fn grammar() -> Vec<String> {
    let command = Cli::command();
    let nouns = command.get_subcommands();
    nouns
        .flat_map(|noun| noun.get_subcommands().map(|verb| format!("{}.{}", noun.get_name(), verb.get_name())))
        .collect()
}

fn spoken(verb: &str) -> String {
    // One answer of the plugin serves both commands.
    if verb == "app.check" { "app list`, `app check".to_owned() } else { verb.replace('.', " ") }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Full => "yes",
        Level::Partial => "partly",
        Level::None => "no",
    }
}

/// What an app does not have, or not all of: one line for each reason.
fn missing(app: &Facts, known: &[String]) -> Vec<String> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for verb in known.iter().filter(|verb| app.support(verb).support != Level::Full) {
        if let Some(reason) = app.support(verb).reason {
            reasons.entry(reason).or_default().push(format!("`{}`", spoken(verb)));
        }
    }
    reasons.into_iter().map(|(reason, verbs)| format!("- {}, {}: {reason}.", app.title, verbs.join(", "))).collect()
}

/// A table for each app, from its own commands to latchlift's.
fn replaces(apps: &[Facts]) -> Result<String> {
    let mut tables = Vec::new();
    for app in apps {
        if let Some(wrong) = app.replaces.iter().find(|replaces| !can_be_typed(replaces)) {
            return Err(format!("{}: `{}` cannot be typed", app.app, wrong.instead).into());
        }
        let rows: Vec<String> = app.replaces.iter().map(row).collect();
        tables.push(format!(
            "### {}\n\n| Instead of | type | Note |\n| --- | --- | --- |\n{}",
            app.title,
            rows.join("\n")
        ));
    }
    Ok(tables.join("\n\n"))
}

/// Whether our command is one. Those of later releases may still change, and the app's own is not ours to judge.
fn can_be_typed(Replaces { command, instead, later, .. }: &Replaces) -> bool {
    let words = instead.split_whitespace().map(|word| word.trim_matches(['[', ']']));
    *later || command == instead || Cli::try_parse_from(words).is_ok()
}

fn row(replaces: &Replaces) -> String {
    let Replaces { command, instead, later, note } = replaces;
    let ours = match (command == instead, later) {
        (true, _) => "(stays)".to_owned(),
        (false, true) => format!("later: {}", code(instead)),
        (false, false) => code(instead),
    };
    format!("| {} | {ours} | {} |", code(command), cell(note.as_deref().unwrap_or_default()))
}

/// A command; where it has code of its own in it, it is a sentence.
fn code(text: &str) -> String {
    if text.contains('`') { cell(text) } else { format!("`{}`", cell(text)) }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = "a\n<!-- generated: x -->\nold\n<!-- end -->\nb\n<!-- end -->\n";
        let filled = fill(text, "x", "new\n").unwrap();
        assert_eq!(filled, "a\n<!-- generated: x -->\n\nnew\n\n<!-- end -->\nb\n<!-- end -->\n");
        assert_eq!(fill(&filled, "x", "new").unwrap(), filled);
        assert!(fill(text, "y", "new").is_err());
    }

    #[test]
    fn a_verb_that_cannot_be_typed_is_refused() {
        let app = Facts::parse("app = \"a\"\n[verbs]\n\"user.fly\" = { support = \"full\" }").unwrap();
        assert!(verbs(&[app]).unwrap_err().to_string().contains("user.fly"));
    }

    #[test]
    fn what_is_said_to_be_typed_can_be_typed() {
        let replaces = |instead: &str| Replaces { command: "a".into(), instead: instead.into(), ..Replaces::default() };
        assert!(can_be_typed(&replaces("latchlift user list [SEARCH]")));
        assert!(can_be_typed(&replaces("latchlift admin grant NAME --owner --app homarr")));
        assert!(!can_be_typed(&replaces("latchlift users fly NAME")));
    }

    #[test]
    fn what_comes_later_and_what_stays_is_said() {
        let later = Replaces { command: "a b|c".into(), instead: "latchlift d".into(), later: true, note: None };
        assert_eq!(row(&later), "| `a b\\|c` | later: `latchlift d` |  |");
        let stays = Replaces { command: "a".into(), instead: "a".into(), ..Replaces::default() };
        assert_eq!(row(&stays), "| `a` | (stays) |  |");
    }
}
