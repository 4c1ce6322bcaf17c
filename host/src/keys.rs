//! `key=value` arguments: whether a value is of the kind a plugin declares for its key, and the one form the plugin gets.

use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::Time;
use latchlift_plugin_api::facts::{ArgumentKey, Facts};
use std::collections::BTreeMap;

/// The keys a verb of an app takes.
pub fn of<'f>(facts: &'f Facts, verb: &'f str) -> impl Iterator<Item = &'f ArgumentKey> {
    facts.keys.iter().filter(move |key| key.verbs.iter().any(|taken| taken == verb))
}

/// The keys a verb must be given and was not.
pub fn missing<'f>(
    facts: &'f Facts,
    verb: &'f str,
    given: &BTreeMap<String, String>,
) -> impl Iterator<Item = &'f ArgumentKey> {
    of(facts, verb).filter(|key| key.required && !given.contains_key(&key.name))
}

/// The arguments in the form the plugin gets.
///
/// # Errors
/// [`Kind::Usage`] where a key is unknown, or its value is of another kind.
pub fn checked(
    facts: &Facts,
    verb: &str,
    given: &BTreeMap<String, String>,
    now: Time,
) -> Result<BTreeMap<String, String>> {
    let check = |(name, value): (&String, &String)| {
        let key = of(facts, verb).find(|key| key.name == *name).ok_or_else(|| unknown(facts, verb, name))?;
        let chosen = key.kind == "yes/no" || key.kind.contains('|');
        let form = if value.is_empty() && !chosen { Some(String::new()) } else { form(&key.kind, value, now) };
        let form = form.ok_or_else(|| {
            let message = format!("`{name}={value}` is not understood");
            Error::new(Kind::Usage, message).note("nothing was changed").help(format!("`{name}=` takes {}", takes(key)))
        })?;
        Ok((name.clone(), form))
    };
    given.iter().map(check).collect()
}

/// What a key takes, in words.
pub fn takes(key: &ArgumentKey) -> String {
    match key.kind.as_str() {
        "text" | "" => "any text".to_owned(),
        "yes/no" => "yes or no".to_owned(),
        "number" => "a whole number".to_owned(),
        "time" => "a date (2027-01-31), a time (2027-01-31T12:00:00Z), a span from now (90d, 12h), or never".to_owned(),
        "duration" => "a span (90d, 12h, 2w, 1y), or never".to_owned(),
        words => format!("one of: {}", words.replace('|', ", ")),
    }
}

fn unknown(facts: &Facts, verb: &str, name: &str) -> Error {
    let near = of(facts, verb).find(|key| strsim::damerau_levenshtein(&key.name, name) <= 2);
    let help = match (near, of(facts, verb).next()) {
        (Some(near), _) => format!("did you mean `{}=`?", near.name),
        (None, Some(_)) => {
            format!("it has {}", of(facts, verb).map(|key| format!("{}=", key.name)).collect::<Vec<_>>().join(", "))
        }
        (None, None) => format!("see what it has with `latchlift plugin show {}`", facts.app),
    };
    Error::new(Kind::Usage, format!("{} has no key `{name}` for this", facts.title))
        .note("nothing was changed")
        .help(help)
}

fn form(kind: &str, value: &str, now: Time) -> Option<String> {
    match kind {
        "text" | "" => Some(value.to_owned()),
        "yes/no" => yes_no(value).map(|yes| if yes { "yes" } else { "no" }.to_owned()),
        "number" => value.parse::<u64>().ok().map(|number| number.to_string()),
        "time" => time(value, now),
        "duration" if value.eq_ignore_ascii_case("never") => Some("never".to_owned()),
        "duration" => seconds(value).map(|seconds| seconds.to_string()),
        words => words.split('|').find(|word| word.eq_ignore_ascii_case(value)).map(str::to_owned),
    }
}

fn yes_no(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Some(true),
        "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn time(value: &str, now: Time) -> Option<String> {
    if value.eq_ignore_ascii_case("never") {
        return Some("never".to_owned());
    }
    let span = seconds(value).and_then(|span| i64::try_from(span).ok());
    let time = match span {
        Some(span) => Time::from_seconds(now.seconds().checked_add(span)?),
        None => Time::parse(value).or_else(|| Time::parse(&format!("{value} 00:00:00")))?,
    };
    Some(time.to_string())
}

/// A length of time as people write it, `90d`, `12h`, `30m`, `45s`, `2w`, `1y`, in seconds. A year has 365 days.
pub fn seconds(text: &str) -> Option<u64> {
    const DAY: u64 = 86_400;
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", DAY), ("w", 7 * DAY), ("y", 365 * DAY)];
    let (unit, length) = units.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_795_232_820_000);

    fn facts() -> Facts {
        let key = |name: &str, kind: &str, required| ArgumentKey {
            verbs: vec!["user.add".to_owned()],
            name: name.to_owned(),
            kind: kind.to_owned(),
            help: String::new(),
            required,
        };
        let keys = vec![
            key("email", "text", false),
            key("admin", "yes/no", false),
            key("role", "admin|user", true),
            key("expires", "time", false),
        ];
        Facts { app: "x".to_owned(), title: "X".to_owned(), keys, ..Facts::default() }
    }

    fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn check(key: &str, value: &str) -> Result<String> {
        checked(&facts(), "user.add", &given(&[(key, value)]), NOW).map(|keys| keys[key].clone())
    }

    #[test]
    fn values_reach_the_plugin_in_one_form() {
        assert_eq!(check("admin", "TRUE").unwrap(), "yes");
        assert_eq!(check("role", "Admin").unwrap(), "admin");
        assert_eq!(check("expires", "1d").unwrap(), "2026-11-22T03:47:00Z");
        assert_eq!(check("expires", "2027-01-31").unwrap(), "2027-01-31T00:00:00Z");
        assert_eq!(check("expires", "never").unwrap(), "never");
        assert_eq!(check("email", "").unwrap(), "");
    }

    #[test]
    fn what_is_not_of_the_kind_is_refused_with_what_is() {
        for (key, value) in [
            ("admin", "maybe"),
            ("admin", ""),
            ("role", ""),
            ("role", "owner"),
            ("expires", "soon"),
            ("expires", "99999999999999y"),
        ] {
            assert_eq!(check(key, value).unwrap_err().kind, Kind::Usage, "{key}={value}");
        }
        assert!(check("role", "owner").unwrap_err().help.unwrap().contains("admin, user"));
        assert_eq!(check("emial", "x").unwrap_err().help.unwrap(), "did you mean `email=`?");
    }

    #[test]
    fn a_required_key_is_missed_only_where_it_is_not_given() {
        let names = |given| missing(&facts(), "user.add", &given).map(|key| key.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(given(&[])), ["role"]);
        assert!(names(given(&[("role", "user")])).is_empty());
        assert_eq!(missing(&facts(), "user.set", &given(&[])).count(), 0);
    }

    #[test]
    fn spans_are_a_number_and_a_unit() {
        assert_eq!(seconds("90d"), Some(7_776_000));
        assert_eq!(seconds("12h"), Some(43_200));
        for text in ["", "d", "90", "-1d", "1.5h", "1x", "ä"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
