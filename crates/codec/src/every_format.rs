//! What holds in every format: tombstones, and columns that are NOT NULL.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array,
};
use arrow::compute::{filter_record_batch, take};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::{CodecError, Decoded, Decoder, Encoded, Encoder, Format};

/// A format that need not know of tombstones and NOT NULL.
#[derive(Debug)]
pub(super) struct EveryFormat {
    pub(super) format: Arc<dyn Format>,
    /// Tells whether a row of NULLs is written as a tombstone.
    pub(super) tombstones: bool,
}

impl Format for EveryFormat {
    fn name(&self) -> &'static str {
        self.format.name()
    }

    fn decoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Decoder>, CodecError> {
        Ok(Arc::new(Reader {
            decoder: self.format.decoder(&nullable(schema))?,
            schema: Arc::clone(schema),
        }))
    }

    fn encoder(&self, schema: &SchemaRef) -> Result<Arc<dyn Encoder>, CodecError> {
        let encoder = self.format.encoder(schema)?;
        Ok(match self.tombstones {
            true => Arc::new(Writer { encoder }),
            false => encoder,
        })
    }
}

/// Returns the schema with columns that may all be NULL.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields = fields.map(|field| Field::clone(field).with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[derive(Debug)]
struct Reader {
    decoder: Arc<dyn Decoder>,
    schema: SchemaRef,
}

impl Decoder for Reader {
    fn decode(&self, messages: &[Option<&[u8]>]) -> Decoded {
        let mut decoded = match messages.iter().all(Option::is_some) {
            true => self.decoder.decode(messages),
            false => self.decode_with_tombstones(messages),
        };
        self.refuse_nulls(&mut decoded, messages);
        let options = RecordBatchOptions::new().with_row_count(Some(decoded.batch.num_rows()));
        let columns = decoded.batch.columns().to_vec();
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        decoded.batch =
            batch.expect("columns of the schema's types, without NULL where it has none");
        decoded
    }
}

impl Reader {
    /// Decodes the messages that have a value, and puts rows of NULLs where the others are.
    fn decode_with_tombstones(&self, messages: &[Option<&[u8]>]) -> Decoded {
        let with_value = |(place, message): (u32, &Option<_>)| message.is_some().then_some(place);
        let places: Vec<u32> = (0..).zip(messages).filter_map(with_value).collect();
        let values: Vec<_> = messages.iter().copied().filter(Option::is_some).collect();
        let decoded = self.decoder.decode(&values);
        let mut rows = (0..).zip(&decoded.messages).peekable();
        let mut taken: Vec<Option<u32>> = Vec::with_capacity(messages.len());
        let mut sources = Vec::with_capacity(messages.len());
        for (place, message) in (0..).zip(messages) {
            if message.is_none() {
                taken.push(None);
                sources.push(place);
            }
            let of_place = |(_, value): &(u32, &u32)| places[**value as usize] == place;
            while let Some((row, _)) = rows.next_if(of_place) {
                taken.push(Some(row));
                sources.push(place);
            }
        }
        let failed = decoded.failed.into_iter();
        Decoded {
            batch: take_rows(&decoded.batch, &taken.into()),
            messages: sources,
            failed: failed
                .map(|(value, error)| (places[value as usize], error))
                .collect(),
        }
    }

    /// Takes away the rows of messages that have a NULL in a column that has none.
    fn refuse_nulls(&self, decoded: &mut Decoded, messages: &[Option<&[u8]>]) {
        let mut refused = BTreeMap::new();
        for (field, column) in self.schema.fields().iter().zip(decoded.batch.columns()) {
            if field.is_nullable() || column.null_count() == 0 {
                continue;
            }
            for (row, message) in decoded.messages.iter().enumerate() {
                if column.is_null(row) {
                    let expected = format!("a value in the NOT NULL column `{}`", field.name());
                    let found = match messages[*message as usize] {
                        Some(_) => "NULL or nothing",
                        None => "a message without a value",
                    };
                    let error = || CodecError::message(expected, found);
                    refused.entry(*message).or_insert_with(error);
                }
            }
        }
        if refused.is_empty() {
            return;
        }
        let stays = |message: &u32| !refused.contains_key(message);
        let mask = decoded.messages.iter().map(|message| Some(stays(message)));
        let mask: BooleanArray = mask.collect();
        let batch = filter_record_batch(&decoded.batch, &mask);
        decoded.batch = batch.expect("a mask as long as the batch");
        decoded.messages.retain(stays);
        decoded.failed.extend(refused);
        decoded.failed.sort_by_key(|(message, _)| *message);
    }
}

/// Returns rows by their places; no place is a row of NULLs.
fn take_rows(batch: &RecordBatch, places: &UInt32Array) -> RecordBatch {
    let column = |column: &ArrayRef| take(column, places, None).expect("places within the batch");
    let columns = batch.columns().iter().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
    let taken = RecordBatch::try_new_with_options(batch.schema(), columns, &options);
    taken.expect("columns of the batch's types")
}

/// Writes rows of NULLs as tombstones.
#[derive(Debug)]
struct Writer {
    encoder: Arc<dyn Encoder>,
}

impl Encoder for Writer {
    fn encode(&self, rows: &RecordBatch, sources: &[u32]) -> Encoded {
        let all_null = |row: &usize| rows.columns().iter().all(|column| column.is_null(*row));
        let nulls: Vec<usize> = (0..rows.num_rows()).filter(all_null).collect();
        if nulls.is_empty() {
            return self.encoder.encode(rows, sources);
        }
        let mut kept = vec![true; rows.num_rows()];
        for row in &nulls {
            kept[*row] = false;
        }
        let places: Vec<u32> = (0..)
            .zip(&kept)
            .filter(|(_, kept)| **kept)
            .map(|(row, _)| row)
            .collect();
        let sources = places.iter().map(|row| sources[*row as usize]);
        let sources: Vec<u32> = sources.collect();
        let rows = filter_record_batch(rows, &kept.into());
        let encoded = self
            .encoder
            .encode(&rows.expect("a mask as long as the batch"), &sources);
        let messages = encoded.rows.iter().enumerate();
        let messages = messages.map(|(message, row)| (places[*row as usize], Some(message as u32)));
        let tombstones = nulls.into_iter().map(|row| (row as u32, None));
        let mut messages: Vec<(u32, Option<u32>)> = messages.chain(tombstones).collect();
        messages.sort_by_key(|(row, _)| *row);
        let order: UInt32Array = messages.iter().map(|(_, message)| *message).collect();
        let values = take(&encoded.values, &order, None).expect("places within the messages");
        let failed = encoded.failed.into_iter();
        Encoded {
            values: values.as_binary::<i32>().clone(),
            rows: messages.into_iter().map(|(row, _)| row).collect(),
            failed: failed
                .map(|(row, error)| (places[row as usize], error))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::DataType;

    use super::*;
    use crate::checks::{decode, encode, messages, schema, shown, texts, with};

    /// A message of each format whose `id` is 1, and whose `text` is NULL.
    fn formats() -> Vec<(Arc<dyn Format>, Vec<u8>)> {
        let columns: [(&str, ArrayRef, bool); 2] = [
            ("id", Arc::new(Int64Array::from(vec![1])), true),
            (
                "text",
                Arc::new(StringArray::from(vec![None::<&str>])),
                true,
            ),
        ];
        let rows = RecordBatch::try_from_iter_with_nullable(columns).expect("valid");
        let format = |name| {
            let format = with(name, &[]);
            let message = messages(&encode(&format, &rows))[0]
                .expect("valid")
                .to_vec();
            (format, message)
        };
        ["arrow", "csv", "json"].map(format).to_vec()
    }

    #[test]
    fn a_tombstone_is_a_row_of_nulls_in_its_place() {
        let columns = schema([("id", DataType::Int64), ("text", DataType::Utf8)]);
        for (format, message) in formats() {
            let bad = Some(b"{\"".as_slice());
            let messages = [
                None,
                Some(message.as_slice()),
                bad,
                None,
                None,
                Some(&message),
            ];
            let decoded = decode(&format, &columns, &messages);
            assert_eq!(decoded.messages, [0, 1, 3, 4, 5]);
            assert_eq!(
                shown(&decoded).0,
                ["{}", r#"{"id":1}"#, "{}", "{}", r#"{"id":1}"#]
            );
            assert_eq!(decoded.failed[0].0, 2);
            let nothing = decode(&format, &columns, &[None, None]);
            assert_eq!(nothing.messages, [0, 1]);
            assert_eq!(decode(&format, &columns, &[]).batch.num_rows(), 0);
        }
        let decoded = decode(
            &with("raw", &[]),
            &schema([("t", DataType::Utf8View)]),
            &[None, Some(b"a")],
        );
        assert_eq!(shown(&decoded).0, ["{}", r#"{"t":"a"}"#]);
    }

    #[test]
    fn a_null_in_a_not_null_column_fails_its_message() {
        let columns = schema([("id!", DataType::Int64), ("text!", DataType::Utf8)]);
        for (format, message) in formats() {
            let decoded = decode(&format, &columns, &[Some(&message), None]);
            let failed = [
                "0: expected a value in the NOT NULL column `text`, found NULL or nothing",
                "1: expected a value in the NOT NULL column `id`, found a message without a value",
            ];
            assert_eq!(
                shown(&decoded),
                (vec![], failed.map(str::to_owned).to_vec())
            );
        }
        let decoded = decode(
            &with("raw", &[]),
            &schema([("t!", DataType::Utf8)]),
            &[None, Some(b"a")],
        );
        let failed =
            "0: expected a value in the NOT NULL column `t`, found a message without a value";
        assert_eq!(
            shown(&decoded),
            (vec![r#"{"t":"a"}"#.to_owned()], vec![failed.to_owned()])
        );
    }

    #[test]
    fn a_message_of_several_rows_is_whole_or_not_at_all() {
        let ids = |ids: Vec<Option<i64>>| {
            let column: ArrayRef = Arc::new(Int64Array::from(ids));
            RecordBatch::try_from_iter_with_nullable([("id", column, true)]).expect("valid")
        };
        let format = with("arrow", &[]);
        let rows = ids(vec![Some(1), None, Some(3), Some(4)]);
        let encoded = format
            .encoder(&rows.schema())
            .expect("valid")
            .encode(&rows, &[0, 0, 1, 1]);
        let decoded = decode(
            &format,
            &schema([("id!", DataType::Int64)]),
            &messages(&encoded),
        );
        assert_eq!(decoded.messages, [1, 1]);
        assert_eq!(decoded.failed.len(), 1);
    }

    #[test]
    fn tombstones_stand_between_the_messages_of_other_rows() {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(1), None, Some(2), None]));
        let rows = RecordBatch::try_from_iter_with_nullable([("id", ids, true)]).expect("valid");
        for name in ["arrow", "csv", "json"] {
            let encoded = encode(&with(name, &[("tombstones", "true")]), &rows);
            let tombstones: Vec<_> = encoded.values.iter().map(|value| value.is_none()).collect();
            assert_eq!(tombstones, [true, false, true, false, true]);
            assert_eq!(encoded.rows, [0, 1, 2, 3, 4]);
        }
        let encoded = encode(&with("json", &[]), &rows);
        assert_eq!(texts(&encoded).0[0], Some("{}"));
    }

    #[test]
    fn a_format_that_is_unknown_is_refused_by_name() {
        let error = super::super::format("avro", &mut Default::default())
            .expect_err("refused")
            .to_string();
        assert_eq!(
            error,
            "no format `avro`; there are `arrow`, `csv`, `json`, `raw`"
        );
    }
}
