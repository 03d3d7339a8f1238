//! What the loop hands to the delivery, and what it does with the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::in_flight::InFlight;
use super::run::Loop;
use crate::StreamError;
use crate::batch::OutputBatch;
use crate::delivery::{Delivered, Delivery, Ticket, WriteRequest};
use crate::source::Source;
use lexstream_kafka::{Offsets, Partition};

/// A write or flush that the delivery is busy with.
#[derive(Debug)]
pub(super) struct UnderWay {
    ticket: Ticket<Result<Delivered, StreamError>>,
    /// The offsets behind the batches.
    next: Offsets,
    /// An error of the batch behind them, which ends the stream.
    failure: Option<StreamError>,
    started: Instant,
}

impl<S: Source, D: Delivery> Loop<S, D> {
    /// Writes the batches that are done and have none before them that is not.
    pub(super) fn write_processed(&mut self) -> Result<(), StreamError> {
        if self.under_way.is_some() || !self.until_next_write().is_zero() {
            return Ok(());
        }
        let mut done = Vec::new();
        while let Some(batch) = self.uncommitted.in_flight.front_mut()
            && batch.is_done()
            && let Some(batch) = self.uncommitted.in_flight.pop_front()
        {
            done.push(batch);
            if D::WRITE_PAUSE.is_zero() {
                break;
            }
        }
        self.write(done)
    }

    /// Writes batches that are done, up to the first one with an error.
    pub(super) fn write(&mut self, done: Vec<InFlight<D::Batch>>) -> Result<(), StreamError> {
        let mut next = Offsets::new();
        let mut batches = Vec::with_capacity(done.len());
        let mut failure = None;
        let bytes = done.iter().map(|batch| batch.bytes).sum();
        for batch in done {
            let offsets = batch.next.clone();
            self.control.metrics.batch_processed(batch.age());
            match batch.take().and_then(|batch| self.accepted(batch)) {
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
        if batches.is_empty() {
            return failure.map_or(Ok(()), Err);
        }
        self.uncommitted.writing = bytes;
        self.request(batches, next, failure);
        Ok(())
    }

    /// Refuses a batch with messages that failed, where none may, or too many.
    fn accepted(&mut self, batch: D::Batch) -> Result<D::Batch, StreamError> {
        if !self.tolerates
            && let Some([first, _]) = batch.input().first_and_last_dead()
        {
            return Err(StreamError::poison(first));
        }
        if let Some(rate) = &mut self.rate {
            rate.add(&batch)?;
        }
        Ok(batch)
    }

    /// Hands batches, maybe none, to the delivery, with the offsets behind them.
    pub(super) fn request(
        &mut self,
        mut batches: Vec<D::Batch>,
        next: Offsets,
        failure: Option<StreamError>,
    ) {
        let positions = self.uncommitted.partitions.iter();
        let positions = positions.map(|(partition, state)| (partition.clone(), state.position()));
        let request = WriteRequest {
            next: next.clone(),
            positions: positions.collect(),
            member: self.source.member(),
        };
        let control = Arc::clone(&self.control);
        let ticket = self.delivery.call(move |delivery| {
            let delivered = delivery.write(&mut batches, &request)?;
            if let Delivered::Durable(_) = delivered {
                for batch in &batches {
                    control.metrics.add(batch);
                }
            }
            Ok(delivered)
        });
        self.await_ticket(ticket, next, failure);
    }

    /// Has the delivery make durable what it holds of partitions.
    pub(super) fn flush(&mut self, partitions: Vec<Partition>) {
        let ticket = self
            .delivery
            .call(move |delivery| delivery.flush(&partitions));
        self.await_ticket(ticket, Offsets::new(), None);
    }

    /// Flushes partitions that have waited for long enough.
    pub(super) fn flush_due(&mut self) {
        let interval = self.uncommitted.limits.flush_interval;
        let due = self.unflushed(|since| since.elapsed() >= interval);
        let can_flush = self.under_way.is_none() && self.uncommitted.rewinding.is_none();
        if can_flush && !due.is_empty() {
            self.flush(due);
        }
    }

    /// Returns the partitions of which something is written and not durable since a time that `is_wanted`.
    pub(super) fn unflushed(&self, is_wanted: impl Fn(Instant) -> bool) -> Vec<Partition> {
        let partitions = self.uncommitted.partitions.iter();
        partitions
            .filter(|(_, state)| state.unflushed_since.is_some_and(&is_wanted))
            .map(|(partition, _)| partition.clone())
            .collect()
    }

    fn await_ticket(
        &mut self,
        ticket: Ticket<Result<Delivered, StreamError>>,
        next: Offsets,
        failure: Option<StreamError>,
    ) {
        self.under_way = Some(UnderWay {
            ticket,
            next,
            failure,
            started: Instant::now(),
        });
    }

    /// Books the answer to what is under way, if it is there.
    pub(super) fn settle(&mut self) -> Result<(), StreamError> {
        let answer = self
            .under_way
            .as_ref()
            .and_then(|under_way| under_way.ticket.poll());
        answer.map_or(Ok(()), |answer| self.book(answer))
    }

    /// Waits until nothing is under way, or a deadline; tells whether nothing is.
    pub(super) fn settle_until(&mut self, deadline: Instant) -> Result<bool, StreamError> {
        let Some(under_way) = &self.under_way else {
            return Ok(true);
        };
        match under_way.ticket.wait_until(deadline) {
            Some(answer) => self.book(answer).map(|()| true),
            None => Ok(false),
        }
    }

    /// Books what became of what was under way.
    fn book(&mut self, answer: Result<Delivered, StreamError>) -> Result<(), StreamError> {
        let Some(under_way) = self.under_way.take() else {
            return Ok(());
        };
        self.uncommitted.writing = 0;
        let pause: Duration = 2 * under_way.started.elapsed();
        self.next_write = Instant::now() + pause.min(D::WRITE_PAUSE);
        match answer? {
            Delivered::Durable(offsets) => {
                let partitions = &mut self.uncommitted.partitions;
                for (partition, offset) in &under_way.next {
                    if let Some(state) = partitions.get_mut(partition) {
                        state.wrote(*offset);
                    }
                }
                for (partition, offset) in &offsets {
                    if let Some(state) = partitions.get_mut(partition) {
                        state.committed(*offset);
                    }
                }
                if !offsets.is_empty() {
                    self.show_progress();
                    if !D::COMMITS_OFFSETS {
                        self.source.report(&offsets);
                    }
                }
            }
            Delivered::Aborted => self.rewind(),
            Delivered::Unknown => {
                self.read_positions()?;
                self.rewind();
            }
        }
        under_way.failure.map_or(Ok(()), Err)
    }

    /// Finds out what is durable of the partitions that are read.
    fn read_positions(&mut self) -> Result<(), StreamError> {
        let partitions: Vec<Partition> = self.uncommitted.partitions.keys().cloned().collect();
        // A stream that is to end doesn't wait for the answer.
        if self.control.is_stopped() || partitions.is_empty() {
            return Ok(());
        }
        for (partition, start) in self.starts(&partitions)? {
            if let Some(state) = self.uncommitted.partitions.get_mut(&partition)
                && start.is_committed
            {
                state.committed(start.offset);
            }
        }
        Ok(())
    }
}
