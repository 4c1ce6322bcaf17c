//! What PhotoPrism's own settings say about the database that was opened, for `app check`.

use crate::locate::{self, Driver};
use latchlift_plugin_api::{Finding, Reader, Result, Settings, Severity, StoreKind};

/// What the settings say that does not fit the database, or that people trip over.
///
/// # Errors
/// The store's.
pub fn findings(reader: &dyn Reader, settings: &Settings, admin_has_password: bool) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let driver = locate::driver(settings);
    found.extend(driver.as_ref().map(|driver| other_store(driver, reader.kind(""))).transpose()?.flatten());
    found.extend(driver.as_ref().and_then(beaten));
    found.extend(public_mode(settings));
    found.extend(initial_password(settings, admin_has_password));
    Ok(found)
}

fn other_store(driver: &Driver, opened: Result<StoreKind>) -> Result<Option<Finding>> {
    let opened = opened?;
    let name = |kind| if kind == StoreKind::Mysql { "MariaDB or MySQL" } else { "SQLite" };
    let message = format!(
        "PhotoPrism's settings choose {} ({} in {}), and this database is {}: PhotoPrism does not use it",
        name(driver.kind),
        said(&driver.word),
        driver.file,
        name(opened)
    );
    Ok((opened != driver.kind).then(|| Finding::new(Severity::Serious, "wrong_store", message).evidence(&driver.file)))
}

/// PhotoPrism takes an empty value for SQLite.
fn said(word: &str) -> &str {
    if word.is_empty() { "SQLite by an empty value" } else { word }
}

fn beaten(driver: &Driver) -> Option<Finding> {
    let (word, file) = driver.beaten.as_ref()?;
    let message = format!("{} says {}, which beats the {} of {file}", driver.file, said(&driver.word), said(word));
    Some(Finding::new(Severity::Note, "driver_beaten", message).evidence(&driver.file))
}

fn public_mode(settings: &Settings) -> Option<Finding> {
    let message =
        "PhotoPrism's settings switch the login off (public mode): everybody is let in, passwords do not matter";
    locate::is_public(settings).then(|| Finding::new(Severity::Note, "public_mode", message))
}

fn initial_password(settings: &Settings, stored: bool) -> Option<Finding> {
    let message = match (locate::has_initial_password(settings)?, stored) {
        (true, true) => {
            "PHOTOPRISM_ADMIN_PASSWORD is set, and counts no more: the initial administrator has a password already"
        }
        (true, false) => {
            "the initial administrator has no password; PhotoPrism gives it that of PHOTOPRISM_ADMIN_PASSWORD when it starts"
        }
        (false, _) => return None,
    };
    Some(Finding::new(Severity::Note, "initial_password", message).evidence("PHOTOPRISM_ADMIN_PASSWORD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_is_said_to_choose_sqlite() {
        let beats = Some(("mysql".to_owned(), "defaults.yml".to_owned()));
        let (word, file) = (String::new(), ".env".to_owned());
        let finding = beaten(&Driver { kind: StoreKind::Sqlite, word, file, beaten: beats }).unwrap();
        assert_eq!(finding.message, ".env says SQLite by an empty value, which beats the mysql of defaults.yml");
    }
}
