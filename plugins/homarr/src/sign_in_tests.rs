//! Who gets in, and why the others do not.

use crate::accounts::{Accounts, Person, Stored};
use crate::settings::Providers;
use crate::sign_in::Logins;
use crate::testing::{person, settings};
use latchlift_plugin_api::{Known, Target};

fn accounts(people: Vec<Person>) -> Accounts {
    Accounts { people, ..Accounts::default() }
}

fn codes(logins: &Logins<'_>, i: usize) -> Vec<(String, bool)> {
    logins.reasons(i).into_iter().map(|reason| (reason.code, reason.blocking)).collect()
}

#[test]
fn a_name_with_capitals_is_never_looked_for() {
    let accounts = accounts(vec![person("1", "John"), person("2", "jane"), person("3", "Jane")]);
    let logins = Logins::of(&accounts);
    assert_eq!(codes(&logins, 0), [("name_case".to_owned(), true)]);
    // Because of Jane and jane, mending all names is refused; John's alone is not.
    assert_eq!(logins.reasons(0)[0].fix, ["user", "fix-names", "John"]);
    assert!(logins.gets_in(1) && logins.reasons(1).is_empty());
    // Folding would take the name of the account that works.
    assert_eq!(codes(&logins, 2), [("name_case".to_owned(), true)]);
    assert_eq!(logins.reasons(2)[0].fix, ["user", "rename", "--id", "3", "jane2"]);
    assert_eq!((logins.pick("JOHN"), logins.pick("JANE"), logins.pick(" jane")), (None, Some(1), None));
}

#[test]
fn without_clashes_all_names_are_mended_at_once() {
    let mut oidc = person("0", "john");
    oidc.provider = "oidc".into();
    let accounts = accounts(vec![oidc, person("1", "John"), person("2", "jane")]);
    assert_eq!(Logins::of(&accounts).reasons(1)[0].fix, ["user", "fix-names"]);
}

#[test]
fn the_first_row_answers_and_shadows_the_others() {
    let mut oidc = person("0", "maria");
    oidc.provider = "oidc".into();
    let accounts = accounts(vec![oidc, person("1", "maria"), person("2", "maria")]);
    let logins = Logins::of(&accounts);
    assert_eq!(logins.pick("Maria"), Some(1));
    assert_eq!(codes(&logins, 1), [("duplicate".to_owned(), false)]);
    assert_eq!(codes(&logins, 2), [("shadowed".to_owned(), true)]);
    assert_eq!(logins.reasons(2)[0].fix, ["user", "rename", "--id", "2", "maria2"]);
    assert_eq!(logins.can_sign_in(0, &logins.reasons(0)), Known::Nothing);
    assert_eq!(logins.address(2), ["maria", "--id", "2"]);
    let target = Target { name: "maria".into(), ..Target::default() };
    let error = logins.find(&target).unwrap_err();
    let notes: Vec<&str> = error.candidates.iter().map(|candidate| candidate.note.as_str()).collect();
    assert_eq!(notes, ["signs in through OIDC", "can sign in", "cannot: shadowed"]);
    let target = Target { provider: Some("oidc".into()), ..target };
    assert_eq!(logins.find(&target).unwrap(), 0);
}

#[test]
fn mysql_lets_the_collation_decide() {
    let with_key = |id: &str, name: &str, key: &str| Person { same: Some(key.as_bytes().into()), ..person(id, name) };
    let mut accounts = accounts(vec![
        with_key("1", "Jane", "JANE"),
        with_key("2", "jane", "JANE"),
        with_key("3", "José", "JOSE"),
        with_key("4", "jose", "JOSE"),
    ]);
    accounts.folds_case = true;
    let logins = Logins::of(&accounts);
    assert_eq!((logins.pick("jane"), logins.pick("JOSE")), (Some(0), Some(2)));
    assert!(logins.gets_in(0) && !logins.gets_in(1) && logins.gets_in(2) && !logins.gets_in(3));
    accounts.folds_case = false;
    accounts.people.iter_mut().for_each(|person| person.same = Some(person.name().as_bytes().into()));
    let logins = Logins::of(&accounts);
    assert_eq!((logins.pick("Jane"), logins.pick("josé")), (Some(1), None));
    assert!(!logins.gets_in(0) && logins.gets_in(1));
}

#[test]
fn passwords_and_names_that_cannot_work_are_told() {
    let without = |stored| Person { stored, ..person("x", "bob") };
    let nameless = Person { name: None, ..person("n", "") };
    let accounts = accounts(vec![without(Stored::Missing), person("s", " sue"), nameless, person("e", "")]);
    let logins = Logins::of(&accounts);
    assert_eq!(codes(&logins, 0), [("no_password".to_owned(), true)]);
    assert_eq!(logins.reasons(0)[0].fix, ["password", "reset", "bob"]);
    assert!(codes(&logins, 1) == [("name_invalid".to_owned(), false)] && logins.pick(" SUE") == Some(1));
    assert_eq!(codes(&logins, 2), [("name_invalid".to_owned(), true)]);
    assert_eq!(codes(&logins, 3), [("name_invalid".to_owned(), true)]);
    assert_eq!(logins.pick(""), None);
    assert_eq!(logins.address(2), ["--id", "n"]);
}

#[test]
fn a_hash_that_takes_for_ever_is_as_good_as_none() {
    let of_cost = |cost| {
        let accounts = accounts(vec![Person { stored: Stored::Bcrypt(cost), ..person("x", "bob") }]);
        let logins = Logins::of(&accounts);
        (codes(&logins, 0), logins.reasons(0).first().map(|reason| reason.fix.join(" ")))
    };
    let mend = || Some("password reset bob".to_owned());
    assert_eq!(of_cost(16), (vec![], None));
    assert_eq!(of_cost(17), (vec![("hash_slow".to_owned(), false)], mend()));
    assert_eq!(of_cost(31), (vec![("hash_slow".to_owned(), true)], mend()));
}

#[test]
fn switched_off_providers_keep_everybody_out() {
    let mut ldap = person("2", "carol");
    ldap.provider = "ldap".into();
    let mut accounts = accounts(vec![person("1", "john"), ldap]);
    accounts.providers = Providers::of(&settings(&[("AUTH_PROVIDERS", "oidc")]));
    let logins = Logins::of(&accounts);
    assert_eq!(codes(&logins, 0), [("provider_disabled".to_owned(), true)]);
    assert_eq!(logins.can_sign_in(1, &logins.reasons(1)), Known::Is(false));
}

#[test]
fn commands_survive_names_that_a_shell_would_take_apart() {
    let accounts =
        accounts(vec![person("1", "Ann Lee"), person("2", "--Yes"), person("3", "a`b"), person("4", "o'neil")]);
    let logins = Logins::of(&accounts);
    let typed: Vec<String> = (0..4).map(|i| crate::sign_in::typed(&logins.address(i))).collect();
    assert_eq!(typed, ["'Ann Lee'", "--id 2", "--id 3", r"'o'\''neil'"]);
}

#[test]
fn an_account_of_no_known_provider_is_told_so_and_can_be_converted() {
    let mut stray = person("1", "alice");
    stray.provider = "".into();
    let mut accounts = accounts(vec![stray]);
    accounts.providers = Providers::of(&settings(&[("AUTH_PROVIDERS", "credentials")]));
    let logins = Logins::of(&accounts);
    let reasons = logins.reasons(0);
    assert_eq!(codes(&logins, 0), [("provider".to_owned(), false)]);
    assert!(reasons[0].message.contains("none of Homarr's"), "{}", reasons[0].message);
    assert_eq!(reasons[0].fix, ["password", "reset", "alice", "--convert"]);
    assert_eq!(logins.candidates(&[0])[0].note, "signs in through an unknown provider");
}
