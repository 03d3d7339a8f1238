//! Rows of a topic's table as records.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, Int64Array, ListArray, RecordBatch,
    StringViewArray, UInt32Array,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimestampMillisecondType};
use datafusion::common::{Result, exec_datafusion_err, internal_err, plan_err};

use super::columns::{Columns, Special};
use super::row_error::RowError;
use lexstream_codec::{Encoder, Format};

/// Writes rows of a topic's table; threads can share it.
///
/// What says where a message lies (`_topic`, `_partition_id`, `_partition_offset`, `_message`) can't be written: NULL is
/// passed over, anything else fails its row. Without a column of the value, every record is a tombstone.
#[derive(Debug)]
pub struct RowWriter {
    columns: Columns,
    encoder: Option<Arc<dyn Encoder>>,
}

/// Records out of rows: values, and what special columns the table declares.
#[derive(Debug)]
pub struct Records {
    values: BinaryArray,
    rows: Vec<u32>,
    keys: Option<BinaryViewArray>,
    timestamps: Option<Int64Array>,
    headers: Option<Headers>,
    /// The rows that can't be written, ascending; no record holds them.
    pub failed: Vec<(u32, RowError)>,
}

#[derive(Debug)]
struct Headers {
    of_row: ListArray,
    keys: StringViewArray,
    values: BinaryViewArray,
}

impl RowWriter {
    /// Returns a writer of a table's rows; columns of the value need a format.
    pub fn try_new(schema: &SchemaRef, format: Option<&dyn Format>) -> Result<Self> {
        let columns = Columns::try_new(schema)?;
        let encoder = match format {
            _ if columns.value_at.is_empty() => None,
            Some(format) => {
                let encoder = format.encoder(&columns.value);
                Some(encoder.map_err(|error| exec_datafusion_err!("{error}"))?)
            }
            None => {
                return plan_err!(
                    "expected a format for column `{}`, found none",
                    columns.value.field(0).name()
                );
            }
        };
        Ok(Self { columns, encoder })
    }

    /// Writes rows, which have all of the table's columns in their order.
    ///
    /// `sources` has, for each row, the number of the message that it came from, ascending; see [`Encoder::encode`]. A
    /// record's key, timestamp and headers are its first row's.
    pub fn write(&self, rows: &RecordBatch, sources: &[u32]) -> Result<Records> {
        if rows.num_columns() != self.columns.schema.fields().len()
            || rows.num_rows() != sources.len()
        {
            return internal_err!(
                "{} columns, {} rows, {} sources for a table of {} columns",
                rows.num_columns(),
                rows.num_rows(),
                sources.len(),
                self.columns.schema.fields().len()
            );
        }
        let special = Written::of(&self.columns, rows)?;
        let mut failed = self.check(rows, &special);
        let (values, rows) = self.encode(rows, sources, &mut failed)?;
        Ok(Records {
            values,
            rows,
            keys: special.keys,
            timestamps: special.timestamps,
            headers: special.headers,
            failed,
        })
    }

    /// Finds the rows that can't be written whatever the format, each with the first thing that is wrong.
    fn check(&self, rows: &RecordBatch, special: &Written) -> Vec<(u32, RowError)> {
        let mut failed = Vec::new();
        for (column, at) in &self.columns.special {
            let array = rows.column(*at);
            if !column.is_written() && array.null_count() < array.len() {
                let there = (0_u32..).zip(0..array.len());
                let there = there.filter(|(_, row)| array.is_valid(*row));
                let error = RowError::ReadOnly {
                    column: column.name(),
                };
                failed.extend(there.map(|(row, _)| (row, error.clone())));
            }
        }
        for (field, array) in self.columns.schema.fields().iter().zip(rows.columns()) {
            if !field.is_nullable() && array.null_count() > 0 {
                let missing = (0_u32..).zip(0..array.len());
                let missing = missing.filter(|(_, row)| array.is_null(*row));
                let error = RowError::Null {
                    column: field.name().clone(),
                };
                failed.extend(missing.map(|(row, _)| (row, error.clone())));
            }
        }
        special.check(rows.num_rows(), &mut failed);
        failed.sort_by_key(|(row, _)| *row);
        failed.dedup_by_key(|(row, _)| *row);
        failed
    }

    /// Writes the values of the rows that have not failed; returns them and each one's first row.
    fn encode(
        &self,
        rows: &RecordBatch,
        sources: &[u32],
        failed: &mut Vec<(u32, RowError)>,
    ) -> Result<(BinaryArray, Vec<u32>)> {
        let Ok(count) = u32::try_from(rows.num_rows()) else {
            return internal_err!("{} rows in one batch", rows.num_rows());
        };
        let mut value: Vec<_> = self
            .columns
            .value_at
            .iter()
            .map(|at| rows.column(*at).clone())
            .collect();
        let whole: Option<Vec<u32>> = (!failed.is_empty()).then(|| {
            let is_whole = |row: &u32| failed.binary_search_by_key(row, |(at, _)| *at).is_err();
            (0..count).filter(is_whole).collect()
        });
        let Some(encoder) = &self.encoder else {
            let rows = whole.unwrap_or_else(|| (0..count).collect());
            return Ok((BinaryArray::new_null(rows.len()), rows));
        };
        let Some(whole) = whole else {
            let batch = RecordBatch::try_new(Arc::clone(&self.columns.value), value)?;
            let encoded = encoder.encode(&batch, sources);
            let errors = encoded.failed.into_iter();
            failed.extend(errors.map(|(row, error)| (row, error.into())));
            return Ok((encoded.values, encoded.rows));
        };
        let kept = UInt32Array::from(whole);
        for array in &mut value {
            *array = take(array, &kept, None)?;
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.columns.value), value)?;
        let whole = kept.values();
        let sources: Vec<_> = whole.iter().map(|row| sources[*row as usize]).collect();
        let encoded = encoder.encode(&batch, &sources);
        let errors = encoded.failed.into_iter();
        failed.extend(errors.map(|(row, error)| (whole[row as usize], error.into())));
        failed.sort_by_key(|(row, _)| *row);
        let rows = encoded.rows.iter().map(|row| whole[*row as usize]);
        Ok((encoded.values, rows.collect()))
    }
}

/// The special columns that are written, by row.
struct Written {
    keys: Option<BinaryViewArray>,
    timestamps: Option<Int64Array>,
    headers: Option<Headers>,
}

impl Written {
    fn of(columns: &Columns, rows: &RecordBatch) -> Result<Self> {
        let mut written = Self {
            keys: None,
            timestamps: None,
            headers: None,
        };
        for (special, at) in &columns.special {
            let array = rows.column(*at);
            match special {
                Special::Key => written.keys = Some(binary(array)?),
                Special::Timestamp => {
                    let times = array.as_primitive::<TimestampMillisecondType>();
                    written.timestamps = Some(times.reinterpret_cast());
                }
                Special::Headers => written.headers = Some(Headers::of(array.as_list())?),
                _ => {}
            }
        }
        Ok(written)
    }

    fn check(&self, rows: usize, failed: &mut Vec<(u32, RowError)>) {
        let error = |special: Special, expected, found: String| RowError::Special {
            column: special.name(),
            expected,
            found,
        };
        if let Some(times) = &self.timestamps {
            // For librdkafka, 0 is the time of sending.
            for (row, time) in (0_u32..).zip(times) {
                if let Some(time) = time.filter(|time| *time <= 0) {
                    let found = format!("{time} milliseconds");
                    failed.push((
                        row,
                        error(Special::Timestamp, "a time after 1970 began", found),
                    ));
                }
            }
        }
        if let Some(headers) = self
            .headers
            .as_ref()
            .filter(|headers| headers.keys.null_count() > 0)
        {
            for (row, at) in (0_u32..).zip(0..rows) {
                let mut range = headers.range(at);
                if range.any(|at| headers.keys.is_null(at)) {
                    let found = "NULL".to_owned();
                    failed.push((row, error(Special::Headers, "a key for each header", found)));
                }
            }
        }
    }
}

impl Headers {
    fn of(of_row: &ListArray) -> Result<Self> {
        let items = of_row.values().as_struct();
        let keys = cast(items.column(0), &DataType::Utf8View)?;
        let keys = keys.as_string_view();
        // A header that is NULL has no key.
        let nulls = NullBuffer::union(keys.nulls(), items.nulls());
        let (views, buffers, _) = keys.clone().into_parts();
        Ok(Self {
            keys: StringViewArray::try_new(views, buffers, nulls)?,
            values: binary(items.column(1))?,
            of_row: of_row.clone(),
        })
    }

    /// Returns where a row's headers lie.
    fn range(&self, row: usize) -> std::ops::Range<usize> {
        if self.of_row.is_null(row) {
            return 0..0;
        }
        let offsets = self.of_row.value_offsets();
        let place =
            |at: usize| usize::try_from(offsets[at]).expect("offsets of a list ascend from 0");
        place(row)..place(row + 1)
    }
}

fn binary(array: &ArrayRef) -> Result<BinaryViewArray> {
    Ok(cast(array, &DataType::BinaryView)?.as_binary_view().clone())
}

impl Records {
    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns how many bytes their values, keys and headers have.
    pub fn bytes(&self) -> usize {
        let headers = self.headers.as_ref().map_or(0, |headers| {
            let lengths = headers.keys.lengths().chain(headers.values.lengths());
            lengths.map(|length| length as usize).sum()
        });
        let keys = self.keys.as_ref().map_or(0, |keys| {
            keys.lengths().map(|length| length as usize).sum::<usize>()
        });
        self.values.value_data().len() + keys + headers
    }

    /// Returns the value of a record; a tombstone has none.
    pub fn value(&self, record: usize) -> Option<&[u8]> {
        self.values
            .is_valid(record)
            .then(|| self.values.value(record))
    }

    /// Returns the first row of a record.
    pub fn row(&self, record: usize) -> u32 {
        self.rows[record]
    }

    /// Returns what `_key` says.
    pub fn key(&self, record: usize) -> Option<&[u8]> {
        let row = self.rows[record] as usize;
        let keys = self.keys.as_ref().filter(|keys| keys.is_valid(row))?;
        Some(keys.value(row))
    }

    /// Returns what `_timestamp` says, in milliseconds since 1970.
    pub fn timestamp(&self, record: usize) -> Option<i64> {
        let row = self.rows[record] as usize;
        let times = self
            .timestamps
            .as_ref()
            .filter(|times| times.is_valid(row))?;
        Some(times.value(row))
    }

    /// Returns what `_headers` says.
    pub fn headers(&self, record: usize) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        let row = self.rows[record] as usize;
        self.headers.iter().flat_map(move |headers| {
            headers.range(row).map(|at| {
                let value = headers
                    .values
                    .is_valid(at)
                    .then(|| headers.values.value(at));
                (headers.keys.value(at), value)
            })
        })
    }

    /// Tells whether the table declares `_key`.
    pub fn has_key(&self) -> bool {
        self.keys.is_some()
    }

    /// Tells whether the table declares `_timestamp`.
    pub fn has_timestamp(&self) -> bool {
        self.timestamps.is_some()
    }

    /// Tells whether the table declares `_headers`.
    pub fn has_headers(&self) -> bool {
        self.headers.is_some()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{StructArray, TimestampMillisecondArray};
    use datafusion::arrow::buffer::OffsetBuffer;
    use datafusion::arrow::datatypes::{Field, Fields, Schema, TimeUnit};

    use super::super::words_format::Words;
    use super::*;

    /// Value, first row, key, timestamp, and the first header.
    type Found<'a> = (
        Option<&'a [u8]>,
        u32,
        Option<&'a [u8]>,
        Option<i64>,
        (&'a str, &'a [u8]),
    );
    type Row<'a> = (Option<&'a str>, Option<&'a str>);

    /// Words with keys, each with its number as timestamp and as header.
    fn batch(rows: &[Row<'_>], times: &[i64], header: Option<&str>) -> RecordBatch {
        let words: StringViewArray = rows.iter().map(|(word, _)| *word).collect();
        let keys: StringViewArray = rows.iter().map(|(_, key)| *key).collect();
        let fields = Fields::from(vec![
            Field::new("key", DataType::Utf8View, true),
            Field::new("value", DataType::Binary, true),
        ]);
        let names: StringViewArray = rows.iter().map(|_| header).collect();
        let values: Vec<_> = times.iter().map(ToString::to_string).collect();
        let values: BinaryArray = values.iter().map(|value| Some(value.as_bytes())).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(names), Arc::new(values)];
        let items = StructArray::new(fields.clone(), columns, None);
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
        let lengths = OffsetBuffer::from_lengths(rows.iter().map(|_| 1));
        let headers = ListArray::new(item, lengths, Arc::new(items), None);
        let times = TimestampMillisecondArray::from(times.to_vec());
        let topics: StringViewArray = rows
            .iter()
            .map(|(word, _)| (*word == Some("moved")).then_some("t"))
            .collect();
        let schema = Schema::new(vec![
            Field::new("_key", DataType::Utf8View, true),
            Field::new("text", DataType::Utf8View, true),
            Field::new(
                "_timestamp",
                DataType::Timestamp(TimeUnit::Millisecond, None),
                true,
            ),
            Field::new("_headers", headers.data_type().clone(), true),
            Field::new("_topic", DataType::Utf8View, true),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(keys),
            Arc::new(words),
            Arc::new(times),
            Arc::new(headers),
            Arc::new(topics),
        ];
        RecordBatch::try_new(Arc::new(schema), columns).expect("a batch")
    }

    fn write(rows: &RecordBatch, sources: &[u32]) -> Records {
        let writer = RowWriter::try_new(&rows.schema(), Some(&Words)).expect("a writer");
        writer.write(rows, sources).expect("records")
    }

    fn failed(records: &Records) -> Vec<String> {
        let failed = records.failed.iter();
        failed
            .map(|(row, error)| format!("{row}: {error}"))
            .collect()
    }

    #[test]
    fn a_record_has_what_its_first_row_says() {
        let rows = [(Some("a"), Some("k")), (Some("b"), None), (Some("c"), None)];
        let records = write(&batch(&rows, &[1, 2, 3], Some("h")), &[5, 5, 9]);
        assert!(records.has_key() && records.has_timestamp() && records.has_headers());
        let found: Vec<_> = (0..records.len())
            .map(|at| {
                let headers: Vec<_> = records.headers(at).collect();
                let first = (headers[0].0, headers[0].1.expect("a value"));
                assert_eq!(headers.len(), 1);
                (
                    records.value(at),
                    records.row(at),
                    records.key(at),
                    records.timestamp(at),
                    first,
                )
            })
            .collect();
        let expected: [Found<'_>; 2] = [
            (Some(b"a b"), 0, Some(b"k"), Some(1), ("h", b"1")),
            (Some(b"c"), 2, None, Some(3), ("h", b"3")),
        ];
        assert_eq!(found, expected);
        assert_eq!(failed(&records), [""; 0]);
    }

    #[test]
    fn rows_that_cannot_be_written_fail_alone() {
        let rows = [
            (Some("moved"), None),
            (Some("a"), None),
            (Some("bad"), None),
            (Some("b"), None),
            (Some("c"), None),
        ];
        let records = write(
            &batch(&rows, &[1, 2, 3, -4, 5], Some("h")),
            &[0, 1, 2, 3, 4],
        );
        let expected = [
            "0: column `_topic` can't be written: it says where a message lies",
            "2: can't be written as words: bad",
            "3: column `_timestamp`: expected a time after 1970 began, found -4 milliseconds",
        ];
        assert_eq!(failed(&records), expected);
        let found: Vec<_> = (0..records.len())
            .map(|at| {
                (
                    records.value(at).expect("a value"),
                    records.row(at),
                    records.timestamp(at),
                )
            })
            .collect();
        let expected: [(&[u8], u32, Option<i64>); 2] = [(b"a", 1, Some(2)), (b"c", 4, Some(5))];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_header_needs_a_key() {
        let records = write(&batch(&[(Some("a"), None)], &[1], None), &[0]);
        let expected = ["0: column `_headers`: expected a key for each header, found NULL"];
        assert_eq!(failed(&records), expected);
        assert!(records.is_empty());
    }

    #[test]
    fn null_fails_not_null() {
        let rows = batch(&[(None, None), (Some("a"), None)], &[1, 2], Some("h"));
        let declared = rows.schema();
        let fields = declared.fields().iter().map(|field| {
            let is_null = field.name() != "text";
            Arc::new(field.as_ref().clone().with_nullable(is_null))
        });
        let declared = Arc::new(Schema::new(fields.collect::<Fields>()));
        let writer = RowWriter::try_new(&declared, Some(&Words)).expect("a writer");
        let records = writer.write(&rows, &[0, 1]).expect("records");
        assert_eq!(
            failed(&records),
            ["0: column `text` is NOT NULL, found NULL"]
        );
        assert_eq!(records.row(0), 1);
    }

    #[test]
    fn without_columns_of_the_value_records_are_tombstones() {
        let rows = batch(&[(Some("a"), Some("k"))], &[1], Some("h"));
        let rows = rows.project(&[0]).expect("the key");
        let writer = RowWriter::try_new(&rows.schema(), None).expect("no format is needed");
        let records = writer.write(&rows, &[0]).expect("records");
        assert_eq!((records.value(0), records.key(0)), (None, Some(&b"k"[..])));
    }
}
