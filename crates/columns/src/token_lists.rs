//! A column of token lists, and lists of terms with their counts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::error::ArrowError;

use super::text_writer::TokenListWriter;
use super::types;
use lexstream_text::stop_words::StopWords;
use lexstream_text::tokenizers::Span;

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

    /// Returns the bytes that the tokens lie in, and adds where each lies; those that are NULL are left out.
    pub fn places(self, spans: &mut Vec<Span>) -> &'a [u8] {
        let ends = &self.tokens.value_offsets()[self.start..=self.end];
        let places = ends.array_windows().zip(self.start..);
        let is_valid = |at: usize| self.tokens.is_valid(at);
        spans.extend(
            places
                .filter(|(_, at)| is_valid(*at))
                .map(|([start, end], _)| Span {
                    start: *start as u32,
                    end: *end as u32,
                }),
        );
        self.tokens.value_data()
    }
}

/// A column of token lists: a list, large list or fixed-size list of texts in any encoding.
#[derive(Debug, Clone)]
pub struct TokenLists {
    array: ListArray,
}

impl TokenLists {
    /// Wraps a column; lists that are not `List<Utf8>` already are cast to it.
    ///
    /// # Errors
    /// Fails where the column can't be cast to `List<Utf8>`.
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

    /// Returns which rows are NULL.
    pub fn nulls(&self) -> Option<&NullBuffer> {
        self.array.nulls()
    }

    /// Returns how many tokens all rows have.
    pub fn tokens(&self) -> usize {
        let offsets = self.array.value_offsets();
        offsets
            .last()
            .zip(offsets.first())
            .map_or(0, |(end, start)| (end - start) as usize)
    }

    /// Returns how many bytes the tokens of all rows have.
    pub fn bytes(&self) -> usize {
        let lists = self.array.value_offsets();
        let tokens = self.array.values().as_string::<i32>().value_offsets();
        let place = |list: Option<&i32>| list.map_or(0, |at| tokens[*at as usize] as usize);
        place(lists.last()) - place(lists.first())
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

    /// Returns the tokens of a row; none for NULL.
    pub fn row(&self, row: usize) -> Option<Tokens<'_>> {
        let offsets = self.array.value_offsets();
        self.array.is_valid(row).then(|| Tokens {
            tokens: self.array.values().as_string::<i32>(),
            start: offsets[row] as usize,
            end: offsets[row + 1] as usize,
        })
    }

    /// Maps the tokens of each row to slices of one text; NULL gives NULL.
    ///
    /// `map` writes the text and where the slices lie; both are empty before.
    ///
    /// # Errors
    /// Fails where the batch has more than 2 GiB of tokens, and names the row from which on it has.
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
    ///
    /// # Errors
    /// Fails where the batch has more than 2 GiB of tokens, and names the row from which on it has.
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
}

/// Writes the tokens that are no stop words.
pub fn keep(tokens: Tokens<'_>, words: &StopWords, text: &mut String, spans: &mut Vec<Span>) {
    for token in tokens.iter().filter(|token| !words.contains(token)) {
        spans.push(Span::new(text.len(), token.len()));
        text.push_str(token);
    }
}

/// Returns a column of one row: a list of these tokens.
///
/// # Errors
/// Fails where the tokens have more than 2 GiB.
pub fn token_list(tokens: &[&str]) -> Result<ArrayRef, ArrowError> {
    let list = ListArray::try_new(
        types::token_field(),
        OffsetBuffer::from_lengths([tokens.len()]),
        Arc::new(StringArray::from(tokens.to_vec())),
        None,
    )?;
    Ok(Arc::new(list))
}
