//! The SQL function `predict`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{DataFusionError, Result, internal_err};
use datafusion_expr::{ColumnarValue, Volatility};

use crate::functions::{Args, Declaration, Kind, Parameter, ScalarFunction};
use lexstream_columns::model::{Ability, Model};

#[derive(Debug)]
pub(crate) struct Predict;

impl ScalarFunction for Predict {
    const DECLARATION: Declaration = Declaration {
        name: "predict",
        family: "Models",
        description: "Returns what a graph computes of a row. Inputs stand in the graph's order, one for each of its own: a number, truth value or text for `[batch]` and `[batch, 1]`, else a list of as many as the graph's axes hold, flat or nested; integers become floats where the graph has floats. The result is one value for `[batch]` and `[batch, 1]`, else a list an axis, of fixed size where the graph says it; several outputs are a struct by their names. Types are the graph's, with float16 and bfloat16 as Float32, and unsigned integers as the next larger signed one; a uint64 that Int64 has no place for is an error. NULL, or a list with NULL in it, gives NULL. Rows whose lists differ in length run apart. Cost: one run of the model for `max_batch_rows` rows.",
        parameters: &[
            Parameter::new(
                "model",
                Kind::Model(Ability::Predict),
                "A constant: a model of the task `predict`, or one version of it, such as `price@2`.",
            ),
            Parameter::new(
                "input",
                Kind::Inputs,
                "A number, truth value or text, or a list of them; as many inputs as the graph has.",
            ),
        ],
        example: r"
> select predict('price', [80, 3]);
195.0
",
        related: &[],
    };
    // Not folded where its arguments are constants: planning runs no model.
    const VOLATILITY: Volatility = Volatility::Volatile;

    fn return_type(arguments: &[FieldRef], model: Option<&dyn Model>) -> Result<DataType> {
        let Some(predictor) = model.and_then(Model::predictor) else {
            return internal_err!("predict: planning has found the model");
        };
        let inputs = arguments[1..].iter().map(|field| field.data_type().clone());
        predictor
            .result_type(&inputs.collect::<Vec<_>>())
            .map_err(|cause| DataFusionError::External(cause).context("predict"))
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        let model = args.model(0)?;
        let Some(predictor) = model.predictor() else {
            return internal_err!("predict: planning has checked the model");
        };
        args.map_columns(1, |columns| predictor.predict(columns))
    }
}
