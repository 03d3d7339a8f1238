//! The loop itself, and backpressure.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::dead_letter_rate::DeadLetterRate;
use super::in_flight::{InFlight, Process};
use super::uncommitted::Uncommitted;
use super::write::UnderWay;
use crate::StreamError;
use crate::delivery::{Delivery, DeliveryThread};
use crate::metrics::Control;
use crate::source::Source;
use lexstream_kafka::{Offsets, Polled, Rebalance};

/// How long the delivery's thread may take to end; what it has under way then is aborted by the next start.
const CLOSE: Duration = Duration::from_secs(2);

/// Sizes of batches and buffers.
#[derive(Debug, Clone)]
pub(crate) struct FlowLimits {
    /// Messages of a batch.
    pub(crate) batch_messages: usize,
    /// Bytes of a batch; a single larger message is one alone.
    pub(crate) batch_bytes: usize,
    /// How long a batch that is not full waits for more.
    pub(crate) linger: Duration,
    /// Batches that are processed at once.
    pub(crate) batches_in_flight: usize,
    /// The high-water mark: bytes of messages and their results above which partitions are paused.
    pub(crate) buffer_bytes: usize,
    /// How long what is written may wait to be flushed.
    pub(crate) flush_interval: Duration,
}

/// What a loop is made from.
pub(crate) struct LoopOptions<B> {
    pub(crate) limits: FlowLimits,
    /// Processes a batch.
    pub(crate) process: Process<B>,
    /// Where batches are processed.
    pub(crate) runtime: Handle,
    /// What the loop shares with those who watch it.
    pub(crate) control: Arc<Control>,
    /// Whether messages may fail; else the first one that does ends the stream.
    pub(crate) tolerates: bool,
    /// The share of messages that may fail.
    pub(crate) dead_letter_rate: Option<f64>,
    /// Where the stream ends: an offset for every partition, whoever reads it.
    pub(crate) until: Option<Offsets>,
}

/// Runs a pipeline until it is stopped, comes to its end or fails.
///
/// The calling thread polls the source and never blocks on a broker for long: batches are processed on `options.runtime`
/// and delivered on a thread of their own. What was not committed is read again by whoever comes next.
///
/// # Errors
/// The first error that no retry helps.
pub(crate) fn run<S: Source, D: Delivery>(
    source: S,
    delivery: D,
    options: LoopOptions<D::Batch>,
) -> Result<(), StreamError> {
    let mut running = Loop::try_new(source, delivery, options)?;
    let outcome = running.work();
    // Before the source leaves its group: what is under way speaks for the member.
    running.delivery.close(CLOSE);
    outcome
}

/// The loop; all of its state can be lost.
pub(super) struct Loop<S, D: Delivery> {
    pub(super) source: S,
    pub(super) delivery: DeliveryThread<D>,
    /// The write or flush that the delivery is busy with.
    pub(super) under_way: Option<UnderWay>,
    pub(super) uncommitted: Uncommitted<D::Batch>,
    pub(super) control: Arc<Control>,
    pub(super) tolerates: bool,
    pub(super) rate: Option<DeadLetterRate>,
    /// Rebalances that wait for what is under way.
    pub(super) rebalances: VecDeque<Rebalance>,
    /// Whether partitions are paused.
    pub(super) is_paused: bool,
    /// Whether partitions have been assigned once.
    pub(super) has_joined: bool,
    /// When the offsets of other members were last read.
    pub(super) others_read: Option<Instant>,
    /// Nothing is written before.
    pub(super) next_write: Instant,
}

impl<S: Source, D: Delivery> Loop<S, D> {
    fn try_new(
        source: S,
        delivery: D,
        options: LoopOptions<D::Batch>,
    ) -> Result<Self, StreamError> {
        let control = Arc::clone(&options.control);
        let tolerates = options.tolerates;
        let rate = options.dead_letter_rate.map(DeadLetterRate::new);
        let uncommitted = Uncommitted::new(options);
        Ok(Self {
            source,
            delivery: DeliveryThread::start(delivery, uncommitted.wake.clone())?,
            under_way: None,
            uncommitted,
            control,
            tolerates,
            rate,
            rebalances: VecDeque::new(),
            is_paused: false,
            has_joined: false,
            others_read: None,
            next_write: Instant::now(),
        })
    }

    fn work(&mut self) -> Result<(), StreamError> {
        self.control.run_here();
        loop {
            if self.control.is_stopped() {
                return self.stop();
            }
            self.settle()?;
            self.seek()?;
            self.rebalance()?;
            self.poll()?;
            self.uncommitted.start_batches();
            self.write_processed()?;
            self.flush_due();
            if self.is_finished()? {
                return Ok(());
            }
            self.apply_backpressure()?;
            if !self.can_go_on() {
                std::thread::park_timeout(self.sleep());
            }
        }
    }

    /// Polls until the source has nothing, or a batch's worth has come.
    fn poll(&mut self) -> Result<(), StreamError> {
        let mut messages = 0;
        self.uncommitted.has_more = true;
        while messages < self.uncommitted.limits.batch_messages {
            match self.uncommitted.poll(&mut self.source)? {
                Polled::Nothing => {
                    self.uncommitted.has_more = false;
                    break;
                }
                Polled::Message => messages += 1,
                Polled::Rebalance(rebalance) => {
                    self.rebalances.push_back(rebalance);
                    self.rebalance()?;
                }
                Polled::End(_) => {}
            }
        }
        Ok(())
    }

    /// Pauses partitions at the high-water mark, and resumes them at half of it.
    fn apply_backpressure(&mut self) -> Result<(), StreamError> {
        let held = self.uncommitted.bytes();
        self.control.metrics.holds(held);
        let limit = self.uncommitted.limits.buffer_bytes;
        let partitions = || {
            self.uncommitted
                .partitions
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        if !self.is_paused && held >= limit {
            self.source.pause(&partitions())?;
            self.is_paused = true;
        } else if self.is_paused && held <= limit / 2 {
            self.source.resume(&partitions())?;
            self.is_paused = false;
        }
        Ok(())
    }

    /// Returns how long until the next write: twice as long as the last one took, since each costs a broker more than a few
    /// messages do, and a broker that is busy takes longer.
    pub(super) fn until_next_write(&self) -> Duration {
        match self.is_paused || self.uncommitted.is_full() {
            // Buffers are to be freed.
            true => Duration::ZERO,
            false => self.next_write.saturating_duration_since(Instant::now()),
        }
    }

    /// Returns how long the loop may sleep, unless it is woken.
    fn sleep(&mut self) -> Duration {
        let (sleep, pause) = (self.uncommitted.sleep(), self.until_next_write());
        match self.uncommitted.in_flight.is_empty() || pause.is_zero() {
            true => sleep,
            false => sleep.min(pause),
        }
    }

    /// Tells whether there is something to do at once.
    fn can_go_on(&mut self) -> bool {
        let uncommitted = &mut self.uncommitted;
        let is_done = uncommitted
            .in_flight
            .front_mut()
            .is_some_and(InFlight::is_done);
        let can_start =
            uncommitted.has_room() && (uncommitted.has_more || uncommitted.has_queued());
        can_start || (is_done && self.under_way.is_none() && self.until_next_write().is_zero())
    }
}
