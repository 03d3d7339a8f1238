//! What a client says when something is wrong, kept until an error is made of it.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::statistics::Statistics;

/// The context of a client that reads or writes for one query; clones share what was said.
#[derive(Debug, Clone, Default)]
pub(super) struct Complaints(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    last: Option<(RDKafkaErrorCode, String)>,
    delivery: Option<KafkaError>,
}

impl Complaints {
    /// Returns what was said last.
    pub(super) fn last(&self) -> Option<String> {
        self.with(|said| said.last.as_ref().map(|(_, reason)| reason.clone()))
    }

    /// Returns what was said last if waiting doesn't mend it.
    pub(super) fn lasting(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.with(|said| said.last.clone().filter(|(code, _)| !may_pass(*code)))
    }

    /// Returns why the first record that was not delivered was not.
    pub(super) fn undelivered(&self) -> Option<KafkaError> {
        self.with(|said| said.delivery.clone())
    }

    fn with<T>(&self, read: impl FnOnce(&mut Said) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells whether librdkafka goes on trying by itself after an error.
pub(super) fn may_pass(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::BrokerNotAvailable
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::LeaderNotAvailable
            | RDKafkaErrorCode::MessageTimedOut
            | RDKafkaErrorCode::NetworkException
            | RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::WaitingForCoordinator
    )
}

impl ClientContext for Complaints {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(facility, "{message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(facility, "{message}"),
        }
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.with(|said| {
                // That all brokers are away says less than why the last one is.
                if code != RDKafkaErrorCode::AllBrokersDown || said.last.is_none() {
                    said.last = Some((code, reason.to_owned()));
                }
            });
        }
    }
}

impl ConsumerContext for Complaints {}

impl ProducerContext for Complaints {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.with(|said| said.delivery.get_or_insert_with(|| error.clone()).clone());
        }
    }
}
