//! Columns of dates, times of day and timestamps.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::types::{ArrowTemporalType, ArrowTimestampType};
use arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, TimeUnit};
use chrono::{DateTime, NaiveTime, Timelike, Utc};

use super::numbers::Numbers;
use super::{Leaf, Scalar};

/// Returns a column of days: `2024-12-31`, or days since 1970.
pub(super) fn dates(capacity: usize) -> Box<dyn Leaf> {
    let read = |scalar: Scalar<'_>| match scalar {
        // A longer text has a time of day too, which would be lost.
        Scalar::Field(text) | Scalar::Text(text) if text.len() == 10 || signed(text) => {
            Date32Type::parse(text)
        }
        Scalar::Number(text) => text.parse().ok(),
        _ => None,
    };
    Box::new(Numbers::<Date32Type, _>::new(
        DataType::Date32,
        capacity,
        read,
    ))
}

/// Tells whether a date's year has a sign, as years beyond 9999 do.
fn signed(text: &str) -> bool {
    text.starts_with(['+', '-'])
}

/// Returns a column of times of day: `09:26:56.123`, or a number in the type's unit.
pub(super) fn times<T>(capacity: usize) -> Box<dyn Leaf>
where
    T: ArrowPrimitiveType + ArrowTemporalType,
    T::Native: TryFrom<i64>,
{
    let (DataType::Time32(unit) | DataType::Time64(unit)) = T::DATA_TYPE else {
        unreachable!("a type of times of day");
    };
    let day = 86_400 * ticks(unit);
    let read = move |scalar: Scalar<'_>| {
        let value = match scalar {
            Scalar::Field(text) | Scalar::Text(text) if fits(text, unit) => {
                time_of_day(text, unit)?
            }
            Scalar::Number(text) => text.parse().ok()?,
            _ => return None,
        };
        (0..day).contains(&value).then_some(value)?.try_into().ok()
    };
    Box::new(Numbers::<T, _>::new(T::DATA_TYPE, capacity, read))
}

fn time_of_day(text: &str, unit: TimeUnit) -> Option<i64> {
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
    let nanoseconds = i64::from(time.nanosecond());
    let seconds = i64::from(time.num_seconds_from_midnight());
    Some(seconds * ticks(unit) + nanoseconds / (1_000_000_000 / ticks(unit)))
}

/// Returns a column of timestamps: RFC 3339, or a number in the type's unit since 1970.
///
/// A text without an offset is of the column's zone, or of UTC.
pub(super) fn timestamps<T: ArrowTimestampType>(
    zone: &Option<Arc<str>>,
    capacity: usize,
) -> Option<Box<dyn Leaf>> {
    let data_type = DataType::Timestamp(T::UNIT, zone.clone());
    let zone: Option<Tz> = match zone {
        Some(zone) => Some(zone.parse().ok()?),
        None => None,
    };
    let read = move |scalar: Scalar<'_>| match scalar {
        Scalar::Field(text) | Scalar::Text(text) if fits(text, T::UNIT) => {
            let time = match &zone {
                Some(zone) => string_to_datetime(zone, text).ok()?.to_utc(),
                None => string_to_datetime(&Utc, text).ok()?,
            };
            since_1970(time, T::UNIT)
        }
        Scalar::Number(text) => text.parse().ok(),
        _ => None,
    };
    Some(Box::new(Numbers::<T, _>::new(data_type, capacity, read)))
}

fn since_1970(time: DateTime<Utc>, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Second => Some(time.timestamp()),
        TimeUnit::Millisecond => Some(time.timestamp_millis()),
        TimeUnit::Microsecond => Some(time.timestamp_micros()),
        TimeUnit::Nanosecond => time.timestamp_nanos_opt(),
    }
}

/// Returns how many of a unit a second has.
fn ticks(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Tells whether a text has no finer fraction of a second than the unit.
fn fits(text: &str, unit: TimeUnit) -> bool {
    let Some((_, rest)) = text.split_once('.') else {
        return true;
    };
    let end = rest.find(|char: char| !char.is_ascii_digit());
    let fraction = rest[..end.unwrap_or(rest.len())].trim_end_matches('0');
    10_i64
        .checked_pow(fraction.len() as u32)
        .is_some_and(|parts| parts <= ticks(unit))
}

#[cfg(test)]
mod tests {
    use super::super::leaf;
    use super::*;

    fn check(data_type: &DataType, text: &str, expected: Option<&str>) {
        let mut column = leaf(data_type, 1).expect("valid");
        let pushed = column.push(Scalar::Text(text));
        let found = pushed.ok().map(|()| {
            let array = column.finish();
            arrow::util::display::array_value_to_string(&array, 0).expect("valid")
        });
        assert_eq!(found.as_deref(), expected, "{text} as {data_type}");
    }

    #[test]
    fn a_timestamp_is_read_whole_or_not_at_all() {
        let ms = DataType::Timestamp(TimeUnit::Millisecond, None);
        check(
            &ms,
            "2024-02-29T12:00:00.123Z",
            Some("2024-02-29T12:00:00.123"),
        );
        check(
            &ms,
            "2024-02-29T12:00:00.123000",
            Some("2024-02-29T12:00:00.123"),
        );
        check(
            &ms,
            "2024-02-29 12:00:00+02:00",
            Some("2024-02-29T10:00:00"),
        );
        check(&ms, "2024-02-29T12:00:00.1234Z", None);
        check(&ms, "2023-02-29T12:00:00Z", None);
        check(&ms, "yesterday", None);
        let ns = DataType::Timestamp(TimeUnit::Nanosecond, None);
        check(
            &ns,
            "2024-02-29T12:00:00.123456789",
            Some("2024-02-29T12:00:00.123456789"),
        );
        check(&ns, "2024-02-29T12:00:00.1234567891", None);
        check(&ns, "9999-01-01T00:00:00", None);
        let berlin = DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into()));
        check(
            &berlin,
            "2024-07-01T12:00:00",
            Some("2024-07-01T12:00:00+02:00"),
        );
        check(
            &berlin,
            "2024-07-01T12:00:00Z",
            Some("2024-07-01T14:00:00+02:00"),
        );
    }

    #[test]
    fn a_date_has_no_time_of_day() {
        check(&DataType::Date32, "2024-02-29", Some("2024-02-29"));
        check(&DataType::Date32, "2024-02-29T12:00:00", None);
        check(&DataType::Date32, "20240229", None);
    }

    #[test]
    fn a_time_of_day_is_within_the_day() {
        let ms = DataType::Time32(TimeUnit::Millisecond);
        check(&ms, "23:59:59.5", Some("23:59:59.500"));
        check(&ms, "24:00:00", None);
        check(&ms, "23:59:60", None);
        check(&ms, "23:59:59.0001", None);
    }
}
