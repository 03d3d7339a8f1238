//! The same table in every encoding of its texts.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

/// How texts are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// 32-bit offsets.
    Utf8,
    /// 64-bit offsets.
    LargeUtf8,
    /// Views.
    Utf8View,
    /// Keys into distinct texts.
    Dictionary,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 4] = [
        Self::Utf8,
        Self::LargeUtf8,
        Self::Utf8View,
        Self::Dictionary,
    ];

    fn text(self) -> DataType {
        match self {
            Self::Utf8 => DataType::Utf8,
            Self::LargeUtf8 => DataType::LargeUtf8,
            Self::Utf8View => DataType::Utf8View,
            Self::Dictionary => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
        }
    }

    fn of(self, found: &DataType) -> DataType {
        match found {
            text if text.is_string() => self.text(),
            // Arrow has no cast of a list's items to a dictionary.
            DataType::List(item) if item.data_type().is_string() && self != Self::Dictionary => {
                DataType::List(Arc::new(Field::new_list_field(self.text(), true)))
            }
            other => other.clone(),
        }
    }
}

/// Stores a table's texts in another encoding, in batches of two rows that are slices, in two partitions.
pub async fn reencode(context: &SessionContext, table: &str, encoding: Encoding) -> Result<()> {
    let frame = context.table(table).await?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let rows = concat_batches(&schema, &frame.collect().await?)?;
    let fields = schema.fields().iter().map(|field| -> FieldRef {
        Arc::new(Field::new(
            field.name(),
            encoding.of(field.data_type()),
            true,
        ))
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let columns = rows.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| Ok(cast(column, field.data_type())?));
    let rows = RecordBatch::try_new(
        Arc::clone(&schema),
        columns.collect::<Result<Vec<ArrayRef>>>()?,
    )?;
    let mut partitions = vec![Vec::new(), Vec::new()];
    for (at, start) in (0..rows.num_rows()).step_by(2).enumerate() {
        partitions[at % 2].push(rows.slice(start, 2.min(rows.num_rows() - start)));
    }
    context.deregister_table(table)?;
    context.register_table(table, Arc::new(MemTable::try_new(schema, partitions)?))?;
    Ok(())
}
