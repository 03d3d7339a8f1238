//! A transaction, a step a method.

use super::delivery::{Meanwhile, Source};
use lexstream_kafka::{Offsets, Record, TransactionError};

/// What a stream between topics does with Kafka; every step is bounded in time.
///
/// A trait, so that tests can break a rule or end the process at any step.
pub trait Steps: Source {
    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), TransactionError>;

    /// Sends a record under a number, by which a refusal names it.
    fn send(&mut self, record: &Record<'_>, number: usize) -> Result<(), TransactionError>;

    /// Adds the offsets that come next; while it waits, `meanwhile` is called.
    fn send_offsets(
        &mut self,
        offsets: &Offsets,
        meanwhile: Meanwhile<'_>,
    ) -> Result<(), TransactionError>;

    /// Commits records and offsets; while it waits, `meanwhile` is called.
    fn commit(&mut self, meanwhile: Meanwhile<'_>) -> Result<(), TransactionError>;

    /// Aborts the transaction.
    fn abort(&mut self) -> Result<(), TransactionError>;

    /// Makes a new producer of the same name, which ends whatever the old one had under way.
    fn renew(&mut self) -> Result<(), TransactionError>;

    /// Returns the name that only one living producer has.
    fn identity(&self) -> &str;

    /// Returns the bytes of the largest record that may be sent.
    fn max_record(&self) -> usize;
}
