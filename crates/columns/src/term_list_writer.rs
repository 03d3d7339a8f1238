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
use super::{Texts, TokenLists, types};
use lexstream_text::append::append;
use lexstream_text::bags::Bag;
use lexstream_text::keys::Placed;
use lexstream_text::tokenizers::{Span, Tokenizer};

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

    /// Reserves capacity for so many more terms, of so many bytes in all.
    pub fn reserve(&mut self, terms: usize, bytes: usize) {
        self.bytes.reserve(bytes);
        self.ends.reserve(terms);
        self.numbers.reserve(terms);
    }

    /// Writes a term of the row that is under way.
    #[inline]
    pub fn term(&mut self, term: &str, number: T::Native) {
        self.bytes.extend_from_slice(term.as_bytes());
        // What is too long is found at the end of the row.
        self.ends.push(self.bytes.len() as i32);
        self.numbers.push(number);
    }

    /// Writes terms of the row that is under way, which lie in a text or a column.
    fn placed_terms<'a>(&mut self, terms: impl Iterator<Item = (Placed<'a>, T::Native)> + Clone) {
        // One column after the other: each has a short loop.
        for (term, _) in terms.clone() {
            append(&mut self.bytes, term.bytes, term.length);
        }
        let mut end = self.ends.last().copied().unwrap_or(0) as usize;
        self.ends.extend(terms.clone().map(|(term, _)| {
            end += term.length;
            end as i32
        }));
        self.numbers.extend(terms.map(|(_, number)| number));
    }

    /// Ends a row.
    ///
    /// # Errors
    /// Fails where the column has more than 2 GiB of terms, and names the row.
    pub fn end_row(&mut self) -> Result<(), ArrowError> {
        self.nulls.append_non_null();
        self.end()
    }

    /// Writes NULL.
    ///
    /// # Errors
    /// Fails as [`Self::end_row`] does.
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
    ///
    /// # Errors
    /// Fails where `fields` are not a text and a number of this type.
    pub fn finish(mut self, fields: Fields) -> Result<ArrayRef, ArrowError> {
        // A batch that is kept counts with its room.
        if self.bytes.capacity() / 2 > self.bytes.len() {
            self.bytes.shrink_to_fit();
        }
        if self.numbers.capacity() / 2 > self.numbers.len() {
            self.ends.shrink_to_fit();
            self.numbers.shrink_to_fit();
        }
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
///
/// # Errors
/// Fails where the batch has more than 2 GiB of terms, and names the row from which on it has.
pub fn bag_column(lists: &TokenLists) -> Result<ArrayRef, ArrowError> {
    // There are no more terms than tokens.
    let mut out = BagWriter::new(lists.len(), lists.tokens(), lists.bytes());
    let mut spans = Vec::new();
    for row in lists.rows() {
        let Some(tokens) = row else {
            out.terms.null()?;
            continue;
        };
        spans.clear();
        let bytes = tokens.places(&mut spans);
        out.row(bytes, &spans)?;
    }
    out.terms.finish(types::term_count_fields())
}

/// Returns the same for the tokens of each text, which are written nowhere.
///
/// # Errors
/// Fails where the batch has more than 2 GiB of terms, and names the row from which on it has.
pub fn bag_of_texts_column(
    texts: &Texts,
    tokenizer: &dyn Tokenizer,
) -> Result<ArrayRef, ArrowError> {
    // About as many terms as English has.
    let mut out = BagWriter::new(texts.len(), texts.bytes() / 8, texts.bytes() / 2);
    let (mut buffer, mut spans) = (String::new(), Vec::new());
    texts.for_each(|row| {
        let Some(text) = row else {
            return out.terms.null();
        };
        spans.clear();
        let cut = tokenizer.cut(text.value, &mut buffer, &mut spans);
        out.row(cut.as_bytes(), &spans)
    })?;
    out.terms.finish(types::term_count_fields())
}

/// Writes the counts of lists of tokens.
struct BagWriter {
    terms: TermListWriter<Int64Type>,
    bag: Bag,
}

impl BagWriter {
    fn new(rows: usize, terms: usize, bytes: usize) -> Self {
        let mut writer = TermListWriter::new(rows);
        writer.reserve(terms, bytes);
        Self {
            terms: writer,
            bag: Bag::default(),
        }
    }

    fn row(&mut self, bytes: &[u8], spans: &[Span]) -> Result<(), ArrowError> {
        let counted = self.bag.count(bytes, spans);
        self.terms.placed_terms(counted.iter().map(|found| {
            let term = Placed::at(bytes, spans[found.place as usize]);
            (term, i64::from(found.count))
        }));
        self.terms.end_row()
    }
}
