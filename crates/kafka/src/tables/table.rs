//! A topic as a table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, not_impl_err};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use tokio::sync::oneshot;

use super::bounds::{both, wanted};
use super::columns::Columns;
use super::row_reader::RowReader;
use super::row_writer::RowWriter;
use super::scan::KafkaScanExec;
use super::sink::KafkaSink;
use crate::{PartitionRange, Topic, TopicOptions, Wanted, find_ranges};
use lexstream_codec::Format;

/// A topic, or the topics that a pattern names.
///
/// A query reads each partition from its beginning to what is its end when the query is planned, read-committed unless
/// `isolation.level` says otherwise. Conditions on `_partition_id`, `_partition_offset` and `_timestamp` become seeks.
#[derive(Debug)]
pub struct KafkaTable {
    columns: Columns,
    options: Arc<TopicOptions>,
    format: Option<Arc<dyn Format>>,
    definition: String,
}

impl KafkaTable {
    pub(super) fn new(
        columns: Columns,
        options: TopicOptions,
        format: Option<Arc<dyn Format>>,
        definition: String,
    ) -> Self {
        Self {
            columns,
            options: Arc::new(options),
            format,
            definition,
        }
    }

    /// Returns where its messages are and how they are read and written.
    pub fn options(&self) -> &Arc<TopicOptions> {
        &self.options
    }

    /// Returns the format of values; none where every column is special.
    pub fn format(&self) -> Option<&dyn Format> {
        self.format.as_deref()
    }

    /// Returns its columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Asks the brokers what there is to be read.
    async fn ranges(&self, wanted: Wanted) -> Result<Vec<PartitionRange>> {
        let (sender, answer) = oneshot::channel();
        let options = Arc::clone(&self.options);
        let ask = move || {
            find_ranges(&options, &wanted, |ranges| {
                // Nobody hears it where the query was dropped meanwhile.
                let _ = sender.send(ranges);
            });
        };
        let thread = std::thread::Builder::new().name("kafka-ranges".to_owned());
        thread.spawn(ask)?;
        let ranges = answer
            .await
            .map_err(|_| exec_datafusion_err!("the thread that asks the brokers ended early"))?;
        ranges.map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

#[async_trait]
impl TableProvider for KafkaTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn get_table_definition(&self) -> Option<&str> {
        Some(&self.definition)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = filters.iter().map(|filter| match wanted(filter) {
            // A range may hold more than the condition leaves.
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        });
        Ok(support.collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<_> = (0..self.columns.schema.fields().len()).collect();
        let projection = projection.map_or(all.as_slice(), Vec::as_slice);
        let reader = RowReader::try_new(&self.columns.schema, self.format(), projection)?;
        let wanted = filters.iter().filter_map(wanted);
        let wanted = wanted.fold(Wanted::default(), |all, one| both(&all, &one));
        let ranges = self.ranges(wanted).await?;
        let partitions = state.config().target_partitions();
        let options = Arc::clone(&self.options);
        let scan = KafkaScanExec::new(options, reader, ranges, partitions, limit);
        Ok(Arc::new(scan))
    }

    async fn insert_into(
        &self,
        _: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        operation: InsertOp,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if operation != InsertOp::Append {
            return not_impl_err!(
                "a topic can only be added to: expected INSERT INTO, found {operation}"
            );
        }
        let topic = match self.options.topic() {
            Topic::Name(name) => name.clone(),
            Topic::Pattern(pattern) => {
                return not_impl_err!(
                    "expected a topic to write to, found the pattern `{pattern}`"
                );
            }
        };
        let writer = RowWriter::try_new(&self.columns.schema, self.format())?;
        let schema = Arc::clone(&self.columns.schema);
        let sink = KafkaSink::new(Arc::clone(&self.options), topic, writer, schema);
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), None)))
    }
}
