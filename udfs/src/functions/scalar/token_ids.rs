//! The SQL function `token_ids`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{token_id_column, types};

#[derive(Debug)]
pub(crate) struct TokenIds;

impl ScalarFunction for TokenIds {
    const DECLARATION: Declaration = Declaration {
        name: "token_ids",
        family: "Words",
        description: "Returns the numbers of a text's tokens as a model reads them, special tokens included and nothing cut off, as List<Int32>. The model's graph is not run.",
        parameters: &[
            Parameter::new("text", Kind::Text, "Text to cut. NULL gives NULL."),
            Parameter::new(
                "tokenizer",
                Kind::Model(Ability::TokenIds),
                "A constant: a model whose tokens are numbered, such as one of kind `onnx`.",
            ),
        ],
        example: r"
> select token_ids('To be', 'minilm');
[101, 2000, 2022, 102]
",
        related: &["tokenize"],
    };
    const VOLATILITY: Volatility = Volatility::Stable;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::token_ids())
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let ids = args
            .model(1)?
            .token_ids()
            .map_err(DataFusionError::External)?;
        args.map_texts(0, |texts| token_id_column(texts, &*ids))
    }
}
