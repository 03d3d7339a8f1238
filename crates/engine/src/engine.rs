//! The engine: the only place that builds a `SessionContext`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::catalog::TableProviderFactory;
use datafusion::common::{Result, plan_err};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as DataFusionStatement;
use lexstream_columns::model::Models;

use lexstream_codec::{Formats, MessageFormat};
use lexstream_environment as environment;
use lexstream_models::ModelCatalog;
use lexstream_models::kinds::Kind;

use crate::config::LexstreamConfig;
use crate::sql::{self, Statement, StatementSyntax};
use crate::table_format::TableFormat;
use crate::tables;
use lexstream_plan as plan;

/// How many of the largest memory consumers an out-of-memory error names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(5).expect("5 is not zero");

/// A session that runs SQL with Lexstream's functions, tables and statements.
///
/// Cloning is cheap; clones share tables and settings.
#[derive(Clone)]
pub struct Engine {
    context: SessionContext,
    models: Arc<ModelCatalog>,
    formats: Arc<Formats>,
    statements: Arc<[Arc<dyn StatementSyntax>]>,
    table_formats: Vec<Arc<dyn TableFormat>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("session", &self.context.session_id())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Returns the DataFusion session: register tables and functions of your own here.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Returns the models that functions find by name.
    pub fn models(&self) -> &Arc<ModelCatalog> {
        &self.models
    }

    /// Returns the message formats that it was built with.
    pub fn formats(&self) -> &Arc<Formats> {
        &self.formats
    }

    /// Returns the statements beside DataFusion's that it was built with.
    pub fn statements(&self) -> &[Arc<dyn StatementSyntax>] {
        &self.statements
    }

    /// Returns the tables of other systems that it was built with.
    pub fn table_formats(&self) -> &[Arc<dyn TableFormat>] {
        &self.table_formats
    }

    /// Parses a script into its statements, in order; errors name line and column.
    pub fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        let dialect = self.context.state().config_options().sql_parser.dialect;
        sql::parse(sql, dialect, &self.statements)
    }

    /// Plans and starts one statement.
    ///
    /// A query runs when its frame is collected or streamed. A statement that changes the session
    /// (`CREATE TABLE`, `SET`, …) has run when this returns, and its frame has no rows.
    pub async fn run(&self, statement: Statement) -> Result<DataFrame> {
        let (context, models) = (&self.context, &self.models);
        let frame = match statement {
            Statement::DataFusion(statement) => {
                let plan = self.plan(*statement).await?;
                context.execute_logical_plan(plan).await
            }
            Statement::Own(statement) => statement.run(context, models).await,
        };
        match frame {
            Ok(frame) => Ok(frame),
            Err(error) => Err(tables::with_nearest(&context.state(), error).await),
        }
    }

    /// Plans a statement that DataFusion runs, and runs nothing; the plan is not optimised.
    pub async fn plan(&self, statement: DataFusionStatement) -> Result<LogicalPlan> {
        let state = self.context.state();
        match state.statement_to_plan(statement).await {
            Ok(plan) => Ok(plan),
            Err(error) => Err(tables::with_nearest(&state, error).await),
        }
    }

    /// Runs a text that holds exactly one statement; see [`Engine::run`].
    pub async fn sql(&self, sql: &str) -> Result<DataFrame> {
        let mut statements = self.parse(sql)?;
        match (statements.pop(), statements.len()) {
            (Some(statement), 0) => self.run(statement).await,
            (None, _) => plan_err!("expected one statement, found none"),
            (Some(_), others) => plan_err!("expected one statement, found {}", others + 1),
        }
    }
}

/// Describes an [`Engine`], and takes what extends it.
///
/// ```no_run
/// # async fn run() -> datafusion::common::Result<()> {
/// use lexstream_engine::EngineBuilder;
///
/// let engine = EngineBuilder::default().target_partitions(2).build()?;
/// let rows = engine.sql("SELECT tokenize('To be, or not!')").await?.collect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct EngineBuilder {
    settings: Vec<(String, String)>,
    memory_limit: Option<usize>,
    home: Option<PathBuf>,
    kinds: Vec<Arc<dyn Kind>>,
    models: Option<Arc<ModelCatalog>>,
    formats: Formats,
    statements: Vec<Arc<dyn StatementSyntax>>,
    table_formats: Vec<Arc<dyn TableFormat>>,
}

impl EngineBuilder {
    /// Sets one setting by its SQL name, as `SET` does; later ones win.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }

    /// Sets how many threads a query uses; the default is one a core.
    #[must_use]
    pub fn target_partitions(self, partitions: usize) -> Self {
        self.set(
            "datafusion.execution.target_partitions",
            partitions.to_string(),
        )
    }

    /// Bounds the memory of sorts, joins and aggregates, in bytes; what exceeds it goes to disk where
    /// the operator can, else the query fails and names its largest consumers. The default is no bound.
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Sets the folder that models are kept in; the default is `LEXSTREAM_HOME`, else the platform's place for the
    /// user's data. It is made with the first model.
    #[must_use]
    pub fn home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// Adds a kind of model; one that has its name already gives way. It has no effect beside [`EngineBuilder::models`],
    /// whose catalog has kinds of its own.
    #[must_use]
    pub fn kind(mut self, kind: Arc<dyn Kind>) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Shares models with other engines of this process: one catalog loads each model once, and puts the texts of all
    /// engines into the same runs. The default is a catalog of the home.
    #[must_use]
    pub fn models(mut self, models: Arc<ModelCatalog>) -> Self {
        self.models = Some(models);
        self
    }

    /// Adds a message format, which tables of topics name in their options; one that has its name already gives way.
    #[must_use]
    pub fn format(mut self, format: Arc<dyn MessageFormat>) -> Self {
        self.formats = self.formats.with(format);
        self
    }

    /// Adds a statement, which is tried before DataFusion's and behind Lexstream's own.
    #[must_use]
    pub fn statement(mut self, statement: Arc<dyn StatementSyntax>) -> Self {
        self.statements.push(statement);
        self
    }

    /// Adds tables of another system; one that has its name already gives way.
    #[must_use]
    pub fn table_format(mut self, format: Arc<dyn TableFormat>) -> Self {
        self.table_formats.push(format);
        self
    }

    /// Builds the engine; an unknown setting or a value of the wrong type is an error.
    pub fn build(self) -> Result<Engine> {
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_option_extension(LexstreamConfig::default());
        // A timestamp of 96 bits, as Spark writes them, reaches beyond what 64 bits of nanoseconds hold.
        config.options_mut().execution.parquet.coerce_int96 = Some("us".to_owned());
        for (key, value) in &self.settings {
            config.options_mut().set(key, value)?;
        }
        let mut runtime = RuntimeEnvBuilder::new();
        if let Some(bytes) = self.memory_limit {
            let pool = TrackConsumersPool::new(FairSpillPool::new(bytes), CONSUMERS_NAMED);
            runtime = runtime.with_memory_pool(Arc::new(pool));
        }
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_config(config)
            .with_runtime_env(runtime.build_arc()?)
            .build();
        let context = tables::with_files(SessionContext::new_with_state(state));
        let models = self.register_all(&context)?;
        let statements = sql::built_in().into_iter().chain(self.statements);
        Ok(Engine {
            context,
            models,
            formats: Arc::new(self.formats),
            statements: statements.collect(),
            table_formats: self.table_formats,
        })
    }

    /// Adds Lexstream's functions, table functions, table formats and optimiser rules to a session of your own, and
    /// returns the models that they find by name.
    ///
    /// A function that the session already has under one of our names is replaced. Statements such as CREATE MODEL work
    /// through [`Engine::sql`]; [`ModelCatalog::create`] is their twin in Rust. Settings and the memory limit are the
    /// session's own business.
    pub fn register_all(&self, context: &SessionContext) -> Result<Arc<ModelCatalog>> {
        let models = self.catalog();
        register_functions(context, &models)?;
        let state = context.state_ref();
        let mut state = state.write();
        let config = state.config_mut();
        config.set_extension(Arc::new(self.formats.clone()));
        for format in &self.table_formats {
            let factory: Arc<dyn TableProviderFactory> = Arc::<dyn TableFormat>::clone(format);
            let factories = state.table_factories_mut();
            factories.insert(format.name().to_owned(), factory);
        }
        Ok(models)
    }

    /// Returns the models of this description alone.
    pub fn catalog(&self) -> Arc<ModelCatalog> {
        if let Some(models) = &self.models {
            return Arc::clone(models);
        }
        let home = self.home.clone().or_else(environment::lexstream_home);
        let kinds = self.kinds.iter().map(Arc::clone);
        Arc::new(kinds.fold(ModelCatalog::new(home), ModelCatalog::with_kind))
    }
}

fn register_functions(context: &SessionContext, models: &Arc<ModelCatalog>) -> Result<()> {
    let functions: Arc<dyn Models> = Arc::<ModelCatalog>::clone(models);
    let state = context.state_ref();
    let mut rules = context.state().physical_optimizers().to_vec();
    if plan::insert_rules(&mut rules) {
        let mut logical = context.state().optimizers().to_vec();
        plan::KeepCalls::insert(&mut logical);
        logical.push(Arc::new(plan::CountTokens));
        logical.push(Arc::new(plan::CallsBelow));
        // A session that is made anew orders its functions anew: ours come behind.
        let ruled = SessionStateBuilder::new_from_existing(context.state())
            .with_session_id(context.session_id())
            .with_optimizer_rules(logical)
            .with_physical_optimizer_rules(rules);
        *state.write() = ruled.build();
    }
    lexstream_udfs::register_all(&mut *state.write(), &functions)?;
    tables::register_all(context, models);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_error<T: std::fmt::Debug>(result: Result<T>, expected: &str) {
        let error = result.expect_err(expected).strip_backtrace();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        check_error(
            EngineBuilder::default()
                .set("lexstream.sql.max_row", "1")
                .build(),
            "max_row",
        );
        check_error(
            EngineBuilder::default()
                .set("lexstream.sql.max_rows", "many")
                .build(),
            "many",
        );
    }

    #[tokio::test]
    async fn exactly_one_statement_is_run() {
        let engine = EngineBuilder::default().build().expect("engine");
        check_error(engine.sql("").await, "expected one statement, found none");
        check_error(
            engine.sql("select 1; select 2").await,
            "expected one statement, found 2",
        );
    }

    #[tokio::test]
    async fn a_setting_is_seen_by_set_and_show() {
        let engine = EngineBuilder::default()
            .set("lexstream.sql.max_rows", "7")
            .build()
            .expect("engine");
        let rows = engine
            .sql("SHOW lexstream.sql.max_rows")
            .await
            .expect("rows")
            .collect()
            .await
            .expect("batches");
        let shown = datafusion::arrow::util::pretty::pretty_format_batches(&rows)
            .expect("table")
            .to_string();
        assert!(shown.contains("| lexstream.sql.max_rows | 7 "), "{shown}");
    }

    #[tokio::test]
    async fn a_query_beyond_the_memory_limit_fails_and_the_next_one_works() {
        let engine = EngineBuilder::default()
            .target_partitions(1)
            .memory_limit(1 << 20)
            .build()
            .expect("engine");
        let words = "SELECT term_frequencies(tokenize(CAST(value AS VARCHAR))) FROM generate_series(1, 300000)";
        check_error(
            engine.sql(words).await.expect("plan").collect().await,
            "Resources exhausted",
        );
        engine
            .sql("SELECT 1")
            .await
            .expect("plan")
            .collect()
            .await
            .expect("rows");
    }
}
