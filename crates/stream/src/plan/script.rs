//! Statements that define, and INSERTs by the topic that they read.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{DmlStatement, LogicalPlan, WriteOp};
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{Insert, ObjectName, Statement as SqlStatement};

use super::sink::Inherits;
use crate::StreamError;
use lexstream_engine::Engine;
use lexstream_engine::sql::Statement;
use lexstream_engine::tables::ParquetFolder;
use lexstream_kafka::tables::KafkaTable;
use lexstream_rowwise::not_null;

/// How many characters of a statement an error shows.
const SHOWN: usize = 60;

/// The INSERTs of one pipeline: those from a topic to topics, or one from a topic to files.
#[derive(Debug)]
pub(crate) struct Inserts {
    /// The source in the queries.
    pub(super) name: TableReference,
    /// The source; a [`KafkaTable`].
    pub(super) source: Arc<dyn TableProvider>,
    pub(super) queries: Vec<Query>,
}

/// A query, and where its rows go.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) plan: LogicalPlan,
    /// The name of the table that is written.
    pub(super) name: String,
    pub(super) target: Target,
}

/// What a query writes.
#[derive(Debug)]
pub(super) enum Target {
    /// A topic: a [`KafkaTable`].
    Topic(Arc<dyn TableProvider>, Inherits),
    /// A folder of Parquet files.
    Folder(Box<ParquetFolder>),
}

/// Downcasts a provider to a topic's table.
pub(super) fn topic(table: &Arc<dyn TableProvider>) -> Option<&KafkaTable> {
    table.downcast_ref::<KafkaTable>()
}

/// Runs the statements that define, and plans those that write.
///
/// # Errors
/// Where a statement fails, or is none that a stream runs.
pub(crate) async fn read_script(engine: &Engine, sql: &str) -> Result<Vec<Inserts>, StreamError> {
    let mut pipelines: Vec<Inserts> = Vec::new();
    for statement in engine.parse(sql)? {
        let text = statement.to_string();
        let sql = match &statement {
            Statement::DataFusion(parsed) => match &**parsed {
                DataFusionStatement::Statement(sql) => Some(&**sql),
                _ => None,
            },
            _ => None,
        };
        let insert = match sql {
            Some(SqlStatement::Insert(insert)) => insert.clone(),
            Some(SqlStatement::Query(_)) => {
                let reason = "its rows go nowhere; write INSERT INTO … SELECT …";
                return Err(refused(&text, reason));
            }
            _ => {
                engine.run(statement).await?.collect().await?;
                continue;
            }
        };
        let Statement::DataFusion(parsed) = statement else {
            continue;
        };
        let plan = engine.plan(*parsed).await?;
        let LogicalPlan::Dml(dml) = plan else {
            return Err(refused(&text, "it is planned as no INSERT"));
        };
        add(&mut pipelines, text, &insert, dml)?;
    }
    if pipelines.is_empty() {
        let reason = "expected INSERT INTO … SELECT … FROM …, found none";
        return Err(refused("the script", reason));
    }
    Ok(pipelines)
}

/// Adds an INSERT to the pipeline of the topic that it reads.
fn add(
    pipelines: &mut Vec<Inserts>,
    sql: String,
    insert: &Insert,
    dml: DmlStatement,
) -> Result<(), StreamError> {
    let table = source_as_provider(&dml.target)?;
    let name = dml.table_name.to_string();
    let target = if topic(&table).is_some() {
        if dml.op != WriteOp::Insert(InsertOp::Append) {
            return Err(refused(
                &sql,
                format!("expected INSERT INTO, found {}", dml.op),
            ));
        }
        let inherits = inherits(&table, &insert.columns);
        Target::Topic(Arc::clone(&table), inherits)
    } else {
        let folder = ParquetFolder::of_insert(&dml);
        Target::Folder(Box::new(folder.map_err(|reason| refused(&sql, reason))?))
    };
    let plan = not_null::checked(Arc::unwrap_or_clone(dml.input), &table.schema())?;
    let (source_name, source) = source_of(&plan, &sql)?;
    let is_folder = matches!(target, Target::Folder(_));
    let query = Query {
        sql,
        plan,
        name,
        target,
    };
    // Topics are written in one transaction; what a folder has is known by itself alone.
    let known = pipelines
        .iter_mut()
        .find(|known| known.name == source_name && known.is_to_topics());
    match known {
        Some(known) if !is_folder => known.queries.push(query),
        _ => pipelines.push(Inserts {
            name: source_name,
            source,
            queries: vec![query],
        }),
    }
    Ok(())
}

impl Inserts {
    fn is_to_topics(&self) -> bool {
        let mut queries = self.queries.iter();
        queries.all(|query| matches!(query.target, Target::Topic(..)))
    }
}

/// Decides what records inherit of their messages. A column that is not named arrives as NULL, like one that is set to
/// NULL: so the statement's list decides.
fn inherits(sink: &Arc<dyn TableProvider>, columns: &[ObjectName]) -> Inherits {
    let schema = sink.schema();
    let inherits = |name: &str| {
        let is_declared = schema.column_with_name(name).is_some();
        let is_named = columns.iter().any(|column| {
            let last = column.0.last().and_then(|part| part.as_ident());
            last.is_some_and(|part| part.value.eq_ignore_ascii_case(name))
        });
        // Without a list, every column is named.
        !(is_declared && (is_named || columns.is_empty()))
    };
    Inherits {
        key: inherits("_key"),
        timestamp: inherits("_timestamp"),
        headers: inherits("_headers"),
    }
}

/// Returns the one topic that a query reads.
fn source_of(
    plan: &LogicalPlan,
    sql: &str,
) -> Result<(TableReference, Arc<dyn TableProvider>), StreamError> {
    let mut found: Vec<(TableReference, Arc<dyn TableProvider>)> = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(table) = source_as_provider(&scan.source)
            && topic(&table).is_some()
            && found.iter().all(|(name, _)| *name != scan.table_name)
        {
            found.push((scan.table_name.clone(), table));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(refused(
            sql,
            "it reads no topic; lexstream sql and lexstream batch run it",
        )),
        (Some((one, _)), Some((other, _))) => Err(refused(
            sql,
            format!(
                "it reads two topics, `{one}` and `{other}`; CREATE TABLE … AS SELECT … FROM {other} keeps the rows of one as they are now"
            ),
        )),
    }
}

/// Refuses a statement by its beginning.
pub(super) fn refused(sql: &str, reason: impl Into<String>) -> StreamError {
    let query = match sql.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &sql[..end]),
        None => sql.to_owned(),
    };
    StreamError::Refused {
        query,
        reason: reason.into(),
    }
}
