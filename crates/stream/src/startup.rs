//! Starts a pipeline: asks the brokers, takes a name, makes the clients and runs the loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use tokio::runtime::Handle;

use super::StreamError;
use super::batch::DeadLetterTarget;
use super::delivery::{FileDelivery, TransactionOptions, TransactionalDelivery};
use super::identity::Identity;
use super::job::StreamOptions;
use super::metrics::Control;
use super::plan::{Destination, PipelinePlan, fit_batches, topic_name};
use super::runner::{LoopOptions, Process, run};
use super::source::{KafkaSource, Source, SourceOptions};
use lexstream_kafka::{
    Cluster, KafkaProducer, Offsets, Partition, Topic, TransactionError, TransactionalProducer,
};

/// How long one call to a cluster may take.
const CALL: Duration = Duration::from_secs(10);

/// How long a topic that was just made may be missing from metadata.
const NEW: Duration = Duration::from_secs(1);

/// Bytes of a record, where librdkafka's `message.max.bytes` is not set.
const MAX_RECORD: usize = 1_000_000;

/// What the brokers say of a pipeline's topics.
struct TopicFacts {
    /// The source's partitions.
    known: Vec<Partition>,
    /// Where they end, if the stream is to end there.
    until: Option<Offsets>,
    /// The bytes of the largest batch of records that all outputs accept, where brokers say.
    largest_batch: Option<usize>,
}

impl PipelinePlan {
    /// Runs the pipeline on the calling thread; `wrap` decorates the clients of one between topics.
    ///
    /// # Errors
    /// Where it can't start, or stops for another reason than its end.
    pub(crate) fn run<S: Source, P: TransactionalProducer>(
        self,
        options: &StreamOptions,
        control: Arc<Control>,
        runtime: Handle,
        wrap: impl FnOnce(KafkaSource, KafkaProducer) -> (S, P),
    ) -> Result<(), StreamError> {
        let mut consumer = self.consumer();
        let TopicFacts {
            known,
            until,
            largest_batch,
        } = self.ask(&consumer, options.until_end, &runtime)?;
        // The name is this process's until the last transaction has ended.
        let (instance, id) = self.identity(options)?;
        // By KIP-848's protocol the group refuses a member of a name that a dead one has.
        let is_refused = self.source.get("group.protocol") == Some("consumer");
        if !is_refused && !self.source.is_set("group.instance.id") {
            // A process that is killed and restarted takes its place in the group at once (KIP-345), as its producer
            // does; others would wait for its session to end.
            consumer.set("group.instance.id", &id);
        }
        tracing::info!(table = %self.name, group = %self.group, identity = %id, "the pipeline starts");
        let source = SourceOptions {
            consumer,
            topics: vec![topic_name(self.source.topic()).to_owned()],
            start: self.start(),
            known,
        };
        let source = || KafkaSource::try_new(source, Arc::clone(&control));
        let letters = self.source.dead_letters();
        let dead_letters = letters.topic.clone().map(|topic| DeadLetterTarget {
            topic,
            has_context: letters.headers,
        });
        let pipeline = Arc::clone(&self.pipeline);
        let ended = match &self.to {
            Destination::Topics(sinks) => {
                let mut config = self.producer(sinks, &id)?;
                if let Some(bytes) = largest_batch {
                    fit_batches(&mut config, bytes);
                }
                let max_record = config.get("message.max.bytes");
                let max_record = max_record.and_then(|bytes| bytes.parse().ok());
                let transactions = TransactionOptions {
                    max_record: max_record.unwrap_or(MAX_RECORD),
                    tolerates: letters.tolerate,
                    dead_letters,
                    id,
                };
                let producer = KafkaProducer::transactional(config, CALL);
                let producer = producer.map_err(|error| producer_error(error, &transactions.id))?;
                let (source, producer) = wrap(source()?, producer);
                let delivery =
                    TransactionalDelivery::new(producer, transactions, Arc::clone(&control));
                let process = move |messages| {
                    let pipeline = Arc::clone(&pipeline);
                    async move { pipeline.process_to_records(messages).await }.boxed()
                };
                let options = self.options(Box::new(process), runtime, control, until);
                run(source, delivery, options)
            }
            Destination::Folder(folder, limits) => {
                let dead_letters = dead_letters.map(|target| {
                    let producer = KafkaProducer::plain(self.source.producer(), CALL)
                        .map_err(StreamError::kafka("the producer can't be made"))?;
                    Ok::<_, StreamError>((producer, target))
                });
                let delivery = FileDelivery::try_new(
                    (**folder).clone(),
                    limits.clone(),
                    dead_letters.transpose()?,
                    Arc::clone(&control),
                )?;
                let source = source()?;
                let process = move |messages| {
                    let pipeline = Arc::clone(&pipeline);
                    async move { pipeline.process_to_rows(messages).await }.boxed()
                };
                let options = self.options(Box::new(process), runtime, control, until);
                run(source, delivery, options)
            }
        };
        drop(instance);
        ended
    }

    /// Takes this process's name; returns it with what the clients are called after it.
    fn identity(&self, options: &StreamOptions) -> Result<(Identity, String), StreamError> {
        let instance = match &options.instance {
            Some(name) => Identity::given(name),
            None => {
                let home = options.home.as_deref().ok_or(StreamError::NoHome)?;
                Identity::first_free(home, &self.group)?
            }
        };
        let prefix = self.source.transactional_id_prefix();
        let id = format!("{prefix}-{}-{}", self.group, instance.name());
        Ok((instance, id))
    }

    /// Asks the brokers about the topics.
    ///
    /// # Errors
    /// Where one is missing, or brokers don't answer.
    fn ask(
        &self,
        consumer: &ClientConfig,
        until_end: bool,
        runtime: &Handle,
    ) -> Result<TopicFacts, StreamError> {
        let cluster = Cluster::try_new(consumer, CALL)
            .map_err(StreamError::kafka("the client can't be made"))?;
        let partitions = |topic: &Topic, table: &str| {
            let began = Instant::now();
            loop {
                let partitions = cluster.partitions(topic).map_err(|error| {
                    let said = cluster.reported_error().map(|said| format!("; {said}"));
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
        if let Destination::Topics(sinks) = &self.to {
            for sink in sinks {
                partitions(sink.options.topic(), &sink.name)?;
            }
            let topics = sinks.iter().map(|sink| topic_name(sink.options.topic()));
            let topics: Vec<_> = topics.chain(letters.topic.as_deref()).collect();
            let asked = runtime.block_on(cluster.largest_batch(&topics));
            // Whoever may not ask has records refused in company, each of which becomes a dead letter.
            largest_batch = asked.unwrap_or_else(|error| {
                tracing::info!(%error, "the topics' max.message.bytes is unknown");
                None
            });
        }
        let ends = until_end.then(|| cluster.ends(&known)).transpose();
        let until = ends.map_err(StreamError::kafka("the ends of the topics can't be read"))?;
        Ok(TopicFacts {
            known,
            until,
            largest_batch,
        })
    }

    fn options<B>(
        &self,
        process: Process<B>,
        runtime: Handle,
        control: Arc<Control>,
        until: Option<Offsets>,
    ) -> LoopOptions<B> {
        let letters = self.source.dead_letters();
        LoopOptions {
            limits: self.limits.clone(),
            process,
            runtime,
            control,
            tolerates: letters.tolerate,
            dead_letter_rate: letters.max_rate,
            until,
        }
    }
}

/// Returns the error of a producer that can't begin.
fn producer_error(error: TransactionError, id: &str) -> StreamError {
    let source = match error {
        TransactionError::Fenced(source) => {
            return StreamError::Fenced {
                option: "transactional.id",
                id: id.to_owned(),
                source,
            };
        }
        TransactionError::Abort(error)
        | TransactionError::Fatal(error)
        | TransactionError::Unknown(error) => error,
        TransactionError::Refused(_) => KafkaError::Canceled,
    };
    StreamError::kafka("the producer can't begin")(source)
}
