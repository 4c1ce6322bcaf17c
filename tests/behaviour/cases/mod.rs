//! The cases, by what they are about.

mod accounts_changed;
mod admins;
mod apps;
mod bans;
mod clients;
mod invites;
mod logins;
mod mfa;
mod names;
mod onboarding;
mod password_checks;
mod password_removal;
mod password_resets;
mod refusals;
mod restored;
mod sessions;
mod tokens;
mod users;

use latchlift_tests::Result;
use latchlift_tests::apps::Story;
use latchlift_tests::bench::Bench;

/// One promise.
pub struct Case {
    /// Its stable name.
    pub id: &'static str,
    /// The verbs it is about. It runs where all of them do something.
    pub verbs: &'static [&'static str],
    /// Who must be in the story.
    pub needs: &'static [&'static str],
    /// Who must not.
    pub without: &'static [&'static str],
    /// The kinds of store it is about; all where none is named.
    pub stores: &'static [&'static str],
    /// The story it is told in.
    pub story: Story,
    /// Whether it is about layouts latchlift knows.
    pub known: bool,
    /// Keeps the promise, or panics.
    pub run: fn(&Bench) -> Result<()>,
}

/// A case of the usual story.
const fn case(id: &'static str, verbs: &'static [&'static str], run: fn(&Bench) -> Result<()>) -> Case {
    Case { id, verbs, needs: &[], without: &[], stores: &[], story: Story::Usual, known: true, run }
}

impl Case {
    const fn needs(mut self, people: &'static [&'static str]) -> Case {
        self.needs = people;
        self
    }

    const fn without(mut self, people: &'static [&'static str]) -> Case {
        self.without = people;
        self
    }

    const fn stores(mut self, kinds: &'static [&'static str]) -> Case {
        self.stores = kinds;
        self
    }

    const fn told(mut self, story: Story) -> Case {
        self.story = story;
        self
    }

    const fn unknown_layout(mut self) -> Case {
        self.known = false;
        self
    }
}

/// All of them.
pub fn all() -> Vec<Case> {
    let parts = [
        users::CASES,
        accounts_changed::CASES,
        password_resets::CASES,
        password_checks::CASES,
        password_removal::CASES,
        sessions::CASES,
        tokens::CASES,
        clients::CASES,
        logins::CASES,
        restored::CASES,
        admins::CASES,
        names::CASES,
        mfa::CASES,
        invites::CASES,
        bans::CASES,
        onboarding::CASES,
        apps::CASES,
        refusals::CASES,
    ];
    parts.into_iter().flatten().map(|case| Case { ..*case }).collect()
}
