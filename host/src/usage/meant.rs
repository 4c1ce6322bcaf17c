//! Words that people try first, and the command each stands for. They are only answered, never run.

/// Noun (empty where a noun should stand), word, command.
const MEANT: [(&str, &[&str], &str); 22] = [
    ("", &["reset", "change-password", "reset-password"], "password reset NAME"),
    ("", &["unlock", "why", "whoami"], "user show NAME"),
    ("", &["list", "ls"], "user list"),
    ("", &["logout", "signout", "sign-out"], "session revoke NAME"),
    ("", &["check", "status", "doctor", "health"], "app check"),
    ("", &["promote", "make-admin"], "admin grant NAME"),
    ("", &["demote"], "admin revoke NAME"),
    ("", &["unban"], "ban clear ADDRESS"),
    ("", &["disable-2fa", "disable-mfa", "disable-totp"], "mfa disable NAME"),
    ("", &["revert", "rollback", "back"], "undo"),
    ("", &["log", "journal"], "history list"),
    ("password", &["change", "new", "update"], "password reset NAME"),
    ("password", &["delete", "clear"], "password remove NAME"),
    ("password", &["verify", "test", "validate"], "password check NAME"),
    ("mfa", &["off", "reset", "delete", "clear"], "mfa disable NAME"),
    ("admin", &["promote", "add", "make", "set"], "admin grant NAME"),
    ("admin", &["demote", "remove", "delete"], "admin revoke NAME"),
    ("admin", &["create", "reset", "restore"], "admin recreate NAME"),
    ("session", &["kill", "end", "delete", "remove", "clear", "logout"], "session revoke NAME"),
    ("user", &["unlock", "check"], "user show NAME"),
    ("user", &["reset", "reset-password"], "password reset NAME"),
    ("ban", &["remove", "delete", "lift"], "ban clear ADDRESS"),
];

/// The command that `word` stands for behind `noun`, or in a noun's place.
pub fn meant(noun: Option<&str>, word: &str) -> Option<&'static str> {
    let noun = noun.unwrap_or_default();
    let known = MEANT.iter().find(|(of, words, _)| *of == noun && words.contains(&word));
    known.map(|(.., command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_word_stands_for_a_command_there_is_and_is_none_itself() {
        let root = Cli::command();
        for (noun, words, command) in MEANT {
            let mut path = command.split(' ').take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
            assert!(path.try_fold(&root, |at, word| at.find_subcommand(word)).is_some(), "{command}");
            let at = if noun.is_empty() { &root } else { root.find_subcommand(noun).unwrap() };
            for word in words {
                assert!(at.find_subcommand(word).is_none(), "`{noun} {word}` is a command");
            }
        }
    }
}
