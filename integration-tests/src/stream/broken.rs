//! The steps of a stream with a rule broken.

use std::collections::BTreeMap;
use std::time::Duration;

use lexstream::kafka::{
    Messages, Offsets, Partition, Polled, Record, TransactionError, Transactions,
};
use lexstream::stream::{KafkaSteps, Meanwhile, Position, Source, Steps, StreamError};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use super::rule::{Rule, Step};
use crate::binary::signal;

/// How long a wait may last before it is looked whether it is over.
const WAIT: Duration = Duration::from_millis(10);

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// Makes the steps of a stream but where a rule says otherwise.
pub(super) struct Broken {
    steps: KafkaSteps,
    rule: Rule,
    /// How often each step has come.
    counts: [u64; 8],
    /// Behind what has been read, done or not.
    read: Offsets,
    /// Behind what has been handed on.
    done: Offsets,
    /// What works apart from the stream, where the rule wants it.
    apart: Option<Apart>,
    dead_letters: String,
}

/// A producer, and a consumer that is in no group though it has the group's name.
struct Apart {
    producer: Transactions,
    consumer: BaseConsumer,
}

impl Broken {
    /// Breaks a rule of the steps, at brokers and in a group.
    pub(super) fn new(
        steps: KafkaSteps,
        rule: Rule,
        brokers: &str,
        group: &str,
        dead_letters: &str,
    ) -> Self {
        let wants_apart = matches!(
            rule,
            Rule::OffsetsApart | Rule::DeadLettersApart | Rule::NoMember
        );
        let id = format!("{}-apart", steps.identity());
        Self {
            steps,
            rule,
            counts: [0; 8],
            read: Offsets::new(),
            done: Offsets::new(),
            apart: wants_apart.then(|| Apart::new(brokers, group, &id)),
            dead_letters: dead_letters.to_owned(),
        }
    }

    /// Counts a step; returns how often it has come, this time included.
    fn comes(&mut self, step: Step) -> u64 {
        let count = &mut self.counts[step as usize];
        *count += 1;
        let count = *count;
        self.dies_at(step, count, false);
        count
    }

    fn is_made(&self, step: Step) {
        self.dies_at(step, self.counts[step as usize], true);
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

    /// Tells whether it has read more than has been handed on.
    fn is_ahead(&self) -> bool {
        let mut read = self.read.iter();
        read.any(|(partition, offset)| self.done.get(partition).is_none_or(|done| done < offset))
    }

    fn apart(&self) -> &Apart {
        self.apart.as_ref().expect("it is made for such rules")
    }

    /// Tells whether all of the transaction is made by the producer apart.
    fn is_all_apart(&self) -> bool {
        self.rule == Rule::NoMember
    }

    fn aborts_here(&self, count: u64) -> bool {
        let aborts = matches!(
            self.rule,
            Rule::Aborts | Rule::ForgetsToRewind | Rule::DeadLettersApart
        );
        aborts && count.is_multiple_of(2)
    }
}

impl Apart {
    fn new(brokers: &str, group: &str, id: &str) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers);
        let consumer = config.clone().set("group.id", group).create();
        config.set("transactional.id", id);
        let producer = Transactions::try_new(&config, CALL).expect("a producer");
        producer.init().expect("a producer");
        Self {
            producer,
            consumer: consumer.expect("a consumer"),
        }
    }

    fn send_offsets(&self, offsets: &Offsets) -> Result<(), TransactionError> {
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

impl Source for Broken {
    fn poll(&mut self, messages: &mut Messages) -> Result<Polled, StreamError> {
        let polled = self.steps.poll(messages)?;
        if polled == Polled::Message {
            let last = messages.at(messages.len() - 1);
            self.read.insert(last.origin(), last.offset() + 1);
        }
        Ok(polled)
    }

    fn starts(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Position>, StreamError> {
        self.comes(Step::Starts);
        let starts = self.steps.starts(partitions)?;
        self.is_made(Step::Starts);
        Ok(starts)
    }

    fn assign(&mut self, offsets: &Offsets) -> Result<(), StreamError> {
        self.comes(Step::Assign);
        self.steps.assign(offsets)?;
        self.is_made(Step::Assign);
        Ok(())
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
        self.comes(Step::Seek);
        if self.rule != Rule::ForgetsToRewind {
            self.steps.seek(offsets)?;
        }
        self.is_made(Step::Seek);
        Ok(())
    }

    fn is_at_end(&mut self, partition: &Partition, offset: i64) -> Result<bool, StreamError> {
        self.steps.is_at_end(partition, offset)
    }
}

impl Steps for Broken {
    fn begin(&mut self) -> Result<(), TransactionError> {
        self.comes(Step::Begin);
        if self.is_all_apart() {
            self.apart().producer.begin()?;
        } else {
            self.steps.begin()?;
        }
        self.is_made(Step::Begin);
        Ok(())
    }

    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError> {
        self.comes(Step::Send);
        if self.is_all_apart() {
            self.apart().producer.send(record, number)?;
        } else if self.rule == Rule::DeadLettersApart && record.topic == self.dead_letters {
            let apart = self.apart();
            apart.producer.begin()?;
            apart.producer.send(record, number)?;
            apart.producer.commit()?;
        } else {
            self.steps.send(record, number)?;
        }
        self.is_made(Step::Send);
        Ok(())
    }

    fn send_offsets(
        &mut self,
        offsets: &Offsets,
        meanwhile: Meanwhile<'_>,
    ) -> Result<(), TransactionError> {
        let count = self.comes(Step::SendOffsets);
        if self.aborts_here(count) {
            return Err(TransactionError::Abort(KafkaError::Canceled));
        }
        if matches!(self.rule, Rule::Sleeps | Rule::NoMember) && count == 3 {
            signal(std::process::id(), "STOP");
        }
        match self.rule {
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
                let read = self.read.clone();
                self.done.extend(offsets.clone());
                // What is read while it waits is not known here.
                self.steps.send_offsets(&read, &mut |_| WAIT)?;
            }
            Rule::NoMember => self.apart().send_offsets(offsets)?,
            _ => self.steps.send_offsets(offsets, meanwhile)?,
        }
        self.is_made(Step::SendOffsets);
        Ok(())
    }

    fn commit(&mut self, meanwhile: Meanwhile<'_>) -> Result<(), TransactionError> {
        let count = self.comes(Step::Commit);
        if self.is_all_apart() {
            self.apart().producer.commit()?;
        } else if self.rule == Rule::CommitsPosition {
            self.steps.commit(&mut |_| WAIT)?;
        } else {
            self.steps.commit(meanwhile)?;
        }
        let dies = match self.rule {
            // Where all that it has read is done, nothing is lost yet.
            Rule::CommitsPosition => count >= 2 && self.is_ahead(),
            Rule::ForgetsToRewind => count == 2,
            Rule::NoMember => count == 3,
            _ => false,
        };
        if dies {
            die();
        }
        self.is_made(Step::Commit);
        Ok(())
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        self.comes(Step::Abort);
        if self.is_all_apart() {
            self.apart().producer.abort()?;
        } else {
            self.steps.abort()?;
        }
        self.is_made(Step::Abort);
        match self.rule {
            Rule::AbortsInVain => Err(TransactionError::Unknown(KafkaError::Canceled)),
            _ => Ok(()),
        }
    }

    fn renew(&mut self) -> Result<(), TransactionError> {
        self.steps.renew()
    }

    fn identity(&self) -> &str {
        self.steps.identity()
    }

    fn max_record(&self) -> usize {
        self.steps.max_record()
    }
}
