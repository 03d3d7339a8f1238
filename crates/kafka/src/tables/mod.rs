//! Topics as tables: what their columns are, messages as rows, rows as records.

mod bounds;
mod columns;
mod factory;
mod read_group;
mod reference;
mod row_error;
mod row_reader;
mod row_writer;
mod scan;
mod sink;
mod table;
#[cfg(test)]
mod words_format;

pub use columns::{Columns, Special};
pub use factory::{FILE_TYPE, KafkaTables};
pub use read_group::UnreadMessage;
pub use row_error::RowError;
pub use row_reader::{RowReader, Rows};
pub use row_writer::{Records, RowWriter};
pub use sink::UnwrittenRow;
pub use table::KafkaTable;
