//! Delivery to topics: one transaction after another, and recovery when one fails.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::{Delivered, Delivery, WriteRequest};
use crate::batch::{DeadLetter, DeadLetterTarget, OutputBatch, OutputRecords};
use crate::metrics::Control;
use crate::recent_fences::RecentFences;
use crate::{Cause, StreamError};
use lexstream_kafka::{Offsets, Partition, TransactionError, TransactionalProducer};

/// How many transactions in a row may fail before the stream does.
const MAX_FAILURES: u32 = 10;

/// The back-off between attempts to renew the producer.
const BACK_OFF: Duration = Duration::from_secs(1);

/// A record's number is its batch's position times this, and its message's position.
const BATCH: usize = 1 << 32;

/// What is known of a pipeline between topics.
#[derive(Debug, Clone)]
pub(crate) struct TransactionOptions {
    /// The `transactional.id`, which only one living producer has.
    pub(crate) id: String,
    /// The bytes of the largest record that the producer sends.
    pub(crate) max_record: usize,
    /// Whether messages may fail.
    pub(crate) tolerates: bool,
    /// Where messages that fail go; without it, they are left out.
    pub(crate) dead_letters: Option<DeadLetterTarget>,
}

/// Sends batches, their dead letters and the offsets behind them in one transaction.
///
/// A message with a refused record becomes a dead letter, and the rest is sent again. After any other failure everything
/// is read again from what the group has.
#[derive(Debug)]
pub(crate) struct TransactionalDelivery<P> {
    producer: P,
    options: TransactionOptions,
    control: Arc<Control>,
    failed_in_a_row: u32,
    fences: RecentFences,
    /// Messages whose records were refused in a transaction of unknown outcome: they are read again.
    refused: BTreeMap<(Partition, i64), RDKafkaErrorCode>,
}

impl<P: TransactionalProducer> TransactionalDelivery<P> {
    /// Delivers by a producer.
    pub(crate) fn new(producer: P, options: TransactionOptions, control: Arc<Control>) -> Self {
        Self {
            producer,
            options,
            control,
            failed_in_a_row: 0,
            fences: RecentFences::default(),
            refused: BTreeMap::new(),
        }
    }

    /// Makes one transaction.
    fn attempt(
        &mut self,
        batches: &[OutputRecords],
        offsets: &Offsets,
        request: &WriteRequest,
    ) -> Result<(), TransactionError> {
        let Some(member) = &request.member else {
            // Without a generation nothing would be fenced.
            return Err(TransactionError::Abort(KafkaError::Canceled));
        };
        let producer = &mut self.producer;
        producer.begin()?;
        for (at, batch) in batches.iter().enumerate() {
            batch.records(self.options.dead_letters.as_ref(), |message, record| {
                producer.send(record, at * BATCH + message as usize)
            })?;
        }
        producer.send_offsets(offsets, member)?;
        producer.commit()
    }

    /// Rejects messages with records that are too large to be sent, or were refused before.
    fn find_refused(&mut self, batches: &mut [OutputRecords]) -> Result<(), StreamError> {
        let limit = self.options.max_record;
        let mut found = Vec::new();
        for (at, batch) in batches.iter().enumerate() {
            if !self.refused.is_empty() {
                for (number, message) in batch.input().messages.iter().enumerate() {
                    let code = self.refused.get(&(message.origin(), message.offset()));
                    found.extend(code.map(|code| (at * BATCH + number, *code)));
                }
            }
            if batch.largest() > limit {
                let Ok(()) = batch.records(None, |message, record| {
                    if record.wire_size() > limit {
                        let number = at * BATCH + message as usize;
                        found.push((number, RDKafkaErrorCode::MessageSizeTooLarge));
                    }
                    Ok::<_, Infallible>(())
                });
            }
        }
        // A message may have been found twice; a dead letter counts as refused only when it was sent.
        found.sort_unstable_by_key(|(number, _)| *number);
        found.dedup_by_key(|(number, _)| *number);
        self.reject(batches, &found)
    }

    /// Turns messages with refused records into dead letters; a dead letter that is refused itself ends the stream.
    fn reject(
        &mut self,
        batches: &mut [OutputRecords],
        refused: &[(usize, RDKafkaErrorCode)],
    ) -> Result<(), StreamError> {
        for (number, code) in refused {
            let message = u32::try_from(number % BATCH).unwrap_or(u32::MAX);
            let Some(batch) = batches.get_mut(number / BATCH) else {
                continue;
            };
            // A message that has failed already has no record left but its dead letter.
            let is_letter = batch.input().dead.contains_key(&message);
            let cause: Cause = match is_letter {
                true => Arc::new(LetterRefused(*code)),
                false => Arc::new(OutputRefused(*code)),
            };
            if is_letter || !self.options.tolerates {
                let (partition, offset) = batch.input().origin(message);
                return Err(StreamError::Poison {
                    partition,
                    offset,
                    source: cause,
                });
            }
            let dead = DeadLetter {
                stage: "KAFKA_PRODUCE",
                class: "lexstream.ProduceError",
                cause,
            };
            batch.reject(message, dead);
        }
        Ok(())
    }

    /// Remembers messages with refused records until they are read again.
    fn remember(&mut self, batches: &[OutputRecords], refused: &[(usize, RDKafkaErrorCode)]) {
        for (number, code) in refused {
            let message = u32::try_from(number % BATCH).unwrap_or(u32::MAX);
            if let Some(batch) = batches.get(number / BATCH) {
                self.refused.insert(batch.input().origin(message), *code);
            }
        }
    }

    /// Aborts; tells whether that is certain.
    fn abort(&mut self) -> Result<bool, StreamError> {
        self.control.metrics.aborted();
        match self.producer.abort() {
            Ok(()) => return Ok(true),
            Err(TransactionError::Fatal(error)) => {
                return Err(StreamError::kafka("aborting a transaction")(error));
            }
            Err(TransactionError::Fenced(error)) => self.fenced(error)?,
            Err(error) => tracing::warn!(%error, "an abort failed"),
        }
        Ok(false)
    }

    /// Renews the producer, which fences what the old one had under way; retried until the stream is stopped.
    fn renew(&mut self) -> Result<Delivered, StreamError> {
        self.control.metrics.renewed();
        while !self.control.is_stopped() {
            match self.producer.renew() {
                Ok(()) => break,
                Err(TransactionError::Fatal(error)) => {
                    return Err(StreamError::kafka("a new producer")(error));
                }
                Err(TransactionError::Fenced(error)) => self.fenced(error)?,
                Err(error) => {
                    tracing::warn!(%error, "the producer can't be renewed yet");
                }
            }
            std::thread::park_timeout(BACK_OFF);
        }
        Ok(Delivered::Unknown)
    }

    /// Counts a failure; too many in a row end the stream.
    fn count_failure(&mut self, error: KafkaError) -> Result<(), StreamError> {
        self.failed_in_a_row += 1;
        if self.failed_in_a_row > MAX_FAILURES {
            let what = format!("{MAX_FAILURES} transactions in a row failed; the last one");
            return Err(StreamError::kafka(what)(error));
        }
        Ok(())
    }

    fn fenced(&mut self, error: KafkaError) -> Result<(), StreamError> {
        if self.fences.are_of_another() {
            return Err(StreamError::Fenced {
                option: "transactional.id",
                id: self.options.id.clone(),
                source: error,
            });
        }
        Ok(())
    }
}

impl<P: TransactionalProducer> Delivery for TransactionalDelivery<P> {
    type Batch = OutputRecords;

    const WRITE_PAUSE: Duration = Duration::from_millis(100);

    const COMMITS_OFFSETS: bool = true;

    fn durable(&mut self, _: &[Partition]) -> Result<Offsets, StreamError> {
        Ok(Offsets::new())
    }

    fn write(
        &mut self,
        batches: &mut [OutputRecords],
        request: &WriteRequest,
    ) -> Result<Delivered, StreamError> {
        self.find_refused(batches)?;
        // A restart is to begin where this process has, though nothing has come of a partition yet.
        let new = request.positions.iter();
        let new = new.filter(|(_, position)| !position.is_committed);
        let mut offsets: Offsets = new
            .map(|(partition, position)| (partition.clone(), position.offset))
            .collect();
        offsets.extend(request.next.clone());
        loop {
            let started = Instant::now();
            let error = match self.attempt(batches, &offsets, request) {
                Ok(()) => {
                    self.failed_in_a_row = 0;
                    self.refused.clear();
                    // A living process of the same name is told by the group, too, and for good.
                    self.fences.clear();
                    self.control.metrics.committed(started.elapsed());
                    return Ok(Delivered::Durable(offsets));
                }
                Err(error) => error,
            };
            match error {
                TransactionError::Refused(refused) => {
                    if !self.abort()? {
                        if let Some((_, code)) = refused.first() {
                            self.count_failure(KafkaError::MessageProduction(*code))?;
                        }
                        self.remember(batches, &refused);
                        return self.renew();
                    }
                    self.reject(batches, &refused)?;
                }
                TransactionError::Abort(error) => {
                    tracing::warn!(%error, "a transaction is aborted");
                    self.count_failure(error)?;
                    return match self.abort()? {
                        true => Ok(Delivered::Aborted),
                        false => self.renew(),
                    };
                }
                TransactionError::Unknown(error) => {
                    tracing::warn!(%error, "the outcome of a transaction is unknown");
                    self.count_failure(error)?;
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

    fn flush(&mut self, _: &[Partition]) -> Result<Delivered, StreamError> {
        Ok(Delivered::Durable(Offsets::new()))
    }

    fn discard(&mut self, _: &[Partition]) {}
}

/// A record that is refused.
#[derive(Debug, thiserror::Error)]
#[error("an output can't be sent: {0}")]
struct OutputRefused(RDKafkaErrorCode);

/// A dead letter that is refused.
#[derive(Debug, thiserror::Error)]
#[error("its dead letter can't be sent: {0}")]
struct LetterRefused(RDKafkaErrorCode);
