//! Files that are there and cannot be used.

use crate::schema::{ACCOUNT_FILES, FACTOR_FILES, Layout};
use latchlift_plugin_api::{Finding, Kind, Reader, Severity};

/// Adds each such file, with what Home Assistant does about it.
pub fn check(reader: &dyn Reader, layout: &Layout, findings: &mut Vec<Finding>) {
    for (document, error) in &layout.broken {
        let (severity, what) = match (*document, error.kind) {
            (name, Kind::UnknownSchema) if ACCOUNT_FILES.contains(&name) || FACTOR_FILES.contains(&name) => (
                Severity::Serious,
                "a release that does not know it crashes at its start; start the release that wrote it",
            ),
            (_, Kind::UnknownSchema) => (Severity::Note, "it is left alone here; Home Assistant may know it"),
            ("auth", _) => (
                Severity::Serious,
                "the next start puts it aside, and then every old name and password works and makes an administrator",
            ),
            ("auth_provider.homeassistant", _) => {
                (Severity::Serious, "the next start puts it aside, and then every password is refused")
            }
            (name, _) if FACTOR_FILES.contains(&name) => (
                Severity::Serious,
                "the next start puts it aside, and then nobody is asked for this second factor any more",
            ),
            _ => (Severity::Warning, "the next start puts it aside and goes on as if there were none"),
        };
        // No command mends it: what would let people in again at once gives up all accounts, which a person may decide.
        let next = match ACCOUNT_FILES.contains(document) && error.kind == Kind::Conflict {
            true => {
                "; before that, restore it from a backup or mend it by hand; only where neither is possible, `latchlift onboarding restart` starts over without any account"
            }
            false => "",
        };
        let finding = Finding::new(severity, "unreadable_file", format!("{}; {what}{next}", error.message));
        findings.push(finding.evidence(format!(".storage/{document}")));
    }
    if let Err(error) = reader.columns("", "http#") {
        let what =
            "the next start puts it aside and takes the settings of the web server from configuration.yaml again";
        let finding = Finding::new(Severity::Warning, "unreadable_file", format!("{}; {what}", error.message));
        findings.push(finding.evidence(".storage/http"));
    }
}
