//! What should have become of a record.

use serde_json::Value;

use crate::cases::same;

/// What should have become of an input record.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// For each INSERT, the values of the messages out of it; filtered where there is none in any.
    Out(Vec<Vec<Wanted>>),
    /// It is a dead letter, and nothing of it is in any output.
    Dead,
}

/// A value that an output should have.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// These bytes.
    Bytes(Vec<u8>),
    /// This JSON, however it is written; numbers that are no integers within 1e-5.
    Json(Value),
}

impl Wanted {
    /// Tells whether a message has this value.
    pub fn is(&self, value: Option<&[u8]>) -> bool {
        match (self, value) {
            (Self::Bytes(wanted), Some(found)) => wanted == found,
            (Self::Json(wanted), Some(found)) => {
                serde_json::from_slice(found).is_ok_and(|found| same(&found, wanted))
            }
            (_, None) => false,
        }
    }
}
