//! The plan of a pipeline: source, queries, destination.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::parquet::file::metadata::KeyValue;
use lexstream_columns::model::{Model, Models};

use super::script::{Inserts, Query, Target, refused, topic};
use super::sink::Sink;
use crate::StreamError;
use crate::delivery::{Folder, RollLimits};
use crate::pipeline::Pipeline;
use crate::runner::FlowLimits;
use lexstream_engine::Engine;
use lexstream_engine::config::{LexstreamConfig, StreamConfig};
use lexstream_engine::pinned::{self, PinnedModel};
use lexstream_engine::tables::ParquetFolder;
use lexstream_kafka::tables::{KafkaTable, RowReader, RowWriter};
use lexstream_kafka::{Topic, TopicOptions};
use lexstream_models::store::digest;
use lexstream_rowwise::{Rowwise, RowwiseError};

/// The plan of a pipeline: source, queries, destination.
#[derive(Debug)]
pub(crate) struct PipelinePlan {
    /// The table that it reads.
    pub(crate) name: String,
    pub(crate) source: Arc<TopicOptions>,
    pub(crate) group: String,
    pub(crate) to: Destination,
    pub(crate) queries: Vec<String>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) limits: FlowLimits,
    /// The models that the queries use, pinned.
    pub(crate) models: Vec<Arc<dyn Model>>,
}

/// Where a pipeline's rows go.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Topics, one a query.
    Topics(Vec<SinkTable>),
    /// Files, those of its one query.
    Folder(Box<Folder>, RollLimits),
}

/// A topic's table that a query writes.
#[derive(Debug)]
pub(crate) struct SinkTable {
    pub(crate) name: String,
    pub(crate) options: Arc<TopicOptions>,
}

impl PipelinePlan {
    /// Plans a pipeline; no broker is asked yet.
    ///
    /// # Errors
    /// Where a query can't run row by row, or options contradict what a stream promises.
    pub(crate) async fn new(engine: &Engine, inserts: Inserts) -> Result<Self, StreamError> {
        let name = inserts.name.to_string();
        let sql = inserts.queries.first().map_or("", |query| &query.sql);
        let source = expect_topic(&inserts.source, sql, &name)?;
        let options = Arc::clone(source.options());
        let Some(group) = options.group().map(str::to_owned) else {
            let reason =
                format!("`{name}` needs the option 'group.id', under which its offsets are kept");
            return Err(refused(sql, reason));
        };
        if let Some(level) = options
            .get("isolation.level")
            .filter(|level| *level != "read_committed")
        {
            let reason = format!(
                "`{name}` has 'isolation.level' = '{level}'; a stream reads committed messages"
            );
            return Err(refused(sql, reason));
        }
        let settings = settings(engine);
        let mut sinks = Vec::new();
        let mut writers = Vec::new();
        let mut folder = None;
        for query in &inserts.queries {
            match &query.target {
                Target::Topic(table, inherits) => {
                    let table = expect_topic(table, &query.sql, &query.name)?;
                    let to = topic_written(query, table, &name, &options)?;
                    writers.push(Arc::new(Sink {
                        topic: to.to_owned(),
                        writer: RowWriter::try_new(&table.schema(), table.format())?,
                        inherits: *inherits,
                    }));
                    sinks.push(SinkTable {
                        name: query.name.clone(),
                        options: Arc::clone(table.options()),
                    });
                }
                Target::Folder(to) => folder = Some(folder_written(engine, query, to)?),
            }
        }
        let (to, group) = match folder {
            Some(folder) => {
                let limits = RollLimits {
                    rows: settings.file_rows.max(1) as u64,
                    bytes: settings.file_bytes.max(1),
                };
                let table = inserts.queries.first().map_or("", |query| &query.name);
                (
                    Destination::Folder(Box::new(folder), limits),
                    format!("{group}-{table}"),
                )
            }
            None => (Destination::Topics(sinks), group),
        };
        let plans = inserts
            .queries
            .iter()
            .map(|query| query.plan.clone())
            .collect();
        let rowwise = Rowwise::with_resets(
            engine.context(),
            &inserts.name,
            plans,
            settings.plan_reset.max(1),
        )
        .await
        .map_err(|error| match error {
            RowwiseError::NotRowByRow { query, ref refusal } => {
                let sql = inserts.queries.get(query).map_or(sql, |query| &query.sql);
                refused(sql, refusal.to_string())
            }
            other => StreamError::Query(other.into()),
        })?;
        let mut models = BTreeMap::new();
        for query in &inserts.queries {
            models.extend(models_of(engine, query)?);
        }
        let models = models.into_iter().map(|(name, pinned)| {
            let opened = engine.models().open(&format!("{name}@{}", pinned.version));
            opened.map_err(|error| StreamError::Query(DataFusionError::External(error)))
        });
        let models = models.collect::<Result<_, _>>()?;
        let reader =
            RowReader::try_new(&inserts.source.schema(), source.format(), rowwise.columns())?;
        Ok(Self {
            name,
            group,
            to,
            queries: inserts.queries.into_iter().map(|query| query.sql).collect(),
            pipeline: Arc::new(Pipeline {
                reader,
                rowwise,
                sinks: writers,
                errors: options.dead_letters().clone(),
            }),
            limits: FlowLimits {
                flush_interval: Duration::from_millis(settings.file_interval_ms),
                batch_messages: settings.batch_rows.max(1),
                batch_bytes: settings.batch_bytes.max(1),
                linger: Duration::from_millis(settings.linger_ms),
                batches_in_flight: settings.batches_in_flight.max(1),
                buffer_bytes: settings.buffer_bytes.max(1),
            },
            source: options,
            models,
        })
    }

    /// Describes the pipeline and the plans of its queries.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!(
            "pipeline of {}: {} at {}, group {}\n",
            self.name,
            topic_name(self.source.topic()),
            self.source.brokers(),
            self.group
        );
        if let Some(letters) = &self.source.dead_letters().topic {
            text.push_str(&format!("  messages that fail: {letters}\n"));
        }
        let plans = self.pipeline.rowwise.plans();
        let into: Vec<String> = match &self.to {
            Destination::Topics(sinks) => sinks
                .iter()
                .map(|sink| format!("{} ({})", sink.name, topic_name(sink.options.topic())))
                .collect(),
            Destination::Folder(folder, _) => vec![folder.folder.display().to_string()],
        };
        for ((query, into), plan) in self.queries.iter().zip(into).zip(plans) {
            text.push_str(&format!("  into {into}: {query}\n"));
            for line in plan.lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
        text
    }
}

/// Returns the topic that a query writes, if a transaction of its source can.
fn topic_written<'a>(
    query: &Query,
    table: &'a KafkaTable,
    source: &str,
    of_source: &TopicOptions,
) -> Result<&'a str, StreamError> {
    let options = table.options();
    let Topic::Name(to) = options.topic() else {
        let reason = format!(
            "`{}` is a pattern of topics, which can't be written",
            query.name
        );
        return Err(refused(&query.sql, reason));
    };
    if options.brokers() != of_source.brokers() {
        let reason = format!(
            "`{}` is at {} and `{source}` at {}; a transaction holds in one cluster only",
            query.name,
            options.brokers(),
            of_source.brokers()
        );
        return Err(refused(&query.sql, reason));
    }
    if options.topic() == of_source.topic() {
        let reason = format!("it reads and writes the topic `{to}`, and would never end");
        return Err(refused(&query.sql, reason));
    }
    Ok(to)
}

/// Returns the models that a query uses, by name.
fn models_of(engine: &Engine, query: &Query) -> Result<BTreeMap<String, PinnedModel>, StreamError> {
    let models = pinned::models(engine.context(), engine.models(), &query.plan);
    models.map_err(|error| StreamError::Query(DataFusionError::External(error.into())))
}

/// Returns how the files of a query are written.
fn folder_written(
    engine: &Engine,
    query: &Query,
    to: &ParquetFolder,
) -> Result<Folder, StreamError> {
    /// Bytes, for each of a process's partitions.
    const MOST_HELD: usize = 32 << 20;
    let models = models_of(engine, query)?;
    let models: serde_json::Map<_, _> = models
        .into_iter()
        .map(|(name, pinned)| (format!("{name}@{}", pinned.version), pinned.digest.into()))
        .collect();
    let about = [
        ("query", digest::of(query.sql.as_bytes())),
        ("models", serde_json::Value::Object(models).to_string()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let about = about.map(|(key, value)| KeyValue::new(format!("lexstream.{key}"), value));
    Ok(Folder {
        folder: to.folder.clone(),
        schema: Arc::clone(&to.schema),
        options: to.options.clone(),
        about: about.to_vec(),
        most_held: MOST_HELD,
    })
}

fn expect_topic<'a>(
    table: &'a Arc<dyn TableProvider>,
    sql: &str,
    name: &str,
) -> Result<&'a KafkaTable, StreamError> {
    topic(table).ok_or_else(|| refused(sql, format!("`{name}` is no topic")))
}

pub(crate) fn topic_name(topic: &Topic) -> &str {
    match topic {
        Topic::Name(name) | Topic::Pattern(name) => name,
    }
}

fn settings(engine: &Engine) -> StreamConfig {
    let state = engine.context().state();
    let extensions = &state.config_options().extensions;
    extensions
        .get::<LexstreamConfig>()
        .map_or_else(StreamConfig::default, |config| config.stream.clone())
}
