//! What is configured about the web server: who forwards requests, and whether addresses get banned.
//!
//! Since 2026.8 the settings are kept in the store `http` and those of `configuration.yaml` are imported once and then
//! ignored; before, the store only had a copy of the last ones that worked.

use crate::settings;
use latchlift_plugin_api::{Reader, Record, Select, Value};
use std::net::IpAddr;

/// The store. Upstream: homeassistant/components/http/storage.py.
const STORE: &str = "http#";

/// Settings of the web server, as far as they can be read.
#[derive(Debug, Default)]
pub struct Http {
    /// The addresses and networks that may say whom they forward requests for.
    pub proxies: Vec<String>,
    /// Whether what they say counts.
    pub forwarded: Option<bool>,
    /// Whether addresses get banned.
    pub ban_enabled: Option<bool>,
    /// What went wrong when the newest settings were tried.
    pub error: Option<String>,
    /// The version of the store, where there is one.
    pub version: Option<i64>,
    /// The file the settings are from.
    pub source: &'static str,
}

impl Http {
    /// Reads the settings that the next start will use. What cannot be read is left unsaid.
    pub fn read(reader: &dyn Reader) -> Http {
        match stored(reader) {
            Some(http) if http.version.is_some_and(|version| version >= 2) => http,
            other => Http { version: other.and_then(|http| http.version), ..from_yaml(reader) },
        }
    }

    /// Whether an address is one of the proxies'.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| contains(network, address))
    }

    /// Networks of proxies that hold a single address although they end like a network's.
    pub fn narrow_proxies(&self) -> Vec<&str> {
        let narrow = |proxy: &&String| {
            let (address, mask) = proxy.split_once('/').unwrap_or((proxy, ""));
            let single = mask == "32" || mask == "128";
            single && (address.ends_with(".0") || address.ends_with("::"))
        };
        self.proxies.iter().filter(narrow).map(String::as_str).collect()
    }
}

fn stored(reader: &dyn Reader) -> Option<Http> {
    reader.columns("", STORE).ok()??;
    let fields = ["/version", "/data/stable", "/data/pending"];
    let row = reader.first(Select::from(STORE, fields)).ok()??;
    let error = |part: &str| member(row.get(part)?, "error").and_then(Value::to_text);
    // A pending set is tried at the start unless it went wrong before.
    let pending = row.get("/data/pending").filter(|pending| matches!(pending, Value::Map(_)));
    let used = match (pending, error("/data/pending")) {
        (Some(pending), None) => Some(pending),
        _ => row.get("/data/stable"),
    };
    let http = used.map(of_map).unwrap_or_default();
    Some(Http { version: version(&row), error: error("/data/pending"), source: ".storage/http", ..http })
}

fn version(row: &Record) -> Option<i64> {
    row.int("/version")
}

fn of_map(map: &Value) -> Http {
    let proxies = match member(map, "trusted_proxies") {
        Some(Value::List(items)) => items.iter().filter_map(Value::to_text).collect(),
        Some(one) => one.to_text().into_iter().collect(),
        None => vec![],
    };
    Http {
        proxies,
        forwarded: member(map, "use_x_forwarded_for").and_then(Value::as_bool),
        ban_enabled: member(map, "ip_ban_enabled").and_then(Value::as_bool),
        ..Http::default()
    }
}

fn member<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Map(members) = map else { return None };
    members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn from_yaml(reader: &dyn Reader) -> Http {
    let text = reader.document("", "configuration.yaml").ok().flatten().unwrap_or_default();
    let include = |name: &str| reader.document("", name).ok().flatten();
    let scalars = |key: &str| settings::scalars(&text, "http", key, &include).unwrap_or_default();
    let first = |key: &str| scalars(key).into_iter().next();
    let yes = |key: &str| first(key).map(|value| matches!(&*value.to_lowercase(), "true" | "yes" | "on"));
    Http {
        proxies: scalars("trusted_proxies"),
        forwarded: yes("use_x_forwarded_for"),
        ban_enabled: yes("ip_ban_enabled"),
        source: "configuration.yaml",
        ..Http::default()
    }
}

/// Whether a network such as `10.0.0.0/8`, or a single address, holds an address.
fn contains(network: &str, address: IpAddr) -> bool {
    let (base, mask) = network.split_once('/').unwrap_or((network, ""));
    let Ok(base) = base.trim().parse::<IpAddr>() else { return false };
    let (base, address) = (base.to_canonical(), address.to_canonical());
    let (base, address, width) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => (u128::from(u32::from(base)), u128::from(u32::from(address)), 32),
        (IpAddr::V6(base), IpAddr::V6(address)) => (u128::from(base), u128::from(address), 128),
        _ => return false,
    };
    let mask: u32 = mask.trim().parse().unwrap_or(width);
    let shift = width - mask.min(width);
    base.checked_shr(shift) == address.checked_shr(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_addresses() {
        for (network, address, holds) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.0/32", "192.0.2.7", false),
            ("0.0.0.0/0", "192.0.2.7", true),
            ("::/0", "192.0.2.7", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("nonsense", "192.0.2.7", false),
        ] {
            assert_eq!(contains(network, address.parse().unwrap()), holds, "{network} {address}");
        }
    }
}
