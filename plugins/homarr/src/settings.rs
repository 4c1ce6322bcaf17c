//! Homarr's own settings: where its database is, and whether passwords are accepted at all.

use crate::url;
use latchlift_plugin_api::{Error, Files, Kind, Located, Location, Result, Server, Settings};

/// Where the image keeps SQLite's file.
const DEFAULT_FILE: &str = "/appdata/db/db.sqlite";

/// Which ways to sign in Homarr's settings switch on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Providers {
    /// `AUTH_PROVIDERS`, where the settings name it.
    listed: Option<Vec<String>>,
}

impl Providers {
    /// Reads `AUTH_PROVIDERS`. Homarr takes an unset or empty one as `credentials`; here that leaves every provider
    /// standing, because the variable may well be set in a file that was not given.
    pub fn of(settings: &Settings) -> Providers {
        let list = |text: &str| text.replace(' ', "").to_lowercase().split(',').map(str::to_owned).collect();
        Providers { listed: settings.env("AUTH_PROVIDERS").filter(|text| !text.trim().is_empty()).map(list) }
    }

    /// Whether accounts of this provider may sign in, as far as the settings tell.
    pub fn allow(&self, provider: &str) -> bool {
        self.listed.as_ref().is_none_or(|listed| listed.iter().any(|name| name == provider))
    }
}

/// The database that Homarr's environment names, in its own precedence.
///
/// # Errors
/// The environment names a driver or URL that Homarr would not start with.
pub fn locate(settings: &Settings, files: &dyn Files) -> Result<Vec<Located>> {
    let environment = Environment { settings, files };
    let url = environment.get("DB_URL")?;
    let location = match driver(&environment, url.as_deref())? {
        Driver::Sqlite => Location::Sqlite { path: url.unwrap_or_else(|| DEFAULT_FILE.to_owned()) },
        Driver::Mysql => Location::Mysql(server(&environment, url, 3306)?),
        Driver::Postgres => Location::Postgres(server(&environment, url, 5432)?),
    };
    Ok(vec![Located { store: String::new(), location }])
}

#[derive(Clone, Copy)]
enum Driver {
    Sqlite,
    Mysql,
    Postgres,
}

/// The variables as the container's entry point leaves them.
struct Environment<'a> {
    settings: &'a Settings,
    files: &'a dyn Files,
}

impl Environment<'_> {
    /// A variable's value; empty counts as unset. `NAME_FILE` wins where its file can be read, as in the entry point.
    fn get(&self, name: &str) -> Result<Option<String>> {
        let plain = self.settings.env(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let Some(path) = self.settings.env(&format!("{name}_FILE")).filter(|path| !path.is_empty()) else {
            return Ok(plain);
        };
        match self.files.text(path) {
            Ok(Some(text)) => Ok(Some(text.replace(['\r', '\n'], ""))),
            Ok(None) => Ok(plain),
            Err(_) if plain.is_some() => Ok(plain),
            Err(why) => Err(why),
        }
    }
}

/// `DB_DRIVER`; where it is not given, what the start script reads (`DB_DIALECT`) or the URL itself says.
fn driver(environment: &Environment<'_>, url: Option<&str>) -> Result<Driver> {
    if let Some(driver) = environment.get("DB_DRIVER")? {
        return match driver.as_str() {
            "better-sqlite3" => Ok(Driver::Sqlite),
            "mysql2" => Ok(Driver::Mysql),
            "node-postgres" => Ok(Driver::Postgres),
            other => Err(unknown("DB_DRIVER", other, "better-sqlite3, mysql2 or node-postgres")),
        };
    }
    if let Some(dialect) = environment.get("DB_DIALECT")? {
        return match dialect.as_str() {
            "sqlite" => Ok(Driver::Sqlite),
            "mysql" => Ok(Driver::Mysql),
            "postgresql" => Ok(Driver::Postgres),
            other => Err(unknown("DB_DIALECT", other, "sqlite, mysql or postgresql")),
        };
    }
    Ok(match url.and_then(|url| url.split_once("://")).map(|(scheme, _)| scheme) {
        Some("mysql") => Driver::Mysql,
        Some("postgres" | "postgresql") => Driver::Postgres,
        _ => Driver::Sqlite,
    })
}

fn unknown(variable: &str, value: &str, known: &str) -> Error {
    Error::new(Kind::Usage, format!("Homarr's {variable} is `{value}`; it knows {known}"))
}

/// The server: from `DB_HOST` and its companions where that is set, else from the URL. Homarr's documentation says it
/// the other way round, but the image always sets `DB_URL` (to SQLite's file), and the program looks at `DB_HOST` first.
fn server(environment: &Environment<'_>, url: Option<String>, usual_port: u16) -> Result<Server> {
    let Some(host) = environment.get("DB_HOST")? else {
        let missing = || Error::new(Kind::Usage, "the settings name a database server but neither DB_HOST nor DB_URL");
        return url::parse(&url.ok_or_else(missing)?, usual_port);
    };
    let port = match environment.get("DB_PORT")? {
        Some(port) => port.trim().parse().map_err(|_| unknown("DB_PORT", &port, "numbers up to 65535"))?,
        None => usual_port,
    };
    let required = |name: &str| -> Result<String> {
        let missing = || Error::new(Kind::Usage, format!("the settings have DB_HOST but not {name}"));
        environment.get(name)?.ok_or_else(missing)
    };
    let socket = host.starts_with('/').then(|| host.clone());
    Ok(Server {
        host: if socket.is_some() { String::new() } else { host },
        port,
        socket,
        user: required("DB_USER")?,
        password: environment.get("DB_PASSWORD")?,
        database: required("DB_NAME")?,
        tls: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::settings;

    struct Secrets;
    impl Files for Secrets {
        fn text(&self, path: &str) -> Result<Option<String>> {
            match path {
                "/run/secrets/pw" => Ok(Some("s3c\nret\r\n".to_owned())),
                "/root/closed" => Err(Error::new(Kind::Denied, "cannot read /root/closed")),
                _ => Ok(None),
            }
        }
    }

    fn located(pairs: &[(&str, &str)]) -> Result<Location> {
        locate(&settings(pairs), &Secrets).map(|mut stores| stores.remove(0).location)
    }

    fn on_server(pairs: &[(&str, &str)]) -> Server {
        match located(pairs).unwrap() {
            Location::Mysql(server) | Location::Postgres(server) => server,
            other => panic!("not a server: {other:?}"),
        }
    }

    #[test]
    fn the_default_is_the_images_file() {
        assert_eq!(located(&[]).unwrap(), Location::Sqlite { path: DEFAULT_FILE.into() });
        assert_eq!(
            located(&[("DB_URL", "/opt/homarr_db/db.sqlite"), ("DB_DRIVER", "better-sqlite3"), ("DB_HOST", "x")])
                .unwrap(),
            Location::Sqlite { path: "/opt/homarr_db/db.sqlite".into() }
        );
    }

    #[test]
    fn db_host_goes_before_db_url() {
        let server = on_server(&[
            ("DB_DRIVER", "mysql2"),
            ("DB_URL", "/appdata/db/db.sqlite"),
            ("DB_HOST", "db"),
            ("DB_USER", "homarr"),
            ("DB_PASSWORD", "plain"),
            ("DB_NAME", "homarrdb"),
        ]);
        assert_eq!((server.host.as_str(), server.port, server.database.as_str()), ("db", 3306, "homarrdb"));
        assert_eq!(server.password.as_deref(), Some("plain"));
    }

    #[test]
    fn a_secret_file_goes_before_the_variable_and_loses_its_newlines() {
        let base = [("DB_DRIVER", "node-postgres"), ("DB_HOST", "db"), ("DB_USER", "h"), ("DB_NAME", "h")];
        let with = |more: &[(&'static str, &'static str)]| located(&[&base, more].concat());
        let password = |location| match location {
            Location::Postgres(server) => server.password,
            other => panic!("not PostgreSQL: {other:?}"),
        };
        let file = ("DB_PASSWORD_FILE", "/run/secrets/pw");
        assert_eq!(password(with(&[("DB_PASSWORD", "old"), file]).unwrap()).as_deref(), Some("s3cret"));
        assert_eq!(password(with(&[("DB_PASSWORD_FILE", "/gone")]).unwrap()), None);
        assert_eq!(
            password(with(&[("DB_PASSWORD", "p"), ("DB_PASSWORD_FILE", "/root/closed")]).unwrap()).as_deref(),
            Some("p")
        );
        assert_eq!(with(&[("DB_PASSWORD_FILE", "/root/closed")]).unwrap_err().kind, Kind::Denied);
    }

    #[test]
    fn settings_homarr_would_not_start_with_are_refused_without_showing_the_password() {
        for pairs in [
            &[("DB_DRIVER", "mysql")][..],
            &[("DB_DRIVER", "mysql2")],
            &[("DB_DRIVER", "mysql2"), ("DB_URL", "/appdata/db/db.sqlite")],
            &[("DB_DRIVER", "mysql2"), ("DB_URL", "postgres://h:geheim@db/x")],
            &[("DB_DRIVER", "mysql2"), ("DB_URL", "mysql://h:geheim@db:99999/x")],
            &[("DB_DRIVER", "mysql2"), ("DB_URL", "mysql://h:geheim@db")],
            &[("DB_DRIVER", "mysql2"), ("DB_HOST", "db"), ("DB_USER", "h")],
        ] {
            let error = located(pairs).unwrap_err();
            assert!(error.kind == Kind::Usage && !error.message.contains("geheim"), "{pairs:?}: {error}");
        }
    }

    #[test]
    fn providers_are_read_as_homarr_reads_them() {
        let providers = Providers::of(&settings(&[("AUTH_PROVIDERS", " OIDC, Credentials")]));
        assert!(providers.allow("credentials") && providers.allow("oidc") && !providers.allow("ldap"));
        assert!(!Providers::of(&settings(&[("AUTH_PROVIDERS", "oidc")])).allow("credentials"));
        // Upstream's command line tests for a substring; its web login does not.
        assert!(!Providers::of(&settings(&[("AUTH_PROVIDERS", "notcredentials")])).allow("credentials"));
        assert!(Providers::of(&settings(&[])).allow("credentials"));
    }
}
