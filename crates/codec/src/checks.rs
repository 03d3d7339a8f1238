//! What tests of formats have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::LineDelimitedWriter;

use super::{Decoded, Encoded, Format, FormatOptions, format};

/// Returns a format with options.
pub(super) fn with(name: &str, options: &[(&str, &str)]) -> Arc<dyn Format> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let mut options: FormatOptions = options.iter().map(owned).collect();
    let format = format(name, &mut options).expect("valid");
    assert_eq!(options, FormatOptions::new(), "each option is taken out");
    format
}

/// Returns a schema of columns that may be NULL; a name with `!` is NOT NULL.
pub(super) fn schema<const N: usize>(fields: [(&str, DataType); N]) -> SchemaRef {
    let field = |(name, data_type): (&str, DataType)| {
        Field::new(name.trim_end_matches('!'), data_type, !name.ends_with('!'))
    };
    Arc::new(Schema::new(fields.map(field).to_vec()))
}

/// Decodes messages, and checks that each is accounted for.
pub(super) fn decode(
    format: &Arc<dyn Format>,
    schema: &SchemaRef,
    messages: &[Option<&[u8]>],
) -> Decoded {
    let decoded = format.decoder(schema).expect("valid").decode(messages);
    assert_eq!(decoded.batch.schema_ref(), schema);
    assert_eq!(decoded.batch.num_rows(), decoded.messages.len());
    assert!(decoded.messages.is_sorted());
    assert!(
        decoded
            .failed
            .is_sorted_by(|(one, _), (next, _)| one < next)
    );
    let read: BTreeSet<u32> = decoded.messages.iter().copied().collect();
    let failed: BTreeSet<u32> = decoded.failed.iter().map(|(place, _)| *place).collect();
    assert!(read.is_disjoint(&failed));
    if format.name() != "arrow" {
        assert_eq!(decoded.messages.len(), read.len(), "one row a message");
        assert_eq!(
            read.len() + failed.len(),
            messages.len(),
            "each message is a row or failed"
        );
    }
    decoded
}

/// Returns the rows as JSON without NULLs, and what failed as `place: error`.
pub(super) fn shown(decoded: &Decoded) -> (Vec<String>, Vec<String>) {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(&decoded.batch).expect("valid");
    writer.finish().expect("valid");
    let rows = String::from_utf8(writer.into_inner()).expect("valid");
    let failed = decoded.failed.iter();
    (
        rows.lines().map(str::to_owned).collect(),
        failed
            .map(|(place, error)| format!("{place}: {error}"))
            .collect(),
    )
}

/// Encodes rows of one source each, and checks that each is accounted for.
pub(super) fn encode(format: &Arc<dyn Format>, rows: &RecordBatch) -> Encoded {
    let sources: Vec<u32> = (0..rows.num_rows() as u32).collect();
    let encoded = format
        .encoder(&rows.schema())
        .expect("valid")
        .encode(rows, &sources);
    assert_eq!(encoded.values.len(), encoded.rows.len());
    assert!(encoded.rows.is_sorted_by(|one, next| one < next));
    assert!(
        encoded
            .failed
            .is_sorted_by(|(one, _), (next, _)| one < next)
    );
    let written: BTreeSet<u32> = encoded.rows.iter().copied().collect();
    let failed: BTreeSet<u32> = encoded.failed.iter().map(|(row, _)| *row).collect();
    assert!(written.is_disjoint(&failed));
    assert_eq!(
        written.len() + failed.len(),
        rows.num_rows(),
        "each row is written or failed"
    );
    encoded
}

/// Returns the values of messages.
pub(super) fn messages(encoded: &Encoded) -> Vec<Option<&[u8]>> {
    encoded.values.iter().collect()
}

/// Returns the values of messages as text, and what failed as `row: error`.
pub(super) fn texts(encoded: &Encoded) -> (Vec<Option<&str>>, Vec<String>) {
    let text = |bytes: Option<_>| bytes.map(|bytes| std::str::from_utf8(bytes).expect("valid"));
    let failed = encoded.failed.iter();
    (
        encoded.values.iter().map(text).collect(),
        failed
            .map(|(row, error)| format!("{row}: {error}"))
            .collect(),
    )
}
