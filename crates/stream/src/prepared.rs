//! A pipeline, planned: what it reads, what it runs and where its rows go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::parquet::file::metadata::KeyValue;
use lexstream_columns::model::{Model, Models};

use super::StreamError;
use super::files::RollLimits;
use super::folder::Folder;
use super::pipeline::Pipeline;
use super::run::Limits;
use super::script::{Planned, Query, Target, refused, topic};
use super::sink::Sink;
use lexstream_engine::Engine;
use lexstream_engine::config::{LexstreamConfig, StreamConfig};
use lexstream_engine::pinned::{self, PinnedModel};
use lexstream_engine::tables::ParquetFolder;
use lexstream_kafka::tables::{KafkaTable, RowReader, RowWriter};
use lexstream_kafka::{Topic, TopicOptions};
use lexstream_models::store::digest;
use lexstream_rowwise::{Rowwise, RowwiseError};

/// One pipeline, planned.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The table that it reads.
    pub(super) name: String,
    pub(super) source: Arc<TopicOptions>,
    pub(super) group: String,
    pub(super) to: To,
    pub(super) queries: Vec<String>,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) limits: Limits,
    /// The models that the queries use, pinned.
    pub(super) models: Vec<Arc<dyn Model>>,
}

/// Where a pipeline's rows go.
#[derive(Debug)]
pub(super) enum To {
    /// Topics, one a query.
    Topics(Vec<SinkOf>),
    /// Files, those of its one query.
    Folder(Box<Folder>, RollLimits),
}

/// A topic's table that a query writes.
#[derive(Debug)]
pub(super) struct SinkOf {
    pub(super) name: String,
    pub(super) options: Arc<TopicOptions>,
}

impl Prepared {
    /// Plans a pipeline; no topic is asked for yet.
    pub(super) async fn new(engine: &Engine, planned: Planned) -> Result<Self, StreamError> {
        let name = planned.name.to_string();
        let sql = planned.queries.first().map_or("", |query| &query.sql);
        let source = expect_topic(&planned.source, sql, &name)?;
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
        for query in &planned.queries {
            match &query.target {
                Target::Topic(table, inherits) => {
                    let table = expect_topic(table, &query.sql, &query.name)?;
                    let to = topic_written(query, table, &name, &options)?;
                    writers.push(Arc::new(Sink {
                        topic: to.to_owned(),
                        writer: RowWriter::try_new(&table.schema(), table.format())?,
                        inherits: *inherits,
                    }));
                    sinks.push(SinkOf {
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
                    interval: Duration::from_millis(settings.file_interval_ms),
                };
                let table = planned.queries.first().map_or("", |query| &query.name);
                (
                    To::Folder(Box::new(folder), limits),
                    format!("{group}-{table}"),
                )
            }
            None => (To::Topics(sinks), group),
        };
        let plans = planned
            .queries
            .iter()
            .map(|query| query.plan.clone())
            .collect();
        let rowwise = Rowwise::with_resets(
            engine.context(),
            &planned.name,
            plans,
            settings.plan_reset.max(1),
        )
        .await
        .map_err(|error| match error {
            RowwiseError::NotRowByRow { query, ref refusal } => {
                let sql = planned.queries.get(query).map_or(sql, |query| &query.sql);
                refused(sql, refusal.to_string())
            }
            other => StreamError::Query(other.into()),
        })?;
        let mut models = BTreeMap::new();
        for query in &planned.queries {
            models.extend(models_of(engine, query)?);
        }
        let models = models.into_iter().map(|(name, pinned)| {
            let opened = engine.models().open(&format!("{name}@{}", pinned.version));
            opened.map_err(|error| StreamError::Query(DataFusionError::External(error)))
        });
        let models = models.collect::<Result<_, _>>()?;
        let reader =
            RowReader::try_new(&planned.source.schema(), source.format(), rowwise.columns())?;
        Ok(Self {
            name,
            group,
            to,
            queries: planned.queries.into_iter().map(|query| query.sql).collect(),
            pipeline: Arc::new(Pipeline {
                reader,
                rowwise,
                sinks: writers,
                errors: options.dead_letters().clone(),
            }),
            limits: Limits {
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

    /// Returns what would be run.
    pub(super) fn describe(&self) -> String {
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
            To::Topics(sinks) => sinks
                .iter()
                .map(|sink| format!("{} ({})", sink.name, topic_name(sink.options.topic())))
                .collect(),
            To::Folder(folder, _) => vec![folder.folder.display().to_string()],
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

/// Returns the topic that a query writes, if that works in the transactions of its source.
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
    /// A few of the partitions that one process reads have as much.
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

pub(super) fn topic_name(topic: &Topic) -> &str {
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
