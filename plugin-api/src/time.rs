//! Points in time, and the forms stores write them in.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z. RFC 3339 in formats for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// From seconds since 1970 UTC.
    pub fn from_seconds(seconds: i64) -> Time {
        Time(seconds.saturating_mul(1000))
    }

    /// Whole seconds since 1970 UTC, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads what stores write: `2026-11-21 03:47:00`, with or without a fraction, `T`, and a zone; UTC where no zone is
    /// given. `None` for zero times (`0000-00-00 00:00:00`, year 1) and what is no time at all.
    pub fn parse(text: &str) -> Option<Time> {
        let text = text.trim();
        let time = match text.parse::<jiff::Timestamp>() {
            Ok(time) => time,
            Err(_) => {
                let civil: jiff::civil::DateTime = text.parse().ok()?;
                civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
            }
        };
        const YEAR_2: i64 = -62_104_060_800;
        (time.as_second() > YEAR_2).then(|| Time(time.as_millisecond()))
    }

    /// `2026-11-21 03:47:00`: MySQL's DATETIME, and PostgreSQL's timestamp without a fraction. UTC.
    pub fn sql(self) -> String {
        self.strftime("%Y-%m-%d %H:%M:%S")
    }

    /// `2026-11-21 03:47:00+00:00`: how Go's SQLite driver writes a time truncated to seconds.
    pub fn sqlite_go(self) -> String {
        self.strftime("%Y-%m-%d %H:%M:%S+00:00")
    }

    /// `2026-11-21T03:47:00.123000+00:00`: Python's `isoformat`, with microseconds.
    pub fn isoformat(self) -> String {
        format!("{}{:03}000+00:00", self.strftime("%Y-%m-%dT%H:%M:%S."), self.0.rem_euclid(1000))
    }

    fn strftime(self, format: &str) -> String {
        self.timestamp().strftime(format).to_string()
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Time {
    /// `2026-11-21T03:47:00Z`, with milliseconds only where there are some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match to.is_human_readable() {
            true => to.collect_str(self),
            false => to.serialize_i64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        if !from.is_human_readable() {
            return i64::deserialize(from).map(Time);
        }
        let text = String::deserialize(from)?;
        Time::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is not a time")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_stores_write_is_read() {
        let second = Time(1_795_232_820_000);
        for text in [
            "2026-11-21 03:47:00",
            "2026-11-21 03:47:00+00:00",
            "2026-11-21 03:47:00.000000000+00:00",
            "2026-11-21T03:47:00Z",
            "2026-11-21T04:47:00+01:00",
        ] {
            assert_eq!(Time::parse(text), Some(second), "{text}");
        }
        assert_eq!(second.to_string(), "2026-11-21T03:47:00Z");
        assert_eq!(second.sql(), "2026-11-21 03:47:00");
        assert_eq!(Time(1_795_232_820_123).isoformat(), "2026-11-21T03:47:00.123000+00:00");
    }

    #[test]
    fn zero_times_are_no_times() {
        for text in ["0000-00-00 00:00:00", "0001-01-01 00:00:00+00:00", "", "soon"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}
