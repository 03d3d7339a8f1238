//! Why a stream can't begin, or stops.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use rdkafka::error::KafkaError;

use super::batch::DeadLetter;
use lexstream_kafka::{Partition, TransactionError};

/// Why a stream can't begin, or stops.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// A statement of the script fails, or what it reads can't be planned.
    #[error(transparent)]
    Query(#[from] DataFusionError),
    /// A statement is none that a stream runs.
    #[error("{query}: {reason}")]
    Refused {
        /// The beginning of the statement.
        query: String,
        /// Why, and what to do instead.
        reason: String,
    },
    /// A message fails, and `errors.tolerance` says that the stream stops.
    #[error("{partition}@{offset}")]
    Poison {
        /// Where the message is.
        partition: Partition,
        /// Its offset.
        offset: i64,
        /// What is wrong with it.
        source: Cause,
    },
    /// Too many messages fail.
    #[error(
        "{dead} of the last {messages} messages failed, more than errors.deadletterqueue.max.rate = {rate} allows; the last one is {partition}@{offset}"
    )]
    DeadLetterRate {
        /// How many failed.
        dead: u64,
        /// Of how many.
        messages: u64,
        /// The share that is allowed.
        rate: f64,
        /// Where the last one is.
        partition: Partition,
        /// Its offset.
        offset: i64,
        /// What is wrong with it.
        source: Cause,
    },
    /// The queries fail for no fault of a message.
    #[error("{partition}@{offset}: the queries fail, whatever the message")]
    Run {
        /// The first message that was under way.
        partition: Partition,
        /// Its offset.
        offset: i64,
        /// What went wrong.
        source: DataFusionError,
    },
    /// The group's offset points to messages that are gone.
    #[error(
        "{partition}: the group's next offset is {wanted}, and the first that is left is {first}: messages have been deleted unread; 'auto.offset.reset' = 'earliest' goes on without them"
    )]
    Gone {
        /// The partition.
        partition: Partition,
        /// The offset that comes next.
        wanted: i64,
        /// The first that there is.
        first: i64,
    },
    /// No home is known, in which names are locked.
    #[error(
        "no home: expected --home or LEXSTREAM_HOME, or --instance with a name for this process"
    )]
    NoHome,
    /// A topic does not exist.
    #[error("{table}: expected topic `{topic}` at {brokers}, found none")]
    NoTopic {
        /// The table.
        table: String,
        /// The topic.
        topic: String,
        /// Where it was looked for.
        brokers: String,
    },
    /// Another process has the same identity.
    #[error("another process has the {option} `{id}`; --instance gives this one another name")]
    Fenced {
        /// The option that has it.
        option: &'static str,
        /// The identity.
        id: String,
        /// What Kafka says.
        source: KafkaError,
    },
    /// Kafka can't do what was asked.
    #[error("{what}")]
    Kafka {
        /// What was asked.
        what: String,
        /// What Kafka says.
        source: KafkaError,
    },
    /// Dead letters can't be sent.
    #[error("the dead letters can't be sent")]
    DeadLetters {
        /// What Kafka says.
        source: TransactionError,
    },
    /// A file of the output is none that a stream has finished.
    #[error("{}: expected a finished file of a stream", path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
        /// What Parquet's reader says, or what is missing.
        source: DataFusionError,
    },
    /// A file can't be written.
    #[error("{}: can't write it", path.display())]
    Write {
        /// Where it was to be.
        path: PathBuf,
        /// What Parquet's writer or the system says.
        source: DataFusionError,
    },
    /// The task that processed a batch ended without a result.
    #[error("{partition}@{offset}: processing ended without a result")]
    Lost {
        /// The first message that was under way.
        partition: Partition,
        /// Its offset.
        offset: i64,
    },
    /// A file or folder can't be written, read or listed.
    #[error("{}: can't {action} it", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What is wrong with a message.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

impl StreamError {
    /// Returns the error of a thread that can't be started.
    pub(crate) fn thread(source: io::Error) -> Self {
        Self::Io {
            action: "start",
            path: PathBuf::from("a thread"),
            source,
        }
    }

    /// Returns the error of a message that may not fail.
    pub(crate) fn poison((partition, offset, dead): (Partition, i64, &DeadLetter)) -> Self {
        Self::Poison {
            partition,
            offset,
            source: Cause::clone(&dead.cause),
        }
    }

    /// Returns what makes an error of Kafka's out of what was asked.
    pub(crate) fn kafka(what: impl Into<String>) -> impl FnOnce(KafkaError) -> Self {
        let what = what.into();
        move |source| Self::Kafka { what, source }
    }
}
