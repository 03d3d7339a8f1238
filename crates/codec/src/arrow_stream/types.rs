//! Which types a stream may hold, and which of them are the same to a table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};

use crate::CodecError;

/// Tells whether a stream may hold a type.
pub(super) fn holds(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        Boolean | Binary | LargeBinary | BinaryView | Utf8 | LargeUtf8 | Utf8View => true,
        FixedSizeBinary(size) => *size > 0,
        List(field) | LargeList(field) => holds(field.data_type()),
        FixedSizeList(field, size) => *size > 0 && holds(field.data_type()),
        Struct(fields) => !fields.is_empty() && fields.iter().all(|field| holds(field.data_type())),
        _ => data_type.is_primitive(),
    }
}

/// Returns the type that is written for one: text and bytes without views, which few readers know.
pub(super) fn plain(data_type: &DataType) -> DataType {
    use DataType::*;
    match data_type {
        Utf8View => Utf8,
        BinaryView => Binary,
        List(field) => List(plain_field(field)),
        LargeList(field) => LargeList(plain_field(field)),
        FixedSizeList(field, size) => FixedSizeList(plain_field(field), *size),
        Struct(fields) => Struct(fields.iter().map(plain_field).collect()),
        _ => data_type.clone(),
    }
}

/// Returns the field that is written for one.
pub(super) fn plain_field(field: &FieldRef) -> FieldRef {
    let data_type = plain(field.data_type());
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

/// Returns where a stream has the table's columns; columns that the table has not may be there too.
pub(super) fn columns(table: &Schema, stream: &Schema) -> Result<Vec<usize>, CodecError> {
    let mut columns = Vec::with_capacity(table.fields().len());
    for field in table.fields() {
        let expected = || {
            format!(
                "a column `{}` of {}",
                field.name(),
                plain(field.data_type())
            )
        };
        let Some((place, found)) = stream.fields().find(field.name()) else {
            let names = stream
                .fields()
                .iter()
                .map(|field| format!("`{}`", field.name()));
            let found = format!("the columns {}", names.collect::<Vec<_>>().join(", "));
            return Err(CodecError::message(expected(), found));
        };
        // What no table of ours has is not compared: the reader of a stream may not know it either.
        if !holds(found.data_type()) || !same(field.data_type(), found.data_type()) {
            return Err(CodecError::message(
                expected(),
                found.data_type().to_string(),
            ));
        }
        columns.push(place);
    }
    Ok(columns)
}

/// Tells whether two types are the same but for how they are laid out.
fn same(table: &DataType, stream: &DataType) -> bool {
    use DataType::*;
    match (table, stream) {
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => true,
        (Binary | LargeBinary | BinaryView, Binary | LargeBinary | BinaryView) => true,
        (List(table) | LargeList(table), List(stream) | LargeList(stream)) => {
            same(table.data_type(), stream.data_type())
        }
        (FixedSizeList(table, size), FixedSizeList(stream, found)) => {
            size == found && same(table.data_type(), stream.data_type())
        }
        (Struct(table), Struct(stream)) => {
            let mut fields = table.iter().zip(stream);
            let same = |(table, stream): (&FieldRef, &FieldRef)| {
                table.name() == stream.name() && same(table.data_type(), stream.data_type())
            };
            table.len() == stream.len() && fields.all(same)
        }
        _ => table == stream,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_text_are_the_same_and_numbers_of_two_sizes_are_not() {
        assert!(same(&DataType::Utf8View, &DataType::LargeUtf8));
        assert!(!same(&DataType::Int64, &DataType::Int32));
        let list = |item, data_type| DataType::List(Arc::new(Field::new(item, data_type, true)));
        assert!(same(
            &list("item", DataType::Utf8View),
            &list("element", DataType::Utf8)
        ));
        assert!(!same(
            &list("item", DataType::Utf8View),
            &list("item", DataType::Binary)
        ));
    }
}
