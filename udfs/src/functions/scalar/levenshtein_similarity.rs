//! The SQL function `levenshtein_similarity`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_text::likeness::levenshtein_similarity;

#[derive(Debug)]
pub(crate) struct LevenshteinSimilarity;

impl ScalarFunction for LevenshteinSimilarity {
    const DECLARATION: Declaration = Declaration {
        name: "levenshtein_similarity",
        family: "Likeness",
        description: "Returns how alike two texts are by the code points to insert, delete or replace, as Float64 from 0 to 1: 1 - d / n, where d is the Levenshtein distance and n the length of the longer text. It agrees with RapidFuzz's `Levenshtein.normalized_similarity`. Two empty texts are alike: 1; an empty text and another: 0. Case and normalization form count: lower(text) and normalize_text(text) even them out. Cost: the product of the lengths, 64 code points at a time.",
        parameters: Parameter::TWO_TEXTS,
        example: r"
> select levenshtein_similarity('robot', 'orbit');
0.4
",
        related: &["jaro_winkler_similarity", "token_set_ratio"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure_texts(levenshtein_similarity)
    }
}
