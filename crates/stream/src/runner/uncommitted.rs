//! Uncommitted in-memory state; re-read after a failure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::in_flight::{InFlight, Process};
use super::partition_state::PartitionState;
use super::run::{FlowLimits, LoopOptions};
use crate::StreamError;
use crate::batch::OutputBatch;
use crate::source::Source;
use lexstream_kafka::{Messages, Offsets, Partition, Polled, Wake};

/// The longest sleep of the loop; Kafka, batches and tickets wake it.
const SLEEP: Duration = Duration::from_millis(100);

/// How many processed batches may wait for their write, as a multiple of those processed at once.
const PROCESSED: usize = 8;

/// Messages on their way into batches, and batches that are being processed or wait for their write.
pub(super) struct Uncommitted<B> {
    pub(super) limits: FlowLimits,
    process: Process<B>,
    runtime: Handle,
    pub(super) wake: Wake,
    /// Where the stream ends, if it does.
    pub(super) until: Option<Offsets>,
    pub(super) partitions: BTreeMap<Partition, PartitionState>,
    /// The partition of the last message.
    last: Option<Partition>,
    /// The batch that is being filled.
    filling: Messages,
    /// When its first message came.
    since: Instant,
    /// Full batches, in order.
    queued: VecDeque<Messages>,
    /// Batches that are being processed or have been, in order.
    pub(super) in_flight: VecDeque<InFlight<B>>,
    /// The bytes of the batches that are being written.
    pub(super) writing: usize,
    /// Whether the last poll stopped before the source had nothing left.
    pub(super) has_more: bool,
    /// Since when a seek to what is durable is due.
    pub(super) rewinding: Option<Instant>,
}

impl<B: OutputBatch> Uncommitted<B> {
    pub(super) fn new(options: LoopOptions<B>) -> Self {
        let control = options.control;
        Self {
            limits: options.limits,
            process: options.process,
            runtime: options.runtime,
            wake: Arc::new(move || control.wake()),
            until: options.until,
            partitions: BTreeMap::new(),
            last: None,
            filling: Messages::default(),
            since: Instant::now(),
            queued: VecDeque::new(),
            in_flight: VecDeque::new(),
            writing: 0,
            has_more: false,
            rewinding: None,
        }
    }

    /// Polls one event, and books a message or the end of a partition.
    pub(super) fn poll(&mut self, source: &mut impl Source) -> Result<Polled, StreamError> {
        let polled = source.poll(&mut self.filling)?;
        match polled {
            Polled::Message => self.book_message(),
            // Before a due seek, an end is that of what was read before.
            Polled::End(number) if self.rewinding.is_none() => {
                let of_number = self.partitions.iter_mut();
                for (_, state) in of_number.filter(|(partition, _)| partition.number == number) {
                    state.is_at_end = true;
                }
            }
            _ => {}
        }
        Ok(polled)
    }

    /// Books the last message, or drops it.
    fn book_message(&mut self) {
        let last = self.filling.at(self.filling.len() - 1);
        let offset = last.offset();
        // Messages of a partition come in runs.
        if !self
            .last
            .as_ref()
            .is_some_and(|partition| last.is_of(partition))
        {
            self.last = Some(last.origin());
        }
        let partition = self.last.as_ref();
        let state = partition.and_then(|partition| self.partitions.get_mut(partition));
        // Fetched before a revocation or a seek.
        let Some(state) = state.filter(|state| offset >= state.next && self.rewinding.is_none())
        else {
            self.filling.pop();
            return;
        };
        state.next = offset + 1;
        state.is_at_end = false;
        if self.filling.len() == 1 {
            self.since = Instant::now();
        }
        let limits = &self.limits;
        if self.filling.len() >= limits.batch_messages || self.filling.bytes() >= limits.batch_bytes
        {
            self.queued.push_back(std::mem::take(&mut self.filling));
        }
    }

    /// Starts to process batches that are full or have lingered.
    pub(super) fn start_batches(&mut self) {
        let limits = &self.limits;
        let is_due = !self.filling.is_empty()
            && (self.since.elapsed() >= limits.linger || self.is_all_read());
        if is_due && self.queued.is_empty() && self.has_room() {
            self.queued.push_back(std::mem::take(&mut self.filling));
        }
        while self.has_room()
            && let Some(messages) = self.queued.pop_front()
        {
            let batch = InFlight::start(messages, &self.process, &self.runtime, &self.wake);
            self.in_flight.push_back(batch);
        }
    }

    /// Tells whether the stream is to end and everything has been read, so that lingering makes no sense.
    fn is_all_read(&self) -> bool {
        self.until.is_some() && self.partitions.values().all(|state| state.is_at_end)
    }

    /// Tells whether no message is held.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty() && self.queued.is_empty() && self.filling.is_empty()
    }

    /// Tells whether a batch waits to be processed.
    pub(super) fn has_queued(&self) -> bool {
        !self.queued.is_empty()
    }

    /// Drops messages of partitions that are not in a batch yet.
    pub(super) fn drop_queued(&mut self, partitions: &[Partition]) {
        let is_kept = |topic: &str, number| {
            !partitions
                .iter()
                .any(|partition| *partition.topic == *topic && partition.number == number)
        };
        self.filling.retain(is_kept);
        for messages in &mut self.queued {
            messages.retain(is_kept);
        }
        self.queued.retain(|messages| !messages.is_empty());
    }

    /// Drops everything; a seek to what is durable is due then.
    pub(super) fn rewind(&mut self) {
        self.in_flight.clear();
        self.queued.clear();
        self.filling = Messages::default();
        self.rewinding.get_or_insert_with(Instant::now);
    }

    /// Returns the bytes of messages and of their results.
    pub(super) fn bytes(&self) -> usize {
        let queued = self.queued.iter().map(Messages::bytes);
        self.filling.bytes() + queued.sum::<usize>() + self.bytes_in_flight()
    }

    fn bytes_in_flight(&self) -> usize {
        let in_flight = self.in_flight.iter().map(|batch| batch.bytes);
        self.writing + in_flight.sum::<usize>()
    }

    /// Tells whether another batch can be started: those that wait for their write count less.
    pub(super) fn has_room(&mut self) -> bool {
        let most = self.limits.batches_in_flight;
        let batches = self.in_flight.iter_mut();
        let processing = batches.map(|batch| usize::from(!batch.is_done()));
        processing.sum::<usize>() < most && !self.is_full()
    }

    /// Tells whether as many batches are in flight as may be, or as many bytes of them.
    pub(super) fn is_full(&self) -> bool {
        self.in_flight.len() >= PROCESSED * self.limits.batches_in_flight
            || self.bytes_in_flight() >= self.limits.buffer_bytes
    }

    /// Returns how long the loop may sleep, unless it is woken.
    pub(super) fn sleep(&mut self) -> Duration {
        // Where no batch can be started, one that is done wakes the loop.
        if self.filling.is_empty() || !self.has_room() {
            return SLEEP;
        }
        let linger = self.limits.linger;
        linger
            .saturating_sub(self.since.elapsed())
            .clamp(Duration::from_micros(100), SLEEP)
    }
}
