//! Dead letters, and counts of what became of messages.

use crate::Cause;

/// Why a message has no output.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// The stage at which it failed, by Kafka Connect's names.
    pub(crate) stage: &'static str,
    /// The kind of error, a name that stays the same from version to version.
    pub(crate) class: &'static str,
    /// What is wrong.
    pub(crate) cause: Cause,
}

/// Where dead letters go.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetterTarget {
    /// Their topic.
    pub(crate) topic: String,
    /// Whether headers say what went wrong.
    pub(crate) has_context: bool,
}

/// How many messages became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that were read.
    pub messages: u64,
    /// Records or rows of output.
    pub outputs: u64,
    /// Messages that failed.
    pub dead: u64,
    /// Messages of which the queries left nothing.
    pub filtered: u64,
    /// Bytes that were read: keys, values and headers.
    pub bytes: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.outputs += other.outputs;
        self.dead += other.dead;
        self.filtered += other.filtered;
        self.bytes += other.bytes;
    }
}
