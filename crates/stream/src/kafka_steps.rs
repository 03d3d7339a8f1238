//! The steps of the loop between topics, by librdkafka.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;

use super::StreamError;
use super::control::Control;
use super::delivery::{Meanwhile, Position, Source};
use super::kafka_source::{CALL, KafkaSource, SourceOptions};
use super::steps::Steps;
use lexstream_kafka::{
    Messages, Offsets, Partition, Polled, Record, TransactionError, Transactions, drop_apart,
};

/// What a pipeline between topics needs of Kafka.
#[derive(Debug)]
pub struct KafkaOptions {
    /// How the topic is read.
    pub source: SourceOptions,
    /// How the producer is made; it holds secrets.
    pub producer: ClientConfig,
    /// The name that only one living producer has.
    pub identity: String,
    /// The bytes of the largest record that may be sent.
    pub max_record: usize,
}

/// The steps, by a consumer and a transactional producer.
#[derive(Debug)]
pub struct KafkaSteps {
    source: KafkaSource,
    config: ClientConfig,
    identity: String,
    max_record: usize,
    /// None while a new one can't be made.
    producer: Option<Transactions>,
}

impl KafkaSteps {
    /// Makes the clients, fences older producers of the same name and joins the group.
    pub fn try_new(options: KafkaOptions, control: Arc<Control>) -> Result<Self, StreamError> {
        let KafkaOptions {
            source,
            producer: config,
            identity,
            max_record,
        } = options;
        let producer = started(&config).map_err(|error| of_producer(error, &identity))?;
        Ok(Self {
            source: KafkaSource::try_new(source, control)?,
            producer: Some(producer),
            config,
            identity,
            max_record,
        })
    }

    fn producer(&self) -> Result<&Transactions, TransactionError> {
        let unknown = TransactionError::Unknown(KafkaError::Canceled);
        self.producer.as_ref().ok_or(unknown)
    }

    /// Makes a call that waits for Kafka on a thread of its own, and has the loop read on meanwhile.
    fn apart(
        &mut self,
        meanwhile: Meanwhile<'_>,
        call: impl FnOnce(&Transactions) -> Result<(), TransactionError> + Send,
    ) -> Result<(), TransactionError> {
        let Self {
            source, producer, ..
        } = self;
        let unknown = TransactionError::Unknown(KafkaError::Canceled);
        let producer = producer.as_ref().ok_or(unknown)?;
        let (is_over, waiting) = (&AtomicBool::new(false), std::thread::current());
        std::thread::scope(|scope| {
            let calling = scope.spawn(move || {
                let outcome = call(producer);
                is_over.store(true, Ordering::Release);
                waiting.unpark();
                outcome
            });
            while !is_over.load(Ordering::Acquire) && !calling.is_finished() {
                let pause = meanwhile(source);
                if !is_over.load(Ordering::Acquire) {
                    std::thread::park_timeout(pause);
                }
            }
            let outcome = calling.join();
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Source for KafkaSteps {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        self.source.poll(messages)
    }

    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        self.source.starts(partitions)
    }

    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.source.assign(offsets)
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.source.unassign(partitions)
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.source.pause(partitions)
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.source.resume(partitions)
    }

    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.source.seek(offsets)
    }

    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError> {
        self.source.is_at_end(partition, offset)
    }
}

impl Steps for KafkaSteps {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.producer()?.begin()
    }

    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError> {
        self.producer()?.send(record, number)
    }

    fn send_offsets(
        &mut self,
        offsets: &Offsets,
        meanwhile: Meanwhile<'_>,
    ) -> Result<(), TransactionError> {
        let Some(member) = self.source.consumer().group_metadata() else {
            return Err(TransactionError::Abort(KafkaError::Canceled));
        };
        self.apart(meanwhile, |producer| {
            producer.send_offsets(offsets, &member)
        })
    }

    fn commit(&mut self, meanwhile: Meanwhile<'_>) -> Result<(), TransactionError> {
        self.apart(meanwhile, Transactions::commit)
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.producer()?.abort()
    }

    fn renew(&mut self) -> Result<(), TransactionError> {
        if let Some(old) = self.producer.take() {
            drop_apart(old);
        }
        self.producer = Some(started(&self.config)?);
        Ok(())
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn max_record(&self) -> usize {
        self.max_record
    }
}

impl Drop for KafkaSteps {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            drop_apart(producer);
        }
    }
}

fn started(config: &ClientConfig) -> Result<Transactions, TransactionError> {
    let producer = Transactions::try_new(config, CALL).map_err(TransactionError::Fatal)?;
    match producer.init() {
        Ok(()) => Ok(producer),
        Err(error) => {
            drop_apart(producer);
            Err(error)
        }
    }
}

fn of_producer(error: TransactionError, identity: &str) -> StreamError {
    match error {
        TransactionError::Fenced(source) => StreamError::Fenced {
            option: "transactional.id",
            id: identity.to_owned(),
            source,
        },
        TransactionError::Abort(error)
        | TransactionError::Fatal(error)
        | TransactionError::Unknown(error) => StreamError::kafka("the producer can't begin")(error),
        TransactionError::Refused(_) => {
            StreamError::kafka("the producer can't begin")(KafkaError::Canceled)
        }
    }
}
