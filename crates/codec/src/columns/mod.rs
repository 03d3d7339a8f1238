//! Columns of scalars that are filled one value at a time, and give back the values of a message that fails.

mod booleans;
mod bytes;
mod numbers;
mod times;

use arrow::array::ArrayRef;
use arrow::datatypes::*;

use booleans::Booleans;
pub(super) use bytes::Bytes;
use numbers::{decimals, floats, integers};
use times::{dates, times, timestamps};

/// One value as a message has it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scalar<'a> {
    /// `true` or `false`.
    Boolean(bool),
    /// Text of which the format says no type.
    Field(&'a str),
    /// An object or a list, which no column of scalars holds.
    Nested,
    /// A number, by the grammar of JSON.
    Number(&'a str),
    /// Text.
    Text(&'a str),
}

/// A column of scalars in the making.
pub(super) trait Leaf: Send {
    /// Adds a value; one that the column can't hold without loss is an error that says what it holds.
    fn push(&mut self, scalar: Scalar<'_>) -> Result<(), String>;

    /// Adds a NULL.
    fn push_null(&mut self);

    /// Returns how many values there are.
    fn len(&self) -> usize;

    /// Keeps the first `len` values.
    fn truncate(&mut self, len: usize);

    /// Returns the values.
    fn finish(self: Box<Self>) -> ArrayRef;
}

/// Returns an empty column of a type with room for `capacity` values; none where the type is not of scalars.
pub(super) fn leaf(data_type: &DataType, capacity: usize) -> Option<Box<dyn Leaf>> {
    use DataType::*;
    use TimeUnit::*;
    Some(match data_type {
        Boolean => Box::new(Booleans::new(capacity)),
        Int8 => integers::<Int8Type>(capacity),
        Int16 => integers::<Int16Type>(capacity),
        Int32 => integers::<Int32Type>(capacity),
        Int64 => integers::<Int64Type>(capacity),
        UInt8 => integers::<UInt8Type>(capacity),
        UInt16 => integers::<UInt16Type>(capacity),
        UInt32 => integers::<UInt32Type>(capacity),
        UInt64 => integers::<UInt64Type>(capacity),
        Float32 => floats::<Float32Type>(capacity, f32::is_finite),
        Float64 => floats::<Float64Type>(capacity, f64::is_finite),
        Decimal32(_, _) => decimals::<Decimal32Type>(data_type, capacity)?,
        Decimal64(_, _) => decimals::<Decimal64Type>(data_type, capacity)?,
        Decimal128(_, _) => decimals::<Decimal128Type>(data_type, capacity)?,
        Decimal256(_, _) => decimals::<Decimal256Type>(data_type, capacity)?,
        Date32 => dates(capacity),
        Time32(Second) => times::<Time32SecondType>(capacity),
        Time32(Millisecond) => times::<Time32MillisecondType>(capacity),
        Time64(Microsecond) => times::<Time64MicrosecondType>(capacity),
        Time64(Nanosecond) => times::<Time64NanosecondType>(capacity),
        Timestamp(Second, zone) => timestamps::<TimestampSecondType>(zone, capacity)?,
        Timestamp(Millisecond, zone) => timestamps::<TimestampMillisecondType>(zone, capacity)?,
        Timestamp(Microsecond, zone) => timestamps::<TimestampMicrosecondType>(zone, capacity)?,
        Timestamp(Nanosecond, zone) => timestamps::<TimestampNanosecondType>(zone, capacity)?,
        Utf8 | Utf8View | Binary | BinaryView => Box::new(Bytes::<i32>::new(data_type, capacity)?),
        LargeUtf8 | LargeBinary | FixedSizeBinary(_) => {
            Box::new(Bytes::<i64>::new(data_type, capacity)?)
        }
        _ => return None,
    })
}
