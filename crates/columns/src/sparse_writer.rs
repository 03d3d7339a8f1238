//! Sparse vectors, written row by row.

use std::num::NonZeroI32;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, ListArray, NullBufferBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::error::ArrowError;

use super::text_writer::too_many;
use super::{TokenLists, types};
use lexstream_text::hash_vector::HashedVector;
use lexstream_text::keys::Placed;

/// Writes a `Struct<indices List<Int32>, values List<Float32>>` column.
#[derive(Debug)]
pub struct SparseWriter {
    indices: Vec<i32>,
    values: Vec<f32>,
    /// Where each row ends in both.
    rows: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl SparseWriter {
    /// Starts a column for so many rows, with room for so many entries of them all; more may come.
    pub fn new(rows: usize, entries: usize) -> Self {
        let mut row_ends = Vec::with_capacity(rows + 1);
        row_ends.push(0);
        Self {
            indices: Vec::with_capacity(entries),
            values: Vec::with_capacity(entries),
            rows: row_ends,
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Writes a row: indices below 2³¹, ascending, and their values.
    ///
    /// # Errors
    /// Fails where the column has more entries than 32-bit offsets count.
    pub fn row(&mut self, entries: impl Iterator<Item = (u32, f32)>) -> Result<(), ArrowError> {
        for (index, value) in entries {
            self.indices.push(index as i32);
            self.values.push(value);
        }
        self.nulls.append_non_null();
        self.end_row()
    }

    /// Writes NULL.
    ///
    /// # Errors
    /// Fails as [`Self::row`] does.
    pub fn null(&mut self) -> Result<(), ArrowError> {
        self.nulls.append_null();
        self.end_row()
    }

    fn end_row(&mut self) -> Result<(), ArrowError> {
        if self.indices.len() > i32::MAX as usize {
            return Err(too_many(self.rows.len() - 1));
        }
        self.rows.push(self.indices.len() as i32);
        Ok(())
    }

    /// Returns the column.
    ///
    /// # Errors
    /// Passes on Arrow's check of the column, whose parts fit by construction.
    pub fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        // A batch that is kept counts with its room.
        if self.indices.capacity() / 2 > self.indices.len() {
            self.indices.shrink_to_fit();
            self.values.shrink_to_fit();
        }
        let nulls = self.nulls.finish();
        let offsets = OffsetBuffer::new(self.rows.into());
        // The lists of a NULL are NULL too: DataFusion reads a field without asking its struct.
        let indices = ListArray::try_new(
            types::token_id_field(),
            offsets.clone(),
            Arc::new(Int32Array::from(self.indices)),
            nulls.clone(),
        )?;
        let values = ListArray::try_new(
            types::component_field(),
            offsets,
            Arc::new(Float32Array::from(self.values)),
            nulls.clone(),
        )?;
        Ok(Arc::new(StructArray::try_new(
            types::sparse_fields(),
            vec![Arc::new(indices), Arc::new(values)],
            nulls,
        )?))
    }
}

/// Returns the hashed vector of each list of tokens; NULL stays.
///
/// # Errors
/// Fails where the batch has more entries than 32-bit offsets count.
pub fn hash_vector_column(
    lists: &TokenLists,
    dimension: NonZeroI32,
) -> Result<ArrayRef, ArrowError> {
    let mut out = SparseWriter::new(lists.len(), lists.tokens());
    let (mut vector, mut spans) = (HashedVector::new(dimension), Vec::new());
    for row in lists.rows() {
        match row {
            Some(tokens) => {
                spans.clear();
                let bytes = tokens.places(&mut spans);
                let placed = spans.iter().map(|span| Placed::at(bytes, *span));
                out.row(vector.of(placed))?;
            }
            None => out.null()?,
        }
    }
    out.finish()
}
