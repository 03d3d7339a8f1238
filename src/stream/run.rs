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
use crate::kafka::{Messages, Offsets, Partition, Polled, Rebalance, Wake};

/// How long the loop sleeps at most; Kafka and the batches under way wake it.
const SLEEP: Duration = Duration::from_millis(100);

/// How long what is under way may take to be finished, when partitions are given up or the stream is to end.
const FINISH: Duration = Duration::from_secs(5);

/// How long a seek is tried again before the stream gives up.
const SEEK: Duration = Duration::from_secs(60);

/// How often a stream that is to end looks how far others are.
const LOOK: Duration = Duration::from_secs(1);

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
struct Loop<D: Delivery> {
    delivery: D,
    options: LoopOptions<D::Batch>,
    wake: Wake,
    places: BTreeMap<Partition, Place>,
    /// The batch that is being filled.
    filling: Messages,
    /// When its first message came.
    since: Instant,
    /// Batches that are to be scored.
    waiting: VecDeque<Messages>,
    /// Batches that are being scored, in their order.
    flights: VecDeque<Flight<D::Batch>>,
    is_paused: bool,
    /// Whether more may have come than was taken last.
    has_more: bool,
    /// Since when the partitions are to be read from elsewhere, while that has not been done.
    rewinding: Option<Instant>,
    rate: Option<DeadLetterRate>,
    /// Whether the group has said once what this member reads.
    has_joined: bool,
    /// When it was looked last how far others are.
    looked: Option<Instant>,
}

/// A partition that is being read.
#[derive(Debug, Clone)]
struct Place {
    /// What lies before this offset is there for good.
    done: i64,
    /// Whether whoever comes next knows it.
    is_committed: bool,
    /// What lies before this offset has been handed on.
    delivered: i64,
    /// The offset that is to be read next.
    next: i64,
    /// Whether everything there was has been read.
    is_at_end: bool,
}

impl<D: Delivery> Loop<D> {
    fn new(delivery: D, options: LoopOptions<D::Batch>) -> Self {
        let control = Arc::clone(&options.control);
        Self {
            delivery,
            wake: Arc::new(move || control.wake()),
            places: BTreeMap::new(),
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
        let (partition, offset) = (last.origin(), last.offset());
        let place = self.places.get_mut(&partition);
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
    fn commit(&mut self, flights: Vec<Flight<D::Batch>>) -> Result<(), StreamError> {
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
    fn deliver(&mut self, batches: &mut [D::Batch], next: &Offsets) -> Result<(), StreamError> {
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
    fn book(&mut self, delivered: Delivered) -> Result<(), StreamError> {
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

    /// Does what the group wants.
    fn rebalance(&mut self, rebalance: Rebalance) -> Result<(), StreamError> {
        self.options.control.metrics.rebalanced();
        match rebalance {
            Rebalance::Assigned(partitions) => self.assigned(&partitions),
            Rebalance::Revoked(partitions) => {
                tracing::info!(partitions = %Shown(&partitions), "partitions are given up");
                let until = Instant::now() + FINISH;
                let is_done = self.finish_flights(until, |flight| {
                    partitions.iter().any(|partition| flight.holds(partition))
                })?;
                if is_done {
                    let flushed = self.delivery.flush(&partitions)?;
                    self.book(flushed)?;
                }
                self.forget(&partitions, is_done && self.rewinding.is_none())
            }
            Rebalance::Lost(partitions) => {
                tracing::warn!(partitions = %Shown(&partitions), "partitions are lost");
                self.forget(&partitions, false)
            }
        }
    }

    fn assigned(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        let starts = self.delivery.source().starts(partitions)?;
        let offsets = starts
            .iter()
            .map(|(partition, start)| (partition.clone(), start.offset));
        self.delivery.source().assign(&offsets.collect())?;
        self.has_joined = true;
        for (partition, start) in starts {
            self.places.insert(partition, Place::new(start));
        }
        if self.is_paused {
            self.delivery.source().pause(partitions)?;
        }
        tracing::info!(partitions = %Shown(partitions), "partitions are read");
        self.tell();
        self.options.control.metrics.set_ready(true);
        Ok(())
    }

    /// Notes what is read, for those who watch.
    fn tell(&self) {
        let places = self.places.iter();
        let done = places.map(|(partition, place)| (partition.clone(), place.done));
        self.options.control.metrics.reads(done);
    }

    /// Gives partitions up, and drops what is held of them; `is_done` says that none of it is under way.
    fn forget(&mut self, partitions: &[Partition], is_done: bool) -> Result<(), StreamError> {
        for partition in partitions {
            self.places.remove(partition);
        }
        self.delivery.forget(partitions);
        if is_done {
            let is_kept = |topic: &str, number| {
                !partitions
                    .iter()
                    .any(|partition| *partition.topic == *topic && partition.number == number)
            };
            self.filling.retain(is_kept);
            for messages in &mut self.waiting {
                messages.retain(is_kept);
            }
            self.waiting.retain(|messages| !messages.is_empty());
        } else {
            self.rewind();
        }
        self.tell();
        self.delivery.source().unassign(partitions)
    }

    /// Waits for batches, those up to the last that `concerns` takes, and commits them; tells whether time sufficed.
    fn finish_flights(
        &mut self,
        until: Instant,
        concerns: impl Fn(&Flight<D::Batch>) -> bool,
    ) -> Result<bool, StreamError> {
        let Some(last) = self.flights.iter().rposition(concerns) else {
            return Ok(true);
        };
        let mut done = Vec::new();
        for _ in 0..=last {
            if !self
                .flights
                .front_mut()
                .is_some_and(|flight| flight.wait(until))
            {
                break;
            }
            done.extend(self.flights.pop_front());
        }
        let is_all = done.len() == last + 1;
        self.commit(done)?;
        // A transaction that was aborted has rewound everything.
        Ok(is_all && self.rewinding.is_none())
    }

    /// Drops everything that is held, so that it is read again from what the group has.
    fn rewind(&mut self) {
        self.flights.clear();
        self.waiting.clear();
        self.filling = Messages::default();
        let partitions: Vec<_> = self.places.keys().cloned().collect();
        self.delivery.forget(&partitions);
        for place in self.places.values_mut() {
            place.next = place.done;
            place.delivered = place.done;
            place.is_at_end = false;
        }
        self.rewinding.get_or_insert_with(Instant::now);
    }

    /// Reads on from elsewhere, where that is wanted.
    fn seek(&mut self) -> Result<(), StreamError> {
        let Some(since) = self.rewinding else {
            return Ok(());
        };
        let places = self.places.iter();
        let offsets: Offsets = places
            .map(|(partition, place)| (partition.clone(), place.done))
            .collect();
        let sought = match offsets.is_empty() {
            true => Ok(()),
            false => self.delivery.source().seek(&offsets),
        };
        match sought {
            Ok(()) => self.rewinding = None,
            // The group may be about to say that the partitions are no longer ours.
            Err(error) if since.elapsed() < SEEK => tracing::debug!(%error, "seek"),
            Err(error) => return Err(error),
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

    /// Tells whether a stream that is to end somewhere has come there, and everything before is done.
    fn is_finished(&mut self) -> Result<bool, StreamError> {
        let is_idle = self.flights.is_empty()
            && self.waiting.is_empty()
            && self.filling.is_empty()
            && self.rewinding.is_none();
        let Some(until) = &self.options.until else {
            return Ok(false);
        };
        if !is_idle || !self.has_joined {
            return Ok(false);
        }
        let mut behind = Offsets::new();
        for (partition, place) in &self.places {
            let Some(end) = until.get(partition).filter(|end| place.delivered < **end) else {
                continue;
            };
            // Behind the last message may stand marks of transactions, which nobody reads. An end is told by its number
            // alone, which partitions of two topics may have.
            let twins = self
                .places
                .keys()
                .filter(|other| other.number == partition.number);
            let is_at_end = place.is_at_end
                && (twins.count() == 1
                    || self
                        .delivery
                        .source()
                        .is_at_end(partition, place.delivered)?);
            if !is_at_end {
                return Ok(false);
            }
            behind.insert(partition.clone(), *end);
        }
        if !behind.is_empty() {
            self.deliver(&mut [], &behind)?;
            return Ok(false);
        }
        self.flush_all()?;
        Ok(self.rewinding.is_none() && self.are_others_done()?)
    }

    /// Tells whether what this member does not read is done, by whoever reads it; nobody may, while the group waits for
    /// a member that is gone.
    fn are_others_done(&mut self) -> Result<bool, StreamError> {
        let until = self.options.until.iter().flatten();
        let others = until.filter(|(partition, _)| !self.places.contains_key(*partition));
        let others: Offsets = others
            .map(|(partition, end)| (partition.clone(), *end))
            .collect();
        if others.is_empty() {
            return Ok(true);
        }
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(false);
        }
        let partitions: Vec<_> = others.keys().cloned().collect();
        let source = self.delivery.source();
        let starts = source.starts(&partitions)?;
        for (partition, end) in &others {
            let offset = starts.get(partition).map_or(0, |start| start.offset);
            if offset < *end && !source.is_at_end(partition, offset)? {
                self.looked = Some(Instant::now());
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Has everything that was handed on be there for good.
    fn flush_all(&mut self) -> Result<(), StreamError> {
        let partitions: Vec<_> = self.places.keys().cloned().collect();
        let flushed = self.delivery.flush(&partitions)?;
        self.book(flushed)
    }

    /// Ends: what can be finished in time is committed.
    fn finish(&mut self) -> Result<(), StreamError> {
        tracing::info!("the stream ends");
        self.finish_flights(Instant::now() + FINISH, |_| true)?;
        self.flush_all()
    }
}

impl Place {
    fn new(start: Position) -> Self {
        Self {
            done: start.offset,
            is_committed: start.is_committed,
            delivered: start.offset,
            next: start.offset,
            is_at_end: false,
        }
    }
}

/// Partitions, as a log line shows them.
struct Shown<'a>(&'a [Partition]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, partition) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{partition}")?;
        }
        Ok(())
    }
}
