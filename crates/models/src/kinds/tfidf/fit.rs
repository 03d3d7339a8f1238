//! Terms counted over the rows of a query.

use std::sync::{Mutex, PoisonError};
use std::thread;

use arrow::array::{Array, ArrayRef};
use arrow::record_batch::RecordBatch;
use lexstream_columns::model::ModelError;
use lexstream_columns::{Texts, TokenLists};
use lexstream_text::tfidf::{Analyzer, Buffers, DocumentCounts};

use crate::kinds::Rows;

/// Counts the terms of every row that is not NULL, on all cores; the rows are read once.
pub(super) fn count(rows: Rows, analyzer: &Analyzer) -> Result<DocumentCounts, ModelError> {
    let batches = Mutex::new(Some(rows.batches));
    // The first error, or the end, ends it for all.
    let next = || -> Option<Result<RecordBatch, ModelError>> {
        let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
        let batch = batches.as_mut()?.next();
        if !matches!(batch, Some(Ok(_))) {
            *batches = None;
        }
        batch
    };
    let worker = || -> Result<DocumentCounts, ModelError> {
        let mut counts = DocumentCounts::default();
        let mut buffers = Buffers::default();
        while let Some(batch) = next() {
            add(batch?.column(0), analyzer, &mut buffers, &mut counts)?;
        }
        Ok(counts)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        let mut all = DocumentCounts::default();
        for worker in workers {
            match worker.join() {
                Ok(counts) => all.merge(counts?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
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
