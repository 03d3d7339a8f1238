//! Slices of a batch, bounded by bytes, so that long texts do not run together.

use datafusion::arrow::array::{Array, AsArray, GenericByteArray, RecordBatch};
use datafusion::arrow::datatypes::{
    ArrowNativeType, BinaryType, ByteArrayType, DataType, LargeBinaryType, LargeUtf8Type, Utf8Type,
};

/// Cuts a batch into slices of at most `most` bytes of text each; a row that has more is alone.
///
/// Returns each slice with its bytes. Texts within lists and structs count evenly.
pub(crate) fn cut(batch: &RecordBatch, most: usize) -> Vec<(RecordBatch, usize)> {
    let rows = batch.num_rows();
    let mut bytes = vec![0usize; rows];
    let mut fixed = 0;
    for column in batch.columns() {
        fixed += add(column, &mut bytes);
    }
    let fixed = fixed / rows.max(1);
    let mut slices = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (row, bytes) in bytes.iter().enumerate() {
        let bytes = bytes + fixed;
        if row > start && sum + bytes > most {
            slices.push((batch.slice(start, row - start), sum));
            (start, sum) = (row, 0);
        }
        sum += bytes;
    }
    if rows > start {
        slices.push((batch.slice(start, rows - start), sum));
    }
    slices
}

/// Returns the bytes of a batch, counted likewise.
pub(crate) fn bytes(batch: &RecordBatch) -> usize {
    cut(batch, usize::MAX).iter().map(|(_, bytes)| bytes).sum()
}

/// Adds the bytes of each row's text; returns those of a column that holds no texts as such.
fn add(column: &dyn Array, bytes: &mut [usize]) -> usize {
    match column.data_type() {
        DataType::Utf8 => add_lengths(column.as_bytes::<Utf8Type>(), bytes),
        DataType::LargeUtf8 => add_lengths(column.as_bytes::<LargeUtf8Type>(), bytes),
        DataType::Binary => add_lengths(column.as_bytes::<BinaryType>(), bytes),
        DataType::LargeBinary => add_lengths(column.as_bytes::<LargeBinaryType>(), bytes),
        DataType::Utf8View => add_views(column.as_string_view().views(), bytes),
        DataType::BinaryView => add_views(column.as_binary_view().views(), bytes),
        _ => return column.to_data().get_slice_memory_size().unwrap_or(0),
    }
    0
}

fn add_lengths<T: ByteArrayType>(column: &GenericByteArray<T>, bytes: &mut [usize]) {
    for (offsets, bytes) in column.value_offsets().windows(2).zip(bytes) {
        *bytes += (offsets[1] - offsets[0]).as_usize();
    }
}

/// A view begins with the length of its text.
fn add_views(views: &[u128], bytes: &mut [usize]) {
    for (view, bytes) in views.iter().zip(bytes) {
        *bytes += *view as u32 as usize;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray, StringViewArray};

    use super::*;

    fn check(lengths: &[usize], expected: &[usize]) {
        let texts: Vec<_> = lengths.iter().map(|length| "x".repeat(*length)).collect();
        let columns: [ArrayRef; 2] = [
            Arc::new(StringArray::from_iter_values(&texts)),
            Arc::new(StringViewArray::from_iter_values(&texts)),
        ];
        for column in columns {
            let batch = RecordBatch::try_from_iter([("t", column)]).expect("a batch");
            let rows: Vec<_> = cut(&batch, 100)
                .iter()
                .map(|(slice, _)| slice.num_rows())
                .collect();
            assert_eq!(rows, expected);
        }
    }

    #[test]
    fn a_slice_holds_what_fits_and_at_least_a_row() {
        check(&[], &[]);
        check(&[10, 20, 30], &[3]);
        check(&[60, 60, 40, 1], &[1, 2, 1]);
        check(&[1, 500, 500, 1], &[1, 1, 1, 1]);
    }

    #[test]
    fn other_columns_count_evenly() {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
        let batch = RecordBatch::try_from_iter([("n", column)]).expect("a batch");
        assert_eq!(cut(&batch, 80)[0].0.num_rows(), 10);
    }
}
