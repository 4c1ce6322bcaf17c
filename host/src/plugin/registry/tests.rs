use super::*;
use std::os::unix::fs::PermissionsExt;

/// A directory of libraries that would kill this process if they were loaded without a look, each with a sidecar.
fn installed(apps: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o755);
    for app in apps {
        write(&dir.path().join(library_name(app)), "not a library");
        write(&dir.path().join(library_name(app)).with_extension("toml"), &facts(app, app));
    }
    dir
}

fn facts(app: &str, title: &str) -> String {
    format!("app = \"{app}\"\ntitle = \"{title}\"\n")
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    set_mode(path, 0o644);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn registry(dirs: &[&Path]) -> Registry {
    let dir = |path: &&Path| PluginDir { path: path.to_path_buf(), explicit: false };
    Registry::new(dirs.iter().map(dir).collect()).unwrap()
}

fn apps(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|listed| listed.app.as_str()).collect()
}

#[test]
fn listing_reads_sidecars_and_loads_no_code() {
    let dir = installed(&["homarr", "home-assistant"]);
    let listed = registry(&[dir.path()]).list();
    assert_eq!(apps(&listed), ["homarr", "home-assistant"]);
    for listed in &listed {
        assert_eq!(listed.facts.as_ref().unwrap().app, listed.app);
        assert_eq!((&listed.version, &listed.hidden_by), (&None, &None));
    }
}

#[test]
fn one_bad_plugin_does_not_hide_the_others() {
    let dir = installed(&["good", "odd", "open", "strange"]);
    write(&dir.path().join("liblatchlift_alone.so"), "not a library");
    write(&dir.path().join("liblatchlift_gone.toml"), &facts("gone", "Gone"));
    write(&dir.path().join("liblatchlift_odd.toml"), "app = ");
    write(&dir.path().join("liblatchlift_strange.toml"), &facts("good", "Good"));
    write(&dir.path().join("libother.so"), "not ours");
    set_mode(&dir.path().join("liblatchlift_open.so"), 0o666);
    let listed = registry(&[dir.path()]).list();
    assert_eq!(apps(&listed), ["alone", "gone", "good", "odd", "open", "strange"]);
    let why = |app: &str| match &listed.iter().find(|listed| listed.app == app).unwrap().facts {
        Ok(_) => "good".to_owned(),
        Err(error) => error.message.clone(),
    };
    assert_eq!(why("good"), "good");
    assert!(why("alone").ends_with("is not a library: it has no ELF header"), "{}", why("alone"));
    assert!(why("gone").ends_with("liblatchlift_gone.so cannot be read: there is no such file"), "{}", why("gone"));
    assert!(why("odd").contains("liblatchlift_odd.toml is not understood: plugin.toml: "), "{}", why("odd"));
    assert!(why("open").contains("everyone may write it"), "{}", why("open"));
    assert!(why("strange").ends_with("is for `good`, not for the app its name says"), "{}", why("strange"));
}

#[test]
fn a_sidecar_that_anyone_may_write_is_not_believed() {
    let dir = installed(&["homarr"]);
    set_mode(&dir.path().join("liblatchlift_homarr.toml"), 0o666);
    let error = registry(&[dir.path()]).facts("homarr").unwrap_err();
    assert!(error.message.contains("liblatchlift_homarr.toml is refused: everyone"), "{error}");
}

#[test]
fn the_first_directory_wins_and_the_other_is_listed_as_hidden() {
    let (first, second) = (installed(&["homarr"]), installed(&["homarr", "photoprism"]));
    let registry = registry(&[first.path(), second.path()]);
    let (used, hidden) = (first.path().join("liblatchlift_homarr.so"), second.path().join("liblatchlift_homarr.so"));
    let found = registry.find("homarr").unwrap();
    assert_eq!((found.path.clone(), found.shadowed.clone()), (used.clone(), vec![hidden.clone()]));
    assert_eq!(found.sidecar, Some(used.with_extension("toml")));

    let listed = registry.list();
    assert_eq!(apps(&listed), ["homarr", "homarr", "photoprism"]);
    assert_eq!((&listed[0].path, &listed[0].hidden_by), (&used, &None));
    assert_eq!((&listed[1].path, &listed[1].hidden_by), (&hidden, &Some(used)));
}

#[test]
fn an_untrusted_plugin_in_the_first_directory_is_reported_not_passed_over() {
    let (first, second) = (installed(&["homarr"]), installed(&["homarr"]));
    set_mode(first.path(), 0o777);
    let error = registry(&[first.path(), second.path()]).load("homarr").unwrap_err();
    assert!(error.message.contains("everyone may write its directory"), "{error}");
    assert_eq!(error.help.unwrap(), format!("chmod o-w {}", first.path().canonicalize().unwrap().display()));
}

#[test]
fn a_directory_given_twice_does_not_hide_itself() {
    let dir = installed(&["homarr"]);
    let registry = registry(&[dir.path(), &dir.path().join(".")]);
    assert_eq!(registry.dirs().len(), 1);
    assert_eq!(registry.find("homarr").unwrap().shadowed, Vec::<PathBuf>::new());
}

#[test]
fn a_name_that_is_not_installed_is_answered_with_the_most_similar() {
    let dir = installed(&["homarr", "home-assistant", "photoprism"]);
    let registry = registry(&[dir.path()]);
    let help = |app: &str| {
        let error = registry.find(app).unwrap_err();
        assert_eq!(error.kind, Kind::Plugin);
        assert!(error.message.contains(&format!("`{app}` in {}", dir.path().display())), "{error}");
        error.help.unwrap()
    };
    for (typed, meant) in
        [("homar", "homarr"), ("Homarr", "homarr"), ("home_assistant", "home-assistant"), ("photo", "photoprism")]
    {
        assert_eq!(help(typed), format!("did you mean `{meant}`? See all with `latchlift plugin list`"));
    }
    assert_eq!(help("jellyfin"), "install the package latchlift-plugin-jellyfin");
    assert_eq!(help("../../tmp/x"), "see the plugins with `latchlift plugin list`");
}

#[test]
fn a_name_cannot_lead_out_of_the_directory() {
    let dir = installed(&[]);
    write(&dir.path().join("liblatchlift_x.so"), "x");
    fs::create_dir(dir.path().join("inner")).unwrap();
    fs::create_dir(dir.path().join("inner/liblatchlift_")).unwrap();
    let inner = dir.path().join("inner");
    assert!(registry(&[&inner]).find("/../../liblatchlift_x").is_err());
}

#[test]
fn a_directory_named_by_hand_must_exist_and_the_others_need_not() {
    let missing = PathBuf::from("/nonexistent/plugins");
    let error = Registry::new(vec![PluginDir { path: missing.clone(), explicit: true }]).unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert_eq!(error.message, "there is no directory /nonexistent/plugins for --plugin-dir");
    assert!(registry(&[&missing]).list().is_empty());
}

#[test]
fn a_cargo_target_is_told_by_what_cargo_leaves_in_it() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(cargo_target(dir.path()), None);
    fs::write(dir.path().join(".cargo-lock"), "").unwrap();
    assert_eq!(cargo_target(dir.path()), Some(dir.path().to_owned()));
}

#[test]
fn directories_named_by_hand_come_first_and_the_installed_one_last() {
    let dirs = search_dirs(&["/by/hand".into()], &["/by/config".into()]);
    assert_eq!(dirs[0], PluginDir { path: "/by/hand".into(), explicit: true });
    assert!(dirs[1..].iter().all(|dir| !dir.explicit));
    assert!(dirs[1..].iter().any(|dir| dir.path == Path::new("/by/config")));
    assert_eq!(dirs.last().unwrap().path, Path::new(INSTALLED));
}

#[test]
fn checking_a_file_that_is_no_plugin_says_so() {
    let dir = installed(&["homarr"]);
    let error = registry(&[]).check(&dir.path().join("liblatchlift_homarr.so")).unwrap_err();
    assert!(error.message.ends_with("is not a library: it has no ELF header"), "{error}");
}
