//! The loop: poll, score, commit; it holds the guarantee and nothing else holds state.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::StreamError;
use super::control::Control;
use super::delivery::{Batch, Delivered, Delivery, Source, poison};
use super::flight::{Flight, Score};
use super::intake::{Intake, SLEEP};
use super::rate::DeadLetterRate;
use lexstream_kafka::{Offsets, Partition, Polled};

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
    /// Bytes of messages, and of their results, that are held; above it, partitions are paused.
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
/// One thread, which reads on and has batches scored while a transaction's calls wait for Kafka on a thread of their own.
/// Every error is returned; what was not committed is read again by whoever comes next.
pub fn run<D: Delivery>(delivery: D, options: LoopOptions<D::Batch>) -> Result<(), StreamError> {
    Loop::new(delivery, options).run()
}

/// The loop, and what it knows of itself; all of it can be lost.
pub(super) struct Loop<D: Delivery> {
    pub(super) delivery: D,
    pub(super) intake: Intake<D::Batch>,
    pub(super) control: Arc<Control>,
    pub(super) tolerates: bool,
    pub(super) is_paused: bool,
    pub(super) rate: Option<DeadLetterRate>,
    /// Whether the group has said once what this member reads.
    pub(super) has_joined: bool,
    /// When it was looked last how far others are.
    pub(super) looked: Option<Instant>,
    /// Before this, nothing is handed on but what has to be.
    rests_until: Instant,
}

impl<D: Delivery> Loop<D> {
    fn new(delivery: D, options: LoopOptions<D::Batch>) -> Self {
        Self {
            delivery,
            control: Arc::clone(&options.control),
            tolerates: options.tolerates,
            is_paused: false,
            rate: options.dead_letter_rate.map(DeadLetterRate::new),
            has_joined: false,
            looked: None,
            rests_until: Instant::now(),
            intake: Intake::new(options),
        }
    }

    fn run(mut self) -> Result<(), StreamError> {
        self.control.run_here();
        loop {
            if self.control.is_stopped() {
                return self.finish();
            }
            self.take()?;
            self.intake.start_batches();
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
        while let Some(rebalance) = self.intake.rebalances.pop_front() {
            self.rebalance(rebalance)?;
        }
        let mut taken = 0;
        self.intake.has_more = true;
        while taken < self.intake.limits.batch_messages {
            match self.intake.poll(self.delivery.source())? {
                Polled::Nothing => {
                    self.intake.has_more = false;
                    break;
                }
                Polled::Message => taken += 1,
                Polled::Rebalance(rebalance) => self.rebalance(rebalance)?,
                Polled::End(_) => {}
            }
        }
        Ok(())
    }

    /// Commits the batches that are done and have none before them, unless the last commit was just now.
    fn commit_done(&mut self) -> Result<(), StreamError> {
        if !self.rest().is_zero() {
            return Ok(());
        }
        let mut done = Vec::new();
        while let Some(flight) = self.intake.flights.front_mut()
            && flight.is_done()
            && let Some(flight) = self.intake.flights.pop_front()
        {
            done.push(flight);
            if D::REST.is_zero() {
                // Nothing is spared by more at once.
                break;
            }
        }
        self.commit(done, true)
    }

    /// Commits batches, which are done; `reads_on` tells whether the loop reads while it waits.
    pub(super) fn commit(
        &mut self,
        flights: Vec<Flight<D::Batch>>,
        reads_on: bool,
    ) -> Result<(), StreamError> {
        if flights.is_empty() {
            return Ok(());
        }
        let mut next = Offsets::new();
        let mut batches = Vec::with_capacity(flights.len());
        let mut failure = None;
        self.intake.delivering = flights.iter().map(|flight| flight.bytes).sum();
        for flight in flights {
            let offsets = flight.next.clone();
            self.control.metrics.batch_scored(flight.age());
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
            self.deliver(&mut batches, &next, reads_on)?;
        }
        self.intake.delivering = 0;
        failure.map_or(Ok(()), Err)
    }

    /// Refuses a batch with messages that fail where none may.
    fn accepted(&mut self, batch: D::Batch) -> Result<D::Batch, StreamError> {
        if !self.tolerates
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
        reads_on: bool,
    ) -> Result<(), StreamError> {
        let new = self
            .intake
            .places
            .iter()
            .filter(|(_, place)| !place.is_committed);
        let starts = new.map(|(partition, place)| (partition.clone(), place.done));
        let starts = starts.collect();
        let intake = &mut self.intake;
        let mut failure = None;
        let mut meanwhile = |source: &mut dyn Source| {
            if !reads_on || failure.is_some() {
                return SLEEP;
            }
            failure = intake.read_on(source).err();
            intake.pause()
        };
        let began = Instant::now();
        let delivered = self
            .delivery
            .deliver(batches, next, starts, &mut meanwhile)?;
        self.rests_until = Instant::now() + (2 * began.elapsed()).min(D::REST);
        // Who waited may have been woken for what came.
        self.intake.has_more = true;
        if let Delivered::Done(_) = delivered {
            for (partition, offset) in next {
                if let Some(place) = self.intake.places.get_mut(partition) {
                    place.delivered = *offset;
                }
            }
            for batch in batches {
                self.control.metrics.add(batch);
            }
        }
        self.book(delivered)?;
        failure.map_or(Ok(()), Err)
    }

    /// Books what became of what was handed on.
    pub(super) fn book(&mut self, delivered: Delivered) -> Result<(), StreamError> {
        match delivered {
            Delivered::Done(offsets) => {
                for (partition, offset) in &offsets {
                    if let Some(place) = self.intake.places.get_mut(partition) {
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
                let partitions: Vec<Partition> = self.intake.places.keys().cloned().collect();
                // Where the stream is to end, nobody waits for the answer.
                if !self.control.is_stopped() && !partitions.is_empty() {
                    for (partition, start) in self.delivery.source().starts(&partitions)? {
                        if let Some(place) = self.intake.places.get_mut(&partition)
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

    /// Pauses the partitions while too much is held, and reads them again when half of it is gone.
    fn throttle(&mut self) -> Result<(), StreamError> {
        let held = self.intake.held();
        self.control.metrics.holds(held);
        let limit = self.intake.limits.buffer_bytes;
        let partitions = || self.intake.places.keys().cloned().collect::<Vec<_>>();
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

    /// Returns how long nothing is to be handed on yet: twice as long as that took the last time, since each time costs a
    /// broker more than a few messages do, and a broker that is busy takes longer.
    fn rest(&self) -> Duration {
        match self.is_paused || self.intake.is_full() {
            // What is held is to become less.
            true => Duration::ZERO,
            false => self.rests_until.saturating_duration_since(Instant::now()),
        }
    }

    /// Returns how long nothing is to be done, unless something comes.
    fn pause(&mut self) -> Duration {
        let (pause, rest) = (self.intake.pause(), self.rest());
        match self.intake.flights.is_empty() || rest.is_zero() {
            true => pause,
            false => pause.min(rest),
        }
    }

    /// Tells whether there is something to do at once.
    fn can_go_on(&mut self) -> bool {
        let is_done = self.intake.flights.front_mut().is_some_and(Flight::is_done);
        (is_done && self.rest().is_zero())
            || (self.intake.has_room() && (self.intake.has_more || !self.intake.waiting.is_empty()))
    }
}
