//! Resumable jobs over corpora of files: each row once, whatever is killed.
//!
//! ```text
//! <output>/part-<file>-<row group>-<piece>.parquet    the rows of a unit; names sort in the input's order
//! <output>/_errors/part-….parquet                     rows of a unit that failed, with their errors
//! <output>/_lexstream/manifest.json                   what the job is; a job that differs is not resumed
//! <output>/_lexstream/job.lock                        held by every process that works on the job
//! <output>/_lexstream/part-….parquet.tmp              a unit under way, locked by its process
//! ```
//!
//! A unit is finished when its file is there: the rename is the commit, and nothing else holds state. A restart does
//! what is missing. Processes share the units of a job through the locks of their temporary files.

mod adapter;
mod budget;
mod error;
mod error_rows;
mod file_input;
mod footer;
mod footers;
mod group_rows;
mod job;
mod left;
mod line_input;
mod long_column;
mod manifest;
mod output;
mod pace;
mod parquet_input;
mod place;
mod preview;
mod read;
mod row_errors;
mod run;
mod script;
mod source;
mod tally;
mod texts;
mod times;
mod unit;
mod unit_input;
mod unit_rows;
mod unit_run;

pub use error::BatchError;
pub use job::{Job, JobOptions, OnError};
pub use place::Place;
pub use preview::Preview;
pub use run::{Progress, Running};
pub use script::Script;
pub use tally::Tally;
pub use times::Times;
