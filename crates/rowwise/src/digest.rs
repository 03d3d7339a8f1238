//! A digest of rows.

use std::fmt::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use sha2::{Digest, Sha256};

/// Rows that become one digest, whatever batches they come in.
pub(super) struct RowsDigest {
    converter: RowConverter,
    hasher: Sha256,
}

impl RowsDigest {
    pub(super) fn new(schema: &Schema) -> Result<Self> {
        let mut hasher = Sha256::new();
        let mut sorts = Vec::new();
        for field in schema.fields() {
            hasher.update(format!("{}\n", field.data_type()));
            sorts.push(SortField::new(field.data_type().clone()));
        }
        Ok(Self {
            converter: RowConverter::new(sorts)?,
            hasher,
        })
    }

    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in &self.converter.convert_columns(batch.columns())? {
            let bytes = row.as_ref();
            self.hasher.update((bytes.len() as u64).to_le_bytes());
            self.hasher.update(bytes);
        }
        Ok(())
    }

    /// Returns the digest in hexadecimal.
    pub(super) fn digest(self) -> String {
        let digest = self.hasher.finalize();
        digest.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes all that is written to it");
            text
        })
    }
}
