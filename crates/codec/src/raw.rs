//! The bytes of a message as they are: one column of text or bytes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, OffsetSizeTrait, RecordBatch, UInt32Array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

use super::columns::Bytes;
use super::error::text;
use super::{CodecError, Decoded, Decoder, Encoded, Encoder, Format, FormatOptions};

const NAME: &str = "raw";

#[derive(Debug)]
struct Raw;

/// Returns the format.
pub(super) fn raw(_options: &mut FormatOptions) -> Result<Arc<dyn Format>, CodecError> {
    Ok(Arc::new(Raw))
}

impl Format for Raw {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Decoder>, CodecError> {
        check(schema)?;
        let schema = Arc::clone(schema);
        Ok(Arc::new(Reader { schema }))
    }

    fn encoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Encoder>, CodecError> {
        check(schema)?;
        Ok(Arc::new(Writer))
    }
}

/// Checks that a schema is of one column that holds text or bytes.
fn check(schema: &SchemaRef) -> Result<(), CodecError> {
    use DataType::*;
    let found = match schema.fields().as_ref() {
        [field] => match field.data_type() {
            Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView => return Ok(()),
            data_type => format!("`{}` of {data_type}", field.name()),
        },
        fields => format!("{} columns", fields.len()),
    };
    Err(CodecError::Schema {
        format: NAME,
        expected: "one column of VARCHAR or BYTEA".to_owned(),
        found,
    })
}

#[derive(Debug)]
struct Reader {
    schema: SchemaRef,
}

impl Decoder for Reader {
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded {
        // Text is checked once, all of it; where that fails, message by message.
        let read = self.read(messages, false);
        let read = read.or_else(|_| self.read(messages, true));
        let (column, messages, failed) = read.expect("each text was checked");
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![column]);
        Decoded {
            batch: batch.expect("one column of the schema's type"),
            messages,
            failed,
        }
    }
}

type Copied = (ArrayRef, Vec<u32>, Vec<(u32, CodecError)>);

impl Reader {
    /// Copies the messages into one column; `check` leaves out those that are no text.
    fn read(&self, messages: &[Option<&[u8]>], check: bool) -> Result<Copied, ArrowError> {
        use DataType::*;
        let data_type = self.schema.field(0).data_type();
        let check = check && matches!(data_type, Utf8 | LargeUtf8 | Utf8View);
        match data_type {
            LargeUtf8 | LargeBinary => copy::<i64>(data_type, messages, check),
            _ => copy::<i32>(data_type, messages, check),
        }
    }
}

fn copy<O: OffsetSizeTrait>(
    data_type: &DataType,
    messages: &[Option<&[u8]>],
    check: bool,
) -> Result<Copied, ArrowError> {
    let column = Bytes::<O>::new(data_type, messages.len());
    let mut column = column.expect("the type was checked when the decoder was made");
    column.reserve(messages.iter().flatten().map(|message| message.len()).sum());
    let mut read = Vec::with_capacity(messages.len());
    let mut failed = Vec::new();
    for (place, message) in (0..).zip(messages) {
        let message = message.unwrap_or_default();
        let checked = if check {
            text(message).map(str::as_bytes)
        } else {
            Ok(message)
        };
        let too_much = |expected| CodecError::message(expected, "more");
        match checked.and_then(|bytes| column.push_bytes(bytes).map_err(too_much)) {
            Ok(()) => read.push(place),
            Err(error) => failed.push((place, error)),
        }
    }
    Ok((column.try_finish()?, read, failed))
}

#[derive(Debug)]
struct Writer;

impl Encoder for Writer {
    fn encode(&self, rows: &RecordBatch, _sources: &[u32]) -> Encoded {
        let places = 0..rows.num_rows() as u32;
        let refuse = |row, reason: &str| {
            let reason = reason.to_owned();
            (
                row,
                CodecError::Row {
                    format: NAME,
                    reason,
                },
            )
        };
        let Some(values) = bytes(rows.column(0)) else {
            let reason = "the messages of a batch take more than 2 GiB";
            return Encoded {
                values: BinaryArray::from_iter_values([] as [&[u8]; 0]),
                rows: Vec::new(),
                failed: places.map(|row| refuse(row, reason)).collect(),
            };
        };
        if values.null_count() == 0 {
            let rows = places.collect();
            return Encoded {
                values,
                rows,
                failed: Vec::new(),
            };
        }
        let (rows, nulls): (Vec<u32>, Vec<u32>) =
            places.partition(|row| values.is_valid(*row as usize));
        let reason = "it is NULL, and the option `tombstones` is `false`";
        let values = take(&values, &UInt32Array::from(rows.clone()), None);
        Encoded {
            values: values
                .expect("places within the column")
                .as_binary::<i32>()
                .clone(),
            rows,
            failed: nulls.into_iter().map(|row| refuse(row, reason)).collect(),
        }
    }
}

/// Returns a column as bytes, without a copy where its offsets are of 32 bits; none beyond 2 GiB.
fn bytes(column: &ArrayRef) -> Option<BinaryArray> {
    if let Some(text) = column.as_string_opt::<i32>() {
        return Some(BinaryArray::from(text.clone()));
    }
    let views = |lengths: usize| i32::try_from(lengths).ok();
    if let Some(text) = column.as_string_view_opt() {
        views(text.lengths().map(|len| len as usize).sum())?;
    }
    if let Some(bytes) = column.as_binary_view_opt() {
        views(bytes.lengths().map(|len| len as usize).sum())?;
    }
    let cast = cast(column, &DataType::Binary).ok()?;
    Some(cast.as_binary::<i32>().clone())
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryViewArray, LargeStringArray, StringArray, StringViewArray};

    use super::*;
    use crate::checks::{decode, encode, schema, shown, texts, with};

    #[test]
    fn text_that_is_no_utf8_fails_its_message_alone() {
        let messages: [Option<&[u8]>; 4] =
            [Some(b"a"), Some(b"b\xff"), Some(b""), Some("ä".as_bytes())];
        for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            let decoded = decode(&with("raw", &[]), &schema([("t", data_type)]), &messages);
            assert_eq!(decoded.messages, [0, 2, 3]);
            let (rows, failed) = shown(&decoded);
            assert_eq!(rows, [r#"{"t":"a"}"#, r#"{"t":""}"#, r#"{"t":"ä"}"#]);
            assert_eq!(failed, ["1: expected UTF-8 at byte 1, found 0xff"]);
        }
        for data_type in [
            DataType::Binary,
            DataType::LargeBinary,
            DataType::BinaryView,
        ] {
            let decoded = decode(&with("raw", &[]), &schema([("b", data_type)]), &messages);
            assert_eq!(decoded.messages, [0, 1, 2, 3]);
            let rows = [
                r#"{"b":"61"}"#,
                r#"{"b":"62ff"}"#,
                r#"{"b":""}"#,
                r#"{"b":"c3a4"}"#,
            ];
            assert_eq!(shown(&decoded).0, rows);
        }
    }

    #[test]
    fn a_character_does_not_begin_in_one_message_and_end_in_the_next() {
        let messages: [Option<&[u8]>; 3] = [Some(b"a\xc3"), Some(b"\xa4b"), Some(b"c")];
        let decoded = decode(
            &with("raw", &[]),
            &schema([("t", DataType::Utf8View)]),
            &messages,
        );
        assert_eq!(decoded.messages, [2]);
    }

    #[test]
    fn text_is_written_from_where_it_is() {
        let strings = StringArray::from(vec!["one", "two", "three"]);
        let start = strings.value_data().as_ptr();
        let rows = RecordBatch::try_from_iter([("t", Arc::new(strings.slice(1, 2)) as ArrayRef)]);
        let encoded = encode(&with("raw", &[]), &rows.expect("valid"));
        assert_eq!(texts(&encoded).0, [Some("two"), Some("three")]);
        assert_eq!(encoded.values.value_data().as_ptr(), start);
    }

    #[test]
    fn a_null_is_a_tombstone_or_fails() {
        let arrays: [ArrayRef; 4] = [
            Arc::new(StringArray::from(vec![Some("a"), None, Some("")])),
            Arc::new(LargeStringArray::from(vec![Some("a"), None, Some("")])),
            Arc::new(StringViewArray::from(vec![Some("a"), None, Some("")])),
            Arc::new(BinaryViewArray::from(vec![
                Some(b"a".as_slice()),
                None,
                Some(b""),
            ])),
        ];
        for array in arrays {
            let rows = RecordBatch::try_from_iter([("t", array)]).expect("valid");
            let encoded = encode(&with("raw", &[("tombstones", "true")]), &rows);
            assert_eq!(texts(&encoded).0, [Some("a"), None, Some("")]);
            assert_eq!(encoded.rows, [0, 1, 2]);
            let encoded = encode(&with("raw", &[]), &rows);
            let expected =
                "1: can't be written as raw: it is NULL, and the option `tombstones` is `false`";
            assert_eq!(
                texts(&encoded),
                (vec![Some("a"), Some("")], vec![expected.to_owned()])
            );
            assert_eq!(encoded.rows, [0, 2]);
        }
    }

    #[test]
    fn a_table_has_one_column_of_text_or_bytes() {
        let two = schema([("a", DataType::Utf8), ("b", DataType::Utf8)]);
        let number = schema([("a", DataType::Int64)]);
        for (columns, found) in [(two, "2 columns"), (number, "`a` of Int64")] {
            let expected =
                format!("format `raw`: expected one column of VARCHAR or BYTEA, found {found}");
            let format = with("raw", &[]);
            assert_eq!(
                format.decoder(&columns).expect_err("refused").to_string(),
                expected
            );
            assert_eq!(
                format.encoder(&columns).expect_err("refused").to_string(),
                expected
            );
        }
    }
}
