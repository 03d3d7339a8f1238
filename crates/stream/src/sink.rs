//! A topic that a query's rows go to.

use lexstream_kafka::tables::RowWriter;

/// A topic that a query's rows go to.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) topic: String,
    pub(super) writer: RowWriter,
    pub(super) inherits: Inherits,
}

/// What an output has of the message that it comes from, as the INSERT's column list names no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inherits {
    pub(super) key: bool,
    pub(super) timestamp: bool,
    pub(super) headers: bool,
}
