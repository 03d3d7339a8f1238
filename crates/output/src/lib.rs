//! Files that are there whole or not at all: written under a temporary name, put in place by a rename.

mod claim;
mod dictionaries;
mod long_texts;
mod parquet_file;
mod parquet_properties;

pub use claim::{Claim, sweep};
pub use parquet_file::{EndedFile, ParquetFile, WriteError};
