//! A steady load, and how long its outputs take to be there for readers of committed records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::Offset;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::json;

use super::client::{Failure, PATIENCE, client, reader};
use super::fill::send;

/// How often messages are sent.
const TICK: Duration = Duration::from_millis(2);

/// Latencies are counted in milliseconds, those above this one together.
const MOST: usize = 60_000;

/// What is sent.
pub(crate) struct Load {
    /// Messages a second.
    pub(crate) rate: f64,
    pub(crate) seconds: f64,
    /// Seconds at the beginning whose latencies are not counted.
    pub(crate) warm_up: f64,
}

/// Sends messages to a topic at a steady rate, and waits for the output of each in another.
///
/// Returns, as JSON, how many there were and the latencies in milliseconds, from a message's timestamp to the reader.
pub(crate) fn load(
    brokers: &str,
    from: &str,
    to: &str,
    lines: &[String],
    load: &Load,
) -> Result<String, Failure> {
    let producer: ThreadedProducer<DefaultProducerContext> = client(brokers)
        .set("partitioner", "murmur2_random")
        .create()?;
    let (consumer, _) = reader(brokers, to, Offset::End)?;
    let next = |wait: Duration| match consumer.poll(wait) {
        Some(Ok(message)) => Ok(Some(message)),
        None | Some(Err(KafkaError::PartitionEOF(_))) => Ok(None),
        Some(Err(error)) => Err(error),
    };
    // The pipeline reads where an output has come.
    let began = Instant::now();
    let mut extra = 0;
    let mut came = 0;
    while came == 0 {
        send(&producer, from, extra, &lines[0])?;
        extra += 1;
        came = u64::from(next(Duration::from_millis(200))?.is_some());
        if began.elapsed() > PATIENCE {
            return Err(format!("{to} has no record within {PATIENCE:?}").into());
        }
    }
    let counted = now() + millis(load.warm_up);
    let has_failed = AtomicBool::new(false);
    let mut latencies = vec![0_u64; MOST + 1];
    let sent = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            // What a thread gives back must be sendable.
            let sent = offer(&producer, from, lines, load).map_err(|error| error.to_string());
            has_failed.store(sent.is_err(), Ordering::Release);
            sent
        });
        let mut silent = Instant::now();
        loop {
            if let Some(message) = next(Duration::from_millis(100))? {
                silent = Instant::now();
                came += 1;
                let made = message.timestamp().to_millis().ok_or("no timestamp")?;
                if made >= counted {
                    let latency = usize::try_from(now() - made).unwrap_or(0);
                    latencies[latency.min(MOST)] += 1;
                }
            } else if silent.elapsed() > Duration::from_secs(5) && sending.is_finished() {
                break;
            } else if silent.elapsed() > PATIENCE || has_failed.load(Ordering::Acquire) {
                return Err::<_, Failure>(format!("{to} is silent").into());
            }
        }
        let sent = sending.join().map_err(|_| "the sending thread panicked")?;
        Ok(sent? + extra as u64)
    })?;
    if sent != came {
        return Err(format!("{sent} messages were sent, {came} outputs came").into());
    }
    let percentile = |share: f64| percentile(&latencies, share);
    let found = json!({
        "messages": sent,
        "p50": percentile(0.5),
        "p99": percentile(0.99),
        "p999": percentile(0.999),
        "max": percentile(1.0),
    });
    Ok(format!("{found}\n"))
}

/// Sends for as long as is asked for; what is late is sent at once, and the clock does not wait for it.
fn offer(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    lines: &[String],
    load: &Load,
) -> Result<u64, Failure> {
    let mut number = 0;
    let mut lines = lines.iter().cycle();
    let began = Instant::now();
    let mut tick = began;
    while began.elapsed().as_secs_f64() < load.seconds {
        let due = (began.elapsed().as_secs_f64() * load.rate) as usize;
        while number < due {
            send(producer, topic, number, lines.next().ok_or("no line")?)?;
            number += 1;
        }
        tick += TICK;
        std::thread::sleep(tick.saturating_duration_since(Instant::now()));
    }
    producer.flush(PATIENCE)?;
    Ok(number as u64)
}

fn percentile(latencies: &[u64], share: f64) -> usize {
    let all: u64 = latencies.iter().sum();
    let wanted = (all as f64 * share).ceil() as u64;
    let mut seen = 0;
    let place = latencies.iter().position(|count| {
        seen += count;
        seen >= wanted
    });
    place.unwrap_or(MOST)
}

/// Returns the milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}
