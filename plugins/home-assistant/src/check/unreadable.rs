//! Files that are there and cannot be used.

use crate::schema::{ACCOUNT_FILES, FACTOR_FILES, Layout};
use latchlift_plugin_api::{Finding, Kind, Severity};

/// Adds each such file, with what Home Assistant does about it.
pub fn check(layout: &Layout, findings: &mut Vec<Finding>) {
    for (document, error) in &layout.broken {
        let (severity, what) = match (*document, error.kind) {
            (name, Kind::UnknownSchema) if ACCOUNT_FILES.contains(&name) || FACTOR_FILES.contains(&name) => (
                Severity::Serious,
                "a release that does not know it crashes at its start; start the release that wrote it",
            ),
            (_, Kind::UnknownSchema) => (Severity::Note, "it is left alone here; Home Assistant may know it"),
            ("auth", _) => (
                Severity::Serious,
                "the next start puts it aside, and then every old name and password works and makes an administrator; restore it from a backup first",
            ),
            ("auth_provider.homeassistant", _) => (
                Severity::Serious,
                "the next start puts it aside, and then every password is refused; restore it from a backup first",
            ),
            (name, _) if FACTOR_FILES.contains(&name) => (
                Severity::Serious,
                "the next start puts it aside, and then nobody is asked for this second factor any more",
            ),
            _ => (Severity::Warning, "the next start puts it aside and goes on as if there were none"),
        };
        let finding = Finding::new(severity, "unreadable_file", format!("{}; {what}", error.message));
        findings.push(finding.evidence(format!(".storage/{document}")));
    }
}
