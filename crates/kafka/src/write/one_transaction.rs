//! One transaction of a producer of its own, for a query.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};

use crate::client_error::ClientError;
use crate::options::TopicOptions;
use crate::reported_errors::{ReportedErrors, may_pass};

/// How long a step of the transaction may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one attempt waits before events are served again.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How long an abort may take; the brokers do it by themselves when the transaction has lasted too long.
const ABORT: Duration = Duration::from_secs(10);

/// Writes records to one topic in one transaction.
///
/// Dropping it aborts what is not committed. It blocks on the brokers: own it on a thread that may.
pub struct OneTransaction {
    producer: BaseProducer<ReportedErrors>,
    reported: ReportedErrors,
    brokers: String,
    topic: String,
    is_open: bool,
}

impl fmt::Debug for OneTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTransaction")
            .field("topic", &self.topic)
            .field("is_open", &self.is_open)
            .finish_non_exhaustive()
    }
}

/// What is written.
#[derive(Debug)]
pub struct NewRecord<'a, H> {
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; a tombstone has none.
    pub value: Option<&'a [u8]>,
    /// Milliseconds since 1970; none is the time of writing.
    pub timestamp: Option<i64>,
    /// Headers in their order.
    pub headers: H,
}

impl OneTransaction {
    /// Begins a transaction with a unique id.
    ///
    /// # Errors
    /// Where the options or the brokers refuse, or brokers don't answer.
    pub fn begin(options: &TopicOptions, topic: &str) -> Result<Self, ClientError> {
        let mut config = options.producer();
        let random = RandomState::new().hash_one(std::process::id());
        let id = format!("{}-insert-{random:016x}", options.transactional_id_prefix());
        config.set("transactional.id", id);
        // Records that wait to be sent are held in memory.
        const QUEUE: &str = "queue.buffering.max.kbytes";
        if !options.is_set(QUEUE) {
            config.set(QUEUE, "65536");
        }
        let reported = ReportedErrors::default();
        let producer: BaseProducer<_> =
            config
                .create_with_context(reported.clone())
                .map_err(|source| ClientError::Options {
                    brokers: options.brokers().to_owned(),
                    source,
                })?;
        let mut transaction = Self {
            producer,
            reported,
            brokers: options.brokers().to_owned(),
            topic: topic.to_owned(),
            is_open: false,
        };
        transaction.retried("begin", |producer| producer.init_transactions(ATTEMPT))?;
        let begun = transaction.producer.begin_transaction();
        begun.map_err(|source| transaction.failed("begin", source))?;
        transaction.is_open = true;
        Ok(transaction)
    }

    /// Enqueues a record; blocks while the queue is full.
    ///
    /// # Errors
    /// Where this record or one before it can't be delivered.
    pub fn send<'a>(
        &mut self,
        record: NewRecord<'_, impl Iterator<Item = (&'a str, Option<&'a [u8]>)>>,
    ) -> Result<(), ClientError> {
        let topic = self.topic.clone();
        let mut new = BaseRecord::<[u8], [u8]>::to(&topic);
        new.key = record.key;
        new.payload = record.value;
        new.timestamp = record.timestamp;
        let headers = record.headers.fold(None, |headers, (key, value)| {
            let headers: OwnedHeaders = headers.unwrap_or_default();
            Some(headers.insert(Header { key, value }))
        });
        new.headers = headers;
        loop {
            self.producer.poll(Duration::ZERO);
            if let Some(source) = self.reported.undelivered() {
                return Err(self.failed("send", source));
            }
            match self.producer.send(new) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), same)) => {
                    // What is on its way is delivered or fails within message.timeout.ms.
                    new = same;
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((source, _)) => return Err(self.failed("send", source)),
            }
        }
    }

    /// Flushes and commits.
    ///
    /// # Errors
    /// Where nothing was written, or the outcome is unknown ([`ClientError::Unanswered`]).
    pub fn commit(mut self) -> Result<(), ClientError> {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(10));
            if let Some(source) = self.reported.undelivered() {
                return Err(self.failed("send", source));
            }
        }
        let started = Instant::now();
        loop {
            let Err(source) = self.producer.commit_transaction(ATTEMPT) else {
                self.is_open = false;
                return Ok(());
            };
            let is_retriable = match &source {
                KafkaError::Transaction(error) => error.is_retriable(),
                other => other.rdkafka_error_code().is_some_and(may_pass),
            };
            if is_retriable && started.elapsed() < PATIENCE {
                continue;
            }
            if is_retriable {
                // To abort now could be to abort what was committed.
                self.is_open = false;
                let topic = self.topic.clone();
                return Err(ClientError::Unanswered { topic, source });
            }
            return Err(self.failed("commit", source));
        }
    }

    fn retried(
        &self,
        step: &'static str,
        attempt: impl Fn(&BaseProducer<ReportedErrors>) -> KafkaResult<()>,
    ) -> Result<(), ClientError> {
        let started = Instant::now();
        loop {
            let Err(source) = attempt(&self.producer) else {
                return Ok(());
            };
            self.producer.poll(Duration::ZERO);
            if let Some((_, reason)) = self.reported.lasting() {
                let brokers = self.brokers.clone();
                return Err(ClientError::Lasting { brokers, reason });
            }
            let is_retriable = match &source {
                KafkaError::Transaction(error) => error.is_retriable(),
                _ => false,
            };
            if !is_retriable || started.elapsed() >= PATIENCE {
                return Err(self.failed(step, source));
            }
        }
    }

    /// Returns the error of a step; why a record was not delivered comes before what followed from it.
    fn failed(&self, step: &'static str, source: KafkaError) -> ClientError {
        ClientError::Transaction {
            topic: self.topic.clone(),
            step,
            source: self.reported.undelivered().unwrap_or(source),
        }
    }
}

impl Drop for OneTransaction {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        self.producer.purge(PurgeConfig::default().queue());
        let started = Instant::now();
        // An abort waits for delivery reports, and serves none.
        while let Err(error) = self.producer.abort_transaction(Duration::from_millis(500)) {
            let is_retriable =
                matches!(&error, KafkaError::Transaction(error) if error.is_retriable());
            if !is_retriable || started.elapsed() >= ABORT {
                tracing::warn!(
                    "{}: the brokers will abort the transaction: {error}",
                    self.topic
                );
                return;
            }
            self.producer.poll(Duration::from_millis(100));
        }
    }
}
