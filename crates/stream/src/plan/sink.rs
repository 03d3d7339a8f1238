//! A topic as a query's sink.

use lexstream_kafka::tables::RowWriter;

/// A topic that a query's rows go to.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) topic: String,
    pub(crate) writer: RowWriter,
    pub(crate) inherits: Inherits,
}

/// What a record inherits of its message, as the INSERT doesn't set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inherits {
    pub(crate) key: bool,
    pub(crate) timestamp: bool,
    pub(crate) headers: bool,
}
