//! A file of another format than Parquet, read whole and in order by DataFusion.

use datafusion::common::{Result, internal_err};
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;

use super::source::{InputFile, Source};

/// Reads these columns of a file; the batches are the table's, so that every file of a table reads alike.
pub(super) async fn read(
    context: &SessionContext,
    source: &Source,
    file: &InputFile,
    columns: &[usize],
    batch_rows: usize,
) -> Result<SendableRecordBatchStream> {
    let state = context.state();
    let table: &ListingTable = source.listing();
    let projection = columns.to_vec();
    let scan =
        datafusion::catalog::TableProvider::scan(table, &state, Some(&projection), &[], None)
            .await?;
    let Some(scan) = scan
        .downcast_ref::<DataSourceExec>()
        .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>())
    else {
        return internal_err!(
            "{}: a table of files is scanned by DataSourceExec",
            source.name
        );
    };
    let one = FileScanConfigBuilder::from(scan.clone())
        .with_file_groups(vec![FileGroup::new(vec![file.listed.clone()])])
        .with_batch_size(Some(batch_rows))
        .build();
    let context = state.task_ctx();
    DataSourceExec::from_data_source(one).execute(0, context)
}
