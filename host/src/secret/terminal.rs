//! Questions to the person at the terminal: written to standard error, answered on standard input.
//!
//! Signal keys are off while an answer is awaited: Ctrl-C arrives as a byte rather than as a signal, so that the terminal
//! is set right again before the program ends. A signal would end it with the echo still off.

use crate::error::{Error, Kind, Result};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use zeroize::Zeroizing;

/// The longest line taken; no login form takes more.
const MAX_LINE: usize = 8 * 1024;

/// A person at a terminal.
#[derive(Debug)]
pub struct Terminal {
    keys: File,
    screen: File,
}

impl Terminal {
    /// The terminal, if standard input and standard error are one and the person may be asked.
    pub fn open(may_ask: bool) -> Option<Terminal> {
        let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
        if !may_ask || !isatty(&stdin) || !isatty(&stderr) {
            return None;
        }
        Terminal::on(stdin.as_fd(), stderr.as_fd())
    }

    /// A terminal on these descriptors. They are read unbuffered, so that nothing typed ahead is lost between questions.
    fn on(keys: impl AsFd, screen: impl AsFd) -> Option<Terminal> {
        let keys = keys.as_fd().try_clone_to_owned().ok()?.into();
        let screen = screen.as_fd().try_clone_to_owned().ok()?.into();
        Some(Terminal { keys, screen })
    }

    /// Shows `text`. Names in it come from databases, so control characters are not passed on to the terminal.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn say(&self, text: &str) -> Result<()> {
        let text = text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
        (&self.screen).write_all(text.as_bytes()).map_err(|why| gone(&why))
    }

    /// Asks for a line; `None` at the end of the input.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] after Ctrl-C, or the terminal is gone.
    pub fn line(&self, question: &str) -> Result<Option<String>> {
        let _keys = Keys::set(&self.keys, |keys| {
            keys.local_modes.remove(LocalModes::ISIG);
            // The terminal goes on editing the line and hands it over at Ctrl-C as it does at Enter.
            keys.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        })?;
        self.say(question)?;
        let answer = answered(&self.keys);
        if !matches!(answer, Ok(Some(_))) {
            self.say("\n")?;
        }
        answer
    }

    /// Asks for secrets without echo, one line each.
    ///
    /// The echo stays off from the first question to the last, so that pasting all answers at once shows none.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] after Ctrl-C, [`Kind::Usage`] at the end of the input, or the terminal is gone.
    pub fn secrets(&self, questions: &[&str]) -> Result<Vec<Zeroizing<Vec<u8>>>> {
        let silence = Keys::set(&self.keys, |keys| {
            keys.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
            keys.special_codes[SpecialCodeIndex::VMIN] = 1;
            keys.special_codes[SpecialCodeIndex::VTIME] = 0;
        })?;
        let answers = questions.iter().map(|question| {
            self.say(question)?;
            let answer = typed(&self.keys);
            self.say("\n")?;
            answer
        });
        let answers = answers.collect();
        drop(silence);
        answers
    }
}

/// What keys do is changed until this is dropped.
struct Keys<'a> {
    keys: &'a File,
    before: Termios,
}

impl Keys<'_> {
    fn set(keys: &File, change: impl FnOnce(&mut Termios)) -> Result<Keys<'_>> {
        let before = tcgetattr(keys).map_err(|why| gone(&why.into()))?;
        let mut during = before.clone();
        change(&mut during);
        tcsetattr(keys, OptionalActions::Now, &during).map_err(|why| gone(&why.into()))?;
        Ok(Keys { keys, before })
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        // The terminal may be gone; then there is nothing left to set right.
        let _ = tcsetattr(self.keys, OptionalActions::Now, &self.before);
    }
}

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 21;
const DELETE: u8 = 127;

/// Reads one line that the terminal has edited.
#[expect(clippy::unbuffered_bytes, reason = "a buffer would keep what is typed ahead from the next question")]
fn answered(keys: impl Read) -> Result<Option<String>> {
    let mut line = Vec::new();
    for key in keys.bytes() {
        match key.map_err(|why| gone(&why))? {
            b'\n' => return Ok(Some(String::from_utf8_lossy(&line).into_owned())),
            CTRL_C => return Err(interrupted()),
            byte => line.push(byte),
        }
    }
    // An answer is what Enter sends; half of one is none.
    Ok(None)
}

/// Reads one line from a silent terminal, with the keys that edit it. Other control characters are kept: what reads the
/// line refuses them, where dropping them would set a password that is not what was typed.
#[expect(clippy::unbuffered_bytes, reason = "a buffer would keep what is typed ahead from the next question")]
fn typed(keys: impl Read) -> Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    for key in keys.bytes() {
        match key.map_err(|why| gone(&why))? {
            b'\n' | b'\r' => return Ok(line),
            CTRL_C => return Err(interrupted()),
            CTRL_D if line.is_empty() => break,
            CTRL_U => line.clear(),
            BACKSPACE | DELETE => erase(&mut line),
            _ if line.len() == MAX_LINE => {
                return Err(Error::new(Kind::Usage, "what was typed is too long for a password"));
            }
            byte => line.push(byte),
        }
    }
    Err(Error::new(Kind::Usage, "no password was typed"))
}

/// Takes back the last character, which may be several bytes.
fn erase(line: &mut Vec<u8>) {
    while line.pop().is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000) {}
}

fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "interrupted from the keyboard")
}

fn gone(why: &std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("cannot talk to the terminal: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(keys: &[u8]) -> Result<Vec<u8>> {
        typed(keys).map(|line| line.to_vec())
    }

    #[test]
    fn the_usual_keys_edit_what_is_typed() {
        assert_eq!(line(b"horse\n").unwrap(), b"horse");
        assert_eq!(line(b"horse\rmore").unwrap(), b"horse");
        assert_eq!(line("pö\x7fass\x08\x08ü\n".as_bytes()).unwrap(), "paü".as_bytes());
        assert_eq!(line(b"wrong\x15right\n").unwrap(), b"right");
        assert_eq!(line(b"\x7f\x7fx\n").unwrap(), b"x");
    }

    #[test]
    fn ctrl_c_is_an_interruption_and_ctrl_d_an_end() {
        assert_eq!(line(b"hor\x03se\n").unwrap_err().kind, Kind::Interrupted);
        assert_eq!(line(b"\x04").unwrap_err().kind, Kind::Usage);
        assert_eq!(line(b"unfinished").unwrap_err().kind, Kind::Usage);
    }

    #[test]
    fn control_characters_are_kept_for_the_reader_to_refuse() {
        assert_eq!(line(b"a\tb\x1b[A\n").unwrap(), b"a\tb\x1b[A");
        assert_eq!(line(b"a\x04b\n").unwrap(), b"a\x04b");
    }

    #[test]
    fn an_answer_ends_with_enter_and_nothing_else() {
        assert_eq!(answered(&b"yes\nmore"[..]).unwrap().as_deref(), Some("yes"));
        assert_eq!(answered(&b""[..]).unwrap(), None);
        assert_eq!(answered(&b"yes"[..]).unwrap(), None);
        assert_eq!(answered(&b"ye\x03"[..]).unwrap_err().kind, Kind::Interrupted);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        assert_eq!(line(&[b'x'; MAX_LINE + 1]).unwrap_err().kind, Kind::Usage);
    }
}
