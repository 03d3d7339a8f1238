//! The steps of the loop, by librdkafka.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::StreamError;
use super::control::Control;
use super::delivery::{Position, Source};
use super::steps::Steps;
use crate::kafka::{
    GroupConsumer, Messages, Offsets, Partition, Polled, Record, Start, TransactionError,
    Transactions, drop_apart, is_at_end,
};

/// How long one call to Kafka may take.
const CALL: Duration = Duration::from_secs(10);

/// How long the group's offsets may not be there to be read: as long as a transaction of a member that is gone may be
/// open, and some more.
const STARTS: Duration = Duration::from_secs(90);

/// How long the consumer may take to leave its group when the stream has ended.
const LEAVE: Duration = Duration::from_secs(3);

/// How often it is said where partitions end.
const TELL: Duration = Duration::from_secs(1);

/// What a pipeline needs of Kafka.
#[derive(Debug)]
pub struct KafkaOptions {
    /// How the consumer is made; it holds secrets.
    pub consumer: ClientConfig,
    /// How the producer is made; it holds secrets.
    pub producer: ClientConfig,
    /// The topics, or patterns that begin with `^`.
    pub topics: Vec<String>,
    /// Where partitions are read from that the group has no offset of.
    pub start: Start,
    /// The partitions that there were when the pipeline was planned; others are read from their beginning.
    pub known: Vec<Partition>,
    /// The name that only one living producer has.
    pub identity: String,
    /// The bytes of the largest record that may be sent.
    pub max_record: usize,
}

/// The steps, by a consumer and a transactional producer.
#[derive(Debug)]
pub struct KafkaSteps {
    options: KafkaOptions,
    /// None only while it is being dropped.
    consumer: Option<GroupConsumer>,
    /// None while a new one can't be made.
    producer: Option<Transactions>,
    control: Arc<Control>,
    /// When it was said last where partitions end.
    told: Instant,
}

impl KafkaSteps {
    /// Makes the clients, fences older producers of the same name and joins the group.
    pub fn try_new(options: KafkaOptions, control: Arc<Control>) -> Result<Self, StreamError> {
        let producer = started(&options).map_err(|error| of_producer(error, &options.identity))?;
        let topics: Vec<_> = options.topics.iter().map(String::as_str).collect();
        let wake = Arc::clone(&control);
        let consumer =
            GroupConsumer::try_new(&options.consumer, &topics, Arc::new(move || wake.wake()))
                .map_err(StreamError::kafka("the consumer can't be made"))?;
        Ok(Self {
            consumer: Some(consumer),
            producer: Some(producer),
            options,
            control,
            told: Instant::now(),
        })
    }

    fn consumer(&self) -> &GroupConsumer {
        self.consumer
            .as_ref()
            .expect("only `drop` takes the consumer")
    }

    fn producer(&self) -> Result<&Transactions, TransactionError> {
        self.producer
            .as_ref()
            .ok_or(TransactionError::Unknown(KafkaError::Canceled))
    }

    /// Says why the consumer stops: which partition's messages are gone, or that another has its place.
    fn stopped(&self, error: KafkaError) -> StreamError {
        let is_gone = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
        );
        let partitions = self.control.metrics.done();
        if is_gone
            && let Ok(committed) = self
                .consumer()
                .committed(&partitions.into_keys().collect::<Vec<_>>(), CALL)
        {
            for (partition, wanted) in committed {
                if let Ok((first, end)) = self.consumer().bounds(&partition, CALL)
                    && !(first..=end).contains(&wanted)
                {
                    return StreamError::Gone {
                        partition,
                        wanted,
                        first,
                    };
                }
            }
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId) {
            return StreamError::Fenced {
                id: self.options.identity.clone(),
                source: error,
            };
        }
        StreamError::kafka("the consumer can't go on")(error)
    }

    /// Returns where partitions begin of which the group has no offset.
    fn beginnings(&self, partitions: &[Partition]) -> Result<Offsets, KafkaError> {
        let consumer = self.consumer();
        let mut offsets = Offsets::new();
        let at_time = match &self.options.start {
            Start::Timestamp(time) => consumer.at_time(partitions, *time, CALL)?,
            _ => Offsets::new(),
        };
        for partition in partitions {
            let (first, end) = consumer.bounds(partition, CALL)?;
            let is_known = self.options.known.contains(partition);
            let offset = match &self.options.start {
                // A partition that was added later is new from its beginning.
                _ if !is_known => first,
                Start::Earliest => first,
                Start::Latest => end,
                Start::Timestamp(_) => at_time.get(partition).copied().unwrap_or(end),
                Start::Offsets(offsets) => offsets.get(&partition.number).copied().unwrap_or(first),
            };
            offsets.insert(partition.clone(), offset);
        }
        Ok(offsets)
    }

    fn positions(
        &self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, KafkaError> {
        let committed = self.consumer().committed(partitions, CALL)?;
        let new = partitions
            .iter()
            .filter(|partition| !committed.contains_key(partition));
        let new: Vec<_> = new.cloned().collect();
        let position = |is_committed| {
            move |(partition, offset)| {
                let position = Position {
                    offset,
                    is_committed,
                };
                (partition, position)
            }
        };
        let beginnings = self.beginnings(&new)?;
        let committed = committed.into_iter().map(position(true));
        Ok(committed
            .chain(beginnings.into_iter().map(position(false)))
            .collect())
    }
}

impl Source for KafkaSteps {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        if self.told.elapsed() > TELL {
            self.told = Instant::now();
            self.control.metrics.end(self.consumer().ends());
        }
        let polled = self.consumer().poll(messages);
        polled.map_err(|error| self.stopped(error))
    }

    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let began = Instant::now();
        loop {
            match self.positions(partitions) {
                Ok(positions) => return Ok(positions),
                Err(error) if began.elapsed() < STARTS && !self.control.is_stopped() => {
                    tracing::info!(%error, "the group's offsets can't be read yet");
                    std::thread::park_timeout(Duration::from_millis(200));
                }
                Err(error) => {
                    return Err(StreamError::kafka("the group's offsets can't be read")(
                        error,
                    ));
                }
            }
        }
    }

    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        let assigned = self.consumer().assign(offsets);
        assigned.map_err(StreamError::kafka("partitions can't be taken"))
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        let unassigned = self.consumer().unassign(partitions);
        unassigned.map_err(StreamError::kafka("partitions can't be given up"))
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        let paused = self.consumer().pause(partitions);
        paused.map_err(StreamError::kafka("partitions can't be paused"))
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        let resumed = self.consumer().resume(partitions);
        resumed.map_err(StreamError::kafka("partitions can't be resumed"))
    }

    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        let sought = self.consumer().seek(offsets, CALL);
        sought.map_err(StreamError::kafka("partitions can't be read again"))
    }

    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError> {
        // The end that a partition has been read to is told by its number alone.
        let is_told = self.options.topics.len() == 1 && !self.options.topics[0].starts_with('^');
        if is_told {
            return Ok(true);
        }
        is_at_end(&self.options.consumer, partition, offset, CALL).map_err(StreamError::kafka(
            format!("the end of {partition} can't be read"),
        ))
    }
}

impl Steps for KafkaSteps {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.producer()?.begin()
    }

    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError> {
        self.producer()?.send(record, number)
    }

    fn send_offsets(&mut self, offsets: &Offsets) -> Result<(), TransactionError> {
        let Some(member) = self.consumer().group_metadata() else {
            return Err(TransactionError::Abort(KafkaError::Canceled));
        };
        self.producer()?.send_offsets(offsets, &member)
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        self.producer()?.commit()
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.producer()?.abort()
    }

    fn renew(&mut self) -> Result<(), TransactionError> {
        if let Some(old) = self.producer.take() {
            drop_apart(old);
        }
        self.producer = Some(started(&self.options)?);
        Ok(())
    }

    fn identity(&self) -> &str {
        &self.options.identity
    }

    fn max_record(&self) -> usize {
        self.options.max_record
    }
}

impl Drop for KafkaSteps {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            drop_apart(producer);
        }
        if let Some(consumer) = self.consumer.take() {
            consumer.close(LEAVE);
        }
    }
}

fn started(options: &KafkaOptions) -> Result<Transactions, TransactionError> {
    let producer =
        Transactions::try_new(&options.producer, CALL).map_err(TransactionError::Fatal)?;
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
