//! Runs cases that are made at run time: one per app, version and store, which the standard harness cannot.
//!
//! It understands what `cargo test` and a CI matrix pass: names to filter by, `--exact`, `--skip`, `--list`, `--format json`,
//! `--test-threads`.

use crate::{Error, Result};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// One case, ready to run.
pub struct Trial {
    /// Its stable id.
    pub id: String,
    /// What CI may choose by: names and values, printed by `--list --format json`.
    pub facts: Vec<(&'static str, String)>,
    /// The case itself. A panic is a failure as much as an error is.
    pub run: Box<dyn Fn() -> Result<()> + Send + Sync>,
}

/// What a case answers that found nothing in the store to be about. It is told and counted apart: it has not passed.
#[derive(Debug)]
pub struct LeftOut(pub String);

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "left out: {}", self.0)
    }
}

impl std::error::Error for LeftOut {}

/// What the command line asks for.
struct Options {
    filters: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    list: bool,
    json: bool,
    threads: usize,
}

/// Runs the trials the command line asks for. Gives the process's exit code.
pub fn main(trials: Vec<Trial>) -> i32 {
    let options = options();
    let chosen = |trial: &Trial| {
        let hit =
            |filter: &String| if options.exact { trial.id == *filter } else { trial.id.contains(filter.as_str()) };
        let skipped = options.skip.iter().any(|word| trial.id.contains(word.as_str()));
        !skipped && (options.filters.is_empty() || options.filters.iter().any(hit))
    };
    let all = trials.len();
    let trials: Vec<Trial> = trials.into_iter().filter(chosen).collect();
    if options.list {
        list(&trials, options.json);
        return 0;
    }
    let began = Instant::now();
    println!("running {} cases", trials.len());
    let (left_out, failures): (Vec<_>, Vec<_>) =
        run_all(&trials, options.threads).into_iter().partition(|(_, why)| why.is::<LeftOut>());
    for (id, why) in &failures {
        println!("\n---- {id}\n{why}");
    }
    let (failed, left_out, filtered) = (failures.len(), left_out.len(), all - trials.len());
    let word = if failed == 0 { "ok" } else { "FAILED" };
    let passed = trials.len() - failed - left_out;
    let counts = format!("{passed} passed; {failed} failed; {left_out} left out; {filtered} filtered out");
    println!("\nresult: {word}. {counts}; {:.1?}", began.elapsed());
    failures.iter().for_each(|(id, _)| println!("  failed: {id}"));
    if failed == 0 { 0 } else { 101 }
}

fn options() -> Options {
    let threads = std::env::var("RUST_TEST_THREADS").ok().and_then(|count| count.parse().ok()).unwrap_or(2);
    let mut options = Options { filters: vec![], skip: vec![], exact: false, list: false, json: false, threads };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
        let mut value = || if value.is_empty() { arguments.next().unwrap_or_default() } else { value.to_owned() };
        match name {
            "--list" => options.list = true,
            "--exact" => options.exact = true,
            "--format" => options.json = value() == "json",
            "--test-threads" => options.threads = value().parse().unwrap_or(2),
            "--skip" => options.skip.push(value()),
            "--color" | "-Z" => drop(value()),
            name if name.starts_with('-') => {}
            name => options.filters.push(name.to_owned()),
        }
    }
    options
}

fn list(trials: &[Trial], json: bool) {
    if !json {
        trials.iter().for_each(|trial| println!("{}: test", trial.id));
        return;
    }
    let entries: Vec<serde_json::Value> = trials
        .iter()
        .map(|trial| {
            let facts = trial.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into()));
            let mut entry: serde_json::Map<String, serde_json::Value> = facts.collect();
            entry.insert("id".to_owned(), trial.id.clone().into());
            entry.into()
        })
        .collect();
    println!("{}", serde_json::Value::from(entries));
}

fn run_all(trials: &[Trial], threads: usize) -> Vec<(String, Error)> {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}: ", place.file(), place.line())).unwrap_or_default();
        let said = panic.payload_as_str().unwrap_or("panicked");
        SAID.with_borrow_mut(|words| *words = format!("{place}{said}"));
    }));
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let result = run(trial);
                    report(trial, &result, began.elapsed());
                    if let (Err(why), Ok(mut failures)) = (result, failures.lock()) {
                        failures.push((trial.id.clone(), why));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap_or_default();
    failures.sort_by(|a, b| a.0.cmp(&b.0));
    failures
}

thread_local! {
    /// What the newest panic of this thread said.
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

fn run(trial: &Trial) -> Result<()> {
    catch_unwind(AssertUnwindSafe(|| (trial.run)())).unwrap_or_else(|_| Err(Error::from(SAID.take())))
}

fn report(trial: &Trial, result: &Result<()>, took: Duration) {
    let word = match result {
        Ok(()) => "ok".to_owned(),
        Err(why) => why.downcast_ref::<LeftOut>().map_or("FAILED".to_owned(), ToString::to_string),
    };
    println!("test {} ... {word} ({:.2?})", trial.id, took);
}
