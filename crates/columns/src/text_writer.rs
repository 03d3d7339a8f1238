//! Texts and lists of texts, written row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, NullBufferBuilder, StringArray, StringViewBuilder};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::error::ArrowError;

use super::texts::Text;
use super::types;
use lexstream_text::append::append;
use lexstream_text::tokenizers::Span;

/// A view of at most this many bytes holds its text itself.
pub(super) const INLINE: usize = 12;

/// Writes a Utf8View column: input texts without a copy, built texts with one.
///
/// An input text keeps the input's buffer alive for as long as the column lives.
#[derive(Debug)]
pub struct TextWriter {
    views: StringViewBuilder,
}

impl TextWriter {
    /// Starts a column for `rows` texts that may lie in `blocks`.
    pub(super) fn new(rows: usize, blocks: &[Buffer]) -> Self {
        let mut views = StringViewBuilder::with_capacity(rows);
        for block in blocks {
            views.append_block(block.clone());
        }
        Self { views }
    }

    /// Writes an input text as it is.
    ///
    /// # Errors
    /// Fails where the text lies in none of the input's buffers.
    pub fn unchanged(&mut self, text: &Text<'_>) -> Result<(), ArrowError> {
        match text.place {
            Some((block, offset)) if text.value.len() > INLINE => {
                self.views
                    .try_append_view(block, offset, text.value.len() as u32)
            }
            _ => self.views.try_append_value(text.value),
        }
    }

    /// Writes a computed text, with a copy.
    ///
    /// # Errors
    /// Fails where the text has more than 2 GiB.
    pub fn built(&mut self, text: &str) -> Result<(), ArrowError> {
        self.views.try_append_value(text)
    }

    /// Writes NULL.
    ///
    /// # Errors
    /// Fails where the column has more tokens than 32-bit offsets count.
    pub fn null(&mut self) {
        self.views.append_null();
    }

    pub(super) fn finish(mut self) -> ArrayRef {
        Arc::new(self.views.finish())
    }
}

/// Says that a batch has more tokens than Arrow's offsets count, from this row on.
pub(super) fn too_many(row: usize) -> ArrowError {
    ArrowError::InvalidArgumentError(format!(
        "row {row} of the batch: expected at most {} bytes of tokens in a batch, found more; \
         SET datafusion.execution.batch_size to at most {}",
        i32::MAX,
        row.max(1)
    ))
}

/// Tells whether each token begins where the one before ends, so that one copy does for all of them.
fn are_seamless(spans: &[Span]) -> bool {
    let mut pairs = spans.array_windows();
    pairs.all(|[one, next]| one.end == next.start)
}

/// Writes a `List<Utf8>` column.
///
/// Copied bytes beat views here: a token is shorter than a view of it, and one check of all bytes at the end does for
/// UTF-8 what a check of each view would.
#[derive(Debug)]
pub struct TokenListWriter {
    /// The tokens of all rows, end to end.
    bytes: Vec<u8>,
    /// Where each token ends in the bytes.
    ends: Vec<i32>,
    /// Where each row ends in the tokens.
    rows: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl TokenListWriter {
    /// Starts a column for `rows` lists of tokens that have about `bytes` in all.
    pub(super) fn new(rows: usize, bytes: usize) -> Self {
        let mut row_ends = Vec::with_capacity(rows + 1);
        row_ends.push(0);
        Self {
            bytes: Vec::with_capacity(bytes),
            ends: vec![0],
            rows: row_ends,
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Writes a row: the tokens that lie at `spans` in `text`.
    ///
    /// # Errors
    /// Fails where the batch has more than 2 GiB of tokens, and names the row from which on it has.
    pub fn row(&mut self, text: &str, spans: &[Span]) -> Result<(), ArrowError> {
        let text = text.as_bytes();
        let length: usize = spans.iter().map(|span| span.range().len()).sum();
        if self.bytes.len() + length > i32::MAX as usize {
            return Err(too_many(self.rows.len() - 1));
        }
        self.bytes.reserve(length);
        self.ends.reserve(spans.len());
        match spans {
            [first, .., last] if are_seamless(spans) => {
                let base = self.bytes.len() as i32 - first.start as i32;
                let all = first.start as usize..last.end as usize;
                self.bytes.extend_from_slice(&text[all]);
                self.ends
                    .extend(spans.iter().map(|span| base + span.end as i32));
            }
            _ => {
                for span in spans {
                    let bytes = &text[span.start as usize..];
                    append(&mut self.bytes, bytes, span.range().len());
                    self.ends.push(self.bytes.len() as i32);
                }
            }
        }
        self.nulls.append_non_null();
        self.end_row()
    }

    /// Writes NULL.
    pub fn null(&mut self) -> Result<(), ArrowError> {
        self.nulls.append_null();
        self.end_row()
    }

    fn end_row(&mut self) -> Result<(), ArrowError> {
        if self.ends.len() > i32::MAX as usize {
            return Err(too_many(self.rows.len() - 1));
        }
        self.rows.push((self.ends.len() - 1) as i32);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let ends = OffsetBuffer::new(self.ends.into());
        let tokens = StringArray::try_new(ends, Buffer::from_vec(self.bytes), None)?;
        let list = ListArray::try_new(
            types::token_field(),
            OffsetBuffer::new(self.rows.into()),
            Arc::new(tokens),
            self.nulls.finish(),
        )?;
        Ok(Arc::new(list))
    }
}
