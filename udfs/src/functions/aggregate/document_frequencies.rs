//! The SQL function `document_frequencies`.

use arrow::array::ListArray;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::term_counter::TokenAggregate;
use crate::functions::{Declaration, Kind, Parameter};
use lexstream_columns::{term_counts, types};
use lexstream_text::tfidf::DocumentCounts;

#[derive(Debug)]
pub(super) struct DocumentFrequencies;

impl TokenAggregate for DocumentFrequencies {
    const DECLARATION: Declaration = Declaration {
        name: "document_frequencies",
        family: "Vectors",
        description: "Returns in how many lists of a group each token occurs, as List<Struct<term Utf8, count Int64>>, most frequent first, ties by term in byte order: the df of TF-IDF. NULL where no list is not NULL. It holds one entry a distinct term, not the lists, and works as a window function over sliding frames too.",
        parameters: &[Parameter::new(
            "tokens",
            Kind::Tokens,
            "Lists of texts. NULL lists and NULL tokens are left out.",
        )],
        example: r"
> select document_frequencies(tokenize(text)) from (values ('to be or not to be'), ('to do')) as t(text);
[{term: to, count: 2}, {term: be, count: 1}, {term: do, count: 1}, {term: not, count: 1}, {term: or, count: 1}]
",
        related: &["corpus_tfidf", "term_frequencies"],
    };
    type Counts = DocumentCounts;

    fn result_type() -> DataType {
        types::term_counts()
    }

    fn result(counts: &DocumentCounts) -> Result<ListArray, ArrowError> {
        term_counts(counts, |count| count.documents)
    }
}
