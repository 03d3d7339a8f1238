//! Whether a column of a file gains by a dictionary.

use std::collections::HashSet;

use datafusion::arrow::array::{ArrayRef, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::common::Result;
use datafusion::common::hash_utils::{RandomState, create_hashes};

/// Rows that are looked at, and the fewest that tell something.
const MOST: usize = 1024;
pub(super) const FEWEST: usize = 512;

/// Tells whether a column holds hardly a value twice, going by rows from all over the first of a file's batches.
///
/// Where 19 of 20 values among a thousand stand there once, a column has some ten thousand values of which each is as
/// frequent as another. Costs a hash of each value that is looked at.
pub(super) fn is_hardly_repeated<'a>(
    batches: impl Iterator<Item = &'a ArrayRef> + Clone,
) -> Result<bool> {
    let rows: usize = batches.clone().map(|column| column.len()).sum();
    let looked_at = rows.min(MOST);
    if looked_at < FEWEST {
        return Ok(false);
    }
    let mut places = (0..looked_at)
        .map(|place| place * rows / looked_at)
        .peekable();
    let (mut start, mut distinct) = (0, HashSet::new());
    let (state, mut hashes) = (RandomState::default(), Vec::new());
    for column in batches {
        let end = start + column.len();
        let within = std::iter::from_fn(|| places.next_if(|place| *place < end));
        let within = UInt32Array::from_iter_values(within.map(|place| (place - start) as u32));
        let values = take(column, &within, None)?;
        hashes.clear();
        hashes.resize(values.len(), 0);
        create_hashes([values], &state, &mut hashes)?;
        distinct.extend(hashes.iter().copied());
        start = end;
    }
    Ok(distinct.len() * 20 >= looked_at * 19)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Float64Array, Int64Array, StringViewArray};

    use super::*;

    #[test]
    fn values_that_come_again_have_a_dictionary_wherever_they_stand() {
        let rows = 5000;
        let text = |of: &dyn Fn(i64) -> i64| -> ArrayRef {
            let texts = (0..rows).map(|row| format!("a text with the number {}", of(row)));
            Arc::new(StringViewArray::from_iter_values(texts))
        };
        let columns: Vec<(&str, ArrayRef, bool)> = vec![
            ("one each", text(&|row| row), true),
            (
                "a thousand",
                text(&|row| (row * row + ((row * 2_654_435_761) >> 9)) % 1000),
                false,
            ),
            ("in runs", text(&|row| row / 20), false),
            (
                "two each",
                Arc::new(Int64Array::from_iter_values(
                    (0..rows).map(|row| row / 2 * 2),
                )),
                true,
            ),
            (
                "points",
                Arc::new(Float64Array::from_iter_values(
                    (0..rows).map(|row| row as f64 / 3.0),
                )),
                true,
            ),
            (
                "hardly any",
                Arc::new(Int64Array::from_iter(
                    (0..rows).map(|row| (row % 9 == 0).then_some(row)),
                )),
                false,
            ),
        ];
        for (name, column, expected) in columns {
            let parts = [0..16, 16..144, 144..column.len()];
            let parts = parts.map(|part| column.slice(part.start, part.len()));
            for batches in [&parts[..], std::slice::from_ref(&column)] {
                let found = is_hardly_repeated(batches.iter()).expect(name);
                assert_eq!(found, expected, "{name}");
            }
            let few = column.slice(0, FEWEST - 1);
            let few = is_hardly_repeated([few].iter()).expect(name);
            assert!(!few, "{name}");
        }
    }
}
