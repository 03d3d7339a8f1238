//! Why a message is no row, or a row no message.

use lexstream_codec::CodecError;

/// Why one message can't be read, or one row can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The value is none of the format's, or can't become one.
    #[error("{0}")]
    Codec(CodecError),
    /// What a special column takes from the message is not there, or what it gives to it can't be.
    #[error("column `{column}`: expected {expected}, found {found}")]
    Special {
        /// The column.
        column: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A column that says where a message lies can't be written.
    #[error("column `{column}` can't be written: it says where a message lies")]
    ReadOnly {
        /// The column.
        column: &'static str,
    },
    /// A column of the value that is NOT NULL is NULL.
    #[error("column `{column}` is NOT NULL, found NULL")]
    Null {
        /// The column.
        column: String,
    },
}

impl From<CodecError> for RowError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}
