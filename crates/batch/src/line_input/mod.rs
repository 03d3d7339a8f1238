//! Files of lines, NDJSON and CSV, cut into batches by their bytes too: DataFusion's readers count rows alone.

mod format;
mod lines;

pub(super) use format::Format;
pub(super) use lines::{Limits, Lines};

#[cfg(test)]
mod tests;
