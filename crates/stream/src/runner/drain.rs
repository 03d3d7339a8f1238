//! Finishing what is in flight within a bound, when partitions are revoked or the stream is stopped.

use std::time::{Duration, Instant};

use super::run::Loop;
use crate::StreamError;
use crate::delivery::Delivery;
use crate::source::Source;
use lexstream_kafka::Partition;

/// How long batches in flight may take to be processed.
pub(super) const FINISH: Duration = Duration::from_secs(5);

/// How much longer their write may take.
const WRITE: Duration = Duration::from_secs(2);

impl<S: Source, D: Delivery> Loop<S, D> {
    /// Makes durable what is in flight of partitions, or of all; tells whether it is all durable by the deadline.
    pub(super) fn drain(
        &mut self,
        partitions: Option<&[Partition]>,
        deadline: Instant,
    ) -> Result<bool, StreamError> {
        loop {
            if !self.settle_until(deadline + WRITE)? || self.uncommitted.rewinding.is_some() {
                return Ok(false);
            }
            // Writes are in order, so that what comes before is waited for too.
            let last = self.uncommitted.in_flight.iter().rposition(|batch| {
                partitions.is_none_or(|partitions| {
                    partitions.iter().any(|partition| batch.holds(partition))
                })
            });
            let Some(last) = last else { break };
            let mut done = Vec::new();
            while done.len() <= last
                && let Some(batch) = self.uncommitted.in_flight.front_mut()
                && batch.wait_until(deadline)
            {
                done.extend(self.uncommitted.in_flight.pop_front());
            }
            if done.is_empty() {
                return Ok(false);
            }
            self.write(done)?;
        }
        let mut unflushed = self.unflushed(|_| true);
        unflushed
            .retain(|partition| partitions.is_none_or(|partitions| partitions.contains(partition)));
        if unflushed.is_empty() {
            return Ok(true);
        }
        self.flush(unflushed);
        let is_settled = self.settle_until(deadline + WRITE)?;
        Ok(is_settled && self.uncommitted.rewinding.is_none())
    }

    /// Stops: what can be finished in time is made durable.
    pub(super) fn stop(&mut self) -> Result<(), StreamError> {
        tracing::info!("the stream is stopped");
        self.drain(None, Instant::now() + FINISH)?;
        // What is written is flushed, though a batch behind it would have taken longer.
        let unflushed = self.unflushed(|_| true);
        if self.under_way.is_none() && !unflushed.is_empty() {
            self.flush(unflushed);
            self.settle_until(Instant::now() + WRITE)?;
        }
        Ok(())
    }
}
