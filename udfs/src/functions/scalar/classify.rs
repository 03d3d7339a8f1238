//! `classify(model, text)`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Documentation, Volatility};
use datafusion_macros::user_doc;

use crate::functions::{Args, Kind, Parameter, Parameters, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{best_label_column, types};

#[user_doc(
    doc_section(label = "Models"),
    description = "Returns the label that a model gives a text the highest score, and that score, as Struct<label Utf8, score Float32>. Scores are probabilities: by softmax where labels exclude each other, by a sigmoid each where they do not (`problem_type` `multi_label_classification`). Of equal scores the label that the model lists first wins. Identical texts in a batch are computed once. A text that is longer than the model takes loses its end, or is an error with `'truncate' = 'false'`. Cost: one run of the model for a few texts of similar length.",
    syntax_example = "classify(model, text)",
    sql_example = r"```sql
> select classify('sentiment', 'a great and simple library')['label'];
positive
```",
    argument(
        name = "model",
        description = "A constant: a model of the task `classification`, or one version of it, such as `sentiment@2`."
    ),
    argument(
        name = "text",
        description = "Text. NULL gives NULL; empty text has scores."
    ),
    related_udf(name = "classify_scores")
)]
#[derive(Debug)]
pub(crate) struct Classify;

impl ScalarFunction for Classify {
    const PARAMETERS: Parameters = Parameters::model_and_text(
        "classify",
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
        Ok(types::label())
    }

    fn documentation() -> Option<&'static Documentation> {
        Self.doc()
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let model = args.model(0)?;
        let Some(classifier) = model.classifier() else {
            return internal_err!("classify: planning has checked the model");
        };
        args.map_texts(1, |texts| {
            Ok(best_label_column(
                &classifier.scores(texts)?,
                classifier.labels(),
                texts,
            )?)
        })
    }
}
