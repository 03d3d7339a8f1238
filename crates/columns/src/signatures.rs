//! Sketches of token lists as columns.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float64Array, Int32Array, Int64Array, ListArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::binary;
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;

use super::{TokenLists, types};
use lexstream_text::sketches::{MinHash, bands, simhash, similarity};

/// Returns the MinHash signature of each list of tokens, as `FixedSizeList<Int32>` of `length`; NULL stays.
///
/// # Errors
/// Passes on Arrow's check of the column, whose parts fit by construction.
pub fn minhash_column(
    lists: &TokenLists,
    length: i32,
    minhash: &MinHash,
) -> Result<ArrayRef, ArrowError> {
    let size = length as usize;
    let mut numbers = vec![0; size * lists.len()];
    let mut hashes = Vec::new();
    for (row, signature) in lists.rows().into_iter().zip(numbers.chunks_exact_mut(size)) {
        if let Some(tokens) = row {
            minhash.sign(tokens.iter(), &mut hashes, signature);
        }
    }
    let DataType::FixedSizeList(field, _) = types::signatures(length) else {
        unreachable!("signatures are lists of fixed size");
    };
    let numbers = Arc::new(Int32Array::from(numbers));
    let column = FixedSizeListArray::try_new(field, length, numbers, lists.nulls().cloned())?;
    Ok(Arc::new(column))
}

/// Returns the SimHash of each list of tokens, as Int64; NULL stays.
pub fn simhash_column(lists: &TokenLists) -> ArrayRef {
    let rows = lists.rows().into_iter();
    let hashes = rows.map(|row| row.map(|tokens| simhash(tokens.iter())));
    Arc::new(hashes.collect::<Int64Array>())
}

/// Returns how many bits of each pair of Int64 differ, as Int64; NULL gives NULL.
///
/// # Errors
/// Fails where the two columns differ in length.
pub fn distance_column(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (
        left.as_primitive::<Int64Type>(),
        right.as_primitive::<Int64Type>(),
    );
    let distances: Int64Array = binary(left, right, |a, b| i64::from((a ^ b).count_ones()))?;
    Ok(Arc::new(distances))
}

/// Returns the share of equal numbers of each pair of signatures, as Float64; NULL, also inside a signature, gives NULL.
///
/// # Errors
/// Fails where a column holds no lists of Int64, or two signatures differ in length or have no numbers, and names the
/// row.
pub fn similarity_column(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let (left, right) = (Signatures::new(left)?, Signatures::new(right)?);
    let mut out = Vec::with_capacity(left.len());
    for row in 0..left.len() {
        let pair = left.row(row).zip(right.row(row));
        let measure = pair.map(|(a, b)| {
            if a.len() == b.len() && !a.is_empty() {
                return Ok(similarity(a, b));
            }
            Err(ArrowError::InvalidArgumentError(format!(
                "row {row} of the batch: expected signatures of one length of at least 1, found {} and {}",
                a.len(),
                b.len()
            )))
        });
        out.push(measure.transpose()?);
    }
    Ok(Arc::new(Float64Array::from(out)))
}

/// Returns the hashes of `count` bands of each signature, as `List<Int64>`; NULL, also inside a signature, gives NULL.
///
/// # Errors
/// Fails where the column holds no lists of Int64, or a signature's length is no multiple of `count`, and names the
/// row.
pub fn band_column(signatures: &ArrayRef, count: usize) -> Result<ArrayRef, ArrowError> {
    let signatures = Signatures::new(signatures)?;
    let mut hashes = Vec::with_capacity(signatures.len() * count);
    let mut lengths = Vec::with_capacity(signatures.len());
    let mut valid = Vec::with_capacity(signatures.len());
    for row in 0..signatures.len() {
        let signature = signatures.row(row);
        if let Some(signature) = signature {
            if signature.is_empty() || signature.len() % count != 0 {
                return Err(ArrowError::InvalidArgumentError(format!(
                    "row {row} of the batch: expected a signature whose length is a multiple of {count}, found {}",
                    signature.len()
                )));
            }
            bands(signature, signature.len() / count, &mut hashes);
        }
        valid.push(signature.is_some());
        lengths.push(if signature.is_some() { count } else { 0 });
    }
    Ok(Arc::new(ListArray::try_new(
        types::hash_field(),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(Int64Array::from(hashes)),
        Some(NullBuffer::from(valid)),
    )?))
}

/// A column of lists of Int64.
struct Signatures<'a> {
    array: &'a ArrayRef,
    numbers: &'a Int64Array,
}

impl<'a> Signatures<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        let items = match array.data_type() {
            DataType::List(_) => array.as_list::<i32>().values(),
            DataType::FixedSizeList(_, _) => array.as_fixed_size_list().values(),
            other => {
                return Err(ArrowError::InvalidArgumentError(format!(
                    "expected lists of Int64, found {other}"
                )));
            }
        };
        let numbers = items.as_primitive_opt::<Int64Type>().ok_or_else(|| {
            ArrowError::InvalidArgumentError(format!(
                "expected lists of Int64, found {}",
                array.data_type()
            ))
        })?;
        Ok(Self { array, numbers })
    }

    fn len(&self) -> usize {
        self.array.len()
    }

    /// Returns the numbers of a row; none for NULL and where one of them is.
    fn row(&self, row: usize) -> Option<&'a [i64]> {
        if self.array.is_null(row) {
            return None;
        }
        let span: Range<usize> = match self.array.data_type() {
            DataType::FixedSizeList(_, size) => {
                let size = *size as usize;
                row * size..(row + 1) * size
            }
            _ => {
                let offsets = self.array.as_list::<i32>().value_offsets();
                offsets[row] as usize..offsets[row + 1] as usize
            }
        };
        let nulls = self.numbers.nulls().filter(|nulls| nulls.null_count() > 0);
        let has_null =
            nulls.is_some_and(|nulls| nulls.slice(span.start, span.len()).null_count() > 0);
        (!has_null).then(|| &self.numbers.values()[span])
    }
}
