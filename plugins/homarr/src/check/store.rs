//! The database itself: whose layout, which migrations, which server, whose file.

use crate::everybody::{self, MARIADB};
use crate::releases::{self, Ledger};
use crate::schema::{self, Layout, USER};
use crate::sign_in::count;
use latchlift_plugin_api::{Finding, Reader, Request, Result, Severity, StoreKind};

/// The server, where Homarr does not work on it.
///
/// # Errors
/// The store's.
pub fn mariadb(reader: &dyn Reader, layout: &Layout) -> Result<Option<Finding>> {
    let message = "the server is MariaDB, on which Homarr cannot read sessions (it needs MySQL 8.0.14 or newer): \
                   no change of an account helps while it runs there";
    let evidence = everybody::mariadb(reader, layout)?;
    Ok(evidence.map(|evidence| Finding::new(Severity::Serious, MARIADB, message).evidence(evidence)))
}

/// Whose file the database is, and who may read and write it.
///
/// # Errors
/// The store's.
pub fn file(reader: &dyn Reader, layout: &Layout, request: &Request) -> Result<Vec<Finding>> {
    if layout.kind != StoreKind::Sqlite {
        return Ok(vec![]);
    }
    let mut found = Vec::new();
    for file in reader.files("", "*")? {
        let whose = format!("{}: owner {}, group {}, mode {:o}", file.path, file.uid, file.gid, file.mode);
        let mut tell = |severity, code: &str, message: &str| {
            found.push(Finding::new(severity, code, message).evidence(whose.clone()));
        };
        if file.mode & 0o002 != 0 {
            tell(Severity::Warning, "file_writable", "everybody on this machine may change the database: chmod o-w it");
        }
        if file.mode & 0o200 == 0 {
            tell(Severity::Warning, "file_read_only", "the database's owner may not write it: Homarr needs chmod u+w");
        }
        let wanted = request.settings.env("PUID").and_then(|id| id.trim().parse::<u32>().ok());
        if wanted.is_some_and(|wanted| wanted != 0 && wanted != file.uid) {
            tell(Severity::Warning, "file_owner", "the database belongs to another user than Homarr runs as (PUID)");
        }
        match file.mode & 0o004 {
            0 => tell(Severity::Note, "file", "the database file is its owner's and group's alone"),
            _ => tell(
                Severity::Note,
                "file",
                "everybody on this machine who can enter its folder may read the database, with the tokens of \
                 everybody's sessions",
            ),
        }
    }
    Ok(found)
}

/// Which releases the layout is of, and whether the migrations on record agree with it.
pub fn layout(reader: &dyn Reader, layout: &Layout, columns: &[String], request: &Request) -> Vec<Finding> {
    let driver = match layout.kind {
        StoreKind::Mysql => "mysql2",
        StoreKind::Postgres => "node-postgres",
        _ => "better-sqlite3",
    };
    let finding = Finding::new(Severity::Note, "layout", format!("the tables are those of Homarr {}", layout.version));
    let Some(ledger) = Ledger::read(reader, layout.kind) else {
        return vec![finding.evidence(format!("DB_DRIVER={driver}, no migrations on record"))];
    };
    let releases = releases::releases(layout.kind, ledger.count());
    let mut found: Vec<Finding> = ledger.disagreements(layout.kind, columns).iter().map(disagreement).collect();
    found.extend(behind(&ledger, layout.kind, request));
    found.push(finding.evidence(format!("DB_DRIVER={driver}, {} ({releases})", count(ledger.count(), "migration"))));
    found
}

/// A migration stopped half way, or was recorded by hand.
fn disagreement(step: &releases::Disagreement) -> Finding {
    let (column, release) = (step.column, step.release);
    let message = match step.recorded {
        true => format!(
            "the migrations of Homarr {release} are on record, but they did not leave `{column}` as it makes it"
        ),
        false => format!(
            "`{column}` is as Homarr {release} makes it, but its migration is not on record: the next start runs it again and fails"
        ),
    };
    Finding::new(Severity::Serious, "migration_incomplete", message).evidence("__drizzle_migrations")
}

/// Migrations that are still to come. Whether the Homarr that runs here has them cannot be seen in its database.
fn behind(ledger: &Ledger, kind: StoreKind, request: &Request) -> Option<Finding> {
    let missing = releases::newest(kind).checked_sub(ledger.count()).filter(|missing| *missing > 0)?;
    let n = count(missing, "migration");
    let off = request.settings.env("DB_MIGRATIONS_DISABLED").is_some_and(|value| ["true", "1"].contains(&value));
    let (severity, what) = match off {
        true => (Severity::Warning, "and DB_MIGRATIONS_DISABLED keeps Homarr from running them"),
        false => (Severity::Note, "a newer Homarr runs them when it starts"),
    };
    let message = format!("{n} up to Homarr {} have not run here: {what}", releases::NEWEST.1);
    Some(Finding::new(severity, "migrations_missing", message).evidence("__drizzle_migrations"))
}

/// The columns of `user` and `group` that tell releases apart.
///
/// # Errors
/// The store's.
pub fn telling_columns(reader: &dyn Reader) -> Result<Vec<String>> {
    let mut columns = Vec::new();
    for table in [USER, schema::GROUP] {
        columns.extend(reader.column_names(table)?.into_iter().map(|column| format!("{table}.{column}")));
    }
    Ok(columns)
}
