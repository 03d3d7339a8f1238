//! `jaccard_similarity(tokens1, tokens2)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_text::likeness::jaccard_similarity;

#[user_doc(
    doc_section(label = "Likeness"),
    description = "Returns how many of the distinct tokens of two lists are in both, |A ∩ B| / |A ∪ B| (Jaccard 1912), as Float64 from 0 to 1. How often a token stands in a list does not matter. Two empty lists are alike: 1; an empty list and another: 0. Case and normalization form count.",
    syntax_example = "jaccard_similarity(tokens1, tokens2)",
    sql_example = r"```sql
> select jaccard_similarity(tokenize('to be or not'), tokenize('not to be'));
0.75
```",
    argument(
        name = "tokens1",
        description = "List of texts. NULL gives NULL; tokens that are NULL are left out."
    ),
    argument(name = "tokens2", description = "The same."),
    related_udf(name = "token_set_ratio")
)]
#[derive(Debug)]
pub(crate) struct JaccardSimilarity;

impl ScalarFunction for JaccardSimilarity {
    const PARAMETERS: Parameters = Parameters {
        function: "jaccard_similarity",
        list: &[
            Parameter {
                name: "tokens1",
                kind: Kind::Tokens,
            },
            Parameter {
                name: "tokens2",
                kind: Kind::Tokens,
            },
        ],
        required: 2,
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure_tokens(|a, b| jaccard_similarity(a.iter(), b.iter()))
    }
}
