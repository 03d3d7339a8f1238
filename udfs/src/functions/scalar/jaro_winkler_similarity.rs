//! `jaro_winkler_similarity(text1, text2)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_text::likeness::jaro_winkler_similarity;

#[user_doc(
    doc_section(label = "Likeness"),
    description = "Returns how alike two short texts, such as names, are, as Float64 from 0 to 1: the Jaro similarity of their code points, raised by 0.1 of what is missing to 1 for each of up to four first code points that are equal, where Jaro's is above 0.7 (Winkler 1990). It agrees with RapidFuzz's `JaroWinkler.similarity`. Two empty texts are alike: 1; an empty text and another: 0. Case and normalization form count. Cost: the product of the lengths, 64 code points at a time.",
    syntax_example = "jaro_winkler_similarity(text1, text2)",
    sql_example = r"```sql
> select round(jaro_winkler_similarity('MARTHA', 'MARHTA'), 4);
0.9611
```",
    argument(name = "text1", description = "Text. NULL gives NULL."),
    argument(name = "text2", description = "The same."),
    related_udf(name = "levenshtein_similarity"),
    related_udf(name = "token_set_ratio")
)]
#[derive(Debug)]
pub(crate) struct JaroWinklerSimilarity;

impl ScalarFunction for JaroWinklerSimilarity {
    const PARAMETERS: Parameters = Parameters::two_texts("jaro_winkler_similarity");

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure_texts(jaro_winkler_similarity)
    }
}
