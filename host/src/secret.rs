//! Passwords on their way in: from a prompt, standard input, a file, or made here.
//!
//! No flag takes a secret, because arguments are public while a process runs and stay in the shell's history. What is read
//! here is wiped when dropped, never appears in a message, and never in `Debug`.

pub mod terminal;

use crate::error::{Error, Kind, Result};
use crate::kdf::Purpose;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use terminal::Terminal;
use zeroize::Zeroizing;

/// Where a password comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The person is asked.
    #[default]
    Prompt,
    /// `--password-stdin`.
    Stdin,
    /// `--password-file PATH`.
    File(PathBuf),
    /// `--generate`.
    Generate,
}

/// A password, wiped when dropped.
pub struct Password {
    /// The password.
    pub text: Zeroizing<String>,
    /// Whether it was made here, so that the person has yet to see it.
    pub generated: bool,
    /// What the person should know about it; never the password.
    pub warnings: Vec<String>,
}

/// How the warning about outer blanks ends; it is the only one that an app's own rules can make untrue.
const BLANKS_KEPT: &str = "begins or ends with a blank, which is kept";

impl Password {
    /// The warnings that hold for an app that drops outer blanks, or keeps them.
    pub fn warnings_where(&self, blanks_dropped: bool) -> impl Iterator<Item = &String> {
        self.warnings.iter().filter(move |warning| !(blanks_dropped && warning.ends_with(BLANKS_KEPT)))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Password(<hidden>, {} warnings)", self.warnings.len())
    }
}

/// The largest thing taken for a password; more is a wrong file.
const MAX_BYTES: usize = 64 * 1024;

/// Reads a password; from the person, the existing one of `name`.
///
/// # Errors
/// [`Kind::Usage`] where there is none, nobody to ask, or it has characters nobody can type at a login;
/// [`Kind::Denied`] where the file may not be read; [`Kind::Interrupted`] where the person pressed Ctrl-C.
pub fn read(source: &Source, name: &str, may_ask: bool) -> Result<Password> {
    match source {
        Source::Generate => generate(),
        Source::Stdin => password(&all(std::io::stdin().lock(), "standard input")?, "on standard input"),
        Source::File(path) => from_file(path, "--password-file"),
        Source::Prompt => {
            let terminal = Terminal::open(may_ask).ok_or_else(|| nobody_to_ask(Purpose::Check))?;
            password(&terminal.secrets(&[&format!("Password for {name}: ")])?[0], "at the prompt")
        }
    }
}

/// Reads the password of a database: from a file, or once from the person.
///
/// # Errors
/// As [`read`].
pub fn read_for_store(file: Option<&Path>, place: &str, may_ask: bool) -> Result<Password> {
    if let Some(path) = file {
        return from_file(path, "--store-password-file");
    }
    let terminal = Terminal::open(may_ask).ok_or_else(|| {
        Error::new(Kind::Usage, format!("{place} needs a password, and nobody may be asked here: {NOBODY}"))
            .help("use --store-password-file FILE, or --settings FILE with the app's own settings")
    })?;
    let typed = terminal.secrets(&[&format!("Database password for {place}: ")])?;
    password(&typed[0], "at the prompt")
}

fn nobody_to_ask(purpose: Purpose) -> Error {
    let generate = if purpose == Purpose::Set { ", or --generate" } else { "" };
    Error::new(Kind::Usage, format!("this needs a password, and nobody may be asked here: {NOBODY}"))
        .help(format!("use --password-stdin or --password-file FILE{generate}"))
}

/// The refusal of a password as an argument, which is not repeated.
pub fn is_no_argument() -> Error {
    Error::new(Kind::Usage, "passwords are not arguments; yours may now be in your shell's history")
        .help("use --password-stdin, --password-file FILE or --generate, or let latchlift ask")
}

/// Why there is nobody to ask.
pub const NOBODY: &str = "there is no terminal, or --no-input was given";

/// How often a new password may be mistyped.
const TRIES: usize = 3;

/// Asks the person at the terminal for the new password of `name` until it was typed twice alike and `fits`, three times at
/// most.
///
/// # Errors
/// As [`read`], and what is wrong with the last one.
pub fn ask_new(name: &str, may_ask: bool, fits: impl Fn(&Password) -> Result<()>) -> Result<Password> {
    let terminal = Terminal::open(may_ask).ok_or_else(|| nobody_to_ask(Purpose::Set))?;
    let (first, again) = (format!("New password for {name}: "), format!("New password for {name}, again: "));
    for tries_left in (0..TRIES).rev() {
        let typed = terminal.secrets(&[&first, &again])?;
        // A password that is no good either way is better said before asking whether it was typed twice alike.
        let read = password(&typed[0], "at the prompt").and_then(|read| fits(&read).map(|()| read));
        match read {
            Ok(read) if typed[0] == typed[1] => return Ok(read),
            Ok(_) if tries_left > 0 => terminal.say("The two passwords differ. Try again.\n")?,
            Ok(_) => {}
            Err(error) if error.kind != Kind::Usage || tries_left == 0 => return Err(error),
            Err(error) => terminal.say(&format!("That will not do: {}. Try again.\n", error.message))?,
        }
    }
    Err(Error::new(Kind::Usage, "no new password was typed twice alike"))
}

/// Reads a password from a file, of which exactly one final line end is dropped.
fn from_file(path: &Path, flag: &str) -> Result<Password> {
    let shown = path.display();
    let file = File::open(path).map_err(|why| unreadable(path, &why))?;
    let facts = file.metadata().map_err(|why| unreadable(path, &why))?;
    if facts.is_dir() {
        return Err(Error::new(Kind::Usage, format!("{flag} {shown} is a directory")).help("name a file"));
    }
    let mut read = password(&all(file, &shown.to_string())?, &format!("in {shown}"))?;
    if facts.is_file() && facts.mode() & 0o004 != 0 {
        read.warnings.push(format!("everybody on this machine can read {shown}; `chmod 600 {shown}` ends that"));
    }
    Ok(read)
}

fn unreadable(path: &Path, why: &std::io::Error) -> Error {
    let shown = path.display();
    match why.kind() {
        std::io::ErrorKind::NotFound => Error::new(Kind::Usage, format!("there is no password file {shown}")),
        std::io::ErrorKind::PermissionDenied => {
            Error::new(Kind::Denied, format!("cannot read the password file {shown}: permission denied"))
                .help("run as the file's owner or as root")
        }
        _ => Error::new(Kind::Failed, format!("cannot read the password file {shown}: {why}")),
    }
}

/// All bytes of `from`. The buffer never grows, so that no copy of a password is left behind in freed memory.
fn all(mut from: impl Read, place: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; MAX_BYTES + 1]);
    let mut filled = 0;
    while filled < bytes.len() {
        match from.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
            Err(why) => return Err(Error::new(Kind::Failed, format!("cannot read a password from {place}: {why}"))),
        }
    }
    if filled > MAX_BYTES {
        return Err(Error::new(Kind::Usage, format!("what {place} gives is too long for a password")));
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Takes what was read as a password: one line of text that a person could type at a login.
fn password(bytes: &[u8], place: &str) -> Result<Password> {
    let wrong = |what: &str| Error::new(Kind::Usage, format!("the password {place} {what}"));
    let line = match bytes {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        line => line,
    };
    let text = std::str::from_utf8(line).map_err(|_| wrong("is not UTF-8 text"))?;
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    if text.starts_with('\u{feff}') {
        return Err(wrong("begins with a byte order mark").help("save the file as UTF-8 without a byte order mark"));
    }
    if text.contains(['\n', '\r']) {
        return Err(wrong("has more than one line").help("give the password alone, with at most one final line end"));
    }
    if text.contains(char::is_control) {
        return Err(wrong("contains a control character").help("choose a password of visible characters"));
    }
    Ok(Password { text: Zeroizing::new(text.to_owned()), generated: false, warnings: warnings(text, place) })
}

fn warnings(text: &str, place: &str) -> Vec<String> {
    let blanks = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    blanks.then(|| format!("the password {place} {BLANKS_KEPT}")).into_iter().collect()
}

const LETTERS_AND_DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Specials that shells, YAML, `.env` files and URLs' paths leave alone within a word.
const SPECIALS: &[u8] = b"-_.~+=@";
const LENGTH: usize = 48;

/// Makes a password of 48 characters, about 290 bits, with lower case, upper case, digits and specials.
///
/// # Errors
/// The system gives no random numbers.
pub fn generate() -> Result<Password> {
    let alphabet = [LETTERS_AND_DIGITS, SPECIALS].concat();
    loop {
        let text = draw(&alphabet)?;
        // Drawing all of it again keeps every acceptable password equally likely; placing a digit by hand would not.
        if acceptable(text.as_bytes()) {
            return Ok(Password { text, generated: true, warnings: vec![] });
        }
    }
}

fn draw(alphabet: &[u8]) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    // Bytes above the largest multiple of the alphabet are drawn again, or its first letters would come more often.
    let fair = 256 - 256 % alphabet.len();
    let mut random = Zeroizing::new([0u8; LENGTH]);
    while text.len() < LENGTH {
        getrandom::fill(random.as_mut_slice())
            .map_err(|why| Error::new(Kind::Failed, format!("the system gives no random numbers: {why}")))?;
        let missing = LENGTH - text.len();
        let drawn = random.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        drawn.take(missing).for_each(|byte| text.push(char::from(alphabet[byte % alphabet.len()])));
    }
    Ok(text)
}

/// Every class is there, and neither end is a special: a leading `-` looks like a flag, `~` and `=` like paths.
fn acceptable(text: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| text.iter().any(class);
    let ends = [text.first(), text.last()];
    has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && text.iter().any(|byte| SPECIALS.contains(byte))
        && ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
}

/// Asks a question that `y` or `yes` answers; everything else, also the end of the input, is no.
///
/// # Errors
/// [`Kind::Usage`] where there is nobody to ask, [`Kind::Interrupted`] where the person pressed Ctrl-C.
pub fn confirm(question: &str, may_ask: bool) -> Result<bool> {
    let answer = terminal_for_questions(may_ask)?.line(&format!("{question} [y/N] "))?;
    Ok(answer.is_some_and(|answer| ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())))
}

/// Asks a question that only `name`, typed exactly, answers with yes.
///
/// # Errors
/// As [`confirm`].
pub fn confirm_by_name(question: &str, name: &str, may_ask: bool) -> Result<bool> {
    let answer = terminal_for_questions(may_ask)?.line(&format!("{question} Type `{name}` to go on: "))?;
    Ok(answer.is_some_and(|answer| answer == name || answer.trim() == name))
}

/// Asks for a value the command needs and was not given; `None` at the end of the input.
///
/// # Errors
/// As [`confirm`].
pub fn ask_for(question: &str) -> Result<Option<String>> {
    let answer = terminal_for_questions(true)?.line(question)?;
    Ok(answer.map(|answer| answer.trim().to_owned()))
}

/// The ids a person typed, where `-` stands for one on standard input: it may be the secret itself, which is no argument.
///
/// # Errors
/// Standard input holds none, or cannot be read.
pub fn ids(typed: Vec<String>) -> Result<Vec<String>> {
    let read = |id: String| match id.as_str() {
        "-" => read(&Source::Stdin, "", false).map(|read| read.text.trim().to_owned()),
        _ => Ok(id),
    };
    typed.into_iter().map(read).collect()
}

fn terminal_for_questions(may_ask: bool) -> Result<Terminal> {
    Terminal::open(may_ask).ok_or_else(|| {
        Error::new(Kind::Usage, format!("this needs a confirmation, and nobody may be asked here: {NOBODY}"))
            .help("add --yes if you mean it, or see what would happen with --dry-run")
    })
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
