//! Topics as tables: what their columns are, messages as rows, rows as records.

mod columns;
pub(super) mod factory;
mod row_error;
mod row_reader;
mod row_writer;
mod table;
#[cfg(test)]
mod words_format;

pub use columns::{Columns, Special};
pub use row_error::RowError;
pub use row_reader::{RowReader, Rows};
pub use row_writer::{Records, RowWriter};
pub use table::KafkaTable;
