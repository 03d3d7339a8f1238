//! What the group wants of the loop: partitions that come and go, and reading again from what is done.

use std::fmt;
use std::time::{Duration, Instant};

use super::StreamError;
use super::delivery::{Delivery, Source};
use super::flight::Flight;
use super::intake::Place;
use super::run::Loop;
use lexstream_kafka::{Messages, Offsets, Partition, Rebalance};

/// How long what is under way may take to be finished, when partitions are given up or the stream is to end.
pub(super) const FINISH: Duration = Duration::from_secs(5);

/// How long a seek is tried again before the stream gives up.
const SEEK: Duration = Duration::from_secs(60);

impl<D: Delivery> Loop<D> {
    /// Does what the group wants.
    pub(super) fn rebalance(&mut self, rebalance: Rebalance) -> Result<(), StreamError> {
        self.control.metrics.rebalanced();
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
                self.forget(&partitions, is_done && self.intake.rewinding.is_none())
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
            self.intake.places.insert(partition, Place::new(start));
        }
        if self.is_paused {
            self.delivery.source().pause(partitions)?;
        }
        tracing::info!(partitions = %Shown(partitions), "partitions are read");
        self.tell();
        self.control.metrics.set_ready(true);
        Ok(())
    }

    /// Notes what is read, for those who watch.
    pub(super) fn tell(&self) {
        let places = self.intake.places.iter();
        let done = places.map(|(partition, place)| (partition.clone(), place.done));
        self.control.metrics.reads(done);
    }

    /// Gives partitions up, and drops what is held of them; `is_done` says that none of it is under way.
    fn forget(&mut self, partitions: &[Partition], is_done: bool) -> Result<(), StreamError> {
        for partition in partitions {
            self.intake.places.remove(partition);
        }
        self.delivery.forget(partitions);
        if is_done {
            let is_kept = |topic: &str, number| {
                !partitions
                    .iter()
                    .any(|partition| *partition.topic == *topic && partition.number == number)
            };
            self.intake.filling.retain(is_kept);
            for messages in &mut self.intake.waiting {
                messages.retain(is_kept);
            }
            self.intake.waiting.retain(|messages| !messages.is_empty());
        } else {
            self.rewind();
        }
        self.tell();
        self.delivery.source().unassign(partitions)
    }

    /// Waits for batches, those up to the last that `concerns` takes, and commits them; tells whether time sufficed.
    pub(super) fn finish_flights(
        &mut self,
        until: Instant,
        concerns: impl Fn(&Flight<D::Batch>) -> bool,
    ) -> Result<bool, StreamError> {
        let Some(last) = self.intake.flights.iter().rposition(concerns) else {
            return Ok(true);
        };
        let mut done = Vec::new();
        for _ in 0..=last {
            if !self
                .intake
                .flights
                .front_mut()
                .is_some_and(|flight| flight.wait(until))
            {
                break;
            }
            done.extend(self.intake.flights.pop_front());
        }
        let is_all = done.len() == last + 1;
        // Of what is read now, some may be about to be given up.
        self.commit(done, false)?;
        // A transaction that was aborted has rewound everything.
        Ok(is_all && self.intake.rewinding.is_none())
    }

    /// Drops everything that is held, so that it is read again from what the group has.
    pub(super) fn rewind(&mut self) {
        self.intake.flights.clear();
        self.intake.waiting.clear();
        self.intake.filling = Messages::default();
        let partitions: Vec<_> = self.intake.places.keys().cloned().collect();
        self.delivery.forget(&partitions);
        for place in self.intake.places.values_mut() {
            place.next = place.done;
            place.delivered = place.done;
            place.is_at_end = false;
        }
        self.intake.rewinding.get_or_insert_with(Instant::now);
    }

    /// Reads on from elsewhere, where that is wanted.
    pub(super) fn seek(&mut self) -> Result<(), StreamError> {
        let Some(since) = self.intake.rewinding else {
            return Ok(());
        };
        let places = self.intake.places.iter();
        let offsets: Offsets = places
            .map(|(partition, place)| (partition.clone(), place.done))
            .collect();
        let sought = match offsets.is_empty() {
            true => Ok(()),
            false => self.delivery.source().seek(&offsets),
        };
        match sought {
            Ok(()) => self.intake.rewinding = None,
            // The group may be about to say that the partitions are no longer ours.
            Err(error) if since.elapsed() < SEEK => tracing::debug!(%error, "seek"),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Partitions, as a log line shows them.
struct Shown<'a>(&'a [Partition]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, partition) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{partition}")?;
        }
        Ok(())
    }
}
