//! What latchlift does to a Home Assistant, and what that Home Assistant then says.

mod doors;
mod names;
mod passwords;
mod people;
mod tokens;

use crate::home::Home;
use latchlift_tests::Result;

/// One thing that happens.
pub struct Scenario {
    /// Its stable name.
    pub id: &'static str,
    /// Who must be there.
    pub needs: &'static [&'static str],
    /// Lets it happen, or panics.
    pub run: fn(&Home) -> Result<()>,
}

const fn scenario(id: &'static str, needs: &'static [&'static str], run: fn(&Home) -> Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    let parts = [passwords::SCENARIOS, people::SCENARIOS, names::SCENARIOS, tokens::SCENARIOS, doors::SCENARIOS];
    parts.into_iter().flatten()
}
