//! Did you mean: similar accounts, and the apps' own commands in our words.

use crate::context::{Opened, Run};
use crate::error::{Error, Kind};
use crate::ui::pasted;
use latchlift_plugin_api::facts::Replaces;
use latchlift_plugin_api::{Account, Batch, Facts, Options, Target};

/// A failure to find an account, with how many there are and which are similar; any other failure unchanged.
pub fn about_account(run: &Run, opened: &Opened, target: Option<&Target>, mut error: Error) -> Error {
    // Something else may be missing too: the account a client acts for, the one that is to keep a name.
    let missing = error.kind == Kind::NotFound && error.message.starts_with("no account");
    let Some(target) = target.filter(|_| missing) else {
        return named_ambiguity(opened, error);
    };
    let Some(around) = Around::look(run, opened, target) else { return error };
    let facts = opened.facts();
    let list = format!("see all with `latchlift user list {}`", app(opened));
    if let (Some(provider), false) = (&target.provider, around.providers.is_empty()) {
        error.message = format!("{}'s `{}` does not sign in through `{provider}`", facts.title, target.name);
        error.help = Some(format!("its provider is {}; {list}", around.providers.join(" or ")));
        return error;
    }
    let what = match &target.id {
        Some(id) => format!("{} has no account with the id `{id}`", facts.title),
        None => format!("{} has no account named `{}`", facts.title, target.name),
    };
    let accounts = if around.count == 1 { "1 account".to_owned() } else { format!("{} accounts", around.count) };
    error.message = format!("{what} (instance `{}`, {accounts})", opened.name());
    error.help(match &around.similar {
        Some((_, name)) => format!("an account with a similar name exists: `{name}`; {list}"),
        None => list,
    })
}

/// What there is around a name that was not found.
#[derive(Default)]
struct Around {
    count: u64,
    /// How alike, and the name.
    similar: Option<(f64, String)>,
    /// The providers of accounts of this very name.
    providers: Vec<String>,
}

impl Around {
    /// Looks at all accounts; `None` where they cannot be read.
    fn look(run: &Run, opened: &Opened, target: &Target) -> Option<Around> {
        let mut around = Around::default();
        let request = run.request("user.list", Options::default());
        let listed = opened.read(run, request, &mut |batch| {
            if let Batch::Accounts(accounts) = batch {
                accounts.iter().for_each(|account| around.take_in(account, &target.name));
            }
            Ok(())
        });
        listed.ok().map(|()| around)
    }

    fn take_in(&mut self, account: &Account, wanted: &str) {
        self.count += 1;
        let Some(name) = account.name.value() else { return };
        if name.trim().to_lowercase() == wanted.trim().to_lowercase() {
            self.providers.extend(account.provider.value().cloned());
        }
        let texts = [&account.name, &account.email, &account.display_name];
        let likely =
            texts.iter().filter_map(|text| text.value()).map(|text| likeness(text, wanted)).fold(0.0, f64::max);
        if likely > 0.75 && self.similar.as_ref().is_none_or(|(best, _)| likely > *best) {
            self.similar = Some((likely, name.clone()));
        }
    }
}

fn named_ambiguity(opened: &Opened, error: Error) -> Error {
    match error.kind {
        Kind::Ambiguous => error.help(format!("choose one with --id or --provider, and {}", app(opened))),
        _ => error,
    }
}

/// The flag that means this instance, to paste from anywhere.
fn app(opened: &Opened) -> String {
    pasted(opened.flags())
}

fn likeness(text: &str, wanted: &str) -> f64 {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    match text.split('@').next() == Some(&wanted) && !wanted.is_empty() {
        true => 1.0,
        false => strsim::jaro_winkler(&text, &wanted),
    }
}

/// What to say to somebody who typed an app's own command to us.
#[derive(Debug, Default)]
pub struct OwnWords {
    /// What to type instead, for each command it may be.
    pub lines: Vec<String>,
    /// Whether a word is left that the app's command takes for a password.
    pub has_password: bool,
}

/// The words of an app's own command that someone typed to us, and what to type instead.
///
/// `words` are the arguments without flags and their values. Apps mean different things by the same words, so this only
/// answers; it never runs anything.
pub fn own_words(words: &[String], installed: &[Facts]) -> OwnWords {
    let mut found: Vec<(usize, &Facts, &Replaces, usize)> = Vec::new();
    for facts in installed {
        for replaces in &facts.replaces {
            let known = command_words(&replaces.command);
            let program = replaces.command.split(' ').next().unwrap_or_default();
            let behind = words.first().is_some_and(|word| *word == facts.app || word == program);
            let typed = if behind { &words[1..] } else { words };
            // A script's own switches and their values may stand before the words that count.
            let starts = if behind && replaces.command.contains("--script") { typed.len() } else { 1 };
            if known.is_empty() {
                continue;
            }
            if let Some(at) = typed.windows(known.len()).take(starts).position(|words| *words == known[..]) {
                found.push((known.len(), facts, replaces, typed.len() - at - known.len()));
            }
        }
    }
    let longest = found.iter().map(|(length, ..)| *length).max().unwrap_or_default();
    found.retain(|(length, ..)| *length == longest);
    // Behind the account's name; there some programs take one that their documentation does not name.
    let takes_password = |replaces: &Replaces| {
        let last = command_words(&replaces.command).pop();
        replaces.command.ends_with(" NAME PASSWORD") || matches!(last.as_deref(), Some("passwd" | "reset-password"))
    };
    let has_password = found.iter().any(|(_, _, replaces, left)| *left > 1 && takes_password(replaces));
    let mut lines: Vec<String> = found.iter().map(|(_, facts, replaces, _)| told(facts, replaces)).collect();
    lines.dedup();
    OwnWords { lines, has_password }
}

fn told(facts: &Facts, replaces: &Replaces) -> String {
    if let (true, Some(note)) = (replaces.instead == replaces.command, &replaces.note) {
        return format!("{note}: `{}`", replaces.command);
    }
    let later = if replaces.later { " (comes with a later release)" } else { "" };
    format!("{}'s `{}` is `{}` here{later}", facts.title, replaces.command, replaces.instead)
}

/// The words of a command behind its program: `photoprism users ls [SEARCH]` gives `users ls`, and what follows the
/// switches of `hass --script auth -c DIR change_password NAME` is `change_password`.
fn command_words(command: &str) -> Vec<String> {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let plain = |word: &&str| word.chars().all(lower) && !word.starts_with('-');
    let script = command.split_once("--script auth").map(|(_, rest)| rest);
    let words = script.unwrap_or_else(|| command.split_once(' ').map_or("", |(_, rest)| rest)).split_whitespace();
    let words = words.skip_while(|word| script.is_some() && !plain(word));
    words.take_while(plain).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apps_own_words_are_answered_in_ours() {
        let replaces = Replaces {
            command: "homarr reset-password --username NAME".into(),
            instead: "latchlift password reset NAME".into(),
            ..Replaces::default()
        };
        let facts =
            Facts { app: "homarr".into(), title: "Homarr".into(), replaces: vec![replaces], ..Facts::default() };
        let said = own_words(&["reset-password".into(), "john".into()], &[facts]).lines.join("\n");
        assert!(said.contains("`latchlift password reset NAME`"), "{said}");
    }

    #[test]
    fn a_password_behind_an_apps_own_words_is_noticed_and_what_stays_the_apps_is_said_to() {
        let replaces = |command: &str, instead: &str| Replaces {
            command: command.into(),
            instead: instead.into(),
            note: Some("its own command stays the way".into()),
            ..Replaces::default()
        };
        let facts = Facts {
            app: "home-assistant".into(),
            title: "Home Assistant".into(),
            replaces: vec![
                replaces("hass --script auth -c DIR change_password NAME PASSWORD", "latchlift password reset NAME"),
                replaces("hass --script auth -c DIR add NAME PASSWORD", "latchlift user add NAME"),
                replaces("hass --script auth -c DIR list", "latchlift user list"),
                replaces("ha auth cache", "ha auth cache"),
                replaces("photoprism users mod --password X NAME", "latchlift password reset NAME"),
                replaces("photoprism passwd NAME", "latchlift password reset NAME"),
            ],
            ..Facts::default()
        };
        let typed = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            own_words(&words, std::slice::from_ref(&facts))
        };
        for (line, has_password) in [
            ("change_password john secret", true),
            ("hass auth /srv/ha change_password john secret", true),
            ("hass auth /srv/ha add john secret", true),
            ("hass auth /srv/ha change_password john", false),
            ("hass auth list john doe", false),
            ("photoprism passwd john secret", true),
            ("photoprism users mod admin john", false),
        ] {
            assert_eq!(typed(line).has_password, has_password, "{line}");
        }
        assert_eq!(typed("ha auth cache").lines, ["its own command stays the way: `ha auth cache`"]);
    }

    #[test]
    fn hass_script_words_lose_their_switch() {
        assert_eq!(command_words("hass --script auth change_password NAME PW"), ["change_password"]);
        assert_eq!(command_words("hass --script auth -c DIR list"), ["list"]);
        assert_eq!(command_words("ha auth reset --username U"), ["auth", "reset"]);
        assert_eq!(command_words("photoprism users ls [SEARCH]"), ["users", "ls"]);
    }
}
