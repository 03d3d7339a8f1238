//! The loop: poll, score, commit; it holds the guarantee and nothing else holds state.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::StreamError;
use super::control::Control;
use super::delivery::{Batch, Delivered, Delivery, Position, Source, poison};
use super::flight::{Flight, Score};
use super::rate::DeadLetterRate;
use crate::kafka::{Messages, Offsets, Partition, Polled, Wake};

/// How long the loop sleeps at most; Kafka and the batches under way wake it.
const SLEEP: Duration = Duration::from_millis(100);

/// How much is under way at once.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Messages of a batch.
    pub batch_messages: usize,
    /// Bytes of a batch; a single larger message is one alone.
    pub batch_bytes: usize,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
    /// Batches that are scored at once.
    pub batches_in_flight: usize,
    /// Bytes of messages that are held; above it, partitions are paused.
    pub buffer_bytes: usize,
}

/// What a loop is made from.
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct LoopOptions<B> {
    /// How much is under way at once.
    pub limits: Limits,
    /// Scores a batch.
    pub score: Score<B>,
    /// Where batches are scored.
    pub runtime: Handle,
    /// What the loop shares with others.
    pub control: Arc<Control>,
    /// Whether messages may fail; else the first one ends the stream.
    pub tolerates: bool,
    /// The share of messages that may fail.
    pub dead_letter_rate: Option<f64>,
    /// Where the stream ends: the end of every partition, whoever reads it.
    pub until: Option<Offsets>,
}

/// Runs a pipeline until it is stopped, comes to its end or fails.
///
/// One thread, which never stops polling for longer than a step takes. Every error is returned; what was not committed
/// is read again by whoever comes next.
pub fn run<D: Delivery>(delivery: D, options: LoopOptions<D::Batch>) -> Result<(), StreamError> {
    Loop::new(delivery, options).run()
}

/// The state of the loop, all of which can be lost.
pub(super) struct Loop<D: Delivery> {
    pub(super) delivery: D,
    pub(super) options: LoopOptions<D::Batch>,
    pub(super) wake: Wake,
    pub(super) places: BTreeMap<Partition, Place>,
    /// Where the message came from that was taken last.
    pub(super) last: Option<Partition>,
    /// The batch that is being filled.
    pub(super) filling: Messages,
    /// When its first message came.
    pub(super) since: Instant,
    /// Batches that are to be scored.
    pub(super) waiting: VecDeque<Messages>,
    /// Batches that are being scored, in their order.
    pub(super) flights: VecDeque<Flight<D::Batch>>,
    pub(super) is_paused: bool,
    /// Whether more may have come than was taken last.
    pub(super) has_more: bool,
    /// Since when the partitions are to be read from elsewhere, while that has not been done.
    pub(super) rewinding: Option<Instant>,
    pub(super) rate: Option<DeadLetterRate>,
    /// Whether the group has said once what this member reads.
    pub(super) has_joined: bool,
    /// When it was looked last how far others are.
    pub(super) looked: Option<Instant>,
}

/// A partition that is being read.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What lies before this offset is there for good.
    pub(super) done: i64,
    /// Whether whoever comes next knows it.
    pub(super) is_committed: bool,
    /// What lies before this offset has been handed on.
    pub(super) delivered: i64,
    /// The offset that is to be read next.
    pub(super) next: i64,
    /// Whether everything there was has been read.
    pub(super) is_at_end: bool,
}

impl<D: Delivery> Loop<D> {
    fn new(delivery: D, options: LoopOptions<D::Batch>) -> Self {
        let control = Arc::clone(&options.control);
        Self {
            delivery,
            wake: Arc::new(move || control.wake()),
            places: BTreeMap::new(),
            last: None,
            filling: Messages::default(),
            since: Instant::now(),
            waiting: VecDeque::new(),
            flights: VecDeque::new(),
            is_paused: false,
            has_more: false,
            rewinding: None,
            rate: options.dead_letter_rate.map(DeadLetterRate::new),
            has_joined: false,
            looked: None,
            options,
        }
    }

    fn run(mut self) -> Result<(), StreamError> {
        self.options.control.run_here();
        loop {
            if self.options.control.is_stopped() {
                return self.finish();
            }
            self.take()?;
            self.start_batches();
            self.commit_done()?;
            let in_time = self.delivery.tick()?;
            self.book(in_time)?;
            if self.is_finished()? {
                return Ok(());
            }
            self.throttle()?;
            if !self.can_go_on() {
                std::thread::park_timeout(self.pause());
            }
        }
    }

    /// Takes what Kafka has, until nothing is left or enough is held.
    fn take(&mut self) -> Result<(), StreamError> {
        self.seek()?;
        let mut taken = 0;
        self.has_more = true;
        while taken < self.options.limits.batch_messages {
            match self.delivery.source().poll(&mut self.filling)? {
                Polled::Nothing => {
                    self.has_more = false;
                    break;
                }
                Polled::Message => {
                    self.took();
                    taken += 1;
                }
                Polled::Rebalance(rebalance) => self.rebalance(rebalance)?,
                // Before partitions are read from elsewhere, an end is that of what was read before.
                Polled::End(_) if self.rewinding.is_some() => {}
                Polled::End(number) => {
                    let of_number = self.places.iter_mut();
                    for (_, place) in of_number.filter(|(partition, _)| partition.number == number)
                    {
                        place.is_at_end = true;
                    }
                }
            }
        }
        Ok(())
    }

    /// Books the message that has been taken last.
    fn took(&mut self) {
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
        let place = partition.and_then(|partition| self.places.get_mut(partition));
        // What was fetched before partitions were given up, or read from elsewhere, is not wanted any more.
        let Some(place) = place.filter(|place| offset >= place.next && self.rewinding.is_none())
        else {
            self.filling.pop();
            return;
        };
        place.next = offset + 1;
        place.is_at_end = false;
        if self.filling.len() == 1 {
            self.since = Instant::now();
        }
        let limits = &self.options.limits;
        if self.filling.len() >= limits.batch_messages || self.filling.bytes() >= limits.batch_bytes
        {
            self.waiting.push_back(std::mem::take(&mut self.filling));
        }
    }

    /// Begins to score batches that are full or have waited long enough.
    fn start_batches(&mut self) {
        let limits = &self.options.limits;
        let is_due = !self.filling.is_empty()
            && (self.since.elapsed() >= limits.linger || self.is_all_read());
        if is_due && self.waiting.is_empty() && self.has_room() {
            self.waiting.push_back(std::mem::take(&mut self.filling));
        }
        while self.has_room()
            && let Some(messages) = self.waiting.pop_front()
        {
            let LoopOptions { score, runtime, .. } = &self.options;
            let flight = Flight::start(messages, score, runtime, &self.wake);
            self.flights.push_back(flight);
        }
    }

    /// Tells whether the stream is to end where it has come, so that waiting for more makes no sense.
    fn is_all_read(&self) -> bool {
        self.options.until.is_some() && self.places.values().all(|place| place.is_at_end)
    }

    /// Commits the batches that are done and have none before them.
    fn commit_done(&mut self) -> Result<(), StreamError> {
        let mut done = Vec::new();
        while let Some(flight) = self.flights.front_mut()
            && flight.is_done()
            && let Some(flight) = self.flights.pop_front()
        {
            done.push(flight);
        }
        self.commit(done)
    }

    /// Commits batches, which are done.
    pub(super) fn commit(&mut self, flights: Vec<Flight<D::Batch>>) -> Result<(), StreamError> {
        if flights.is_empty() {
            return Ok(());
        }
        let mut next = Offsets::new();
        let mut batches = Vec::with_capacity(flights.len());
        let mut failure = None;
        for flight in flights {
            let offsets = flight.next.clone();
            self.options.control.metrics.batch_scored(flight.age());
            match flight.take().and_then(|batch| self.accepted(batch)) {
                Ok(batch) => {
                    next.extend(offsets);
                    batches.push(batch);
                }
                // What comes before it is as good as ever.
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if !batches.is_empty() {
            self.deliver(&mut batches, &next)?;
        }
        failure.map_or(Ok(()), Err)
    }

    /// Refuses a batch with messages that fail where none may.
    fn accepted(&mut self, batch: D::Batch) -> Result<D::Batch, StreamError> {
        if !self.options.tolerates
            && let Some([first, _]) = batch.dead()
        {
            return Err(poison(first));
        }
        if let Some(rate) = &mut self.rate {
            rate.add(&batch)?;
        }
        Ok(batch)
    }

    /// Hands batches on.
    pub(super) fn deliver(
        &mut self,
        batches: &mut [D::Batch],
        next: &Offsets,
    ) -> Result<(), StreamError> {
        let new = self.places.iter().filter(|(_, place)| !place.is_committed);
        let starts = new.map(|(partition, place)| (partition.clone(), place.done));
        let starts = starts.collect();
        let delivered = self.delivery.deliver(batches, next, starts)?;
        if let Delivered::Done(_) = delivered {
            for (partition, offset) in next {
                if let Some(place) = self.places.get_mut(partition) {
                    place.delivered = *offset;
                }
            }
            for batch in batches {
                self.options.control.metrics.add(batch);
            }
        }
        self.book(delivered)
    }

    /// Books what became of what was handed on.
    pub(super) fn book(&mut self, delivered: Delivered) -> Result<(), StreamError> {
        match delivered {
            Delivered::Done(offsets) => {
                for (partition, offset) in &offsets {
                    if let Some(place) = self.places.get_mut(partition) {
                        place.done = *offset;
                        place.is_committed = true;
                    }
                }
                if !offsets.is_empty() {
                    self.tell();
                }
            }
            Delivered::Refused => self.rewind(),
            Delivered::Unknown => {
                let partitions: Vec<Partition> = self.places.keys().cloned().collect();
                // Where the stream is to end, nobody waits for the answer.
                if !self.options.control.is_stopped() && !partitions.is_empty() {
                    for (partition, start) in self.delivery.source().starts(&partitions)? {
                        if let Some(place) = self.places.get_mut(&partition)
                            && start.is_committed
                        {
                            place.done = start.offset;
                            place.is_committed = true;
                        }
                    }
                }
                self.rewind();
            }
        }
        Ok(())
    }

    fn held(&self) -> usize {
        let waiting = self.waiting.iter().map(Messages::bytes);
        let flights = self.flights.iter().map(|flight| flight.bytes);
        self.filling.bytes() + waiting.sum::<usize>() + flights.sum::<usize>()
    }

    /// Pauses the partitions while too much is held, and reads them again when half of it is gone.
    fn throttle(&mut self) -> Result<(), StreamError> {
        let held = self.held();
        self.options.control.metrics.holds(held);
        let limit = self.options.limits.buffer_bytes;
        let partitions = || self.places.keys().cloned().collect::<Vec<_>>();
        if !self.is_paused && held >= limit {
            let partitions = partitions();
            self.delivery.source().pause(&partitions)?;
            self.is_paused = true;
        } else if self.is_paused && held <= limit / 2 {
            let partitions = partitions();
            self.delivery.source().resume(&partitions)?;
            self.is_paused = false;
        }
        Ok(())
    }

    /// Tells whether there is something to do at once.
    fn can_go_on(&mut self) -> bool {
        let is_done = self.flights.front_mut().is_some_and(Flight::is_done);
        is_done || (self.has_room() && (self.has_more || !self.waiting.is_empty()))
    }

    /// Tells whether another batch can be begun.
    fn has_room(&self) -> bool {
        self.flights.len() < self.options.limits.batches_in_flight
    }

    /// Returns how long nothing is to be done, unless something comes.
    fn pause(&self) -> Duration {
        // Where no batch can be begun, one that is done wakes the loop.
        if self.filling.is_empty() || !self.has_room() {
            return SLEEP;
        }
        let linger = self.options.limits.linger;
        linger
            .saturating_sub(self.since.elapsed())
            .clamp(Duration::from_micros(100), SLEEP)
    }
}

impl Place {
    pub(super) fn new(start: Position) -> Self {
        Self {
            done: start.offset,
            is_committed: start.is_committed,
            delivered: start.offset,
            next: start.offset,
            is_at_end: false,
        }
    }
}
