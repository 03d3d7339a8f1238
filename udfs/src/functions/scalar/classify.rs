//! The SQL function `classify`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err};
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::{Ability, Model};
use lexstream_columns::{best_label_column, types};

#[derive(Debug)]
pub(crate) struct Classify;

impl ScalarFunction for Classify {
    const DECLARATION: Declaration = Declaration {
        name: "classify",
        family: "Models",
        description: "Returns the label that a model gives a text the highest score, and that score, as Struct<label Utf8, score Float32>. Scores are probabilities: by softmax where labels exclude each other, by a sigmoid each where they do not (`problem_type` `multi_label_classification`). Of equal scores the label that the model lists first wins. Identical texts in a batch are computed once. A text that is longer than the model takes loses its end, or is an error with `'truncate' = 'false'`. Cost: one run of the model for a few texts of similar length.",
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
> select classify('sentiment', 'a great and simple library')['label'];
positive
",
        related: &["classify_scores"],
    };
    // Not folded where its arguments are constants: planning runs no model.
    const VOLATILITY: Volatility = Volatility::Volatile;

    fn return_type(_: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Ok(types::label())
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
