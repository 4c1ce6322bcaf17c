//! Who may have written a plugin: refusals name the rule and the command that mends it.

use crate::support::{Place, Said, copy_plugin, library_name, said, set_mode};
use latchlift_tests::bench::binary;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;

#[test]
fn a_library_that_everyone_may_write_is_refused_with_the_command_that_mends_it() {
    let place = Place::with(&["guestbook"]);
    let library = place.library("guestbook");
    set_mode(&library, 0o757);
    let help = format!("chmod o-w {}", library.display());
    place.on("guestbook", "user list").refused().says("everyone may write it (mode 0757)").says(&help);
    set_mode(&library, 0o755);
    place.on("guestbook", "user list").succeeds();
}

#[test]
fn a_library_in_a_directory_that_everyone_may_write_is_refused() {
    let place = Place::with(&["guestbook"]);
    for mode in [0o777, 0o1777] {
        set_mode(&place.plugins(), mode);
        let help = format!("chmod o-w {}", place.plugins().display());
        place.on("guestbook", "user list").refused().says("everyone may write its directory").says(&help);
    }
}

#[test]
fn a_sidecar_that_everyone_may_write_is_refused() {
    let place = Place::with(&["guestbook"]);
    set_mode(&place.install_sidecar("guestbook"), 0o646);
    place.on("guestbook", "user list").refused().says("everyone may write it");
}

/// Under umask 002 cargo's products are writable by the group, the program's as much as the plugins'.
#[test]
fn a_library_the_group_may_write_loads_where_the_group_may_write_the_program_too() {
    let place = Place::with(&["guestbook"]);
    let target = place.path("target");
    fs::create_dir(&target).unwrap();
    let program = target.join("latchlift");
    fs::copy(binary(), &program).unwrap();
    let place = place.program(&program);
    set_mode(&place.library("guestbook"), 0o775);
    set_mode(&place.plugins(), 0o775);
    for (of_program, of_directory, loads) in
        [(0o775, 0o775, true), (0o775, 0o755, true), (0o755, 0o775, true), (0o755, 0o755, false)]
    {
        set_mode(&program, of_program);
        set_mode(&target, of_directory);
        let said = place.on("guestbook", "user list");
        match loads {
            true => drop(said.succeeds()),
            false => drop(said.refused().says("but not latchlift itself").says("chmod g-w ")),
        }
    }
}

#[test]
fn a_plugin_built_beside_the_program_under_umask_002_is_found_and_loads_until_everyone_may_write_it() {
    let place = Place::new();
    let target = place.path("target");
    fs::create_dir_all(target.join("deps")).unwrap();
    let (program, library) = (target.join("latchlift"), target.join(library_name("guestbook")));
    fs::copy(binary(), &program).unwrap();
    copy_plugin("guestbook", &library);
    [&target, &program, &library].iter().for_each(|path| set_mode(path, 0o775));
    let place = place.program(&program);
    let words = format!("user list --app guestbook:{}", place.path("guestbook.db").display());
    place.bare(&words).succeeds();
    set_mode(&library, 0o777);
    place.bare(&words).refused().says("everyone may write it");
}

#[test]
fn a_link_counts_as_the_file_it_leads_to() {
    let place = Place::new();
    let elsewhere = place.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    set_mode(&elsewhere, 0o755);
    let real = elsewhere.join("guestbook-1.so");
    copy_plugin("guestbook", &real);
    symlink(&real, place.library("guestbook")).unwrap();
    place.on("guestbook", "user list").succeeds();
    set_mode(&elsewhere, 0o777);
    let said = place.on("guestbook", "user list").refused().says("everyone may write its directory");
    assert!(said.stderr.contains(&elsewhere.display().to_string()), "{said}");
}

/// Only root can give files away; others cannot put a foreign file in place to begin with.
#[test]
fn a_library_of_a_stranger_is_refused_unless_its_directory_was_named() {
    let place = Place::with(&["guestbook"]);
    if fs::metadata(place.plugins()).unwrap().uid() != 0 {
        eprintln!("left out, because only root can give files to others");
        return;
    }
    let (library, plugins) = (place.library("guestbook"), place.plugins());
    chown(&library, Some(4321), None).unwrap();
    place.on("guestbook", "user list").refused().says("it belongs to uid 4321").says("chown root");
    chown(&plugins, Some(4321), None).unwrap();
    // Naming a directory is trusting its owner; finding one is not.
    place.on("guestbook", "user list").succeeds();
    by_variable(&place, &plugins).refused().says("belongs to uid 4321").says("--plugin-dir");
}

fn by_variable(place: &Place, plugins: &Path) -> Said {
    let app = format!("guestbook:{}", place.path("guestbook.db").display());
    said(place.command().env("LATCHLIFT_PLUGIN_DIRS", plugins).args(["user", "list", "--app", &app]), "")
}
