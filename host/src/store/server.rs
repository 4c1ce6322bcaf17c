//! What the database servers share: where one is, how long to wait for it, whether to encrypt.

use crate::error::{Error, Kind, Result};
use latchlift_plugin_api::Server;
use std::net::IpAddr;
use std::sync::mpsc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a server may take to answer the door: to connect, encrypt and sign in.
pub const CONNECT: Duration = Duration::from_secs(10);

/// How long a statement may take beyond waiting for locks, before the server counts as gone.
pub const STATEMENT: Duration = Duration::from_secs(120);

/// A database on a server, with what it takes to get in.
#[derive(Clone)]
pub struct Target {
    /// `mysql` or `postgres`.
    pub scheme: &'static str,
    /// Where it is.
    pub server: Server,
    /// The database user's password.
    pub password: Option<Zeroizing<String>>,
    /// How long to wait for a lock.
    pub patience: Duration,
}

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    Plain,
    /// Encrypted, whoever answers.
    Unverified,
    /// Encrypted, and the certificate is checked.
    Verified,
}

/// Why one attempt to connect failed.
pub struct Refusal {
    /// The failure.
    pub error: Error,
    /// Whether it might go well encrypted the other way.
    pub about_encryption: bool,
}

impl Target {
    /// The URL, for people: never a password.
    pub fn place(&self) -> String {
        let Server { host, socket, user, database, .. } = &self.server;
        let (user, database) = (encoded(user, ""), encoded(database, ""));
        let scheme = self.scheme;
        match socket {
            Some(socket) => format!("{scheme}://{user}@localhost/{database}?socket={}", encoded(socket, "/")),
            None if host.contains(':') => format!("{scheme}://{user}@[{host}]:{}/{database}", self.port()),
            None => format!("{scheme}://{user}@{}:{}/{database}", self.host(), self.port()),
        }
    }

    /// The server's name or address.
    pub fn host(&self) -> &str {
        if self.server.host.is_empty() { "127.0.0.1" } else { &self.server.host }
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        match (self.server.port, self.scheme) {
            (0, "mysql") => 3306,
            (0, _) => 5432,
            (port, _) => port,
        }
    }

    /// Connects, encrypted as the settings ask.
    ///
    /// A unix socket is never encrypted: nobody can listen in. `prefer`, the default, goes plainly to this machine's own
    /// address and encrypted everywhere else, and takes the other way where the server insists; the certificate is not
    /// checked, for the same settings would accept no encryption at all.
    ///
    /// # Errors
    /// [`Kind::Config`] where the settings ask for something unknown; what `open` says.
    pub fn connect<C>(&self, open: impl Fn(Encryption) -> std::result::Result<C, Refusal>) -> Result<C> {
        let mut failed: Option<Error> = None;
        for encryption in self.attempts()? {
            match open(encryption) {
                Ok(connection) => return Ok(connection),
                Err(Refusal { error, about_encryption }) => {
                    failed = Some(telling(failed, error));
                    if !about_encryption {
                        break;
                    }
                }
            }
        }
        Err(failed.unwrap_or_else(|| self.silent()))
    }

    fn attempts(&self) -> Result<Vec<Encryption>> {
        use Encryption::{Plain, Unverified, Verified};
        let wanted = self.server.tls.as_deref().unwrap_or("prefer");
        Ok(match wanted {
            "disable" | "prefer" | "require" | "verify" if self.server.socket.is_some() => vec![Plain],
            "disable" => vec![Plain],
            "prefer" if is_loopback(self.host()) => vec![Plain, Unverified],
            "prefer" => vec![Unverified, Plain],
            "require" => vec![Unverified],
            "verify" => vec![Verified],
            other => {
                let message = format!("`tls` of {} is `{other}`, which means nothing", self.place());
                return Err(Error::new(Kind::Config, message).help("it may be disable, prefer, require or verify"));
            }
        })
    }

    /// Nobody can be reached.
    pub fn unreachable(&self, why: &str) -> Error {
        let error = Error::new(Kind::Unreachable, format!("cannot reach {}: {why}", self.place()));
        error.help("see that the database runs (docker ps) and that its port or socket is there on this machine")
    }

    /// The server takes the connection but says nothing.
    pub fn silent(&self) -> Error {
        self.unreachable(&format!("it did not answer within {} seconds", CONNECT.as_secs()))
    }

    /// The server and we do not agree on how to encrypt, or its certificate is not trusted.
    pub fn not_encrypted(&self, why: &str) -> Error {
        let said = why.to_lowercase();
        let reasons = [
            ("unknownissuer", "its certificate is signed by nobody known here"),
            ("notvalidforname", "its certificate is made out to another name"),
            ("expired", "its certificate has expired"),
        ];
        let known = reasons.iter().find(|(word, _)| said.contains(word)).map(|(_, reason)| *reason);
        let why = known.unwrap_or(why);
        let error = Error::new(Kind::Unreachable, format!("cannot encrypt the way to {}: {why}", self.place()));
        error.help(
            "name the authority of its certificate in SSL_CERT_FILE, or set `tls` to require where nobody listens in",
        )
    }

    /// The connection broke off.
    pub fn lost(&self, why: &str) -> Error {
        Error::new(Kind::Unreachable, format!("the connection to {} broke off: {why}", self.place()))
    }

    /// The connection broke off when nobody can tell any more what became of the change.
    pub fn unfinished(&self, why: &str) -> Error {
        let message = format!("nobody can tell whether {} took the change: {why}", self.place());
        Error::new(Kind::Unfinished, message)
    }

    /// The server does not let the database user in.
    pub fn refused_user(&self, why: &str) -> Error {
        let user = &self.server.user;
        let error = Error::new(Kind::Denied, format!("{} refused the database user `{user}`: {why}", self.place()));
        match self.password {
            None => error.help(
                "no password was given for it: use --store-password-file FILE, or --settings FILE with the app's own \
                 settings",
            ),
            Some(_) => error.help(
                "the password of the database user is meant, not that of an account of the app; a database keeps the one \
                 it was first started with, whatever a compose file says since",
            ),
        }
    }

    /// The database user may not do something.
    pub fn not_allowed(&self, why: &str) -> Error {
        let user = &self.server.user;
        Error::new(Kind::Denied, format!("the database user `{user}` may not do that at {}: {why}", self.place()))
            .help("use the database user the app itself uses")
    }

    /// The server takes no writes.
    pub fn read_only(&self) -> Error {
        Error::new(Kind::Denied, format!("{} takes no changes: it is read-only, perhaps a replica", self.place()))
            .help("name the primary server instead")
    }

    /// Somebody else holds what is needed.
    pub fn locked(&self, what: &str) -> Error {
        let error = Error::new(Kind::Locked, format!("{what}: {}", self.place()));
        error.help("stop the app first, or wait longer with --lock-timeout 60")
    }

    /// Somebody else held a lock for as long as we wait.
    pub fn held(&self) -> Error {
        self.locked(&format!(
            "the database was held locked for {}",
            crate::error::seconds(self.patience.max(Duration::from_secs(1)))
        ))
    }

    /// The data does not allow the change.
    pub fn conflict(&self, why: &str) -> Error {
        Error::new(Kind::Conflict, format!("{} refused the change: {why}", self.place()))
    }
}

/// Which of two failed attempts tells more: the later, unless the first got as far as being turned away.
fn telling(first: Option<Error>, later: Error) -> Error {
    match first {
        Some(first) if first.kind == Kind::Denied && later.kind != Kind::Denied => first,
        _ => later,
    }
}

/// Does `work` in a thread of its own and gives up on it after a while: the drivers' own limits end when the server has
/// taken the connection, and a stopped server takes it and then says nothing.
pub fn within<T: Send + 'static>(wait: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::Builder::new().spawn(move || drop(tell.send(work())));
    thread.ok()?;
    told.recv_timeout(wait).ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn encoded(text: &str, plain: &str) -> String {
    let mut url = String::new();
    for byte in text.bytes() {
        let letter = char::from(byte);
        match letter.is_ascii_alphanumeric() || "-._~".contains(letter) || plain.contains(letter) {
            true => url.push(letter),
            false => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(scheme: &'static str, server: Server) -> Target {
        let server = Server { user: "app".into(), database: "photos".into(), ..server };
        Target { scheme, server, password: Some("hunter2".to_owned().into()), patience: Duration::from_secs(5) }
    }

    #[test]
    fn the_place_names_everything_but_the_password() {
        let at = |host: &str, port| target("mysql", Server { host: host.into(), port, ..Server::default() }).place();
        assert_eq!(at("db.example.org", 0), "mysql://app@db.example.org:3306/photos");
        assert_eq!(at("::1", 3307), "mysql://app@[::1]:3307/photos");
        let socket = Server { socket: Some("/run/my sql/sock".into()), ..Server::default() };
        assert_eq!(target("mysql", socket).place(), "mysql://app@localhost/photos?socket=/run/my%20sql/sock");
        let odd = Server { host: "h".into(), ..Server::default() };
        let odd = Target {
            server: Server { user: "a@b".into(), database: "x/y".into(), ..odd },
            ..target("postgres", Server::default())
        };
        assert_eq!(odd.place(), "postgres://a%40b@h:5432/x%2Fy");
    }

    #[test]
    fn only_a_stranger_is_asked_for_encryption_first() {
        use Encryption::{Plain, Unverified, Verified};
        let ways = |host: &str, tls: Option<&str>| {
            let server = Server { host: host.into(), tls: tls.map(str::to_owned), ..Server::default() };
            target("mysql", server).attempts().unwrap()
        };
        assert_eq!(ways("127.0.0.1", None), [Plain, Unverified]);
        assert_eq!(ways("db.example.org", None), [Unverified, Plain]);
        assert_eq!(ways("127.0.0.1", Some("require")), [Unverified]);
        assert_eq!(ways("db.example.org", Some("verify")), [Verified]);
        assert_eq!(ways("db.example.org", Some("disable")), [Plain]);
    }

    #[test]
    fn a_word_for_encryption_that_means_nothing_is_a_mistake_in_the_configuration() {
        let server = Server { tls: Some("yes".into()), ..Server::default() };
        assert_eq!(target("mysql", server).attempts().unwrap_err().kind, Kind::Config);
    }

    #[test]
    fn a_wrong_password_is_not_hidden_by_the_lack_of_encryption() {
        let server = |host: &str| Server { host: host.into(), ..Server::default() };
        for host in ["127.0.0.1", "db.example.org"] {
            let target = target("mysql", server(host));
            let refused = target.connect(|encryption| {
                let error = match encryption {
                    Encryption::Plain => target.refused_user("wrong password"),
                    _ => target.unreachable("no encryption here"),
                };
                Err::<(), _>(Refusal { error, about_encryption: true })
            });
            assert_eq!(refused.unwrap_err().kind, Kind::Denied, "{host}");
        }
    }

    #[test]
    fn a_server_that_says_nothing_is_given_up_on() {
        assert_eq!(within(Duration::from_millis(20), || std::thread::sleep(Duration::from_secs(2))), None);
        assert_eq!(within(Duration::from_secs(5), || 7), Some(7));
    }
}
