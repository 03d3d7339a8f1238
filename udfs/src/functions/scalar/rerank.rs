//! The SQL function `rerank`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::score_column;

#[derive(Debug)]
pub(crate) struct Rerank;

impl ScalarFunction for Rerank {
    const DECLARATION: Declaration = Declaration {
        name: "rerank",
        family: "Models",
        description: "Returns how well a text answers a query, by a cross-encoder, as Float32: higher is better. The model reads both as one pair. The score is between 0 and 1 by a sigmoid, or the model's own number with `'activation' = 'none'`, as its export says. Identical pairs in a batch are computed once. Of a pair that is longer than the model takes the longer part loses its end, or it is an error with `'truncate' = 'false'`. Cost: one run of the model for a few pairs of similar length; rank the best of a cheaper search with it.",
        parameters: &[
            Parameter::new(
                "model",
                Kind::Model(Ability::Rerank),
                "A constant: a model of the task `rerank`, or one version of it, such as `reranker@2`.",
            ),
            Parameter::new(
                "query",
                Kind::Text,
                "Text that asks. NULL gives NULL; empty text has a score.",
            ),
            Parameter::new(
                "text",
                Kind::Text,
                "Text that may answer. NULL gives NULL; empty text has a score.",
            ),
        ],
        example: r"
> select rerank('overlap', 'fast library', 'a fast and simple library');
0.5
",
        related: &[],
    };
    // Not folded where its arguments are constants: planning runs no model.
    const VOLATILITY: Volatility = Volatility::Volatile;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(DataType::Float32)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let model = args.model(0)?;
        let Some(reranker) = model.reranker() else {
            return internal_err!("rerank: planning has checked the model");
        };
        args.map_text_pairs(1, 2, |queries, texts| {
            let scores = reranker.rerank(queries, texts)?;
            Ok(score_column(scores, queries, texts)?)
        })
    }
}
