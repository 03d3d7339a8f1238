//! `term_frequencies(tokens)`.

use arrow::array::ListArray;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion_expr::Documentation;
use datafusion_macros::user_doc;

use super::term_counter::TokenAggregate;
use lexstream_columns::{term_counts, types};
use lexstream_text::tfidf::DocumentCounts;

#[user_doc(
    doc_section(label = "Vectors"),
    description = "Returns how often each token occurs in the lists of a group, as List<Struct<term Utf8, count Int64>>, most frequent first, ties by term in byte order. NULL where no list is not NULL. It holds one entry a distinct term, not the lists, and works as a window function over sliding frames too.",
    syntax_example = "term_frequencies(tokens)",
    sql_example = r"```sql
> select term_frequencies(tokenize('to be or not to be'));
[{term: be, count: 2}, {term: to, count: 2}, {term: not, count: 1}, {term: or, count: 1}]
```",
    argument(
        name = "tokens",
        description = "Lists of texts. NULL lists and NULL tokens are left out."
    ),
    related_udf(name = "bag_of_words"),
    related_udf(name = "document_frequencies")
)]
#[derive(Debug)]
pub(super) struct TermFrequencies;

impl TokenAggregate for TermFrequencies {
    const NAME: &'static str = "term_frequencies";
    type Counts = DocumentCounts;

    fn result_type() -> DataType {
        types::term_counts()
    }

    fn result(counts: &DocumentCounts) -> Result<ListArray, ArrowError> {
        term_counts(counts, |count| count.occurrences)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }
}
