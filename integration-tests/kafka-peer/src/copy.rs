//! Copies a topic: one thread reads, sends and commits.

use std::collections::BTreeSet;

use rdkafka::error::KafkaError;
use rdkafka::message::Message;

use super::client::{Failure, PATIENCE, partitions};
use super::transaction::Transactions;

/// Copies a topic up to its present end.
pub(crate) fn copy(
    brokers: &str,
    from: &str,
    to: &str,
    group: &str,
    size: usize,
) -> Result<(), Failure> {
    let all = Transactions::try_new(brokers, from, to, group)?;
    let mut open = all.open(size);
    let mut left: BTreeSet<i32> = partitions(&all.consumer, from)?.into_iter().collect();
    while !left.is_empty() {
        match all.consumer.poll(PATIENCE) {
            Some(Ok(message)) => {
                open.send(&message, message.payload())?;
                open.commit_full()?;
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                left.remove(&partition);
            }
            Some(Err(error)) => return Err(error.into()),
            None => {}
        }
    }
    open.commit()
}
