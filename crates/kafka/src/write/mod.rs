//! Writing: one transaction for a query, or one after another for a stream.

mod one_transaction;
mod producer;
mod spool;

pub use one_transaction::{NewRecord, OneTransaction};
pub use producer::{KafkaProducer, Record, TransactionError, TransactionalProducer};
pub use spool::{Spool, SpooledHeaders, SpooledRecords};
