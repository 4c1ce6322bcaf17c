//! Fifty plugins of other apps are installed; a command that uses one does not notice.

use crate::support::{Place, library_name, set_mode};
use std::fs;
use std::time::{Duration, Instant};

/// What fifty plugins may add. They add well below a millisecond; the rest is for a busy machine.
const ALLOWED: Duration = Duration::from_millis(5);
const RUNS: usize = 20;

#[test]
fn fifty_installed_plugins_add_next_to_nothing_to_a_command_that_uses_one() {
    let (few, many) = (Place::with(&["guestbook"]), Place::with(&["guestbook"]));
    few.install_sidecar("guestbook");
    let sidecar = many.install_sidecar("guestbook");
    let facts = fs::read_to_string(sidecar).unwrap();
    for number in 0..50 {
        let app = format!("app{number}");
        let library = many.plugins().join(library_name(&app));
        fs::hard_link(many.library("guestbook"), &library).unwrap();
        fs::write(library.with_extension("toml"), facts.replace("guestbook", &app)).unwrap();
        set_mode(&library.with_extension("toml"), 0o644);
    }
    assert_eq!(many.latchlift("plugin list --json").succeeds().each("plugins", "app").len(), 51);
    // Turn by turn, so that what else the machine does falls on both alike.
    let mut times: [Vec<Duration>; 2] = Default::default();
    for _ in 0..RUNS {
        for (place, times) in [&few, &many].into_iter().zip(&mut times) {
            let began = Instant::now();
            place.on("guestbook", "user list").succeeds();
            times.push(began.elapsed());
        }
    }
    // What else the machine does makes medians wander; it cannot make the fastest run faster.
    let [alone, among] = times.map(|times| times.into_iter().min().unwrap_or_default());
    println!("fastest of {RUNS}: {alone:?} alone, {among:?} among fifty");
    assert!(among < alone + ALLOWED, "{alone:?} alone, {among:?} among fifty");
}
