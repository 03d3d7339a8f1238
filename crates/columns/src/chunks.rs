//! Pieces of texts as a column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::Field;
use arrow::error::ArrowError;

use super::text_writer::too_many;
use super::{Texts, types};
use lexstream_text::chunks::{Cut, for_each_chunk};

/// Returns the pieces of each text with where they start and end in it, in code points; NULL stays.
///
/// # Errors
/// Fails where the batch has more than 2 GiB of pieces, and names the row from which on it has.
pub fn chunk_column(texts: &Texts, cut: &Cut) -> Result<ArrayRef, ArrowError> {
    let (mut bytes, mut ends) = (Vec::new(), vec![0]);
    let (mut starts, mut stops) = (Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(texts.len());
    for (row, text) in texts.values().into_iter().enumerate() {
        let before = starts.len();
        let text = text.unwrap_or_default();
        // The place, in bytes, that code points were counted to.
        let (mut at, mut count) = (0, 0);
        for_each_chunk(text, cut, |span| {
            bytes.extend_from_slice(&text.as_bytes()[span.clone()]);
            // What is too long is found at the end of the row.
            ends.push(bytes.len() as i32);
            // A piece starts no earlier than the one before.
            count += text[at..span.start].chars().count() as i64;
            at = span.start;
            starts.push(count);
            stops.push(count + text[span].chars().count() as i64);
        });
        if bytes.len().max(starts.len()) > i32::MAX as usize {
            return Err(too_many(row));
        }
        lengths.push(starts.len() - before);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::try_new(
            OffsetBuffer::new(ends.into()),
            Buffer::from_vec(bytes),
            None,
        )?),
        Arc::new(Int64Array::from(starts)),
        Arc::new(Int64Array::from(stops)),
    ];
    let items = StructArray::try_new(types::chunk_fields(), columns, None)?;
    Ok(Arc::new(ListArray::try_new(
        Arc::new(Field::new_list_field(items.data_type().clone(), true)),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(items),
        texts.nulls().cloned(),
    )?))
}
