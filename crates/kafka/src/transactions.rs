//! A producer whose records appear together with offsets, or not at all (KIP-98, KIP-447).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::log;
use super::partition::{Offsets, list_of_offsets};

/// How often a call is made again that says it may be.
const RETRIES: usize = 20;

/// How long a record waits for room in librdkafka's queue before it is tried again.
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
    /// Records can't be written, whoever tries again: each by the number it was sent with.
    #[error("{} records are refused, the first one because: {}", .0.len(), .0.first().map(|(_, code)| code.to_string()).unwrap_or_default())]
    Refused(Vec<(usize, RDKafkaErrorCode)>),
    /// The transaction is to be aborted; a new one may work.
    #[error("the transaction is to be aborted")]
    Abort(#[source] KafkaError),
    /// What became of the transaction is not known: only a new producer of the same name can tell.
    #[error("what became of the transaction is not known")]
    Unknown(#[source] KafkaError),
    /// Another producer of the same name has taken over, or the transaction was open for too long.
    #[error("another producer has the same transactional.id, or the transaction timed out")]
    Fenced(#[source] KafkaError),
    /// Nothing helps.
    #[error("the producer can't go on")]
    Fatal(#[source] KafkaError),
}

/// A transactional producer.
///
/// Every call is bounded by the timeout that it was made with.
pub struct Transactions {
    producer: ThreadedProducer<Deliveries>,
    timeout: Duration,
}

/// How long a record that is refused may be unknown while the transaction is at fault for it.
const REPORT: Duration = Duration::from_millis(300);

/// How long the first call of an abort may take; each further one has twice as long.
const ABORT: Duration = Duration::from_millis(100);

/// How often it is looked whether every record is delivered.
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

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        if let Err((KafkaError::MessageProduction(code), _)) = result
            && is_of_the_record(*code)
        {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.push((number, *code));
            self.is_refused.store(true, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Transactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transactions").finish_non_exhaustive()
    }
}

impl Transactions {
    /// Makes a producer; [`Transactions::init`] comes first.
    pub fn try_new(config: &ClientConfig, timeout: Duration) -> Result<Self, KafkaError> {
        Ok(Self {
            producer: config.create_with_context(Deliveries::default())?,
            timeout,
        })
    }

    /// Fences older producers of the same name, after what they had committed is finished and the rest aborted.
    pub fn init(&self) -> Result<(), TransactionError> {
        self.again(|| self.producer.init_transactions(self.timeout))
    }

    /// Begins a transaction.
    pub fn begin(&self) -> Result<(), TransactionError> {
        self.refused().clear();
        self.producer
            .context()
            .is_refused
            .store(false, Ordering::Relaxed);
        self.again(|| self.producer.begin_transaction())
    }

    /// Sends a record under a number of the caller's; it waits while librdkafka's queue is full.
    pub fn send(&self, record: &Record<'_>, number: usize) -> Result<(), TransactionError> {
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
            match self.producer.send(to_send) {
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

    /// Adds offsets to the transaction, as the member of the group that the metadata tell of.
    pub fn send_offsets(
        &self,
        offsets: &Offsets,
        member: &ConsumerGroupMetadata,
    ) -> Result<(), TransactionError> {
        let list = list_of_offsets(offsets).map_err(TransactionError::Fatal)?;
        let sent = self.again(|| {
            self.producer
                .send_offsets_to_transaction(&list, member, self.timeout)
        });
        self.unless_refused(sent)
    }

    /// Commits, once every record is delivered.
    pub fn commit(&self) -> Result<(), TransactionError> {
        self.flush()?;
        let committed = self.again(|| self.producer.commit_transaction(self.timeout));
        self.unless_refused(committed)
    }

    /// Says which records are refused, where that is why a step fails: a transaction is at fault from the first one on.
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

    /// Waits until every record is delivered, of a producer without a `transactional.id` too.
    pub fn flush(&self) -> Result<(), TransactionError> {
        self.flush_within(self.timeout)
    }

    /// A record that is refused ends the wait: those behind it in the transaction are not sent any more.
    fn flush_within(&self, timeout: Duration) -> Result<(), TransactionError> {
        // Not by `flush`, which looks again only every tenth of a second where no delivery is reported but a failed one.
        let began = Instant::now();
        loop {
            let is_empty = self.producer.in_flight_count() == 0;
            let refused = std::mem::take(&mut *self.refused());
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

    /// Aborts; what was sent is not seen by readers that read committed records.
    pub fn abort(&self) -> Result<(), TransactionError> {
        // An abort before the first record has been acknowledged can be fatal (librdkafka#4849); a refusal is an answer.
        let is_answered = self.producer.context().is_refused.load(Ordering::Relaxed);
        if self.producer.in_flight_count() > 0 && !is_answered {
            // Records that are refused end the flush too.
            let _ = self.flush();
        }
        // What is under way behind a refused record is put back into the queue after the abort has emptied it, and waits
        // there for the abort's end: a call that is made again empties it again.
        let began = Instant::now();
        let mut wait = ABORT;
        loop {
            let left = self.timeout.saturating_sub(began.elapsed());
            match self.again(|| self.producer.abort_transaction(wait.min(left))) {
                Err(TransactionError::Unknown(KafkaError::Transaction(error)))
                    if error.is_retriable() && left > wait => {}
                outcome => return outcome,
            }
            wait *= 2;
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Vec<(usize, RDKafkaErrorCode)>> {
        let refused = self.producer.context().refused.lock();
        refused.unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call, and makes it again where the error says that it may be.
    fn again(&self, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), TransactionError> {
        for _ in 0..RETRIES {
            match call() {
                Err(KafkaError::Transaction(error))
                    if error.is_retriable()
                        && !error.is_fatal()
                        && error.code() != RDKafkaErrorCode::OperationTimedOut =>
                {
                    tracing::debug!(%error, "made again");
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(classified(error)),
                Ok(()) => return Ok(()),
            }
        }
        call().map_err(classified)
    }
}

/// Drops a producer on a thread of its own, as that can take as long as a broker doesn't answer.
pub fn drop_apart(transactions: Transactions) {
    let thread = std::thread::Builder::new().name("kafka-close".to_owned());
    // Without a thread it is dropped here, with the closure.
    let _ = thread.spawn(move || drop(transactions));
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

/// Says what an error asks for.
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
