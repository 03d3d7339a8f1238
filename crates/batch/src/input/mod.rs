//! The rows of the input: files, cut into units, read unit by unit.

mod file_input;
mod footer_cache;
mod line_input;
mod parquet_file;
mod read;
mod row_group_reader;
mod row_ranges;
mod schema_adapter;
pub(crate) mod source;
pub(crate) mod unit;
mod unit_reader;

pub(crate) use read::Read;
pub(crate) use schema_adapter::TypeMismatches;
pub(crate) use source::Source;
pub(crate) use unit::{Unit, UnitRows};
pub(crate) use unit_reader::{ReadLimits, RowsWanted, UnitReader};
