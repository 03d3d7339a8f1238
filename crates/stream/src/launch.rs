//! Runs a pipeline: asks the brokers, takes a name, makes the clients and hands over to the loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use rdkafka::config::ClientConfig;
use tokio::runtime::Handle;

use super::StreamError;
use super::clients::fit;
use super::control::Control;
use super::files::Files;
use super::flight::Score;
use super::folder::Folder;
use super::identity::Identity;
use super::job::StreamOptions;
use super::kafka_source::{KafkaSource, SourceOptions};
use super::kafka_steps::{KafkaOptions, KafkaSteps};
use super::prepared::{Prepared, To, topic_name};
use super::run::{LoopOptions, run};
use super::steps::Steps;
use super::taken::DeadLetters;
use super::transaction::Transacted;
use lexstream_kafka::{Cluster, Offsets, Partition, Topic, Transactions};

/// How long one question to a cluster may take.
const ASK: Duration = Duration::from_secs(10);

/// How long a topic that has just been made may not be told of yet.
const NEW: Duration = Duration::from_secs(1);

/// Bytes of a record, where librdkafka's `message.max.bytes` is not set.
const MAX_RECORD: usize = 1_000_000;

/// What the brokers say of a pipeline's topics.
struct Asked {
    /// The partitions that there are now.
    known: Vec<Partition>,
    /// Where they end, if the stream is to end there.
    until: Option<Offsets>,
    /// The bytes of the largest batch of records that every output takes, where it is told.
    largest_batch: Option<usize>,
}

impl Prepared {
    /// Runs the pipeline on the calling thread.
    pub(super) fn run<S: Steps>(
        self,
        options: &StreamOptions,
        control: Arc<Control>,
        runtime: Handle,
        wrap: impl FnOnce(KafkaSteps) -> S,
    ) -> Result<(), StreamError> {
        let mut consumer = self.consumer();
        let Asked {
            known,
            until,
            largest_batch,
        } = self.ask(&consumer, options.until_end, &runtime)?;
        let letters = self.source.dead_letters();
        let instance = match &options.instance {
            Some(name) => Identity::given(name),
            None => {
                let home = options.home.as_deref().ok_or(StreamError::NoHome)?;
                Identity::first_free(home, &self.group)?
            }
        };
        let identity = format!(
            "{}-{}-{}",
            self.source.transactional_id_prefix(),
            self.group,
            instance.name()
        );
        // By KIP-848's protocol the group refuses a member of a name that a dead one has.
        let is_refused = self.source.get("group.protocol") == Some("consumer");
        if !is_refused && !self.source.is_set("group.instance.id") {
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

    /// Asks the brokers about the topics; one that is missing is an error.
    fn ask(
        &self,
        consumer: &ClientConfig,
        until_end: bool,
        runtime: &Handle,
    ) -> Result<Asked, StreamError> {
        let cluster = Cluster::try_new(consumer, ASK)
            .map_err(StreamError::kafka("the client can't be made"))?;
        let partitions = |topic: &Topic, table: &str| {
            let began = Instant::now();
            loop {
                let partitions = cluster.partitions(topic).map_err(|error| {
                    let said = cluster.complaint().map(|said| format!("; {said}"));
                    let (brokers, said) = (self.source.brokers(), said.unwrap_or_default());
                    StreamError::kafka(format!("{table}: {brokers} can't be asked{said}"))(error)
                })?;
                if !partitions.is_empty() {
                    return Ok(partitions);
                }
                if began.elapsed() > NEW {
                    return Err(StreamError::NoTopic {
                        table: table.to_owned(),
                        topic: topic_name(topic).to_owned(),
                        brokers: self.source.brokers().to_owned(),
                    });
                }
                std::thread::sleep(NEW / 10);
            }
        };
        let known = partitions(self.source.topic(), &self.name)?;
        let letters = self.source.dead_letters();
        if let Some(topic) = &letters.topic {
            partitions(&Topic::Name(topic.clone()), &self.name)?;
        }
        let mut largest_batch = None;
        if let To::Topics(sinks) = &self.to {
            for sink in sinks {
                partitions(sink.options.topic(), &sink.name)?;
            }
            let topics = sinks.iter().map(|sink| topic_name(sink.options.topic()));
            let topics: Vec<_> = topics.chain(letters.topic.as_deref()).collect();
            let asked = runtime.block_on(cluster.largest_batch(&topics));
            // Whoever may not ask has records refused in company, each of which becomes a dead letter.
            largest_batch = asked.unwrap_or_else(|error| {
                tracing::info!(%error, "how large the topics' batches may be is not known");
                None
            });
        }
        let ends = until_end.then(|| cluster.ends(&known)).transpose();
        let until = ends.map_err(StreamError::kafka("the ends of the topics can't be read"))?;
        Ok(Asked {
            known,
            until,
            largest_batch,
        })
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
}
