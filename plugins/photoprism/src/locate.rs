//! Where the database is, by PhotoPrism's own settings and their precedence: `defaults.yml`, then environment, then
//! `options.yml`, which beats a compose file. Upstream: internal/config/config_db.go, options.go; pkg/dsn.

use latchlift_plugin_api::{Error, Files, Kind, Located, Location, Result, Server, Settings, SettingsFile, StoreKind};

/// Where the official image keeps its storage.
const IMAGE_STORAGE: &str = "/photoprism/storage";
/// The database's file in the storage folder.
const INDEX: &str = "index.db";

/// The stores that the settings name: always one.
///
/// # Errors
/// A DSN that cannot be read, a password file that is not there, a database in memory.
pub fn locate(settings: &Settings, files: &dyn Files) -> Result<Vec<Located>> {
    let driver = value(settings, &["PHOTOPRISM_DATABASE_DRIVER"], &["DatabaseDriver"]).unwrap_or_default();
    let dsn = value(settings, &["PHOTOPRISM_DATABASE_DSN"], &["DatabaseDsn", "DatabaseDSN"]).unwrap_or_default();
    let location = match driver.trim().to_lowercase().as_str() {
        "mysql" | "mariadb" if dsn.trim().is_empty() => mysql(settings, files)?,
        "mysql" | "mariadb" => Location::Mysql(server_of_dsn(dsn.trim())?),
        "" | "sqlite" | "sqlite3" | "sqllite" | "test" | "file" if !dsn.trim().is_empty() => sqlite_dsn(dsn.trim())?,
        // Any other word PhotoPrism takes for SQLite, too, and then ignores the DSN.
        _ => Location::Sqlite { path: format!("{}/{INDEX}", storage(settings).trim_end_matches('/')) },
    };
    Ok(vec![Located { store: String::new(), location }])
}

/// The driver that the settings choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Driver {
    /// The kind of database it is for.
    pub kind: StoreKind,
    /// The word they choose it with.
    pub word: String,
    /// The file that says so.
    pub file: String,
    /// Another word for another kind, and the file whose word does not count.
    pub beaten: Option<(String, String)>,
}

/// The driver that the settings choose; nothing where they say nothing of it, which may be because not all were given.
pub fn driver(settings: &Settings) -> Option<Driver> {
    let said = |wanted: fn(&SettingsFile) -> bool, name: &str| {
        let files = settings.0.iter().rev().filter(move |file| wanted(file));
        let name = name.to_owned();
        files.filter_map(move |file| Some((file.values.get(&name)?.trim().to_lowercase(), file.path.clone())))
    };
    let all = said(is_options, "DatabaseDriver")
        .chain(said(is_environment, "PHOTOPRISM_DATABASE_DRIVER"))
        .chain(said(is_defaults, "DatabaseDriver"));
    let kind = |word: &str| if ["mysql", "mariadb"].contains(&word) { StoreKind::Mysql } else { StoreKind::Sqlite };
    let mut all = all.map(|(word, file)| (kind(&word), word, file));
    let (first, word, file) = all.next()?;
    let beaten = all.find(|(other, ..)| *other != first).map(|(_, word, file)| (word, file));
    Some(Driver { kind: first, word, file, beaten })
}

/// The name PhotoPrism would give the initial administrator.
pub fn admin_name(settings: &Settings) -> String {
    let names = ["PHOTOPRISM_ADMIN_USER", "PHOTOPRISM_ADMIN_USERNAME"];
    let name = value(settings, &names, &["AdminUser"]).map(crate::names::clean).unwrap_or_default();
    if name.is_empty() { "admin".to_owned() } else { name }
}

/// Whether the settings give the initial administrator a password at the start; nothing where no settings are known.
pub fn has_initial_password(settings: &Settings) -> Option<bool> {
    let names = ["PHOTOPRISM_ADMIN_PASSWORD", "PHOTOPRISM_ADMIN_PASSWORD_FILE"];
    let set = value(settings, &names, &["AdminPassword"]).is_some_and(|password| !password.trim().is_empty());
    (!settings.is_empty()).then_some(set)
}

/// Whether the settings switch the login off.
pub fn is_public(settings: &Settings) -> bool {
    let mode = value(settings, &["PHOTOPRISM_AUTH_MODE"], &["AuthMode"]).unwrap_or_default();
    let public = value(settings, &["PHOTOPRISM_PUBLIC"], &["Public"]).unwrap_or_default();
    mode.trim().eq_ignore_ascii_case("public") || ["true", "1", "yes"].contains(&public.trim().to_lowercase().as_str())
}

/// The value that wins. A name that is set to nothing still wins, as it does in PhotoPrism.
fn value<'a>(settings: &'a Settings, variables: &[&str], keys: &[&str]) -> Option<&'a str> {
    let of = |names: &[&str], wanted: fn(&SettingsFile) -> bool| {
        let files = settings.0.iter().rev().filter(|file| wanted(file));
        let values = files.flat_map(|file| names.iter().filter_map(|name| file.values.get(*name)).collect::<Vec<_>>());
        values.map(String::as_str).next()
    };
    of(keys, is_options).or_else(|| of(variables, is_environment)).or_else(|| of(keys, is_defaults))
}

fn is_environment(file: &SettingsFile) -> bool {
    file.format == "env"
}

fn is_defaults(file: &SettingsFile) -> bool {
    file.format == "yaml" && file_name(&file.path).starts_with("defaults")
}

fn is_options(file: &SettingsFile) -> bool {
    file.format == "yaml" && !is_defaults(file)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The storage folder: as set, else where `options.yml` lies in (`<storage>/config`), else the image's.
fn storage(settings: &Settings) -> String {
    let set = value(settings, &["PHOTOPRISM_STORAGE_PATH"], &["StoragePath"]).map(str::trim);
    if let Some(path) = set.filter(|path| !path.is_empty()) {
        return path.to_owned();
    }
    let options = settings.0.iter().rev().filter(|file| is_options(file));
    let folders = options.filter_map(|file| {
        let (folder, name) = file.path.rsplit_once('/')?;
        let (storage, config) = folder.rsplit_once('/')?;
        (name.starts_with("options") && ["config", "settings"].contains(&config)).then(|| storage.to_owned())
    });
    folders.into_iter().next().unwrap_or_else(|| IMAGE_STORAGE.to_owned())
}

fn mysql(settings: &Settings, files: &dyn Files) -> Result<Location> {
    let or = |name: &str, key: &str, default: &str| {
        let set = value(settings, &[name], &[key]).unwrap_or_default().trim();
        if set.is_empty() { default.to_owned() } else { set.to_owned() }
    };
    let address = or("PHOTOPRISM_DATABASE_SERVER", "DatabaseServer", "localhost");
    let mut server = address_of(&address)?;
    server.database = or("PHOTOPRISM_DATABASE_NAME", "DatabaseName", "photoprism");
    server.user = or("PHOTOPRISM_DATABASE_USER", "DatabaseUser", "photoprism");
    server.password = password(settings, files)?;
    Ok(Location::Mysql(server))
}

fn password(settings: &Settings, files: &dyn Files) -> Result<Option<String>> {
    let set = value(settings, &["PHOTOPRISM_DATABASE_PASSWORD"], &["DatabasePassword"]).unwrap_or_default();
    if !set.is_empty() {
        return Ok(Some(set.to_owned()));
    }
    let Some(path) = settings.env("PHOTOPRISM_DATABASE_PASSWORD_FILE").map(str::trim).filter(|path| !path.is_empty())
    else {
        return Ok(None);
    };
    match files.text(path)? {
        Some(text) => Ok(Some(text.trim().to_owned())),
        None => {
            Err(Error::new(Kind::Usage, format!("PHOTOPRISM_DATABASE_PASSWORD_FILE names {path}, which is not there"))
                .help("give the password with --store-password-file, or map the container's path with `paths`"))
        }
    }
}

/// `host`, `host:port`, `[::1]:port`, or a path: a unix socket.
fn address_of(address: &str) -> Result<Server> {
    if address.starts_with('/') {
        return Ok(Server { socket: Some(address.to_owned()), ..Server::default() });
    }
    let bracketed = address.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (address, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => port.parse().map_err(|_| {
            Error::new(Kind::Usage, format!("PhotoPrism's settings name the database server `{address}`: no such port"))
        })?,
        None => 0,
    };
    Ok(Server { host: host.to_owned(), port, ..Server::default() })
}

/// `user:pass@tcp(host:port)/name?params`, as Go's driver reads it: the last `/` before the parameters' database, the
/// last `@` before the address, the first `:` before the password. Nothing is URL-encoded.
fn server_of_dsn(dsn: &str) -> Result<Server> {
    let unreadable = || {
        Error::new(Kind::Usage, "PhotoPrism's DatabaseDsn is not of the form `user:password@tcp(host:port)/name`")
            .help("name the store yourself: --app photoprism:mysql://photoprism@127.0.0.1/photoprism")
    };
    let dsn = dsn.strip_prefix("mysql://").unwrap_or(dsn);
    let (front, name) = dsn.rsplit_once('/').ok_or_else(unreadable)?;
    let (credentials, address) = front.rsplit_once('@').unwrap_or(("", front));
    let (name, parameters) = name.split_once('?').unwrap_or((name, ""));
    let (net, inner) = match address.split_once('(') {
        Some((net, inner)) => (net, inner.strip_suffix(')').ok_or_else(unreadable)?),
        None => ("tcp", address),
    };
    let mut server = match (net, inner) {
        ("unix", "") => address_of("/tmp/mysql.sock")?,
        ("unix", path) => Server { socket: Some(path.to_owned()), ..Server::default() },
        (_, "") => address_of("127.0.0.1")?,
        (_, inner) => address_of(inner)?,
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    server.user = user.to_owned();
    server.password = Some(password.to_owned()).filter(|password| !password.is_empty());
    server.database = name.to_owned();
    server.tls = parameters.split('&').find_map(|pair| tls(pair.strip_prefix("tls=")?));
    Ok(server)
}

fn tls(word: &str) -> Option<String> {
    let ours = match word.to_lowercase().as_str() {
        "true" => "verify",
        "skip-verify" => "require",
        "preferred" => "prefer",
        "false" => "disable",
        _ => return None,
    };
    Some(ours.to_owned())
}

/// A path, with `file:` or `sqlite:` before it and parameters after it.
fn sqlite_dsn(dsn: &str) -> Result<Location> {
    let bare = ["file:", "sqlite:", "sqlite3:"].into_iter().find_map(|prefix| dsn.strip_prefix(prefix)).unwrap_or(dsn);
    let path = bare.split('?').next().unwrap_or(bare);
    let path = path.strip_prefix("//").map_or(path.to_owned(), |rest| format!("/{}", rest.trim_start_matches('/')));
    if path.is_empty() || path == ":memory:" || bare.contains("mode=memory") {
        return Err(Error::new(
            Kind::Usage,
            "PhotoPrism's DatabaseDsn names a database in memory; there is nothing to open",
        ));
    }
    Ok(Location::Sqlite { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct OneFile;

    impl Files for OneFile {
        fn text(&self, path: &str) -> Result<Option<String>> {
            Ok((path == "/run/secrets/db").then(|| "s3cret\n".to_owned()))
        }
    }

    fn file(path: &str, values: &[(&str, &str)]) -> SettingsFile {
        let format = if path.ends_with("yml") { "yaml" } else { "env" };
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        SettingsFile { path: path.to_owned(), format: format.to_owned(), values }
    }

    fn at(files: Vec<SettingsFile>) -> Location {
        locate(&Settings(files), &OneFile).unwrap().remove(0).location
    }

    fn server(files: Vec<SettingsFile>) -> Server {
        match at(files) {
            Location::Mysql(server) => server,
            other => panic!("{other:?}"),
        }
    }

    fn sqlite(path: &str) -> Location {
        Location::Sqlite { path: path.to_owned() }
    }

    #[test]
    fn options_beat_the_environment_which_beats_the_defaults_in_whatever_order_they_are_given() {
        let options = || file("/srv/photos/storage/config/options.yml", &[("DatabaseDriver", "sqlite")]);
        let env = || file("/srv/photos/.env", &[("PHOTOPRISM_DATABASE_DRIVER", "mysql")]);
        let defaults =
            || file("/etc/photoprism/defaults.yml", &[("DatabaseDriver", "sqlite"), ("DatabaseName", "pics")]);
        assert_eq!(at(vec![options(), env()]), sqlite("/srv/photos/storage/index.db"));
        assert_eq!(server(vec![env(), defaults()]).database, "pics");
        assert_eq!(at(vec![]), sqlite("/photoprism/storage/index.db"));
    }

    #[test]
    fn server_settings_have_photoprisms_defaults_sockets_and_secret_files() {
        let plain = server(vec![file(".env", &[("PHOTOPRISM_DATABASE_DRIVER", "MariaDB")])]);
        assert_eq!((plain.host.as_str(), plain.port, plain.user.as_str()), ("localhost", 0, "photoprism"));
        let full = server(vec![file(
            ".env",
            &[
                ("PHOTOPRISM_DATABASE_DRIVER", "mysql"),
                ("PHOTOPRISM_DATABASE_SERVER", "mariadb:3307"),
                ("PHOTOPRISM_DATABASE_PASSWORD_FILE", "/run/secrets/db"),
            ],
        )]);
        assert_eq!((full.host.as_str(), full.port, full.password.as_deref()), ("mariadb", 3307, Some("s3cret")));
        let socket = server(vec![file(
            "options.yml",
            &[("DatabaseDriver", "mysql"), ("DatabaseServer", "/run/mysqld/mysqld.sock"), ("DatabasePassword", "x")],
        )]);
        assert_eq!(
            (socket.socket.as_deref(), socket.password.as_deref()),
            (Some("/run/mysqld/mysqld.sock"), Some("x"))
        );
    }

    #[test]
    fn a_dsn_is_read_as_the_go_driver_reads_it() {
        let dsn = |text: &str| server(vec![file("options.yml", &[("DatabaseDriver", "mysql"), ("DatabaseDSN", text)])]);
        let one = dsn("photo:p@ss:/w@rd@tcp(db.example:3310)/pics?charset=utf8mb4,utf8&parseTime=true&tls=skip-verify");
        assert_eq!((one.user.as_str(), one.password.as_deref()), ("photo", Some("p@ss:/w@rd")));
        assert_eq!((one.host.as_str(), one.port, one.database.as_str()), ("db.example", 3310, "pics"));
        assert_eq!(one.tls.as_deref(), Some("require"));
        let two = dsn("photo@unix(/run/mysqld/mysqld.sock)/pics");
        assert_eq!((two.socket.as_deref(), two.password), (Some("/run/mysqld/mysqld.sock"), None));
        let three = dsn("photo:x@tcp([::1]:3306)/pics");
        assert_eq!((three.host.as_str(), three.port), ("::1", 3306));
        assert!(server_of_dsn("nothing").is_err());
    }

    #[test]
    fn sqlite_dsns_lose_prefix_and_parameters() {
        let dsn = |driver: &str, text: &str| {
            at(vec![file(".env", &[("PHOTOPRISM_DATABASE_DRIVER", driver), ("PHOTOPRISM_DATABASE_DSN", text)])])
        };
        assert_eq!(dsn("sqlite", "file:/data/p.db?_busy_timeout=5000"), sqlite("/data/p.db"));
        assert_eq!(dsn("", "sqlite:///data/p.db"), sqlite("/data/p.db"));
        assert_eq!(dsn("tidb", "whatever"), sqlite("/photoprism/storage/index.db"));
        let memory = Settings(vec![file(".env", &[("PHOTOPRISM_DATABASE_DSN", ":memory:?cache=shared")])]);
        assert!(locate(&memory, &OneFile).is_err());
    }

    #[test]
    fn the_driver_chosen_is_known_with_the_one_it_beats() {
        let options = || file("/srv/options.yml", &[("DatabaseDriver", "sqlite")]);
        let env = || file("/srv/.env", &[("PHOTOPRISM_DATABASE_DRIVER", "MariaDB")]);
        assert_eq!(driver(&Settings(vec![])), None);
        let alone = driver(&Settings(vec![env()])).unwrap();
        assert_eq!((alone.kind, alone.beaten), (StoreKind::Mysql, None));
        let both = driver(&Settings(vec![options(), env()])).unwrap();
        assert_eq!((both.kind, both.file.as_str()), (StoreKind::Sqlite, "/srv/options.yml"));
        assert_eq!(both.beaten, Some(("mariadb".to_owned(), "/srv/.env".to_owned())));
    }

    #[test]
    fn public_mode_and_the_admins_name_are_read() {
        let settings = |pairs: &[(&str, &str)]| Settings(vec![file(".env", pairs)]);
        assert!(is_public(&settings(&[("PHOTOPRISM_AUTH_MODE", "public")])));
        assert!(is_public(&settings(&[("PHOTOPRISM_PUBLIC", "true")])));
        assert!(!is_public(&settings(&[("PHOTOPRISM_AUTH_MODE", "password")])));
        assert_eq!(admin_name(&settings(&[("PHOTOPRISM_ADMIN_USER", "Boss")])), "boss");
        assert_eq!(admin_name(&settings(&[])), "admin");
    }
}
