//! The SQL function `term_frequencies`.

use arrow::array::ListArray;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::term_counter::TokenAggregate;
use crate::functions::{Declaration, Kind, Parameter};
use lexstream_columns::{term_counts, types};
use lexstream_text::tfidf::DocumentCounts;

#[derive(Debug)]
pub(super) struct TermFrequencies;

impl TokenAggregate for TermFrequencies {
    const DECLARATION: Declaration = Declaration {
        name: "term_frequencies",
        family: "Vectors",
        description: "Returns how often each token occurs in the lists of a group, as List<Struct<term Utf8, count Int64>>, most frequent first, ties by term in byte order. NULL where no list is not NULL. It holds one entry a distinct term, not the lists, and works as a window function over sliding frames too.",
        parameters: &[Parameter::new(
            "tokens",
            Kind::Tokens,
            "Lists of texts. NULL lists and NULL tokens are left out.",
        )],
        example: r"
> select term_frequencies(tokenize('to be or not to be'));
[{term: be, count: 2}, {term: to, count: 2}, {term: not, count: 1}, {term: or, count: 1}]
",
        related: &["bag_of_words", "document_frequencies"],
    };
    type Counts = DocumentCounts;

    fn result_type() -> DataType {
        types::term_counts()
    }

    fn result(counts: &DocumentCounts) -> Result<ListArray, ArrowError> {
        term_counts(counts, |count| count.occurrences)
    }
}
