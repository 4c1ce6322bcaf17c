//! What other programs install: completions and the man page.

use super::Exit;
use crate::cli::Cli;
use crate::error::{Error, Kind, Result};
use crate::ui;
use clap::CommandFactory;

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "latchlift", &mut script);
    ui::answer(&String::from_utf8_lossy(&script));
    0
}

/// Prints the help of the command these words name.
///
/// # Errors
/// There is no such command.
pub fn help(words: &[String]) -> Result<Exit> {
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            Error::new(Kind::Usage, "there is no command of these words").help("see all with `latchlift --help`")
        })?;
    }
    ui::answer(&command.clone().render_long_help().to_string());
    Ok(0)
}

/// Prints the man page: the command itself, then every verb.
///
/// # Errors
/// None in practice: it is made in memory.
pub fn man() -> Result<Exit> {
    let mut page = Vec::new();
    let made = render(&mut page);
    made.map_err(|why| Error::new(Kind::Failed, format!("cannot make the man page: {why}")))?;
    ui::answer(&String::from_utf8_lossy(&page));
    Ok(0)
}

fn render(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    page.extend_from_slice(b".SH COMMANDS\n");
    for noun in command.get_subcommands().filter(|noun| !noun.is_hide_set()) {
        entry(page, noun);
        noun.get_subcommands().for_each(|verb| entry(page, verb));
    }
    page.extend_from_slice(EXIT_CODES.as_bytes());
    Ok(())
}

fn entry(page: &mut Vec<u8>, command: &clap::Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace('-', "\\-");
    page.extend_from_slice(format!(".TP\n\\fB{usage}\\fR\n{about}\n").as_bytes());
}

const EXIT_CODES: &str = ".SH EXIT STATUS
.TP
0
done, or nothing to do
.TP
1
failed
.TP
2
usage or configuration
.TP
3
no such account, instance or entry, or several match
.TP
4
refused by a safety rule, or declined
.TP
5
stale, locked or conflicting
.TP
6
verb not supported, or schema unknown
.TP
7
store unreachable, or access denied
.TP
8
plugin refused
.TP
9
someone must look: an unfinished entry, an unknown outcome
.TP
10
the answer is no: wrong password, serious findings, done but the person still cannot sign in
.TP
11
some instances failed
.TP
130
interrupted
.PP
For 1 to 8 the data is as it was.
";
