//! `document_frequencies(tokens)`.

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
    description = "Returns in how many lists of a group each token occurs, as List<Struct<term Utf8, count Int64>>, most frequent first, ties by term in byte order: the df of TF-IDF. NULL where no list is not NULL. It holds one entry a distinct term, not the lists, and works as a window function over sliding frames too.",
    syntax_example = "document_frequencies(tokens)",
    sql_example = r"```sql
> select document_frequencies(tokenize(text)) from (values ('to be or not to be'), ('to do')) as t(text);
[{term: to, count: 2}, {term: be, count: 1}, {term: do, count: 1}, {term: not, count: 1}, {term: or, count: 1}]
```",
    argument(
        name = "tokens",
        description = "Lists of texts. NULL lists and NULL tokens are left out."
    ),
    related_udf(name = "corpus_tfidf"),
    related_udf(name = "term_frequencies")
)]
#[derive(Debug)]
pub(super) struct DocumentFrequencies;

impl TokenAggregate for DocumentFrequencies {
    const NAME: &'static str = "document_frequencies";
    type Counts = DocumentCounts;

    fn result_type() -> DataType {
        types::term_counts()
    }

    fn result(counts: &DocumentCounts) -> Result<ListArray, ArrowError> {
        term_counts(counts, |count| count.documents)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }
}
