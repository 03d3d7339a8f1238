//! Transactions: records that become visible together with offsets, or never (KIP-98, KIP-447).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use crate::log;
use crate::partition::{Offsets, list_of_offsets};

/// How often a retriable call is retried.
const RETRIES: usize = 20;

/// The back-off while librdkafka's queue is full.
const FULL: Duration = Duration::from_millis(1);

/// A record to be sent; no part is copied before it is.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The key, which chooses the partition.
    pub key: Option<&'a [u8]>,
    /// The value; a tombstone has none.
    pub value: Option<&'a [u8]>,
    /// When it was made, in milliseconds since 1970; without one, now.
    pub timestamp: Option<i64>,
    /// The headers, in their order.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

impl Record<'_> {
    /// Returns how many bytes the record takes at most in a batch of one.
    pub fn wire_size(&self) -> usize {
        // Record batches (KIP-98): 61 bytes of batch, at most 7 varints of 10 bytes and an attribute a record.
        const OVERHEAD: usize = 61 + 71;
        let headers = self.headers.iter();
        let headers = headers.map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len) + 20);
        let key = self.key.map_or(0, <[u8]>::len);
        OVERHEAD + key + self.value.map_or(0, <[u8]>::len) + headers.sum::<usize>()
    }
}

/// Why a step of a transaction failed, by what is to be done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransactionError {
    /// Records are refused, and no retry helps: each by the number it was sent with.
    #[error("{} records are refused, the first one because: {}", .0.len(), .0.first().map(|(_, code)| code.to_string()).unwrap_or_default())]
    Refused(Vec<(usize, RDKafkaErrorCode)>),
    /// The transaction is to be aborted; a new one may work.
    #[error("the transaction is to be aborted")]
    Abort(#[source] KafkaError),
    /// The outcome is unknown: only a new producer of the same `transactional.id` can tell.
    #[error("the outcome of the transaction is unknown")]
    Unknown(#[source] KafkaError),
    /// The producer is fenced: another one has the same `transactional.id`, or the transaction timed out.
    #[error("another producer has the same transactional.id, or the transaction timed out")]
    Fenced(#[source] KafkaError),
    /// No retry helps.
    #[error("the producer can't go on")]
    Fatal(#[source] KafkaError),
}

/// The steps of transactions, one after another.
///
/// Every call is bounded in time. It is a trait so that tests can break a rule or end the process at any step.
///
/// # Errors
/// Each variant of [`TransactionError`] says what the caller is to do next.
pub trait TransactionalProducer: Send + 'static {
    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), TransactionError>;

    /// Enqueues a record under a number of the caller's, by which a refusal names it; blocks while the queue is full.
    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError>;

    /// Adds offsets to the transaction, on behalf of a member of a consumer group.
    fn send_offsets(
        &mut self,
        offsets: &Offsets,
        member: &ConsumerGroupMetadata,
    ) -> Result<(), TransactionError>;

    /// Flushes and commits.
    fn commit(&mut self) -> Result<(), TransactionError>;

    /// Aborts; readers of committed records never see what was sent.
    fn abort(&mut self) -> Result<(), TransactionError>;

    /// Replaces the client by a new one of the same `transactional.id`, which fences the old one and aborts what it left open.
    fn renew(&mut self) -> Result<(), TransactionError>;
}

/// A producer of librdkafka's, with transactions or without.
pub struct KafkaProducer {
    /// How the client is made; it holds secrets.
    config: ClientConfig,
    /// None while it can't be renewed.
    client: Option<ThreadedProducer<Deliveries>>,
    /// How long a call may take.
    timeout: Duration,
}

/// How long a refusal may take to be reported after the transaction is at fault for it.
const REPORT: Duration = Duration::from_millis(300);

/// How long the first attempt to abort may take; each further one has twice as long.
const ABORT: Duration = Duration::from_millis(100);

/// How long a call waits that is retried.
const BACK_OFF: Duration = Duration::from_millis(50);

/// How often a flush looks whether every record is acknowledged.
const FLUSH: Duration = Duration::from_micros(500);

/// The records that were refused.
#[derive(Default)]
struct Deliveries {
    /// Whether any was since the transaction began.
    is_refused: AtomicBool,
    refused: Mutex<Vec<(usize, RDKafkaErrorCode)>>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log::error(&error, reason);
    }
}

impl Deliveries {
    fn refused(&self) -> MutexGuard<'_, Vec<(usize, RDKafkaErrorCode)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        if let Err((KafkaError::MessageProduction(code), _)) = result
            && is_of_the_record(*code)
        {
            self.refused().push((number, *code));
            self.is_refused.store(true, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for KafkaProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaProducer").finish_non_exhaustive()
    }
}

impl KafkaProducer {
    /// Makes a producer without transactions, whose records are delivered at least once.
    ///
    /// # Errors
    /// Where librdkafka refuses the configuration.
    pub fn plain(config: ClientConfig, timeout: Duration) -> Result<Self, KafkaError> {
        Ok(Self {
            client: Some(config.create_with_context(Deliveries::default())?),
            config,
            timeout,
        })
    }

    /// Makes a producer with transactions, and fences older ones of the same `transactional.id`: what they had begun to
    /// commit is finished, the rest aborted.
    ///
    /// # Errors
    /// Where librdkafka refuses the configuration, or the brokers the producer.
    pub fn transactional(
        config: ClientConfig,
        timeout: Duration,
    ) -> Result<Self, TransactionError> {
        let producer = Self::plain(config, timeout).map_err(TransactionError::Fatal)?;
        producer.again(|client| client.init_transactions(timeout))?;
        Ok(producer)
    }

    fn client(&self) -> Result<&ThreadedProducer<Deliveries>, TransactionError> {
        let unknown = TransactionError::Unknown(KafkaError::Canceled);
        self.client.as_ref().ok_or(unknown)
    }

    /// Returns the refused records, where they are why a step fails: a refusal puts the whole transaction at fault.
    fn unless_refused(
        &self,
        outcome: Result<(), TransactionError>,
    ) -> Result<(), TransactionError> {
        if let Err(TransactionError::Abort(_) | TransactionError::Unknown(_)) = outcome
            && let Err(refused @ TransactionError::Refused(_)) = self.flush_within(REPORT)
        {
            return Err(refused);
        }
        outcome
    }

    /// Waits until every record is acknowledged.
    ///
    /// # Errors
    /// Where records are refused, or time is up.
    pub fn flush(&self) -> Result<(), TransactionError> {
        self.flush_within(self.timeout)
    }

    /// A record that is refused ends the wait: those behind it in the transaction are not sent any more.
    fn flush_within(&self, timeout: Duration) -> Result<(), TransactionError> {
        // Not by `flush`, which looks again only every tenth of a second where no delivery is reported but a failed one.
        let client = self.client()?;
        let began = Instant::now();
        loop {
            let is_empty = client.in_flight_count() == 0;
            let refused = std::mem::take(&mut *client.context().refused());
            if !refused.is_empty() {
                return Err(TransactionError::Refused(refused));
            }
            if is_empty {
                return Ok(());
            }
            if began.elapsed() >= timeout {
                let late = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(classified(late));
            }
            std::thread::sleep(FLUSH);
        }
    }

    /// Makes a call, and retries it where the error says that it may be.
    fn again(
        &self,
        call: impl Fn(&ThreadedProducer<Deliveries>) -> Result<(), KafkaError>,
    ) -> Result<(), TransactionError> {
        let client = self.client()?;
        for _ in 0..RETRIES {
            match call(client) {
                Err(KafkaError::Transaction(error))
                    if error.is_retriable()
                        && !error.is_fatal()
                        && error.code() != RDKafkaErrorCode::OperationTimedOut =>
                {
                    tracing::debug!(%error, "retried");
                    std::thread::sleep(BACK_OFF);
                }
                Err(error) => return Err(classified(error)),
                Ok(()) => return Ok(()),
            }
        }
        call(client).map_err(classified)
    }

    /// Drops the client on a thread of its own, as that blocks for as long as a broker doesn't answer.
    fn drop_client(&mut self) {
        if let Some(client) = self.client.take() {
            let thread = std::thread::Builder::new().name("kafka-close".to_owned());
            // Without a thread it is dropped here, with the closure.
            let _ = thread.spawn(move || drop(client));
        }
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        self.drop_client();
    }
}

impl TransactionalProducer for KafkaProducer {
    fn begin(&mut self) -> Result<(), TransactionError> {
        let context = self.client()?.context();
        context.refused().clear();
        context.is_refused.store(false, Ordering::Relaxed);
        self.again(Producer::begin_transaction)
    }

    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError> {
        let client = self.client()?;
        let began = Instant::now();
        loop {
            let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
            for (key, value) in record.headers {
                headers = headers.insert(Header { key, value: *value });
            }
            let to_send = BaseRecord::<[u8], [u8], usize> {
                topic: record.topic,
                partition: None,
                payload: record.value,
                key: record.key,
                // librdkafka takes 0 for «now»; a millisecond later is nearer.
                timestamp: record.timestamp.map(|time| time.max(1)),
                headers: Some(headers),
                delivery_opaque: number,
            };
            match client.send(to_send) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    if began.elapsed() > self.timeout {
                        let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
                        return Err(TransactionError::Abort(full));
                    }
                    std::thread::sleep(FULL);
                }
                Err((KafkaError::MessageProduction(code), _)) if is_of_the_record(code) => {
                    return Err(TransactionError::Refused(vec![(number, code)]));
                }
                Err((error, _)) => return self.unless_refused(Err(classified(error))),
            }
        }
    }

    fn send_offsets(
        &mut self,
        offsets: &Offsets,
        member: &ConsumerGroupMetadata,
    ) -> Result<(), TransactionError> {
        let list = list_of_offsets(offsets).map_err(TransactionError::Fatal)?;
        let sent =
            self.again(|client| client.send_offsets_to_transaction(&list, member, self.timeout));
        self.unless_refused(sent)
    }

    fn commit(&mut self) -> Result<(), TransactionError> {
        self.flush()?;
        let committed = self.again(|client| client.commit_transaction(self.timeout));
        self.unless_refused(committed)
    }

    fn abort(&mut self) -> Result<(), TransactionError> {
        let client = self.client()?;
        // An abort before the first record has been acknowledged can be fatal (librdkafka#4849); a refusal is an answer.
        let is_answered = client.context().is_refused.load(Ordering::Relaxed);
        if client.in_flight_count() > 0 && !is_answered {
            // Records that are refused end the flush too.
            let _ = self.flush();
        }
        // What is under way behind a refused record is put back into the queue after the abort has emptied it, and waits
        // there for the abort's end: a call that is made again empties it again.
        let began = Instant::now();
        let mut wait = ABORT;
        loop {
            let left = self.timeout.saturating_sub(began.elapsed());
            match self.again(|client| client.abort_transaction(wait.min(left))) {
                Err(TransactionError::Unknown(KafkaError::Transaction(error)))
                    if error.is_retriable() && left > wait => {}
                outcome => return outcome,
            }
            wait *= 2;
        }
    }

    fn renew(&mut self) -> Result<(), TransactionError> {
        self.drop_client();
        let mut new = Self::transactional(self.config.clone(), self.timeout)?;
        self.client = new.client.take();
        Ok(())
    }
}

/// Tells whether an error is about one record, and stays whoever sends it.
fn is_of_the_record(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::MessageSizeTooLarge
    )
}

/// Classifies an error by what is to be done.
fn classified(error: KafkaError) -> TransactionError {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    let is_fenced = matches!(
        code,
        Some(
            Code::Fenced
                | Code::InvalidProducerEpoch
                | Code::InvalidProducerIdMapping
                | Code::ProducerFenced
                | Code::UnknownProducerId
        )
    );
    let is_hopeless = matches!(
        code,
        Some(
            Code::Authentication
                | Code::ClusterAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::InvalidConfig
                | Code::InvalidTransactionTimeout
                | Code::SaslAuthenticationFailed
                | Code::TopicAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
                | Code::UnsupportedFeature
                | Code::UnsupportedVersion
        )
    );
    match &error {
        _ if is_hopeless => TransactionError::Fatal(error),
        _ if is_fenced => TransactionError::Fenced(error),
        KafkaError::Transaction(inner) if inner.txn_requires_abort() => {
            TransactionError::Abort(error)
        }
        // Fatal for this producer: a new one finds out.
        _ => TransactionError::Unknown(error),
    }
}
