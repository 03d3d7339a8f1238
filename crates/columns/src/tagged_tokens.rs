//! Tokens with their parts of speech as a column.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringArray, StructArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::error::ArrowError;

use super::text_writer::too_many;
use super::{Texts, types};
use lexstream_text::pos_tags::PosTagger;

/// Texts end to end.
#[derive(Debug)]
struct Column {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Column {
    fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: vec![0],
        }
    }

    /// Writes a text; what is too long is found at the end of the row.
    #[inline]
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len() as i32);
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        let ends = OffsetBuffer::new(self.ends.into());
        let texts = StringArray::try_new(ends, Buffer::from_vec(self.bytes), None)?;
        Ok(Arc::new(texts))
    }
}

/// Returns the tokens of each text with their tags, in order, as [`types::tagged_tokens`]; NULL stays.
///
/// # Errors
/// Fails where the batch has more than 2 GiB of tokens, and names the row from which on it has.
pub fn tagged_token_column(texts: &Texts, tagger: &PosTagger) -> Result<ArrayRef, ArrowError> {
    let (mut tokens, mut tags) = (Column::new(), Column::new());
    let mut rows = Vec::with_capacity(texts.len() + 1);
    rows.push(0);
    for (row, text) in texts.values().into_iter().enumerate() {
        tagger.for_each(text.unwrap_or_default(), |token, tag| {
            tokens.push(token);
            tags.push(tag);
        });
        let most = tokens
            .bytes
            .len()
            .max(tags.bytes.len())
            .max(tags.ends.len());
        if most > i32::MAX as usize {
            return Err(too_many(row));
        }
        rows.push((tags.ends.len() - 1) as i32);
    }
    let columns = vec![tokens.finish()?, tags.finish()?];
    let items = StructArray::try_new(types::tagged_token_fields(), columns, None)?;
    Ok(Arc::new(ListArray::try_new(
        types::tagged_token_field(),
        OffsetBuffer::new(rows.into()),
        Arc::new(items),
        texts.nulls().cloned(),
    )?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn null_stays_and_empty_text_has_none() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("我爱北京"), None, Some("")]));
        let texts = Texts::try_new(array).expect("texts");
        let lists = tagged_token_column(&texts, &PosTagger::built_in()).expect("a column");
        let lists = lists.as_list::<i32>();
        assert!(lists.is_null(1) && lists.null_count() == 1);
        assert_eq!(lists.value(2).len(), 0);
        let first = lists.value(0);
        let column = |at: usize| -> Vec<_> {
            let texts = first.as_struct().column(at).as_string::<i32>();
            texts.iter().flatten().map(str::to_owned).collect()
        };
        assert_eq!(column(0), ["我", "爱", "北京"]);
        assert_eq!(column(1), ["r", "v", "ns"]);
    }
}
