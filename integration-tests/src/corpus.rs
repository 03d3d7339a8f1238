//! Input files of batch jobs, in Parquet.

use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::metadata::PageIndexPolicy;
use datafusion::parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

/// Returns rows with these ids, each with a text that names it.
pub fn texts(ids: Range<i64>) -> RecordBatch {
    let texts = ids.clone().map(|id| format!("Text {id}, and more."));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    table(vec![
        ("id", Arc::new(Int64Array::from_iter_values(ids))),
        ("text", texts),
    ])
}

/// Returns a column of numbers.
pub fn numbers(numbers: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(numbers))
}

/// Returns a column of texts.
pub fn strings(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// Returns rows of these columns.
pub fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .expect("columns of one length")
}

/// Writes a Parquet file of row groups of so many rows; the folders above it are made.
pub fn write(path: &Path, rows: &RecordBatch, group_rows: usize) {
    write_as(path, rows, group_rows, WriterProperties::builder());
}

/// Writes a Parquet file of row groups of so many rows with these properties; the folders above it are made.
pub fn write_as(
    path: &Path,
    rows: &RecordBatch,
    group_rows: usize,
    properties: WriterPropertiesBuilder,
) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    let file = File::create(path).expect("the file is made");
    let properties = Some(properties.build());
    let mut writer = ArrowWriter::try_new(file, rows.schema(), properties).expect("a writer");
    // Group by group: cut by its own limit, the writer needs stack for each.
    for start in (0..rows.num_rows()).step_by(group_rows) {
        let group = rows.slice(start, group_rows.min(rows.num_rows() - start));
        writer.write(&group).expect("rows are written");
        writer.flush().expect("a row group is written");
    }
    writer.close().expect("the file is closed");
}

/// Writes a Parquet file of one row group with pages of so many rows, and breaks the page of this number in its last
/// column.
pub fn write_broken(path: &Path, rows: &RecordBatch, page_rows: usize, broken: usize) {
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_write_batch_size(page_rows)
        .set_data_page_row_count_limit(page_rows);
    write_as(path, rows, rows.num_rows(), properties);
    let file = File::open(path).expect("the file is there");
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options);
    let metadata = Arc::clone(builder.expect("a Parquet file").metadata());
    let offsets = &metadata.offset_index().expect("an offset index")[0];
    let pages = offsets.last().expect("a column").page_locations();
    let start = usize::try_from(pages[broken].offset).expect("a place in the file");
    let mut bytes = fs::read(path).expect("the file is read");
    // The page's header: nothing that follows can be told from it.
    bytes[start..start + 16].fill(0xff);
    fs::write(path, bytes).expect("the file is written");
}
