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
                "the next start puts it aside, and then every old name and password works and makes an administrator; restore it from a backup first, or put all accounts aside",
            ),
            ("auth_provider.homeassistant", _) => (
                Severity::Serious,
                "the next start puts it aside, and then every password is refused; restore it from a backup first, or put all accounts aside",
            ),
            (name, _) if FACTOR_FILES.contains(&name) => (
                Severity::Serious,
                "the next start puts it aside, and then nobody is asked for this second factor any more",
            ),
            _ => (Severity::Warning, "the next start puts it aside and goes on as if there were none"),
        };
        let finding = Finding::new(severity, "unreadable_file", format!("{}; {what}", error.message));
        let finding = finding.evidence(format!(".storage/{document}"));
        findings.push(match ACCOUNT_FILES.contains(document) && error.kind == Kind::Conflict {
            true => finding.fix(["onboarding", "restart"]),
            false => finding,
        });
    }
    if let Err(error) = reader.columns("", "http#") {
        let what =
            "the next start puts it aside and takes the settings of the web server from configuration.yaml again";
        let finding = Finding::new(Severity::Warning, "unreadable_file", format!("{}; {what}", error.message));
        findings.push(finding.evidence(".storage/http"));
    }
}
