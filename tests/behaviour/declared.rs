//! What the plugins say they can do, as the program reports it, and that each such verb has a case.

use crate::cases::Case;
use latchlift_tests::Result;
use latchlift_tests::bench::Run;
use latchlift_tests::runner::Trial;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

/// The apps there are stories for.
pub const APPS: [&str; 3] = ["homarr", "photoprism", "home-assistant"];

/// How far each verb is supported, by `noun.verb`, which `key=value` arguments it takes, and which of them it needs.
#[derive(Clone, Default)]
pub struct Verbs {
    support: BTreeMap<String, String>,
    keys: BTreeMap<(String, String), bool>,
}

impl Verbs {
    /// Whether the verb does anything in this app.
    pub fn supports(&self, verb: &str) -> bool {
        self.support.get(verb).is_some_and(|support| support != "none")
    }

    /// Whether the verb takes this `key=`.
    pub fn takes(&self, verb: &str, key: &str) -> bool {
        self.keys.contains_key(&(verb.to_owned(), key.to_owned()))
    }

    /// Whether the verb does nothing without this `key=`.
    pub fn needs(&self, verb: &str, key: &str) -> bool {
        self.keys.get(&(verb.to_owned(), key.to_owned())).is_some_and(|needed| *needed)
    }

    /// The verbs that do nothing in this app.
    pub fn unsupported(&self) -> impl Iterator<Item = &str> {
        self.support.iter().filter(|(_, support)| *support == "none").map(|(verb, _)| verb.as_str())
    }
}

/// A `key=value` that an app takes for a verb, of the first key it declares for that.
///
/// # Errors
/// The program or the plugin is not built, or does not say.
pub fn argument(app: &str, verb: &str) -> Result<Option<String>> {
    let directory = tempfile::tempdir()?;
    let answer = Run::new("plugin show --json", directory.path()).arg(app).succeeds().json();
    let keys = answer.pointer("/plugin/key").and_then(|keys| keys.as_array()).cloned().unwrap_or_default();
    let takes = |key: &&serde_json::Value| key["verbs"].as_array().is_some_and(|verbs| verbs.iter().any(|v| v == verb));
    let argument = |key: &serde_json::Value| {
        let value = match key["kind"].as_str().unwrap_or_default() {
            "yes/no" => "yes",
            "number" => "1",
            "time" | "duration" => "30d",
            words if words.contains('|') => words.split('|').next().unwrap_or_default(),
            _ => "new",
        };
        format!("{}={value}", key["name"].as_str().unwrap_or_default())
    };
    Ok(keys.iter().find(takes).map(argument))
}

/// What an app's plugin declares.
///
/// # Errors
/// The program or the plugin is not built, or does not say.
pub fn verbs(app: &str) -> Result<Verbs> {
    static KNOWN: OnceLock<Mutex<BTreeMap<String, Verbs>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().map_err(|_| "a test died while asking")?;
    if let Some(verbs) = known.get(app) {
        return Ok(verbs.clone());
    }
    latchlift_tests::bench::built()?;
    let directory = tempfile::tempdir()?;
    let outcome = Run::new("plugin show --json", directory.path()).arg(app).outcome();
    if outcome.code != 0 {
        return Err(format!("the program does not know its plugin\n{outcome}").into());
    }
    let answer = outcome.json();
    let declared = answer.pointer("/plugin/verbs").and_then(|verbs| verbs.as_object());
    let declared = declared.ok_or_else(|| format!("`plugin show` lists no verbs\n{outcome}"))?;
    let support = |value: &serde_json::Value| {
        let word = value.get("support").unwrap_or(value).as_str();
        word.unwrap_or("none").to_owned()
    };
    let support = declared.iter().map(|(verb, value)| (verb.clone(), support(value))).collect();
    let verbs = Verbs { support, keys: keys(&answer) };
    known.insert(app.to_owned(), verbs.clone());
    Ok(verbs)
}

fn keys(answer: &serde_json::Value) -> BTreeMap<(String, String), bool> {
    let mut all = BTreeMap::new();
    for key in answer.pointer("/plugin/key").and_then(|keys| keys.as_array()).into_iter().flatten() {
        let name = key["name"].as_str().unwrap_or_default();
        let verbs = key["verbs"].as_array().into_iter().flatten().filter_map(|verb| verb.as_str());
        all.extend(verbs.map(|verb| ((verb.to_owned(), name.to_owned()), key["required"] == true)));
    }
    all
}

/// Per app: every verb that does something has a case.
pub fn trials(cases: &[Case]) -> Vec<Trial> {
    let covered: Vec<&'static str> = cases.iter().flat_map(|case| case.verbs.iter().copied()).collect();
    let chosen = APPS.into_iter().filter(|app| crate::among("LATCHLIFT_TEST_APP", &|name| name == *app));
    let trials = chosen.map(|app| {
        let covered = covered.clone();
        Trial {
            id: format!("{app}/every-declared-verb-has-a-case"),
            facts: vec![("app", app.to_owned()), ("case", "every-declared-verb-has-a-case".to_owned())],
            run: Box::new(move || {
                let verbs = verbs(app)?;
                let bare: Vec<&String> = verbs
                    .support
                    .keys()
                    .filter(|verb| verbs.supports(verb) && !covered.contains(&verb.as_str()))
                    .collect();
                if bare.is_empty() { Ok(()) } else { Err(format!("declared, but without a case: {bare:?}").into()) }
            }),
        }
    });
    trials.collect()
}
