//! How the loop ends: where the topics ended when it began, or when it is asked to.

use std::time::{Duration, Instant};

use super::StreamError;
use super::delivery::{Delivery, Source};
use super::membership::FINISH;
use super::run::Loop;
use lexstream_kafka::Offsets;

/// How often a stream that is to end looks how far others are.
const LOOK: Duration = Duration::from_secs(1);

impl<D: Delivery> Loop<D> {
    /// Tells whether a stream that is to end somewhere has come there, and everything before is done.
    pub(super) fn is_finished(&mut self) -> Result<bool, StreamError> {
        let is_idle = self.intake.flights.is_empty()
            && self.intake.waiting.is_empty()
            && self.intake.filling.is_empty()
            && self.intake.rewinding.is_none();
        let Some(until) = &self.intake.until else {
            return Ok(false);
        };
        if !is_idle || !self.has_joined {
            return Ok(false);
        }
        let mut behind = Offsets::new();
        for (partition, place) in &self.intake.places {
            let Some(end) = until.get(partition).filter(|end| place.delivered < **end) else {
                continue;
            };
            // Behind the last message may stand marks of transactions, which nobody reads. An end is told by its number
            // alone, which partitions of two topics may have.
            let twins = self
                .intake
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
            self.deliver(&mut [], &behind, false)?;
            return Ok(false);
        }
        self.flush_all()?;
        Ok(self.intake.rewinding.is_none() && self.are_others_done()?)
    }

    /// Tells whether what this member does not read is done, by whoever reads it; nobody may, while the group waits for
    /// a member that is gone.
    fn are_others_done(&mut self) -> Result<bool, StreamError> {
        let until = self.intake.until.iter().flatten();
        let others = until.filter(|(partition, _)| !self.intake.places.contains_key(*partition));
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
        let partitions: Vec<_> = self.intake.places.keys().cloned().collect();
        let flushed = self.delivery.flush(&partitions)?;
        self.book(flushed)
    }

    /// Ends: what can be finished in time is committed.
    pub(super) fn finish(&mut self) -> Result<(), StreamError> {
        tracing::info!("the stream ends");
        self.finish_flights(Instant::now() + FINISH, |_| true)?;
        self.flush_all()
    }
}
