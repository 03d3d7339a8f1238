//! What conditions leave of a topic: they become seeks.

use std::ops::RangeInclusive;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};

use super::columns::Special;
use crate::Wanted;

/// Returns what a condition leaves of a topic, or more than it leaves; none where it says nothing of that.
///
/// Partitions and offsets are bounded on both sides. Of times only the beginning is: messages lie in the order of their
/// offsets, and an earlier one may come behind a later one.
pub(super) fn wanted(condition: &Expr) -> Option<Wanted> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And => match (wanted(left), wanted(right)) {
                (Some(left), Some(right)) => Some(both(&left, &right)),
                (left, right) => left.or(right),
            },
            Operator::Or => Some(either(wanted(left)?, wanted(right)?)),
            op => compared(left, *op, right).or_else(|| compared(right, op.swap()?, left)),
        },
        Expr::Between(Between {
            expr,
            negated: false,
            low,
            high,
        }) => {
            let low = compared(expr, Operator::GtEq, low);
            let high = compared(expr, Operator::LtEq, high);
            match (low, high) {
                (Some(low), Some(high)) => Some(both(&low, &high)),
                (low, high) => low.or(high),
            }
        }
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => {
            let mut wanted = list.iter().map(|value| compared(expr, Operator::Eq, value));
            let first = wanted.next()??;
            wanted.try_fold(first, |all, one| Some(either(all, one?)))
        }
        _ => None,
    }
}

/// Returns what two conditions leave together.
pub(super) fn both(one: &Wanted, other: &Wanted) -> Wanted {
    let overlap = |one: &RangeInclusive<i32>, other: &RangeInclusive<i32>| {
        let (first, last) = (one.start().max(other.start()), one.end().min(other.end()));
        (first <= last).then_some(*first..=*last)
    };
    let partitions = one.partitions.iter();
    let partitions = partitions.flat_map(|one| {
        let others = other.partitions.iter();
        others.filter_map(move |other| overlap(one, other))
    });
    Wanted {
        partitions: partitions.collect(),
        first: one.first.max(other.first),
        last: one.last.min(other.last),
        since: one.since.max(other.since),
    }
}

fn either(one: Wanted, other: Wanted) -> Wanted {
    let mut partitions = [one.partitions, other.partitions].concat();
    partitions.sort_unstable_by_key(|range| *range.start());
    partitions.dedup_by(|next, range| {
        let overlap = next.start() <= range.end();
        if overlap {
            *range = *range.start()..=*range.end().max(next.end());
        }
        overlap
    });
    Wanted {
        partitions,
        first: one.first.min(other.first),
        last: one.last.max(other.last),
        since: one.since.min(other.since),
    }
}

fn compared(column: &Expr, op: Operator, value: &Expr) -> Option<Wanted> {
    let special = special(column)?;
    let Expr::Literal(value, _) = value else {
        return None;
    };
    let everything = Wanted::default();
    match special {
        Special::PartitionOffset => {
            let (first, last) = interval(op, integer(value)?)?;
            Some(Wanted {
                first: first.max(0),
                last,
                ..everything
            })
        }
        Special::PartitionId => {
            let (first, last) = interval(op, integer(value)?)?;
            let bound = |bound: i64| i32::try_from(bound.clamp(-1, i32::MAX.into())).ok();
            let partitions = bound(first)?..=bound(last)?;
            Some(Wanted {
                partitions: vec![partitions],
                ..everything
            })
        }
        Special::Timestamp => {
            let is_beginning = matches!(op, Operator::Eq | Operator::Gt | Operator::GtEq);
            Some(Wanted {
                since: Some(milliseconds(value)?).filter(|_| is_beginning),
                ..everything
            })
            .filter(|wanted| wanted.since.is_some())
        }
        _ => None,
    }
}

/// Returns the special column that an expression is, under casts that keep its order.
fn special(expr: &Expr) -> Option<Special> {
    let is_time = |expr: &Expr| special(expr) == Some(Special::Timestamp);
    match expr {
        Expr::Column(column) => Special::of(&column.name),
        Expr::Cast(cast) => {
            let to = cast.field.data_type();
            let keeps = to.is_integer() || (is_time(&cast.expr) && to.is_temporal());
            keeps.then(|| special(&cast.expr)).flatten()
        }
        _ => None,
    }
}

/// Returns the first and the last value that compare so.
fn interval(op: Operator, value: i64) -> Option<(i64, i64)> {
    match op {
        Operator::Eq => Some((value, value)),
        Operator::Gt => Some((value.checked_add(1)?, i64::MAX)),
        Operator::GtEq => Some((value, i64::MAX)),
        Operator::Lt => Some((i64::MIN, value.checked_sub(1)?)),
        Operator::LtEq => Some((i64::MIN, value)),
        _ => None,
    }
}

fn integer(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int8(value) => value.map(i64::from),
        ScalarValue::Int16(value) => value.map(i64::from),
        ScalarValue::Int32(value) => value.map(i64::from),
        ScalarValue::Int64(value) => *value,
        ScalarValue::UInt8(value) => value.map(i64::from),
        ScalarValue::UInt16(value) => value.map(i64::from),
        ScalarValue::UInt32(value) => value.map(i64::from),
        ScalarValue::UInt64(value) => i64::try_from((*value)?).ok(),
        _ => None,
    }
}

/// Returns a time in milliseconds since 1970, rounded down; a column without a zone is compared as if it were UTC.
fn milliseconds(value: &ScalarValue) -> Option<i64> {
    let is_utc = |zone: &Option<std::sync::Arc<str>>| {
        let zone = zone.as_deref();
        zone.is_none_or(|zone| ["+00:00", "UTC", "Z"].contains(&zone))
    };
    match value {
        ScalarValue::TimestampSecond(Some(value), zone) if is_utc(zone) => value.checked_mul(1000),
        ScalarValue::TimestampMillisecond(value, zone) if is_utc(zone) => *value,
        ScalarValue::TimestampMicrosecond(Some(value), zone) if is_utc(zone) => {
            Some(value.div_euclid(1000))
        }
        ScalarValue::TimestampNanosecond(Some(value), zone) if is_utc(zone) => {
            Some(value.div_euclid(1_000_000))
        }
        ScalarValue::Date32(Some(days)) => i64::from(*days).checked_mul(86_400_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, TimeUnit};
    use datafusion::prelude::{cast, col, lit};

    use super::*;

    fn check(condition: &Expr, expected: Option<&Wanted>) {
        assert_eq!(wanted(condition).as_ref(), expected, "{condition}");
    }

    fn partitions(partitions: &[RangeInclusive<i32>]) -> Wanted {
        Wanted {
            partitions: partitions.to_vec(),
            ..Wanted::default()
        }
    }

    fn offsets(first: i64, last: i64) -> Wanted {
        Wanted {
            first,
            last,
            ..Wanted::default()
        }
    }

    fn since(since: i64) -> Wanted {
        Wanted {
            since: Some(since),
            ..Wanted::default()
        }
    }

    #[test]
    fn offsets_are_bounded_on_both_sides() {
        let offset = || col("reviews._partition_offset");
        check(&offset().eq(lit(7_i64)), Some(&offsets(7, 7)));
        check(&offset().lt(lit(7_i64)), Some(&offsets(0, 6)));
        check(&offset().lt_eq(lit(7_i32)), Some(&offsets(0, 7)));
        check(&offset().gt(lit(7_u64)), Some(&offsets(8, i64::MAX)));
        check(&lit(7_i64).gt(offset()), Some(&offsets(0, 6)));
        check(
            &offset().between(lit(3_i64), lit(5_i64)),
            Some(&offsets(3, 5)),
        );
        check(
            &offset().in_list(vec![lit(9_i64), lit(4_i64)], false),
            Some(&offsets(4, 9)),
        );
        let both = offset().gt_eq(lit(2_i64)).and(offset().lt(lit(4_i64)));
        check(&both, Some(&offsets(2, 3)));
    }

    #[test]
    fn partitions_are_picked() {
        let partition = || col("_partition_id");
        check(&partition().eq(lit(2_i32)), Some(&partitions(&[2..=2])));
        check(
            &partition().gt(lit(2_i32)),
            Some(&partitions(&[3..=i32::MAX])),
        );
        let some = partition().in_list(vec![lit(1_i32), lit(3_i32)], false);
        check(&some, Some(&partitions(&[1..=1, 3..=3])));
        check(
            &some.clone().and(partition().gt(lit(1_i32))),
            Some(&partitions(&[3..=3])),
        );
        check(
            &partition().eq(lit(0_i32)).and(partition().eq(lit(1_i32))),
            Some(&partitions(&[])),
        );
        check(
            &some.or(partition().eq(lit(7_i32))),
            Some(&partitions(&[1..=1, 3..=3, 7..=7])),
        );
    }

    #[test]
    fn times_have_a_beginning_only() {
        let time = |value: i64| lit(ScalarValue::TimestampMillisecond(Some(value), None));
        check(&col("_timestamp").gt(time(5)), Some(&since(5)));
        check(
            &col("_timestamp").between(time(5), time(9)),
            Some(&since(5)),
        );
        check(&col("_timestamp").lt(time(5)), None);
        let nanoseconds = cast(
            col("_timestamp"),
            DataType::Timestamp(TimeUnit::Nanosecond, None),
        );
        let value = lit(ScalarValue::TimestampNanosecond(Some(5_999_999), None));
        check(&nanoseconds.gt(value), Some(&since(5)));
        let zoned = ScalarValue::TimestampMillisecond(Some(5), Some("+02:00".into()));
        check(&col("_timestamp").gt(lit(zoned)), None);
    }

    #[test]
    fn what_says_nothing_of_places_leaves_everything() {
        check(&col("id").eq(lit(1_i64)), None);
        check(&col("_partition_id").not_eq(lit(1_i32)), None);
        let either = col("_partition_id")
            .eq(lit(1_i32))
            .or(col("id").eq(lit(1_i64)));
        check(&either, None);
        let both = col("_partition_id")
            .eq(lit(1_i32))
            .and(col("id").eq(lit(1_i64)));
        check(&both, Some(&partitions(&[1..=1])));
        let negated = col("_partition_id").in_list(vec![lit(1_i32)], true);
        check(&negated, None);
        let text = cast(col("_partition_offset"), DataType::Utf8);
        check(&text.gt(lit("5")), None);
    }
}
