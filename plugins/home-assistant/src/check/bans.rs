//! Refused addresses, and the settings of the web server that bring them about.

use super::add_some;
use crate::bans::{self, FILE, hits_others};
use crate::http::Http;
use crate::schema::{self, Layout};
use latchlift_plugin_api::{Finding, Reader, Severity};

/// Adds what keeps whole addresses out. A file that cannot be read is a finding, not a failure.
pub fn check(reader: &dyn Reader, layout: &Layout, findings: &mut Vec<Finding>) {
    let http = Http::read(reader);
    match bans::read(reader) {
        Ok(entries) => add_some(findings, entries.iter().map(|entry| banned(entry, &http, layout))),
        Err(error) => {
            let message = format!("{}; Home Assistant starts without any ban", error.message);
            findings.push(
                Finding::new(Severity::Warning, "bans_unreadable", message)
                    .evidence(FILE)
                    .fix(["ban", "clear", "--all"]),
            );
        }
    }
    proxies(&http, findings);
}

fn banned(entry: &bans::Entry, http: &Http, layout: &Layout) -> Finding {
    let old = layout.version.as_deref().and_then(schema::release).is_none_or(|release| release < (2026, 11));
    let address = &entry.address;
    let (severity, what) = match (entry.banned_at(), hits_others(address, http)) {
        (None, _) if old => (
            Severity::Serious,
            "its entry has no `banned_at`, over which older releases do not start their web server".to_owned(),
        ),
        (_, Some(who)) => (Severity::Serious, format!("which is {who}: everybody behind it is locked out")),
        _ => (Severity::Warning, "who comes from there sees nothing but an error".to_owned()),
    };
    let finding = Finding::new(severity, "banned", format!("{address} is banned; {what}"));
    finding.evidence(FILE).fix(["ban", "clear", address])
}

fn proxies(http: &Http, findings: &mut Vec<Finding>) {
    if http.forwarded == Some(true) && http.proxies.is_empty() && http.source == ".storage/http" {
        let message = "requests are taken as forwarded though no proxy is trusted, so every one that comes through a proxy is refused; name it under `trusted_proxies`";
        findings.push(Finding::new(Severity::Warning, "no_trusted_proxy", message).evidence(http.source));
    }
    let narrow = http.narrow_proxies();
    if !narrow.is_empty() && http.forwarded == Some(true) {
        let again = match http.source {
            ".storage/http" => {
                "; mend it there, or take the file away with Home Assistant stopped, which then reads configuration.yaml again"
            }
            _ => "",
        };
        let message = format!(
            "`trusted_proxies` names single addresses that look like networks ({}), so requests from other addresses of these networks are refused with error 400{again}",
            narrow.join(", ")
        );
        findings.push(Finding::new(Severity::Serious, "proxy_masks", message).evidence(http.source));
    }
    if let Some(error) = &http.error {
        let message =
            format!("the newest settings of the web server were given up ({error}); the ones before are used");
        findings.push(Finding::new(Severity::Note, "http_not_promoted", message).evidence(".storage/http"));
    }
}
