//! Partitions that come and go, and going back to what is durable.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::drain::FINISH;
use super::partition_state::PartitionState;
use super::run::Loop;
use crate::StreamError;
use crate::delivery::Delivery;
use crate::source::{Position, Source};
use lexstream_kafka::{Offsets, Partition, Rebalance};

/// How long a seek is retried before the stream fails.
const SEEK: Duration = Duration::from_secs(60);

impl<S: Source, D: Delivery> Loop<S, D> {
    /// Does what the group wants, in order; an assignment waits for what is under way, whose offsets it would miss.
    pub(super) fn rebalance(&mut self) -> Result<(), StreamError> {
        if matches!(self.rebalances.back(), Some(Rebalance::Lost(_))) {
            // What the group wanted before, it wants no longer.
            self.rebalances.drain(..self.rebalances.len() - 1);
        }
        while let Some(rebalance) = self.rebalances.pop_front() {
            match rebalance {
                Rebalance::Assigned(_) if self.under_way.is_some() => {
                    self.rebalances.push_front(rebalance);
                    return Ok(());
                }
                Rebalance::Assigned(partitions) => self.assigned(&partitions)?,
                Rebalance::Revoked(partitions) => {
                    tracing::info!(partitions = %Shown(&partitions), "partitions are revoked");
                    let is_drained = self.drain(Some(&partitions), Instant::now() + FINISH)?;
                    self.forget(&partitions, is_drained)?;
                }
                Rebalance::Lost(partitions) => {
                    // Brokers fence what is under way.
                    tracing::warn!(partitions = %Shown(&partitions), "partitions are lost");
                    self.forget(&partitions, false)?;
                }
            }
            self.control.metrics.rebalanced();
        }
        Ok(())
    }

    fn assigned(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        let starts = self.starts(partitions)?;
        let offsets = starts
            .iter()
            .map(|(partition, start)| (partition.clone(), start.offset));
        self.source.assign(&offsets.collect())?;
        self.has_joined = true;
        for (partition, start) in starts {
            let state = PartitionState::new(start);
            self.uncommitted.partitions.insert(partition, state);
        }
        if self.is_paused {
            self.source.pause(partitions)?;
        }
        tracing::info!(partitions = %Shown(partitions), "partitions are assigned");
        self.show_progress();
        self.control.metrics.set_ready(true);
        Ok(())
    }

    /// Returns where partitions begin: behind what the destination says is durable, else where the group says.
    ///
    /// Nothing may be under way.
    pub(super) fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        let asked = partitions.to_vec();
        let durable = self.delivery.call(move |delivery| delivery.durable(&asked));
        let durable = durable.wait()?;
        let others: Vec<_> = partitions
            .iter()
            .filter(|partition| !durable.contains_key(*partition))
            .cloned()
            .collect();
        let mut starts = self.source.starts(&others)?;
        let is_committed = true;
        starts.extend(durable.into_iter().map(|(partition, offset)| {
            let position = Position {
                offset,
                is_committed,
            };
            (partition, position)
        }));
        Ok(starts)
    }

    /// Shows what is read and how far it is durable, to those who watch.
    pub(super) fn show_progress(&self) {
        let partitions = self.uncommitted.partitions.iter();
        let durable = partitions.map(|(partition, state)| (partition.clone(), state.durable));
        self.control.metrics.reads(durable);
    }

    /// Gives partitions up with all that is held of them; where it `is_drained`, no other partition is affected.
    fn forget(&mut self, partitions: &[Partition], is_drained: bool) -> Result<(), StreamError> {
        for partition in partitions {
            self.uncommitted.partitions.remove(partition);
        }
        if is_drained {
            self.uncommitted.drop_queued(partitions);
        } else {
            self.discard(partitions.to_vec());
            self.rewind();
        }
        self.show_progress();
        self.source.unassign(partitions)
    }

    /// Has the delivery drop what it holds of partitions, after what is under way.
    fn discard(&self, partitions: Vec<Partition>) {
        // Nobody waits for it.
        drop(
            self.delivery
                .call(move |delivery| delivery.discard(&partitions)),
        );
    }

    /// Drops everything that is not durable, so that it is read again.
    pub(super) fn rewind(&mut self) {
        self.uncommitted.rewind();
        self.discard(self.uncommitted.partitions.keys().cloned().collect());
    }

    /// Seeks to what is durable, where that is due; what is under way may still become durable, and is waited for.
    pub(super) fn seek(&mut self) -> Result<(), StreamError> {
        let Some(since) = self.uncommitted.rewinding else {
            return Ok(());
        };
        if self.under_way.is_some() {
            self.uncommitted.rewinding = Some(Instant::now());
            return Ok(());
        }
        let mut offsets = Offsets::new();
        for (partition, state) in &mut self.uncommitted.partitions {
            state.rewind();
            offsets.insert(partition.clone(), state.durable);
        }
        let sought = match offsets.is_empty() {
            true => Ok(()),
            false => self.source.seek(&offsets),
        };
        match sought {
            Ok(()) => self.uncommitted.rewinding = None,
            // The group may be about to revoke the partitions.
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
