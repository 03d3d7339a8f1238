//! A topic, by librdkafka's consumer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::{Position, Source};
use crate::StreamError;
use crate::metrics::Control;
use crate::recent_fences::RecentFences;
use lexstream_kafka::{
    GroupConsumer, Messages, Offsets, Partition, Polled, Rebalance, Start, is_at_end,
};

/// How long one call to Kafka may take.
const CALL: Duration = Duration::from_secs(10);

/// How long reading the group's offsets is retried: longer than a transaction of a former member may be open.
const STARTS: Duration = Duration::from_secs(90);

/// How long the consumer may take to leave its group when the stream has ended.
const LEAVE: Duration = Duration::from_secs(3);

/// How often the ends of partitions are passed on to the metrics.
const ENDS: Duration = Duration::from_secs(1);

/// How a topic is read.
#[derive(Debug)]
pub struct SourceOptions {
    /// How the consumer is made; it holds secrets.
    pub consumer: ClientConfig,
    /// The topics, or patterns that begin with `^`.
    pub topics: Vec<String>,
    /// Where partitions are read from that the group has no offset of.
    pub start: Start,
    /// The partitions that there were when the pipeline was planned; others are read from their beginning.
    pub known: Vec<Partition>,
}

/// A topic, read as a member of a group.
#[derive(Debug)]
pub struct KafkaSource {
    options: SourceOptions,
    /// None only while it is being dropped.
    consumer: Option<GroupConsumer>,
    control: Arc<Control>,
    /// The partitions that are read.
    assigned: BTreeSet<Partition>,
    fences: RecentFences,
    /// When the ends were last passed on.
    ends_passed: Instant,
}

impl KafkaSource {
    /// Joins the group.
    ///
    /// # Errors
    /// Where librdkafka refuses the configuration.
    pub fn try_new(options: SourceOptions, control: Arc<Control>) -> Result<Self, StreamError> {
        Ok(Self {
            consumer: Some(joined(&options, &control)?),
            options,
            control,
            assigned: BTreeSet::new(),
            fences: RecentFences::default(),
            ends_passed: Instant::now(),
        })
    }

    fn consumer(&self) -> &GroupConsumer {
        self.consumer
            .as_ref()
            .expect("only `drop` takes the consumer")
    }

    /// Joins the group again, as a new member of the same name; what the old one read is lost.
    fn rejoin(&mut self, error: KafkaError) -> Result<Polled, StreamError> {
        // Where a broker was away, it is the echo of a join whose answer was lost, however often that is.
        if !self.consumer().was_cut_off() && self.fences.are_of_another() {
            let id = self.options.consumer.get("group.instance.id");
            return Err(StreamError::Fenced {
                option: "group.instance.id",
                id: id.unwrap_or_default().to_owned(),
                source: error,
            });
        }
        tracing::warn!(%error, "the group has another member of this name; it is joined anew");
        // The old one is not waited for: it has no place to leave.
        self.consumer = Some(joined(&self.options, &self.control)?);
        let lost = std::mem::take(&mut self.assigned).into_iter().collect();
        Ok(Polled::Rebalance(Rebalance::Lost(lost)))
    }

    /// Says why the consumer stops: whether a partition's messages are gone.
    fn stopped(&self, error: KafkaError) -> StreamError {
        let is_gone = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
        );
        let partitions: Vec<_> = self.assigned.iter().cloned().collect();
        if is_gone && let Ok(committed) = self.consumer().committed(&partitions, CALL) {
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

impl Source for KafkaSource {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        if self.ends_passed.elapsed() > ENDS {
            self.ends_passed = Instant::now();
            self.control.metrics.end(self.consumer().ends());
        }
        match self.consumer().poll(messages) {
            Err(error)
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId) =>
            {
                self.rejoin(error)
            }
            polled => polled.map_err(|error| self.stopped(error)),
        }
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
        self.assigned.extend(offsets.keys().cloned());
        let assigned = self.consumer().assign(offsets);
        assigned.map_err(StreamError::kafka("partitions can't be taken"))
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        for partition in partitions {
            self.assigned.remove(partition);
        }
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
        is_at_end(&self.options.consumer, partition, offset, CALL).map_err(StreamError::kafka(
            format!("the end of {partition} can't be read"),
        ))
    }

    fn member(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer().group_metadata()
    }

    fn report(&mut self, durable: &Offsets) {
        if let Err(error) = self.consumer().commit(durable) {
            tracing::debug!(%error, "the group's offsets stay behind");
        }
    }
}

fn joined(options: &SourceOptions, control: &Arc<Control>) -> Result<GroupConsumer, StreamError> {
    let topics: Vec<_> = options.topics.iter().map(String::as_str).collect();
    let wake = Arc::clone(control);
    GroupConsumer::try_new(&options.consumer, &topics, Arc::new(move || wake.wake()))
        .map_err(StreamError::kafka("the consumer can't be made"))
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            consumer.close(LEAVE);
        }
    }
}
