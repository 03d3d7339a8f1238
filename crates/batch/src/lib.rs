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
//! A unit is durable when its file is in place: the rename is the commit, and nothing else holds state. A restart does
//! what is missing. Processes share the units of a job through the locks of their temporary files.
//!
//! `input` reads rows of units, `output` keeps the folders of results, `job` plans, `run` executes: each knows only those
//! before it.

mod batch_slices;
mod busy_times;
mod error;
mod excerpt;
mod input;
mod job;
mod output;
mod row_counts;
mod row_location;
mod run;

pub use busy_times::BusyTimes;
pub use error::BatchError;
pub use job::{Job, JobOptions, OnError, Preview, Script};
pub use row_counts::RowCounts;
pub use row_location::RowLocation;
pub use run::{Progress, Running};
