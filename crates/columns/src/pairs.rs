//! Functions of two columns, row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};

/// Measures each pair of rows, as Float64; a column of one row is paired with every row of the other.
///
/// NULL on either side gives NULL.
pub fn measure_pairs<T: Copy>(
    left: &[Option<T>],
    right: &[Option<T>],
    rows: usize,
    measure: impl Fn(T, T) -> f64,
) -> ArrayRef {
    let at = |side: &[Option<T>], row| side[if side.len() == 1 { 0 } else { row }];
    let measures = (0..rows).map(|row| Some(measure(at(left, row)?, at(right, row)?)));
    Arc::new(measures.collect::<Float64Array>())
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;

    use super::*;

    fn check(left: &[Option<f64>], right: &[Option<f64>], expected: &[Option<f64>]) {
        let found = measure_pairs(left, right, expected.len(), |a, b| a - b);
        let found: Vec<_> = found.as_primitive::<Float64Type>().iter().collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rows_meet_rows_and_nulls_stay() {
        check(
            &[Some(3.0), None, Some(1.0)],
            &[Some(1.0), Some(1.0), None],
            &[Some(2.0), None, None],
        );
    }

    #[test]
    fn one_row_meets_all_and_an_empty_column_none() {
        check(
            &[Some(3.0)],
            &[Some(1.0), Some(5.0)],
            &[Some(2.0), Some(-2.0)],
        );
        check(&[None], &[Some(1.0), Some(5.0)], &[None, None]);
        check(&[], &[Some(1.0)], &[]);
    }
}
