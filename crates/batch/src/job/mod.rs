//! A job: queries over one source, whose rows are cut into units, the pieces that are retried or resumed.

mod preview;
mod script;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::sync::Arc;

use datafusion::config::ConfigOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use tokio::runtime::Handle;

use crate::error::BatchError;
use crate::input::{ReadLimits, Source, Unit, UnitReader, UnitRows, unit};
use crate::output::{Manifest, OutputFolder};
use lexstream_engine::Engine;
use lexstream_engine::config::{BatchConfig, LexstreamConfig};
use lexstream_engine::pinned;
use lexstream_rowwise::{Rowwise, RowwiseError};
use script::Pipeline;

pub use preview::Preview;
pub use script::Script;

/// What becomes of a row that fails, and of a file that can't be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// The job stops and says where.
    #[default]
    Fail,
    /// It is counted.
    Skip,
    /// It is written to `_errors/`, with its error.
    File,
}

/// How a job is run.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// What becomes of rows that fail.
    pub on_error: OnError,
    /// Units that are under way at once.
    pub workers: usize,
    /// Bytes of memory for all of it; half of them are for batches and files under way, and for a single long row what
    /// tables in memory leave.
    pub memory: usize,
}

/// How many times its own bytes a single long text may take: keywords need the most.
pub(crate) const ROW_FACTOR: usize = 10;

/// Settings that change how a job is run and not what it gives, by the beginning of their names.
const NO_MATTER: &[&str] = &[
    "datafusion.catalog.",
    "datafusion.execution.target_partitions",
    "datafusion.explain.",
    "datafusion.format.",
    "datafusion.optimizer.enable_leaf_expression_pushdown",
    "lexstream.batch.batch_",
    "lexstream.sql.",
];

/// Queries over one source, ready to be run.
pub struct Job {
    pub(crate) context: SessionContext,
    pub(crate) rowwise: Rowwise,
    pub(crate) source: Source,
    pub(crate) outputs: Vec<OutputFolder>,
    pub(crate) units: Vec<Unit>,
    pub(crate) manifest: Manifest,
    pub(crate) settings: BatchConfig,
    pub(crate) options: JobOptions,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("outputs", &self.outputs)
            .field("units", &self.units.len())
            .finish_non_exhaustive()
    }
}

impl Job {
    /// Runs the statements of a script that define, and makes a job of each table that the others read.
    ///
    /// Reads the footers of every input, and the tables that are held in memory; writes nothing.
    ///
    /// # Errors
    /// A statement fails, or is none that a job runs; an input can't be listed.
    pub async fn of_script(
        engine: &Engine,
        script: &Script,
        options: &JobOptions,
    ) -> Result<Vec<Self>, BatchError> {
        let lenient = options.on_error != OnError::Fail;
        let mut jobs = Vec::new();
        for pipeline in script::plan(engine, script, lenient).await? {
            jobs.push(Self::new(engine, pipeline, options.clone()).await?);
        }
        Ok(jobs)
    }

    async fn new(
        engine: &Engine,
        pipeline: Pipeline,
        options: JobOptions,
    ) -> Result<Self, BatchError> {
        let context = engine.context();
        let Pipeline { source, queries } = pipeline;
        let mut manifest = Manifest::new();
        let (mut plans, mut outputs, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for planned in queries {
            let name = planned.output.name.clone();
            texts.push(planned.query.sql.clone());
            manifest.queries.insert(name, planned.query);
            plans.push(planned.plan);
            outputs.push(planned.output);
        }
        let (rowwise, models) = loop {
            let before = pinned_models(engine, &plans)?;
            let rowwise = Rowwise::try_new(context, &source.name, plans.clone()).await;
            let rowwise = rowwise.map_err(|error| not_rowwise(error, &texts))?;
            // A model may have been replaced while the plan was made: then it is made again.
            if before == pinned_models(engine, &plans)? {
                break (rowwise, before);
            }
        };
        refuse_own_output(&source, &outputs)?;
        for (output, schema) in outputs.iter_mut().zip(rowwise.schemas()) {
            output.schema = Arc::clone(schema);
        }
        let state = context.state();
        let settings = state.config_options().extensions.get::<LexstreamConfig>();
        let settings = settings.map(|all| all.batch.clone()).unwrap_or_default();
        let units = unit::cut(&source, rowwise.columns(), &settings);
        manifest.models = models;
        manifest.settings = changed_settings(state.config_options());
        for table in rowwise.statics() {
            let (name, number) = (table.tables.join(", "), manifest.tables.len() + 1);
            let digest = table.digest.clone();
            manifest.tables.insert(format!("{number}: {name}"), digest);
        }
        let inputs = source.files.iter();
        manifest.inputs = inputs
            .map(|file| (file.path.clone(), file.state.clone()))
            .collect();
        Ok(Self {
            context: context.clone(),
            rowwise,
            source,
            outputs,
            units,
            manifest,
            settings,
            options,
        })
    }

    /// Returns a reader of its units.
    pub(crate) fn reader<'a>(&'a self, runtime: &'a Handle) -> UnitReader<'a> {
        let limits = ReadLimits {
            batch_bytes: self.settings.batch_bytes,
            longest_row: self.options.memory / ROW_FACTOR,
        };
        UnitReader::new(&self.context, &self.source, limits, runtime)
    }

    /// Returns the bytes that a writer of one output may hold for a worker.
    pub(crate) fn writer_bytes(&self) -> usize {
        self.options.memory / (16 * self.options.workers * self.outputs.len()).max(1)
    }

    /// Returns the bytes of a unit's open pages, where they count beside its batches.
    pub(crate) fn page_bytes(&self, unit: &Unit) -> usize {
        match unit.has_long_pages(self.settings.batch_bytes) {
            true => unit.page_bytes(),
            false => 0,
        }
    }

    /// Returns the session that the job's queries run in.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Makes the outputs' folders this job's, and says which of its units are finished.
    ///
    /// # Errors
    /// A folder holds another job, or files of somebody else, or can't be written.
    pub(crate) fn lease(&self, restart: bool) -> Result<JobLease, BatchError> {
        let mut locks = Vec::new();
        for output in &self.outputs {
            locks.push(output.lock(&self.manifest, restart)?);
        }
        Ok(JobLease {
            finished: self.finished()?,
            _locks: locks,
        })
    }

    /// Returns the names of the units that every output has.
    fn finished(&self) -> Result<HashSet<String>, BatchError> {
        let mut finished: Option<HashSet<String>> = None;
        for output in &self.outputs {
            let names: HashSet<_> = output.finished()?.into_iter().collect();
            finished = Some(match finished {
                None => names,
                Some(before) => before.intersection(&names).cloned().collect(),
            });
        }
        Ok(finished.unwrap_or_default())
    }

    /// Tells whether every output has a unit's file.
    pub(crate) fn is_finished(&self, unit: &Unit) -> bool {
        let mut outputs = self.outputs.iter();
        outputs.all(|output| output.part(&unit.name).exists())
    }

    /// Describes what would be done: sources, tables, models, units and plans.
    ///
    /// A folder that holds another job is refused, as [`Self::start`] refuses it, unless it is to begin anew.
    ///
    /// # Errors
    /// An output's folder holds another job, or can't be read.
    pub fn describe(&self, restart: bool) -> Result<String, BatchError> {
        /// Units that are listed.
        const LISTED: usize = 20;
        let mut out = format!(
            "input: {} ({} files, {} bytes)\n",
            self.source.name,
            self.source.files.len(),
            self.source
                .files
                .iter()
                .map(|file| file.state.bytes)
                .sum::<u64>()
        );
        for table in self.rowwise.statics() {
            out.push_str(&format!(
                "in memory: {} ({} rows)\n",
                table.tables.join(", "),
                table.rows
            ));
        }
        for (model, pinned) in &self.manifest.models {
            out.push_str(&format!("model: {model}@{}\n", pinned.version));
        }
        for (output, plan) in self.outputs.iter().zip(self.rowwise.plans()) {
            let (name, folder) = (&output.name, output.folder.display());
            out.push_str(&format!("output: {name} in {folder}\n"));
            plan.lines()
                .for_each(|line| out.push_str(&format!("    {line}\n")));
        }
        let folders_exist = self.outputs.iter().all(|output| output.folder.exists());
        if !restart {
            self.outputs
                .iter()
                .try_for_each(|output| output.compare(&self.manifest))?;
        }
        let finished = if folders_exist && !restart {
            self.finished()?
        } else {
            HashSet::new()
        };
        let done = self
            .units
            .iter()
            .filter(|unit| finished.contains(&unit.name));
        let (number, done) = (self.units.len(), done.count());
        out.push_str(&format!("units: {number}, of which {done} are finished\n"));
        for unit in self.units.iter().take(LISTED) {
            let location = unit.location(&self.source, None);
            let rows = match &unit.rows {
                UnitRows::OfGroup { rows, .. } => format!(", rows {}..{}", rows.start, rows.end),
                UnitRows::All => String::new(),
                UnitRows::Unreadable(why) => format!(", which can't be read: {why}"),
            };
            let done = if finished.contains(&unit.name) {
                " (finished)"
            } else {
                ""
            };
            out.push_str(&format!("    {}: {location}{rows}{done}\n", unit.name));
        }
        if number > LISTED {
            out.push_str(&format!("    {} more\n", number - LISTED));
        }
        Ok(out)
    }

    /// Returns the schema of each output's rows.
    pub fn schemas(
        &self,
    ) -> impl Iterator<Item = (&str, &datafusion::arrow::datatypes::SchemaRef)> {
        let outputs = self.outputs.iter();
        outputs.map(|output| (output.name.as_str(), &output.schema))
    }
}

/// A job whose folders are ours for as long as this lives.
pub(crate) struct JobLease {
    pub(crate) finished: HashSet<String>,
    _locks: Vec<File>,
}

fn pinned_models(
    engine: &Engine,
    plans: &[LogicalPlan],
) -> Result<BTreeMap<String, lexstream_engine::pinned::PinnedModel>, BatchError> {
    let mut models = BTreeMap::new();
    for plan in plans {
        models.extend(pinned::models(engine.context(), engine.models(), plan)?);
    }
    Ok(models)
}

/// Returns what is set otherwise than by default, as far as results may depend on it.
fn changed_settings(options: &ConfigOptions) -> BTreeMap<String, String> {
    let mut defaults = ConfigOptions::new();
    defaults.extensions.insert(LexstreamConfig::default());
    let defaults: BTreeMap<_, _> = defaults
        .entries()
        .into_iter()
        .map(|entry| (entry.key, entry.value))
        .collect();
    let changed = options.entries().into_iter().filter(|entry| {
        let matters = !NO_MATTER.iter().any(|prefix| entry.key.starts_with(prefix));
        matters && defaults.get(&entry.key) != Some(&entry.value)
    });
    changed
        .map(|entry| (entry.key, entry.value.unwrap_or_default()))
        .collect()
}

/// Refuses a job that would read what it writes.
fn refuse_own_output(source: &Source, outputs: &[OutputFolder]) -> Result<(), BatchError> {
    for output in outputs {
        if let Some(file) = source
            .files
            .iter()
            .find(|file| file.path.starts_with(&output.folder))
        {
            let reason = format!("its input {} lies in its output", file.path.display());
            return Err(BatchError::refused(&output.name, reason));
        }
    }
    Ok(())
}

/// Says of a query that is not row by row what does run it.
fn not_rowwise(error: RowwiseError, texts: &[String]) -> BatchError {
    const INSTEAD: &str = "COPY (…) TO '….parquet' in `lexstream sql` runs it";
    match error {
        RowwiseError::NotRowByRow { query, .. } => {
            BatchError::refused(&texts[query], format!("{error}; {INSTEAD}"))
        }
        RowwiseError::NotRead { query, .. } => {
            BatchError::refused(&texts[query], error.to_string())
        }
        other => BatchError::Query(other.into()),
    }
}
