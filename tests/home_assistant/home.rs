//! A config directory with people in it, latchlift to change it, and Home Assistant to ask.

use crate::directory::{Directory, Token};
use latchlift_tests::Result;
use latchlift_tests::apps::{Person, Story, Target};
use latchlift_tests::bench::{Bench, Outcome, Run};
use latchlift_tests::home_assistant_server::{Server, SignIn, Stopped, Tokens, User, code};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A new password.
pub const NEW: &str = "New-horse#2026";

/// The stage of a scenario.
pub struct Home {
    /// The directory and latchlift.
    pub bench: Bench,
    /// The directory's files.
    pub directory: Directory,
    /// What everybody held before anything changed, by who they are.
    held: BTreeMap<&'static str, Held>,
}

/// What somebody holds.
struct Held {
    sessions: Vec<Token>,
    long_lived: Vec<Token>,
    totp: Option<String>,
}

impl Home {
    /// The usual people in a directory of this kind.
    pub fn new(target: &Target) -> Result<Home> {
        let bench = Bench::new(target, Story::Usual)?;
        let location = bench.app.location()?;
        let path = location.split_once(':').ok_or("an app without a directory")?.1;
        let directory = Directory(path.into());
        directory.is_in_use()?;
        let mut held = BTreeMap::new();
        for person in bench.app.people() {
            let sessions = directory.tokens(&person.id, "normal")?;
            let long_lived = directory.tokens(&person.id, "long_lived_access_token")?;
            held.insert(person.who, Held { sessions, long_lived, totp: directory.totp_secret(&person.id)? });
        }
        Ok(Home { bench, directory, held })
    }

    /// Somebody of the story.
    #[track_caller]
    pub fn person(&self, who: &str) -> &Person {
        self.bench.person(who)
    }

    /// Their password.
    #[track_caller]
    pub fn password(&self, who: &str) -> &str {
        self.person(who).password.as_deref().unwrap_or_else(|| panic!("{who} has no password"))
    }

    /// The people who can sign in: with a password, and active.
    pub fn able(&self) -> impl Iterator<Item = &Person> {
        self.bench.app.people().iter().filter(|person| person.password.is_some() && person.who != "dora")
    }

    /// A change: `t.latchlift("admin grant", "bob")`.
    #[track_caller]
    pub fn latchlift(&self, words: &str, who: &str) -> Outcome {
        self.on(words, &self.person(who).name).succeeds()
    }

    /// A new password, `NEW`, for somebody.
    #[track_caller]
    pub fn reset(&self, who: &str, words: &str) -> Outcome {
        let run = self.on(&format!("password reset --password-stdin {words}"), &self.person(who).name);
        run.stdin(NEW).succeeds()
    }

    /// The program on a name of this directory.
    pub fn on(&self, words: &str, name: &str) -> Run {
        self.bench.latchlift(words).words("--yes").arg(name)
    }

    /// Starts Home Assistant on the directory as it is now, asks, and stops it. What fails comes with its log.
    pub fn started(&self, ask: impl FnOnce(&Running<'_>) -> Result<()>) -> Result<Stopped> {
        let running = Running { home: self, server: Server::start(&self.directory.0)? };
        match catch_unwind(AssertUnwindSafe(|| ask(&running))) {
            Ok(Ok(())) => running.server.stop(),
            Ok(Err(why)) => Err(why),
            Err(panic) => {
                let what = format!("\n{}: asked when this was so:", self.bench.target.id());
                eprintln!("{}", running.server.explained(what.into()));
                resume_unwind(panic)
            }
        }
    }
}

/// Home Assistant, started.
pub struct Running<'a> {
    home: &'a Home,
    /// To ask what is not asked often.
    pub server: Server,
}

impl Running<'_> {
    /// Fails unless name and password get in, without a second factor, and what they get is good. Gives whom as.
    #[track_caller]
    pub fn signs_in(&self, name: &str, password: &str) -> User {
        self.signs_in_with_code(name, password, None)
    }

    /// The same with a code.
    #[track_caller]
    pub fn signs_in_with_code(&self, name: &str, password: &str, code: Option<&str>) -> User {
        match answered(self.server.log_in(name, password, code)) {
            SignIn::In(tokens) => self.holder(name, &tokens),
            other => panic!("{name} does not get in: {other:?}"),
        }
    }

    #[track_caller]
    fn holder(&self, name: &str, tokens: &Tokens) -> User {
        assert!(answered(self.server.lets_in(&tokens.access)), "{name} has signed in, and the API stays shut");
        let user = answered(self.server.user(&tokens.access));
        user.unwrap_or_else(|| panic!("{name} has signed in, and is nobody"))
    }

    /// Fails unless name and password are refused as wrong.
    #[track_caller]
    pub fn refuses(&self, name: &str, password: &str) {
        self.refuses_because(name, password, "invalid_auth");
    }

    /// Fails unless name and password are refused with these words.
    #[track_caller]
    pub fn refuses_because(&self, name: &str, password: &str, why: &str) {
        let answer = answered(self.server.log_in(name, password, None));
        assert!(matches!(&answer, SignIn::Refused(words) if words.contains(why)), "{name}: {answer:?}");
    }

    /// Fails unless somebody signs in as they always did, and is who they were.
    #[track_caller]
    pub fn still_signs_in(&self, who: &str) -> User {
        let person = self.home.person(who);
        let code = self.home.held[who].totp.as_deref().map(|secret| answered(code(secret)));
        let user = self.signs_in_with_code(&person.name, self.home.password(who), code.as_deref());
        assert_eq!(user.id, person.id, "{who} is somebody else");
        user
    }

    /// Fails unless name and password are good and a code is asked for; a wrong one is refused and the right one is not.
    #[track_caller]
    pub fn asks_for_a_code(&self, who: &str, password: &str) {
        self.asks_for_a_code_from(who, &self.home.person(who).name, password);
    }

    /// The same where somebody has another name by now.
    #[track_caller]
    pub fn asks_for_a_code_from(&self, who: &str, name: &str, password: &str) {
        let secret = self.home.held[who].totp.as_deref().unwrap();
        assert_eq!(answered(self.server.log_in(name, password, None)), SignIn::AsksForCode, "{who}");
        let right = answered(code(secret));
        let wrong = if right == "000000" { "111111" } else { "000000" };
        let refused = SignIn::Refused("invalid_code".to_owned());
        assert_eq!(answered(self.server.log_in(name, password, Some(wrong))), refused, "{who}");
        let user = self.signs_in_with_code(name, password, Some(&right));
        assert_eq!((&user.id, user.mfa), (&self.home.person(who).id, vec!["totp".to_owned()]), "{who}");
    }

    /// Fails unless the onboarding takes a first user. Gives whom it made.
    #[track_caller]
    pub fn makes_the_first_user(&self, name: &str, password: &str) -> User {
        match answered(self.server.make_first_user(name, password)) {
            SignIn::In(tokens) => self.holder(name, &tokens),
            other => panic!("{name} is made and does not get in: {other:?}"),
        }
    }

    /// Fails unless somebody was signed in somewhere and still is everywhere, or nowhere any more.
    #[track_caller]
    pub fn sessions(&self, who: &str, good: bool) {
        assert!(!self.home.held[who].sessions.is_empty(), "{who} was signed in nowhere to begin with");
        self.all_sessions(who, good);
    }

    #[track_caller]
    fn all_sessions(&self, who: &str, good: bool) {
        for session in &self.home.held[who].sessions {
            let access = answered(self.server.refresh(session.client(), session.secret()));
            assert_eq!(access.is_some(), good, "a refresh token of {who}");
            assert_eq!(answered(self.server.lets_in(&session.bearer)), good, "an access token of {who}");
        }
    }

    /// Fails unless somebody had long-lived tokens and all open the API, or none.
    #[track_caller]
    pub fn long_lived(&self, who: &str, good: bool) {
        assert!(!self.home.held[who].long_lived.is_empty(), "{who} had no long-lived tokens to begin with");
        self.all_long_lived(who, good);
    }

    #[track_caller]
    fn all_long_lived(&self, who: &str, good: bool) {
        for token in &self.home.held[who].long_lived {
            assert_eq!(answered(self.server.lets_in(&token.bearer)), good, "a long-lived token of {who}");
        }
    }

    /// Fails unless somebody is there, signed in, with all they had, as if nothing had happened.
    #[track_caller]
    pub fn is_as_ever(&self, who: &str) {
        self.all_sessions(who, true);
        self.all_long_lived(who, true);
        let user = self.still_signs_in(who);
        assert_eq!(user.admin, self.home.person(who).admin, "whether {who} administers");
    }
}

/// What was asked for; where there is no answer, the test ends with the reason.
#[track_caller]
fn answered<T>(answer: Result<T>) -> T {
    answer.unwrap_or_else(|why| panic!("{why}"))
}
