//! The SQL function `token_set_ratio`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Parameter, ScalarFunction};
use lexstream_columns::model::Model;
use lexstream_text::likeness::token_set_ratio;

#[derive(Debug)]
pub(crate) struct TokenSetRatio;

impl ScalarFunction for TokenSetRatio {
    const DECLARATION: Declaration = Declaration {
        name: "token_set_ratio",
        family: "Likeness",
        description: "Returns how alike two texts are by their words, whatever the order, what repeats, or what only one of them says, as Float64 from 0 to 100, as RapidFuzz's `fuzz.token_set_ratio` does. Words stand between white space, as Python's `str.split` cuts them (RapidFuzz's compiled form does not at U+0085 and U+00A0 where a text has no character behind U+00FF). S is the words in both, A and B those in one only, each in order and joined by spaces: the result is the highest ratio of S with S A, S with S B, and S A with S B, where a ratio is 100 · (1 - d / n), with d the code points to insert or delete and n the code points of both. It is 100 where the words of one text are all in the other. A text without words is like nothing: 0, even where both are empty. Case and normalization form count.",
        parameters: Parameter::TWO_TEXTS,
        example: r"
> select token_set_ratio('fuzzy was a bear', 'a bear was fuzzy fuzzy');
100.0
",
        related: &["jaccard_similarity", "levenshtein_similarity"],
    };

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure_texts(token_set_ratio)
    }
}
