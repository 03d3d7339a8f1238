//! Planner of scripts: runs the statements that define, and groups the INSERTs by the table that they read.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::catalog::{TableProvider, default_table_source::source_as_provider};
use datafusion::common::TableReference;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::ListingTable;
use datafusion::logical_expr::{LogicalPlan, TableScan};
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use crate::error::BatchError;
use crate::input::Source;
use crate::output::{OutputFolder, Query};
use lexstream_engine::Engine;
use lexstream_engine::sql::Statement;
use lexstream_engine::tables::{self, ParquetFolder};
use lexstream_models::store::digest;
use lexstream_rowwise::not_null;

/// The name of the table that `--input` makes.
const INPUT: &str = "input";

/// What the command line adds to a script.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Its statements.
    pub sql: String,
    /// Files that are the table `input`: a path, a glob or a folder.
    pub input: Option<String>,
    /// The folder into which the script's one SELECT is written.
    pub output: Option<PathBuf>,
}

/// Queries over one source, which are run together.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) source: Source,
    pub(super) queries: Vec<PlannedQuery>,
}

/// A query, and where its rows go.
#[derive(Debug)]
pub(super) struct PlannedQuery {
    pub(super) query: Query,
    pub(super) plan: LogicalPlan,
    pub(super) output: OutputFolder,
}

/// Runs the statements that define, and plans those that write.
///
/// `lenient` takes an input whose schema comes from those of its files that can be read.
///
/// # Errors
/// A statement fails or is none of a job's; the script writes nothing, or reads no table of local files.
pub(super) async fn plan(
    engine: &Engine,
    script: &Script,
    lenient: bool,
) -> Result<Vec<Pipeline>, BatchError> {
    let context = engine.context();
    if let Some(path) = &script.input {
        let table = tables::files(context, path, lenient).await?;
        context.register_table(INPUT, table)?;
    }
    let mut definitions = script.input.clone().unwrap_or_default();
    let mut pipelines: Vec<Pipeline> = Vec::new();
    for statement in engine.parse(&script.sql)? {
        let text = statement.to_string();
        let Statement::DataFusion(parsed) = statement else {
            run(engine, statement).await?;
            continue;
        };
        let DataFusionStatement::Statement(sql) = &*parsed else {
            run(engine, Statement::DataFusion(parsed)).await?;
            definitions.push_str(&text);
            continue;
        };
        match (&**sql, &script.output) {
            (SqlStatement::Insert(_), None) => {
                let plan = engine.plan(*parsed).await?;
                let LogicalPlan::Dml(insert) = plan else {
                    return Err(BatchError::refused(
                        &text,
                        "it is planned as no INSERT".to_owned(),
                    ));
                };
                let to = ParquetFolder::of_insert(&insert);
                let to = to.map_err(|reason| BatchError::refused(&text, reason))?;
                let output = OutputFolder {
                    name: to.name,
                    folder: to.folder,
                    schema: to.schema,
                    options: to.options,
                };
                let plan = Arc::unwrap_or_clone(insert.input);
                let plan = not_null::checked(plan, &output.schema)?;
                add(engine, &mut pipelines, &definitions, text, plan, output).await?;
            }
            (SqlStatement::Query(_), Some(folder)) => {
                let plan = engine.plan(*parsed).await?;
                let folder = absolute(folder)?;
                if let Some(input) = &script.input
                    && tables::names_file(input, &folder.join("part.parquet"))
                {
                    let reason = format!("--input {input} names the files of its --output");
                    return Err(BatchError::refused(&text, reason));
                }
                let output = OutputFolder {
                    name: "output".to_owned(),
                    folder,
                    schema: Arc::clone(plan.schema().inner()),
                    options: context.state().default_table_options().parquet,
                };
                add(engine, &mut pipelines, &definitions, text, plan, output).await?;
            }
            (SqlStatement::Query(_), None) => {
                let reason = "its rows go nowhere; write INSERT INTO …, or give --output";
                return Err(BatchError::refused(&text, reason.to_owned()));
            }
            (SqlStatement::Insert(_), Some(_)) => {
                let reason = "--output takes the rows of a SELECT; without it, INSERTs are run";
                return Err(BatchError::refused(&text, reason.to_owned()));
            }
            (SqlStatement::Set(_), _) => run(engine, Statement::DataFusion(parsed)).await?,
            _ => {
                run(engine, Statement::DataFusion(parsed)).await?;
                definitions.push_str(&text);
            }
        }
    }
    if pipelines.is_empty() {
        let reason = match &script.output {
            Some(_) => "expected a SELECT, found none",
            None => "expected INSERT INTO … SELECT … FROM …, found none",
        };
        return Err(BatchError::refused("the script", reason.to_owned()));
    }
    let mut sources = pipelines.iter().map(|pipeline| &pipeline.source.name);
    if let Some(input) = &script.input
        && !sources.any(|name| name.table() == INPUT)
    {
        let reason = format!("no query reads `{INPUT}`, the table of --input {input}");
        return Err(BatchError::refused("the script", reason));
    }
    Ok(pipelines)
}

/// Runs a statement whose rows, if it has any, are nothing to a job.
async fn run(engine: &Engine, statement: Statement) -> Result<(), BatchError> {
    engine.run(statement).await?.collect().await?;
    Ok(())
}

async fn add(
    engine: &Engine,
    pipelines: &mut Vec<Pipeline>,
    definitions: &str,
    sql: String,
    plan: LogicalPlan,
    output: OutputFolder,
) -> Result<(), BatchError> {
    let outputs = pipelines.iter().flat_map(|pipeline| &pipeline.queries);
    if outputs
        .into_iter()
        .any(|other| other.output.folder == output.folder)
    {
        let folder = output.folder.display();
        let reason = format!("{folder} is written already; UNION ALL makes one query of two");
        return Err(BatchError::refused(&sql, reason));
    }
    if let Some(name) = twice(&plan) {
        let reason = format!("two of its columns are named `{name}`; AS gives one another name");
        return Err(BatchError::refused(&sql, reason));
    }
    let Some((name, table)) = source_of(&plan)? else {
        let reason = "it reads no table of files; lexstream sql runs it";
        return Err(BatchError::refused(&sql, reason.to_owned()));
    };
    let query = Query {
        sha256: digest::of(format!("{definitions}\n{sql}").as_bytes()),
        sql: sql.clone(),
    };
    let planned = PlannedQuery {
        query,
        plan,
        output,
    };
    if let Some(known) = pipelines.iter_mut().find(|known| known.source.name == name) {
        known.queries.push(planned);
        return Ok(());
    }
    let refuse = |reason| BatchError::refused(&sql, reason);
    let source = Source::list(engine.context(), name, table, refuse).await?;
    pipelines.push(Pipeline {
        source,
        queries: vec![planned],
    });
    Ok(())
}

/// Returns a name that several columns of a query have: hardly a reader tells them apart.
fn twice(plan: &LogicalPlan) -> Option<&str> {
    let mut seen = HashSet::new();
    let mut names = plan.schema().fields().iter().map(|field| field.name());
    names.find(|name| !seen.insert(*name)).map(String::as_str)
}

/// A table under the name that a query gives it.
type NamedTable = (TableReference, Arc<dyn TableProvider>);

/// Returns the table whose rows a query reads one after another: the one that is named `input`, else the first table of
/// files that stands in FROM; the others are held in memory.
fn source_of(plan: &LogicalPlan) -> Result<Option<NamedTable>, BatchError> {
    let mut first: Option<&TableScan> = None;
    let mut input: Option<&TableScan> = None;
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && source_as_provider(&scan.source).is_ok_and(|table| table.is::<ListingTable>())
        {
            first.get_or_insert(scan);
            if scan.table_name.table() == INPUT {
                input = Some(scan);
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let source = input.or(first);
    let source = source.map(|scan| {
        Ok::<_, BatchError>((scan.table_name.clone(), source_as_provider(&scan.source)?))
    });
    source.transpose()
}

fn absolute(folder: &Path) -> Result<PathBuf, BatchError> {
    std::path::absolute(folder).map_err(BatchError::io("find", folder))
}
