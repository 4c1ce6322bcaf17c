//! Database URLs, as Node's drivers read them.

use latchlift_plugin_api::{Error, Kind, Result, Server};

/// Reads `scheme://user:password@host:port/database?parameters`. Its errors do not show the URL: it holds a password.
///
/// # Errors
/// It is no URL of that scheme, or lacks host or database.
pub fn parse(url: &str, usual_port: u16) -> Result<Server> {
    let bad = |what: &str| Error::new(Kind::Usage, format!("Homarr's DB_URL {what}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("is not a URL, but DB_DRIVER names a server"))?;
    let expected: &[&str] = if usual_port == 3306 { &["mysql"] } else { &["postgres", "postgresql"] };
    if !expected.contains(&scheme) {
        return Err(bad(&format!("begins with `{scheme}:`, but DB_DRIVER wants `{}:`", expected[0])));
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(decode(password))),
        None => (login, None),
    };
    let (host, port) = address_parts(address).ok_or_else(|| bad("has a port that is no number"))?;
    let mut server = Server {
        host: decode(host),
        port: port.unwrap_or(usual_port),
        user: decode(user),
        password: password.filter(|password| !password.is_empty()),
        database: decode(database.split('#').next().unwrap_or_default()),
        ..Server::default()
    };
    query.split('&').filter_map(|pair| pair.split_once('=')).for_each(|(name, value)| {
        parameter(&mut server, name, &decode(value));
    });
    match (server.host.is_empty() && server.socket.is_none(), server.database.is_empty()) {
        (true, _) => Err(bad("names no host")),
        (_, true) => Err(bad("names no database")),
        _ => Ok(server),
    }
}

/// Host and port; `[::1]:3306` loses its brackets. `None` for a bad port.
fn address_parts(address: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
    };
    match port.filter(|port| !port.is_empty()) {
        Some(port) => Some((host, Some(port.parse().ok()?))),
        None => Some((host, None)),
    }
}

/// The parameters of Node's `pg` and `mysql2` that say where or how to connect.
fn parameter(server: &mut Server, name: &str, value: &str) {
    match name {
        "socketPath" => server.socket = Some(value.to_owned()),
        "host" if value.starts_with('/') => server.socket = Some(value.to_owned()),
        "host" if server.host.is_empty() => server.host = value.to_owned(),
        "sslmode" => {
            server.tls = match value {
                "disable" => Some("disable".to_owned()),
                "require" | "no-verify" => Some("require".to_owned()),
                "verify-ca" | "verify-full" => Some("verify".to_owned()),
                _ => None,
            }
        }
        "ssl" if !["", "false", "0"].contains(&value) => server.tls = Some("require".to_owned()),
        _ => {}
    }
}

/// Percent-decodes; what is no valid escape, or no UTF-8 afterwards, stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_decoded_and_have_usual_ports() {
        let server = parse("mysql://ho%40marr:p%2Fa%3As@db.lan/homarr?ssl=true", 3306).unwrap();
        assert_eq!((server.user.as_str(), server.host.as_str(), server.port), ("ho@marr", "db.lan", 3306));
        assert_eq!((server.password.as_deref(), server.tls.as_deref()), (Some("p/a:s"), Some("require")));
        let server = parse("postgresql://h:100%@[::1]:5433/homarr?sslmode=verify-full", 5432).unwrap();
        assert_eq!((server.host.as_str(), server.port, server.database.as_str()), ("::1", 5433, "homarr"));
        assert_eq!((server.password.as_deref(), server.tls.as_deref()), (Some("100%"), Some("verify")));
        let server = parse("postgres://h@/homarr?host=/run/postgresql", 5432).unwrap();
        assert_eq!((server.socket.as_deref(), server.port, server.password), (Some("/run/postgresql"), 5432, None));
    }
}
