use super::*;
use crate::instance::StoreSpec;
use latchlift_plugin_api::Location;
use std::fs::{Permissions, create_dir_all, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A system with these configuration files.
fn system(files: &[(&str, &str)]) -> (TempDir, Places) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, text).unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    }
    let places = Places {
        only: None,
        system: dir.path().join("etc"),
        user: Some(dir.path().join("home/latchlift/config.toml")),
    };
    (dir, places)
}

fn loaded(text: &str) -> Config {
    let (_dir, places) = system(&[("etc/config.toml", text)]);
    Config::load(&places)
}

fn stanza(text: &str) -> Result<Instance> {
    loaded(&format!("[app.homarr]\n{text}\n")).instance("homarr").cloned()
}

fn refusal(text: &str) -> String {
    let error = stanza(text).unwrap_err();
    assert_eq!(error.kind, Kind::Config, "{error}");
    format!("{} | {}", error.message, error.help.unwrap_or_default())
}

#[test]
fn instances_are_read_with_all_their_keys() {
    let (dir, places) = system(&[(
        "etc/config.toml",
        r#"
state_dir = "state"
plugin_dirs = ["/opt/plugins", "more"]

[app.homarr]
plugin = "homarr"
store = "sqlite:/srv/homarr/appdata/db/db.sqlite"

[app.photos]
plugin = "photoprism"
settings = ["/srv/photos/.env", "options.yml"]
paths = { "/photoprism/storage" = "/srv/photos/storage" }
password_file = "photos.pass"
tls = "verify-full"

[app.home]
plugin = "home-assistant"
store = "dir:/srv/homeassistant"
settings = "/srv/homeassistant/configuration.yaml"
"#,
    )]);
    let config = Config::load(&places);
    let etc = dir.path().join("etc");
    assert!(config.problems.is_empty() && config.sound().is_ok(), "{:?}", config.problems);
    assert_eq!(config.files, [etc.join("config.toml")]);
    assert_eq!(config.plugin_dirs, [PathBuf::from("/opt/plugins"), etc.join("more")]);
    assert_eq!(config.state_dir, Some(etc.join("state")));
    assert_eq!(config.instances.keys().collect::<Vec<_>>(), ["homarr", "home", "photos"]);
    let homarr = config.instance("homarr").unwrap();
    let sqlite = Location::Sqlite { path: "/srv/homarr/appdata/db/db.sqlite".into() };
    assert_eq!((homarr.argument.as_str(), &homarr.store), ("homarr", &Some(StoreSpec::At(sqlite))));
    let photos = config.instance("photos").unwrap();
    assert_eq!(photos.settings, [PathBuf::from("/srv/photos/.env"), etc.join("options.yml")]);
    assert_eq!(photos.files().map("/photoprism/storage/x"), Path::new("/srv/photos/storage/x"));
    assert_eq!(photos.password_file, Some(etc.join("photos.pass")));
    assert_eq!((photos.tls.as_deref(), &photos.store), (Some("verify"), &None));
    assert_eq!(config.instance("home").unwrap().settings.len(), 1);
}

#[test]
fn later_files_add_and_replace_whole_instances() {
    let of = |name: &str, store: &str| format!("[app.{name}]\nplugin = \"homarr\"\nstore = \"{store}\"\n");
    let (dir, places) = system(&[
        (
            "etc/config.toml",
            &format!("plugin_dirs = [\"/system\"]\n{}{}", of("one", "/etc-one"), of("two", "/etc-two")),
        ),
        ("etc/config.d/20-b.toml", &of("two", "/d-b")),
        ("etc/config.d/10-a.toml", &format!("{}tls = \"require\"\n", of("two", "/d-a"))),
        ("etc/config.d/.hidden.toml", "nonsense"),
        ("etc/config.d/30.toml~", "nonsense"),
        ("home/latchlift/config.toml", &format!("plugin_dirs = [\"/mine\"]\n{}", of("three", "/home-three"))),
    ]);
    let config = Config::load(&places);
    assert!(config.problems.is_empty(), "{:?}", config.problems);
    let store = |name: &str| config.instance(name).unwrap().store.clone().unwrap();
    assert_eq!(store("one"), StoreSpec::Path("/etc-one".into()));
    assert_eq!(store("two"), StoreSpec::Path("/d-b".into()));
    assert_eq!(config.instance("two").unwrap().tls, None);
    assert_eq!(store("three"), StoreSpec::Path("/home-three".into()));
    assert_eq!(config.plugin_dirs, [Path::new("/mine"), Path::new("/system")]);
    assert_eq!(config.files.len(), 4);
    let only = Places { only: Some(dir.path().join("etc/config.d/10-a.toml")), ..places };
    let config = Config::load(&only);
    assert_eq!((config.instances.len(), config.files.len()), (1, 1));
}

#[test]
fn no_configuration_is_an_empty_one() {
    let (_dir, places) = system(&[]);
    let config = Config::load(&places);
    assert!(config.instances.is_empty() && config.problems.is_empty() && config.files.is_empty());
    let error = config.instance("homarr").unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert!(error.help.unwrap().contains("--app homarr:/path"));
    let nothing = Config::load(&Places { only: Some("/dev/null".into()), ..places });
    assert!(nothing.instances.is_empty() && nothing.problems.is_empty());
}

#[test]
fn a_file_named_outright_must_exist() {
    let (dir, places) = system(&[]);
    let path = dir.path().join("absent.toml");
    let config = Config::load(&Places { only: Some(path.clone()), ..places });
    let error = config.sound().unwrap_err();
    assert_eq!(
        (error.kind, error.message),
        (Kind::Config, format!("there is no configuration file {}", path.display()))
    );
    assert_eq!(config.instance("homarr").unwrap_err().kind, Kind::Config);
}

#[test]
fn a_wrong_stanza_fails_only_its_instance() {
    let config = loaded(
        "[app.homarr]\nplugin = \"homarr\"\nstor = \"/x\"\n[app.photos]\nplugin = \"photoprism\"\nstore = \"/srv/p\"\n",
    );
    assert!(config.instance("photos").is_ok() && config.sound().is_ok());
    let error = config.instance("homarr").unwrap_err();
    assert!(error.message.ends_with("config.toml: [app.homarr]: there is no key `stor`"), "{error}");
    assert_eq!(error.help.as_deref(), Some("did you mean `store`?"));
}

#[test]
fn every_wrong_value_says_what_is_expected() {
    let homarr = "plugin = \"homarr\"\n";
    for (text, what) in [
        ("store = \"/x\"".to_owned(), "`plugin` is missing"),
        ("plugin = \"../evil\"".to_owned(), "must be a plugin's name"),
        ("plugin = 1".to_owned(), "`plugin` must be text in quotes"),
        (homarr.to_owned(), "neither `store` nor `settings`"),
        (format!("{homarr}settings = []"), "neither `store` nor `settings`"),
        (format!("{homarr}settings = [1]"), "`settings` must be text"),
        (format!("{homarr}settings = [\"\"]"), "a path is missing"),
        (format!("{homarr}store = \"compose:x\""), "reserved for a later release"),
        (format!("{homarr}store = \"/x\"\npaths = \"/x\""), "`paths` must be a table"),
        (format!("{homarr}store = \"/x\"\npaths = {{ \"data\" = \"/x\" }}"), "must begin with `/`"),
        (format!("{homarr}store = \"/x\"\ntls = \"maybe\""), "`verify`"),
        (format!("{homarr}store = \"/x\"\npasword_file = \"/x\""), "did you mean `password_file`?"),
        (format!("{homarr}store = \"/x\"\nfavourite = 1"), "the keys are"),
    ] {
        let message = refusal(&text);
        assert!(message.contains(what) && message.contains("[app.homarr]"), "{text}: {message}");
    }
}

#[test]
fn a_password_in_a_store_is_refused_and_not_repeated() {
    let message = refusal("plugin = \"homarr\"\nstore = \"mysql://u:hunter2@h/d\"");
    assert!(message.contains("contains a password") && !message.contains("hunter2"), "{message}");
}

#[test]
fn names_that_mean_something_else_are_refused() {
    for name in ["all", "Homarr", "\"a b\"", "-x", "\"a:b\"", "\"\""] {
        let config = loaded(&format!("[app.{name}]\nplugin = \"homarr\"\nstore = \"/x\"\n"));
        let error = config.instance(name.trim_matches('"')).unwrap_err();
        assert!(error.message.contains("an instance's name must be"), "{name}: {error}");
    }
}

#[test]
fn a_wrong_file_fails_alone() {
    let good = "[app.photos]\nplugin = \"photoprism\"\nstore = \"/srv/p\"\n";
    let (_dir, places) = system(&[("etc/config.toml", "a = 1\nb = [\n"), ("etc/config.d/p.toml", good)]);
    let config = Config::load(&places);
    assert!(config.instance("photos").is_ok());
    let error = config.instance("homarr").unwrap_err();
    assert!(error.kind == Kind::Config && error.message.contains("config.toml, line "), "{error}");
    let config = loaded(&format!("plugin_dir = \"/x\"\n{good}"));
    assert_eq!(config.sound().unwrap_err().help.as_deref(), Some("did you mean `plugin_dirs`?"));
    assert!(config.instance("photos").is_ok());
    assert!(loaded("app = 1").sound().unwrap_err().message.contains("[app.NAME]"));
}

#[test]
fn an_unknown_instance_is_answered_with_those_there_are() {
    let text = |name: &str| format!("[app.{name}]\nplugin = \"homarr\"\nstore = \"/x\"\n");
    let config = loaded(&(text("homarr") + &text("photos")));
    let error = config.instance("homar").unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::NotFound, "no instance named `homar` is configured"));
    assert_eq!(error.help.as_deref(), Some("did you mean `homarr`? Configured: homarr, photos"));
    assert_eq!(config.instance("authelia").unwrap_err().help.as_deref(), Some("configured: homarr, photos"));
}

#[test]
fn a_file_that_everybody_can_write_is_refused() {
    let good = "[app.homarr]\nplugin = \"homarr\"\nstore = \"/x\"\n";
    let (dir, places) = system(&[("etc/config.toml", good)]);
    let path = dir.path().join("etc/config.toml");
    set_permissions(&path, Permissions::from_mode(0o646)).unwrap();
    let config = Config::load(&places);
    let error = config.instance("homarr").unwrap_err();
    assert_eq!((error.kind, error.help), (Kind::Config, Some(format!("chmod o-w {}", path.display()))));
    assert!(config.instances.is_empty() && config.files.is_empty());
    set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    assert!(Config::load(&places).instance("homarr").is_ok());
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    let path = Path::new("/etc/latchlift/config.toml");
    assert!(refuse_owner(path, path, 0, 1000).is_ok() && refuse_owner(path, path, 1000, 1000).is_ok());
    let error = refuse_owner(path, path, 1001, 1000).unwrap_err();
    assert!(error.message.contains("belongs to uid 1001") && error.help.unwrap().starts_with("chown 1000"));
    assert!(refuse_owner(path, path, 1000, 0).is_err());
}

#[test]
fn a_file_that_a_group_of_others_may_write_is_refused_and_so_is_its_directory() {
    let (path, dir) = (Path::new("/etc/latchlift/config.toml"), Path::new("/etc/latchlift"));
    let refused = |place, mode, group| refuse_writers(path, place, mode, group, 1000).err().map(|error| error.message);
    assert_eq!([refused(path, 0o664, 1000), refused(path, 0o664, 0), refused(dir, 0o755, 100)], [None, None, None]);
    assert!(refused(path, 0o664, 100).unwrap().contains("group 100 can write it"));
    assert!(
        refused(dir, 0o777, 0).unwrap().contains("everybody on this machine can write its directory /etc/latchlift")
    );
}

#[test]
fn a_shared_directory_is_refused_unless_only_owners_may_replace_files_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, "").unwrap();
    let (facts, caller) = (std::fs::metadata(&path).unwrap(), rustix::process::geteuid().as_raw());
    let with = |mode| {
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        trusted(&path, &facts, caller).is_ok()
    };
    assert_eq!([with(0o755), with(0o777), with(0o1777)], [true, false, true]);
}
