//! Delivery to topics: one transaction after another, and what follows when one fails.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::StreamError;
use super::control::Control;
use super::delivery::{Delivered, Delivery, Meanwhile, Position, Source};
use super::fences::Fences;
use super::scored::Scored;
use super::steps::Steps;
use super::taken::{DeadLetter, DeadLetters};
use lexstream_kafka::{Messages, Offsets, Partition, Polled, Rebalance, TransactionError};

/// How many transactions in a row may fail before the stream does.
const SETBACKS: u32 = 10;

/// How long a new producer waits before it is tried again.
const RENEW: Duration = Duration::from_secs(1);

/// How many messages go into the number of a record beside the number of its batch.
const BATCH: usize = 1 << 32;

/// Sends batches, their dead letters and the offsets behind them in one transaction.
///
/// A record that is refused makes a dead letter of its message, and the rest is sent again. After any other failure
/// everything is read again from what the group has.
#[derive(Debug)]
pub struct Transacted<S> {
    source: Stashing<S>,
    control: Arc<Control>,
    /// Whether messages may fail.
    tolerates: bool,
    /// Where messages that fail go; without it, they are left out.
    letters: Option<DeadLetters>,
    /// Transactions that failed since the last that did not.
    failed_in_a_row: u32,
    fences: Fences,
    /// Messages whose records were refused in a transaction whose end is not known: they come again.
    refused: BTreeMap<(Partition, i64), RDKafkaErrorCode>,
}

impl<S: Steps> Transacted<S> {
    /// Delivers by these steps; `tolerates` says that messages may fail, and `letters` where they go.
    pub fn new(
        steps: S,
        control: Arc<Control>,
        tolerates: bool,
        letters: Option<DeadLetters>,
    ) -> Self {
        Self {
            source: Stashing {
                steps,
                rebalances: VecDeque::new(),
            },
            control,
            tolerates,
            letters,
            failed_in_a_row: 0,
            fences: Fences::default(),
            refused: BTreeMap::new(),
        }
    }

    fn steps(&mut self) -> &mut S {
        &mut self.source.steps
    }

    /// Sends everything once.
    fn attempt(
        &mut self,
        batches: &[Scored],
        offsets: &Offsets,
        meanwhile: Meanwhile<'_>,
    ) -> Result<(), TransactionError> {
        self.source.steps.begin()?;
        for (at, batch) in batches.iter().enumerate() {
            batch.records(self.letters.as_ref(), |message, record| {
                self.source
                    .steps
                    .send(record, at * BATCH + message as usize)
            })?;
        }
        self.source.steps.send_offsets(offsets, meanwhile)?;
        self.source.steps.commit(meanwhile)
    }

    /// Makes dead letters of messages that have records too large to be sent, or refused before.
    fn find_refused(&mut self, batches: &mut [Scored]) -> Result<(), StreamError> {
        let mut again = Vec::new();
        for (at, batch) in batches.iter().enumerate() {
            if self.refused.is_empty() {
                break;
            }
            again.extend((0..batch.len()).filter_map(|message| {
                let code = self.refused.get(&batch.place_of(message))?;
                Some((at * BATCH + message as usize, *code))
            }));
        }
        self.bury(batches, &again)?;
        let limit = self.source.steps.max_record();
        let mut too_large = Vec::new();
        let large = batches.iter().enumerate();
        for (at, batch) in large.filter(|(_, batch)| batch.largest() > limit) {
            let Ok(()) = batch.records(None, |message, record| {
                if record.wire_size() > limit {
                    let number = at * BATCH + message as usize;
                    too_large.push((number, RDKafkaErrorCode::MessageSizeTooLarge));
                }
                Ok::<_, std::convert::Infallible>(())
            });
        }
        self.bury(batches, &too_large)
    }

    /// Makes dead letters of messages whose records are refused; a dead letter that is refused itself ends the stream.
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
            // A message that has failed already has no record left but its dead letter.
            let is_letter = batch.is_dead(message);
            let cause: super::Cause = match is_letter {
                true => Arc::new(LetterRefused(*code)),
                false => Arc::new(OutputRefused(*code)),
            };
            if is_letter || !self.tolerates {
                let (partition, offset) = batch.place_of(message);
                return Err(StreamError::Poison {
                    partition,
                    offset,
                    source: cause,
                });
            }
            let dead = DeadLetter {
                stage: "KAFKA_PRODUCE",
                class: std::any::type_name::<RDKafkaErrorCode>(),
                cause,
            };
            batch.bury(message, dead);
        }
        Ok(())
    }

    /// Keeps in mind what is refused, until it is read again.
    fn remember(&mut self, batches: &[Scored], refused: &[(usize, RDKafkaErrorCode)]) {
        for (number, code) in refused {
            let message = u32::try_from(number % BATCH).unwrap_or(u32::MAX);
            if let Some(batch) = batches.get(number / BATCH) {
                self.refused.insert(batch.place_of(message), *code);
            }
        }
    }

    /// Aborts; tells whether that is certain.
    fn abort(&mut self) -> Result<bool, StreamError> {
        self.control.metrics.aborted();
        match self.steps().abort() {
            Ok(()) => return Ok(true),
            Err(TransactionError::Fatal(error)) => {
                return Err(StreamError::kafka("aborting a transaction")(error));
            }
            Err(TransactionError::Fenced(error)) => self.fenced(error)?,
            Err(error) => tracing::warn!(%error, "an abort failed"),
        }
        Ok(false)
    }

    /// Makes a new producer, which fences what the old one had under way.
    fn renew(&mut self) -> Result<Delivered, StreamError> {
        self.control.metrics.renewed();
        while !self.control.is_stopped() {
            match self.steps().renew() {
                Ok(()) => break,
                Err(TransactionError::Fatal(error)) => {
                    return Err(StreamError::kafka("a new producer")(error));
                }
                Err(TransactionError::Fenced(error)) => self.fenced(error)?,
                Err(error) => {
                    tracing::warn!(%error, "a new producer can't begin; it is tried again");
                }
            }
            self.source.keep_membership()?;
            std::thread::park_timeout(RENEW);
        }
        Ok(Delivered::Unknown)
    }

    /// Counts a failure; too many in a row end the stream.
    fn setback(&mut self, error: KafkaError) -> Result<(), StreamError> {
        self.failed_in_a_row += 1;
        if self.failed_in_a_row > SETBACKS {
            let what = format!("{SETBACKS} transactions in a row failed; the last one");
            return Err(StreamError::kafka(what)(error));
        }
        Ok(())
    }

    fn fenced(&mut self, error: KafkaError) -> Result<(), StreamError> {
        if self.fences.are_of_another() {
            return Err(StreamError::Fenced {
                option: "transactional.id",
                id: self.source.steps.identity().to_owned(),
                source: error,
            });
        }
        Ok(())
    }
}

impl<S: Steps> Delivery for Transacted<S> {
    type Source = Stashing<S>;
    type Batch = Scored;

    const REST: Duration = Duration::from_millis(100);

    fn source(&mut self) -> &mut Stashing<S> {
        &mut self.source
    }

    fn deliver(
        &mut self,
        batches: &mut [Scored],
        next: &Offsets,
        starts: Offsets,
        meanwhile: Meanwhile<'_>,
    ) -> Result<Delivered, StreamError> {
        self.find_refused(batches)?;
        // A restart is to begin where this process has, though nothing has come of a partition yet.
        let mut offsets = starts;
        offsets.extend(
            next.iter()
                .map(|(partition, offset)| (partition.clone(), *offset)),
        );
        loop {
            let began = Instant::now();
            let error = match self.attempt(batches, &offsets, meanwhile) {
                Ok(()) => {
                    self.failed_in_a_row = 0;
                    self.refused.clear();
                    // A living process of the same name is told by the group, too, and for good.
                    self.fences.clear();
                    self.control.metrics.committed(began.elapsed());
                    return Ok(Delivered::Done(offsets));
                }
                Err(error) => error,
            };
            match error {
                TransactionError::Refused(refused) => {
                    if !self.abort()? {
                        if let Some((_, code)) = refused.first() {
                            self.setback(KafkaError::MessageProduction(*code))?;
                        }
                        self.remember(batches, &refused);
                        return self.renew();
                    }
                    self.bury(batches, &refused)?;
                }
                TransactionError::Abort(error) => {
                    tracing::warn!(%error, "a transaction is aborted");
                    self.setback(error)?;
                    return match self.abort()? {
                        true => Ok(Delivered::Refused),
                        false => self.renew(),
                    };
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

    fn tick(&mut self) -> Result<Delivered, StreamError> {
        Ok(Delivered::Done(Offsets::new()))
    }

    fn flush(&mut self, _: &[Partition]) -> Result<Delivered, StreamError> {
        Ok(Delivered::Done(Offsets::new()))
    }

    fn forget(&mut self, _: &[Partition]) {}
}

/// A source that keeps what the group wants while a new producer is waited for.
#[derive(Debug)]
pub struct Stashing<S> {
    steps: S,
    rebalances: VecDeque<Rebalance>,
}

impl<S: Source> Stashing<S> {
    /// Polls, so that the group keeps this member; messages are read again later.
    fn keep_membership(&mut self) -> Result<(), StreamError> {
        /// Enough for now: it is called again.
        const MOST: usize = 1000;
        let mut dropped = Messages::default();
        while dropped.len() < MOST {
            match self.steps.poll(&mut dropped)? {
                Polled::Nothing => break,
                Polled::Rebalance(rebalance) => self.rebalances.push_back(rebalance),
                Polled::Message | Polled::End(_) => {}
            }
        }
        Ok(())
    }
}

impl<S: Source> Source for Stashing<S> {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        match self.rebalances.pop_front() {
            Some(rebalance) => Ok(Polled::Rebalance(rebalance)),
            None => self.steps.poll(messages),
        }
    }

    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        self.steps.starts(partitions)
    }

    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.steps.assign(offsets)
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.steps.unassign(partitions)
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.steps.pause(partitions)
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.steps.resume(partitions)
    }

    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.steps.seek(offsets)
    }

    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError> {
        self.steps.is_at_end(partition, offset)
    }
}

/// A record that is refused.
#[derive(Debug, thiserror::Error)]
#[error("an output can't be sent: {0}")]
struct OutputRefused(RDKafkaErrorCode);

/// A dead letter that is refused.
#[derive(Debug, thiserror::Error)]
#[error("its dead letter can't be sent: {0}")]
struct LetterRefused(RDKafkaErrorCode);
