//! Where reading starts: options `start`, `start.timestamp`, `start.offsets`.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

/// Where reading starts in a partition without a committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At its beginning.
    Earliest,
    /// At its end as of the start.
    Latest,
    /// Its first message of this time or later, in milliseconds since 1970; its end where there is none.
    Timestamp(i64),
    /// An offset by partition; a partition that is not named is read from its beginning.
    Offsets(BTreeMap<i32, i64>),
}

/// What `start.timestamp` may be.
pub(crate) const TIMESTAMP: &str =
    "a time such as 2026-03-01T12:00:00Z (without a zone it is UTC), or milliseconds since 1970";

/// What `start.offsets` may be.
pub(crate) const OFFSETS: &str = "partition:offset, separated by commas, such as 0:42,1:300";

/// Reads a time.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    if let Ok(milliseconds) = text.parse::<i64>() {
        return (milliseconds >= 0).then_some(milliseconds);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let time = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let time = time.or_else(|| Some(day()?.and_time(NaiveTime::MIN)));
    time.map(|time| time.and_utc().timestamp_millis())
}

/// Reads offsets by partition.
pub(crate) fn offsets(text: &str) -> Option<BTreeMap<i32, i64>> {
    let mut offsets = BTreeMap::new();
    for pair in text.split(',') {
        let (partition, offset) = pair.trim().split_once(':')?;
        let (partition, offset): (i32, i64) = (partition.parse().ok()?, offset.parse().ok()?);
        if partition < 0 || offset < 0 || offsets.insert(partition, offset).is_some() {
            return None;
        }
    }
    Some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        // 2026-03-01T00:00:00Z is 20,513 days after 1970-01-01: 56 years, 14 of them leap years, 59 days.
        const DAY: i64 = 20_513 * 86_400_000;
        for (text, expected) in [
            ("0", Some(0)),
            ("1700000000000", Some(1_700_000_000_000)),
            ("2026-03-01", Some(DAY)),
            ("2026-03-01T00:00:00.005Z", Some(DAY + 5)),
            ("2026-03-01T02:00:00+02:00", Some(DAY)),
            ("2026-03-01 00:00:01", Some(DAY + 1000)),
            ("-1", None),
            ("yesterday", None),
        ] {
            assert_eq!(timestamp(text), expected, "{text}");
        }
    }

    #[test]
    fn offsets_are_read() {
        assert_eq!(
            offsets("0:42, 1:300"),
            Some(BTreeMap::from([(0, 42), (1, 300)]))
        );
        for wrong in ["", "0", "0:x", "-1:0", "0:-5", "0:1,0:2"] {
            assert_eq!(offsets(wrong), None, "{wrong}");
        }
    }
}
