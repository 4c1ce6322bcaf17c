//! The arguments taken apart as clap would, for lines that it refused: flags with their values, and plain words.

use clap::Command;

/// A command line in pieces.
#[derive(Debug, Default)]
pub struct Words {
    /// What is neither a flag nor the value of one.
    pub plain: Vec<String>,
    /// The flags.
    pub flags: Vec<Flag>,
}

/// A flag as typed: `--output` or `-o`, one for each letter of `-qy`.
#[derive(Debug)]
pub struct Flag {
    /// With its dashes.
    pub name: String,
    /// Its value, where it has one or what follows it looks like one.
    pub value: Option<String>,
}

impl Words {
    /// Takes the arguments, of which the first is the program, apart.
    pub fn split(root: &Command, arguments: &[String]) -> Words {
        let valued = flags_with_values(root);
        let takes_value = |name: &str| valued.iter().any(|flag| flag == name);
        let mut words = Words::default();
        let mut rest = arguments.iter().skip(1).peekable();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                words.plain.extend(rest.cloned());
                break;
            }
            match argument.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                None => words.plain.push(argument.clone()),
                Some(long) if long.starts_with('-') => words.flags.push(Flag::long(argument)),
                Some(letters) => words.short(letters, &takes_value),
            }
            // The value of the last flag may be the next argument; another flag is none.
            let Some(last) = words.flags.last_mut().filter(|_| argument.starts_with('-')) else { continue };
            if last.value.is_none() && takes_value(&last.name) {
                last.value = rest.next_if(|next| !next.starts_with('-') || *next == "-").cloned();
            }
        }
        words
    }

    /// The letters of `-qojson`: a value begins behind the first one that takes one.
    fn short(&mut self, letters: &str, takes_value: &dyn Fn(&str) -> bool) {
        for (at, letter) in letters.char_indices() {
            let name = format!("-{letter}");
            let behind = &letters[at + letter.len_utf8()..];
            let ends = takes_value(&name) || behind.starts_with('=');
            let value = Some(behind.trim_start_matches('=').to_owned()).filter(|value| ends && !value.is_empty());
            self.flags.push(Flag { name, value });
            if ends {
                return;
            }
        }
    }

    /// Whether the flags ask for JSON.
    pub fn want_json(&self) -> bool {
        self.flags.iter().any(|Flag { name, value }| match name.as_str() {
            "--json" => true,
            "-o" | "--output" => value.as_deref() == Some("json"),
            _ => false,
        })
    }

    /// The commands the words name, from the program down to the verb.
    pub fn path<'a>(&self, root: &'a Command) -> Vec<&'a Command> {
        let mut path = vec![root];
        for word in &self.plain {
            match path.last().and_then(|command| command.find_subcommand(word)) {
                Some(sub) => path.push(sub),
                None => break,
            }
        }
        path
    }
}

impl Flag {
    fn long(argument: &str) -> Flag {
        match argument.split_once('=') {
            Some((name, value)) => Flag { name: name.to_owned(), value: Some(value.to_owned()) },
            None => Flag { name: argument.to_owned(), value: None },
        }
    }
}

/// Every flag of any command that takes a value. A flag means the same everywhere, so where it stands does not matter.
fn flags_with_values(command: &Command) -> Vec<String> {
    let valued = command.get_arguments().filter(|arg| arg.get_action().takes_values());
    let names = valued.flat_map(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        long.into_iter().chain(arg.get_short().map(|short| format!("-{short}")))
    });
    let deeper = command.get_subcommands().flat_map(flags_with_values);
    names.chain(deeper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    fn split(line: &str) -> Words {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Words::split(&Cli::command(), &arguments)
    }

    #[test]
    fn values_of_flags_are_no_words() {
        for line in [
            "latchlift --app A password reset john -y",
            "latchlift -a A password -yn reset john",
            "latchlift -aA --plugin-dir=/x password reset john",
            "latchlift --settings .env --limit 3 password --id 7 reset -- john",
        ] {
            assert_eq!(split(line).plain, ["password", "reset", "john"], "{line}");
        }
    }

    #[test]
    fn json_is_seen_in_every_spelling_clap_takes() {
        for flags in ["--json", "-o json", "-ojson", "-o=json", "-qojson", "-qo=json", "-vqo json", "--output json"] {
            assert!(split(&format!("latchlift user {flags} lst")).want_json(), "{flags}");
        }
        for flags in ["-o csv", "-a json", "-ajson", "-ao json", "--app=json json", "-- --json"] {
            assert!(!split(&format!("latchlift user {flags} lst")).want_json(), "{flags}");
        }
    }

    #[test]
    fn aliases_lead_to_the_same_command() {
        let root = Cli::command();
        let names =
            |line| split(line).path(&root).iter().map(|command| command.get_name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names("latchlift passwd -a A set john"), ["latchlift", "password", "reset"]);
        assert_eq!(names("latchlift users frobnicate"), ["latchlift", "user"]);
    }
}
