//! JSON of values that arrow-json writes as no valid JSON, or not at all.

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray, StringBuilder};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// Returns how JSON is written: NULL as `null`, a map whose keys are no text as a list of keys and values.
///
/// A value that can't be shown, such as a date beyond the calendar, is an error.
pub(super) fn options() -> EncoderOptions {
    EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_encoder_factory(factory())
}

/// Returns what writes the values that arrow-json does not.
pub(super) fn factory() -> Arc<dyn EncoderFactory> {
    Arc::new(Valid)
}

#[derive(Debug)]
struct Valid;

impl EncoderFactory for Valid {
    fn make_default_encoder<'a>(
        &self,
        _: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Map(entries, _) => match Entries::of(entries, array, options)? {
                Some(entries) => Box::new(entries),
                None => return Ok(None),
            },
            DataType::Decimal32(_, scale)
            | DataType::Decimal64(_, scale)
            | DataType::Decimal128(_, scale)
            | DataType::Decimal256(_, scale)
                if *scale < 0 =>
            {
                Box::new(Numbers(shown(array)?))
            }
            kind if kind.is_temporal() => Box::new(Texts(shown(array)?)),
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

/// Shows each value; one that can't be shown is an error.
fn shown(array: &dyn Array) -> Result<StringArray, ArrowError> {
    let options = FormatOptions::new().with_display_error(false);
    let formatter = ArrayFormatter::try_new(array, &options)?;
    let mut texts = StringBuilder::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
        } else {
            texts.append_value(formatter.value(row).try_to_string()?);
        }
    }
    Ok(texts.finish())
}

/// Values that are texts in JSON, of letters that need no escape.
struct Texts(StringArray);

impl Encoder for Texts {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.0.value(row).as_bytes());
        out.push(b'"');
    }
}

/// Decimals of negative scale: the digits end in as many zeros, which makes several of a zero.
struct Numbers(StringArray);

impl Encoder for Numbers {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let text = self.0.value(row);
        let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'-'));
        out.extend_from_slice(if is_zero { b"0" } else { text.as_bytes() });
    }
}

/// A map as a list: `[{"key":1,"value":"one"}]`.
struct Entries<'a> {
    offsets: &'a [i32],
    keys: NullableEncoder<'a>,
    values: NullableEncoder<'a>,
}

impl<'a> Entries<'a> {
    /// Returns none where the keys are text, since such a map is an object.
    fn of(
        entries: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<Self>, ArrowError> {
        let DataType::Struct(fields) = entries.data_type() else {
            return Ok(None);
        };
        let [key, value] = fields.as_ref() else {
            return Ok(None);
        };
        if key.data_type().is_string() {
            return Ok(None);
        }
        let map = array.as_map();
        Ok(Some(Self {
            offsets: map.value_offsets(),
            keys: make_encoder(key, map.keys(), options)?,
            values: make_encoder(value, map.values(), options)?,
        }))
    }
}

impl Encoder for Entries<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let span = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        out.push(b'[');
        for (place, entry) in span.enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"key\":");
            write(&mut self.keys, entry, out);
            out.extend_from_slice(b",\"value\":");
            write(&mut self.values, entry, out);
            out.push(b'}');
        }
        out.push(b']');
    }
}

fn write(encoder: &mut NullableEncoder<'_>, row: usize, out: &mut Vec<u8>) {
    match encoder.is_null(row) {
        true => out.extend_from_slice(b"null"),
        false => encoder.encode(row, out),
    }
}
