//! One transaction of the loop, and what follows when it fails.

use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode;

use super::StreamError;
use super::run::Loop;
use super::scored::{DeadLetter, Scored};
use super::steps::Steps;
use crate::kafka::{Messages, Offsets, Partition, Polled, TransactionError};

/// How many transactions in a row may fail before the stream does.
const SETBACKS: u32 = 10;

/// How often, and in which time, another producer may take our name before the stream ends.
const FENCED: (u32, Duration) = (3, Duration::from_secs(120));

/// How long a new producer waits before it is tried again.
const RENEW: Duration = Duration::from_secs(1);

/// How many messages go into the number of a record beside the number of its batch.
const BATCH: usize = 1 << 32;

/// What has gone wrong lately.
#[derive(Debug, Default)]
pub(super) struct Setbacks {
    /// Transactions that failed since the last that did not.
    in_a_row: u32,
    fenced: Vec<Instant>,
}

impl<S: Steps> Loop<S> {
    /// Sends batches, their dead letters and the offsets behind them in one transaction.
    ///
    /// A record that is refused makes a dead letter of its message, and the rest is sent again. After any other failure
    /// everything is read again from what the group has.
    pub(super) fn transact(
        &mut self,
        batches: &mut [Scored],
        next: Offsets,
    ) -> Result<(), StreamError> {
        self.find_too_large(batches)?;
        loop {
            let began = Instant::now();
            let error = match self.attempt(batches, &next) {
                Ok(()) => {
                    self.setbacks.in_a_row = 0;
                    self.committed(batches, &next, began.elapsed());
                    return Ok(());
                }
                Err(error) => error,
            };
            match error {
                TransactionError::Refused(refused) => {
                    if !self.abort()? {
                        return self.renew();
                    }
                    self.bury(batches, &refused)?;
                }
                TransactionError::Abort(error) => {
                    tracing::warn!(%error, "a transaction is aborted");
                    self.setback(error)?;
                    if !self.abort()? {
                        return self.renew();
                    }
                    self.rewind();
                    return Ok(());
                }
                TransactionError::Unknown(error) => {
                    tracing::warn!(%error, "what became of a transaction is not known");
                    self.setback(error)?;
                    return self.renew();
                }
                TransactionError::Fenced(error) => {
                    tracing::warn!(%error, "the producer is fenced");
                    self.fenced(error)?;
                    return self.renew();
                }
                TransactionError::Fatal(error) => {
                    return Err(StreamError::kafka("the transaction")(error));
                }
            }
        }
    }

    /// Sends everything once.
    fn attempt(&mut self, batches: &[Scored], next: &Offsets) -> Result<(), TransactionError> {
        let offsets = self.with_starts(next);
        self.steps.begin()?;
        let letters = self.options.dead_letters.as_ref();
        for (at, batch) in batches.iter().enumerate() {
            batch.records(letters, |message, record| {
                self.steps.send(record, at * BATCH + message as usize)
            })?;
        }
        self.steps.send_offsets(&offsets)?;
        self.steps.commit()
    }

    /// Adds where partitions begin of which the group has no offset yet, so that a restart begins there too.
    fn with_starts(&self, next: &Offsets) -> Offsets {
        let new = self.places.iter().filter(|(_, place)| !place.is_committed);
        let mut offsets: Offsets = new
            .map(|(partition, place)| (partition.clone(), place.done))
            .collect();
        offsets.extend(
            next.iter()
                .map(|(partition, offset)| (partition.clone(), *offset)),
        );
        offsets
    }

    fn committed(&mut self, batches: &[Scored], next: &Offsets, time: Duration) {
        for place in self.places.values_mut() {
            place.is_committed = true;
        }
        for (partition, offset) in next {
            if let Some(place) = self.places.get_mut(partition) {
                place.done = *offset;
            }
        }
        let metrics = &self.options.control.metrics;
        metrics.committed(next, time);
        for batch in batches {
            metrics.add(batch);
        }
    }

    /// Makes dead letters of messages that have records too large to be sent; a dead letter that is too large itself
    /// ends the stream.
    fn find_too_large(&mut self, batches: &mut [Scored]) -> Result<(), StreamError> {
        let limit = self.steps.max_record();
        let mut too_large = Vec::new();
        for (at, batch) in batches.iter().enumerate() {
            let Ok(()) = batch.records(None, |message, record| {
                if record.wire_size() > limit {
                    too_large.push((
                        at * BATCH + message as usize,
                        RDKafkaErrorCode::MessageSizeTooLarge,
                    ));
                }
                Ok::<_, std::convert::Infallible>(())
            });
        }
        match too_large.is_empty() {
            true => Ok(()),
            false => self.bury(batches, &too_large),
        }
    }

    /// Makes dead letters of messages whose records are refused.
    fn bury(
        &mut self,
        batches: &mut [Scored],
        refused: &[(usize, RDKafkaErrorCode)],
    ) -> Result<(), StreamError> {
        for (number, code) in refused {
            let message = u32::try_from(number % BATCH).unwrap_or(u32::MAX);
            let Some(batch) = batches.get_mut(number / BATCH) else {
                continue;
            };
            let dead = DeadLetter {
                stage: "KAFKA_PRODUCE",
                class: std::any::type_name::<RDKafkaErrorCode>(),
                cause: std::sync::Arc::new(TooLarge(*code)),
            };
            // A message that has failed already has no record left but its dead letter.
            let is_letter = batch.is_dead(message);
            batch.bury(message, dead);
            if (is_letter || !self.options.tolerates)
                && let Some((partition, offset, cause)) = batch.place_of(message)
            {
                let source: super::Cause = match is_letter {
                    true => std::sync::Arc::new(LetterRefused(*code)),
                    false => cause,
                };
                return Err(StreamError::Poison {
                    partition,
                    offset,
                    source,
                });
            }
        }
        Ok(())
    }

    /// Aborts; tells whether that is certain.
    fn abort(&mut self) -> Result<bool, StreamError> {
        self.options.control.metrics.aborted();
        match self.steps.abort() {
            Ok(()) => return Ok(true),
            Err(TransactionError::Fatal(error)) => {
                return Err(StreamError::kafka("aborting a transaction")(error));
            }
            Err(TransactionError::Fenced(error)) => self.fenced(error)?,
            Err(error) => tracing::warn!(%error, "an abort failed"),
        }
        Ok(false)
    }

    /// Makes a new producer, which fences what the old one had under way, and reads again from what the group has then.
    fn renew(&mut self) -> Result<(), StreamError> {
        self.options.control.metrics.renewed();
        loop {
            if self.options.control.is_stopped() {
                self.rewind();
                return Ok(());
            }
            match self.steps.renew() {
                Ok(()) => break,
                Err(TransactionError::Fatal(error)) => {
                    return Err(StreamError::kafka("a new producer")(error));
                }
                Err(TransactionError::Fenced(error)) => self.fenced(error)?,
                Err(error) => {
                    tracing::warn!(%error, "a new producer can't begin; it is tried again")
                }
            }
            self.keep_membership()?;
            std::thread::park_timeout(RENEW);
        }
        self.reread()
    }

    /// Takes what the group has as what is done.
    fn reread(&mut self) -> Result<(), StreamError> {
        let partitions: Vec<Partition> = self.places.keys().cloned().collect();
        if !partitions.is_empty() {
            for (partition, start) in self.steps.starts(&partitions)? {
                if let Some(place) = self.places.get_mut(&partition)
                    && start.is_committed
                {
                    place.done = start.offset;
                    place.is_committed = true;
                }
            }
        }
        self.rewind();
        Ok(())
    }

    /// Polls, so that the group keeps this member; messages are read again later.
    fn keep_membership(&mut self) -> Result<(), StreamError> {
        let mut dropped = Messages::default();
        loop {
            match self.steps.poll(&mut dropped)? {
                Polled::Nothing => return Ok(()),
                Polled::Rebalance(rebalance) => self.rebalances.push_back(rebalance),
                Polled::Message | Polled::End(_) => {}
            }
            if dropped.len() > 1000 {
                return Ok(());
            }
        }
    }

    /// Counts a failure; too many in a row end the stream.
    fn setback(&mut self, error: rdkafka::error::KafkaError) -> Result<(), StreamError> {
        self.setbacks.in_a_row += 1;
        if self.setbacks.in_a_row > SETBACKS {
            let what = format!("{SETBACKS} transactions in a row failed; the last one");
            return Err(StreamError::kafka(what)(error));
        }
        Ok(())
    }

    fn fenced(&mut self, error: rdkafka::error::KafkaError) -> Result<(), StreamError> {
        let (times, span) = FENCED;
        self.setbacks.fenced.retain(|at| at.elapsed() < span);
        self.setbacks.fenced.push(Instant::now());
        if self.setbacks.fenced.len() >= times as usize {
            return Err(StreamError::Fenced {
                id: self.steps.identity().to_owned(),
                source: error,
            });
        }
        Ok(())
    }
}

/// A record that is refused.
#[derive(Debug, thiserror::Error)]
#[error("an output can't be sent: {0}")]
struct TooLarge(RDKafkaErrorCode);

/// A dead letter that is refused.
#[derive(Debug, thiserror::Error)]
#[error("its dead letter can't be sent: {0}")]
struct LetterRefused(RDKafkaErrorCode);
