//! The SQL function `cosine_similarity`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Parameter, ScalarFunction};
use lexstream_columns::Metric;
use lexstream_columns::model::Model;
use lexstream_text::vectors::{self, Component, Entries};

#[derive(Debug)]
pub(crate) struct CosineSimilarity;

impl Metric for CosineSimilarity {
    fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64> {
        vectors::cosine_similarity(a, b)
    }

    fn measure_entries(&self, a: impl Entries, b: impl Entries) -> Option<f64> {
        vectors::cosine_similarity_of_entries(a, b)
    }
}

impl ScalarFunction for CosineSimilarity {
    const DECLARATION: Declaration = Declaration {
        name: "cosine_similarity",
        family: "Vectors",
        description: "Returns the cosine of the angle between two vectors, a·b / (‖a‖·‖b‖), as Float64 from -1 to 1. A vector of length zero has no direction: the result is NULL. Sums are in double precision.",
        parameters: Parameter::TWO_VECTORS,
        example: r"
> select cosine_similarity([1.0, 2.0], [2.0, 1.0]);
0.8
",
        related: &[],
    };

    fn return_type(arguments: &[FieldRef], _: Option<&dyn Model>) -> Result<DataType> {
        Self::DECLARATION.check_lengths(arguments)?;
        Ok(DataType::Float64)
    }

    fn invoke(args: &Args<'_>) -> Result<ColumnarValue> {
        args.measure(&Self)
    }
}
