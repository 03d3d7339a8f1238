//! The SQL function `jaccard_similarity`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_text::likeness::jaccard_similarity;

#[derive(Debug)]
pub(crate) struct JaccardSimilarity;

impl ScalarFunction for JaccardSimilarity {
    const DECLARATION: Declaration = Declaration {
        name: "jaccard_similarity",
        family: "Likeness",
        description: "Returns how many of the distinct tokens of two lists are in both, |A ∩ B| / |A ∪ B| (Jaccard 1912), as Float64 from 0 to 1. How often a token stands in a list does not matter. Two empty lists are alike: 1; an empty list and another: 0. Case and normalization form count.",
        parameters: &[
            Parameter::new(
                "tokens1",
                Kind::Tokens,
                "List of texts. NULL gives NULL; tokens that are NULL are left out.",
            ),
            Parameter::new("tokens2", Kind::Tokens, "The same."),
        ],
        example: r"
> select jaccard_similarity(tokenize('to be or not'), tokenize('not to be'));
0.75
",
        related: &["token_set_ratio"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure_tokens(|a, b| jaccard_similarity(a.iter(), b.iter()))
    }
}
