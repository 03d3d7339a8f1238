//! `collocations(tokens)`.

use arrow::array::ListArray;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion_expr::Documentation;
use datafusion_macros::user_doc;

use super::term_counter::TokenAggregate;
use lexstream_columns::{collocations, types};
use lexstream_text::collocations::BigramCounts;

#[user_doc(
    doc_section(label = "Pieces"),
    description = "Returns every two tokens that stand side by side in the lists of a group, joined by a space, with how often they do and their pointwise mutual information, as List<Struct<bigram Utf8, count Int64, pmi Float64>>, highest information first, ties by bigram in byte order. The information is log2(count * N / (count of the first * count of the second)), N being all tokens of the group, as NLTK's BigramAssocMeasures.pmi gives it (Church and Hanks 1990): 0 where chance would put them together as often. It is highest for what is rare: a filter on `count` leaves out what occurs once. No bigram reaches from one list into the next. NULL where no list is not NULL. It holds one entry a distinct token and one a distinct bigram, not the lists, and works as a window function over sliding frames too.",
    syntax_example = "collocations(tokens)",
    sql_example = r"```sql
> select collocations(tokenize('to be or not to be'));
[{bigram: or not, count: 1, pmi: 2.584962500721156}, {bigram: be or, count: 1, pmi: 1.584962500721156}, {bigram: not to, count: 1, pmi: 1.584962500721156}, {bigram: to be, count: 2, pmi: 1.584962500721156}]
```",
    argument(
        name = "tokens",
        description = "Lists of texts. NULL lists and NULL tokens are left out; the tokens on either side of one stand side by side."
    ),
    related_udf(name = "ngrams"),
    related_udf(name = "term_frequencies")
)]
#[derive(Debug)]
pub(super) struct Collocations;

impl TokenAggregate for Collocations {
    const NAME: &'static str = "collocations";
    type Counts = BigramCounts;

    fn result_type() -> DataType {
        types::collocations()
    }

    fn result(counts: &BigramCounts) -> Result<ListArray, ArrowError> {
        collocations(counts)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }
}
