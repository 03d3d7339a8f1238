//! `embed(model, text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{types, vector_column};

#[user_doc(
    doc_section(label = "Models"),
    description = "Returns the vector that a model makes of a text, as FixedSizeList<Float32> of the model's dimension. Pooling and normalisation are as the model's export says. Identical texts in a batch are computed once. A text that is longer than the model takes loses its end, or is an error with `'truncate' = 'false'`. A vector that is all zero or no number is an error. Cost: one run of the model for a few texts of similar length.",
    syntax_example = "embed(model, text)",
    sql_example = r"```sql
> select round(cosine_similarity(embed('minilm', 'A man is eating food.'), embed('minilm', 'A man is eating a piece of bread.')), 4);
0.7553
```",
    argument(
        name = "model",
        description = "A constant: a model of the task `embedding`, or one version of it, such as `minilm@2`."
    ),
    argument(
        name = "text",
        description = "Text. NULL gives NULL; empty text has a vector."
    )
)]
#[derive(Debug)]
pub(crate) struct Embed;

impl ScalarFunction for Embed {
    const PARAMETERS: Parameters = Parameters::model_and_text(
        "embed",
        &[
            Parameter {
                name: "model",
                kind: Kind::Model(Ability::Embed),
            },
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
        ],
    );
    // Not folded where its arguments are constants: planning runs no model.
    const VOLATILITY: Volatility = Volatility::Volatile;

    fn return_type(_: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        match model.and_then(Model::embedder) {
            Some(embedder) => Ok(types::vectors(embedder.dimension())),
            None => internal_err!("embed: planning has found the model"),
        }
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
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
