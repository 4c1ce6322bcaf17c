use super::*;
use latchlift_plugin_api::StoreKind;
use std::fs::{create_dir_all, write};
use std::os::unix::fs::symlink;

fn homarr() -> Facts {
    Facts {
        app: "homarr".into(),
        title: "Homarr".into(),
        stores: vec![StoreKind::Sqlite, StoreKind::Mysql, StoreKind::Postgres],
        candidates: vec!["db/db.sqlite".into(), "db.sqlite".into()],
        ..Facts::default()
    }
}

fn home_assistant() -> Facts {
    Facts {
        app: "home-assistant".into(),
        title: "Home Assistant".into(),
        stores: vec![StoreKind::Documents],
        candidates: ["configuration.yaml", "config/configuration.yaml", "config/.storage/auth"]
            .map(Into::into)
            .to_vec(),
        inside: vec![".storage".into()],
        backup: Some(latchlift_plugin_api::facts::Backup::default()),
        ..Facts::default()
    }
}

fn app(value: &str) -> Result<App> {
    App::parse(value, Path::new("/work dir"))
}

fn ad_hoc(value: &str) -> Instance {
    match app(value).unwrap() {
        App::AdHoc(instance) => *instance,
        other => panic!("{other:?}"),
    }
}

fn spec(text: &str) -> StoreSpec {
    StoreSpec::parse(text, Path::new("/base")).unwrap()
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    format!("{} {}", error.message, error.help.unwrap_or_default())
}

#[test]
fn a_name_without_colon_is_a_configured_instance() {
    assert_eq!(app("all").unwrap(), App::All);
    assert_eq!(app("photos_2-old").unwrap(), App::Named("photos_2-old".into()));
    assert!(refusal(app("/srv/homarr")).contains("does not say which app"));
    for odd in ["", "Homarr", "-x", "_x", "a b", "ü"] {
        assert!(refusal(app(odd)).contains("cannot be an instance's name"), "{odd}");
    }
}

#[test]
fn a_plugin_and_a_location_need_no_configuration() {
    let instance = ad_hoc("homarr:/srv/homarr/./appdata/");
    assert_eq!((instance.name.as_str(), instance.plugin.as_str()), ("homarr", "homarr"));
    assert_eq!(instance.argument, "homarr:/srv/homarr/./appdata/");
    assert_eq!(instance.store, Some(StoreSpec::Path("/srv/homarr/appdata".into())));
    assert_eq!(ad_hoc("home-assistant:ha").store, Some(StoreSpec::Path("/work dir/ha".into())));
    let Some(StoreSpec::At(Location::Mysql(server))) = ad_hoc("photoprism:mariadb://p@127.0.0.1/photos").store else {
        panic!("not a MySQL server");
    };
    assert_eq!((server.host.as_str(), server.database.as_str()), ("127.0.0.1", "photos"));
}

#[test]
fn forms_of_later_releases_and_nonsense_are_told_apart() {
    assert!(refusal(app("homarr:compose:docker-compose.yml")).contains("reserved for a later release"));
    assert!(refusal(app("homarr:docker:homarr")).contains("reserved for a later release"));
    assert!(refusal(app("homarr:")).contains("empty"));
    assert!(refusal(app("homarr:sqlite:")).contains("path is missing"));
    assert!(refusal(app("homarr:redis://localhost")).contains("does not know"));
    for url in ["mysql://u:hunter2@h/db", "/srv/x:y", "Homarr:/srv", "../evil:/srv", ":/srv"] {
        let message = refusal(app(url));
        assert!(message.contains("names no plugin") && !message.contains("hunter2"), "{url}: {message}");
    }
    assert!(!refusal(app("homarr:mysql://u:hunter2@h/db")).contains("hunter2"));
}

#[test]
fn locations_are_read_the_same_everywhere() {
    let sqlite = |path: &str| StoreSpec::At(Location::Sqlite { path: path.into() });
    assert_eq!(spec("sqlite:/srv/db.sqlite"), sqlite("/srv/db.sqlite"));
    assert_eq!(spec("sqlite:///srv/db.sqlite"), sqlite("/srv/db.sqlite"));
    assert_eq!(spec("sqlite:db.sqlite"), sqlite("/base/db.sqlite"));
    assert_eq!(spec("dir:ha"), StoreSpec::At(Location::Dir { path: "/base/ha".into() }));
    assert_eq!(spec("odd:name"), StoreSpec::Path("/base/odd:name".into()));
    assert_eq!(spec("../x"), StoreSpec::Path("/base/../x".into()));
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    assert_eq!(spec("~/ha"), StoreSpec::Path(home.join("ha")));
}

#[test]
fn a_directory_holds_the_first_candidate_that_exists() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| Location::Sqlite { path: dir.path().join(path).to_str().unwrap().into() };
    let error = resolve_directory(dir.path(), &homarr()).unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    assert!(error.message.contains("`db/db.sqlite`, `db.sqlite`"), "{error}");
    write(dir.path().join("db.sqlite"), "").unwrap();
    assert_eq!(resolve_directory(dir.path(), &homarr()).unwrap(), at("db.sqlite"));
    create_dir_all(dir.path().join("db/db.sqlite")).unwrap();
    assert_eq!(resolve_directory(dir.path(), &homarr()).unwrap(), at("db.sqlite"));
    std::fs::remove_dir(dir.path().join("db/db.sqlite")).unwrap();
    symlink("../db.sqlite", dir.path().join("db/db.sqlite")).unwrap();
    let found = StoreSpec::Path(dir.path().to_owned()).resolve(&homarr()).unwrap();
    assert_eq!(found, at("db/db.sqlite"));
    assert_eq!(StoreSpec::Path(dir.path().join("db.sqlite")).resolve(&homarr()).unwrap(), at("db.sqlite"));
}

#[test]
fn documents_are_in_the_directory_that_holds_the_marker() {
    let dir = tempfile::tempdir().unwrap();
    let path = |below: &str| dir.path().join(below).to_str().unwrap().trim_end_matches('/').to_owned();
    create_dir_all(path("config/.storage")).unwrap();
    assert!(resolve_directory(dir.path(), &home_assistant()).is_err());
    write(path("config/configuration.yaml"), "").unwrap();
    let found = StoreSpec::Path(dir.path().to_owned()).resolve(&home_assistant()).unwrap();
    assert_eq!(found, Location::Dir { path: path("config") });
    // Said outright, the marker is not needed.
    let outright = StoreSpec::At(Location::Dir { path: path("") });
    assert_eq!(outright.resolve(&home_assistant()).unwrap(), Location::Dir { path: path("") });
    let marker = refusal(StoreSpec::Path(path("config/configuration.yaml").into()).resolve(&home_assistant()));
    assert!(marker.contains(&format!("--app home-assistant:{}", path("config"))), "{marker}");
    let file = StoreSpec::At(Location::Dir { path: path("config/configuration.yaml") });
    assert!(refusal(file.resolve(&home_assistant())).contains("is not a directory"));
}

#[test]
fn a_directory_of_the_stores_own_means_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = |below: &str| dir.path().join(below).to_str().unwrap().to_owned();
    create_dir_all(path("config/.storage")).unwrap();
    write(path("config/.storage/auth"), "{}").unwrap();
    let config = Location::Dir { path: path("config") };
    let found = |place: String| StoreSpec::Path(place.into()).resolve(&home_assistant());
    assert_eq!(found(dir.path().to_str().unwrap().to_owned()).unwrap(), config, "by a marker within it");
    write(path("config/configuration.yaml"), "").unwrap();
    assert_eq!(found(path("config/.storage")).unwrap(), config);
    let outright = StoreSpec::At(Location::Dir { path: path("config/.storage") });
    assert_eq!(outright.resolve(&home_assistant()).unwrap(), config);
}

#[test]
fn a_backup_is_a_place_too_where_the_app_has_any() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("Backup.tar");
    write(&file, "").unwrap();
    let found = StoreSpec::Path(file.clone()).resolve(&home_assistant()).unwrap();
    assert_eq!(found, Location::Dir { path: file.to_str().unwrap().to_owned() });
    let none = Facts { backup: None, ..home_assistant() };
    assert!(refusal(StoreSpec::Path(file).resolve(&none)).contains("is a file"));
}

#[test]
fn an_app_with_both_kinds_of_store_is_found_by_its_marker() {
    let dir = tempfile::tempdir().unwrap();
    let stores = vec![StoreKind::Sqlite, StoreKind::Documents];
    let facts = Facts { stores, candidates: vec!["users.yml".into(), "db.sqlite3".into()], ..Facts::default() };
    write(dir.path().join("db.sqlite3"), "").unwrap();
    assert!(matches!(resolve_directory(dir.path(), &facts).unwrap(), Location::Sqlite { .. }));
    write(dir.path().join("users.yml"), "").unwrap();
    assert!(matches!(resolve_directory(dir.path(), &facts).unwrap(), Location::Dir { .. }));
}

#[test]
fn what_is_not_where_the_app_keeps_accounts_is_refused() {
    let missing = StoreSpec::Path("/nonexistent/homarr".into()).resolve(&homarr()).unwrap_err();
    assert_eq!(
        (missing.kind, missing.message.as_str()),
        (Kind::Unreachable, "there is nothing at /nonexistent/homarr")
    );
    let missing = spec("sqlite:/nonexistent/db.sqlite").resolve(&homarr()).unwrap_err();
    assert_eq!(missing.kind, Kind::Unreachable);
    assert!(refusal(spec("/dev/null").resolve(&homarr())).contains("neither a file nor a directory"));
    let kinds = refusal(spec("mysql://u@h/d").resolve(&home_assistant()));
    assert!(kinds.contains("Home Assistant keeps its accounts in a directory of documents"), "{kinds}");
    let server_only = Facts { stores: vec![StoreKind::Postgres], title: "App".into(), ..Facts::default() };
    assert!(refusal(spec("/tmp").resolve(&server_only)).contains("a PostgreSQL server"));
    assert!(spec("postgres://u@h/d").resolve(&server_only).is_ok());
}

#[test]
fn the_instance_adds_paths_and_encryption_to_what_the_settings_name() {
    let mut instance = ad_hoc("homarr:postgresql://u@h/d");
    instance.paths = vec![("/appdata".into(), "/srv/homarr".into())];
    instance.tls = Some("verify".into());
    let Some(Location::Postgres(server)) = instance.location(&homarr()).unwrap() else { panic!("no server") };
    assert_eq!(server.tls.as_deref(), Some("verify"));
    let found = instance.adjusted(Location::Sqlite { path: "/appdata/db/db.sqlite".into() });
    assert_eq!(found, Location::Sqlite { path: "/srv/homarr/db/db.sqlite".into() });
    instance.store = Some(spec("mysql://u@h/d?tls=disable"));
    let Some(Location::Mysql(server)) = instance.location(&homarr()).unwrap() else { panic!("no server") };
    assert_eq!(server.tls.as_deref(), Some("disable"));
    instance.store = None;
    assert_eq!(instance.location(&homarr()).unwrap(), None);
}

#[test]
fn a_similar_word_is_found_and_a_different_one_is_not() {
    let known = ["homarr", "photos", "home"];
    assert_eq!(similar("Homar", known), Some("homarr"));
    assert_eq!(similar("phtoos", known), Some("photos"));
    assert_eq!(similar("phot", known), Some("photos"));
    assert_eq!(similar("authelia", known), None);
}
