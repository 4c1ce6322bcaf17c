//! Finding plugins: which directory wins, what a listing reads, and what `plugin` says about files.

use crate::support::{Place, Said, copy_plugin, library_name, said, set_mode};
use std::fs;

#[test]
fn of_two_plugins_for_one_app_the_first_directory_wins_and_the_list_shows_the_other() {
    let place = Place::with(&["guestbook"]);
    let second = place.path("second");
    fs::create_dir(&second).unwrap();
    set_mode(&second, 0o755);
    copy_plugin("guestbook", &second.join(library_name("guestbook")));
    let words = format!("--plugin-dir {}", second.display());
    let listed = place.latchlift(&format!("plugin list --json {words}")).succeeds();
    let json = listed.json();
    let rows: Vec<_> = json["plugins"].as_array().unwrap().iter().filter(|row| row["app"] == "guestbook").collect();
    let (first, other) = (place.library("guestbook"), second.join(library_name("guestbook")));
    assert_eq!(rows.len(), 2, "{listed}");
    assert_eq!((&rows[0]["file"], &rows[0]["hidden_by"]), (&path(&first), &serde_json::Value::Null), "{listed}");
    assert_eq!((&rows[1]["file"], &rows[1]["hidden_by"]), (&path(&other), &path(&first)), "{listed}");
    place.latchlift(&format!("plugin list {words}")).succeeds().says(&format!("hidden by {}", first.display()));
    // The first is used even where it is broken: falling back would run what nobody chose.
    fs::write(&first, "broken").unwrap();
    place.on("guestbook", &format!("user list {words}")).refused().says(&first.display().to_string());
    let swapped = format!("user list {words} --plugin-dir {}", place.plugins().display());
    place.bare(&format!("{swapped} --app guestbook:{}", place.path("guestbook.db").display())).succeeds();
}

fn path(path: &std::path::Path) -> serde_json::Value {
    path.display().to_string().into()
}

#[test]
fn listing_and_showing_load_no_code_where_a_sidecar_is_there() {
    let place = Place::new();
    // Loading this would fail, so a listing that succeeds has not loaded it.
    fs::write(place.library("guestbook"), "not a library").unwrap();
    set_mode(&place.library("guestbook"), 0o755);
    let refused = place.latchlift("plugin list --json").succeeds();
    assert!(refused.stdout.contains("it has no ELF header"), "{refused}");
    place.install_sidecar("guestbook");
    let listed = place.latchlift("plugin list --json").succeeds();
    assert!(listed.each("plugins", "title").contains(&"Guestbook".to_owned()), "{listed}");
    assert!(!listed.stdout.contains("ELF"), "{listed}");
    place.latchlift("plugin show guestbook").succeeds().says("Guestbook has no second factor");
    place.on("guestbook", "user list").refused().says("it has no ELF header");
}

#[test]
fn a_sidecar_that_agrees_is_fine_and_one_that_differs_is_refused() {
    let place = Place::with(&["guestbook"]);
    let sidecar = place.install_sidecar("guestbook");
    place.on("guestbook", "user list").succeeds();
    let text = fs::read_to_string(&sidecar).unwrap();
    fs::write(&sidecar, text.replace("\"mfa.status\"", "\"mfa.disable\"")).unwrap();
    place.on("guestbook", "user list").refused().says("do not state the same facts");
    place.reset("guestbook").refused();
    // Comments and order say nothing.
    fs::write(&sidecar, format!("# Guestbook\n{text}\n# end\n")).unwrap();
    place.on("guestbook", "user list").succeeds();
    fs::write(&sidecar, text.replace("app = \"guestbook\"", "app = \"homarr\"")).unwrap();
    place.on("guestbook", "user list").refused().says("is for `homarr`");
    fs::write(&sidecar, "app = ").unwrap();
    place.on("guestbook", "user list").refused().says("is not understood");
}

#[test]
fn checking_a_file_says_whether_it_would_be_loaded() {
    let place = Place::with(&["guestbook"]);
    let library = place.library("guestbook");
    place.bare(&format!("plugin check {}", library.display())).succeeds().says("would be loaded: guestbook 0.1");
    let json = place.bare(&format!("plugin check {} --json", library.display())).succeeds();
    assert_eq!(json.each("plugins", "app"), ["guestbook"]);
    // A relative path, from the directory the person is in.
    let mut command = place.command();
    command.current_dir(place.plugins()).args(["plugin", "check", &library_name("guestbook")]);
    drop(said(&mut command, "").succeeds());
    place.bare(&format!("plugin check {}", place.library("nowhere").display())).refused().says("no such file");
    set_mode(&library, 0o777);
    place.bare(&format!("plugin check {}", library.display())).refused().says("everyone may write it");
}

#[test]
fn a_plugin_that_is_not_there_is_named_with_the_directories_that_were_searched() {
    let place = Place::with(&["guestbook"]);
    let said: Said = place.on("guestbok", "user list").refused();
    assert!(said.stderr.contains("there is no plugin `guestbok`"), "{said}");
    assert!(said.stderr.contains(&place.plugins().display().to_string()), "{said}");
    assert!(said.stderr.contains("did you mean `guestbook`?"), "{said}");
    let place = Place::new();
    place.on("nextcloud", "user list").refused().says("latchlift-plugin-nextcloud");
    place.bare("plugin list --plugin-dir /nowhere").exits(2).says("/nowhere");
}

#[test]
fn the_series_of_the_contract_is_one_word_for_packagers() {
    let place = Place::new();
    let said = place.bare("plugin abi").succeeds();
    let series = said.stdout.trim();
    assert!(env!("CARGO_PKG_VERSION").starts_with(&format!("{series}.")), "{said}");
    assert!(said.stderr.is_empty(), "{said}");
    assert_eq!(place.bare("plugin abi --json").succeeds().json()["abi"], series);
}
