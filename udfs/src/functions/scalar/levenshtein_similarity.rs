//! `levenshtein_similarity(text1, text2)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_text::likeness::levenshtein_similarity;

#[user_doc(
    doc_section(label = "Likeness"),
    description = "Returns how alike two texts are by the code points to insert, delete or replace, as Float64 from 0 to 1: 1 - d / n, where d is the Levenshtein distance and n the length of the longer text. It agrees with RapidFuzz's `Levenshtein.normalized_similarity`. Two empty texts are alike: 1; an empty text and another: 0. Case and normalization form count: lower(text) and normalize_text(text) even them out. Cost: the product of the lengths, 64 code points at a time.",
    syntax_example = "levenshtein_similarity(text1, text2)",
    sql_example = r"```sql
> select levenshtein_similarity('robot', 'orbit');
0.4
```",
    argument(name = "text1", description = "Text. NULL gives NULL."),
    argument(name = "text2", description = "The same."),
    related_udf(name = "jaro_winkler_similarity"),
    related_udf(name = "token_set_ratio")
)]
#[derive(Debug)]
pub(crate) struct LevenshteinSimilarity;

impl ScalarFunction for LevenshteinSimilarity {
    const PARAMETERS: Parameters = Parameters::two_texts("levenshtein_similarity");

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure_texts(levenshtein_similarity)
    }
}
