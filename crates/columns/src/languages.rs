//! Languages of texts as columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, StringViewArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::error::ArrowError;

use super::{Texts, types};
use lexstream_text::language::{Detected, detect_language};

/// Returns the language of each text, as [`types::TEXT`]; NULL for NULL and for a text of none.
pub fn language_column(texts: &Texts) -> ArrayRef {
    let languages = detected(texts).map(|found| found.map(|found| found.language));
    Arc::new(languages.collect::<StringViewArray>())
}

/// Returns the language of each text and how sure it is, as [`types::detected`]; NULL for NULL and for a text of none.
///
/// # Errors
/// Passes on Arrow's check of the column, whose parts fit by construction.
pub fn detected_column(texts: &Texts) -> Result<ArrayRef, ArrowError> {
    // NULL has NULL for its fields too: DataFusion reads a field without asking its struct.
    let (languages, confidences): (Vec<_>, Vec<_>) = detected(texts)
        .map(|found| {
            (
                found.map(|found| found.language),
                found.map(|found| found.confidence),
            )
        })
        .unzip();
    let nulls: NullBuffer = languages
        .iter()
        .map(Option::is_some)
        .collect::<Vec<_>>()
        .into();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(languages)),
        Arc::new(Float64Array::from(confidences)),
    ];
    let nulls = (nulls.null_count() > 0).then_some(nulls);
    let detected = StructArray::try_new(types::detected_fields(), columns, nulls)?;
    Ok(Arc::new(detected))
}

fn detected(texts: &Texts) -> impl Iterator<Item = Option<Detected>> {
    let texts = texts.values().into_iter();
    texts.map(|text| detect_language(text?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn null_and_what_has_no_language_are_null() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![
            Some("Où est la gare ?"),
            None,
            Some("42"),
            Some("火车站在哪里？"),
        ]));
        let texts = Texts::try_new(array).expect("texts");
        let languages = language_column(&texts);
        let languages: Vec<_> = languages.as_string_view().iter().collect();
        assert_eq!(languages, [Some("fr"), None, None, Some("zh")]);
        let detected = detected_column(&texts).expect("a column");
        let detected = detected.as_struct();
        assert_eq!(detected.null_count(), 2);
        assert!(
            detected.columns().iter().all(|column| {
                column.null_count() == 2 && column.is_null(1) && column.is_null(2)
            })
        );
    }
}
