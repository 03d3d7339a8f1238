//! Errors of queries that read or write topics.

use rdkafka::error::KafkaError;

/// Why topics can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// librdkafka makes no client of the options.
    #[error("{brokers}: no client can be made of the options")]
    Options {
        /// The brokers.
        brokers: String,
        /// Why.
        source: KafkaError,
    },
    /// The topic is not there.
    #[error("{brokers}: no topic `{topic}`{meant}")]
    Missing {
        /// The brokers.
        brokers: String,
        /// The topic.
        topic: String,
        /// The nearest name, as a question.
        meant: String,
    },
    /// No topic's name matches.
    #[error("{brokers}: no topic matches `{pattern}`")]
    NoMatch {
        /// The brokers.
        brokers: String,
        /// The pattern.
        pattern: String,
    },
    /// The brokers did not answer a question.
    #[error("{brokers}: {question} were not told within {seconds} s{said}")]
    NoAnswer {
        /// The brokers.
        brokers: String,
        /// What was asked.
        question: String,
        /// How long was waited.
        seconds: u64,
        /// What the client said meanwhile.
        said: String,
        /// What came of it in the end.
        source: Box<KafkaError>,
    },
    /// The brokers refuse this client.
    #[error("{brokers}: {reason}")]
    Lasting {
        /// The brokers.
        brokers: String,
        /// What the client said.
        reason: String,
    },
    /// A topic can't be read.
    #[error("{place}")]
    Read {
        /// The topic, or `topic[partition]`.
        place: String,
        /// Why.
        source: KafkaError,
    },
    /// No message came.
    #[error("{place}: nothing came for {seconds} s{said}")]
    Stalled {
        /// `topic[partition]@offset` that comes next.
        place: String,
        /// How long was waited.
        seconds: u64,
        /// What the client said meanwhile.
        said: String,
    },
    /// A transaction did not come about.
    #[error("{topic}: {step}: nothing was written")]
    Transaction {
        /// The topic that was written to.
        topic: String,
        /// The step that failed.
        step: &'static str,
        /// Why.
        source: KafkaError,
    },
    /// It is not known whether the brokers committed a transaction.
    #[error("{topic}: the commit was not answered: read the topic before you write again")]
    Unanswered {
        /// The topic that was written to.
        topic: String,
        /// What came of it in the end.
        source: KafkaError,
    },
}

/// Puts what a client said behind an error's message.
pub(crate) fn said(reason: Option<String>) -> String {
    reason.map_or_else(String::new, |reason| format!("; {reason}"))
}
