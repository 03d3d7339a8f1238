//! The SQL function `embed`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{types, vector_column};

#[derive(Debug)]
pub(crate) struct Embed;

impl ScalarFunction for Embed {
    const DECLARATION: Declaration = Declaration {
        name: "embed",
        family: "Models",
        description: "Returns the vector that a model makes of a text, as FixedSizeList<Float32> of the model's dimension. Pooling and normalisation are as the model's export says. Identical texts in a batch are computed once. A text that is longer than the model takes loses its end, or is an error with `'truncate' = 'false'`. A vector that is all zero or no number is an error. Cost: one run of the model for a few texts of similar length.",
        parameters: &[
            Parameter::new(
                "model",
                Kind::Model(Ability::Embed),
                "A constant: a model of the task `embedding`, or one version of it, such as `minilm@2`.",
            ),
            Parameter::new(
                "text",
                Kind::Text,
                "Text. NULL gives NULL; empty text has a vector.",
            ),
        ],
        example: r"
> select round(cosine_similarity(embed('minilm', 'A man is eating food.'), embed('minilm', 'A man is eating a piece of bread.')), 4);
0.7553
",
        related: &[],
    };
    // Not folded where its arguments are constants: planning runs no model.
    const VOLATILITY: Volatility = Volatility::Volatile;

    fn return_type(_: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        match model.and_then(Model::embedder) {
            Some(embedder) => Ok(types::vectors(embedder.dimension())),
            None => internal_err!("embed: planning has found the model"),
        }
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let model = args.model(0)?;
        let Some(embedder) = model.embedder() else {
            return internal_err!("embed: planning has checked the model");
        };
        args.map_texts(1, |texts| {
            Ok(vector_column(
                embedder.embed(texts)?,
                embedder.dimension(),
                texts,
            )?)
        })
    }
}
