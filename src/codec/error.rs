//! Why bytes are no rows, or rows no bytes.

/// Why a format refuses a schema, a message or a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// No format has the name.
    #[error("no format `{found}`; there are {known}")]
    Unknown {
        /// The name.
        found: String,
        /// The names that there are.
        known: String,
    },
    /// An option's value is none that the format knows.
    #[error("option `{option}`: expected {expected}, found `{found}`")]
    Option {
        /// Its key.
        option: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The format can't hold columns such as these.
    #[error("format `{format}`: expected {expected}, found {found}")]
    Schema {
        /// The format.
        format: &'static str,
        /// What it holds.
        expected: String,
        /// What the table has.
        found: String,
    },
    /// A message can't be read.
    #[error("expected {expected}, found {found}")]
    Message {
        /// What was expected, and where in the message.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A row can't be written.
    #[error("can't be written as {format}: {reason}")]
    Row {
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
}
