//! A vocabulary as an Arrow IPC file: `term` LargeUtf8, `document_frequency` Int64, by term.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, LargeStringArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use lexstream_columns::model::ModelError;
use lexstream_text::tfidf::Vocabulary;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("term", DataType::LargeUtf8, false),
        Field::new("document_frequency", DataType::Int64, false),
    ]))
}

/// Returns the file of a vocabulary.
pub(super) fn write(vocabulary: &Vocabulary) -> Result<Vec<u8>, ModelError> {
    let numbers = || 0..vocabulary.len() as u32;
    let terms: LargeStringArray = numbers()
        .map(|number| Some(vocabulary.term(number)))
        .collect();
    let frequencies: Int64Array = numbers()
        .map(|number| Some(vocabulary.documents_with(number) as i64))
        .collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(terms), Arc::new(frequencies)];
    let batch = RecordBatch::try_new(schema(), columns)?;
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

/// Reads the file of a vocabulary of so many texts.
pub(super) fn read(
    bytes: Vec<u8>,
    documents: u64,
    mean_length: f64,
) -> Result<Vocabulary, ModelError> {
    let reader = FileReader::try_new(Cursor::new(bytes), None)?;
    if reader.schema() != schema() {
        return Err(format!(
            "expected a vocabulary with columns (term LargeUtf8, document_frequency Int64), found {:?}",
            reader.schema().fields()
        )
        .into());
    }
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    let batch = concat_batches(&schema(), &batches)?;
    let terms = batch.column(0).as_string::<i64>();
    let frequencies = batch.column(1).as_primitive::<Int64Type>();
    let pairs = (0..terms.len()).map(|at| (terms.value(at), frequencies.value(at) as u64));
    Ok(Vocabulary::new(pairs, documents, mean_length))
}
