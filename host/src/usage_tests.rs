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
        "latchlift --app A password reset john hunter2",
        "latchlift -a A password reset john hunter2",
        "latchlift -aA password --no-input reset john -y hunter2",
        "latchlift --plugin-dir /x password check john hunter2",
        "latchlift passwd set john hunter2",
        "latchlift password change john hunter2",
        "latchlift change-password john hunter2",
        "latchlift reset john hunter2",
        "latchlift password rest john hunter2",
        "latchlift passwd john hunter2",
        "latchlift password reset john password=hunter2",
        "latchlift password reset john --password hunter2",
        "latchlift password reset john --password=hunter2",
        "latchlift password reset john -p hunter2",
        "latchlift password reset john -phunter2",
        "latchlift password reset john -yphunter2",
        "latchlift password reset john --generate=hunter2",
        "latchlift password reset john --password-stdin=hunter2",
        "latchlift admin recreate root hunter2",
        "latchlift -a A admin recreate root hunter2",
        "latchlift -a A admins recreate root password=hunter2",
        "latchlift user add john --password hunter2",
        "latchlift homarr users update-password -u john -p hunter2",
        "latchlift photoprism users mod -p hunter2 admin",
        "latchlift reset password john hunter2",
        "latchlift password john reset hunter2",
        "latchlift change password john hunter2",
        "latchlift check password john hunter2",
        "latchlift add user john hunter2",
        "latchlift recreate admin root hunter2",
        "latchlift user john add hunter2",
    ] {
        let error = explained(line);
        assert!(error.message.starts_with("passwords are not arguments"), "{line}: {}", error.message);
        assert!(!format!("{error:?}").contains("hunter2"), "{line}");
    }
}

#[test]
fn a_word_too_many_is_never_repeated() {
    for line in [
        "latchlift user show john hunter2",
        "latchlift user rename john jack hunter2",
        "latchlift admin grant john hunter2",
        "latchlift mfa disable john password=hunter2",
        "latchlift --app A undo 3f9a hunter2",
        "latchlift app check hunter2",
        "latchlift passwd hunter2",
        "latchlift password reset john --pasword=hunter2",
        "latchlift password reset john -Phunter2",
        "latchlift password reset john --Hunter2",
        "latchlift password reset john --yes=hunter2",
        "latchlift password reset john -y=hunter2",
    ] {
        let error = explained(line);
        assert_eq!(error.kind, Kind::Usage);
        assert!(!format!("{error:?}").to_lowercase().contains("hunter2"), "{line}: {error:?}");
    }
    let error = explained("latchlift user show john doe");
    assert_eq!(error.message, "there is a word too many for `latchlift user show`");
    assert_eq!(error.help.unwrap(), "it takes [USER]; see `latchlift user show --help`");
}

#[test]
fn an_unknown_flag_is_named_and_a_similar_one_offered() {
    let error = explained("latchlift --app A user list --dleted");
    assert_eq!(error.message, "`latchlift user list` has no flag `--dleted`");
    assert_eq!(error.help.unwrap(), "did you mean `--deleted`?");
}

#[test]
fn an_unknown_verb_is_answered_with_a_similar_one_or_all_of_them() {
    let error = explained("latchlift --app A password rest john");
    assert_eq!(error.message, "`password` has no verb `rest`");
    assert_eq!(error.help.unwrap(), "did you mean `latchlift password reset`?");
    let error = explained("latchlift bans frobnicate");
    assert_eq!(error.message, "`ban` has no verb `frobnicate`");
    assert_eq!(error.help.unwrap(), "the verbs of `ban`: list, clear");
}

#[test]
fn a_noun_without_verb_lists_its_verbs() {
    for line in
        ["latchlift password", "latchlift --app A password", "latchlift password --json", "latchlift -a A passwd -q"]
    {
        assert_eq!(explained(line).message, "`latchlift password` needs a verb: reset, remove or check", "{line}");
    }
    assert_eq!(explained("latchlift --json").message, "a command is missing");
}

#[test]
fn what_is_missing_is_named() {
    let error = explained("latchlift user add");
    assert_eq!(error.message, "`latchlift user add` needs NAME");
    assert_eq!(error.help.unwrap(), "see `latchlift user add --help`");
}

#[test]
fn a_number_is_asked_for_in_words() {
    for value in ["many", "-1", "0", "1.5", "99999999999999999999999"] {
        let error = explained(&format!("latchlift user list --limit={value}"));
        assert_eq!(error.message, "`--limit <N>` takes a whole number from 1", "{value}");
    }
    let error = explained("latchlift session revoke --unused-for soon");
    assert_eq!(error.message, "`--unused-for <TIME>` takes a number and a unit: 90d, 12h, 2w, 1y");
}

#[test]
fn the_words_that_people_try_first_are_answered() {
    for (line, help) in [
        ("latchlift password change john", "did you mean `latchlift password reset NAME`?"),
        ("latchlift reset john", "did you mean `latchlift password reset NAME`?"),
        ("latchlift mfa off john", "did you mean `latchlift mfa disable NAME`?"),
        ("latchlift logout john", "did you mean `latchlift session revoke NAME`?"),
        ("latchlift reset password john", "did you mean `latchlift password reset NAME`?"),
        ("latchlift password john reset", "did you mean `latchlift password reset NAME`?"),
        ("latchlift list users", "did you mean `latchlift user list`?"),
        ("latchlift user john reset", "did you mean `latchlift password reset NAME`?"),
        ("latchlift user reset john", "did you mean `latchlift password reset NAME`?"),
        ("latchlift clear ban 192.0.2.1", "did you mean `latchlift ban clear ADDRESS`?"),
        ("latchlift disable mfa tina", "did you mean `latchlift mfa disable NAME`?"),
    ] {
        assert_eq!(explained(line).help.as_deref(), Some(help), "{line}");
    }
}

#[test]
fn a_flag_before_its_verb_is_said_to_stand_there() {
    for (line, flag) in [("latchlift --yes password reset admin", "--yes"), ("latchlift password -n reset admin", "-n")]
    {
        let error = explained(line);
        assert_eq!(error.message, format!("`{flag}` stands before the verb it belongs to"));
        assert_eq!(error.help.unwrap(), format!("put it behind: `latchlift password reset ... {flag}`"));
    }
}
