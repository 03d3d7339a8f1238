//! The steps of a stream with a rule broken.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lexstream::kafka::{
    KafkaProducer, Messages, Offsets, Partition, Polled, Record, TransactionError,
    TransactionalProducer,
};
use lexstream::stream::{KafkaSource, Position, Source, StreamError};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;

use super::rule::{Rule, Step};
use crate::binary::signal;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// What the loop's thread and the delivery's share of a rule.
struct Shared {
    rule: Rule,
    /// How often each step has come.
    counts: [AtomicU64; 8],
    /// The offsets behind what has been polled.
    polled: Mutex<Offsets>,
}

/// Makes the calls of a stream's consumer but where a rule says otherwise.
pub(super) struct BrokenSource {
    source: KafkaSource,
    shared: Arc<Shared>,
}

/// Makes the steps of a stream's transactions but where a rule says otherwise.
pub(super) struct BrokenProducer {
    producer: KafkaProducer,
    shared: Arc<Shared>,
    /// The offsets behind what has been written.
    written: Offsets,
    /// Whether the last offsets were ahead of that.
    is_ahead: bool,
    /// What works apart from the stream, where the rule wants it.
    apart: Option<Apart>,
    dead_letters: String,
}

/// A producer, and a consumer that is in no group though it has the group's name.
struct Apart {
    producer: KafkaProducer,
    consumer: BaseConsumer,
}

/// Breaks a rule of a stream's clients, at brokers and in a group.
pub(super) fn broken(
    clients: (KafkaSource, KafkaProducer),
    rule: Rule,
    brokers: &str,
    group: &str,
    dead_letters: &str,
) -> (BrokenSource, BrokenProducer) {
    let wants_apart = matches!(
        rule,
        Rule::OffsetsApart | Rule::DeadLettersApart | Rule::NoMember
    );
    let shared = Arc::new(Shared {
        rule,
        counts: Default::default(),
        polled: Mutex::default(),
    });
    let (source, producer) = clients;
    let source = BrokenSource {
        source,
        shared: Arc::clone(&shared),
    };
    let producer = BrokenProducer {
        producer,
        shared,
        written: Offsets::new(),
        is_ahead: false,
        apart: wants_apart.then(|| Apart::new(brokers, group)),
        dead_letters: dead_letters.to_owned(),
    };
    (source, producer)
}

impl Shared {
    /// Counts a step; returns how often it has come, this time included.
    fn comes(&self, step: Step) -> u64 {
        let count = self.counts[step as usize].fetch_add(1, Ordering::Relaxed) + 1;
        self.dies_at(step, count, false);
        count
    }

    fn is_made(&self, step: Step) {
        self.dies_at(
            step,
            self.counts[step as usize].load(Ordering::Relaxed),
            true,
        );
    }

    fn dies_at(&self, step: Step, count: u64, after: bool) {
        if (Rule::Dies {
            step,
            nth: count,
            after,
        }) == self.rule
        {
            die();
        }
    }

    fn polled(&self) -> MutexGuard<'_, Offsets> {
        self.polled.lock().expect("no thread panics with it")
    }
}

impl BrokenProducer {
    fn apart(&mut self) -> &mut Apart {
        self.apart.as_mut().expect("it is made for such rules")
    }

    /// Returns the producer that makes the transaction: the one apart, where all of it is.
    fn transaction(&mut self) -> &mut KafkaProducer {
        match self.shared.rule {
            Rule::NoMember => &mut self.apart().producer,
            _ => &mut self.producer,
        }
    }

    fn aborts_here(&self, count: u64) -> bool {
        let aborts = matches!(
            self.shared.rule,
            Rule::Aborts | Rule::ForgetsToRewind | Rule::DeadLettersApart
        );
        aborts && count.is_multiple_of(2)
    }
}

impl Apart {
    fn new(brokers: &str, group: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers);
        let consumer = config.clone().set("group.id", group).create();
        config.set("transactional.id", format!("{group}-apart"));
        Self {
            producer: KafkaProducer::transactional(config, CALL).expect("a producer"),
            consumer: consumer.expect("a consumer"),
        }
    }

    fn send_offsets(&mut self, offsets: &Offsets) -> Result<(), TransactionError> {
        let member = self.consumer.group_metadata().expect("a group's name");
        self.producer.send_offsets(offsets, &member)
    }
}

/// Ends this process as nothing else does.
fn die() {
    signal(std::process::id(), "KILL");
    // The signal may take a moment.
    loop {
        std::thread::park();
    }
}

impl Source for BrokenSource {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        let polled = self.source.poll(messages)?;
        if polled == Polled::Message {
            let last = messages.at(messages.len() - 1);
            self.shared
                .polled()
                .insert(last.origin(), last.offset() + 1);
        }
        Ok(polled)
    }

    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        self.shared.comes(Step::Starts);
        let starts = self.source.starts(partitions)?;
        self.shared.is_made(Step::Starts);
        Ok(starts)
    }

    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.shared.comes(Step::Assign);
        self.source.assign(offsets)?;
        self.shared.is_made(Step::Assign);
        Ok(())
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.source.unassign(partitions)
    }

    fn pause(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.source.pause(partitions)
    }

    fn resume(&mut self, partitions: &[Partition]) -> Result<(), StreamError> {
        self.source.resume(partitions)
    }

    fn seek(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.shared.comes(Step::Seek);
        if self.shared.rule != Rule::ForgetsToRewind {
            self.source.seek(offsets)?;
        }
        self.shared.is_made(Step::Seek);
        Ok(())
    }

    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError> {
        self.source.is_at_end(partition, offset)
    }

    fn member(&self) -> Option<ConsumerGroupMetadata> {
        self.source.member()
    }

    fn report(&mut self, durable: &Offsets) {
        self.source.report(durable);
    }
}

impl TransactionalProducer for BrokenProducer {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.shared.comes(Step::Begin);
        self.transaction().begin()?;
        self.shared.is_made(Step::Begin);
        Ok(())
    }

    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError> {
        self.shared.comes(Step::Send);
        if self.shared.rule == Rule::DeadLettersApart && record.topic == self.dead_letters {
            let producer = &mut self.apart().producer;
            producer.begin()?;
            producer.send(record, number)?;
            producer.commit()?;
        } else {
            self.transaction().send(record, number)?;
        }
        self.shared.is_made(Step::Send);
        Ok(())
    }

    fn send_offsets(
        &mut self,
        offsets: &Offsets,
        member: &ConsumerGroupMetadata,
    ) -> Result<(), TransactionError> {
        let count = self.shared.comes(Step::SendOffsets);
        if self.aborts_here(count) {
            return Err(TransactionError::Abort(KafkaError::Canceled));
        }
        let rule = self.shared.rule;
        if matches!(rule, Rule::Sleeps | Rule::NoMember) && count == 3 {
            signal(std::process::id(), "STOP");
        }
        match rule {
            Rule::OffsetsApart => {
                let apart = self.apart();
                apart.producer.begin()?;
                apart.send_offsets(offsets)?;
                apart.producer.commit()?;
                if count == 3 {
                    die();
                }
            }
            Rule::CommitsPosition => {
                self.written.extend(offsets.clone());
                let polled = self.shared.polled().clone();
                self.is_ahead = polled.iter().any(|(partition, offset)| {
                    self.written
                        .get(partition)
                        .is_none_or(|written| written < offset)
                });
                self.producer.send_offsets(&polled, member)?;
            }
            Rule::NoMember => self.apart().send_offsets(offsets)?,
            _ => self.producer.send_offsets(offsets, member)?,
        }
        self.shared.is_made(Step::SendOffsets);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        let count = self.shared.comes(Step::Commit);
        self.transaction().commit()?;
        let dies = match self.shared.rule {
            // Where all that was polled has been written, nothing is lost yet.
            Rule::CommitsPosition => count >= 2 && self.is_ahead,
            Rule::ForgetsToRewind => count == 2,
            Rule::NoMember => count == 3,
            _ => false,
        };
        if dies {
            die();
        }
        self.shared.is_made(Step::Commit);
        Ok(())
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.shared.comes(Step::Abort);
        self.transaction().abort()?;
        self.shared.is_made(Step::Abort);
        match self.shared.rule {
            Rule::AbortsInVain => Err(TransactionError::Unknown(KafkaError::Canceled)),
            _ => Ok(()),
        }
    }

    fn renew(&mut self) -> Result<(), TransactionError> {
        self.producer.renew()
    }
}
