//! Files that look like a plugin and are none: refused before or instead of running them, never a crash.

use crate::support::{Place, set_mode};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn a_truncated_library_is_refused_at_every_length() {
    let place = Place::with(&["guestbook"]);
    let library = place.library("guestbook");
    let whole = fs::read(&library).unwrap();
    let length = whole.len();
    for kept in [0, 3, 4, 17, 63, 64, 200, 4096, length / 4, length / 2, length - 4096, length - 1] {
        fs::write(&library, &whole[..kept]).unwrap();
        let words = if kept < 4 { "it has no ELF header" } else { "is truncated" };
        let said = place.on("guestbook", "user list").refused().says(words);
        assert!(said.stdout.is_empty(), "{kept} bytes: {said}");
    }
}

#[test]
fn what_is_no_library_is_refused() {
    let place = Place::new();
    let library = place.library("guestbook");
    for (content, words) in [
        ("", "it has no ELF header"),
        ("#!/bin/sh\nexit 0\n", "it has no ELF header"),
        ("!<arch>\nliblatchlift_guestbook.a", "it has no ELF header"),
    ] {
        write(&library, content.as_bytes());
        place.on("guestbook", "user list").refused().says(words);
    }
    // A program is ELF too, for the right machine, and dlopen would run its initialisers.
    write(&library, &fs::read("/bin/true").unwrap());
    place.on("guestbook", "user list").refused();
}

#[test]
fn a_directory_a_pipe_and_a_link_to_nothing_are_refused() {
    let place = Place::new();
    let library = place.library("guestbook");
    fs::create_dir(&library).unwrap();
    place.on("guestbook", "user list").refused().says("is not a file");
    fs::remove_dir(&library).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&library).status().unwrap().success());
    place.on("guestbook", "user list").refused().says("is not a file");
    fs::remove_file(&library).unwrap();
    std::os::unix::fs::symlink(place.path("nowhere"), &library).unwrap();
    place.on("guestbook", "user list").refused().says("there is no such file");
}

#[test]
fn a_library_for_another_machine_is_refused_by_name() {
    let place = Place::with(&["guestbook"]);
    let library = place.library("guestbook");
    let whole = fs::read(&library).unwrap();
    let (number, name) = if cfg!(target_arch = "aarch64") { (62, "x86-64") } else { (183, "64-bit ARM") };
    patched(&library, &whole, 18, number);
    place.on("guestbook", "user list").refused().says(&format!("is for {name}"));
    // 32-bit of the same family, the other byte order.
    for (at, value) in [(4, 1), (5, 2)] {
        patched(&library, &whole, at, value);
        place.on("guestbook", "user list").refused().says("is for ");
    }
}

#[test]
fn a_library_that_is_no_plugin_is_refused() {
    let place = Place::new();
    let library = place.library("guestbook");
    write(&library, &fs::read(system_library("libm.so.6")).unwrap());
    place.on("guestbook", "user list").refused().says("is a library, but not a latchlift plugin");
}

#[test]
fn a_library_that_needs_another_which_is_missing_is_refused_in_one_line() {
    let place = Place::with(&["guestbook"]);
    let library = place.library("guestbook");
    let mut bytes = fs::read(&library).unwrap();
    // The first name of a needed library: the C runtime's unwinder, which every Rust library wants.
    let needed = b"libgcc_s.so.1";
    let at = bytes.windows(needed.len()).position(|window| window == needed).unwrap();
    bytes[at..at + 6].copy_from_slice(b"libxyz");
    write(&library, &bytes);
    let said = place.on("guestbook", "user list").refused().says("cannot be loaded: libxyz");
    assert_eq!(said.stderr.lines().filter(|line| line.contains("libxyz")).count(), 1, "{said}");
}

#[test]
fn a_plugin_under_another_apps_name_is_refused() {
    let place = Place::with(&["guestbook"]);
    fs::rename(place.library("guestbook"), place.library("homarr")).unwrap();
    place.on("homarr", "user list").refused().says("is for `guestbook`, not for the app its name says");
    place.latchlift("plugin list --json").succeeds().says("is for `guestbook`");
    let said = place.on("guestbook", "user list").refused();
    assert!(said.stderr.contains("there is no plugin `guestbook`"), "{said}");
}

fn patched(library: &Path, whole: &[u8], at: usize, value: u8) {
    let mut bytes = whole.to_vec();
    bytes[at] = value;
    write(library, &bytes);
}

fn write(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
    set_mode(path, 0o755);
}

/// A library of the C runtime, where this process has it or the linker's list says it is.
fn system_library(name: &str) -> PathBuf {
    let output = std::process::Command::new("/sbin/ldconfig").arg("-p").output().unwrap();
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = listed.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
    PathBuf::from(line.split(" => ").nth(1).unwrap())
}
