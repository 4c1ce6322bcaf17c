//! Failed sign-ins and bans, as Home Assistant's log tells them. It keeps one log per start, and the one before it.

use crate::schema::Layout;
use latchlift_plugin_api::{Batches, Error, Login, Output, Reader, Request, Result, Time};

/// The logs, oldest first.
const LOGS: [&str; 2] = ["home-assistant.log.1", "home-assistant.log"];
/// Who writes these lines. Upstream: homeassistant/components/http/ban.py.
const LOGGER: &str = "[homeassistant.components.http.ban]";
/// Answers `login list`, newest first.
///
/// # Errors
/// An account was named, which the log never does, or the store fails.
pub fn list(reader: &dyn Reader, request: &Request, output: &mut dyn Output) -> Result<()> {
    Layout::look(reader)?.refuse_unknown()?;
    if request.target.is_some() {
        let why = "Home Assistant's log names the addresses of failed sign-ins and never the account";
        return Err(Error::unsupported(why).help("see all of them: `latchlift login list`"));
    }
    let mut found = vec![];
    for log in LOGS {
        let lines = reader.lines("", log, LOGGER)?;
        found.extend(lines.iter().filter_map(|line| login(line)));
    }
    let mut logins = Batches::logins(output);
    found.into_iter().rev().try_for_each(|login| logins.push(login))?;
    logins.finish()
}

/// `2026-11-21 02:00:00.123 WARNING (MainThread) [...] Login attempt or request with invalid authentication from HOST (IP).
/// Requested URL: '/auth/login_flow/x'. (user agent)`, or `... Banned IP 192.0.2.10 for too many login attempts`.
fn login(line: &str) -> Option<Login> {
    let (before, message) = line.split_once(LOGGER)?;
    let at = before.get(..23).or(before.get(..19)).and_then(Time::parse);
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("Banned IP ") {
        let ip = rest.split_whitespace().next().unwrap_or_default().to_owned();
        let detail = "refused from then on, after too many failures".to_owned();
        return Some(Login {
            account: None.into(),
            ip: ip.into(),
            status: "banned".into(),
            at: at.into(),
            detail: detail.into(),
        });
    }
    let (_, from) = message.split_once("invalid authentication from ")?;
    let (who, rest) = from.split_once(". ").map_or((from.trim_end_matches('.'), ""), |(who, rest)| (who, rest));
    // The host's own name comes first where it has one; a user agent may hold brackets of its own, and comes later.
    let (host, ip) = match who.rsplit_once('(') {
        Some((host, ip)) => (host.trim(), ip.trim_end_matches(')')),
        None => (who, who),
    };
    let shown = if host == ip { String::new() } else { format!("{host}; ") };
    let detail = format!("{shown}{}", without_query(rest));
    Some(Login {
        account: None.into(),
        ip: ip.to_owned().into(),
        status: "failed".to_owned(),
        at: at.into(),
        detail: Some(detail.trim_end_matches("; ").to_owned()).filter(|detail| !detail.is_empty()).into(),
    })
}

/// The address asked for and the program that did, without what may be a secret: a query, or the end of a signed path.
fn without_query(rest: &str) -> String {
    let Some((url, program)) = rest.split_once("'. ") else {
        return rest.split('?').next().unwrap_or_default().to_owned();
    };
    format!("{}'. {program}", url.split('?').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-11-21 02:00:00.123 WARNING (MainThread) [homeassistant.components.http.ban] ";

    fn told(message: &str) -> (String, String, Option<String>) {
        let login = login(&format!("{START}{message}")).unwrap();
        assert_eq!(login.at.value().map(ToString::to_string).as_deref(), Some("2026-11-21T02:00:00.123Z"));
        (login.status, login.ip.value().cloned().unwrap(), login.detail.value().cloned())
    }

    #[test]
    fn lines_of_every_age_are_read() {
        let line = "Login attempt or request with invalid authentication from laptop.lan (192.168.1.20). Requested URL: '/auth/login_flow/ab?token=secret'. (Mozilla/5.0 (X11; Linux))";
        let detail = "laptop.lan; Requested URL: '/auth/login_flow/ab'. (Mozilla/5.0 (X11; Linux))";
        assert_eq!(told(line), ("failed".into(), "192.168.1.20".into(), Some(detail.into())));
        let line = "Login attempt or request with invalid authentication from 192.168.1.20 (192.168.1.20). (curl/8)";
        assert_eq!(told(line), ("failed".into(), "192.168.1.20".into(), Some("(curl/8)".into())));
        let line = "Login attempt or request with invalid authentication from 2001:db8::5";
        assert_eq!(told(line), ("failed".into(), "2001:db8::5".into(), None));
        let banned = told("Banned IP 192.0.2.10 for too many login attempts");
        assert_eq!((&*banned.0, &*banned.1), ("banned", "192.0.2.10"));
        assert!(login(&format!("{START}something else")).is_none());
        assert!(login("no log line").is_none());
    }
}
