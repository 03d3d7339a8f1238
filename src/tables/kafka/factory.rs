//! `CREATE EXTERNAL TABLE … STORED AS KAFKA`.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::{DataFusionError, Result, plan_err};
use datafusion::logical_expr::CreateExternalTable;

use super::columns::Columns;
use super::table::KafkaTable;
use crate::codec;
use crate::config::environment;
use crate::kafka::TopicOptions;

/// What STORED AS names.
pub(in crate::tables) const KIND: &str = "KAFKA";

/// Makes tables out of CREATE EXTERNAL TABLE; no broker is asked yet.
#[derive(Debug)]
pub(in crate::tables) struct KafkaTables;

#[async_trait]
impl TableProviderFactory for KafkaTables {
    async fn create(
        &self,
        _: &dyn Session,
        command: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        let name = &command.name;
        let [location] = command.locations.as_slice() else {
            return plan_err!(
                "{name}: expected one LOCATION, kafka://host:port/topic, found {}",
                command.locations.len()
            );
        };
        let schema = Arc::clone(command.schema.inner());
        if schema.fields().is_empty() {
            return plan_err!("{name}: expected the columns of the topic's messages, found none");
        }
        if !command.table_partition_cols.is_empty() {
            return plan_err!("{name}: a topic has no PARTITIONED BY");
        }
        let named = |error: Box<dyn std::error::Error + Send + Sync>| {
            DataFusionError::External(error).context(name.to_string())
        };
        let options = command.options.clone();
        let options = TopicOptions::try_new(location, options, &environment::variable)
            .map_err(|error| named(Box::new(error)))?;
        let columns = Columns::try_new(&schema)?;
        let format = match options.format() {
            Some(format) => {
                let mut of_format = options.format_options().clone();
                let found = codec::format(format, &mut of_format);
                let found = found.map_err(|error| named(Box::new(error)))?;
                if let Some(key) = of_format.keys().next() {
                    return plan_err!("{name}: the format `{format}` has no option `{key}`");
                }
                Some(found)
            }
            None if !columns.value_at.is_empty() => {
                return plan_err!("{name}: expected the option 'format', found none");
            }
            None => None,
        };
        Ok(Arc::new(KafkaTable::new(options, format, schema)))
    }
}
