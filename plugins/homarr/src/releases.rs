//! Which releases have run how many migrations.

use latchlift_plugin_api::{Reader, Record, Select, StoreKind};

/// The first release of each number of migrations: SQLite, MySQL, PostgreSQL. Upstream: packages/db/migrations.
const RELEASES: [(&str, [u64; 3]); 18] = [
    ("1.0.0", [21, 21, 0]),
    ("1.3.0", [23, 23, 0]),
    ("1.5.0", [24, 24, 0]),
    ("1.6.0", [25, 25, 0]),
    ("1.7.0", [28, 28, 0]),
    ("1.8.0", [31, 31, 0]),
    ("1.9.0", [32, 32, 0]),
    ("1.20.0", [33, 33, 0]),
    ("1.27.0", [34, 34, 0]),
    ("1.33.0", [34, 35, 0]),
    ("1.35.0", [34, 35, 1]),
    ("1.35.1", [34, 36, 2]),
    ("1.43.0", [35, 37, 3]),
    ("1.59.0", [36, 38, 4]),
    ("1.61.0", [37, 39, 5]),
    ("1.64.0", [38, 40, 6]),
    ("1.65.0", [40, 42, 8]),
    ("1.70.0", [41, 43, 9]),
];
/// The newest release looked at, its number of migrations, and the first release that had them.
pub const NEWEST: (&str, &str, [u64; 3]) = ("1.71.0", "1.74.0", [42, 44, 10]);

/// The migrations that changed what tells releases apart: the column, the first release, whether it came or went, and
/// when each database's migration was made (milliseconds). Upstream: packages/db/migrations/*/meta/_journal.json.
const STEPS: [(&str, &str, bool, [Option<i64>; 3]); 6] = [
    ("user.open_search_in_new_tab", "1.3.0", true, [Some(1_737_883_733_050), Some(1_737_883_744_729), None]),
    ("group.position", "1.7.0", true, [Some(1_739_468_826_756), Some(1_739_469_710_187), None]),
    ("user.salt", "1.59.0", false, [Some(1_775_399_918_831), Some(1_775_399_941_430), Some(1_775_399_963_041)]),
    ("user.ddg_bangs", "1.61.0", true, [Some(1_775_400_000_000), Some(1_775_400_000_000), Some(1_775_400_000_000)]),
    (
        "user.completed_manage_tour",
        "1.64.0",
        true,
        [Some(1_779_199_046_805), Some(1_779_199_104_477), Some(1_779_199_097_716)],
    ),
    (
        "user.enable_right_click_on_widgets",
        "1.71.0",
        true,
        [Some(1_783_786_658_943), Some(1_783_852_800_000), Some(1_783_786_677_702)],
    ),
];

/// The migrations on record: when each was made.
pub struct Ledger(Vec<i64>);

/// A migration that the record and the tables do not agree on.
pub struct Disagreement {
    /// The column it is about.
    pub column: &'static str,
    /// The release that brought it.
    pub release: &'static str,
    /// Whether it is on record.
    pub recorded: bool,
}

impl Ledger {
    /// Reads it; `None` where its table cannot be read. On PostgreSQL a refused read ends the snapshot, so this comes
    /// last.
    pub fn read(reader: &dyn Reader, kind: StoreKind) -> Option<Ledger> {
        let table = match kind {
            StoreKind::Postgres => "drizzle.__drizzle_migrations",
            _ => "__drizzle_migrations",
        };
        reader.columns("", table).ok()??;
        let rows = reader.all(Select::from(table, ["created_at"])).ok()?;
        let made = |row: &Record| row.text("created_at").and_then(|at| at.split('.').next()?.parse().ok());
        Some(Ledger(rows.iter().map(|row| made(row).unwrap_or_default()).collect()))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// What the record and the columns say differently. Homarr runs what was made after the newest on record.
    pub fn disagreements(&self, kind: StoreKind, columns: &[String]) -> Vec<Disagreement> {
        let newest = self.0.iter().copied().max().unwrap_or_default();
        let differs = |(column, release, comes, made): &(&'static str, &'static str, bool, [Option<i64>; 3])| {
            let recorded = newest >= made[place(kind)]?;
            let done = columns.iter().any(|known| known == column) == *comes;
            (recorded != done).then_some(Disagreement { column, release, recorded })
        };
        STEPS.iter().filter_map(differs).collect()
    }
}

fn place(kind: StoreKind) -> usize {
    match kind {
        StoreKind::Mysql => 1,
        StoreKind::Postgres => 2,
        _ => 0,
    }
}

/// How many migrations the newest release looked at has.
pub fn newest(kind: StoreKind) -> u64 {
    NEWEST.2[place(kind)]
}

/// The releases whose database has had `migrations` migrations.
pub fn releases(kind: StoreKind, migrations: u64) -> String {
    let column = place(kind);
    if migrations > NEWEST.2[column] {
        return format!("newer than {}", NEWEST.1);
    }
    if migrations == NEWEST.2[column] {
        return format!("{} to {}", NEWEST.0, NEWEST.1);
    }
    let first = RELEASES.iter().rev().find(|(_, counts)| counts[column] <= migrations && counts[column] > 0);
    let first = first.map(|(_, counts)| counts[column]);
    let from = RELEASES.iter().find(|(_, counts)| Some(counts[column]) == first).map(|(release, _)| *release);
    let next = RELEASES.iter().find(|(_, counts)| counts[column] > migrations).map_or(NEWEST.0, |(release, _)| release);
    match from {
        Some(from) => format!("{from} or newer, before {next}"),
        None => format!("before {next}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_and_the_tables_are_compared() {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let told = |newest: i64, names: &[&str]| -> Vec<(&str, bool)> {
            let found = Ledger(vec![1, newest]).disagreements(StoreKind::Sqlite, &columns(names));
            found.iter().map(|step| (step.column, step.recorded)).collect()
        };
        let old = ["user.open_search_in_new_tab", "group.position", "user.salt"];
        assert!(told(1_760_968_503_571, &old).is_empty());
        assert_eq!(told(1_775_399_918_831, &old), [("user.salt", true)]);
        assert_eq!(told(1_760_968_503_571, &old[..2]), [("user.salt", false)]);
    }

    #[test]
    fn migrations_name_the_releases() {
        assert_eq!(releases(StoreKind::Sqlite, 42), "1.71.0 to 1.74.0");
        assert_eq!(releases(StoreKind::Mysql, 45), "newer than 1.74.0");
        assert_eq!(releases(StoreKind::Sqlite, 35), "1.43.0 or newer, before 1.59.0");
        assert_eq!(releases(StoreKind::Sqlite, 34), "1.27.0 or newer, before 1.43.0");
        assert_eq!(releases(StoreKind::Postgres, 1), "1.35.0 or newer, before 1.35.1");
        assert_eq!(releases(StoreKind::Sqlite, 41), "1.70.0 or newer, before 1.71.0");
        assert_eq!(releases(StoreKind::Sqlite, 3), "before 1.0.0");
    }
}
