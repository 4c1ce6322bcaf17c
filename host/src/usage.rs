//! What to say about a command line that does not parse: secrets caught, words of other tools answered, the rest as clap
//! explains it. A word that is not a command is never repeated, for it may be a password.

mod meant;
mod words;

use crate::cli::{Cli, Global};
use crate::commands::hints;
use crate::error::{Error, Kind, Result};
use crate::plugin::Registry;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use meant::meant;
use std::path::PathBuf;
use words::Words;

/// Whether the arguments, which do not parse, ask for JSON.
pub fn wants_json(arguments: &[String]) -> bool {
    Words::split(&Cli::command(), arguments).want_json()
}

/// The failure to parse, in our words. A secret among the arguments is not repeated.
pub fn explain(refused: &clap::Error, arguments: &[String]) -> Error {
    let root = Cli::command();
    let words = Words::split(&root, arguments);
    let line = Line { refused, path: words.path(&root), words };
    let foreign = [ErrorKind::InvalidSubcommand, ErrorKind::UnknownArgument, ErrorKind::MissingSubcommand];
    let own = foreign.contains(&refused.kind()).then(|| hints::own_words(&line.words.plain, &installed(arguments)));
    let own = own.unwrap_or_default();
    let has_secret = own.has_password || line.has_secret();
    let (message, help) = match refused.kind() {
        _ if has_secret => line.secret(),
        ErrorKind::InvalidSubcommand => line.unknown_verb(),
        ErrorKind::UnknownArgument => line.unknown_argument(),
        ErrorKind::TooManyValues => (format!("`{}` takes no value", line.invalid()), None),
        ErrorKind::ValueValidation if line.invalid().contains("unused-for") => {
            (format!("`{}` takes a number and a unit: 90d, 12h, 2w, 1y", line.invalid()), None)
        }
        // Only numbers have a form of their own besides; clap would say "invalid digit found in string".
        ErrorKind::ValueValidation if line.invalid().contains("limit") => {
            (format!("`{}` takes a whole number from 1", line.invalid()), None)
        }
        ErrorKind::ValueValidation => (format!("`{}` takes a whole number", line.invalid()), None),
        ErrorKind::MissingRequiredArgument => {
            let missing = line.invalid().replace(['<', '>'], "").replace('|', " or ");
            (format!("`{}` needs {missing}", line.spoken()), None)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => line.missing_verb(),
        _ => clap_words(refused),
    };
    let error = Error::new(Kind::Usage, message);
    let error = if has_secret { error.note("nothing was changed") } else { error };
    let mut own = own.lines.into_iter();
    let seen = || format!("see `{} --help`", line.spoken());
    let first = own.next().or(help).unwrap_or_else(seen);
    Error { more: own.collect(), ..error.help(first) }
}

/// Makes sure that no repeatable flag of every command stands on both sides of the verb: the parser would take one side
/// and drop the other without a word.
///
/// # Errors
/// One does.
pub fn refuse_split(arguments: &[String], global: &Global) -> Result<()> {
    let flags =
        [("--app", global.app.len()), ("--settings", global.settings.len()), ("--plugin-dir", global.plugin_dir.len())];
    for (flag, taken) in flags {
        let given = arguments.iter().skip(1).take_while(|argument| *argument != "--").filter(|argument| {
            let short = flag == "--app" && argument.starts_with("-a") && !argument.starts_with("--");
            *argument == flag || argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')) || short
        });
        if given.count() > taken {
            return Err(Error::new(
                Kind::Usage,
                format!("`{flag}` stands before and after the verb, where only one side counts"),
            )
            .note("nothing was changed")
            .help(format!("put every `{flag}` behind the verb")));
        }
    }
    Ok(())
}

/// A line that was refused.
struct Line<'a> {
    refused: &'a clap::Error,
    words: Words,
    path: Vec<&'a Command>,
}

/// One sentence, and what to do where there is something better than reading the help.
type Said = (String, Option<String>);

impl Line<'_> {
    /// The innermost command the line names.
    fn command(&self) -> &Command {
        self.path[self.path.len() - 1]
    }

    /// The names of the commands below the program: `["password", "reset"]`.
    fn names(&self) -> Vec<&str> {
        self.path.iter().skip(1).map(|command| command.get_name()).collect()
    }

    /// The command as typed by the book: `latchlift password reset`.
    fn spoken(&self) -> String {
        self.path.iter().map(|command| command.get_name()).collect::<Vec<_>>().join(" ")
    }

    /// The argument the parse failed at, or those that are missing.
    fn invalid(&self) -> String {
        match self.refused.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(text)) => text.clone(),
            Some(ContextValue::Strings(texts)) => texts.join(" "),
            _ => String::new(),
        }
    }

    /// Whether the command the line names has this flag; then it stands where it does not count.
    fn has_flag(&self, name: &str) -> bool {
        let long = |arg: &clap::Arg| arg.get_long().is_some_and(|long| name.strip_prefix("--") == Some(long));
        let short = |arg: &clap::Arg| arg.get_short().is_some_and(|short| name == format!("-{short}"));
        self.command().get_arguments().any(|arg| long(arg) || short(arg))
    }

    /// Whether the parse failed at something that is or may be a password.
    fn has_secret(&self) -> bool {
        let secret_flags = ["-p", "--password", "--pass", "--passwd", "--pwd", "--pw", "--new-password"];
        let flag = |name: &str| secret_flags.contains(&name);
        self.words.flags.iter().any(|typed| flag(&typed.name)) || self.has_stray_secret()
    }

    /// Whether there is a word too many where a password would be typed by those who know other tools.
    fn has_stray_secret(&self) -> bool {
        let about_passwords =
            matches!(self.names()[..], ["password", ..] | ["admin", "recreate"] | ["user", "add"] | ["token", "issue"]);
        let stands_for_one = self.swapped().or_else(|| self.meant().map(str::to_owned)).is_some_and(|command| {
            ["password", "user add", "admin recreate", "token issue"].iter().any(|with| command.starts_with(with))
        });
        (about_passwords || stands_for_one)
            && match self.refused.kind() {
                ErrorKind::UnknownArgument => !self.invalid().starts_with('-'),
                ErrorKind::TooManyValues => true,
                // `passwd john secret` of other tools; `password rest john` and `password change john` are slips.
                ErrorKind::InvalidSubcommand => {
                    let known = self.similar_verb().is_some() || self.meant().is_some();
                    let slip = (known && !self.names().is_empty()) || self.swapped().is_some();
                    self.words.plain.len() > if slip { 3 } else { 2 }
                }
                _ => false,
            }
    }

    fn secret(&self) -> Said {
        let Error { message, help, .. } = crate::secret::is_no_argument();
        (message, help)
    }

    /// The word where a noun or verb should be.
    fn unknown_word(&self) -> &str {
        match self.refused.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(word)) => word,
            _ => "",
        }
    }

    /// The command that the word where a noun or verb should be usually stands for.
    fn meant(&self) -> Option<&'static str> {
        meant(self.names().first().copied(), self.unknown_word())
    }

    /// The command that was meant where noun, verb and name are there in another order: `reset password john`,
    /// `password john reset`.
    fn swapped(&self) -> Option<String> {
        let root = self.path.first()?;
        let plain = &self.words.plain;
        let (noun, verb) = match self.names()[..] {
            [] => (root.find_subcommand(plain.get(1)?)?, plain.first()?),
            [noun] => (root.find_subcommand(noun)?, plain.get(2)?),
            _ => return None,
        };
        let spoken = |verb: &Command| {
            let takes = verb.get_positionals().next().filter(|_| verb.get_name() != "list");
            let takes = takes.and_then(|arg| arg.get_value_names()?.first()).map(|name| match name.as_str() {
                "USER" => " NAME".to_owned(),
                other => format!(" {other}"),
            });
            format!("{} {}{}", noun.get_name(), verb.get_name(), takes.unwrap_or_default())
        };
        let meant = || meant(Some(noun.get_name()), verb).map(str::to_owned);
        noun.find_subcommand(verb).map(spoken).or_else(meant)
    }

    fn similar_verb(&self) -> Option<&str> {
        crate::instance::similar(self.unknown_word(), verbs(self.command()))
    }

    /// A noun or verb there is not, with a similar one.
    fn unknown_verb(&self) -> Said {
        let (word, similar) = (self.unknown_word(), self.similar_verb());
        let message = match self.names()[..] {
            [] => format!("there is no command `{word}`"),
            ["password"] if similar.is_none() => "`password` has no such verb".to_owned(),
            [noun, ..] => format!("`{noun}` has no verb `{word}`"),
        };
        let help = match (self.swapped().or_else(|| self.meant().map(str::to_owned)), similar) {
            (Some(command), _) => Some(format!("did you mean `latchlift {command}`?")),
            (None, Some(similar)) => Some(format!("did you mean `{} {similar}`?", self.spoken())),
            (None, None) => {
                self.names().first().map(|noun| format!("the verbs of `{noun}`: {}", verbs(self.command()).join(", ")))
            }
        };
        (message, help)
    }

    fn missing_verb(&self) -> Said {
        match (self.names().is_empty(), verbs(self.command()).split_last()) {
            (false, Some((last, []))) => (format!("`{}` needs a verb: {last}", self.spoken()), None),
            (false, Some((last, others))) => {
                (format!("`{}` needs a verb: {} or {last}", self.spoken(), others.join(", ")), None)
            }
            _ => ("a command is missing".to_owned(), None),
        }
    }

    /// A flag there is not, or a word too many.
    fn unknown_argument(&self) -> Said {
        let typed = self.invalid();
        let name = typed.split('=').next().unwrap_or_default();
        if !name.starts_with('-') || name == "-" {
            return self.word_too_many();
        }
        if self.has_flag(name) {
            let message = format!("`{name}` stands before the verb it belongs to");
            return (message, Some(format!("put it behind: `{} ... {name}`", self.spoken())));
        }
        // What looks unlike our flags may be a password that begins with a dash.
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let message = match plain {
            true => format!("`{}` has no flag `{name}`", self.spoken()),
            false => format!("`{}` has no such flag", self.spoken()),
        };
        let similar = match self.refused.get(ContextKind::SuggestedArg) {
            Some(ContextValue::String(flag)) => Some(format!("did you mean `{flag}`?")),
            _ => None,
        };
        (message, similar)
    }

    fn word_too_many(&self) -> Said {
        let takes: Vec<String> = self.command().get_positionals().map(ToString::to_string).collect();
        let takes = if takes.is_empty() { "only flags".to_owned() } else { takes.join(" ") };
        let help = format!("it takes {takes}; see `{} --help`", self.spoken());
        (format!("there is a word too many for `{}`", self.spoken()), Some(help))
    }
}

/// The commands below one.
fn verbs(command: &Command) -> Vec<&str> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(Command::get_name).collect()
}

/// Clap's explanation as one sentence, and its own suggestion.
fn clap_words(refused: &clap::Error) -> Said {
    let rendered = refused.render().to_string();
    let mut lines = rendered.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let rest: Vec<&str> = lines.take_while(|line| !line.starts_with("Usage:")).map(str::trim).collect();
    let (tips, details): (Vec<&str>, Vec<&str>) = rest.into_iter().partition(|line| line.starts_with("tip:"));
    let details: Vec<&str> = details.into_iter().filter(|line| !line.starts_with("For more")).collect();
    let message = if details.is_empty() { first } else { format!("{first} {}", details.join(" ")) };
    (message, tips.first().map(|tip| tip.trim_start_matches("tip:").trim().to_owned()))
}

/// The facts of the installed plugins, as far as they can be read without loading code or fuss.
fn installed(arguments: &[String]) -> Vec<latchlift_plugin_api::Facts> {
    let Ok(registry) = Registry::search(&plugin_dirs(arguments), &[]) else { return vec![] };
    registry.list().into_iter().filter_map(|listed| listed.facts.ok()).collect()
}

/// The directories that `--plugin-dir` names on a line that does not parse.
fn plugin_dirs(arguments: &[String]) -> Vec<PathBuf> {
    let behind = arguments.iter().zip(arguments.iter().skip(1)).filter(|(flag, _)| *flag == "--plugin-dir");
    let joined = arguments.iter().filter_map(|argument| argument.strip_prefix("--plugin-dir="));
    behind.map(|(_, dir)| PathBuf::from(dir)).chain(joined.map(PathBuf::from)).collect()
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
