//! What keeps everybody out, whatever the accounts say: the server the database runs on, and an open setup wizard.
//!
//! Accounts carry it as a note. Their own standing stays as it is, because it decides who is the last administrator
//! and who answers to a name, and because it is what counts again once the database has moved or the wizard is closed.

use crate::schema::{self, FINISH, Layout, ONBOARDING};
use latchlift_plugin_api::{Filter, Plan, Reader, Reason, Result, Select, StoreKind};

/// The server is MariaDB. Not among the common codes of reasons; findings have it too.
pub const MARIADB: &str = "mariadb";
/// The setup wizard is not finished. Not among the common codes of reasons; findings have it too.
pub const SETUP_PENDING: &str = "setup_pending";

/// MariaDB's own list of its settings, which MySQL does not have.
const VARIABLES: &str = "information_schema.SYSTEM_VARIABLES";

/// What to know about everybody's signing in. Asked once for all accounts.
///
/// # Errors
/// The store's.
pub fn reasons(reader: &dyn Reader, layout: &Layout) -> Result<Vec<Reason>> {
    let mut reasons = Vec::new();
    reasons.extend(mariadb(reader, layout)?.map(|_| Reason::note(MARIADB, on_mariadb())));
    reasons.extend(unfinished_step(reader)?.map(|step| {
        let message = format!("the public setup wizard is open (step `{step}`), and Homarr sends everybody there");
        Reason::note(SETUP_PENDING, message).fix(["app", "check"])
    }));
    Ok(reasons)
}

/// The plan with a warning where the server lets nobody in.
///
/// # Errors
/// The store's.
pub fn warned(plan: Plan, reader: &dyn Reader, layout: &Layout) -> Result<Plan> {
    Ok(match mariadb(reader, layout)? {
        Some(_) => plan.warn(on_mariadb()),
        None => plan,
    })
}

fn on_mariadb() -> &'static str {
    "the server is MariaDB, on which Homarr cannot read sessions: nobody stays signed in there, whatever the account"
}

/// What shows that the server is MariaDB, where it is. Homarr reads sessions with LATERAL joins, which MariaDB lacks.
///
/// # Errors
/// The store's.
pub fn mariadb(reader: &dyn Reader, layout: &Layout) -> Result<Option<String>> {
    if layout.kind != StoreKind::Mysql {
        return Ok(None);
    }
    let collation = layout.collation.as_deref().filter(|collation| collation.contains("uca1400"));
    let version = version(reader)?;
    Ok(version.or_else(|| collation.map(|collation| format!("collation {collation}"))))
}

fn version(reader: &dyn Reader) -> Result<Option<String>> {
    if !schema::has_columns(reader, VARIABLES, &["VARIABLE_NAME", "GLOBAL_VALUE"])? {
        return Ok(None);
    }
    let query = Select::from(VARIABLES, ["GLOBAL_VALUE"]).filter(Filter::eq("VARIABLE_NAME", "VERSION"));
    Ok(reader.first(query)?.and_then(|row| row.text("GLOBAL_VALUE")).map(|version| format!("version {version}")))
}

/// The step that the setup wizard is at, unless it is finished. Homarr takes a missing row for the first step.
///
/// # Errors
/// The store's.
pub fn unfinished_step(reader: &dyn Reader) -> Result<Option<String>> {
    let rows = reader.all(Select::from(ONBOARDING, ["step"]))?;
    let step = rows.iter().map(|row| row.text("step").unwrap_or_default()).find(|step| step != FINISH);
    Ok(step.or(rows.is_empty().then(|| "start".to_owned())))
}
