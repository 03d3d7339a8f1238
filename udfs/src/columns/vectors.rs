//! A column of dense vectors.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;

use crate::vectors::Component;

/// A number that two vectors give.
pub trait Metric {
    /// Returns the number, or none where it is not defined.
    fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64>;
}

/// Two vectors of a row that cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairError {
    /// Row in the column, from 0.
    pub row: usize,
    /// Length of the first vector.
    pub left: usize,
    /// Length of the second vector.
    pub right: usize,
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, left, right } = self;
        write!(
            f,
            "row {row} of the batch: expected vectors of one length, found {left} and {right}"
        )
    }
}

impl std::error::Error for PairError {}

#[derive(Debug, Clone)]
enum Components {
    F32(ScalarBuffer<f32>),
    F64(ScalarBuffer<f64>),
}

/// A column of vectors: a list, large list or fixed-size list of Float32 or Float64.
#[derive(Debug, Clone)]
pub struct Vectors {
    components: Components,
    /// Where each row's components start; one more than rows.
    offsets: Vec<usize>,
    nulls: Option<NullBuffer>,
    component_nulls: Option<NullBuffer>,
}

impl Vectors {
    /// Takes a column; no component is copied.
    pub fn try_new(array: &ArrayRef) -> Result<Self, ArrowError> {
        let (values, offsets): (&ArrayRef, Vec<usize>) = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                (
                    list.values(),
                    list.value_offsets()
                        .iter()
                        .map(|offset| *offset as usize)
                        .collect(),
                )
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                (
                    list.values(),
                    list.value_offsets()
                        .iter()
                        .map(|offset| *offset as usize)
                        .collect(),
                )
            }
            DataType::FixedSizeList(_, _) => {
                let list = array.as_fixed_size_list();
                let size = list.value_length() as usize;
                (
                    list.values(),
                    (0..=list.len()).map(|row| row * size).collect(),
                )
            }
            other => return Err(not_vectors(other)),
        };
        let components = match values.data_type() {
            DataType::Float32 => {
                Components::F32(values.as_primitive::<Float32Type>().values().clone())
            }
            DataType::Float64 => {
                Components::F64(values.as_primitive::<Float64Type>().values().clone())
            }
            _ => return Err(not_vectors(array.data_type())),
        };
        let component_nulls = values
            .nulls()
            .filter(|nulls| nulls.null_count() > 0)
            .cloned();
        Ok(Self {
            components,
            offsets,
            nulls: array.nulls().cloned(),
            component_nulls,
        })
    }

    /// Returns how many rows there are, NULLs included.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Measures each pair of rows; a column of one row is paired with every row of the other.
    ///
    /// NULL, a vector with a NULL component, and a pair for which the metric is not defined give NULL.
    pub fn measure(
        &self,
        other: &Self,
        rows: usize,
        metric: &impl Metric,
    ) -> Result<ArrayRef, PairError> {
        match (&self.components, &other.components) {
            (Components::F32(a), Components::F32(b)) => self.measure_as(a, other, b, rows, metric),
            (Components::F32(a), Components::F64(b)) => self.measure_as(a, other, b, rows, metric),
            (Components::F64(a), Components::F32(b)) => self.measure_as(a, other, b, rows, metric),
            (Components::F64(a), Components::F64(b)) => self.measure_as(a, other, b, rows, metric),
        }
    }

    fn measure_as<A: Component, B: Component>(
        &self,
        left: &[A],
        other: &Self,
        right: &[B],
        rows: usize,
        metric: &impl Metric,
    ) -> Result<ArrayRef, PairError> {
        let mut out = Float64Builder::with_capacity(rows);
        for row in 0..rows {
            let (a, b) = (self.span(row), other.span(row));
            let (Some(a), Some(b)) = (a, b) else {
                out.append_null();
                continue;
            };
            if a.len() != b.len() {
                return Err(PairError {
                    row,
                    left: a.len(),
                    right: b.len(),
                });
            }
            out.append_option(metric.measure(&left[a], &right[b]));
        }
        Ok(Arc::new(out.finish()))
    }

    /// Returns where a row's components lie; none for NULL and for a vector with a NULL component.
    #[inline]
    fn span(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let row = if self.len() == 1 { 0 } else { row };
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let span = self.offsets[row]..self.offsets[row + 1];
        match &self.component_nulls {
            Some(nulls) if nulls.slice(span.start, span.len()).null_count() > 0 => None,
            _ => Some(span),
        }
    }
}

fn not_vectors(found: &DataType) -> ArrowError {
    ArrowError::InvalidArgumentError(format!(
        "expected lists of Float32 or Float64, found {found}"
    ))
}

#[cfg(test)]
mod tests {
    use arrow::array::{FixedSizeListArray, ListArray};

    use super::*;

    struct Dot;

    impl Metric for Dot {
        fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64> {
            Some(crate::vectors::dot_product(a, b))
        }
    }

    fn lists(rows: &[Option<&[Option<f32>]>]) -> ArrayRef {
        let rows = rows.iter().map(|row| row.map(<[_]>::to_vec));
        Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows))
    }

    fn fixed(rows: &[Option<&[Option<f64>]>], size: i32) -> ArrayRef {
        let rows = rows.iter().map(|row| row.map(<[_]>::to_vec));
        Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(rows, size))
    }

    fn check(left: &ArrayRef, right: &ArrayRef, expected: &[Option<f64>]) {
        let (left, right) = (
            Vectors::try_new(left).expect("left"),
            Vectors::try_new(right).expect("right"),
        );
        let out = left
            .measure(&right, expected.len(), &Dot)
            .expect("one length");
        assert_eq!(
            out.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn lists_meet_fixed_size_lists_and_nulls_stay() {
        let left = lists(&[
            Some(&[Some(9.0), Some(9.0)]),
            Some(&[Some(1.0), Some(2.0)]),
            None,
            Some(&[Some(1.0), None]),
            Some(&[Some(0.5), Some(0.5)]),
        ]);
        let right = fixed(
            &[
                Some(&[Some(9.0), Some(9.0)]),
                Some(&[Some(3.0), Some(4.0)]),
                Some(&[Some(1.0), Some(1.0)]),
                Some(&[Some(1.0), Some(1.0)]),
                None,
            ],
            2,
        );
        check(
            &left.slice(1, 4),
            &right.slice(1, 4),
            &[Some(11.0), None, None, None],
        );
    }

    #[test]
    fn one_row_meets_all() {
        let left = lists(&[Some(&[Some(1.0)]), Some(&[Some(2.0)])]);
        check(
            &left,
            &fixed(&[Some(&[Some(3.0)])], 1),
            &[Some(3.0), Some(6.0)],
        );
    }

    #[test]
    fn different_lengths_name_their_row() {
        let left =
            Vectors::try_new(&lists(&[Some(&[Some(1.0)]), Some(&[Some(2.0)])])).expect("left");
        let right = Vectors::try_new(&lists(&[Some(&[Some(1.0)]), Some(&[])])).expect("right");
        assert_eq!(
            left.measure(&right, 2, &Dot).expect_err("lengths"),
            PairError {
                row: 1,
                left: 1,
                right: 0
            }
        );
    }
}
