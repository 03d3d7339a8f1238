//! Whether a batch has long texts.

use datafusion::arrow::array::{Array, AsArray, RecordBatch, make_array};
use datafusion::arrow::datatypes::{
    ArrowNativeType, BinaryType, DataType, LargeBinaryType, LargeUtf8Type, Utf8Type,
};

/// Tells whether a text or binary value has more than `most` bytes, one in a list or struct included.
pub(super) fn has_longer(batch: &RecordBatch, most: usize) -> bool {
    let mut columns = batch.columns().iter();
    columns.any(|column| array_has_longer(column, most))
}

fn array_has_longer(array: &dyn Array, most: usize) -> bool {
    match array.data_type() {
        DataType::Utf8 => is_above(array.as_bytes::<Utf8Type>().value_offsets(), most),
        DataType::LargeUtf8 => is_above(array.as_bytes::<LargeUtf8Type>().value_offsets(), most),
        DataType::Binary => is_above(array.as_bytes::<BinaryType>().value_offsets(), most),
        DataType::LargeBinary => {
            is_above(array.as_bytes::<LargeBinaryType>().value_offsets(), most)
        }
        DataType::Utf8View => view_is_above(array.as_string_view().views(), most),
        DataType::BinaryView => view_is_above(array.as_binary_view().views(), most),
        data_type if data_type.is_nested() || matches!(data_type, DataType::Dictionary(..)) => {
            let data = array.to_data();
            let mut children = data.child_data().iter().cloned().map(make_array);
            children.any(|child| array_has_longer(&child, most))
        }
        _ => false,
    }
}

fn is_above<T: ArrowNativeType>(offsets: &[T], most: usize) -> bool {
    let length = |start: &T, end: &T| end.as_usize() - start.as_usize();
    // Where all are no longer together, none is looked at.
    matches!(offsets, [first, .., last] if length(first, last) > most)
        && offsets
            .windows(2)
            .any(|pair| length(&pair[0], &pair[1]) > most)
}

/// A view begins with the length of its text.
fn view_is_above(views: &[u128], most: usize) -> bool {
    views.iter().any(|view| *view as u32 as usize > most)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, DictionaryArray, Int64Array, LargeStringArray, ListArray, StringArray,
        StringViewArray, StructArray,
    };
    use datafusion::arrow::buffer::OffsetBuffer;
    use datafusion::arrow::datatypes::{Field, Int32Type};

    use super::*;

    #[test]
    fn a_long_text_is_found_wherever_it_stands() {
        let texts = ["a", "", "eleven byte", "and this is longer than a view"];
        let strings: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let ends = OffsetBuffer::from_lengths([1, 0, 3, 0]);
        let list = ListArray::new(item, ends, Arc::clone(&strings), None);
        let field = Arc::new(Field::new("t", list.data_type().clone(), true));
        let columns: [ArrayRef; 6] = [
            strings,
            Arc::new(LargeStringArray::from_iter_values(texts)),
            Arc::new(StringViewArray::from_iter_values(texts)),
            Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
            Arc::new(list.clone()),
            Arc::new(StructArray::from(vec![(field, Arc::new(list) as ArrayRef)])),
        ];
        for column in columns {
            let name = column.data_type().clone();
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..4));
            let batch = RecordBatch::try_from_iter([("n", numbers), ("t", column)]);
            let batch = batch.expect("a batch");
            let found = [29, 30].map(|most| has_longer(&batch, most));
            assert_eq!(found, [true, false], "{name}");
        }
    }
}
