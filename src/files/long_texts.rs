//! How long the texts of a batch are.

use datafusion::arrow::array::{Array, AsArray, RecordBatch, make_array};
use datafusion::arrow::datatypes::{
    ArrowNativeType, BinaryType, DataType, LargeBinaryType, LargeUtf8Type, Utf8Type,
};

/// Returns how many bytes the longest text or binary value has, those in lists and structs included.
pub(super) fn longest(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    columns.map(|column| of_array(column)).max().unwrap_or(0)
}

fn of_array(array: &dyn Array) -> usize {
    match array.data_type() {
        DataType::Utf8 => of_offsets(array.as_bytes::<Utf8Type>().value_offsets()),
        DataType::LargeUtf8 => of_offsets(array.as_bytes::<LargeUtf8Type>().value_offsets()),
        DataType::Binary => of_offsets(array.as_bytes::<BinaryType>().value_offsets()),
        DataType::LargeBinary => of_offsets(array.as_bytes::<LargeBinaryType>().value_offsets()),
        DataType::Utf8View => of_views(array.as_string_view().views()),
        DataType::BinaryView => of_views(array.as_binary_view().views()),
        data_type if data_type.is_nested() || matches!(data_type, DataType::Dictionary(..)) => {
            let children = array.to_data().child_data().to_vec().into_iter();
            children
                .map(|child| of_array(&make_array(child)))
                .max()
                .unwrap_or(0)
        }
        _ => 0,
    }
}

fn of_offsets<T: ArrowNativeType>(offsets: &[T]) -> usize {
    let lengths = offsets.windows(2);
    lengths
        .map(|pair| pair[1].as_usize() - pair[0].as_usize())
        .max()
        .unwrap_or(0)
}

/// A view begins with the length of its text.
fn of_views(views: &[u128]) -> usize {
    views.iter().map(|view| *view as u32).max().unwrap_or(0) as usize
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
    fn the_longest_is_found_wherever_it_stands() {
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
            assert_eq!(longest(&batch.expect("a batch")), 30, "{name}");
        }
    }
}
