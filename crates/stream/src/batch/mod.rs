//! Batches: messages that were read, their dead letters, their outputs.

mod dead_letter;
mod input_batch;
mod records;
mod rows;

pub use dead_letter::Counts;
pub(crate) use dead_letter::{DeadLetter, DeadLetterTarget};
pub(crate) use input_batch::{InputBatch, next_offsets};
pub(crate) use records::{OutputRecords, SinkRecords};
pub(crate) use rows::OutputRows;

/// A batch that has been processed.
pub(crate) trait OutputBatch: Send + std::fmt::Debug + 'static {
    /// Returns the messages, and those that failed.
    fn input(&self) -> &InputBatch;

    /// Returns how many messages became what.
    fn counts(&self) -> Counts;

    /// Returns about how many bytes the results take.
    fn bytes(&self) -> usize;
}
