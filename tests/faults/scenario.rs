//! The verbs, and what must hold after a fault in them.

use crate::home;
use latchlift_tests::Result;
use latchlift_tests::apps::{Role, Story, Target};
use latchlift_tests::bench::{Bench, Outcome, Run, Snapshot, listed};
use latchlift_tests::dump::Difference;
use std::path::{Path, PathBuf};

const NEW: &str = "New-horse#2026";
/// More steps than any verb has; a verb that needs more never gets through.
const MOST: usize = 100;

/// A verb on a story.
pub struct Scenario {
    pub id: &'static str,
    pub app: &'static str,
    pub version: &'static str,
    story: Story,
    words: &'static str,
    /// Whether it is written, by looking at the app.
    written: fn(&Bench) -> bool,
    /// Whether it is refused once it is written: there is nobody of the name any more, or somebody already.
    once: bool,
}

const fn scenario(id: &'static str, app: &'static str, version: &'static str, words: &'static str) -> Scenario {
    Scenario { id, app, version, story: Story::Usual, words, written: |t| t.signs_in("bob", NEW), once: false }
}

const RESET: &str = "password reset bob --password-stdin";
const RECREATE: &str = "admin recreate rescue --password-stdin";

pub const SCENARIOS: &[Scenario] = &[
    scenario("password-reset", "homarr", "1.74.0", RESET),
    scenario("admin-recreate", "homarr", "1.74.0", RECREATE).without_admin(),
    scenario("password-reset", "photoprism", "250707", RESET),
    scenario("password-reset", "home-assistant", "2026.11", RESET),
    scenario("admin-recreate", "home-assistant", "2026.11", RECREATE).without_admin(),
    scenario("user-fix-names", "home-assistant", "2024.3", "user fix-names").until(home::names_are_mended),
    scenario("user-fix-names", "home-assistant", "2026.11", "user fix-names").until(home::names_are_mended),
    scenario("user-add", "home-assistant", "2026.11", "user add zoe person=yes --password-stdin")
        .until(|t| t.signs_in("zoe", NEW))
        .once(),
    scenario("user-rename", "home-assistant", "2026.11", "user rename bob robert").until(home::is_robert).once(),
    scenario("user-rename", "home-assistant", "2024.3", "user rename bob robert").until(home::is_robert).once(),
    scenario("user-remove", "home-assistant", "2026.11", "user remove bob")
        .until(|t| home::records_of_bob(t) == 0)
        .once(),
    scenario("password-remove", "home-assistant", "2026.11", "password remove bob")
        .until(home::is_without_password)
        .once(),
    scenario("onboarding-restart", "home-assistant", "2026.11", "onboarding restart").until(home::is_as_new),
    scenario("mfa-disable", "home-assistant", "2026.11", "mfa disable tina").until(|t| mfa(t) == 0),
];

impl Scenario {
    const fn without_admin(self) -> Scenario {
        Scenario { story: Story::NoAdmin, written: |t| t.signs_in("rescue", NEW), ..self }
    }

    const fn once(self) -> Scenario {
        Scenario { once: true, ..self }
    }

    const fn until(self, written: fn(&Bench) -> bool) -> Scenario {
        Scenario { written, ..self }
    }

    fn verb(&self, t: &Bench) -> Run {
        t.latchlift(&format!("{} --yes", self.words)).stdin(NEW)
    }
}

fn mfa(t: &Bench) -> usize {
    t.app.count(&t.snapshot().dump, t.person("tina"), Role::Mfa)
}

/// How a fault shows, and how it is settled.
#[derive(Clone, Copy, Debug)]
struct Way {
    what: &'static str,
    resumed: bool,
}

const WAYS: [Way; 4] = [
    Way { what: "kill", resumed: true },
    Way { what: "kill", resumed: false },
    Way { what: "fail", resumed: true },
    Way { what: "fail", resumed: false },
];

const KILLED: i32 = 128 + 9;

/// Tries every point of a verb in every way. The first way kills, which tells whether there is such a point.
fn every_point(mut attempt: impl FnMut(usize, Way) -> Result<i32>) -> Result<()> {
    for n in 1..=MOST {
        for way in WAYS {
            let place = Place(format!("point {n}, {way:?}"));
            let code = attempt(n, way).map_err(|why| format!("{}: {why}", place.0))?;
            if way.what == "kill" && code != KILLED {
                assert!(n > 3, "there are only {} points", n - 1);
                println!("  {} points", n - 1);
                return Ok(());
            }
        }
    }
    Err(format!("the verb does not get through after {MOST} points").into())
}

/// Says where a test was when it failed.
struct Place(String);

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("  failed at {}", self.0);
        }
    }
}

/// Faults in the verb.
pub fn faults_while_writing(scenario: &Scenario, target: &Target) -> Result<()> {
    every_point(|n, way| {
        let attempt = Attempt::new(scenario, target, n, way)?;
        let outcome = attempt.faulty(scenario.verb(&attempt.bench));
        if outcome.code != KILLED && way.what == "kill" {
            return Ok(outcome.code);
        }
        attempt.is_safe(&outcome, &attempt.before);
        match way.resumed {
            true => attempt.resume(&outcome),
            false => attempt.run_again(),
        }
        attempt.all_taken_back();
        Ok(outcome.code)
    })
}

/// Faults while the verb is taken back.
pub fn faults_while_taking_back(scenario: &Scenario, target: &Target) -> Result<()> {
    every_point(|n, way| {
        let attempt = Attempt::new(scenario, target, n, way)?;
        attempt.works(scenario.verb(&attempt.bench));
        let written = attempt.bench.snapshot();
        let outcome = attempt.faulty(attempt.bench.latchlift("undo --yes"));
        if outcome.code != KILLED && way.what == "kill" {
            return Ok(outcome.code);
        }
        attempt.is_safe(&outcome, &written);
        match way.resumed {
            true => attempt.resume_undo(),
            false => attempt.undo_again(),
        }
        attempt.all_taken_back();
        Ok(outcome.code)
    })
}

/// One fault on one fresh store.
struct Attempt<'a> {
    scenario: &'a Scenario,
    bench: Bench,
    before: Snapshot,
    fault: String,
}

impl Attempt<'_> {
    fn new<'a>(scenario: &'a Scenario, target: &Target, n: usize, way: Way) -> Result<Attempt<'a>> {
        let bench = Bench::new(target, scenario.story)?;
        let before = bench.snapshot();
        Ok(Attempt { scenario, before, fault: format!("{n}:{}", way.what), bench })
    }

    fn faulty(&self, run: Run) -> Outcome {
        run.variable("LATCHLIFT_FAULT", &self.fault).outcome()
    }

    /// Runs something that must be done afterwards. Whether the person can sign in is not the question here.
    fn works(&self, run: Run) -> Outcome {
        let outcome = run.outcome();
        assert!(matches!(outcome.code, 0 | 10), "exit {} instead of 0\n{outcome}", outcome.code);
        outcome
    }

    /// The store is as it was, or fully written, or the journal knows of something unfinished; whole in any case.
    fn is_safe(&self, outcome: &Outcome, as_it_was: &Snapshot) {
        self.is_whole();
        let changes = self.changes(as_it_was);
        let untouched = changes.is_empty();
        let unfinished = self.unfinished();
        match outcome.code {
            0 | 10 => {}
            1..=8 => assert!(untouched, "exit {} but:\n{}{outcome}", outcome.code, listed(&changes)),
            9 => {
                assert!(unfinished.is_some(), "nothing is unfinished\n{outcome}");
                assert!(outcome.stderr.contains("latchlift resume"), "no way on is named\n{outcome}");
            }
            KILLED => assert!(
                untouched || unfinished.is_some() || self.newest_state() == Some("done".to_owned()),
                "changed, and the journal knows of nothing:\n{}",
                listed(&changes)
            ),
            code => panic!("exit {code}\n{outcome}"),
        }
    }

    /// Databases are consistent, documents parse, nobody is let in by what is half done.
    fn is_whole(&self) {
        for file in files_below(self.bench.directory()) {
            if file.extension().is_some_and(|ending| ending == "sqlite" || ending == "db") {
                let check = latchlift_tests::db::Database::sqlite(file.clone()).value("PRAGMA integrity_check");
                assert_eq!(check.unwrap().as_deref(), Some("ok"), "{}", file.display());
            }
        }
        if self.scenario.app == "home-assistant" {
            home::no_door_is_open(&self.before, &self.bench.snapshot());
        }
    }

    /// `resume` finishes what is unfinished, and has nothing to do otherwise.
    fn resume(&self, outcome: &Outcome) {
        let unfinished = self.unfinished();
        let resumed = self.bench.bare_with_password("resume --yes");
        match unfinished {
            None => drop(resumed.fails(3)),
            Some(_) => {
                self.works(resumed);
                assert_eq!(self.unfinished(), None, "still unfinished\n{outcome}");
                assert!((self.scenario.written)(&self.bench), "finished, but not written\n{outcome}");
            }
        }
        self.is_whole();
    }

    /// An interrupted undo is finished, one that did not begin is begun again.
    fn resume_undo(&self) {
        if self.unfinished().is_some() {
            self.works(self.bench.bare_with_password("resume --yes"));
            assert_eq!(self.unfinished(), None, "still unfinished");
        }
        self.is_whole();
    }

    /// The same command again is what people type: it goes on, is done already, or says what is unfinished. Then the verb
    /// works.
    fn undo_again(&self) {
        let again = self.bench.bare_with_password("undo --yes").outcome();
        assert!(matches!(again.code, 0 | 3 | 9), "taking back cannot be finished\n{again}");
        self.run_again();
    }

    /// The next writing command settles what is unfinished or says how to; then the verb works.
    fn run_again(&self) {
        let mut again = self.scenario.verb(&self.bench).outcome();
        if again.code == 9 {
            let (id, _) = self.unfinished().unwrap_or_else(|| panic!("nothing is unfinished\n{again}"));
            // Each way on that is named must be one.
            let offered = |verb: &str| again.stderr.contains(&format!("latchlift {verb} {id}"));
            let verb = if offered("undo") { "undo" } else { "resume" };
            assert!(offered(verb), "no way on is named\n{again}");
            self.works(self.bench.bare_with_password(&format!("{verb} {id} --yes")));
            again = self.scenario.verb(&self.bench).outcome();
        }
        // There is an administrator already where the first attempt turns out to have been written.
        let refused = again.code == 4 && self.scenario.words.starts_with("admin recreate");
        let refused = refused || self.scenario.once && matches!(again.code, 3 | 5);
        assert!(matches!(again.code, 0 | 10) || refused, "the verb does not work any more\n{again}");
        assert!((self.scenario.written)(&self.bench), "not written\n{again}");
        assert_eq!(self.unfinished(), None, "still unfinished\n{again}");
        self.is_whole();
    }

    /// Takes back whatever there is to take back: then all is as before, but for sign-ins that ended.
    fn all_taken_back(&self) {
        for _ in 0..4 {
            let outcome = self.bench.bare_with_password("undo --yes").outcome();
            if outcome.code == 3 {
                break;
            }
            assert_eq!(outcome.code, 0, "{outcome}");
        }
        let left: Vec<Difference> =
            self.changes(&self.before).into_iter().filter(|change| !self.may_stay(change)).collect();
        assert!(left.is_empty(), "taking all back left:\n{}", listed(&left));
        let documents = self.bench.snapshot().documents;
        let is_new = |path: &&String| !self.before.documents.contains_key(*path) && !path.contains(".latchlift-");
        let new: Vec<&String> = documents.keys().filter(is_new).collect();
        assert!(new.is_empty(), "taking all back left files that were not there: {new:?}");
        if !self.fault.ends_with("kill") {
            return;
        }
        // A verb that gets through removes what killed runs have left.
        self.works(self.scenario.verb(&self.bench));
        let litter: Vec<PathBuf> =
            files_below(self.bench.directory()).into_iter().filter(|file| is_litter(file)).collect();
        assert!(litter.is_empty(), "left behind: {litter:?}");
    }

    fn may_stay(&self, change: &Difference) -> bool {
        let app = &self.bench.app;
        let ended = change.is_gone() && matches!(app.role(change), Role::Session | Role::Token);
        ended || change.only(app.volatile(&change.collection))
    }

    /// What changed in the store; the unfinished files of a killed run are no part of it.
    fn changes(&self, since: &Snapshot) -> Vec<Difference> {
        let changes = self.bench.changes_since(since).into_iter();
        changes.filter(|change| !change.to_string().contains(".latchlift-")).collect()
    }

    /// The unfinished entry's id and words, if there is one.
    fn unfinished(&self) -> Option<(String, String)> {
        let entries = self.bench.bare("history list --json").succeeds().at("/entries");
        let found = entries.as_array()?.iter().find(|entry| entry["state"] == "unfinished")?;
        Some((found["entry"].as_str()?.to_owned(), found["summary"].as_str()?.to_owned()))
    }

    fn newest_state(&self) -> Option<String> {
        let entries = self.bench.bare("history list --json").succeeds().at("/entries");
        Some(entries.as_array()?.first()?["state"].as_str()?.to_owned())
    }
}

/// `undo` and `resume` find the store in the journal; only the password of a server has to be given again.
trait Journalled {
    fn bare_with_password(&self, words: &str) -> Run;
}

impl Journalled for Bench {
    fn bare_with_password(&self, words: &str) -> Run {
        match self.app.store_password() {
            None => self.bare(words),
            Some(_) => self
                .bare(words)
                .option("--store-password-file", self.directory().join("store-password").display().to_string()),
        }
    }
}

fn is_litter(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".latchlift-"))
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
