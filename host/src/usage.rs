//! What to say about a command line that does not parse: secrets caught, words of other tools answered, the rest as clap
//! explains it.

use crate::cli::Cli;
use crate::commands::hints;
use crate::error::{Error, Kind};
use crate::plugin::Registry;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Whether the arguments ask for JSON, though they may not parse.
pub fn wants_json(arguments: &[String]) -> bool {
    let pair = |pair: &[String]| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json";
    arguments.iter().any(|argument| ["--json", "--output=json", "-ojson"].contains(&argument.as_str()))
        || arguments.windows(2).any(pair)
}

/// The failure to parse, in our words. A secret among the arguments is not repeated.
pub fn explain(refused: &clap::Error, arguments: &[String]) -> Error {
    let words = plain_words(arguments);
    if secret_among(refused, arguments, &words) {
        return Error::new(Kind::Usage, "passwords are not arguments; yours may now be in your shell's history")
            .note("nothing was changed")
            .help("use --password-stdin, --password-file FILE or --generate, or let latchlift ask");
    }
    let (message, help) = match refused.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) => unknown_verb(word, &words),
        _ => clap_words(refused),
    };
    let mut error = Error::new(Kind::Usage, message);
    if matches!(refused.kind(), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument | ErrorKind::MissingSubcommand)
        && let Some(own) = hints::own_words(&words, &installed())
    {
        error = error.help(own);
    }
    match help {
        Some(help) => error.help(help),
        None => error.help(format!("see {}", help_command(&words))),
    }
}

/// A noun or verb there is not, with a similar one.
fn unknown_verb(word: &str, words: &[String]) -> (String, Option<String>) {
    let command = Cli::command();
    let noun = words.first().filter(|first| *first != word).and_then(|first| command.find_subcommand(first));
    let within = noun.unwrap_or(&command);
    let known: Vec<&str> = within.get_subcommands().filter(|sub| !sub.is_hide_set()).map(clap::Command::get_name).collect();
    let prefix = noun.map(|noun| format!("{} ", noun.get_name())).unwrap_or_default();
    let message = match noun {
        Some(noun) => format!("`{}` has no verb `{word}`", noun.get_name()),
        None => format!("there is no command `{word}`"),
    };
    let similar = crate::instance::similar(word, known.iter().copied());
    let help = similar.map(|similar| format!("did you mean `latchlift {prefix}{similar}`?"));
    (message, help.or_else(|| noun.map(|noun| format!("the verbs of `{}`: {}", noun.get_name(), known.join(", ")))))
}

/// The arguments that are neither flags nor the program.
fn plain_words(arguments: &[String]) -> Vec<String> {
    arguments.iter().skip(1).filter(|argument| !argument.starts_with('-')).cloned().collect()
}

fn help_command(words: &[String]) -> String {
    let nouns = ["user", "password", "admin", "session", "token", "client", "mfa", "login", "ban", "invite", "app", "plugin"];
    match words.first().filter(|word| nouns.contains(&word.as_str())) {
        Some(noun) => format!("`latchlift {noun} --help`"),
        None => "`latchlift --help`".to_owned(),
    }
}

/// Whether the parse failed at something that is or may be a password.
fn secret_among(refused: &clap::Error, arguments: &[String], words: &[String]) -> bool {
    let flag = |argument: &String| {
        let name = argument.split('=').next().unwrap_or_default();
        matches!(name, "--password" | "--pass" | "--passwd" | "--pw" | "--new-password")
            || (argument.starts_with("-p") && !argument.starts_with("--") && refused.kind() == ErrorKind::UnknownArgument)
    };
    let noun = words.first().map(String::as_str).unwrap_or_default();
    let about_passwords = matches!(noun, "password" | "passwords" | "passwd")
        || (noun == "admin" && words.get(1).is_some_and(|verb| verb == "recreate"));
    let stray = refused.kind() == ErrorKind::UnknownArgument && about_passwords && !invalid(refused).starts_with('-');
    arguments.iter().skip(1).any(flag) || stray
}

/// The argument the parse failed at.
fn invalid(refused: &clap::Error) -> String {
    match refused.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// Clap's explanation as one sentence, and its own suggestion.
fn clap_words(refused: &clap::Error) -> (String, Option<String>) {
    let rendered = refused.render().to_string();
    let mut lines = rendered.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let rest: Vec<&str> = lines.take_while(|line| !line.starts_with("Usage:")).map(str::trim).collect();
    let (tips, details): (Vec<&str>, Vec<&str>) = rest.into_iter().partition(|line| line.starts_with("tip:"));
    let details: Vec<&str> = details.into_iter().filter(|line| !line.starts_with("For more")).collect();
    let message = if details.is_empty() { first } else { format!("{first} {}", details.join(" ")) };
    let tip = tips.first().map(|tip| tip.trim_start_matches("tip:").trim().to_owned());
    match refused.kind() {
        // Without a subcommand clap shows the whole help; a sentence is enough.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            ("a verb is missing".to_owned(), None)
        }
        _ => (message, tip),
    }
}

/// The facts of the installed plugins, as far as they can be read without loading code or fuss.
fn installed() -> Vec<latchlift_plugin_api::Facts> {
    let Ok(registry) = Registry::search(&[], &[]) else { return vec![] };
    registry.list().into_iter().filter_map(|listed| listed.facts.ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn explained(line: &str) -> Error {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        explain(&Cli::try_parse_from(&arguments).unwrap_err(), &arguments)
    }

    #[test]
    fn a_password_among_the_arguments_is_caught_and_not_repeated() {
        for line in [
            "latchlift password reset john hunter2",
            "latchlift password reset john --password hunter2",
            "latchlift password reset john --password=hunter2",
            "latchlift password reset john -p hunter2",
            "latchlift password reset john -phunter2",
            "latchlift admin recreate root hunter2",
            "latchlift user add john --password hunter2",
        ] {
            let error = explained(line);
            assert!(error.message.starts_with("passwords are not arguments"), "{line}: {}", error.message);
            assert!(!format!("{error:?}").contains("hunter2"), "{line}");
        }
    }

    #[test]
    fn an_unknown_flag_is_named_and_a_similar_one_offered() {
        let error = explained("latchlift user list --dleted");
        assert!(error.message.contains("--dleted") && error.help.unwrap().contains("--deleted"));
    }
}
