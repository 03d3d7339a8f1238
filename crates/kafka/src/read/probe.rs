//! Probes for messages behind an offset, apart from any group.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;

use crate::log::Logged;
use crate::partition::{Offsets, Partition, list_of_offsets};

/// Tells whether a partition holds no committed message at or behind an offset.
///
/// Behind the last message may stand marks of transactions and rows that were compacted, which have offsets of their
/// own. `consumer` is the configuration of the group's consumer; the group is not joined.
///
/// # Errors
/// Where brokers don't answer in time.
pub fn is_at_end(
    consumer: &ClientConfig,
    partition: &Partition,
    offset: i64,
    timeout: Duration,
) -> KafkaResult<bool> {
    let mut config = consumer.clone();
    // librdkafka lets nobody read without the name of a group.
    config.remove("group.instance.id");
    config.remove("group.protocol");
    config.set("enable.partition.eof", "true");
    let consumer: BaseConsumer<Logged> = config.create_with_context(Logged)?;
    let at = Offsets::from([(partition.clone(), offset)]);
    consumer.assign(&list_of_offsets(&at)?)?;
    let began = Instant::now();
    while began.elapsed() < timeout {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(_)) => return Ok(false),
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(true),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
            Some(Err(_)) | None => {}
        }
    }
    Err(KafkaError::MessageConsumption(
        RDKafkaErrorCode::OperationTimedOut,
    ))
}
