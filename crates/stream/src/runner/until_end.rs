//! `--until-end`: whether everything up to where the topics ended is durable.

use std::time::{Duration, Instant};

use super::run::Loop;
use crate::StreamError;
use crate::delivery::Delivery;
use crate::source::Source;
use lexstream_kafka::Offsets;

/// How often the offsets of other members are read.
const LOOK: Duration = Duration::from_secs(1);

impl<S: Source, D: Delivery> Loop<S, D> {
    /// Tells whether a stream that is to end somewhere has come there, and everything before is durable.
    pub(super) fn is_finished(&mut self) -> Result<bool, StreamError> {
        let Some(until) = &self.uncommitted.until else {
            return Ok(false);
        };
        let is_idle = self.under_way.is_none()
            && self.uncommitted.is_empty()
            && self.uncommitted.rewinding.is_none()
            && self.has_joined;
        if !is_idle {
            return Ok(false);
        }
        let mut behind = Offsets::new();
        let partitions = &self.uncommitted.partitions;
        for (partition, state) in partitions {
            let Some(end) = until.get(partition).filter(|end| state.written < **end) else {
                continue;
            };
            // Behind the last message may stand marks of transactions, which nobody reads. An end is told by its number
            // alone, which partitions of two topics may have.
            let twins = partitions.keys();
            let twins = twins.filter(|other| other.number == partition.number);
            let is_at_end = state.is_at_end
                && (twins.count() == 1 || self.source.is_at_end(partition, state.written)?);
            if !is_at_end {
                return Ok(false);
            }
            behind.insert(partition.clone(), *end);
        }
        if !behind.is_empty() {
            self.request(Vec::new(), behind, None);
            return Ok(false);
        }
        let unflushed = self.unflushed(|_| true);
        if !unflushed.is_empty() {
            self.flush(unflushed);
            return Ok(false);
        }
        self.are_others_done()
    }

    /// Tells whether the partitions of other members are done too; while the group waits for a member that is gone, nobody
    /// may read them.
    fn are_others_done(&mut self) -> Result<bool, StreamError> {
        let until = self.uncommitted.until.iter().flatten();
        let others = until.filter(|(other, _)| !self.uncommitted.partitions.contains_key(*other));
        let others: Offsets = others
            .map(|(partition, end)| (partition.clone(), *end))
            .collect();
        if others.is_empty() {
            return Ok(true);
        }
        if self.others_read.is_some_and(|read| read.elapsed() < LOOK) {
            return Ok(false);
        }
        let partitions: Vec<_> = others.keys().cloned().collect();
        let starts = self.starts(&partitions)?;
        for (partition, end) in &others {
            let offset = starts.get(partition).map_or(0, |start| start.offset);
            if offset < *end && !self.source.is_at_end(partition, offset)? {
                self.others_read = Some(Instant::now());
                return Ok(false);
            }
        }
        Ok(true)
    }
}
