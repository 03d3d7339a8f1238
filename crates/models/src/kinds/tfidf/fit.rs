//! Terms counted over the rows of a query.

use arrow::array::{Array, ArrayRef};
use lexstream_columns::model::ModelError;
use lexstream_columns::{Texts, TokenLists};
use lexstream_text::tfidf::{Analyzer, Buffers, DocumentCounts};

use crate::kinds::Rows;
use crate::training::{Once, Workers};

/// Counts the terms of every row that is not NULL; the rows are read once.
pub(super) fn count(
    rows: Rows,
    analyzer: &Analyzer,
    workers: Workers<'_>,
) -> Result<DocumentCounts, ModelError> {
    let begin = <(DocumentCounts, Buffers)>::default;
    let counts = workers.fold(&Once::new(rows.batches), begin, |state, batch| {
        let (counts, buffers) = state;
        add(batch.column(0), analyzer, buffers, counts)
    })?;
    let mut all = DocumentCounts::default();
    for (counts, _) in counts {
        all.merge(counts);
    }
    Ok(all)
}

fn add(
    column: &ArrayRef,
    analyzer: &Analyzer,
    buffers: &mut Buffers,
    counts: &mut DocumentCounts,
) -> Result<(), ModelError> {
    if column.data_type().is_list() {
        for tokens in TokenLists::try_new(column)?.rows().into_iter().flatten() {
            counts.begin();
            analyzer.terms_of_tokens(tokens.iter(), buffers, |term| counts.add(term));
        }
        return Ok(());
    }
    Texts::try_new(ArrayRef::clone(column))?.for_each(|text| {
        if let Some(text) = text {
            counts.begin();
            analyzer.terms_of_text(text.value, buffers, |term| counts.add(term));
        }
        Ok(())
    })
}
