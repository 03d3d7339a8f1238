//! The share of dead letters: a bad deployment must not drain a topic.

use crate::StreamError;
use crate::batch::OutputBatch;

/// How many messages it takes before the share means anything.
const FEWEST: u64 = 100;

/// How many messages count; then older ones count half.
const WINDOW: u64 = 10_000;

/// Holds the share of messages that fail against what is allowed.
#[derive(Debug)]
pub(super) struct DeadLetterRate {
    allowed: f64,
    messages: u64,
    dead: u64,
}

impl DeadLetterRate {
    pub(super) fn new(allowed: f64) -> Self {
        Self {
            allowed,
            messages: 0,
            dead: 0,
        }
    }

    /// Counts a batch.
    ///
    /// # Errors
    /// Where the batch brings the share above what is allowed; it is not to be committed.
    pub(super) fn add(&mut self, batch: &impl OutputBatch) -> Result<(), StreamError> {
        let counts = batch.counts();
        self.messages += counts.messages;
        self.dead += counts.dead;
        // Counts of messages are far below 2^52.
        let share = self.dead as f64 / self.messages.max(1) as f64;
        if self.messages >= FEWEST
            && share > self.allowed
            && let Some([_, (partition, offset, dead)]) = batch.input().first_and_last_dead()
        {
            return Err(StreamError::DeadLetterRate {
                dead: self.dead,
                messages: self.messages,
                rate: self.allowed,
                partition,
                offset,
                source: dead.cause.clone(),
            });
        }
        if self.messages >= WINDOW {
            self.messages /= 2;
            self.dead /= 2;
        }
        Ok(())
    }
}
