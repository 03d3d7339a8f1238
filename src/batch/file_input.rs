//! A file of another format than Parquet, read whole and in order.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, internal_err};
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::physical_plan::{
    CsvSource, FileGroup, FileScanConfig, FileScanConfigBuilder, JsonSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tokio::runtime::Handle;

use super::line_input::{self, Decoder, Limits};
use super::source::{InputFile, Source};

/// Batches of a file, one after the other.
pub(super) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// Reads these columns of a file; the batches are the table's, so that every file of a table reads alike.
pub(super) fn read<'a>(
    context: &SessionContext,
    source: &Source,
    file: &InputFile,
    columns: &[usize],
    limits: Limits,
    runtime: &'a Handle,
) -> Result<Batches<'a>> {
    let state = context.state();
    let projection = columns.to_vec();
    let table = source.listing();
    let scan = runtime.block_on(table.scan(&state, Some(&projection), &[], None))?;
    let Some(scan) = scan
        .downcast_ref::<DataSourceExec>()
        .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>())
    else {
        return internal_err!(
            "{}: a table of files is scanned by DataSourceExec",
            source.name
        );
    };
    if let Some(batches) = lines(source, file, columns, scan, limits)? {
        return Ok(batches);
    }
    let one = FileScanConfigBuilder::from(scan.clone())
        .with_file_groups(vec![FileGroup::new(vec![file.listed.clone()])])
        .with_batch_size(Some(limits.rows))
        .build();
    let context = state.task_ctx();
    let rows = DataSourceExec::from_data_source(one).execute(0, context)?;
    Ok(Box::new(Streamed(rows, runtime)))
}

/// Reads a file of lines; none where it is of another format.
fn lines(
    source: &Source,
    file: &InputFile,
    columns: &[usize],
    scan: &FileScanConfig,
    limits: Limits,
) -> Result<Option<Batches<'static>>> {
    let table = source.schema();
    let options = source.listing().options();
    let first_of_folders = table.fields().len() - options.table_partition_cols.len();
    let in_file: Vec<_> = columns
        .iter()
        .copied()
        .filter(|column| *column < first_of_folders)
        .collect();
    let of_source = scan.file_source();
    let (decoder, terminator) = if let Some(csv) = of_source.downcast_ref::<CsvSource>() {
        let schema = table.project(&Vec::from_iter(0..first_of_folders))?;
        let decoder = Decoder::csv(csv, Arc::new(schema), in_file.clone(), limits);
        (decoder, csv.terminator().unwrap_or(b'\n'))
    } else if of_source.downcast_ref::<JsonSource>().is_some()
        && (options.format.downcast_ref::<JsonFormat>())
            .is_some_and(JsonFormat::is_newline_delimited)
    {
        let schema = table.project(&in_file)?;
        (Decoder::json(Arc::new(schema), limits)?, b'\n')
    } else {
        return Ok(None);
    };
    let opened = scan
        .file_compression_type
        .convert_read(File::open(&file.path)?)?;
    let batches = line_input::batches(opened, decoder, limits, terminator);
    let schema = Arc::new(table.project(columns)?);
    let columns = columns.to_vec();
    let of_folders = file.listed.partition_values.clone();
    Ok(Some(Box::new(batches.map(move |batch| {
        let batch = batch?;
        let rows = batch.num_rows();
        let mut read = batch.columns().iter();
        let columns =
            columns
                .iter()
                .filter_map(|column| match column.checked_sub(first_of_folders) {
                    Some(of_folder) => of_folders
                        .get(of_folder)
                        .map(|value| value.to_array_of_size(rows)),
                    None => read.next().map(|column| Ok(Arc::clone(column))),
                });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&schema),
            columns,
            &options,
        )?)
    }))))
}

/// A stream, waited for batch by batch.
struct Streamed<'a>(SendableRecordBatchStream, &'a Handle);

impl Iterator for Streamed<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.1.block_on(self.0.next())
    }
}
