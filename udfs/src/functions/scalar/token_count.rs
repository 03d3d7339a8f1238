//! `token_count(text [, tokenizer] [, settings])`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation, ReturnFieldArgs, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Parameters, ScalarFunction};
use lexstream_columns::model::Model;

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns how many tokens a text has, as Int64, without building them: the length of what tokenize returns for the same arguments.",
    syntax_example = "token_count(text [, tokenizer] [, settings])",
    sql_example = r"```sql
> select token_count('To be, or not!');
4
```",
    argument(name = "text", description = "Text to count in. NULL gives NULL."),
    argument(
        name = "tokenizer",
        description = "A constant, as for tokenize; `word` by default."
    ),
    argument(
        name = "settings",
        description = "A constant struct, for jieba's tokenizers: `{hmm: false}` joins no characters that the dictionary does not know as a word."
    ),
    related_udf(name = "tokenize")
)]
#[derive(Debug)]
pub(crate) struct TokenCount;

impl ScalarFunction for TokenCount {
    const PARAMETERS: Parameters = Parameters::text_and_tokenizer("token_count");
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn check_together(args: &ReturnFieldArgs<'_>) -> Result<()> {
        Self::PARAMETERS.check_tokenizer_settings(args)
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.map_to_token_count(0, &*args.tokenizer(1)?)
    }
}
