//! Model outputs over a column of texts, as Arrow columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeListArray, Float32Array, Int32Array, ListArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::error::ArrowError;

use super::{Texts, types};
use crate::model::{ModelError, TokenIds};

/// Returns vectors of `dimension` components, one row after another in `values`; NULL where the text is.
///
/// # Errors
/// Fails where a vector has 2³¹ components or more, or `values` are not `dimension` a row.
pub fn vector_column(
    values: Vec<f32>,
    dimension: usize,
    texts: &Texts,
) -> Result<ArrayRef, ArrowError> {
    let size = i32::try_from(dimension).map_err(|_| {
        ArrowError::InvalidArgumentError(format!(
            "expected at most 2147483647 components, found {dimension}"
        ))
    })?;
    let values = Arc::new(Float32Array::from(values));
    let vectors = FixedSizeListArray::try_new(
        types::component_field(),
        size,
        values,
        texts.nulls().cloned(),
    )?;
    Ok(Arc::new(vectors))
}

/// Returns a score a row; NULL where one of the texts is.
///
/// # Errors
/// Fails where there is not one score a row.
pub fn score_column(
    scores: Vec<f32>,
    queries: &Texts,
    texts: &Texts,
) -> Result<ArrayRef, ArrowError> {
    let nulls = NullBuffer::union(queries.nulls(), texts.nulls());
    Ok(Arc::new(Float32Array::try_new(scores.into(), nulls)?))
}

/// Returns the label of the highest score of each row, the first of equal ones, as `Struct<label, score>`.
///
/// # Errors
/// Fails where the scores are not one a label for each row.
pub fn best_label_column(
    scores: &[f32],
    labels: &[String],
    texts: &Texts,
) -> Result<ArrayRef, ArrowError> {
    // A NULL text has NULL for label and score too: DataFusion reads a field without asking its struct.
    let nulls = texts.nulls();
    let best = scores
        .chunks_exact(labels.len())
        .enumerate()
        .map(|(row, scores)| {
            let is_null = nulls.is_some_and(|nulls| nulls.is_null(row));
            let best = ranked(scores)[0];
            (!is_null).then(|| (labels[best].as_str(), scores[best]))
        });
    let (names, scores): (Vec<_>, Vec<_>) = best
        .map(|best| (best.map(|(name, _)| name), best.map(|(_, score)| score)))
        .unzip();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(names)),
        Arc::new(Float32Array::from(scores)),
    ];
    let best = StructArray::try_new(types::label_fields(), columns, nulls.cloned())?;
    Ok(Arc::new(best))
}

/// Returns every label of each row, highest score first and equal ones in the labels' order, as
/// `List<Struct<label, score>>`.
///
/// # Errors
/// Fails where the scores are not one a label for each row.
pub fn label_list_column(
    scores: &[f32],
    labels: &[String],
    texts: &Texts,
) -> Result<ArrayRef, ArrowError> {
    let mut all = Vec::with_capacity(scores.len());
    for row in scores.chunks_exact(labels.len()) {
        all.extend(ranked(row));
    }
    let items = StructArray::try_new(
        types::label_fields(),
        label_columns(&all, scores, labels),
        None,
    )?;
    Ok(Arc::new(ListArray::try_new(
        types::label_field(),
        OffsetBuffer::from_repeated_length(labels.len(), texts.len()),
        Arc::new(items),
        texts.nulls().cloned(),
    )?))
}

/// Returns the numbers of each text's tokens, as `List<Int32>`.
///
/// # Errors
/// Fails where the batch has 2³¹ tokens or more, or the model's tokenizer fails.
pub fn token_id_column(texts: &Texts, ids: &dyn TokenIds) -> Result<ArrayRef, ModelError> {
    let mut values = Vec::new();
    let mut ends = Vec::with_capacity(texts.len() + 1);
    ends.push(0);
    for text in texts.values() {
        if let Some(text) = text {
            ids.ids(text, &mut values)?;
        }
        let end = i32::try_from(values.len());
        ends.push(end.map_err(|_| "expected at most 2147483647 tokens in a batch, found more; SET datafusion.execution.batch_size to fewer rows")?);
    }
    Ok(Arc::new(ListArray::try_new(
        types::token_id_field(),
        OffsetBuffer::new(ends.into()),
        Arc::new(Int32Array::from(values)),
        texts.nulls().cloned(),
    )?))
}

/// Returns the places of a row's scores, highest first.
fn ranked(row: &[f32]) -> Vec<usize> {
    let mut places: Vec<_> = (0..row.len()).collect();
    places.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
    places
}

/// Returns labels and scores, all of each row.
fn label_columns(all: &[usize], scores: &[f32], labels: &[String]) -> Vec<ArrayRef> {
    let names: StringArray = all.iter().map(|at| Some(&labels[*at])).collect();
    let rows = all
        .chunks_exact(labels.len())
        .zip(scores.chunks_exact(labels.len()));
    let scores: Float32Array = rows
        .flat_map(|(places, row)| places.iter().map(|at| Some(row[*at])))
        .collect();
    vec![Arc::new(names), Arc::new(scores)]
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Float32Type;

    use super::*;

    #[test]
    fn labels_are_ranked_and_nulls_stay() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
        let texts = Texts::try_new(array).expect("texts");
        let labels = ["x".to_owned(), "y".to_owned(), "z".to_owned()];
        let scores = [0.2, 0.7, 0.1, 0.0, 0.0, 0.0, 0.4, 0.2, 0.4];
        let best = best_label_column(&scores, &labels, &texts).expect("best");
        let best = best.as_struct();
        assert_eq!(
            best.column(0)
                .as_string::<i32>()
                .iter()
                .flatten()
                .collect::<Vec<_>>(),
            ["y", "x"]
        );
        assert!(best.is_null(1) && best.null_count() == 1);
        assert!(
            best.columns()
                .iter()
                .all(|column| column.is_null(1) && column.null_count() == 1)
        );
        let lists = label_list_column(&scores, &labels, &texts).expect("lists");
        let last = lists.as_list::<i32>().value(2);
        let last = last.as_struct();
        assert_eq!(
            last.column(0)
                .as_string::<i32>()
                .iter()
                .flatten()
                .collect::<Vec<_>>(),
            ["x", "z", "y"]
        );
        assert_eq!(
            last.column(1).as_primitive::<Float32Type>().values(),
            &[0.4, 0.4, 0.2]
        );
        assert!(lists.is_null(1));
    }
}
