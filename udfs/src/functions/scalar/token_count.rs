//! The SQL function `token_count`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::Model;

#[derive(Debug)]
pub(crate) struct TokenCount;

impl ScalarFunction for TokenCount {
    const DECLARATION: Declaration = Declaration {
        name: "token_count",
        family: "Words",
        description: "Returns how many tokens a text has, as Int64, without building them: the length of what tokenize returns for the same arguments.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to count in. NULL gives NULL."),
            Parameter::optional(
                "tokenizer",
                Kind::Tokenizer,
                "A constant, as for tokenize; `word` by default.",
            ),
            Parameter::TOKENIZER_SETTINGS,
        ],
        example: r"
> select token_count('To be, or not!');
4
",
        related: &["tokenize"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        Self::DECLARATION.check_tokenizer_settings(args)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_to_token_count(0, &*args.tokenizer(1)?)
    }
}
