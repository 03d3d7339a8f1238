//! A file of another format than Parquet, read whole and in order.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::datasource::physical_plan::{
    CsvSource, FileGroup, FileScanConfig, FileScanConfigBuilder,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use lexstream_engine::tables::JsonFormat;
use tokio::runtime::Handle;

use super::line_input::{Csv, Format, Limits, Lines};
use super::read::Read;
use super::source::{InputFile, Source};

/// Batches of a file, one after the other.
pub(super) enum Batches<'a> {
    OfLines(Box<LinesOfTable>),
    OfStream(SendableRecordBatchStream, &'a Handle),
}

impl Batches<'_> {
    /// Returns how long the line may be that the next batch consists of, where it is longer than a batch.
    pub(super) fn long_line(&mut self) -> Result<usize> {
        match self {
            Self::OfLines(lines) => lines.lines.long_line(),
            Self::OfStream(..) => Ok(0),
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::OfLines(lines) => lines.next(),
            Self::OfStream(rows, runtime) => {
                let rows = runtime.block_on(rows.next())?;
                Some(rows.map(Read::Rows))
            }
        }
    }
}

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
    if let Some(lines) = lines(source, file, columns, scan, limits)? {
        return Ok(Batches::OfLines(Box::new(lines)));
    }
    let one = FileScanConfigBuilder::from(scan.clone())
        .with_file_groups(vec![FileGroup::new(vec![file.listed.clone()])])
        .with_batch_size(Some(limits.rows))
        .build();
    let context = state.task_ctx();
    let rows = DataSourceExec::from_data_source(one).execute(0, context)?;
    Ok(Batches::OfStream(rows, runtime))
}

/// Reads a file of lines; none where it is of another format.
fn lines(
    source: &Source,
    file: &InputFile,
    columns: &[usize],
    scan: &FileScanConfig,
    limits: Limits,
) -> Result<Option<LinesOfTable>> {
    let table = source.schema();
    let options = source.listing().options();
    let first_of_folders = table.fields().len() - options.table_partition_cols.len();
    let in_file: Vec<_> = columns
        .iter()
        .copied()
        .filter(|column| *column < first_of_folders)
        .collect();
    let of_source = scan.file_source();
    let format = if let Some(csv) = of_source.downcast_ref::<CsvSource>() {
        Format::Csv(Csv {
            source: Box::new(csv.clone()),
            schema: Arc::new(table.project(&Vec::from_iter(0..first_of_folders))?),
            columns: in_file,
        })
    } else if options.format.is::<JsonFormat>() {
        Format::Json(Arc::new(table.project(&in_file)?))
    } else {
        return Ok(None);
    };
    let opened = scan
        .file_compression_type
        .convert_read(File::open(&file.path)?)?;
    let of_folders = columns.iter().map(|column| {
        let place = column.checked_sub(first_of_folders)?;
        file.listed.partition_values.get(place).cloned()
    });
    Ok(Some(LinesOfTable {
        lines: Lines::try_new(opened, format, limits)?,
        schema: Arc::new(table.project(columns)?),
        of_folders: of_folders.collect(),
    }))
}

/// The rows of a file of lines, as the table has them.
pub(super) struct LinesOfTable {
    lines: Lines,
    schema: SchemaRef,
    /// Each column's value, where it comes from a folder's name.
    of_folders: Vec<Option<ScalarValue>>,
}

impl Iterator for LinesOfTable {
    type Item = Result<Read>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.lines.next()?;
        Some(read.and_then(|read| match read {
            Read::Rows(rows) => Ok(Read::Rows(self.adapted(&rows)?)),
            bad => Ok(bad),
        }))
    }
}

impl LinesOfTable {
    fn adapted(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let mut read = rows.columns().iter();
        let columns = self
            .of_folders
            .iter()
            .filter_map(|of_folder| match of_folder {
                Some(value) => Some(value.to_array_of_size(rows.num_rows())),
                None => read.next().map(|column| Ok(Arc::clone(column))),
            });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }
}
