//! Messages and rows as Arrow IPC streams.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};

use crate::checks::{decode, schema, shown, with};

fn batch(ids: &[i64]) -> RecordBatch {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(
        ids.iter().map(|id| format!("text {id}")),
    ));
    let flags: ArrayRef = Arc::new(BooleanArray::from_iter(
        ids.iter().map(|id| Some(id % 2 == 0)),
    ));
    let ids: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
    RecordBatch::try_from_iter([("text", texts), ("id", ids), ("flag", flags)]).expect("valid")
}

fn stream(batches: &[RecordBatch]) -> Vec<u8> {
    stream_with(batches, IpcWriteOptions::default())
}

fn stream_with(batches: &[RecordBatch], options: IpcWriteOptions) -> Vec<u8> {
    let schema = batches[0].schema();
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &schema, options).expect("valid");
    batches
        .iter()
        .for_each(|batch| writer.write(batch).expect("valid"));
    writer.into_inner().expect("valid")
}

/// Reads messages as rows of `id BIGINT, text VARCHAR`.
fn check(messages: &[&[u8]], rows: &[&str], sources: &[u32], failed: &[&str]) {
    let columns = schema([("id", DataType::Int64), ("text", DataType::Utf8View)]);
    let messages: Vec<_> = messages.iter().copied().map(Some).collect();
    let decoded = decode(&with("arrow", &[]), &columns, &messages);
    let found = shown(&decoded);
    assert_eq!(found.0, rows);
    assert_eq!(decoded.messages, sources);
    assert_eq!(found.1, failed);
}

#[test]
fn a_message_has_any_number_of_rows() {
    let messages = [
        stream(&[batch(&[1, 2]), batch(&[3])]),
        stream(&[batch(&[])]),
        stream(&[batch(&[4])]),
    ];
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let rows: Vec<_> = (1..5)
        .map(|id| format!(r#"{{"id":{id},"text":"text {id}"}}"#))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    check(&messages, &rows, &[0, 0, 0, 2], &[]);
}

#[test]
fn a_truncated_message_is_refused_wherever_it_ends() {
    let whole = stream(&[batch(&[1, 2])]);
    for len in 0..whole.len() {
        let columns = schema([("id", DataType::Int64), ("text", DataType::Utf8View)]);
        let decoded = decode(&with("arrow", &[]), &columns, &[Some(&whole[..len])]);
        assert_eq!(decoded.failed.len(), 1, "{len} bytes of {}", whole.len());
    }
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let mut longer = stream(&[batch(&[1])]);
    let len = longer.len();
    longer.push(0);
    let failed = format!("0: expected the end of the message at byte {len}, found 1 bytes more");
    check(&[&longer], &[], &[], &[&failed]);
}

#[test]
fn columns_are_held_against_the_tables() {
    let id: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let other = RecordBatch::try_from_iter([("id", Arc::clone(&id)), ("text", Arc::clone(&id))])
        .expect("valid");
    let fewer =
        RecordBatch::try_from_iter([("text", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)])
            .expect("valid");
    let failed = [
        "0: expected a column `id` of Int64, found Int32",
        "1: expected a column `id` of Int64, found the columns `text`",
    ];
    check(&[&stream(&[other]), &stream(&[fewer])], &[], &[], &failed);
}

#[test]
fn compression_and_dictionaries_are_refused() {
    let options = IpcWriteOptions::default();
    let options = options
        .try_with_compression(Some(CompressionType::LZ4_FRAME))
        .expect("valid");
    let compressed = stream_with(&[batch(&[1; 1000])], options);
    let dictionary: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
    let dictionary =
        RecordBatch::try_from_iter([("text", Arc::new(dictionary) as ArrayRef)]).expect("valid");
    let columns = schema([("text", DataType::Utf8View)]);
    let messages = [compressed, stream(&[dictionary])];
    let messages: Vec<_> = messages
        .iter()
        .map(|message| Some(message.as_slice()))
        .collect();
    let failed = shown(&decode(&with("arrow", &[]), &columns, &messages)).1;
    assert!(
        failed[0].starts_with("0: expected a batch that is not compressed at byte"),
        "{}",
        failed[0]
    );
    assert!(
        failed[1].starts_with("1: expected columns without dictionaries at byte"),
        "{}",
        failed[1]
    );
}

#[test]
fn no_byte_that_is_changed_ends_the_process() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None]), None]);
    let list: ArrayRef = Arc::new(list);
    let view: ArrayRef = Arc::new(StringViewArray::from(vec![
        Some("longer than twelve bytes"),
        None,
    ]));
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("ä"), Some("b")]));
    let id: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let flag: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None]));
    let fields = vec![Field::new("id", DataType::Int64, true)];
    let object: ArrayRef = Arc::new(StructArray::new(fields.into(), vec![Arc::clone(&id)], None));
    let columns = [
        ("l", list),
        ("v", view),
        ("t", text),
        ("i", id),
        ("f", flag),
        ("o", object),
    ];
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    )
    .expect("valid");
    let whole = stream(std::slice::from_ref(&rows));
    let decoder = with("arrow", &[]).decoder(&rows.schema()).expect("valid");
    assert_eq!(decoder.decode(&[Some(&whole)]).batch, rows);
    for place in 0..whole.len() {
        for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x7f, 0xff] {
            let mut changed = whole.clone();
            changed[place] ^= change;
            let decoded = decoder.decode(&[Some(&changed), Some(&whole)]);
            let after = decoded
                .messages
                .iter()
                .filter(|message| **message == 1)
                .count();
            assert_eq!(
                after, 2,
                "byte {place} changed by {change:#x} touches the next message"
            );
        }
    }
}

#[test]
fn the_rows_of_one_source_are_one_message() {
    let rows = batch(&[1, 2, 3, 4]);
    let format = with("arrow", &[]);
    let encoded = format
        .encoder(&rows.schema())
        .expect("valid")
        .encode(&rows, &[5, 5, 7, 9]);
    assert_eq!(encoded.rows, [0, 2, 3]);
    let messages: Vec<_> = encoded.values.iter().collect();
    let decoded = decode(&format, &rows.schema(), &messages);
    assert_eq!(decoded.batch, rows);
    assert_eq!(decoded.messages, [0, 0, 1, 2]);
}

#[test]
fn a_slice_is_written_without_the_rest() {
    let long = "x".repeat(10_000);
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec![long.as_str(); 100]));
    let rows = RecordBatch::try_from_iter([("text", texts)]).expect("valid");
    let sources: Vec<u32> = (0..100).collect();
    let encoded = with("arrow", &[])
        .encoder(&rows.schema())
        .expect("valid")
        .encode(&rows, &sources);
    assert!(encoded.values.value(99).len() < 11_000);
}
