//! Errors that a client reports in the background, kept to explain a call that fails for them.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::statistics::Statistics;

use super::log;

/// The context of a client that reads or writes for one query; clones share the errors.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReportedErrors(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    last: Option<(RDKafkaErrorCode, String)>,
    delivery: Option<KafkaError>,
}

impl ReportedErrors {
    /// Returns the last error.
    pub(crate) fn last(&self) -> Option<String> {
        self.with(|said| said.last.as_ref().map(|(_, reason)| reason.clone()))
    }

    /// Returns the last error, if no retry helps.
    pub(crate) fn lasting(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.with(|said| said.last.clone().filter(|(code, _)| !may_pass(*code)))
    }

    /// Returns why the first record that was not delivered was not.
    pub(crate) fn undelivered(&self) -> Option<KafkaError> {
        self.with(|said| said.delivery.clone())
    }

    fn with<T>(&self, read: impl FnOnce(&mut Said) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells whether librdkafka retries by itself after an error.
pub(crate) fn may_pass(code: RDKafkaErrorCode) -> bool {
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

impl ClientContext for ReportedErrors {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log::line(level, facility, message);
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

impl ConsumerContext for ReportedErrors {}

impl ProducerContext for ReportedErrors {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.with(|said| said.delivery.get_or_insert_with(|| error.clone()).clone());
        }
    }
}
