//! Fills a topic.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

use super::client::{Failure, PATIENCE, client};

/// Returns the lines of a file: the values of messages.
pub(crate) fn lines(file: &str) -> Result<Vec<String>, Failure> {
    let lines: Vec<String> = std::fs::read_to_string(file)?
        .lines()
        .map(str::to_owned)
        .collect();
    match lines.is_empty() {
        true => Err(format!("{file} has no line").into()),
        false => Ok(lines),
    }
}

/// Sends so many messages, each with a key of its own; the lines are their values again and again.
pub(crate) fn fill(
    brokers: &str,
    topic: &str,
    lines: &[String],
    count: usize,
) -> Result<(), Failure> {
    let producer: ThreadedProducer<DefaultProducerContext> = client(brokers)
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "20")
        .create()?;
    for (number, line) in lines.iter().cycle().take(count).enumerate() {
        send(&producer, topic, number, line)?;
    }
    Ok(producer.flush(PATIENCE)?)
}

/// Sends one message; waits while the queue is full.
pub(crate) fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    number: usize,
    value: &str,
) -> Result<(), Failure> {
    let key = format!("key-{number}");
    let mut record = BaseRecord::to(topic).key(&key).payload(value);
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
