//! Counted terms of a group as one list: results and partial states of aggregates.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Fields, Int64Type};
use arrow::error::ArrowError;

use super::types;
use lexstream_text::collocations::BigramCounts;
use lexstream_text::tfidf::{DocumentCounts, TermCount};

/// Returns the terms with a number each, highest first and equal ones by term: a `List<Struct<term, count>>` of one row.
///
/// # Errors
/// Fails where the group's distinct terms are more than 2 GiB.
pub fn term_counts(
    counts: &DocumentCounts,
    number: impl Fn(&TermCount<'_>) -> u64,
) -> Result<ListArray, ArrowError> {
    let mut terms: Vec<_> = counts.iter().map(|count| (number(&count), count)).collect();
    terms.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.term.cmp(b.1.term)));
    let names: Vec<_> = terms.iter().map(|(_, count)| count.term).collect();
    let numbers = terms.iter().map(|(number, _)| *number);
    one_list(
        types::term_count_fields(),
        &names,
        vec![Arc::new(integers(numbers))],
    )
}

/// Returns the bigrams with how often each occurs and its pointwise mutual information, the tokens joined by a space: a
/// `List<Struct<bigram, count, pmi>>` of one row.
///
/// # Errors
/// Fails where the group's distinct bigrams are more than 2 GiB.
pub fn collocations(counts: &BigramCounts) -> Result<ListArray, ArrowError> {
    let found = counts.collocations();
    let bigrams: Vec<_> = found
        .iter()
        .map(|found| format!("{} {}", found.bigram.0, found.bigram.1))
        .collect();
    let numbers: Vec<ArrayRef> = vec![
        Arc::new(integers(found.iter().map(|found| found.count))),
        Arc::new(Float64Array::from_iter_values(
            found.iter().map(|found| found.pmi),
        )),
    ];
    one_list(types::collocation_fields(), &bigrams, numbers)
}

/// Returns all that is known of the terms, in no order, as [`types::counted_terms`] of one row.
///
/// # Errors
/// Fails where the group's distinct terms are more than 2 GiB.
pub fn counted_terms(counts: &DocumentCounts) -> Result<ListArray, ArrowError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(integers(counts.iter().map(|count| count.documents))),
        Arc::new(integers(counts.iter().map(|count| count.occurrences))),
    ];
    let terms: Vec<_> = counts.iter().map(|count| count.term).collect();
    one_list(types::counted_term_fields(), &terms, columns)
}

/// Adds the terms of a row of [`counted_terms`] to counts.
pub fn merge_counted_terms(lists: &ListArray, row: usize, counts: &mut DocumentCounts) {
    let items = lists.value(row);
    let items = items.as_struct();
    let terms = items.column(0).as_string::<i32>();
    let [documents, occurrences] =
        [1, 2].map(|at| items.column(at).as_primitive::<Int64Type>().values());
    for at in 0..terms.len() {
        let (documents, occurrences) = (documents[at] as u64, occurrences[at] as u64);
        counts.merge_term(terms.value(at), documents, occurrences);
    }
}

fn integers(numbers: impl Iterator<Item = u64>) -> Int64Array {
    numbers.map(|number| Some(number as i64)).collect()
}

fn one_list(
    fields: Fields,
    terms: &[impl AsRef<str>],
    numbers: Vec<ArrayRef>,
) -> Result<ListArray, ArrowError> {
    let bytes: usize = terms.iter().map(|term| term.as_ref().len()).sum();
    if bytes > i32::MAX as usize {
        return Err(ArrowError::InvalidArgumentError(format!(
            "expected at most {} bytes of distinct terms in a group, found {bytes}",
            i32::MAX
        )));
    }
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(terms));
    let columns = std::iter::once(names).chain(numbers).collect();
    let items = StructArray::try_new(fields, columns, None)?;
    ListArray::try_new(
        Arc::new(Field::new_list_field(items.data_type().clone(), true)),
        OffsetBuffer::from_lengths([items.len()]),
        Arc::new(items),
        None,
    )
}
