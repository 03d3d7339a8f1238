//! A column of token lists, and lists of terms with their counts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::error::ArrowError;

use super::text_writer::TokenListWriter;
use super::types;
use crate::text::stop_words::StopWords;
use crate::text::tokenizers::Span;

/// The tokens of one row.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'a> {
    tokens: &'a StringArray,
    start: usize,
    end: usize,
}

impl<'a> Tokens<'a> {
    /// Returns the tokens in order; those that are NULL are left out.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        (self.start..self.end)
            .filter(move |at| self.tokens.is_valid(*at))
            .map(move |at| self.tokens.value(at))
    }
}

/// A column of token lists: a list, large list or fixed-size list of texts in any encoding.
#[derive(Debug, Clone)]
pub struct TokenLists {
    array: ListArray,
}

impl TokenLists {
    /// Takes a column; lists that are not `List<Utf8>` already are cast to it.
    pub fn try_new(array: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(Self {
            array: cast(array, &types::tokens())?.as_list::<i32>().clone(),
        })
    }

    /// Returns how many rows there are, NULLs included.
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.array.is_empty()
    }

    /// Returns how many rows are not NULL.
    pub fn valid_count(&self) -> usize {
        self.array.len() - self.array.null_count()
    }

    /// Returns the tokens of every row in order; NULL is `None`.
    pub fn rows(&self) -> Vec<Option<Tokens<'_>>> {
        let tokens = self.array.values().as_string::<i32>();
        let spans = self.array.value_offsets().windows(2);
        spans
            .enumerate()
            .map(|(row, span)| {
                self.array.is_valid(row).then_some(Tokens {
                    tokens,
                    start: span[0] as usize,
                    end: span[1] as usize,
                })
            })
            .collect()
    }

    /// Maps the tokens of each row to slices of one text; NULL gives NULL.
    ///
    /// `map` writes the text and where the slices lie; both are empty before.
    pub fn map_to_tokens(
        &self,
        mut map: impl FnMut(Tokens<'_>, &mut String, &mut Vec<Span>),
    ) -> Result<ArrayRef, ArrowError> {
        let tokens = self.array.values().as_string::<i32>();
        let mut out = TokenListWriter::new(self.len(), tokens.value_data().len());
        let (mut text, mut spans) = (String::new(), Vec::new());
        for row in self.rows() {
            let Some(row) = row else {
                out.null()?;
                continue;
            };
            text.clear();
            spans.clear();
            map(row, &mut text, &mut spans);
            out.row(&text, &spans)?;
        }
        out.finish()
    }

    /// Leaves out the tokens that are in the list of `words` in the same row, without regard to case; a column of one row
    /// serves every row of the other.
    ///
    /// NULL on either side gives NULL.
    pub fn remove_words(&self, words: &Self, rows: usize) -> Result<ArrayRef, ArrowError> {
        let tokens = self.array.values().as_string::<i32>();
        let mut out = TokenListWriter::new(rows, tokens.value_data().len());
        let (mut text, mut spans) = (String::new(), Vec::new());
        let at = |side: &Self, row| if side.len() == 1 { 0 } else { row };
        let (lists, words_of) = (self.rows(), words.rows());
        // The set of the row before, so that one list for all rows is one set.
        let mut known: Option<(usize, StopWords)> = None;
        for row in 0..rows {
            let place = at(words, row);
            let (Some(list), Some(words)) = (lists[at(self, row)], words_of[place]) else {
                out.null()?;
                continue;
            };
            let known = match known.take() {
                Some(same) if same.0 == place => known.insert(same),
                _ => known.insert((place, StopWords::new(words.iter()))),
            };
            text.clear();
            spans.clear();
            keep(list, &known.1, &mut text, &mut spans);
            out.row(&text, &spans)?;
        }
        out.finish()
    }

    /// Calls `each` with every token of every row that is not NULL, in order; tokens that are NULL are left out.
    pub fn for_each_token(&self, mut each: impl FnMut(&str)) {
        let tokens = self.array.values().as_string::<i32>();
        for (row, span) in self.array.value_offsets().windows(2).enumerate() {
            if self.array.is_null(row) {
                continue;
            }
            for at in span[0] as usize..span[1] as usize {
                if tokens.is_valid(at) {
                    each(tokens.value(at));
                }
            }
        }
    }
}

/// Writes the tokens that are no stop words.
pub(crate) fn keep(
    tokens: Tokens<'_>,
    words: &StopWords,
    text: &mut String,
    spans: &mut Vec<Span>,
) {
    for token in tokens.iter().filter(|token| !words.contains(token)) {
        spans.push(Span::new(text.len(), token.len()));
        text.push_str(token);
    }
}

/// Returns a column of one row: a list of these tokens.
pub fn token_list(tokens: &[&str]) -> Result<ArrayRef, ArrowError> {
    let list = ListArray::try_new(
        types::token_field(),
        OffsetBuffer::from_lengths([tokens.len()]),
        Arc::new(StringArray::from(tokens.to_vec())),
        None,
    )?;
    Ok(Arc::new(list))
}

/// Returns one list of terms and counts, in the order given: a `List<Struct<term, count>>` of one row.
pub fn term_count_list<'a>(
    terms: impl ExactSizeIterator<Item = (&'a str, i64)>,
) -> Result<ListArray, ArrowError> {
    let length = terms.len();
    let mut names = Vec::with_capacity(length);
    let mut counts = Vec::with_capacity(length);
    for (term, count) in terms {
        names.push(term);
        counts.push(count);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(names)),
        Arc::new(Int64Array::from(counts)),
    ];
    let items = StructArray::try_new(types::term_count_fields(), columns, None)?;
    ListArray::try_new(
        types::term_count_field(),
        OffsetBuffer::from_lengths([length]),
        Arc::new(items),
        None,
    )
}
