//! `CREATE EXTERNAL TABLE … STORED AS KAFKA LOCATION 'kafka://…' OPTIONS (…)`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::{DataFusionError, Result, plan_datafusion_err, plan_err};
use datafusion::logical_expr::CreateExternalTable;
use lexstream_text::nearest;

use super::columns::Columns;
use super::reference::topic_options;
use super::row_reader::RowReader;
use super::table::KafkaTable;
use crate::TopicOptions;
use lexstream_codec::{Format, Formats};
use lexstream_engine::TableFormat;
use lexstream_environment as environment;

/// What stands behind STORED AS.
pub const FILE_TYPE: &str = "KAFKA";

/// Makes tables of topics. No broker is asked: a topic that is missing is named when it is read or written.
#[derive(Debug)]
pub struct KafkaTables;

#[async_trait]
impl TableProviderFactory for KafkaTables {
    async fn create(
        &self,
        session: &dyn Session,
        statement: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        let formats = session.config().get_extension::<Formats>();
        match table(statement, &formats.unwrap_or_default()) {
            Ok(table) => Ok(Arc::new(table)),
            Err(error) => Err(error.context(format!("table `{}`", statement.name))),
        }
    }
}

impl TableFormat for KafkaTables {
    fn name(&self) -> &'static str {
        FILE_TYPE
    }

    fn page(&self, formats: &Formats) -> Option<(String, String)> {
        Some(("topic_options.md".to_owned(), topic_options(formats)))
    }
}

fn table(statement: &CreateExternalTable, formats: &Formats) -> Result<KafkaTable> {
    check_clauses(statement)?;
    let [location] = statement.locations.as_slice() else {
        return plan_err!(
            "LOCATION: expected one, kafka://host:port,host:port/topic, found {}",
            statement.locations.len()
        );
    };
    let options = statement.options.clone();
    let names: Vec<_> = formats.names().collect();
    let options = TopicOptions::try_new(location, options, &names, &environment::variable);
    let options = options.map_err(|error| DataFusionError::External(Box::new(error)))?;
    let fields = statement.schema.fields().iter().map(declared);
    let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
    let columns = Columns::try_new(&schema)?;
    let format = format(&options, &columns, formats)?;
    // Columns that the format can't hold are refused here rather than by a query.
    RowReader::try_new(&schema, format.as_deref(), &[])?;
    let definition = definition(statement, &options);
    Ok(KafkaTable::new(columns, options, format, definition))
}

/// Returns a column as it is declared, but with Utf8 in lists of VARCHAR: what the functions make, and smaller than a view
/// of each token.
fn declared(field: &FieldRef) -> FieldRef {
    let of = |item: &FieldRef| match item.data_type() {
        DataType::Utf8View => Arc::new(Field::clone(item).with_data_type(DataType::Utf8)),
        _ => declared(item),
    };
    let data_type = match field.data_type() {
        DataType::List(item) => DataType::List(of(item)),
        DataType::LargeList(item) => DataType::LargeList(of(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(of(item), *length),
        _ => return Arc::clone(field),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

fn check_clauses(statement: &CreateExternalTable) -> Result<()> {
    let found = [
        (
            statement.schema.fields().is_empty(),
            "no column: they can't be told from messages",
        ),
        (!statement.table_partition_cols.is_empty(), "PARTITIONED BY"),
        (!statement.order_exprs.is_empty(), "WITH ORDER"),
        (
            statement.unbounded,
            "UNBOUNDED: `lexstream stream` reads without end",
        ),
        (
            !statement.constraints.is_empty(),
            "a constraint other than NOT NULL",
        ),
        (!statement.column_defaults.is_empty(), "DEFAULT"),
    ];
    match found.iter().find(|(is_there, _)| *is_there) {
        Some((_, found)) => {
            plan_err!("expected columns, STORED AS KAFKA, LOCATION and OPTIONS, found {found}")
        }
        None => Ok(()),
    }
}

fn format(
    options: &TopicOptions,
    columns: &Columns,
    formats: &Formats,
) -> Result<Option<Arc<dyn Format>>> {
    let mut left = options.format_options().clone();
    let format = match options.format() {
        Some(name) => {
            let format = formats.open(name, &mut left);
            Some(format.map_err(|error| DataFusionError::External(Box::new(error)))?)
        }
        None if columns.value_at.is_empty() => None,
        None => return Err(no_format(columns, formats)),
    };
    check_left(&left, options.format(), formats)?;
    Ok(format)
}

fn no_format(columns: &Columns, formats: &Formats) -> DataFusionError {
    let (column, known) = (columns.value.field(0).name(), formats.listed());
    plan_datafusion_err!(
        "expected the option `format` for column `{column}`, one of {known}; found none"
    )
}

fn check_left(
    left: &BTreeMap<String, String>,
    format: Option<&str>,
    formats: &Formats,
) -> Result<()> {
    let Some(key) = left.keys().next() else {
        return Ok(());
    };
    let options = formats.options();
    let of_format = options.iter().filter(|(of, _)| {
        of.is_none_or(|of| format.is_some_and(|format| format.eq_ignore_ascii_case(of)))
    });
    let meant = nearest(key, of_format.map(|(_, option)| option.name))
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default();
    match format {
        Some(format) => plan_err!("format `{format}` has no option `{key}`{meant}"),
        None => plan_err!("option `{key}` needs a format, found none"),
    }
}

/// Returns the statement as SHOW CREATE TABLE tells it: without secrets.
fn definition(statement: &CreateExternalTable, options: &TopicOptions) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let shown: Vec<_> = options
        .shown()
        .map(|(key, value)| format!("{} {}", quoted(key), quoted(value)))
        .collect();
    let mut definition = statement.definition.clone().unwrap_or_default();
    if !shown.is_empty() {
        definition.push_str(&format!(" OPTIONS ({})", shown.join(", ")));
    }
    definition
}
