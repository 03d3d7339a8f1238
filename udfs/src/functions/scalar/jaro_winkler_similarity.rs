//! The SQL function `jaro_winkler_similarity`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_text::likeness::jaro_winkler_similarity;

#[derive(Debug)]
pub(crate) struct JaroWinklerSimilarity;

impl ScalarFunction for JaroWinklerSimilarity {
    const DECLARATION: Declaration = Declaration {
        name: "jaro_winkler_similarity",
        family: "Likeness",
        description: "Returns how alike two short texts, such as names, are, as Float64 from 0 to 1: the Jaro similarity of their code points, raised by 0.1 of what is missing to 1 for each of up to four first code points that are equal, where Jaro's is above 0.7 (Winkler 1990). It agrees with RapidFuzz's `JaroWinkler.similarity`. Two empty texts are alike: 1; an empty text and another: 0. Case and normalization form count. Cost: the product of the lengths, 64 code points at a time.",
        parameters: Parameter::TWO_TEXTS,
        example: r"
> select round(jaro_winkler_similarity('MARTHA', 'MARHTA'), 4);
0.9611
",
        related: &["levenshtein_similarity", "token_set_ratio"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure_texts(jaro_winkler_similarity)
    }
}
