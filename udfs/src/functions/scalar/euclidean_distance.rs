//! The SQL function `euclidean_distance`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Parameter, ScalarFunction};
use lexstream_columns::Metric;
use lexstream_columns::model::Model;
use lexstream_text::vectors::{self, Component, Entries};

#[derive(Debug)]
pub(crate) struct EuclideanDistance;

impl Metric for EuclideanDistance {
    fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64> {
        Some(vectors::euclidean_distance(a, b))
    }

    fn measure_entries(&self, a: impl Entries, b: impl Entries) -> Option<f64> {
        Some(vectors::euclidean_distance_of_entries(a, b))
    }
}

impl ScalarFunction for EuclideanDistance {
    const DECLARATION: Declaration = Declaration {
        name: "euclidean_distance",
        family: "Vectors",
        description: "Returns the Euclidean distance between two vectors, ‖a − b‖, as Float64; between two empty vectors it is 0. Sums are in double precision.",
        parameters: Parameter::TWO_VECTORS,
        example: r"
> select euclidean_distance([0.0, 4.0], [3.0, 0.0]);
5.0
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
