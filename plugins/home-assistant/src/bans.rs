//! Addresses that Home Assistant refuses, after too many failed sign-ins from them.

use crate::http::Http;
use crate::schema::{BANS, Layout};
use crate::verbs::{START, stamp};
use latchlift_plugin_api::{
    Ban, Batch, Change, Context, Error, Kind, Output, Plan, Reader, Record, Request, Result, Select, Time, Value,
    delete,
};
use std::net::{IpAddr, Ipv4Addr};

/// The file, for people.
pub const FILE: &str = "ip_bans.yaml";

/// An entry of the file.
pub struct Entry {
    /// The address, as it is written there.
    pub address: String,
    /// Everything below it.
    pub body: Value,
}

impl Entry {
    /// Since when. An entry that does not say keeps the web server of some releases from starting.
    pub fn banned_at(&self) -> Option<&str> {
        let Value::Map(members) = &self.body else { return None };
        members.iter().find(|(name, _)| name == "banned_at").and_then(|(_, at)| at.as_str())
    }

    fn change(self) -> Change {
        let key = Record::new().with("@key", &self.address);
        let before = Record::new().with("@key", &self.address).with("", self.body);
        delete(BANS, key, before)
    }
}

/// The entries, in their order; none where there is no file.
///
/// # Errors
/// The file is not YAML, or not a mapping from addresses.
pub fn read(reader: &dyn Reader) -> Result<Vec<Entry>> {
    let Some(columns) = reader.columns("", BANS)? else { return Ok(vec![]) };
    if !columns.iter().any(|column| column.name == "@key") {
        let message =
            format!("`{FILE}` is no mapping from addresses; Home Assistant ignores it, with an error in its log");
        return Err(Error::new(Kind::Conflict, message));
    }
    let rows = reader.all(Select::from(BANS, ["@key", ""]))?;
    let entry = |row: Record| Entry {
        address: row.text("@key").unwrap_or_default(),
        body: row.get("").cloned().unwrap_or_default(),
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// Answers `ban list`.
///
/// # Errors
/// The store fails, or the file cannot be read.
pub fn list(reader: &dyn Reader, output: &mut dyn Output) -> Result<()> {
    Layout::look(reader)?.refuse_unknown()?;
    let http = Http::read(reader);
    let ban = |entry: Entry| Ban {
        banned_at: entry.banned_at().and_then(Time::parse).into(),
        note: note(&entry, &http),
        ip: entry.address,
    };
    output.emit(Batch::Bans(read(reader)?.into_iter().map(ban).collect()))
}

fn note(entry: &Entry, http: &Http) -> Option<String> {
    if entry.banned_at().is_none() {
        return Some(
            "the entry has no `banned_at`, over which older releases do not start their web server".to_owned(),
        );
    }
    let warning = hits_others(&entry.address, http).map(|who| format!("{who}: everybody behind it is locked out"));
    warning
        .or_else(|| (http.ban_enabled == Some(false)).then(|| "bans are switched off, so it has no effect".to_owned()))
}

/// What an address is, where many people share it.
pub fn hits_others(address: &str, http: &Http) -> Option<&'static str> {
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    if address.is_loopback() {
        return Some("this machine itself, or a proxy on it");
    }
    if http.trusts(address) {
        return Some("a trusted proxy");
    }
    let IpAddr::V4(address) = address else { return None };
    let last = address.octets()[3];
    match address.is_private() && (last == 1 || last == 254) {
        true if is_container_network(address) => Some("probably the gateway of a container network"),
        true => Some("probably the router"),
        false => None,
    }
}

/// Docker takes its networks from here; Supervisor's is 172.30.32.0/23.
fn is_container_network(address: Ipv4Addr) -> bool {
    address.octets()[0] == 172
}

/// Plans the end of some bans, or of all.
///
/// # Errors
/// The store fails, or the file cannot be read.
pub fn clear(context: &Context<'_>, request: &Request) -> Result<Plan> {
    Layout::look(context.reader)?.refuse_unknown()?;
    let http = Http::read(context.reader);
    let wanted = |entry: &Entry| request.options.all || request.ids.iter().any(|typed| same(typed, &entry.address));
    let entries = match read(context.reader) {
        Err(error) if error.kind == Kind::Conflict && request.options.all => return aside(context, request),
        other => other?,
    };
    let (gone, kept): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(wanted);
    let mut plan = Plan::new(match &gone[..] {
        [] => "No address to let in again".to_owned(),
        [only] => format!("Let {} in again", only.address),
        several => format!("Let {} addresses in again", several.len()),
    });
    let missing: Vec<&str> = request.ids.iter().map(String::as_str).collect();
    let missing: Vec<&str> =
        missing.into_iter().filter(|typed| !gone.iter().any(|entry| same(typed, &entry.address))).collect();
    if !missing.is_empty() {
        plan = plan.warn(format!("{} is not banned", missing.join(", ")));
    }
    for (who, entry) in gone.iter().filter_map(|entry| Some((hits_others(&entry.address, &http)?, entry))) {
        let cause =
            "the true addresses of visitors do not get through: set `use_x_forwarded_for` and `trusted_proxies`";
        plan = plan.warn(format!("{} is {who}; it will be banned again as long as {cause}", entry.address));
    }
    for entry in kept.iter().filter(|entry| hits_others(&entry.address, &http).is_some()) {
        plan = plan.warn(format!("{} stays banned, and with it everybody behind it", entry.address));
    }
    if !gone.is_empty() {
        plan = plan.then(START);
    }
    Ok(plan.step(gone.into_iter().map(Entry::change).collect()))
}

/// Plans the end of a file that cannot be read: nobody can say what else is in it, so it is kept under another name.
fn aside(context: &Context<'_>, request: &Request) -> Result<Plan> {
    let sha256 = context.reader.digest("", "ip_bans")?.unwrap_or_default();
    let to = format!("{FILE}.before-clear.{}", stamp(request.now));
    let plan = Plan::new(format!("Put `{FILE}` aside, which cannot be read"));
    Ok(plan.step(vec![Change::Move { from: "ip_bans".to_owned(), to, sha256 }]).then(START))
}

/// Whether an address is the one typed, however either is written.
fn same(typed: &str, address: &str) -> bool {
    let parsed = |text: &str| text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical());
    typed == address || parsed(typed).is_some_and(|typed| parsed(address) == Some(typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_many_share_are_told() {
        let http = Http { proxies: vec!["10.9.0.0/16".into(), "2001:db8::/32".into()], ..Http::default() };
        let told = |address| hits_others(address, &http).is_some();
        for shared in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.9.8.7", "2001:db8::5", "172.17.0.1", "192.168.1.1"] {
            assert!(told(shared), "{shared}");
        }
        for own in ["192.168.1.20", "203.0.113.1", "2001:db9::5", "host.example"] {
            assert!(!told(own), "{own}");
        }
    }

    #[test]
    fn an_address_is_found_however_it_is_written() {
        assert!(same("::ffff:192.0.2.1", "192.0.2.1") && same("2001:DB8:0::5", "2001:db8::5"));
        assert!(!same("192.0.2.1", "192.0.2.10"));
    }
}
