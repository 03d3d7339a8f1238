//! JSON files as tables, read by the strict reader of messages: DataFusion's own changes some values and takes what is no JSON.

mod format;
mod input;
mod source;

pub use format::JsonFormat;
pub(super) use format::JsonFormats;

#[cfg(test)]
mod tests;
