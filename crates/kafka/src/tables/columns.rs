//! The columns of a topic's table: special ones by their names, all others the value's.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion::common::{Result, plan_err};

/// A column that comes from the message rather than from its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// `_key` VARCHAR or BYTEA.
    Key,
    /// `_timestamp` TIMESTAMP(3).
    Timestamp,
    /// `_headers` STRUCT<key VARCHAR, value BYTEA>[].
    Headers,
    /// `_topic` VARCHAR.
    Topic,
    /// `_partition_id` INT.
    PartitionId,
    /// `_partition_offset` BIGINT.
    PartitionOffset,
    /// `_message` BYTEA: the value as it is.
    Message,
}

impl Special {
    /// Every special column.
    pub const ALL: [Self; 7] = [
        Self::Key,
        Self::Timestamp,
        Self::Headers,
        Self::Topic,
        Self::PartitionId,
        Self::PartitionOffset,
        Self::Message,
    ];

    /// Returns the special column of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|special| special.name() == name)
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "_key",
            Self::Timestamp => "_timestamp",
            Self::Headers => "_headers",
            Self::Topic => "_topic",
            Self::PartitionId => "_partition_id",
            Self::PartitionOffset => "_partition_offset",
            Self::Message => "_message",
        }
    }

    /// Returns its types, as SQL names them.
    pub fn types(self) -> &'static str {
        match self {
            Self::Key => "VARCHAR or BYTEA",
            Self::Timestamp => "TIMESTAMP(3)",
            Self::Headers => "STRUCT<key VARCHAR, value BYTEA>[]",
            Self::Topic => "VARCHAR",
            Self::PartitionId => "INT",
            Self::PartitionOffset => "BIGINT",
            Self::Message => "BYTEA",
        }
    }

    /// Tells whether rows that are written may have a value here.
    pub fn is_written(self) -> bool {
        matches!(self, Self::Key | Self::Timestamp | Self::Headers)
    }

    fn takes(self, data_type: &DataType) -> bool {
        match self {
            Self::Key => data_type.is_string() || is_bytes(data_type),
            Self::Timestamp => {
                matches!(data_type, DataType::Timestamp(TimeUnit::Millisecond, None))
            }
            Self::Headers => match data_type {
                DataType::List(item) => match item.data_type() {
                    DataType::Struct(fields) => match fields.as_ref() {
                        [key, value] => {
                            key.name() == "key"
                                && key.data_type().is_string()
                                && value.name() == "value"
                                && is_bytes(value.data_type())
                        }
                        _ => false,
                    },
                    _ => false,
                },
                _ => false,
            },
            Self::Topic => data_type.is_string(),
            Self::PartitionId => *data_type == DataType::Int32,
            Self::PartitionOffset => *data_type == DataType::Int64,
            Self::Message => is_bytes(data_type),
        }
    }
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    )
}

/// The columns of a topic's table.
#[derive(Debug, Clone)]
pub struct Columns {
    /// All of them, as they were declared.
    pub schema: SchemaRef,
    /// Those of the value, in their order; none where every column is special.
    pub value: SchemaRef,
    /// Where each of the value's columns stands in `schema`.
    pub value_at: Vec<usize>,
    /// The special ones, and where each stands in `schema`.
    pub special: Vec<(Special, usize)>,
}

impl Columns {
    /// Tells the columns apart; a special one of another type than its own is an error.
    pub fn try_new(schema: &SchemaRef) -> Result<Self> {
        let (mut value, mut value_at, mut special) = (Vec::new(), Vec::new(), Vec::new());
        for (at, field) in schema.fields().iter().enumerate() {
            match Special::of(field.name()) {
                Some(column) if column.takes(field.data_type()) => special.push((column, at)),
                Some(column) => {
                    return plan_err!(
                        "column `{}`: expected {}, found {}",
                        column.name(),
                        column.types(),
                        field.data_type()
                    );
                }
                None => {
                    value.push(Arc::clone(field));
                    value_at.push(at);
                }
            }
        }
        Ok(Self {
            schema: Arc::clone(schema),
            value: Arc::new(Schema::new(value)),
            value_at,
            special,
        })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Field;

    use super::*;

    fn check_error(name: &str, data_type: DataType, expected: &str) {
        let schema = Arc::new(Schema::new(vec![Field::new(name, data_type, true)]));
        let error = Columns::try_new(&schema).expect_err(expected);
        assert!(error.strip_backtrace().contains(expected), "{error}");
    }

    #[test]
    fn special_columns_are_told_by_their_names() {
        let fields = vec![
            Field::new("_partition_offset", DataType::Int64, true),
            Field::new("id", DataType::Int64, false),
            Field::new("_key", DataType::BinaryView, true),
            Field::new("text", DataType::Utf8View, true),
        ];
        let columns = Columns::try_new(&Arc::new(Schema::new(fields))).expect("columns");
        let expected = [(Special::PartitionOffset, 0), (Special::Key, 2)];
        assert_eq!(columns.special, expected);
        assert_eq!(columns.value_at, [1, 3]);
        let names: Vec<_> = columns
            .value
            .fields()
            .iter()
            .map(|field| field.name())
            .collect();
        assert_eq!(names, ["id", "text"]);
    }

    #[test]
    fn a_special_column_of_another_type_is_refused() {
        check_error(
            "_key",
            DataType::Int64,
            "column `_key`: expected VARCHAR or BYTEA, found Int64",
        );
        check_error(
            "_timestamp",
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            "column `_timestamp`: expected TIMESTAMP(3), found Timestamp(ns)",
        );
        check_error(
            "_headers",
            DataType::new_list(DataType::Utf8, true),
            "column `_headers`: expected STRUCT<key VARCHAR, value BYTEA>[]",
        );
    }
}
