//! When the records of a topic were appended, by the broker's clock.

use std::collections::BTreeMap;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use serde_json::json;

use super::client::{Failure, PATIENCE, reader};

/// Reads a topic up to its present end; returns how many messages it has.
pub(crate) fn read_all(
    brokers: &str,
    topic: &str,
    mut see: impl FnMut(&BorrowedMessage<'_>) -> Result<(), Failure>,
) -> Result<(BaseConsumer, u64), Failure> {
    let (consumer, partitions) = reader(brokers, topic, Offset::Beginning)?;
    let mut left: std::collections::BTreeSet<i32> = partitions.into_iter().collect();
    let mut count = 0;
    while !left.is_empty() {
        match consumer.poll(PATIENCE) {
            Some(Ok(message)) => {
                count += 1;
                see(&message)?;
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                left.remove(&partition);
            }
            Some(Err(error)) => return Err(error.into()),
            None => return Err(format!("{topic} does not end within {PATIENCE:?}").into()),
        }
    }
    Ok((consumer, count))
}

/// Returns, as JSON, how many committed records a topic has, the times of the first and the last in milliseconds, and
/// the marks of transactions in the partition that has the most of them.
pub(crate) fn span(brokers: &str, topic: &str) -> Result<String, Failure> {
    let mut times = (i64::MAX, i64::MIN);
    let mut of_partition: BTreeMap<i32, i64> = BTreeMap::new();
    let (consumer, records) = read_all(brokers, topic, |message| {
        let time = message.timestamp().to_millis().ok_or("no timestamp")?;
        times = (times.0.min(time), times.1.max(time));
        *of_partition.entry(message.partition()).or_default() += 1;
        Ok(())
    })?;
    let mut transactions = 0;
    for (partition, count) in of_partition {
        let (first, end) = consumer.fetch_watermarks(topic, partition, PATIENCE)?;
        transactions = transactions.max(end - first - count);
    }
    let (first, last) = times;
    let found =
        json!({"records": records, "first": first, "last": last, "transactions": transactions});
    Ok(format!("{found}\n"))
}
