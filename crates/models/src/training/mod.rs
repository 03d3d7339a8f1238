//! The kit for kinds that are made from rows: columns, passes, threads, history.
//!
//! A kind that reads its rows once hands them to [`Workers::fold`] as they come ([`Once`]). One that reads them several
//! times puts a [`Recording`] around them, whose first pass is the query's own, and reads each [`TrainingRows::pass`]
//! after that from memory or disk.

mod columns;
mod history;
mod recording;
mod spill;
mod workers;

pub use columns::{Column, ColumnError, ColumnSpec, Columns, Holds};
pub use history::{History, HistoryError, HistoryRow};
pub use recording::{MEMORY, Recording, RowsPass, TrainingRows};
pub use spill::SpillError;
pub use workers::{Batches, Once, Workers};
