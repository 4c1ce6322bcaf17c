//! `make demo`: the main job on three throw-away apps, with the real binary.
//!
//! Nothing here is staged: each command is run as shown, and the demo fails if one ends otherwise than it should.

use latchlift_tests::apps::{self, Story};
use latchlift_tests::{Result, bench};
use std::path::Path;
use std::process::{Command, Stdio};

/// The instance's name in the demo's configuration, its plugin, and the kind of store that needs no server.
const APPS: [(&str, &str, &str); 3] =
    [("homarr", "homarr", "sqlite"), ("photos", "photoprism", "sqlite"), ("home", "home-assistant", "json")];

fn main() -> Result<()> {
    bench::built()?;
    let place = tempfile::Builder::new().prefix("latchlift-demo-").tempdir()?;
    seed(place.path())?;
    let demo = Demo { place: place.path() };

    demo.say("Three apps, none of them running: a dashboard, a photo library, a smart home. Who can sign in?")?;
    demo.run("user list", "", 0)?;
    demo.say("John cannot get into the dashboard. Why not?")?;
    demo.run("user show john --app homarr", "", 0)?;
    demo.say("What would a reset change? A dry run shows the plan and writes nothing.")?;
    demo.run("password reset john --fix-name --app homarr --dry-run", "", 0)?;
    demo.say("Do it. The password comes from standard input here; at a terminal latchlift would ask for it.")?;
    demo.run("password reset john --fix-name --app homarr --password-stdin --yes", "correct horse 9", 0)?;
    demo.say("Would John get in now, as the app's own login decides it?")?;
    demo.run("password check john --app homarr --password-stdin", "correct horse 9", 0)?;
    demo.say("Take it back: the old name and the old password are there again, the ended sessions are not.")?;
    demo.run("undo --app homarr --yes", "", 0)?;
    demo.run("password check john --app homarr --password-stdin", "correct horse 9", 10)?;
    demo.say("The same verbs on the photo library and the smart home.")?;
    demo.run("password reset admin --app photos --password-stdin --yes", "correct horse 9", 0)?;
    demo.run("password check admin --app photos --password-stdin", "correct horse 9", 0)?;
    demo.run("mfa status --app photos --app home", "", 0)?;
    demo.run("password reset admin --app home --password-stdin --yes", "correct horse 9", 0)?;
    demo.run("undo --app home --yes", "", 0)?;
    demo.say("What was done is in the journal.")?;
    demo.run("history", "", 0)
}

/// The newest layout of each app with the usual people, and a configuration that names the three.
fn seed(place: &Path) -> Result<()> {
    let mut config = String::new();
    for (name, app, store) in APPS {
        let mut all = apps::targets()?.into_iter();
        let fits = |target: &apps::Target| {
            target.app == app
                && target.store == store
                && target.known
                && target.genuine.is_none()
                && target.variant.is_empty()
        };
        let newest = all.rfind(fits).ok_or_else(|| format!("there is no {app} to show"))?;
        let directory = place.join(name);
        std::fs::create_dir(&directory)?;
        let location = apps::seed(&newest, Story::Usual, &directory)?.location()?;
        let path = location.split_once(':').map_or(location.as_str(), |(_, path)| path);
        let kind = if store == "json" { "dir" } else { "sqlite" };
        config.push_str(&format!("[app.{name}]\nplugin = \"{app}\"\nstore = \"{kind}:{path}\"\n\n"));
    }
    std::fs::write(place.join("config.toml"), config)?;
    Ok(())
}

struct Demo<'a> {
    place: &'a Path,
}

impl Demo<'_> {
    fn say(&self, line: &str) -> Result<()> {
        use std::io::Write;
        writeln!(std::io::stdout(), "\n# {line}")?;
        Ok(())
    }

    /// Shows a command, runs it, and fails unless it ends with `code`.
    fn run(&self, words: &str, input: &str, code: i32) -> Result<()> {
        use std::io::Write;
        let piped = if input.is_empty() { String::new() } else { format!("printf '%s\\n' '{input}' | ") };
        writeln!(std::io::stdout(), "$ {piped}latchlift {words}")?;
        let mut child = Command::new(bench::binary())
            .args(words.split_whitespace())
            .env_clear()
            .env("LATCHLIFT_CONFIG", self.place.join("config.toml"))
            .env("LATCHLIFT_STATE_DIR", self.place.join("state"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stderr(std::io::stdout())
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or("no standard input")?;
        writeln!(stdin, "{input}").ok();
        drop(stdin);
        match child.wait()?.code() {
            Some(ended) if ended == code => Ok(()),
            ended => Err(format!("`latchlift {words}` ended with {ended:?} instead of {code}").into()),
        }
    }
}
