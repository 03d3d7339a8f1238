//! The SQL function `dot_product`.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;

use crate::functions::{Args, Declaration, Parameter, ScalarFunction};
use lexstream_columns::Metric;
use lexstream_columns::model::Model;
use lexstream_text::vectors::{self, Component, Entries};

#[derive(Debug)]
pub(crate) struct DotProduct;

impl Metric for DotProduct {
    fn measure<A: Component, B: Component>(&self, a: &[A], b: &[B]) -> Option<f64> {
        Some(vectors::dot_product(a, b))
    }

    fn measure_entries(&self, a: impl Entries, b: impl Entries) -> Option<f64> {
        Some(vectors::dot_product_of_entries(a, b))
    }
}

impl ScalarFunction for DotProduct {
    const DECLARATION: Declaration = Declaration {
        name: "dot_product",
        family: "Vectors",
        description: "Returns the dot product of two vectors, the sum of aᵢ·bᵢ, as Float64; of two empty vectors it is 0. Sums are in double precision. It is DataFusion's inner_product, and takes Float32 vectors without a cast.",
        parameters: Parameter::TWO_VECTORS,
        example: r"
> select dot_product([1.0, 2.0], [3.0, 4.0]);
11.0
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
