//! `classify_scores(model, text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{label_list_column, types};

#[user_doc(
    doc_section(label = "Models"),
    description = "Returns every label of a model with its score for a text, highest first, as List<Struct<label Utf8, score Float32>>. Scores are probabilities, as for classify; equal ones stay in the model's order. Identical texts in a batch are computed once. A text that is longer than the model takes loses its end, or is an error with `'truncate' = 'false'`. Cost: one run of the model for a few texts of similar length.",
    syntax_example = "classify_scores(model, text)",
    sql_example = r"```sql
> select array_length(classify_scores('sentiment', 'a great and simple library'));
2
```",
    argument(
        name = "model",
        description = "A constant: a model of the task `classification`, or one version of it, such as `sentiment@2`."
    ),
    argument(
        name = "text",
        description = "Text. NULL gives NULL; empty text has scores."
    ),
    related_udf(name = "classify")
)]
#[derive(Debug)]
pub(crate) struct ClassifyScores;

impl ScalarFunction for ClassifyScores {
    const PARAMETERS: Parameters = Parameters::model_and_text(
        "classify_scores",
        &[
            Parameter {
                name: "model",
                kind: Kind::Model(Ability::Classify),
            },
            Parameter {
                name: "text",
                kind: Kind::Text,
            },
        ],
    );
    // Not folded where its arguments are constants: planning runs no model.
    const VOLATILITY: Volatility = Volatility::Volatile;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::labels())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let model = args.model(0)?;
        let Some(classifier) = model.classifier() else {
            return internal_err!("classify_scores: planning has checked the model");
        };
        args.map_texts(1, |texts| {
            Ok(label_list_column(
                &classifier.scores(texts)?,
                classifier.labels(),
                texts,
            )?)
        })
    }
}
