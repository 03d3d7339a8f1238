//! A column of texts in any encoding.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, LargeStringArray, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{ArrowNativeType, ByteArrayType, DataType, LargeUtf8Type, Utf8Type};
use arrow::error::ArrowError;

use super::text_writer::{INLINE, TextWriter, TokenListWriter};
use super::types;
use lexstream_text::tokenizers::Tokenizer;

/// One text of a column, and where its bytes lie, so that it can be written without a copy.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The text itself.
    pub value: &'a str,
    /// Which of the column's buffers holds it, and at what byte; none where it is stored inline.
    pub(super) place: Option<(u32, u32)>,
}

/// Bytes that should be text and are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidUtf8 {
    /// Row in the column, from 0.
    pub row: usize,
    /// Where in the value the first wrong byte stands, from 0.
    pub byte: usize,
}

impl fmt::Display for InvalidUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "row {} of the batch: expected UTF-8, found an invalid byte at {}",
            self.row, self.byte
        )
    }
}

impl std::error::Error for InvalidUtf8 {}

/// A column of texts: Utf8, LargeUtf8, Utf8View, a dictionary of one of them, or binary that holds UTF-8.
#[derive(Debug, Clone)]
pub struct Texts {
    array: ArrayRef,
    /// The buffers that the texts lie in.
    blocks: Vec<Buffer>,
    /// LargeUtf8 only: where in the values each block starts, since a place has no more than 32 bits.
    bases: Vec<usize>,
}

impl Texts {
    /// Wraps a column; its length and nulls are kept, and no text is copied but out of a binary column's check.
    ///
    /// # Errors
    /// Fails where the column has another type, a binary value is no UTF-8 ([`InvalidUtf8`]), or a text has more than 2
    /// GiB; the row is named.
    pub fn try_new(array: ArrayRef) -> Result<Self, ArrowError> {
        let array = match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => array,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                check_utf8(&cast(&array, &DataType::BinaryView)?)?;
                cast(&array, &types::TEXT)?
            }
            DataType::Dictionary(_, value)
                if value.is_binary() || **value == DataType::BinaryView =>
            {
                return Self::try_new(cast(&array, &DataType::BinaryView)?);
            }
            _ => cast(&array, &types::TEXT)?,
        };
        let (blocks, bases) = match array.data_type() {
            DataType::Utf8 => (vec![array.as_string::<i32>().values().clone()], vec![0]),
            DataType::LargeUtf8 => blocks_of(array.as_string::<i64>())?,
            _ => (array.as_string_view().data_buffers().to_vec(), Vec::new()),
        };
        Ok(Self {
            array,
            blocks,
            bases,
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

    /// Returns how many bytes the texts have in all.
    pub(super) fn bytes(&self) -> usize {
        match self.array.data_type() {
            DataType::Utf8 => span_of(self.array.as_string::<i32>().value_offsets()),
            DataType::LargeUtf8 => span_of(self.array.as_string::<i64>().value_offsets()),
            _ => self
                .array
                .as_string_view()
                .lengths()
                .map(|length| length as usize)
                .sum(),
        }
    }

    /// Returns every row in order; NULL is `None`.
    pub fn values(&self) -> Vec<Option<&str>> {
        match self.array.data_type() {
            DataType::Utf8 => self.array.as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => self.array.as_string::<i64>().iter().collect(),
            _ => self.array.as_string_view().iter().collect(),
        }
    }

    /// Calls `each` with every row in order; NULL is `None`.
    ///
    /// # Errors
    /// Fails where `each` does.
    pub fn for_each<E>(
        &self,
        mut each: impl FnMut(Option<Text<'_>>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.array.data_type() {
            DataType::Utf8 => self.for_each_offset::<Utf8Type, E>(&mut each),
            DataType::LargeUtf8 => self.for_each_offset::<LargeUtf8Type, E>(&mut each),
            _ => for_each_view(self.array.as_string_view(), &mut each),
        }
    }

    fn for_each_offset<T, E>(
        &self,
        each: &mut impl FnMut(Option<Text<'_>>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        T: ByteArrayType<Native = str>,
    {
        let array = self.array.as_bytes::<T>();
        let offsets = array.value_offsets();
        let mut block = 0;
        for row in 0..array.len() {
            if array.is_null(row) {
                each(None)?;
                continue;
            }
            let start = offsets[row].as_usize();
            let end = offsets[row + 1].as_usize();
            while self
                .bases
                .get(block + 1)
                .is_some_and(|base| *base <= start && *base < end)
            {
                block += 1;
            }
            let value = array.value(row);
            each(Some(Text {
                value,
                place: Some((block as u32, (start - self.bases[block]) as u32)),
            }))?;
        }
        Ok(())
    }

    /// Maps each text to its tokens; NULL gives NULL.
    ///
    /// # Errors
    /// Fails where the batch has more than 2 GiB of tokens, and names the row from which on it has.
    pub fn map_to_tokens(&self, tokenizer: &dyn Tokenizer) -> Result<ArrayRef, ArrowError> {
        let mut out = TokenListWriter::new(self.len(), self.bytes());
        let mut buffer = String::new();
        let mut spans = Vec::new();
        self.for_each(|text| {
            let Some(text) = text else {
                return out.null();
            };
            spans.clear();
            let cut = tokenizer.cut(text.value, &mut buffer, &mut spans);
            out.row(cut, &spans)
        })?;
        out.finish()
    }

    /// Maps each text to the number of its tokens; NULL gives NULL.
    ///
    /// # Errors
    /// Passes on Arrow's check of the column, whose parts fit by construction.
    pub fn map_to_token_count(&self, tokenizer: &dyn Tokenizer) -> Result<ArrayRef, ArrowError> {
        let mut buffer = String::new();
        let mut spans = Vec::new();
        let mut counts = Vec::with_capacity(self.len());
        self.for_each::<ArrowError>(|text| {
            spans.clear();
            if let Some(text) = text {
                tokenizer.cut(text.value, &mut buffer, &mut spans);
            }
            counts.push(spans.len() as i64);
            Ok(())
        })?;
        Ok(Arc::new(Int64Array::try_new(
            counts.into(),
            self.nulls().cloned(),
        )?))
    }

    /// Maps each text to one text; NULL gives NULL.
    ///
    /// # Errors
    /// Fails where `f` does.
    pub fn map_to_text(
        &self,
        mut f: impl FnMut(Text<'_>, &mut TextWriter) -> Result<(), ArrowError>,
    ) -> Result<ArrayRef, ArrowError> {
        let mut out = TextWriter::new(self.len(), &self.blocks);
        self.for_each(|text| match text {
            Some(text) => f(text, &mut out),
            None => {
                out.null();
                Ok(())
            }
        })?;
        Ok(out.finish())
    }
}

/// Returns how many bytes lie between the first and the last offset.
fn span_of<T: ArrowNativeType>(offsets: &[T]) -> usize {
    match offsets {
        [first, .., last] => last.as_usize() - first.as_usize(),
        _ => 0,
    }
}

fn for_each_view<E>(
    array: &StringViewArray,
    each: &mut impl FnMut(Option<Text<'_>>) -> Result<(), E>,
) -> Result<(), E> {
    for (row, view) in array.views().iter().enumerate() {
        if array.is_null(row) {
            each(None)?;
            continue;
        }
        // A view: length, prefix, buffer, offset, 32 bits each, from the lowest.
        let place =
            (*view as u32 as usize > INLINE).then_some(((view >> 64) as u32, (view >> 96) as u32));
        each(Some(Text {
            value: array.value(row),
            place,
        }))?;
    }
    Ok(())
}

/// Cuts the values of a large array into buffers that 32-bit places can address, each starting where a text does.
fn blocks_of(array: &LargeStringArray) -> Result<(Vec<Buffer>, Vec<usize>), ArrowError> {
    let mut bases = vec![
        array
            .value_offsets()
            .first()
            .map_or(0, |first| first.as_usize()),
    ];
    for (row, pair) in array.value_offsets().windows(2).enumerate() {
        let bytes = pair[1].as_usize() - pair[0].as_usize();
        if bytes > i32::MAX as usize {
            let message = format!(
                "row {row} of the batch: expected a text of at most {} bytes, found {bytes}",
                i32::MAX
            );
            return Err(ArrowError::InvalidArgumentError(message));
        }
        let base = bases.last().expect("there is a first base");
        if pair[1].as_usize() - base > i32::MAX as usize && pair[0].as_usize() > *base {
            bases.push(pair[0].as_usize());
        }
    }
    let end = array
        .value_offsets()
        .last()
        .map_or(0, |last| last.as_usize());
    let ends = bases.iter().skip(1).copied().chain([end]);
    let blocks = bases
        .iter()
        .zip(ends)
        .map(|(start, end)| array.values().slice_with_length(*start, end - start))
        .collect();
    Ok((blocks, bases))
}

fn check_utf8(array: &ArrayRef) -> Result<(), ArrowError> {
    for (row, value) in array.as_binary_view().iter().enumerate() {
        if let Some(Err(error)) = value.map(std::str::from_utf8) {
            let error = InvalidUtf8 {
                row,
                byte: error.valid_up_to(),
            };
            return Err(ArrowError::ExternalError(Box::new(error)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, DictionaryArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;
    use lexstream_text::tokenizers::Span;

    const LONG: &str = "a text that is longer than twelve bytes";

    fn every_encoding(values: &[Option<&str>]) -> Vec<ArrayRef> {
        let values = || values.iter().copied();
        vec![
            Arc::new(values().collect::<StringArray>()),
            Arc::new(values().collect::<LargeStringArray>()),
            Arc::new(values().collect::<StringViewArray>()),
            Arc::new(values().collect::<DictionaryArray<Int32Type>>()),
            Arc::new(BinaryArray::from_iter(values())),
        ]
    }

    #[derive(Debug)]
    struct Halves;

    impl Tokenizer for Halves {
        fn cut<'a>(&self, text: &'a str, _: &'a mut String, spans: &mut Vec<Span>) -> &'a str {
            let middle = text.len() / 2;
            spans.extend([Span::new(0, middle), Span::new(middle, text.len() - middle)]);
            text
        }
    }

    fn halves(array: ArrayRef) -> ArrayRef {
        Texts::try_new(array)
            .expect("texts")
            .map_to_tokens(&Halves)
            .expect("halves")
    }

    #[test]
    fn tokens_are_the_same_in_every_encoding_and_of_a_sliced_array() {
        let values = [
            Some("skipped, and long enough to have a buffer"),
            Some(LONG),
            None,
            Some(""),
            Some("短文"),
            Some(LONG),
        ];
        for array in every_encoding(&values) {
            let lists = halves(array.slice(1, 4));
            let lists = lists.as_list::<i32>();
            let row = |row: usize| {
                lists
                    .value(row)
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(row(0), [&LONG[..19], &LONG[19..]], "{}", array.data_type());
            assert!(lists.is_null(1));
            assert_eq!(row(2), ["", ""]);
            assert_eq!(row(3), ["短", "文"]);
        }
    }

    #[test]
    fn an_unchanged_text_is_not_copied() {
        let array = StringArray::from(vec![LONG]);
        let same = Texts::try_new(Arc::new(array.clone()))
            .expect("texts")
            .map_to_text(|text, out| out.unchanged(&text))
            .expect("the same");
        let same = same.as_string_view();
        assert_eq!(same.value(0), LONG);
        assert_eq!(same.data_buffers()[0].as_ptr(), array.values().as_ptr());
    }

    #[test]
    fn invalid_bytes_are_named() {
        let array = BinaryArray::from_opt_vec(vec![
            Some(b"good".as_slice()),
            None,
            Some(b"ba\xffd".as_slice()),
        ]);
        let error = Texts::try_new(Arc::new(array)).expect_err("invalid");
        assert_eq!(
            error.to_string(),
            "External error: row 2 of the batch: expected UTF-8, found an invalid byte at 2"
        );
    }
}
