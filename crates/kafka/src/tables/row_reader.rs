//! Messages as rows of a topic's table.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BinaryViewArray, Int32Array, Int64Array, LargeBinaryArray,
    LargeStringArray, ListArray, RecordBatch, RecordBatchOptions, StringArray, StringViewArray,
    StructArray, TimestampMillisecondArray, UInt32Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::{Result, exec_datafusion_err, internal_err, plan_err};

use super::columns::{Columns, Special};
use super::row_error::RowError;
use crate::{Message, Messages};
use lexstream_codec::{Decoder, Format};

/// Reads messages into rows; threads can share it.
///
/// Every column that the table declares is read, whatever a query asks for: a message that can't be read is found by
/// any of them, and it is whole or not at all.
#[derive(Debug)]
pub struct RowReader {
    columns: Columns,
    /// None where every column is special.
    decoder: Option<Arc<dyn Decoder>>,
    /// The columns that are asked for, in the order of asking.
    output: SchemaRef,
    sources: Vec<Source>,
    /// Special columns that a message may have nothing for.
    checks: Vec<Check>,
}

/// Where a column that is asked for comes from.
#[derive(Debug)]
enum Source {
    /// A column of the value, by its place among them.
    Value(usize),
    Special(Special),
}

#[derive(Debug)]
struct Check {
    special: Special,
    /// Whether it must be UTF-8.
    is_text: bool,
    /// Whether it must be there.
    is_required: bool,
}

/// Rows out of messages.
#[derive(Debug)]
pub struct Rows {
    /// The columns that were asked for, in the order of the messages.
    pub batch: RecordBatch,
    /// The place of the message that each row came from, ascending.
    pub messages: Vec<u32>,
    /// The places of messages that can't be read, ascending.
    pub failed: Vec<(u32, RowError)>,
}

impl RowReader {
    /// Returns a reader of the columns that `projection` names by their places in the table's `schema`.
    ///
    /// Columns of the value need a format.
    pub fn try_new(
        schema: &SchemaRef,
        format: Option<&dyn Format>,
        projection: &[usize],
    ) -> Result<Self> {
        let columns = Columns::try_new(schema)?;
        let decoder = match format {
            _ if columns.value_at.is_empty() => None,
            Some(format) => {
                let decoder = format.decoder(&columns.value);
                Some(decoder.map_err(|error| exec_datafusion_err!("{error}"))?)
            }
            None => {
                return plan_err!(
                    "expected a format for column `{}`, found none",
                    columns.value.field(0).name()
                );
            }
        };
        let source = |at: &usize| match columns.value_at.binary_search(at) {
            Ok(at) => Source::Value(at),
            Err(_) => {
                let special = Special::of(schema.field(*at).name());
                Source::Special(special.expect("a column is the value's or special"))
            }
        };
        let checks = columns.special.iter().filter_map(|(special, at)| {
            let field = schema.field(*at);
            let check = Check {
                special: *special,
                is_text: *special == Special::Key && field.data_type().is_string(),
                is_required: !field.is_nullable(),
            };
            (check.is_text || check.is_required).then_some(check)
        });
        Ok(Self {
            output: Arc::new(schema.project(projection)?),
            sources: projection.iter().map(source).collect(),
            checks: checks.collect(),
            columns,
            decoder,
        })
    }

    /// Returns the schema of the rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.output
    }

    /// Reads messages; their number fits 32 bits.
    pub fn read(&self, messages: &Messages) -> Result<Rows> {
        let Ok(count) = u32::try_from(messages.len()) else {
            return internal_err!("{} messages in one batch", messages.len());
        };
        let (mut value, mut places, mut failed) = match &self.decoder {
            Some(decoder) => {
                let values: Vec<_> = messages.iter().map(|message| message.value()).collect();
                let decoded = decoder.decode(&values);
                let failed = decoded.failed.into_iter();
                let failed: Vec<_> = failed.map(|(place, error)| (place, error.into())).collect();
                (decoded.batch, decoded.messages, failed)
            }
            None => {
                let empty = RecordBatch::new_empty(Arc::new(Schema::empty()));
                (empty, (0..count).collect(), Vec::new())
            }
        };
        let before = failed.len();
        self.check(messages, &mut failed);
        if failed.len() > before {
            // What the value says of a message comes first.
            failed.sort_by_key(|(place, _)| *place);
            failed.dedup_by_key(|(place, _)| *place);
            let is_whole = |place: &u32| failed.binary_search_by_key(place, |(at, _)| *at).is_err();
            let kept = (0_u32..).zip(&places).filter(|(_, place)| is_whole(place));
            let (rows, kept): (Vec<_>, Vec<_>) = kept.map(|(row, place)| (row, *place)).unzip();
            places = kept;
            if self.decoder.is_some() {
                value = take_record_batch(&value, &UInt32Array::from(rows))?;
            }
        }
        let columns = self.sources.iter().zip(self.output.fields());
        let columns = columns.map(|(source, field)| match source {
            Source::Value(at) => Ok(Arc::clone(value.column(*at))),
            Source::Special(special) => {
                let rows = places.iter().map(|place| messages.at(*place as usize));
                column(*special, field.data_type(), rows)
            }
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)?;
        Ok(Rows {
            batch,
            messages: places,
            failed,
        })
    }

    /// Finds the messages that special columns can't be read from.
    fn check(&self, messages: &Messages, failed: &mut Vec<(u32, RowError)>) {
        if self.checks.is_empty() && !messages.have_headers_lost() {
            return;
        }
        for (place, message) in (0_u32..).zip(messages.iter()) {
            let of_headers = message.has_headers_lost().then(|| RowError::Special {
                column: Special::Headers.name(),
                expected: "keys that are UTF-8",
                found: "another one".to_owned(),
            });
            let of_columns = || self.checks.iter().find_map(|check| check.error(&message));
            let error = of_headers.or_else(of_columns);
            failed.extend(error.map(|error| (place, error)));
        }
    }

    /// Returns the columns of the table.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }
}

impl Check {
    fn error(&self, message: &Message<'_>) -> Option<RowError> {
        let is_there = match self.special {
            Special::Key => message.key().is_some(),
            Special::Timestamp => message.timestamp().is_some(),
            Special::Message => message.value().is_some(),
            _ => true,
        };
        let error = |expected, found: &str| RowError::Special {
            column: self.special.name(),
            expected,
            found: found.to_owned(),
        };
        if self.is_required && !is_there {
            return Some(error("a value for NOT NULL", "none in the message"));
        }
        let key = message.key().filter(|_| self.is_text)?;
        let wrong = std::str::from_utf8(key).err()?;
        let found = format!(
            "byte 0x{:02x} at {}",
            key[wrong.valid_up_to()],
            wrong.valid_up_to()
        );
        Some(error("UTF-8", &found))
    }
}

fn column<'a>(
    special: Special,
    data_type: &DataType,
    rows: impl ExactSizeIterator<Item = Message<'a>> + Clone,
) -> Result<ArrayRef> {
    match special {
        Special::Key => bytes(data_type, rows.map(|message| message.key())),
        Special::Message => bytes(data_type, rows.map(|message| message.value())),
        Special::Topic => bytes(
            data_type,
            rows.map(|message| Some(message.topic().as_bytes())),
        ),
        Special::Timestamp => {
            let times: TimestampMillisecondArray =
                rows.map(|message| message.timestamp()).collect();
            Ok(Arc::new(times))
        }
        Special::PartitionId => Ok(Arc::new(Int32Array::from_iter_values(
            rows.map(|message| message.partition()),
        ))),
        Special::PartitionOffset => Ok(Arc::new(Int64Array::from_iter_values(
            rows.map(|message| message.offset()),
        ))),
        Special::Headers => headers(data_type, rows),
    }
}

/// Builds a column of texts or bytes; texts are UTF-8, as was checked.
fn bytes<'a>(
    data_type: &DataType,
    values: impl Iterator<Item = Option<&'a [u8]>>,
) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Binary => Arc::new(values.collect::<BinaryArray>()),
        DataType::LargeBinary => Arc::new(values.collect::<LargeBinaryArray>()),
        DataType::BinaryView => Arc::new(values.collect::<BinaryViewArray>()),
        DataType::Utf8 => Arc::new(StringArray::try_from_binary(values.collect())?),
        DataType::LargeUtf8 => Arc::new(LargeStringArray::try_from_binary(values.collect())?),
        DataType::Utf8View => {
            let values: BinaryViewArray = values.collect();
            Arc::new(StringViewArray::from(values.to_string_view()?))
        }
        other => return internal_err!("no text or bytes: {other}"),
    })
}

fn headers<'a>(
    data_type: &DataType,
    rows: impl Iterator<Item = Message<'a>> + Clone,
) -> Result<ArrayRef> {
    let DataType::List(item) = data_type else {
        return internal_err!("no list: {data_type}");
    };
    let DataType::Struct(fields) = item.data_type() else {
        return internal_err!("no struct: {}", item.data_type());
    };
    let all = || rows.clone().flat_map(|message| message.headers());
    let keys = all().map(|(key, _)| Some(key.as_bytes()));
    let keys = bytes(fields[0].data_type(), keys)?;
    let values = bytes(fields[1].data_type(), all().map(|(_, value)| value))?;
    let lengths = rows.map(|message| message.headers().len());
    let items = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(ListArray::try_new(
        Arc::clone(item),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(items),
        None,
    )?))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{Field, TimeUnit};
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use rdkafka::Timestamp;
    use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

    use super::super::words_format::Words;
    use super::*;

    fn headers_type() -> DataType {
        let fields = vec![
            Field::new("key", DataType::Utf8View, true),
            Field::new("value", DataType::Binary, true),
        ];
        DataType::new_list(DataType::Struct(fields.into()), true)
    }

    fn schema(fields: &[(&str, DataType, bool)]) -> SchemaRef {
        let fields = fields
            .iter()
            .map(|(name, data_type, nullable)| Field::new(*name, data_type.clone(), *nullable));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn messages(given: &[(Option<&str>, Option<&[u8]>)]) -> Messages {
        let mut messages = Messages::default();
        for (offset, (value, key)) in (40_i64..).zip(given) {
            let headers = OwnedHeaders::new().insert(Header {
                key: "h",
                value: Some(&format!("{offset}")),
            });
            messages.push(&OwnedMessage::new(
                value.map(|value| value.as_bytes().to_vec()),
                key.map(<[u8]>::to_vec),
                "reviews".to_owned(),
                Timestamp::CreateTime(offset * 1000),
                3,
                offset,
                (offset != 41).then_some(headers),
            ));
        }
        messages
    }

    fn check(
        schema: &SchemaRef,
        projection: &[usize],
        given: &Messages,
        expected: &[&str],
    ) -> Rows {
        let reader = RowReader::try_new(schema, Some(&Words), projection).expect("a reader");
        let rows = reader.read(given).expect("rows");
        let table = pretty_format_batches(std::slice::from_ref(&rows.batch)).expect("a table");
        let lines: Vec<_> = table.to_string().lines().map(str::to_owned).collect();
        assert_eq!(lines[3..lines.len() - 1], *expected, "{table}");
        rows
    }

    #[test]
    fn special_columns_come_from_the_message() {
        let schema = schema(&[
            ("_headers", headers_type(), true),
            ("text", DataType::Utf8View, true),
            ("_key", DataType::Utf8, true),
            (
                "_timestamp",
                DataType::Timestamp(TimeUnit::Millisecond, None),
                true,
            ),
            ("_topic", DataType::LargeUtf8, true),
            ("_partition_id", DataType::Int32, true),
            ("_partition_offset", DataType::Int64, true),
            ("_message", DataType::BinaryView, true),
        ]);
        let given = messages(&[(Some("a b"), Some(b"k")), (None, None)]);
        let rows = check(
            &schema,
            &[1, 2, 0, 3, 4, 5, 6, 7],
            &given,
            &[
                "| a    | k    | [{key: h, value: 3430}] | 1970-01-01T00:00:40 | reviews | 3             | 40                | 612062   |",
                "| b    | k    | [{key: h, value: 3430}] | 1970-01-01T00:00:40 | reviews | 3             | 40                | 612062   |",
                "|      |      | []                      | 1970-01-01T00:00:41 | reviews | 3             | 41                |          |",
            ],
        );
        assert_eq!(rows.messages, [0, 0, 1]);
    }

    #[test]
    fn a_message_is_whole_or_not_at_all_whatever_is_asked_for() {
        let schema = schema(&[
            ("text", DataType::Utf8View, true),
            ("_key", DataType::Utf8View, true),
            ("_partition_offset", DataType::Int64, true),
        ]);
        let given = messages(&[
            (Some("bad"), Some(b"k\xff")),
            (Some("a b"), Some(b"k\xff")),
            (Some("c d"), None),
            (Some("bad"), None),
        ]);
        let rows = check(
            &schema,
            &[2],
            &given,
            &["| 42                |", "| 42                |"],
        );
        assert_eq!(rows.messages, [2, 2]);
        let failed: Vec<_> = rows
            .failed
            .iter()
            .map(|(place, error)| format!("{place}: {error}"))
            .collect();
        let expected = [
            "0: expected words, found bad",
            "1: column `_key`: expected UTF-8, found byte 0xff at 1",
            "3: expected words, found bad",
        ];
        assert_eq!(failed, expected);
    }

    #[test]
    fn what_a_message_lacks_fails_not_null() {
        let schema = schema(&[
            ("text", DataType::Utf8View, true),
            ("_key", DataType::Binary, false),
        ]);
        let given = messages(&[(Some("a"), None), (Some("b"), Some(b"k"))]);
        let rows = check(&schema, &[0, 1], &given, &["| b    | 6b   |"]);
        let expected = "column `_key`: expected a value for NOT NULL, found none in the message";
        assert_eq!(rows.failed[0].1.to_string(), expected);
    }

    #[test]
    fn rows_are_counted_without_columns() {
        let schema = schema(&[("_key", DataType::Binary, true)]);
        let reader = RowReader::try_new(&schema, None, &[]).expect("no format is needed");
        let rows = reader.read(&messages(&[(Some("bad"), None), (None, None)]));
        assert_eq!(rows.expect("rows").batch.num_rows(), 2);
    }

    #[test]
    fn columns_of_the_value_need_a_format() {
        let schema = schema(&[("text", DataType::Utf8View, true)]);
        let error = RowReader::try_new(&schema, None, &[0]).expect_err("no format");
        assert!(
            error
                .strip_backtrace()
                .contains("a format for column `text`"),
            "{error}"
        );
    }
}
