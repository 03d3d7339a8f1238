//! Columns as a graph takes them: each row's values one behind another, however deep its lists.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{CastOptions, cast, cast_with_options, concat};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

/// A column of numbers, truth values or texts, or of lists of them.
#[derive(Debug)]
pub(super) struct InputColumn {
    /// The values of all rows.
    values: ArrayRef,
    /// Where each row's values start; one more than rows.
    offsets: Vec<usize>,
    /// Which rows are NULL, or have NULL in them.
    nulls: Option<NullBuffer>,
}

impl InputColumn {
    /// Takes a column, whose values become this type; one that it has no place for is an error.
    pub(super) fn try_new(column: &ArrayRef, values: &DataType) -> Result<Self, ArrowError> {
        let rows = column.len();
        let mut level = without_views(column)?;
        let mut offsets: Vec<usize> = (0..=rows).collect();
        let mut nulls = nulls_of(&level, &offsets);
        while let Some((items, starts)) = items_of(&level) {
            for offset in &mut offsets {
                *offset = starts(*offset);
            }
            level = items;
            nulls = NullBuffer::union(nulls.as_ref(), nulls_of(&level, &offsets).as_ref());
        }
        // What lies before the first row and behind the last is none of ours.
        let (start, end) = (offsets[0], offsets[rows]);
        offsets.iter_mut().for_each(|offset| *offset -= start);
        let level = level.slice(start, end - start);
        let values = if level.data_type().is_null() {
            new_null_array(values, level.len())
        } else {
            let strict = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            cast_with_options(&level, values, &strict)?
        };
        Ok(Self {
            values,
            offsets,
            nulls,
        })
    }

    pub(super) fn nulls(&self) -> Option<&NullBuffer> {
        self.nulls.as_ref()
    }

    /// Returns how many values a row has.
    pub(super) fn count(&self, row: usize) -> usize {
        self.offsets[row + 1] - self.offsets[row]
    }

    /// Returns the values of some rows, one row behind another; rows that follow each other are not copied.
    pub(super) fn gather(&self, rows: &[usize]) -> Result<ArrayRef, ArrowError> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        for row in rows {
            let span = self.offsets[*row]..self.offsets[*row + 1];
            match spans.last_mut() {
                Some(last) if last.end == span.start => last.end = span.end,
                _ => spans.push(span),
            }
        }
        let parts: Vec<_> = spans
            .into_iter()
            .map(|span| self.values.slice(span.start, span.len()))
            .collect();
        match parts.as_slice() {
            [part] => Ok(part.clone()),
            parts => concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()),
        }
    }
}

/// Returns which rows have NULL in their part of an array.
fn nulls_of(array: &ArrayRef, offsets: &[usize]) -> Option<NullBuffer> {
    let nulls = array
        .logical_nulls()
        .filter(|nulls| nulls.null_count() > 0)?;
    let valid = |span: &[usize]| nulls.slice(span[0], span[1] - span[0]).null_count() == 0;
    let valid: BooleanBuffer = offsets.windows(2).map(valid).collect();
    Some(valid.into())
}

/// Casts views of lists to lists, which have offsets.
fn without_views(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    fn plain(data_type: &DataType) -> DataType {
        let item = |item: &Field| {
            let plain = plain(item.data_type());
            std::sync::Arc::new(item.clone().with_data_type(plain))
        };
        match data_type {
            DataType::List(field) | DataType::ListView(field) => DataType::List(item(field)),
            DataType::LargeList(field) | DataType::LargeListView(field) => {
                DataType::LargeList(item(field))
            }
            DataType::FixedSizeList(field, size) => DataType::FixedSizeList(item(field), *size),
            other => other.clone(),
        }
    }
    cast(column, &plain(column.data_type()))
}

type Starts<'a> = Box<dyn Fn(usize) -> usize + 'a>;

/// Returns the items of lists, and where each list's start among them.
fn items_of(array: &ArrayRef) -> Option<(ArrayRef, Starts<'static>)> {
    Some(match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.offsets().clone();
            let starts: Starts<'_> = Box::new(move |row| offsets[row] as usize);
            (list.values().clone(), starts)
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.offsets().clone();
            let starts: Starts<'_> = Box::new(move |row| offsets[row] as usize);
            (list.values().clone(), starts)
        }
        DataType::FixedSizeList(_, size) => {
            let size = *size as usize;
            let starts: Starts<'_> = Box::new(move |row| row * size);
            (array.as_fixed_size_list().values().clone(), starts)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, ListArray};
    use arrow::datatypes::{Float32Type, Int32Type};

    use super::*;

    fn lists() -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(9)]),
            Some(vec![Some(1), Some(2)]),
            None,
            Some(vec![]),
            Some(vec![Some(3), None]),
            Some(vec![Some(4), Some(5), Some(6)]),
        ]))
    }

    #[test]
    fn lists_are_laid_end_to_end_and_null_makes_a_row_null() {
        let column = lists().slice(1, 5);
        let column = InputColumn::try_new(&column, &DataType::Float32).expect("numbers");
        let counts: Vec<_> = (0..5).map(|row| column.count(row)).collect();
        assert_eq!(counts, [2, 0, 0, 2, 3]);
        let nulls = column.nulls().expect("two rows");
        let nulls: Vec<_> = nulls.iter().collect();
        assert_eq!(nulls, [true, false, true, false, true]);
        let gathered = column.gather(&[4, 0, 2]).expect("gathered");
        let gathered = gathered.as_primitive::<Float32Type>();
        assert_eq!(gathered.values(), &[4., 5., 6., 1., 2.]);
    }

    #[test]
    fn a_value_that_has_no_place_is_an_error() {
        let column: ArrayRef = Arc::new(Int32Array::from(vec![1, 300]));
        let error = InputColumn::try_new(&column, &DataType::Int8).expect_err("300");
        assert!(error.to_string().contains("300"), "{error}");
    }

    #[test]
    fn nested_lists_and_views_are_flat() {
        let inner = lists().slice(1, 1);
        let nested: ArrayRef = Arc::new(ListArray::new(
            Arc::new(Field::new_list_field(inner.data_type().clone(), true)),
            arrow::buffer::OffsetBuffer::from_lengths([1]),
            inner,
            None,
        ));
        let view = Field::new_list_field(DataType::Int32, true);
        let view = DataType::ListView(Arc::new(view));
        let view = cast(&lists().slice(5, 1), &view).expect("a view");
        for (column, expected) in [(nested, vec![1, 2]), (view, vec![4, 5, 6])] {
            let column = InputColumn::try_new(&column, &DataType::Int32).expect("numbers");
            let gathered = column.gather(&[0]).expect("gathered");
            assert_eq!(gathered.as_primitive::<Int32Type>().values(), &expected);
        }
    }
}
