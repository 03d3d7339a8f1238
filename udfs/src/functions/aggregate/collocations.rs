//! The SQL function `collocations`.

use arrow::array::ListArray;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::term_counter::TokenAggregate;
use crate::functions::{Declaration, Kind, Parameter};
use lexstream_columns::{collocations, types};
use lexstream_text::collocations::BigramCounts;

#[derive(Debug)]
pub(super) struct Collocations;

impl TokenAggregate for Collocations {
    const DECLARATION: Declaration = Declaration {
        name: "collocations",
        family: "Pieces",
        description: "Returns every two tokens that stand side by side in the lists of a group, joined by a space, with how often they do and their pointwise mutual information, as List<Struct<bigram Utf8, count Int64, pmi Float64>>, highest information first, ties by bigram in byte order. The information is log2(count * N / (count of the first * count of the second)), N being all tokens of the group, as NLTK's BigramAssocMeasures.pmi gives it (Church and Hanks 1990): 0 where chance would put them together as often. It is highest for what is rare: a filter on `count` leaves out what occurs once. No bigram reaches from one list into the next. NULL where no list is not NULL. It holds one entry a distinct token and one a distinct bigram, not the lists, and works as a window function over sliding frames too.",
        parameters: &[Parameter::new(
            "tokens",
            Kind::Tokens,
            "Lists of texts. NULL lists and NULL tokens are left out; the tokens on either side of one stand side by side.",
        )],
        example: r"
> select collocations(tokenize('to be or not to be'));
[{bigram: or not, count: 1, pmi: 2.584962500721156}, {bigram: be or, count: 1, pmi: 1.584962500721156}, {bigram: not to, count: 1, pmi: 1.584962500721156}, {bigram: to be, count: 2, pmi: 1.584962500721156}]
",
        related: &["ngrams", "term_frequencies"],
    };
    type Counts = BigramCounts;

    fn result_type() -> DataType {
        types::collocations()
    }

    fn result(counts: &BigramCounts) -> Result<ListArray, ArrowError> {
        collocations(counts)
    }
}
