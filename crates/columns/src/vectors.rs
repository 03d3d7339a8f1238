//! A column of vectors.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type};
use arrow::error::ArrowError;

use lexstream_text::vectors::{Component, Entries};

/// Measure of two vectors.
pub trait Metric {
    /// Returns the number, or none where it is not defined.
    fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64>;

    /// Returns the same by the entries of two vectors.
    fn measure_entries(&self, a: impl Entries, b: impl Entries) -> Option<f64>;
}

/// Two vectors of a row that cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairError {
    /// Row in the column, from 0.
    pub row: usize,
    /// What is wrong.
    pub problem: PairProblem,
}

/// Why two vectors can't be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairProblem {
    /// Dense vectors of these lengths.
    Lengths(usize, usize),
    /// A sparse vector with so many indices and so many values.
    Entries(usize, usize),
    /// A sparse vector with an index that does not lie behind the one before, or is negative.
    Order(i32),
    /// A sparse vector with an index that lies behind the end of a dense one of this length.
    Behind(u32, usize),
}

impl fmt::Display for PairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} of the batch: expected ", self.row)?;
        match self.problem {
            PairProblem::Lengths(left, right) => {
                write!(f, "vectors of one length, found {left} and {right}")
            }
            PairProblem::Entries(indices, values) => {
                write!(f, "as many values as indices, found {values} and {indices}")
            }
            PairProblem::Order(index) => {
                write!(f, "ascending indices from 0, found {index} out of order")
            }
            PairProblem::Behind(index, length) => {
                write!(f, "indices below {length}, found {index}")
            }
        }
    }
}

impl std::error::Error for PairError {}

#[derive(Debug, Clone)]
enum Components {
    F32(ScalarBuffer<f32>),
    F64(ScalarBuffer<f64>),
}

/// The places of sparse vectors' components.
#[derive(Debug, Clone)]
struct Indices {
    values: ScalarBuffer<i32>,
    /// Where each row's indices start; one more than rows.
    offsets: Vec<usize>,
}

/// A column of vectors: a list, large list or fixed-size list of Float32 or Float64, or a struct of `indices` and `values`.
#[derive(Debug, Clone)]
pub struct Vectors {
    components: Components,
    /// Where each row's components start; one more than rows.
    offsets: Vec<usize>,
    nulls: Option<NullBuffer>,
    component_nulls: Option<NullBuffer>,
    /// Where the components belong; none for dense vectors.
    indices: Option<Indices>,
}

impl Vectors {
    /// Wraps a column; no component is copied.
    ///
    /// # Errors
    /// Fails where the column holds neither lists of floats nor sparse vectors.
    pub fn try_new(array: &ArrayRef) -> Result<Self, ArrowError> {
        if let DataType::Struct(_) = array.data_type() {
            return Self::sparse(array);
        }
        let (values, offsets) = list_of(array)?;
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
            indices: None,
        })
    }

    fn sparse(array: &ArrayRef) -> Result<Self, ArrowError> {
        let column = |name| {
            let column = array.as_struct().column_by_name(name);
            column.ok_or_else(|| not_vectors(array.data_type()))
        };
        let (indices, values) = (column("indices")?, column("values")?);
        let mut vectors = Self::try_new(values)?;
        let (places, offsets) = list_of(indices)?;
        if *places.data_type() != DataType::Int32 || places.null_count() > 0 {
            return Err(not_vectors(array.data_type()));
        }
        vectors.indices = Some(Indices {
            values: places.as_primitive::<Int32Type>().values().clone(),
            offsets,
        });
        vectors.nulls = NullBuffer::union_many([array.nulls(), indices.nulls(), values.nulls()]);
        Ok(vectors)
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
    ///
    /// # Errors
    /// Fails where two vectors differ in length, or a sparse one has another number of values than of indices, or
    /// indices that don't ascend or lie behind the other's end; the row is named.
    pub fn measure(
        &self,
        other: &Self,
        rows: usize,
        metric: &impl Metric,
    ) -> Result<ArrayRef, PairError> {
        if self.indices.is_some() || other.indices.is_some() {
            return self.measure_entries(other, rows, metric);
        }
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
                let problem = PairProblem::Lengths(a.len(), b.len());
                return Err(PairError { row, problem });
            }
            out.append_option(metric.measure(&left[a], &right[b]));
        }
        Ok(Arc::new(out.finish()))
    }

    fn measure_entries(
        &self,
        other: &Self,
        rows: usize,
        metric: &impl Metric,
    ) -> Result<ArrayRef, PairError> {
        let mut out = Float64Builder::with_capacity(rows);
        for row in 0..rows {
            let (Some(a), Some(b)) = (self.span(row), other.span(row)) else {
                out.append_null();
                continue;
            };
            let at = |problem| PairError { row, problem };
            let (x, y) = (
                self.places(row, a.len()).map_err(at)?,
                other.places(row, b.len()).map_err(at)?,
            );
            for (places, dense) in [(x, b.len()), (y, a.len())] {
                let is_mixed = x.is_some() != y.is_some();
                let last = places.and_then(<[_]>::last).map_or(0, |last| *last as u32);
                if is_mixed
                    && places.is_some_and(|places| !places.is_empty())
                    && last as usize >= dense
                {
                    return Err(at(PairProblem::Behind(last, dense)));
                }
            }
            out.append_option(metric.measure_entries(self.entries(x, a), other.entries(y, b)));
        }
        Ok(Arc::new(out.finish()))
    }

    /// Returns the places of a row's components, checked; none for a dense vector.
    fn places(&self, row: usize, components: usize) -> Result<Option<&[i32]>, PairProblem> {
        let Some(indices) = &self.indices else {
            return Ok(None);
        };
        let row = if self.len() == 1 { 0 } else { row };
        let places = &indices.values[indices.offsets[row]..indices.offsets[row + 1]];
        if places.len() != components {
            return Err(PairProblem::Entries(places.len(), components));
        }
        let mut before = -1;
        for place in places {
            if *place <= before {
                return Err(PairProblem::Order(*place));
            }
            before = *place;
        }
        Ok(Some(places))
    }

    /// Returns the entries of the components in `span`, at these places or at their own.
    fn entries<'a>(
        &'a self,
        places: Option<&'a [i32]>,
        span: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (u32, f64)> + 'a {
        let start = span.start;
        span.map(move |at| {
            let place = match places {
                Some(places) => places[at - start] as u32,
                None => (at - start) as u32,
            };
            let value = match &self.components {
                Components::F32(values) => f64::from(values[at]),
                Components::F64(values) => values[at],
            };
            (place, value)
        })
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

/// Returns the items of a column of lists, and where each row's start: one more than rows.
fn list_of(array: &ArrayRef) -> Result<(&ArrayRef, Vec<usize>), ArrowError> {
    Ok(match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets().iter();
            (
                list.values(),
                offsets.map(|offset| *offset as usize).collect(),
            )
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.value_offsets().iter();
            (
                list.values(),
                offsets.map(|offset| *offset as usize).collect(),
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
    })
}

fn not_vectors(found: &DataType) -> ArrowError {
    ArrowError::InvalidArgumentError(format!(
        "expected lists of Float32 or Float64, or structs of indices Int32 without NULL and values, found {found}"
    ))
}

#[cfg(test)]
mod tests {
    use arrow::array::{FixedSizeListArray, ListArray, StructArray};

    use super::*;
    use crate::types;

    struct Dot;

    impl Metric for Dot {
        fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64> {
            Some(lexstream_text::vectors::dot_product(a, b))
        }

        fn measure_entries(&self, a: impl Entries, b: impl Entries) -> Option<f64> {
            Some(lexstream_text::vectors::dot_product_of_entries(a, b))
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
                problem: PairProblem::Lengths(1, 0)
            }
        );
    }

    fn sparse(rows: &[Option<&[(i32, f32)]>]) -> ArrayRef {
        let lists = |with: &dyn Fn(&(i32, f32)) -> f32| {
            let rows = rows.iter().map(|row| {
                row.map(|row| {
                    row.iter()
                        .map(|entry| Some(with(entry)))
                        .collect::<Vec<_>>()
                })
            });
            ListArray::from_iter_primitive::<Float32Type, _, _>(rows)
        };
        let indices = lists(&|entry| entry.0 as f32);
        let values: ArrayRef = Arc::new(lists(&|entry| entry.1));
        let list = arrow::compute::cast(&indices, types::sparse_fields()[0].data_type());
        let columns = vec![list.expect("integers"), values];
        Arc::new(StructArray::new(types::sparse_fields(), columns, None))
    }

    #[test]
    fn sparse_vectors_meet_sparse_and_dense_ones() {
        let left = sparse(&[Some(&[(0, 2.0), (3, 1.0)]), Some(&[]), None]);
        let right = sparse(&[Some(&[(1, 9.0), (3, 5.0)]), Some(&[(7, 1.0)]), Some(&[])]);
        check(&left, &right, &[Some(5.0), Some(0.0), None]);
        let dense = lists(&[Some(&[Some(1.0), Some(1.0), Some(1.0), Some(4.0)])]);
        check(&left, &dense, &[Some(6.0), Some(0.0), None]);
        check(&dense, &left.slice(0, 1), &[Some(6.0)]);
    }

    #[test]
    fn wrong_places_name_their_row() {
        let check = |left: &ArrayRef, right: &ArrayRef, expected| {
            let (left, right) = (
                Vectors::try_new(left).expect("left"),
                Vectors::try_new(right).expect("right"),
            );
            let error = left.measure(&right, 1, &Dot).expect_err("wrong");
            assert_eq!(error.problem, expected);
        };
        let dense = lists(&[Some(&[Some(1.0), Some(1.0)])]);
        check(
            &sparse(&[Some(&[(2, 1.0)])]),
            &dense,
            PairProblem::Behind(2, 2),
        );
        check(
            &dense,
            &sparse(&[Some(&[(1, 1.0), (1, 1.0)])]),
            PairProblem::Order(1),
        );
        check(
            &sparse(&[Some(&[(-1, 1.0)])]),
            &dense,
            PairProblem::Order(-1),
        );
    }
}
