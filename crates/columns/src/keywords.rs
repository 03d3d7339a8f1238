//! Keywords of texts as a column.

use arrow::array::ArrayRef;
use arrow::datatypes::Float64Type;
use arrow::error::ArrowError;

use super::{TermListWriter, Texts, types};
use lexstream_text::keywords::Extractor;

/// Returns the `most` best keywords of each text with their scores, best first; NULL stays.
///
/// # Errors
/// Fails where the batch has more than 2 GiB of terms, and names the row from which on it has.
pub fn keyword_column(
    texts: &Texts,
    extractor: &dyn Extractor,
    most: usize,
) -> Result<ArrayRef, ArrowError> {
    let mut out = TermListWriter::<Float64Type>::new(texts.len());
    for text in texts.values() {
        let Some(text) = text else {
            out.null()?;
            continue;
        };
        extractor.extract(text, most, &mut |term, score| out.term(term, score));
        out.end_row()?;
    }
    out.finish(types::term_score_fields())
}
