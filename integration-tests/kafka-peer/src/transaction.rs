//! Records and offsets in transactions, as a plain program has them.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use super::client::{Failure, PATIENCE, client};

/// Sends what comes of messages of one topic to another; commits after so many messages.
pub(crate) struct Transactions<'a> {
    pub(crate) consumer: BaseConsumer,
    producer: ThreadedProducer<DefaultProducerContext>,
    from: &'a str,
    to: &'a str,
}

/// A transaction.
pub(crate) struct Open<'a> {
    all: &'a Transactions<'a>,
    /// Messages of a transaction.
    size: usize,
    count: usize,
    /// The offsets behind the messages; none where none is open.
    next: BTreeMap<i32, i64>,
}

impl<'a> Transactions<'a> {
    pub(crate) fn try_new(
        brokers: &str,
        from: &'a str,
        to: &'a str,
        group: &str,
    ) -> Result<Self, Failure> {
        let producer: ThreadedProducer<DefaultProducerContext> = client(brokers)
            .set("transactional.id", format!("peer-{group}"))
            .set("partitioner", "murmur2_random")
            .create()?;
        producer.init_transactions(PATIENCE)?;
        let consumer: BaseConsumer = client(brokers)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .create()?;
        consumer.subscribe(&[from])?;
        Ok(Self {
            consumer,
            producer,
            from,
            to,
        })
    }

    pub(crate) fn open(&'a self, size: usize) -> Open<'a> {
        Open {
            all: self,
            size,
            count: 0,
            next: BTreeMap::new(),
        }
    }
}

impl Open<'_> {
    /// Sends a message's output, with its key, its timestamp, its headers and where it comes from.
    pub(crate) fn send(
        &mut self,
        message: &BorrowedMessage<'_>,
        value: Option<&[u8]>,
    ) -> Result<(), Failure> {
        let producer = &self.all.producer;
        if self.next.is_empty() {
            producer.begin_transaction()?;
        }
        self.next.insert(message.partition(), message.offset() + 1);
        self.count += 1;
        let partition = message.partition().to_string();
        let offset = message.offset().to_string();
        let inherited = message.headers();
        let count = inherited.map_or(0, Headers::count);
        let mut headers = OwnedHeaders::new_with_capacity(count + 3);
        for header in inherited.into_iter().flat_map(Headers::iter) {
            headers = headers.insert(header);
        }
        for (key, value) in [
            ("lexstream.source.topic", self.all.from),
            ("lexstream.source.partition", &partition),
            ("lexstream.source.offset", &offset),
        ] {
            let value = Some(value);
            headers = headers.insert(Header { key, value });
        }
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(self.all.to).headers(headers);
        record.key = message.key();
        record.payload = value;
        record.timestamp = message.timestamp().to_millis();
        loop {
            match producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    std::thread::sleep(Duration::from_millis(1));
                    record = back;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Commits, if enough has been sent.
    pub(crate) fn commit_full(&mut self) -> Result<(), Failure> {
        match self.count >= self.size {
            true => self.commit(),
            false => Ok(()),
        }
    }

    /// Commits what has been sent, if anything has.
    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        if self.next.is_empty() {
            return Ok(());
        }
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in std::mem::take(&mut self.next) {
            offsets.add_partition_offset(self.all.from, partition, Offset::Offset(offset))?;
        }
        let member = self.all.consumer.group_metadata().ok_or("no member")?;
        let producer = &self.all.producer;
        producer.send_offsets_to_transaction(&offsets, &member, PATIENCE)?;
        producer.commit_transaction(PATIENCE)?;
        self.count = 0;
        Ok(())
    }
}
