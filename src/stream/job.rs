//! A stream: pipelines that are planned, and then run, each on a thread of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::parquet::file::metadata::KeyValue;
use futures::FutureExt;
use rdkafka::config::ClientConfig;
use tokio::runtime::Handle;

use super::StreamError;
use super::control::Control;
use super::files::{Files, RollLimits};
use super::flight::Score;
use super::folder::Folder;
use super::identity::Identity;
use super::kafka_source::{KafkaSource, SourceOptions};
use super::kafka_steps::{KafkaOptions, KafkaSteps};
use super::pipeline::Pipeline;
use super::run::{Limits, LoopOptions, run};
use super::script::{self, Planned, Query, Target, refused, topic};
use super::sink::Sink;
use super::steps::Steps;
use super::taken::DeadLetters;
use super::transaction::Transacted;
use crate::Engine;
use crate::config::{LexstreamConfig, StreamConfig};
use crate::kafka::{Cluster, Offsets, Start, Topic, TopicOptions, Transactions};
use crate::models::digest;
use crate::pinned;
use crate::rowwise::Rowwise;
use crate::tables::ParquetFolder;
use crate::tables::kafka::{KafkaTable, RowReader, RowWriter};

/// How long one question to a cluster may take.
const ASK: Duration = Duration::from_secs(10);

/// Bytes of a record, where librdkafka's `message.max.bytes` is not set.
const MAX_RECORD: usize = 1_000_000;

/// Bytes of a batch of records, where librdkafka's `batch.size` is not set.
const BATCH: usize = 1_000_000;

/// What the command line adds to a script.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// This process's name among those that run the same pipelines; without one, the first that is free in the home.
    pub instance: Option<String>,
    /// Whether the stream ends at what is the end of its topics at the start.
    pub until_end: bool,
    /// Where names are held.
    pub home: PathBuf,
}

/// Pipelines, planned.
#[derive(Debug)]
pub struct Stream {
    pipelines: Vec<Prepared>,
    options: StreamOptions,
}

/// One pipeline, planned.
#[derive(Debug)]
struct Prepared {
    /// The table that it reads.
    name: String,
    source: Arc<TopicOptions>,
    group: String,
    to: To,
    queries: Vec<String>,
    pipeline: Arc<Pipeline>,
    limits: Limits,
}

/// Where a pipeline's rows go.
#[derive(Debug)]
enum To {
    /// Topics, one a query.
    Topics(Vec<SinkOf>),
    /// Files, those of its one query.
    Folder(Box<Folder>, RollLimits),
}

/// A topic's table that a query writes.
#[derive(Debug)]
struct SinkOf {
    name: String,
    options: Arc<TopicOptions>,
}

/// A pipeline that runs.
#[derive(Debug)]
pub struct Running {
    /// The table that it reads.
    pub name: String,
    /// How it is watched and stopped.
    pub control: Arc<Control>,
    thread: JoinHandle<Result<(), StreamError>>,
}

impl Running {
    /// Tells whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end.
    pub fn join(self) -> Result<(), StreamError> {
        match self.thread.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Stream {
    /// Runs the statements of a script that define, and plans its INSERTs; no topic is asked for yet.
    pub async fn of_script(
        engine: &Engine,
        sql: &str,
        options: StreamOptions,
    ) -> Result<Self, StreamError> {
        let mut pipelines = Vec::new();
        for planned in script::plan(engine, sql).await? {
            pipelines.push(Prepared::new(engine, planned).await?);
        }
        Ok(Self { pipelines, options })
    }

    /// Returns what would be run.
    pub fn describe(&self) -> String {
        self.pipelines.iter().map(Prepared::describe).collect()
    }

    /// Begins to run the pipelines; rows are computed on `runtime`.
    pub fn start(self, runtime: &Handle) -> Result<Vec<Running>, StreamError> {
        self.start_with(runtime, |steps| steps)
    }

    /// Begins to run the pipelines, those between topics by other steps, made out of the right ones: such as break a
    /// rule, or end the process at one.
    pub fn start_with<S: Steps>(
        self,
        runtime: &Handle,
        wrap: impl Fn(KafkaSteps) -> S + Clone + Send + 'static,
    ) -> Result<Vec<Running>, StreamError> {
        let Self { pipelines, options } = self;
        let started = pipelines.into_iter().map(|pipeline| {
            let control = Arc::new(Control::default());
            let name = pipeline.name.clone();
            let thread = std::thread::Builder::new().name(format!("stream-{name}"));
            let (runtime, options) = (runtime.clone(), options.clone());
            let (shared, wrap) = (Arc::clone(&control), wrap.clone());
            let thread = thread.spawn(move || pipeline.run(&options, shared, runtime, wrap));
            let thread = thread.map_err(|source| StreamError::Io {
                action: "start",
                path: PathBuf::from("a thread"),
                source,
            })?;
            Ok(Running {
                name,
                control,
                thread,
            })
        });
        started.collect()
    }
}

/// Has a producer make batches that topics take: one that is refused is refused with every record in it.
fn fit(producer: &mut ClientConfig, bytes: usize) {
    let present = producer
        .get("batch.size")
        .and_then(|size| size.parse().ok());
    if bytes < present.unwrap_or(BATCH) {
        producer.set("batch.size", bytes.to_string());
    }
}

impl Prepared {
    async fn new(engine: &Engine, planned: Planned) -> Result<Self, StreamError> {
        let name = planned.name.to_string();
        let first = planned
            .queries
            .first()
            .map_or("", |query| query.sql.as_str());
        let (sql, source) = (
            first.to_owned(),
            expect_topic(&planned.source, first, &name)?,
        );
        let options = Arc::clone(source.options());
        let Some(group) = options.group().map(str::to_owned) else {
            let reason =
                format!("`{name}` needs the option 'group.id', under which its offsets are kept");
            return Err(refused(&sql, reason));
        };
        if let Some(level) = options
            .get("isolation.level")
            .filter(|level| *level != "read_committed")
        {
            let reason = format!(
                "`{name}` has 'isolation.level' = '{level}'; a stream reads committed messages"
            );
            return Err(refused(&sql, reason));
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
            crate::rowwise::RowwiseError::NotRowByRow { query, ref refusal } => {
                let sql = planned
                    .queries
                    .get(query)
                    .map_or(sql.as_str(), |query| query.sql.as_str());
                refused(sql, refusal.to_string())
            }
            other => StreamError::Query(other.into()),
        })?;
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
        })
    }

    fn describe(&self) -> String {
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

    /// Runs the pipeline on the calling thread.
    fn run<S: Steps>(
        self,
        options: &StreamOptions,
        control: Arc<Control>,
        runtime: Handle,
        wrap: impl FnOnce(KafkaSteps) -> S,
    ) -> Result<(), StreamError> {
        let mut consumer = self.consumer();
        let cluster = Cluster::try_new(&consumer, ASK)
            .map_err(StreamError::kafka("the client can't be made"))?;
        let ask = |topic: &Topic, table: &str| {
            let partitions = cluster.partitions(topic).map_err(|error| {
                let said = cluster.complaint().map(|said| format!("; {said}"));
                let (brokers, said) = (self.source.brokers(), said.unwrap_or_default());
                StreamError::kafka(format!("{table}: {brokers} can't be asked{said}"))(error)
            })?;
            if partitions.is_empty() {
                return Err(StreamError::NoTopic {
                    table: table.to_owned(),
                    topic: topic_name(topic).to_owned(),
                    brokers: self.source.brokers().to_owned(),
                });
            }
            Ok(partitions)
        };
        let known = ask(self.source.topic(), &self.name)?;
        if let To::Topics(sinks) = &self.to {
            for sink in sinks {
                ask(sink.options.topic(), &sink.name)?;
            }
        }
        let letters = self.source.dead_letters();
        if let Some(topic) = &letters.topic {
            ask(&Topic::Name(topic.clone()), &self.name)?;
        }
        let until = match options.until_end {
            true => Some(
                cluster
                    .ends(&known)
                    .map_err(StreamError::kafka("the ends of the topics can't be read"))?,
            ),
            false => None,
        };
        let largest_batch = match &self.to {
            To::Topics(sinks) => {
                let topics = sinks.iter().map(|sink| topic_name(sink.options.topic()));
                let topics: Vec<_> = topics.chain(letters.topic.as_deref()).collect();
                let asked = runtime.block_on(cluster.largest_batch(&topics));
                // Whoever may not ask has records refused in company, each of which becomes a dead letter.
                asked.unwrap_or_else(|error| {
                    tracing::info!(%error, "how large the topics' batches may be is not known");
                    None
                })
            }
            To::Folder(..) => None,
        };
        drop(cluster);
        let instance = match &options.instance {
            Some(name) => Identity::given(name),
            None => Identity::first_free(&options.home, &self.group)?,
        };
        let identity = format!(
            "{}-{}-{}",
            self.source.transactional_id_prefix(),
            self.group,
            instance.name()
        );
        if !self.source.is_set("group.instance.id") {
            // A process that is killed and started again takes its place in the group at once (KIP-345), as its producer
            // does; others would wait for its session to end.
            consumer.set("group.instance.id", &identity);
        }
        let source = SourceOptions {
            consumer,
            topics: vec![topic_name(self.source.topic()).to_owned()],
            start: self.start(),
            known,
        };
        tracing::info!(table = %self.name, group = %self.group, %identity, "the pipeline begins");
        let dead_letters = letters.topic.as_ref().map(|topic| DeadLetters {
            topic: topic.clone(),
            has_context: letters.headers,
        });
        let ended = match &self.to {
            To::Topics(sinks) => {
                let mut producer = self.producer(sinks, &identity)?;
                if let Some(bytes) = largest_batch {
                    fit(&mut producer, bytes);
                }
                let max_record = producer.get("message.max.bytes");
                let max_record = max_record.and_then(|bytes| bytes.parse().ok());
                let kafka = KafkaOptions {
                    source,
                    producer,
                    max_record: max_record.unwrap_or(MAX_RECORD),
                    identity,
                };
                let steps = wrap(KafkaSteps::try_new(kafka, Arc::clone(&control))?);
                let shared = Arc::clone(&control);
                let delivery = Transacted::new(steps, shared, letters.tolerate, dead_letters);
                let pipeline = Arc::clone(&self.pipeline);
                let score = move |messages| {
                    let pipeline = Arc::clone(&pipeline);
                    async move { pipeline.score(messages).await }.boxed()
                };
                run(
                    delivery,
                    self.options(Box::new(score), runtime, control, until),
                )
            }
            To::Folder(folder, limits) => {
                let letters = dead_letters.map(|letters| {
                    let producer = Transactions::try_new(&self.source.producer(), ASK)
                        .map_err(StreamError::kafka("the producer can't be made"))?;
                    Ok::<_, StreamError>((producer, letters))
                });
                let source = KafkaSource::try_new(source, Arc::clone(&control))?;
                let shared = Arc::clone(&control);
                let (folder, limits) = (Folder::clone(folder), limits.clone());
                let delivery = Files::new(source, folder, limits, letters.transpose()?, shared)?;
                let pipeline = Arc::clone(&self.pipeline);
                let score = move |messages| {
                    let pipeline = Arc::clone(&pipeline);
                    async move { pipeline.score_rows(messages).await }.boxed()
                };
                run(
                    delivery,
                    self.options(Box::new(score), runtime, control, until),
                )
            }
        };
        // The name is this process's until the last transaction has ended.
        drop(instance);
        ended
    }

    fn options<B>(
        &self,
        score: Score<B>,
        runtime: Handle,
        control: Arc<Control>,
        until: Option<Offsets>,
    ) -> LoopOptions<B> {
        let letters = self.source.dead_letters();
        LoopOptions {
            limits: self.limits.clone(),
            score,
            runtime,
            control,
            tolerates: letters.tolerate,
            dead_letter_rate: letters.max_rate,
            until,
        }
    }

    fn consumer(&self) -> ClientConfig {
        let mut config = self.source.consumer();
        config.set("group.id", &self.group);
        for (key, value) in [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            ("isolation.level", "read_committed"),
        ] {
            config.set(key, value);
        }
        for (key, value) in [
            // Where a group begins is decided here; an offset that is gone is not passed over.
            ("auto.offset.reset", "error"),
            // The lag is told of.
            ("statistics.interval.ms", "1000"),
            // Partitions that are added are seen by then.
            ("topic.metadata.refresh.interval.ms", "10000"),
        ] {
            if !self.source.is_set(key) {
                config.set(key, value);
            }
        }
        config
    }

    /// Puts the options of the source and of the sinks together.
    fn producer(&self, sinks: &[SinkOf], identity: &str) -> Result<ClientConfig, StreamError> {
        let mut config = self.source.producer();
        let mut named: BTreeMap<String, &str> = BTreeMap::new();
        for sink in sinks {
            let of_sink = sink.options.producer();
            for (key, value) in of_sink.config_map() {
                let is_set = sink.options.is_set(key) && self.source.get(key) != Some(value);
                if !is_set {
                    continue;
                }
                let is_other = config.get(key).is_some_and(|known| known != value);
                let by_source = self.source.is_set(key).then_some(self.name.as_str());
                if let Some(other) = named.get(key).copied().or(by_source)
                    && is_other
                {
                    let reason = format!(
                        "`{other}` and `{}` have different values of '{key}', and share one producer",
                        sink.name
                    );
                    return Err(refused(
                        self.queries.first().map_or("", String::as_str),
                        reason,
                    ));
                }
                named.insert((*key).to_owned(), &sink.name);
                config.set(key, value);
            }
        }
        config.set("transactional.id", identity);
        config.set("delivery.report.only.error", "true");
        if config.get("transaction.timeout.ms").is_none() {
            config.set("transaction.timeout.ms", "30000");
        }
        let has_timeout = ["message.timeout.ms", "delivery.timeout.ms"]
            .iter()
            .any(|key| config.get(key).is_some());
        if !has_timeout && let Some(timeout) = config.get("transaction.timeout.ms") {
            let timeout = timeout.to_owned();
            config.set("message.timeout.ms", timeout);
        }
        Ok(config)
    }

    /// Returns where partitions are read from that the group has no offset of.
    fn start(&self) -> Start {
        let says_latest = matches!(
            self.source.get("auto.offset.reset"),
            Some("latest" | "largest" | "end")
        );
        match self.source.start() {
            Start::Earliest if says_latest && !self.source.is_set("start") => Start::Latest,
            start => start.clone(),
        }
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

/// Returns how the files of a query are written.
fn folder_written(
    engine: &Engine,
    query: &Query,
    to: &ParquetFolder,
) -> Result<Folder, StreamError> {
    /// A few of the partitions that one process reads have as much.
    const MOST_HELD: usize = 32 << 20;
    let models = pinned::models(engine.context(), engine.models(), &query.plan);
    let models =
        models.map_err(|error| StreamError::Query(DataFusionError::External(error.into())))?;
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

fn topic_name(topic: &Topic) -> &str {
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
