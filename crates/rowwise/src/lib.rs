//! Queries that run row by row: one batch at a time, every row knowing where it came from.
//!
//! A [`Rowwise`] takes planned queries over one source table. It refuses what does not work row by row, by the name of
//! the part and the reason; what is left is planned once and executed for any number of batches, several at a time.
//! Each execution says what becomes of each row of its batch: rows of output with their origin, a failure with its
//! error, or nothing because a condition filtered it. The three add up to the batch, always.
//!
//! Tables other than the source are static: they are read once, at the start, into memory.

mod blame;
mod check;
mod digest;
mod error;
mod not_in;
pub mod not_null;
mod origin;
mod outcome;
mod planned;
mod probe_side;
mod repeated;
mod run;
mod scalars;
mod sessions;
mod source;
mod source_name;
mod statics;
#[cfg(test)]
mod tests;

pub use error::{Refusal, RowwiseError};
pub use outcome::{FailedRow, Outcome, Output};
pub use planned::Rowwise;
pub use statics::StaticTable;
