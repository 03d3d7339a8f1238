//! A topic's table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, not_impl_err};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::codec::Format;
use crate::kafka::TopicOptions;

/// The messages of a topic as rows.
#[derive(Debug)]
pub struct KafkaTable {
    options: Arc<TopicOptions>,
    format: Option<Arc<dyn Format>>,
    schema: SchemaRef,
}

impl KafkaTable {
    pub(super) fn new(
        options: TopicOptions,
        format: Option<Arc<dyn Format>>,
        schema: SchemaRef,
    ) -> Self {
        Self {
            options: Arc::new(options),
            format,
            schema,
        }
    }

    /// Returns where the topic is and how it is read and written.
    pub fn options(&self) -> &Arc<TopicOptions> {
        &self.options
    }

    /// Returns the format of the values; none is needed where every column is a special one.
    pub fn format(&self) -> Option<&dyn Format> {
        self.format.as_deref()
    }
}

#[async_trait]
impl TableProvider for KafkaTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        _: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!("a topic is read by `lexstream stream`")
    }
}
