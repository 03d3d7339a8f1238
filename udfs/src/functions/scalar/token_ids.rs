//! `token_ids(text, tokenizer)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{token_id_column, types};

#[user_doc(
    doc_section(label = "Words"),
    description = "Returns the numbers of a text's tokens as a model reads them, special tokens included and nothing cut off, as List<Int32>. The model's graph is not run.",
    syntax_example = "token_ids(text, tokenizer)",
    sql_example = r"```sql
> select token_ids('To be', 'minilm');
[101, 2000, 2022, 102]
```",
    argument(name = "text", description = "Text to cut. NULL gives NULL."),
    argument(
        name = "tokenizer",
        description = "A constant: a model whose tokens are numbered, such as one of kind `onnx`."
    ),
    related_udf(name = "tokenize")
)]
#[derive(Debug)]
pub(crate) struct TokenIds;

impl ScalarFunction for TokenIds {
    const PARAMETERS: Parameters = Parameters {
        function: "token_ids",
        list: &[
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
            Parameter {
                name: "tokenizer",
                kind: Kind::Model(Ability::TokenIds),
            },
        ],
        required: 2,
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::token_ids())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let ids = args
            .model(1)?
            .token_ids()
            .map_err(DataFusionError::External)?;
        args.map_texts(0, |texts| token_id_column(texts, &*ids))
    }
}
