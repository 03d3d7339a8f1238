//! The SQL function `classify_scores`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{label_list_column, types};

#[derive(Debug)]
pub(crate) struct ClassifyScores;

impl ScalarFunction for ClassifyScores {
    const DECLARATION: Declaration = Declaration {
        name: "classify_scores",
        family: "Models",
        description: "Returns every label of a model with its score for a text, highest first, as List<Struct<label Utf8, score Float32>>. Scores are probabilities, as for classify; equal ones stay in the model's order. Identical texts in a batch are computed once. A text that is longer than the model takes loses its end, or is an error with `'truncate' = 'false'`. Cost: one run of the model for a few texts of similar length.",
        parameters: &[
            Parameter::new(
                "model",
                Kind::Model(Ability::Classify),
                "A constant: a model of the task `classification`, or one version of it, such as `sentiment@2`.",
            ),
            Parameter::new(
                "text",
                Kind::Text,
                "Text. NULL gives NULL; empty text has scores.",
            ),
        ],
        example: r"
> select array_length(classify_scores('sentiment', 'a great and simple library'));
2
",
        related: &["classify"],
    };
    // Not folded where its arguments are constants: planning runs no model.
    const VOLATILITY: Volatility = Volatility::Volatile;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::labels())
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
