//! librdkafka's log, as events of `tracing`.

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// Passes a line of librdkafka's log on.
pub(crate) fn line(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => tracing::error!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

/// Passes an error on that librdkafka gets over by itself.
pub(crate) fn error(error: &KafkaError, reason: &str) {
    match error.rdkafka_error_code() {
        // The end of a partition is none, though librdkafka says it as one.
        Some(RDKafkaErrorCode::PartitionEOF) => {}
        // Its log says it too, once for each broker and not once for each attempt.
        _ if is_outage(error) => tracing::debug!(target: "librdkafka", %error, "{reason}"),
        _ => tracing::warn!(target: "librdkafka", %error, "{reason}"),
    }
}

/// Tells whether a broker can't be reached.
pub(crate) fn is_outage(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
        )
    )
}

/// A client that has nothing of its own to be called for.
pub(crate) struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        line(level, facility, message);
    }

    fn error(&self, reason: KafkaError, message: &str) {
        error(&reason, message);
    }
}

impl ConsumerContext for Logged {}
