//! What comes in: messages on their way into batches, and batches that are being scored.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::StreamError;
use super::delivery::{Position, Source};
use super::flight::{Flight, Score};
use super::run::{Limits, LoopOptions};
use crate::kafka::{Messages, Offsets, Partition, Polled, Rebalance, Wake};

/// How long the loop sleeps at most; Kafka and the batches under way wake it.
const SLEEP: Duration = Duration::from_millis(100);

/// What comes in, all of which can be lost.
pub(super) struct Intake<B> {
    pub(super) limits: Limits,
    score: Score<B>,
    runtime: Handle,
    wake: Wake,
    /// Where the stream ends.
    pub(super) until: Option<Offsets>,
    pub(super) places: BTreeMap<Partition, Place>,
    /// Where the message came from that was taken last.
    last: Option<Partition>,
    /// The batch that is being filled.
    pub(super) filling: Messages,
    /// When its first message came.
    since: Instant,
    /// Batches that are to be scored.
    pub(super) waiting: VecDeque<Messages>,
    /// Batches that are being scored, in their order.
    pub(super) flights: VecDeque<Flight<B>>,
    /// Whether more may have come than was taken last.
    pub(super) has_more: bool,
    /// Since when the partitions are to be read from elsewhere, while that has not been done.
    pub(super) rewinding: Option<Instant>,
    /// What the group wants and has not got yet.
    pub(super) rebalances: VecDeque<Rebalance>,
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

impl<B: Send + 'static> Intake<B> {
    pub(super) fn new(options: LoopOptions<B>) -> Self {
        let control = options.control;
        Self {
            limits: options.limits,
            score: options.score,
            runtime: options.runtime,
            wake: Arc::new(move || control.wake()),
            until: options.until,
            places: BTreeMap::new(),
            last: None,
            filling: Messages::default(),
            since: Instant::now(),
            waiting: VecDeque::new(),
            flights: VecDeque::new(),
            has_more: false,
            rewinding: None,
            rebalances: VecDeque::new(),
        }
    }

    /// Takes one message, and books it; or the end of a partition.
    pub(super) fn poll(&mut self, source: &mut dyn Source) -> Result<Polled, StreamError> {
        let polled = source.poll(&mut self.filling)?;
        match polled {
            Polled::Message => self.took(),
            // Before partitions are read from elsewhere, an end is that of what was read before.
            Polled::End(number) if self.rewinding.is_none() => {
                let of_number = self.places.iter_mut();
                for (_, place) in of_number.filter(|(partition, _)| partition.number == number) {
                    place.is_at_end = true;
                }
            }
            _ => {}
        }
        Ok(polled)
    }

    /// Takes messages and begins to score them while a transaction is waited for.
    ///
    /// What the group wants is kept for later: behind it, nothing is taken.
    pub(super) fn read_on(&mut self, source: &mut dyn Source) -> Result<(), StreamError> {
        if self.rebalances.is_empty() && self.held() < self.limits.buffer_bytes {
            for _ in 0..self.limits.batch_messages {
                match self.poll(source)? {
                    Polled::Nothing => break,
                    Polled::Rebalance(rebalance) => {
                        self.rebalances.push_back(rebalance);
                        break;
                    }
                    Polled::Message | Polled::End(_) => {}
                }
            }
        }
        self.start_batches();
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
        let limits = &self.limits;
        if self.filling.len() >= limits.batch_messages || self.filling.bytes() >= limits.batch_bytes
        {
            self.waiting.push_back(std::mem::take(&mut self.filling));
        }
    }

    /// Begins to score batches that are full or have waited long enough.
    pub(super) fn start_batches(&mut self) {
        let limits = &self.limits;
        let is_due = !self.filling.is_empty()
            && (self.since.elapsed() >= limits.linger || self.is_all_read());
        if is_due && self.waiting.is_empty() && self.has_room() {
            self.waiting.push_back(std::mem::take(&mut self.filling));
        }
        while self.has_room()
            && let Some(messages) = self.waiting.pop_front()
        {
            let flight = Flight::start(messages, &self.score, &self.runtime, &self.wake);
            self.flights.push_back(flight);
        }
    }

    /// Tells whether the stream is to end where it has come, so that waiting for more makes no sense.
    fn is_all_read(&self) -> bool {
        self.until.is_some() && self.places.values().all(|place| place.is_at_end)
    }

    pub(super) fn held(&self) -> usize {
        let waiting = self.waiting.iter().map(Messages::bytes);
        let flights = self.flights.iter().map(|flight| flight.bytes);
        self.filling.bytes() + waiting.sum::<usize>() + flights.sum::<usize>()
    }

    /// Tells whether another batch can be begun.
    pub(super) fn has_room(&self) -> bool {
        self.flights.len() < self.limits.batches_in_flight
    }

    /// Returns how long nothing is to be done, unless something comes.
    pub(super) fn pause(&self) -> Duration {
        // Where no batch can be begun, one that is done wakes the loop.
        if self.filling.is_empty() || !self.has_room() {
            return SLEEP;
        }
        let linger = self.limits.linger;
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
