//! A member of a consumer group, whose owner answers rebalances.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer, ConsumerContext, ConsumerGroupMetadata, RebalanceProtocol,
};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use super::messages::Messages;
use super::statistics;
use crate::log;
use crate::partition::{Offsets, Partition, list, list_of_offsets, partitions};

/// Called from librdkafka's threads when there is something to poll.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a poll found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// A message, which was appended.
    Message,
    /// Nothing for now.
    Nothing,
    /// The group waits for `assign` or `unassign`.
    Rebalance(Rebalance),
    /// A partition of this number has been read to its present end.
    End(i32),
}

/// A rebalance, which the owner answers by `assign` or `unassign`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebalance {
    /// These partitions are assigned.
    Assigned(Vec<Partition>),
    /// These are revoked; the member owns them until it has answered.
    Revoked(Vec<Partition>),
    /// These are lost: others own them already.
    Lost(Vec<Partition>),
}

/// A consumer in a group.
///
/// All calls are bounded in time, and come from one thread. The callback of librdkafka only queues rebalances; the owner
/// answers them.
pub struct GroupConsumer {
    /// None once it has been closed.
    consumer: Option<BaseConsumer<Events>>,
}

/// What librdkafka calls.
struct Events {
    rebalances: Mutex<VecDeque<Rebalance>>,
    /// Nobody waits for partitions any more.
    is_closing: AtomicBool,
    /// Where partitions end, as librdkafka said last.
    ends: Mutex<Offsets>,
    /// Whether a broker could not be reached.
    was_cut_off: AtomicBool,
}

impl ClientContext for Events {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note(&error);
        log::error(&error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        // Statistics of another version tell nothing.
        if let Ok(ends) = statistics::ends(statistics) {
            *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
        }
    }
}

impl ConsumerContext for Events {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        wanted: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        if self.is_closing.load(Ordering::Acquire) {
            // The error, if any, would be that it is closing.
            let _ = give_up(consumer, list);
            return;
        }
        let partitions = partitions(list);
        let rebalance = match wanted {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assigned(partitions),
            _ if consumer.assignment_lost() => Rebalance::Lost(partitions),
            _ => Rebalance::Revoked(partitions),
        };
        self.queue().push_back(rebalance);
    }
}

impl Events {
    fn note(&self, error: &KafkaError) {
        if log::is_outage(error) {
            self.was_cut_off.store(true, Ordering::Relaxed);
        }
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Rebalance>> {
        self.rebalances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for GroupConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupConsumer").finish_non_exhaustive()
    }
}

impl GroupConsumer {
    /// Joins the group that the configuration names; `wake` is called when there is something to poll.
    ///
    /// # Errors
    /// Where librdkafka refuses the configuration or the topics.
    pub fn try_new(config: &ClientConfig, topics: &[&str], wake: Wake) -> KafkaResult<Self> {
        let events = Events {
            rebalances: Mutex::default(),
            is_closing: AtomicBool::new(false),
            ends: Mutex::default(),
            was_cut_off: AtomicBool::new(false),
        };
        let mut consumer: BaseConsumer<Events> = config.create_with_context(events)?;
        consumer.set_nonempty_callback(move || wake());
        consumer.subscribe(topics)?;
        Ok(Self {
            consumer: Some(consumer),
        })
    }

    fn consumer(&self) -> &BaseConsumer<Events> {
        self.consumer
            .as_ref()
            .expect("only `drop` takes the consumer")
    }

    /// Polls without blocking; a message is appended to `messages`.
    ///
    /// # Errors
    /// Where librdkafka doesn't go on by itself; an error that passes, such as a broker that is away, is logged and returns
    /// [`Polled::Nothing`].
    pub fn poll(&self, messages: &mut Messages) -> KafkaResult<Polled> {
        let consumer = self.consumer();
        if let Some(rebalance) = consumer.context().queue().pop_front() {
            return Ok(Polled::Rebalance(rebalance));
        }
        match consumer.poll(Duration::ZERO) {
            Some(Ok(message)) => {
                messages.push(&message);
                Ok(Polled::Message)
            }
            Some(Err(KafkaError::PartitionEOF(number))) => Ok(Polled::End(number)),
            Some(Err(error)) if is_passing(&error) => {
                consumer.context().note(&error);
                tracing::debug!(%error, "consumer");
                Ok(Polled::Nothing)
            }
            Some(Err(error)) => Err(error),
            None => Ok(consumer
                .context()
                .queue()
                .pop_front()
                .map_or(Polled::Nothing, Polled::Rebalance)),
        }
    }

    /// Starts to fetch partitions at these offsets, beside present ones where the protocol is cooperative.
    ///
    /// # Errors
    /// Where librdkafka refuses, as the group has changed its mind.
    pub fn assign(&self, offsets: &Offsets) -> KafkaResult<()> {
        let list = list_of_offsets(offsets)?;
        match self.consumer().rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer().incremental_assign(&list),
            _ => self.consumer().assign(&list),
        }
    }

    /// Gives partitions up; all of them where the protocol is eager.
    ///
    /// # Errors
    /// Where librdkafka refuses.
    pub fn unassign(&self, partitions: &[Partition]) -> KafkaResult<()> {
        give_up(self.consumer(), &list(partitions))
    }

    /// Seeks; prefetched messages are dropped.
    ///
    /// # Errors
    /// Where a partition is not assigned, or time is up.
    pub fn seek(&self, offsets: &Offsets, timeout: Duration) -> KafkaResult<()> {
        let list = list_of_offsets(offsets)?;
        let sought = self.consumer().seek_partitions(list, timeout)?;
        sought
            .elements()
            .iter()
            .try_for_each(TopicPartitionListElem::error)
    }

    /// Pauses partitions.
    ///
    /// # Errors
    /// Where librdkafka refuses.
    pub fn pause<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a Partition>,
    ) -> KafkaResult<()> {
        self.consumer().pause(&list(partitions))
    }

    /// Resumes partitions.
    ///
    /// # Errors
    /// Where librdkafka refuses.
    pub fn resume<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a Partition>,
    ) -> KafkaResult<()> {
        self.consumer().resume(&list(partitions))
    }

    /// Returns the group's committed offsets of partitions that have one; open transactions are waited for.
    ///
    /// # Errors
    /// Where brokers don't answer in time, or a transaction stays open.
    pub fn committed(&self, partitions: &[Partition], timeout: Duration) -> KafkaResult<Offsets> {
        let found = self
            .consumer()
            .committed_offsets(list(partitions), timeout)?;
        let mut offsets = Offsets::new();
        for element in found.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                let partition = Partition {
                    topic: element.topic().into(),
                    number: element.partition(),
                };
                offsets.insert(partition, offset);
            }
        }
        Ok(offsets)
    }

    /// Commits offsets asynchronously.
    ///
    /// # Errors
    /// Where the commit can't be enqueued.
    pub fn commit(&self, offsets: &Offsets) -> KafkaResult<()> {
        let list = list_of_offsets(offsets)?;
        self.consumer().commit(&list, CommitMode::Async)
    }

    /// Returns a partition's first offset, and the one behind its last committed message.
    ///
    /// # Errors
    /// Where brokers don't answer in time.
    pub fn bounds(&self, partition: &Partition, timeout: Duration) -> KafkaResult<(i64, i64)> {
        self.consumer()
            .fetch_watermarks(&partition.topic, partition.number, timeout)
    }

    /// Returns the first offsets at or after a time, in milliseconds since 1970, of partitions that have one.
    ///
    /// # Errors
    /// Where brokers don't answer in time.
    pub fn at_time(
        &self,
        partitions: &[Partition],
        time: i64,
        timeout: Duration,
    ) -> KafkaResult<Offsets> {
        let mut times = list(partitions);
        times.set_all_offsets(Offset::Offset(time))?;
        let found = self.consumer().offsets_for_times(times, timeout)?;
        let mut offsets = Offsets::new();
        for element in found.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                let partition = Partition {
                    topic: element.topic().into(),
                    number: element.partition(),
                };
                offsets.insert(partition, offset);
            }
        }
        Ok(offsets)
    }

    /// Returns the ends of assigned partitions, as of the last `statistics.interval.ms`.
    pub fn ends(&self) -> Offsets {
        let ends = &self.consumer().context().ends;
        ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells whether a broker could not be reached since this member was made.
    pub fn was_cut_off(&self) -> bool {
        self.consumer()
            .context()
            .was_cut_off
            .load(Ordering::Relaxed)
    }

    /// Returns this member's current generation in the group.
    pub fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer().group_metadata()
    }

    /// Leaves the group; what takes longer than `timeout` goes on in the background.
    pub fn close(mut self, timeout: Duration) {
        if let Some(ended) = self.drop_apart() {
            // At worst the group notices by the session's timeout.
            let _ = ended.recv_timeout(timeout);
        }
    }

    /// Drops the client on a thread of its own, as that blocks for as long as a broker doesn't answer.
    fn drop_apart(&mut self) -> Option<mpsc::Receiver<()>> {
        let consumer = self.consumer.take()?;
        consumer.context().is_closing.store(true, Ordering::Release);
        let (done, ended) = mpsc::channel();
        let thread = std::thread::Builder::new().name("kafka-close".to_owned());
        let dropping = thread.spawn(move || {
            drop(consumer);
            // Nobody may wait any more.
            let _ = done.send(());
        });
        dropping.ok().map(|_| ended)
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.drop_apart();
    }
}

fn give_up(consumer: &BaseConsumer<Events>, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        _ => consumer.unassign(),
    }
}

/// Tells whether librdkafka goes on by itself after an error.
fn is_passing(error: &KafkaError) -> bool {
    match error {
        KafkaError::MessageConsumptionFatal(_) => false,
        KafkaError::MessageConsumption(code) => !matches!(
            code,
            RDKafkaErrorCode::AutoOffsetReset
                | RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::FencedInstanceId
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::InvalidConfig
                | RDKafkaErrorCode::OffsetOutOfRange
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnsupportedFeature
        ),
        _ => false,
    }
}
