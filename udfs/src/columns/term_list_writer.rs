//! Lists of terms, each with a number, written row by row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, ListArray, NullBufferBuilder, PrimitiveArray, StringArray,
    StructArray,
};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{Field, Fields, Int64Type};
use arrow::error::ArrowError;

use super::text_writer::too_many;
use super::{TokenLists, types};
use crate::text::append::append;
use crate::text::bags::Bag;
use crate::text::keys::Placed;

/// Writes a `List<Struct<term Utf8, T>>` column.
#[derive(Debug)]
pub struct TermListWriter<T: ArrowPrimitiveType> {
    /// The terms of all rows, end to end.
    bytes: Vec<u8>,
    /// Where each term ends in the bytes.
    ends: Vec<i32>,
    numbers: Vec<T::Native>,
    /// Where each row ends in the terms.
    rows: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl<T: ArrowPrimitiveType> TermListWriter<T> {
    /// Starts a column for so many rows.
    pub fn new(rows: usize) -> Self {
        let mut row_ends = Vec::with_capacity(rows + 1);
        row_ends.push(0);
        Self {
            bytes: Vec::new(),
            ends: vec![0],
            numbers: Vec::new(),
            rows: row_ends,
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Makes room for so many terms more, of so many bytes in all.
    pub fn reserve(&mut self, terms: usize, bytes: usize) {
        self.bytes.reserve(bytes);
        self.ends.reserve(terms);
        self.numbers.reserve(terms);
    }

    /// Writes a term of the row that is under way.
    #[inline]
    pub fn term(&mut self, term: &str, number: T::Native) {
        self.bytes.extend_from_slice(term.as_bytes());
        self.end_term(number);
    }

    /// The same for one that lies in a column.
    #[inline]
    pub fn placed_term(&mut self, term: Placed<'_>, number: T::Native) {
        append(&mut self.bytes, term.bytes, term.text.len());
        self.end_term(number);
    }

    #[inline]
    fn end_term(&mut self, number: T::Native) {
        // What is too long is found at the end of the row.
        self.ends.push(self.bytes.len() as i32);
        self.numbers.push(number);
    }

    /// Ends a row.
    pub fn end_row(&mut self) -> Result<(), ArrowError> {
        self.nulls.append_non_null();
        self.end()
    }

    /// Writes NULL.
    pub fn null(&mut self) -> Result<(), ArrowError> {
        self.nulls.append_null();
        self.end()
    }

    fn end(&mut self) -> Result<(), ArrowError> {
        if self.bytes.len().max(self.numbers.len()) > i32::MAX as usize {
            return Err(too_many(self.rows.len() - 1));
        }
        self.rows.push(self.numbers.len() as i32);
        Ok(())
    }

    /// Returns the column; `fields` are those of a term and its number.
    pub fn finish(mut self, fields: Fields) -> Result<ArrayRef, ArrowError> {
        let ends = OffsetBuffer::new(self.ends.into());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::try_new(
                ends,
                Buffer::from_vec(self.bytes),
                None,
            )?),
            Arc::new(PrimitiveArray::<T>::new(self.numbers.into(), None)),
        ];
        let items = StructArray::try_new(fields, columns, None)?;
        Ok(Arc::new(ListArray::try_new(
            Arc::new(Field::new_list_field(items.data_type().clone(), true)),
            OffsetBuffer::new(self.rows.into()),
            Arc::new(items),
            self.nulls.finish(),
        )?))
    }
}

/// Returns how often each distinct token stands in each list, by token, as `List<Struct<term, count>>`; NULL stays.
pub fn bag_column(lists: &TokenLists) -> Result<ArrayRef, ArrowError> {
    let mut out = TermListWriter::<Int64Type>::new(lists.len());
    // There are no more terms than tokens.
    out.reserve(lists.tokens(), lists.bytes());
    let mut bag = Bag::default();
    for row in lists.rows() {
        match row {
            Some(tokens) => {
                bag.for_each_count(tokens.placed(), |term, count| {
                    out.placed_term(term, count);
                });
                out.end_row()?;
            }
            None => out.null()?,
        }
    }
    out.finish(types::term_count_fields())
}
