//! Which releases have run how many migrations.

use latchlift_plugin_api::{Reader, Select, StoreKind};

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

/// How many migrations ran; `None` where their table cannot be read. On PostgreSQL a refused read ends the snapshot, so
/// this comes last.
pub fn migrations(reader: &dyn Reader, kind: StoreKind) -> Option<u64> {
    let table = match kind {
        StoreKind::Postgres => "drizzle.__drizzle_migrations",
        _ => "__drizzle_migrations",
    };
    reader.columns("", table).ok()??;
    let rows = reader.all(Select::from(table, ["hash"])).ok()?;
    Some(rows.len() as u64)
}

/// The releases whose database has had `migrations` migrations.
pub fn releases(kind: StoreKind, migrations: u64) -> String {
    let column = match kind {
        StoreKind::Mysql => 1,
        StoreKind::Postgres => 2,
        _ => 0,
    };
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
